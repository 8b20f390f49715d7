#include "apps/campaign_session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

#include "apps/places.hpp"
#include "apps/stop_request.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

daq::Result<void> ask_for(const std::string& what) {
  if (::isatty(STDIN_FILENO) != 1) return daq::Error{fmt::format("nobody is there to set: {}", what)};
  fmt::print(stderr, "set by hand: {}; then press Enter ", what);
  std::string line;
  if (!std::getline(std::cin, line)) return daq::Error{fmt::format("nobody has set: {}", what)};
  return {};
}

}  // namespace

daq::Result<std::unique_ptr<CampaignSession>> carry_out_campaign(const CampaignArguments& a,
                                                                 const CampaignWatch& watch) {
  const auto path = find_toml(a.suite, "protocols/suites", "suite");
  if (!path) return path.error();
  const auto text = daq::read_text_file(*path);
  if (!text) return text.error();
  auto suite = protocols::parse_suite(*text, *path);
  if (!suite) return suite.error();
  auto session =
      std::make_unique<CampaignSession>(CampaignSession{.suite = std::move(*suite), .trials = {}, .summary = {}});
  auto trials = protocols::expand(session->suite.design);
  if (!trials) return trials.error();
  session->trials = std::move(*trials);
  if (!session->suite.virtual_time && !watch.bench.empty()) session->suite.bench = watch.bench;
  CampaignBench bench(session->suite, a.out, watch.by_hand ? watch.by_hand : HandSetting(ask_for));
  bench.watch(watch.run, watch.publication);
  if (auto ok = bench.check(session->trials); !ok) return ok.error();
  catch_stop_signals();
  protocols::CampaignOptions options;
  options.dir = a.out;
  options.resume = a.resume;
  options.software = version();
  const auto planned = session->trials.size();
  options.before = [&](std::size_t number, const protocols::Trial& trial, int attempt) {
    const auto words = fmt::format("{}{}", words_of(session->suite.design, trial),
                                   attempt > 1 ? fmt::format(", attempt {}", attempt) : "");
    if (watch.before) watch.before(number, planned, words, session->suite.virtual_time);
    if (a.quiet) return;
    fmt::print(stderr, "[{}/{}] {}: ", number, planned, words);
    std::fflush(stderr);
  };
  if (!a.quiet) {
    options.after = [](const protocols::Trial&, const protocols::AttemptOutcome& outcome) {
      fmt::print(stderr, "{}{}\n", protocols::name_of(outcome.judgement),
                 outcome.judgement == protocols::Judgement::kPass || outcome.reasons.empty()
                     ? ""
                     : " (" + outcome.reasons.front().text + ")");
    };
  }
  auto summary = protocols::run_campaign(session->suite, session->trials, bench, options);
  if (!summary) return summary.error();
  session->summary = std::move(*summary);
  const auto folder = std::filesystem::path(a.out);
  if (auto ok = write_whole((folder / "suite.toml").string(), session->suite.text); !ok) return ok.error();
  const auto json = to_json(session->summary, session->suite);
  if (auto ok = write_whole((folder / "summary.json").string(), json + "\n"); !ok) return ok.error();
  return session;
}

}  // namespace strigil::apps
