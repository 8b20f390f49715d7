// The certificate for people: one file, no script, nothing fetched; looks on paper as on the screen.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibration/certificate/certificate.hpp"
#include "calibration/certificate/svg_plot.hpp"
#include "calibration/certificate/xml_text.hpp"
#include "calibration/record/calendar.hpp"

namespace strigil::calibration {
namespace {

constexpr const char* kStyle = R"(
:root { --ink: #1b1f24; --soft: #5b6570; --rule: #cfd5db; --blue: #1f5f99; }
* { box-sizing: border-box; }
body { font: 10.5pt/1.45 "Source Sans 3", "Noto Sans", Helvetica, Arial, sans-serif; color: var(--ink); max-width: 180mm; margin: 12mm auto; padding: 0 6mm; }
header { display: flex; justify-content: space-between; gap: 10mm; border-bottom: 2px solid var(--blue); padding-bottom: 4mm; }
h1 { font-size: 20pt; margin: 6mm 0 1mm; letter-spacing: .01em; }
h2 { font-size: 12.5pt; margin: 8mm 0 2mm; color: var(--blue); break-after: avoid; }
p { margin: 0 0 2mm; }
.number { font-size: 13pt; font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); }
.small { font-size: 9pt; }
dl { display: grid; grid-template-columns: 46mm 1fr; gap: 1mm 4mm; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; margin: 2mm 0; font-variant-numeric: tabular-nums; font-size: 9.5pt; }
th { text-align: right; font-weight: 600; border-bottom: 1px solid var(--ink); padding: 1mm 2mm; vertical-align: bottom; }
td { text-align: right; border-bottom: 1px solid var(--rule); padding: .8mm 2mm; }
th:first-child, td:first-child { text-align: left; }
tr, svg, li, .keep { break-inside: avoid; }
svg { width: 100%; height: auto; margin: 2mm 0; }
ol { padding-left: 6mm; } li { margin-bottom: 1.2mm; }
.hash { font-family: "Source Code Pro", "DejaVu Sans Mono", monospace; font-size: 8.5pt; overflow-wrap: anywhere; }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 12mm; margin-top: 10mm; }
.sign div { border-top: 1px solid var(--ink); padding-top: 1mm; }
.end { text-align: center; margin-top: 8mm; color: var(--soft); }
footer { display: none; }
@page { size: A4; margin: 16mm 15mm 20mm; @bottom-right { content: "page " counter(page) " of " counter(pages); font-size: 8.5pt; color: #5b6570; } }
@media print {
  body { max-width: none; margin: 0; padding: 0; }
  footer { display: block; position: fixed; bottom: -9mm; left: 0; font-size: 8.5pt; color: #5b6570; }
}
)";

std::string e(std::string_view text) { return xml_escaped(text); }

std::string place(const Contact& c) {
  std::string out = e(c.name);
  const auto line = [&](const std::string& text) {
    if (!text.empty()) out += "<br>" + e(text);
  };
  line(c.street);
  line(c.post_code.empty() ? c.city : c.post_code + " " + c.city);
  line(c.country_code);
  line(c.phone);
  line(c.email);
  return out;
}

std::string row(std::string_view term, std::string_view said) {
  return said.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>\n", e(term), e(said));
}

std::string interval(const std::optional<Interval>& i, const char* unit) {
  return i ? fmt::format("{:g} to {:g} {}", i->low, i->high, unit) : "";
}

/// The value to the place that the second digit of its uncertainty stands at (ISO 80000-1; metrology.md 4.1).
std::string rounded(double value, double expanded) {
  if (!(expanded > 0) || !std::isfinite(value)) return fmt::format("{:.6g}", value);
  const int places = std::clamp(1 - static_cast<int>(std::floor(std::log10(expanded))), 0, 12);
  return fmt::format("{:.{}f}", value, places);
}

std::string table_of(const DataTable& t) {
  std::string out = "<table><thead><tr>";
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    auto name = t.columns[c];
    std::replace(name.begin(), name.end(), '_', ' ');
    out +=
        fmt::format("<th>{}<br><span class=\"soft\">{}</span></th>", e(name), e(t.units[c] == "1" ? "" : t.units[c]));
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& r : t.rows) {
    out += "<tr>";
    for (const double v : r) out += fmt::format("<td>{:.9g}</td>", v);  // counts whole
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::vector<double> column(const DataTable& t, std::string_view name) {
  const auto at = std::find(t.columns.begin(), t.columns.end(), name);
  std::vector<double> out;
  if (at == t.columns.end()) return out;
  for (const auto& r : t.rows) out.push_back(r[static_cast<std::size_t>(at - t.columns.begin())]);
  return out;
}

/// Fit and residuals of the table "points".
std::string plots_of(const DataTable& t) {
  const auto reference = column(t, "reference");
  const auto indication = column(t, "indication");
  const auto fitted = column(t, "fitted");
  if (reference.empty() || indication.empty() || fitted.empty()) return "";
  const auto unit_of = [&](std::string_view name) {
    const auto& u =
        t.units[static_cast<std::size_t>(std::find(t.columns.begin(), t.columns.end(), name) - t.columns.begin())];
    return u == "1" ? std::string("counts") : u;
  };
  std::vector<std::size_t> order(reference.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return indication[a] < indication[b]; });
  SvgPlot::Series line;
  line.kind = SvgKind::kLine;
  for (const auto i : order) line.x.push_back(indication[i]), line.y.push_back(fitted[i]);
  SvgPlot fit{"Fit: reference values (points) and fitted values (line)", "indication / " + unit_of("indication"),
              "value / " + unit_of("reference")};
  SvgPlot::Series points;
  points.x = indication, points.y = reference;
  fit.series = {points, line};
  SvgPlot off{"Residuals: fitted value minus reference, with expanded uncertainty",
              "reference / " + unit_of("reference"), "residual / " + unit_of("reference")};
  off.zero_line = true;
  auto& residuals = off.series.emplace_back();
  const auto expanded = column(t, "expanded_uncertainty");
  for (std::size_t i = 0; i < reference.size(); ++i) {
    residuals.x.push_back(reference[i]);
    residuals.y.push_back(fitted[i] - reference[i]);
    if (i >= expanded.size()) continue;
    residuals.low.push_back(residuals.y.back() - expanded[i]);
    residuals.high.push_back(residuals.y.back() + expanded[i]);
  }
  return to_svg(fit) + to_svg(off);
}

std::string results_of(const Record& r) {
  std::string out;
  for (const auto& q : r.quantities) {
    out += fmt::format(
        "<h2>Results: {}</h2>\n<p>Calibrated from {:g} to {:g} {}. Nothing is said outside this range.</p>\n",
        e(title_of(q)), q.range.low, q.range.high, e(q.unit));
    out += fmt::format(
        "<table><thead><tr><th>{} / {}</th><th>expanded uncertainty / {} (k = {:g})</th></tr></thead><tbody>\n",
        e(q.quantity), e(q.unit), e(q.unit), r.coverage_factor);
    for (const auto& p : q.uncertainty) {
      out += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", rounded(p.value, p.expanded),
                         rounded(p.expanded, p.expanded));
    }
    out += "</tbody></table>\n";
  }
  for (const auto& t : r.tables) {
    out += t.name == "points" ? "<h2>Calibration points</h2>\n" + plots_of(t) : fmt::format("<h2>{}</h2>\n", e(t.name));
    out += table_of(t);
  }
  return out;
}

std::string fit_of(const Record& r) {
  const auto& f = r.fit;
  if (f.coefficients.empty()) return "";
  std::string out = fmt::format("<h2>Fit: {}</h2>\n", name_of(f.kind));
  for (const auto& x : f.inputs) {
    out += fmt::format("<p>x of {}: {:.10g} &times; (counts &minus; {:g}){}</p>\n",
                       e(x.channel.empty() ? "the indication" : x.channel), x.per_count, x.zero_counts,
                       x.unit == "1" ? "" : ", in " + e(x.unit));
  }
  const auto n = f.coefficients.size();
  out += "<table><thead><tr><th>coefficient</th><th>value</th><th>standard uncertainty</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < n; ++i) {
    const bool known = f.covariance.size() == n * n;
    out += fmt::format("<tr><td>{}</td><td>{:.10g}</td><td>{}</td></tr>\n",
                       i < f.names.size() ? e(f.names[i]) : fmt::format("c<sub>{}</sub>", i), f.coefficients[i],
                       known ? fmt::format("{:.3g}", std::sqrt(f.covariance[i * n + i])) : "&ndash;");
  }
  return out + fmt::format("</tbody></table>\n<p>Residual standard deviation {:.3g} {}, {:g} degrees of freedom.</p>\n",
                           f.residual_sd, e(r.quantities.front().unit), f.degrees_of_freedom);
}

std::string budget_of(const Record& r) {
  if (r.budget.empty()) return "";
  const auto& unit = r.quantities.front().unit;
  SvgBars bars{"Standard uncertainty of the result by source", unit, {}};
  double squares = 0;
  std::string rows;
  for (const auto& b : r.budget) {
    const double u = std::abs(b.standard * b.sensitivity);
    squares += u * u;
    bars.bars.push_back({b.name, u});
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{:.3g} {}</td><td>{:.3g}</td><td>{}</td><td>{:.3g}</td></tr>\n",
                        e(b.name), e(b.distribution), b.standard, e(b.unit), b.sensitivity,
                        b.degrees_of_freedom > 0 ? fmt::format("{:g}", b.degrees_of_freedom) : "&infin;", u);
  }
  return fmt::format(
      "<div class=\"keep\"><h2>Uncertainty "
      "budget</h2>\n{}</div><table><thead><tr><th>source</th><th>distribution</th><th>standard "
      "uncertainty</th><th>sensitivity</th><th>degrees of freedom</th><th>contribution / "
      "{}</th></tr></thead><tbody>\n{}"
      "<tr><td><b>root of the sum of squares</b></td><td></td><td></td><td></td><td></td><td><b>{:.3g}</b></td></tr>\n"
      "</tbody></table>\n",
      to_svg(bars), e(unit), rows, std::sqrt(squares));
}

std::string traceability_of(const Record& r) {
  std::string out =
      "<h2>Traceability</h2>\n<table><thead><tr><th>reference</th><th>serial</th><th>certificate</th><th>laboratory</"
      "th>"
      "<th>uncertainty</th></tr></thead><tbody>\n";
  for (const auto& t : r.traceability) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td></tr>\n", e(t.what), e(t.serial),
                       e(t.certificate),
                       t.certificate_sha256.empty()
                           ? ""
                           : fmt::format("<br><span class=\"hash\">{:.16}&hellip;</span>", t.certificate_sha256),
                       e(t.laboratory), e(t.uncertainty));
  }
  return out + "</tbody></table>\n";
}

}  // namespace

std::string to_html(const Certificate& c) {
  const auto& r = c.record;
  const auto& h = c.head;
  const auto& k = r.conditions;
  std::string s = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Calibration certificate {0}</title>\n"
      "<style>{1}</style></head><body>\n<footer>Calibration certificate {0} of {2}</footer>\n"
      "<header><div>{3}{4}</div><div class=\"soft small\">Certificate<br><span "
      "class=\"number\">{0}</span></div></header>\n"
      "<h1>Calibration certificate</h1>\n<p class=\"number\">{0}</p>\n",
      e(r.id), std::string(kStyle) + svg_style(), e(h.laboratory.name), place(h.laboratory),
      h.accreditation.empty() ? "" : "<br>accreditation " + e(h.accreditation));
  s += "<h2>Item, customer and method</h2>\n<dl>\n" +
       row("Item", fmt::format("{} {}", r.instrument.make, r.instrument.model)) +
       row("Serial number", r.instrument.serial) + row("Condition", h.item_condition) +
       fmt::format("<dt>Customer</dt><dd>{}</dd>\n", place(h.customer)) + row("Method", method_of(r)) +
       row("Gain", r.setting.gain) + row("Filter", r.setting.filter) + row("Mounting", r.setting.mounting) +
       row("Sample rate", r.setting.rate_Hz > 0 ? fmt::format("{:g} Hz", r.setting.rate_Hz) : "") +
       row("Received", h.received ? date_of(*h.received) : "") +
       row("Performed", date_of(r.performed_from) == date_of(r.performed_until)
                            ? date_of(r.performed_from)
                            : date_of(r.performed_from) + " to " + date_of(r.performed_until)) +
       row("Place", h.location == "laboratory" ? "the laboratory's own rooms" : h.location) +
       row("Issued", date_of(r.issued)) + row("Temperature", interval(k.temperature_C, "\u00b0C")) +
       row("Relative humidity", interval(k.humidity_percent, "%")) +
       row("Air pressure", interval(k.pressure_kPa, "kPa")) +
       row("Holds in use at", interval(k.use_temperature_C, "\u00b0C")) + row("Notes", k.notes) + "</dl>\n";
  s += results_of(r) + fit_of(r) + budget_of(r) + traceability_of(r);
  s += "<h2>Statements</h2>\n<ol>\n";
  for (const auto& text : statements_of(c)) s += fmt::format("<li>{}</li>\n", e(text));
  s += "</ol>\n";
  s += fmt::format(
      "<div class=\"sign\"><div>{}<br><span class=\"soft\">{}</span></div><div>{}<br><span "
      "class=\"soft\">operator</span></div></div>\n",
      e(h.authorised_by), e(h.authorised_role.empty() ? "authorised" : h.authorised_role), e(r.operator_name));
  s += fmt::format(
      "<h2>Evidence</h2>\n<p>Calibration record {}, made by Strigil {}. SHA-256<br><span "
      "class=\"hash\">{}</span></p>\n",
      e(r.id), e(r.software), e(c.record_hash));
  for (const auto& f : r.raw)
    s += fmt::format("<p class=\"small\">Raw data {}<br><span class=\"hash\">{}</span></p>\n", e(f.file), f.sha256);
  s += fmt::format("<p class=\"end\">&mdash; End of certificate {} &mdash;</p>\n</body></html>\n", e(r.id));
  return s;
}

}  // namespace strigil::calibration
