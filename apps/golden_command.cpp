#include "apps/golden_command.hpp"

#include <fmt/format.h>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "calibration/certificate/xml_text.hpp"
#include "daq/strict_toml.hpp"
#include "protocols/golden_strokes.hpp"
#include "protocols/report/page_style.hpp"
#include "protocols/run_comparison.hpp"

namespace strigil::apps {
namespace {

using protocols::Judgement;

constexpr std::size_t kLongestGolden = 512U << 20U;

std::string e(std::string_view text) { return calibration::xml_escaped(text); }

daq::Result<protocols::RunSeries> series_of(const std::string& run) {
  auto reader = daq::RunReader::open(run);
  if (!reader) return reader.error();
  auto series = protocols::read_stroke_series(**reader);
  if (!series) return daq::Error{fmt::format("{}: {}", run, series.error().message)};
  return series;
}

/// A page with `head` above the plots, or the one plot that matters most.
daq::Result<void> write_plots(const std::string& path, const std::string& title, const std::string& head,
                              const std::vector<calibration::SvgPlot>& plots, std::size_t foremost) {
  if (path.ends_with(".svg")) return write_new(path, kAnyoneReads, calibration::to_svg_file(plots[foremost]));
  if (!path.ends_with(".html")) return daq::Error{fmt::format("'{}' ends in neither .html nor .svg", path)};
  auto body = fmt::format("<h1>{}</h1>\n{}<div class=\"plots\">\n", e(title), head);
  for (const auto& p : plots) body += calibration::to_svg(p);
  return write_new(path, kAnyoneReads, protocols::html_page(title, body + "</div>\n"));
}

std::size_t plot_with_mark(const std::vector<calibration::SvgPlot>& plots) {
  for (std::size_t i = 0; i < plots.size(); ++i) {
    if (!plots[i].marks.empty()) return i;
  }
  return 0;
}

}  // namespace

int golden_learn_command(const GoldenLearnArguments& a) {
  std::vector<protocols::RunSeries> runs;
  for (const auto& run : a.runs) {
    auto series = series_of(run);
    if (!series) return refuse(series.error().message);
    runs.push_back(std::move(*series));
  }
  const auto golden = protocols::learn_golden(runs, {.false_reject = a.false_reject, .bin_mm = a.bin_mm});
  if (!golden) return refuse(golden.error().message);
  if (auto r = write_new(a.out, kAnyoneReads, protocols::to_json(*golden)); !r) return refuse(r.error().message);
  std::size_t points = 0;
  for (const auto& s : golden->sections) points += s.at.size();
  fmt::print("{} runs, {} curves with {} points: {}\n", runs.size(), golden->sections.size(), points, a.out);
  return kPass;
}

int golden_check_command(const GoldenCheckArguments& a) {
  const auto text = daq::read_text_file(a.against, kLongestGolden);
  if (!text) return refuse(text.error().message);
  const auto golden = protocols::parse_golden(*text);
  if (!golden) return refuse(fmt::format("{}: {}", a.against, golden.error().message));
  const auto series = series_of(a.run);
  if (!series) return refuse(series.error().message);
  const auto check = protocols::check_golden(*golden, *series);
  if (!check) return refuse(check.error().message);
  fmt::print("{}: {}\n", check->accepted ? "PASS" : "FAIL", check->words);
  if (!a.out.empty()) {
    const auto head = fmt::format(
        "<p class=\"big\">{}</p><p>{}</p>\n<p class=\"soft\">run {}, against {} reference runs of {}; good runs are "
        "rejected at {:.3g} %</p>\n",
        protocols::verdict_badge(check->accepted ? Judgement::kPass : Judgement::kFail), e(check->words),
        e(series->run_id), golden->references.size(), e(a.against), 100 * check->promised);
    const auto made =
        write_plots(a.out, "Golden strokes: " + series->run_id, head, check->plots, plot_with_mark(check->plots));
    if (!made) return refuse(made.error().message);
    fmt::print("{}\n", a.out);
  }
  return check->accepted ? kPass : kFail;
}

int compare_command(const CompareArguments& a) {
  const auto first = series_of(a.first);
  if (!first) return refuse(first.error().message);
  const auto second = series_of(a.second);
  if (!second) return refuse(second.error().message);
  const auto compared = protocols::compare_runs(*first, *second, {.by_time = a.by_time, .bin_mm = a.bin_mm});
  if (!compared) return refuse(compared.error().message);
  for (const auto& note : compared->notes) fmt::print("note: {}\n", note);
  const char* unit = a.by_time ? "s" : "mm";
  std::string rows;
  fmt::print("{:<8} {:<18} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "stroke", "channel", "first", "second", "rms apart",
             "at most", fmt::format("at {}", unit));
  for (const auto& s : compared->strokes) {
    for (const auto& c : s.channels) {
      fmt::print("{:<8} {:<18} {:>10.4g} {:>10.4g} {:>10.3g} {:>+10.3g} {:>10.4g}\n", s.stroke + 1, c.channel,
                 c.first_mean, c.second_mean, c.rms, c.largest, c.largest_at);
      rows += fmt::format(
          "<tr><td>{}</td><td>{} / {}</td><td>{:.4g}</td><td>{:.4g}</td><td>{:.3g}</td><td>{:+.3g}</td>"
          "<td>{:.4g} {}</td></tr>\n",
          s.stroke + 1, c.channel, c.unit, c.first_mean, c.second_mean, c.rms, c.largest, c.largest_at, unit);
    }
    fmt::print("{:<8} {:<18} {:>10.4g} {:>10.4g}\n", s.stroke + 1, "duration", s.first_duration_s, s.second_duration_s);
  }
  if (a.out.empty()) return kPass;
  auto head = fmt::format("<p>{} against {}, by {}</p>\n", e(first->run_id), e(second->run_id),
                          a.by_time ? "time" : "millimetre");
  for (const auto& note : compared->notes) head += fmt::format("<p class=\"soft\">{}</p>\n", e(note));
  head +=
      "<table><thead><tr><th>stroke</th><th>channel</th><th>first</th><th>second</th><th>RMS apart</th>"
      "<th>at most</th><th>there</th></tr></thead><tbody>\n" +
      rows + "</tbody></table>\n";
  const auto made = write_plots(a.out, "Two runs", head, compared->plots, 0);
  if (!made) return refuse(made.error().message);
  fmt::print("{}\n", a.out);
  return kPass;
}

}  // namespace strigil::apps
