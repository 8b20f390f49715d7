// The report for people: on the first screen what was decided, how sure that is, and of whom; below it the evidence.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/certificate/xml_text.hpp"
#include "protocols/report/court_report_files.hpp"
#include "protocols/report/page_style.hpp"
#include "protocols/report/report_words.hpp"

namespace strigil::protocols {
namespace {

constexpr std::size_t kColumnsOnTop = 6;
constexpr std::size_t kReasonsOnTop = 5;
constexpr std::size_t kMeasureColumns = 8;
constexpr std::size_t kRangesOpen = 12;
constexpr std::size_t kShortWord = 24;  // letters of a factor's level that stay on one line

std::string e(std::string_view text) { return calibration::xml_escaped(text); }

/// `html` as a link to its evidence, where it has any.
std::string linked(std::string html, std::size_t evidence) {
  return evidence == kNoEvidence ? html : fmt::format("<a href=\"#e{}\">{}</a>", evidence, html);
}

const char* class_of(MetricStatus status) {
  switch (status) {
    case MetricStatus::kMet:
    case MetricStatus::kMarginal:
      return "met";
    case MetricStatus::kMissed:
      return "missed";
    case MetricStatus::kNoLimit:
      return "";
    default:
      return "open";
  }
}

std::string status_of_metric(const Metric& m) {
  constexpr const char* kSigns[] = {"", "\u2713 ", "\u2713~ ", "? ", "\u2717 ", "? "};
  if (m.status == MetricStatus::kNoLimit) return "";
  return fmt::format("<span class=\"{}\">{}{}</span>", class_of(m.status), kSigns[static_cast<std::size_t>(m.status)],
                     name_of(m.status));
}

std::string number_of(const Metric& m) {
  const auto unit = m.unit.empty() || std::isnan(m.value) ? "" : " " + e(m.unit);
  return linked(value_in_words(m) + unit, m.evidence);
}

std::string small(const std::string& html) {
  return html.empty() ? "" : fmt::format("<span class=\"small soft\">{}</span>", html);
}

/// Names of metrics of all sections, those held against a limit first, each once.
std::vector<std::string> column_names(const std::vector<ReportSection>& sections, std::size_t most) {
  std::vector<std::string> out;
  for (const bool limited : {true, false}) {
    for (const auto& s : sections) {
      for (const auto& m : s.metrics) {
        if ((m.lower_limit || m.upper_limit) != limited || out.size() == most) continue;
        if (std::find(out.begin(), out.end(), m.name) == out.end()) out.push_back(m.name);
      }
    }
  }
  return out;
}

const Metric* find(const std::vector<Metric>& metrics, const std::string& name) {
  const auto at = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& m) { return m.name == name; });
  return at == metrics.end() ? nullptr : &*at;
}

std::string cell_of(const Metric* m, bool with_limits) {
  if (m == nullptr) return "<td class=\"soft\">\u2013</td>";
  auto below = interval_in_words(*m);
  if (with_limits && !limits_in_words(*m).empty()) below += (below.empty() ? "" : "; ") + e(limits_in_words(*m));
  const auto status = status_of_metric(*m);
  return fmt::format("<td class=\"nowrap\">{}{}{}</td>", number_of(*m), status.empty() ? "" : " " + status,
                     small(below));
}

/// The limits of a column where all its numbers have the same; nothing otherwise.
std::optional<std::string> shared_limits(const std::vector<ReportSection>& sections, const std::string& name) {
  std::optional<std::string> out;
  for (const auto& s : sections) {
    const auto* m = find(s.metrics, name);
    if (m == nullptr) continue;
    if (out && *out != limits_in_words(*m)) return std::nullopt;
    out = limits_in_words(*m);
  }
  return out;
}

std::string detector_table(const CourtReport& r) {
  if (r.detectors.empty()) return "";
  const auto names = column_names(r.detectors, kColumnsOnTop);
  std::string out = "<h2>Detectors</h2>\n<div class=\"wide\"><table><thead><tr><th>detector</th><th>verdict</th>";
  std::vector<bool> own_limits;
  for (const auto& n : names) {
    const auto limits = shared_limits(r.detectors, n);
    own_limits.push_back(!limits);
    out += fmt::format("<th>{}{}</th>", e(n), small(limits ? e(*limits) : "limits below"));
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t d = 0; d < r.detectors.size(); ++d) {
    const auto& s = r.detectors[d];
    const auto flags = std::count_if(r.flags.begin(), r.flags.end(), [&](const Flag& f) { return f.who == s.name; });
    out += fmt::format("<tr><td><a href=\"#d{}\">{}</a>{}</td><td>{}</td>", d, e(s.name),
                       flags > 0 ? "<span class=\"small missed\">\u2691 flagged</span>" : "",
                       s.verdict ? verdict_badge(*s.verdict) : "");
    for (std::size_t i = 0; i < names.size(); ++i) out += cell_of(find(s.metrics, names[i]), own_limits[i]);
    out += "</tr>\n";
  }
  double level = 0.95;
  for (const auto& s : r.detectors) {
    for (const auto& m : s.metrics) level = m.interval.known() ? m.interval.level : level;
  }
  return out + fmt::format(
                   "</tbody></table></div>\n<p class=\"small soft\">Below each number its {:g} % interval. Every "
                   "number leads to the evidence it rests on.</p>\n",
                   100 * level);
}

std::string metric_table(const std::vector<Metric>& metrics) {
  if (metrics.empty()) return "";
  std::string out =
      "<div class=\"wide\"><table><thead><tr><th>quantity</th><th>value</th><th>interval</th><th>limit</th><th></th>"
      "<th>how</th></tr></thead><tbody>\n";
  for (const auto& m : metrics) {
    const auto interval = interval_in_words(m);
    out += fmt::format(
        "<tr><td>{}</td><td class=\"nowrap\">{}</td><td class=\"nowrap\">{}</td><td>{}</td><td class=\"nowrap\">{}"
        "</td><td class=\"words soft\">{}</td></tr>\n",
        e(m.name), number_of(m), interval.empty() ? "" : fmt::format("{} ({:g} %)", interval, 100 * m.interval.level),
        e(limits_in_words(m)), status_of_metric(m), e(m.words));
  }
  return out + "</tbody></table></div>\n";
}

std::string plots_of(const std::vector<calibration::SvgPlot>& plots) {
  if (plots.empty()) return "";
  std::string out = "<div class=\"plots\">\n";
  for (const auto& p : plots) out += calibration::to_svg(p);
  return out + "</div>\n";
}

std::string sections_of(const std::vector<ReportSection>& sections, const char* title, char anchor) {
  if (sections.empty()) return "";
  std::string out = fmt::format("<h2>{}</h2>\n", title);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto& s = sections[i];
    out +=
        fmt::format("<h3 id=\"{}{}\">{} {}</h3>\n", anchor, i, e(s.name), s.verdict ? verdict_badge(*s.verdict) : "");
    if (!s.about.empty()) out += fmt::format("<p class=\"soft\">{}</p>\n", e(s.about));
    out += metric_table(s.metrics) + plots_of(s.plots);
  }
  return out;
}

std::string flags_of(const CourtReport& r) {
  if (r.flags.empty()) return "";
  std::string out = "<div class=\"flags\">\n";
  for (const auto& f : r.flags) {
    out += fmt::format("<p><b>\u2691 {}: {}</b> \u2013 {}</p>\n", e(f.who), linked(e(f.name), f.evidence),
                       e(f.evidence_words));
  }
  return out + "</div>\n";
}

std::string summary_of(const CourtReport& r) {
  const auto n = count_trials(r);
  std::string out = fmt::format(
      "<div class=\"top\"><div><h1>{}</h1><p class=\"soft\">suite {}</p></div><div class=\"meta small soft\">{}{}{}<br>"
      "Strigil {}, seed {}</div></div>\n",
      e(r.title), e(r.suite), e(r.began), r.ended.empty() ? "" : " \u2013 ", e(r.ended), e(r.software), r.seed);
  out += fmt::format("<div class=\"summary\"><div class=\"big\">{}<ol class=\"reasons\">\n", verdict_badge(r.verdict));
  for (std::size_t i = 0; i < std::min(r.reasons.size(), kReasonsOnTop); ++i) {
    const auto& reason = r.reasons[i];
    const auto weight = reason.weight == Judgement::kPass ? std::string_view("note") : name_of(reason.weight);
    out +=
        fmt::format("<li><span class=\"soft\">{}:</span> {}</li>\n", weight, linked(e(reason.text), reason.evidence));
  }
  out += "</ol>\n";
  if (r.reasons.size() > kReasonsOnTop) {
    out += fmt::format("<p class=\"small\"><a href=\"#reasons\">{} more</a></p>\n", r.reasons.size() - kReasonsOnTop);
  }
  out += "</div><div class=\"counts\">";
  const std::pair<std::size_t, const char*> counts[] = {{n.planned, "planned"}, {n.done, "done"},
                                                        {n.passed, "passed"},   {n.failed, "failed"},
                                                        {n.invalid, "invalid"}, {n.left, "left"}};
  for (const auto& [count, name] : counts) {
    out += fmt::format("<div><b>{}</b><span class=\"soft small\">{}</span></div>", count, name);
  }
  return out + "</div></div>\n" + flags_of(r);
}

std::string reasons_of(const CourtReport& r) {
  if (r.reasons.size() <= kReasonsOnTop) return "";
  std::string out = "<h2 id=\"reasons\">All reasons</h2>\n<ol>\n";
  for (const auto& reason : r.reasons) {
    out += fmt::format("<li>{}: {}</li>\n", name_of(reason.weight), linked(e(reason.text), reason.evidence));
  }
  return out + "</ol>\n";
}

std::string baseline_of(const CourtReport& r) {
  if (!r.baseline) return "";
  std::string out = fmt::format(
      "<h2>Against the baseline</h2>\n<p class=\"soft\">{}</p>\n<div class=\"wide\"><table><thead><tr><th>quantity</th>"
      "<th>before</th><th>now</th><th>difference</th><th></th><th></th></tr></thead><tbody>\n",
      e(r.baseline_origin));
  for (const auto& c : r.baseline->changes) {
    Metric difference;
    difference.value = c.difference;
    difference.interval = c.interval;
    const bool bad = c.change == Change::kWorse || c.change == Change::kMissing;
    const auto interval = interval_in_words(difference);
    out += fmt::format(
        "<tr><td>{}</td><td>{:.4g}</td><td>{:.4g}</td><td class=\"nowrap\">{}{}</td><td class=\"nowrap {}\">{}{}</td>"
        "<td class=\"words soft\">{}</td></tr>\n",
        e(c.name), c.before, c.now, value_in_words(difference), small(interval), bad ? "missed" : "",
        bad ? "\u2717 " : "", name_of(c.change), e(c.words));
  }
  return out + "</tbody></table></div>\n";
}

/// Names of the trials' measures in the order of first appearance.
std::vector<std::string> measure_names(const CourtReport& r) {
  std::vector<std::string> out;
  for (const auto& t : r.trials) {
    for (const auto& m : t.measures) {
      if (std::find(out.begin(), out.end(), m.name) == out.end()) out.push_back(m.name);
      if (out.size() > kMeasureColumns) return out;
    }
  }
  return out;
}

std::string run_link(const std::string& run) {
  const auto address = address_of(run);
  return address.empty() ? e(run) : fmt::format("<a href=\"{}\">{}</a>", address, e(run));
}

std::string trials_of(const CourtReport& r) {
  if (r.trials.empty()) return "";
  auto names = measure_names(r);
  std::string out = "<h2>Trials</h2>\n";
  if (names.size() > kMeasureColumns) {
    names.resize(kMeasureColumns);
    out += fmt::format("<p class=\"soft small\">The first {} measures; the JSON file beside this has all.</p>\n",
                       kMeasureColumns);
  }
  out += "<div class=\"wide\"><table><thead><tr><th>trial</th>";
  for (const auto& [factor, level] : r.trials.front().factors) out += fmt::format("<th>{}</th>", e(factor));
  out += "<th>verdict</th>";
  for (const auto& n : names) out += fmt::format("<th>{}</th>", e(n));
  out += "<th>run</th><th>reasons</th></tr></thead><tbody>\n";
  for (const auto& t : r.trials) {
    out += fmt::format("<tr><td class=\"nowrap\">{}</td>", linked(e(t.id), t.evidence));
    for (const auto& [factor, level] : t.factors) {
      const bool short_word = level.size() <= kShortWord;
      out += fmt::format("<td{}>{}</td>", short_word ? " class=\"nowrap\"" : "", e(level));
    }
    const auto verdict = t.state == TrialState::kLeft
                             ? std::string("<span class=\"soft\">left</span>")
                             : verdict_badge(t.state == TrialState::kInvalid ? Judgement::kInvalid : t.verdict);
    out += fmt::format("<td class=\"nowrap\">{}{}</td>", verdict,
                       t.attempts > 1 ? small(fmt::format("attempt {}", t.attempts)) : "");
    for (const auto& n : names) out += cell_of(find(t.measures, n), true);
    std::string reasons;
    for (const auto& reason : t.reasons) reasons += (reasons.empty() ? "" : "<br>") + e(reason);
    out += fmt::format("<td class=\"nowrap\">{}</td><td class=\"{}\">{}</td></tr>\n", run_link(t.run),
                       reasons.empty() ? "" : "words", reasons);
  }
  return out + "</tbody></table></div>\n";
}

std::string evidence_of(const CourtReport& r) {
  if (r.evidence.empty()) return "";
  std::string out =
      "<h2>Evidence</h2>\n<p class=\"soft\">Run file, stream and channel, and rows of the stream's counts (docs/"
      "run_file.md), both ends included.</p>\n";
  for (std::size_t i = 0; i < r.evidence.size(); ++i) {
    const auto& set = r.evidence[i];
    out += fmt::format(
        "<details id=\"e{}\"{}><summary>{} <span class=\"soft\">({} ranges)</span></summary>\n<table><thead><tr>"
        "<th>run</th><th>stream / channel</th><th>rows</th><th></th></tr></thead><tbody>\n",
        i, set.ranges.size() <= kRangesOpen ? " open" : "", e(set.name), set.ranges.size());
    for (const auto& range : set.ranges) {
      const auto channel = range.channel.empty() ? "" : "/" + e(range.channel);
      out += fmt::format("<tr><td>{}</td><td>{}{}</td><td class=\"nowrap\">{}</td><td>{}</td></tr>\n",
                         run_link(range.run), e(range.stream), channel,
                         range.stream.empty() ? std::string("all") : fmt::format("{} to {}", range.first, range.last),
                         e(range.what));
    }
    out += "</tbody></table></details>\n";
  }
  return out;
}

}  // namespace

std::string to_html(const CourtReport& r) {
  auto body = summary_of(r) + detector_table(r) + baseline_of(r) + sections_of(r.comparisons, "Comparisons", 'c');
  if (!r.plots.empty()) body += "<h2>The campaign</h2>\n" + plots_of(r.plots);
  body += sections_of(r.detectors, "Each detector", 'd') + sections_of(r.studies, "Studies", 's');
  body += reasons_of(r) + trials_of(r) + evidence_of(r);
  return html_page(r.title, body);
}

}  // namespace strigil::protocols
