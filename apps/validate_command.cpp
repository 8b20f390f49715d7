#include "apps/validate_command.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "apps/campaign_session.hpp"
#include "apps/places.hpp"
#include "apps/print_pdf.hpp"
#include "apps/remote_detector.hpp"
#include "apps/run_command.hpp"
#include "daq/strict_toml.hpp"
#include "protocols/campaign/campaign_report.hpp"
#include "protocols/campaign/detector_figures.hpp"
#include "protocols/report/court_report_files.hpp"

namespace strigil::apps {
namespace {

constexpr std::size_t kLongestBaseline = 16U << 20U;

/// The campaign's figures in place of what was in the folder before.
daq::Result<void> write_reports(const std::filesystem::path& folder, const protocols::CourtReport& report,
                                const std::optional<protocols::CourtJudgement>& court,
                                const protocols::Baseline& figures) {
  if (auto sound = protocols::check_report(report); !sound) return sound;
  const auto write = [&](const char* name, const std::string& text) {
    return write_whole((folder / name).string(), text);
  };
  if (auto ok = write("report.json", to_json(report)); !ok) return ok;
  if (auto ok = write("report.junit.xml", to_junit(report)); !ok) return ok;
  if (auto ok = write("report.html", to_html(report)); !ok) return ok;
  if (!court) return {};
  if (auto ok = write("court.json", to_json(*court)); !ok) return ok;
  return write("figures.json", write_baseline(figures));
}

/// By its command, on a replay of the file.
daq::Result<protocols::CommandedHearing> hear_commanded(const std::string& run_file,
                                                        const protocols::CommandedDetector& detector) {
  RemoteDetectorOptions options;
  options.command = detector.command;
  auto remote = hear_run_remotely(run_file, options);
  if (!remote) return remote.error();
  protocols::CommandedHearing out{std::move(remote->heard), {}};
  for (const auto& f : remote->desk.findings) out.findings.emplace_back(name_of(f.of), f.words);
  return out;
}

void print_words(const CampaignSession& s, const protocols::CourtReport& report, const std::string& folder) {
  fmt::print("{}", to_text(s.summary, s.suite));
  for (const auto& section : report.detectors) {
    fmt::print("{:<20}", section.name);
    for (const auto& m : section.metrics) {
      if (m.name == "auc" || m.name.starts_with("found_at")) fmt::print(" {} {:.3f}", m.name, m.value);
    }
    fmt::print("\n");
  }
  for (const auto& r : report.reasons)
    fmt::print("{}: {}\n", r.weight == protocols::Judgement::kPass ? "note" : protocols::name_of(r.weight), r.text);
  fmt::print("report: {}/report.html\nVERDICT: {}\n", folder, protocols::name_of(report.verdict));
}

}  // namespace

int validate_command(const ValidateArguments& a) {
  std::optional<protocols::Baseline> baseline;
  if (!a.baseline.empty()) {
    const auto text = daq::read_text_file(a.baseline, kLongestBaseline);
    if (!text) return refuse(text.error().message);
    auto read = protocols::read_baseline(*text);
    if (!read) return refuse(fmt::format("{}: {}", a.baseline, read.error().message));
    baseline = std::move(*read);
  }
  const auto session =
      carry_out_campaign({.suite = a.suite, .out = a.out, .resume = a.resume, .quiet = a.quiet || a.json});
  if (!session) return refuse(session.error().message);
  const auto& s = **session;
  if (baseline && s.suite.detectors.empty() && s.suite.commanded.empty())
    return refuse("--baseline needs [judge] detectors in the suite: without them there are no figures to compare");
  const auto records = protocols::read_records(a.out, s.suite, s.trials);
  if (!records) return refuse(records.error().message);

  std::optional<protocols::CourtJudgement> court;
  std::string no_court;
  if (s.summary.done() > 0) {
    auto judged = protocols::judge_campaign(a.out, s.suite, s.trials, *records, {}, hear_commanded);
    if (judged) court = std::move(*judged);
    if (!judged) no_court = judged.error().message;
  }
  protocols::Baseline figures{
      .origin = fmt::format("suite {}, {}, seed {}", s.suite.name, version(), s.suite.design.seed), .metrics = {}};
  std::optional<protocols::BaselineComparison> comparison;
  if (court) figures.metrics = protocols::baseline_metrics(*court);
  if (baseline) {
    auto compared = protocols::compare_with_baseline(*baseline, figures.metrics);
    if (!compared) return refuse(fmt::format("{}: {}", a.baseline, compared.error().message));
    comparison = std::move(*compared);
  }
  const auto evidence = protocols::read_campaign_evidence(a.out, s.suite, s.trials, *records);
  if (!evidence) return refuse(evidence.error().message);
  auto report = protocols::report_of({.suite = s.suite,
                                      .trials = s.trials,
                                      .records = *records,
                                      .summary = s.summary,
                                      .court = court,
                                      .no_court = no_court,
                                      .comparison = comparison,
                                      .baseline_origin = baseline ? baseline->origin : std::string(),
                                      .software = version(),
                                      .evidence = *evidence});
  if (auto written = write_reports(a.out, report, court, figures); !written) return refuse(written.error().message);
  if (a.pdf) {
    const auto html = (std::filesystem::path(a.out) / "report.html").string();
    const auto pdf = (std::filesystem::path(a.out) / "report.pdf").string();
    std::error_code none;
    std::filesystem::remove(pdf, none);  // of the session before
    if (auto printed = print_pdf(html, pdf); !printed) return refuse(printed.error().message);
  }
  if (a.json) {
    fmt::print("{}\n", to_json(report));
  } else {
    print_words(s, report, a.out);
  }
  return exit_code(report.verdict);
}

}  // namespace strigil::apps
