// The certificate for people: one file, no script, nothing fetched; looks on paper as on the screen.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/certificate/certificate.hpp"
#include "calibration/certificate/certificate_table.hpp"
#include "calibration/certificate/result_parts.hpp"
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
th:first-child, td:first-child, .words, .text th, .text td { text-align: left; }
tr, svg, li, .keep, .sign { break-inside: avoid; }
.keep, h2 + p { break-after: avoid; }
.budget td:first-child { width: 36%; } .narrow { width: auto; min-width: 60%; }
svg { display: block; width: 100%; height: auto; margin: 2mm 0; }
ol { padding-left: 6mm; } li { margin-bottom: 1.2mm; }
.hash { font-family: "Source Code Pro", "DejaVu Sans Mono", monospace; font-size: 8.5pt; overflow-wrap: anywhere; }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 12mm; margin-top: 10mm; }
.sign div { border-top: 1px solid var(--ink); padding-top: 1mm; }
.end { text-align: center; margin-top: 8mm; color: var(--soft); break-before: avoid; }
@page { size: A4; margin: 16mm 15mm 20mm; @bottom-right { content: "page " counter(page) " of " counter(pages); white-space: nowrap; font-size: 8.5pt; color: #5b6570; } }
@media print { body { max-width: none; margin: 0; padding: 0; } }
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

/// To the tenth: no thermometer or barometer of these knows more.
std::string interval(const std::optional<Interval>& i, const char* unit) {
  if (!i) return "";
  const auto low = fmt::format("{:.1f}", i->low);
  const auto high = fmt::format("{:.1f}", i->high);
  return low == high ? fmt::format("{} {}", low, unit) : fmt::format("{} to {} {}", low, high, unit);
}

bool is_single(const CalibratedQuantity& q) { return q.range.low == q.range.high && q.uncertainty.size() == 1; }

/// As a string in CSS: whatever is no letter, digit or blank by its number.
std::string css_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || byte >= 0x80;
    out += plain || c == ' ' ? std::string(1, c) : fmt::format("\\{:x} ", byte);
  }
  return out;
}

/// Results that are one value each, in one table: no range is told of what has none.
std::string values_of(const Record& r) {
  std::string rows;
  for (std::size_t i = 0; i < r.quantities.size(); ++i) {
    const auto& q = r.quantities[i];
    if (!is_single(q)) continue;
    const auto& p = q.uncertainty.front();
    const auto unit = readable_unit(q.unit, std::max(std::abs(p.value), p.expanded));
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"words\">{}</td><td>{:.2f}</td></tr>\n",
                        e(title_of(q)), rounded(p.value * unit.factor, p.expanded * unit.factor),
                        rounded(p.expanded * unit.factor, p.expanded * unit.factor),
                        e(unit.symbol == "1" ? "" : unit.symbol), coverage_factor_of(r, i));
  }
  if (rows.empty()) return "";
  return "<h2>Results</h2>\n<table><thead><tr><th>quantity</th><th>value</th><th>expanded uncertainty U</th><th "
         "class=\"words\">unit</th><th>k</th></tr></thead><tbody>\n" +
         rows + "</tbody></table>\n";
}

/// A result over its range.
std::string range_of(const Record& r, std::size_t at) {
  const auto& q = r.quantities[at];
  constexpr std::size_t kMostRows = 40;
  const auto n = q.uncertainty.size();
  const std::size_t every = (n + kMostRows - 1) / kMostRows;
  double most = 0;
  for (const auto& p : q.uncertainty) most = std::max(most, p.expanded);
  const auto unit = readable_unit(q.unit, std::max(std::abs(q.range.low), std::abs(q.range.high)));
  const auto small = readable_unit(q.unit, most);
  std::string out = fmt::format(
      "<h2>Results: {}</h2>\n<p>Calibrated from {} to {} {}. Nothing is said outside "
      "this range.{}</p>\n",
      e(title_of(q)), rounded(q.range.low * unit.factor, most * unit.factor),
      rounded(q.range.high * unit.factor, most * unit.factor), e(unit.symbol),
      every > 1 ? fmt::format(" Of {} values every {}th is printed; all are in the JSON and the DCC.", n, every) : "");
  out += fmt::format(
      "<table><thead><tr><th>{} / {}</th><th>expanded uncertainty / {} (k = {:.2f})</th></tr></thead><tbody>\n",
      e(q.quantity), e(unit.symbol), e(small.symbol), coverage_factor_of(r, at));
  for (std::size_t i = 0; i < n; ++i) {
    if (i % every != 0 && i + 1 != n) continue;
    const auto& p = q.uncertainty[i];
    out += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", rounded(p.value * unit.factor, p.expanded * unit.factor),
                       rounded(p.expanded * small.factor, p.expanded * small.factor));
  }
  return out + "</tbody></table>\n";
}

std::string results_of(const Record& r) {
  std::string out = values_of(r);
  for (std::size_t i = 0; i < r.quantities.size(); ++i) {
    if (!is_single(r.quantities[i])) out += range_of(r, i);
  }
  for (const auto& t : r.tables) {
    const bool told = t.name == "results" && t.rows.size() == r.quantities.size();  // k of each stands beside it
    if (!told) out += table_html(t);
  }
  return out;
}

/// How values follow from the coefficients.
std::string formula_of(const Record& r) {
  const auto& f = r.fit;
  if (f.kind == FitKind::kPolynomial) {
    return fmt::format("<p>{} in {} = c<sub>0</sub> + c<sub>1</sub> x + c<sub>2</sub> x<sup>2</sup> + ...</p>\n",
                       e(r.quantities.front().quantity), e(r.quantities.front().unit));
  }
  if (f.kind != FitKind::kMatrix) return "";
  std::string rows;
  for (const auto& q : r.quantities) rows += fmt::format("{}{}", rows.empty() ? "" : ", ", e(q.channel));
  const auto inputs = f.inputs.size();
  return fmt::format(
      "<p>({}) = C x + b. C row by row: c<sub>0</sub> to c<sub>{}</sub> are the first; b is the last {} "
      "coefficients.</p>\n",
      rows, inputs - 1, r.quantities.size());
}

std::string fit_of(const Record& r) {
  const auto& f = r.fit;
  if (f.coefficients.empty()) return "";
  // Constants are the results themselves, which stand above; a verification's figures are none of its quantities.
  const bool told = f.kind == FitKind::kConstants && f.coefficients.size() == r.quantities.size();
  if (told) return "";
  std::string out =
      fmt::format("<h2>{}</h2>\n", f.kind == FitKind::kConstants ? "Figures" : fmt::format("Fit: {}", name_of(f.kind)));
  out += formula_of(r);
  for (const auto& x : f.inputs) {
    const auto counts =
        x.zero_counts == 0 ? std::string("counts") : fmt::format("(counts &minus; {:.10g})", x.zero_counts);
    out += fmt::format("<p>x of {}: {:.10g} &times; {}{}</p>\n", e(x.channel.empty() ? "the indication" : x.channel),
                       x.per_count, counts, x.unit == "1" ? "" : ", in " + e(x.unit));
  }
  const auto n = f.coefficients.size();
  const bool known = f.covariance.size() == n * n;
  const bool constants = f.kind == FitKind::kConstants;
  out += fmt::format("<table><thead><tr><th>{}</th><th>value</th><th>{}</th></tr></thead><tbody>\n",
                     constants ? "figure" : "coefficient", constants ? "unit" : "standard uncertainty");
  for (std::size_t i = 0; i < n; ++i) {
    const auto name = i < f.names.size() ? e(f.names[i]) : fmt::format("c<sub>{}</sub>", i);
    const auto unit = constants ? readable_unit(unit_of_constant(r, i), std::abs(f.coefficients[i])) : ReadableUnit{};
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", name,
        constants ? fmt::format("{:.4g}", f.coefficients[i] * unit.factor) : fmt::format("{:.10g}", f.coefficients[i]),
        constants ? e(unit.symbol == "1" ? "" : unit.symbol)
        : known   ? fmt::format("{:.3g}", std::sqrt(f.covariance[i * n + i]))
                  : "&ndash;");
  }
  out += "</tbody></table>\n";
  if (constants) return out;
  return out + fmt::format("<p>Residual standard deviation {:.3g} {}, {:g} degrees of freedom.</p>\n", f.residual_sd,
                           e(r.quantities.front().unit), f.degrees_of_freedom);
}

std::string budget_of(const BudgetOf& budget, bool drawn) {
  const bool sums = !budget.unit.empty();
  double squares = 0;
  for (const auto& b : budget.shares) squares += b.contribution() * b.contribution();
  const auto unit = readable_unit(budget.unit, std::sqrt(squares));
  const auto shown = unit.symbol == "1" ? std::string() : e(unit.symbol);
  SvgBars bars{"Standard uncertainty of the result by source", unit.symbol == "1" ? "" : unit.symbol, {}};
  std::string rows;
  for (const auto& b : budget.shares) {
    const double u = b.contribution();
    const auto own = readable_unit(b.line.unit, b.line.unit == budget.unit ? std::sqrt(squares) : b.line.standard);
    bars.bars.push_back({b.line.name, u * unit.factor});
    rows += fmt::format("<tr><td>{}</td><td class=\"words\">{}</td><td>{} {}</td><td>{:.3g}</td><td>{}</td>",
                        e(b.line.name), e(b.line.distribution), two_digits(b.line.standard * own.factor),
                        e(own.symbol == "1" ? "" : own.symbol), b.line.sensitivity,
                        b.line.degrees_of_freedom > 0 ? fmt::format("{:.4g}", b.line.degrees_of_freedom) : "&infin;");
    rows += fmt::format("<td>{}{}</td><td>{}</td></tr>\n", two_digits(u * unit.factor), sums ? "" : " " + e(b.unit),
                        sums && squares > 0 ? fmt::format("{:.0f}", 100 * u * u / squares) : "&ndash;");
  }
  auto out = fmt::format("<div class=\"keep\"><h2>Uncertainty budget{}{}</h2>\n", budget.title.empty() ? "" : ": ",
                         e(budget.title));
  if (drawn && sums) out += to_svg(bars);
  out += fmt::format(
      "</div><table class=\"budget\"><thead><tr><th>source</th><th class=\"words\">distribution</th><th>standard "
      "uncertainty</th><th>sensitivity</th><th>degrees of freedom</th><th>contribution{}</th><th>share / "
      "%</th></tr></thead><tbody>\n{}",
      shown.empty() ? "" : " / " + shown, rows);
  if (sums) {
    out +=
        fmt::format("<tr><td colspan=\"5\"><b>combined standard uncertainty</b></td><td><b>{}</b></td><td></td></tr>\n",
                    two_digits(std::sqrt(squares) * unit.factor));
  }
  return out + "</tbody></table>\n";
}

std::string budgets_html(const Record& r) {
  std::string out;
  const auto budgets = budgets_of(r);
  constexpr std::size_t kMostDrawn = 4;  // of more the shares are enough
  for (const auto& b : budgets) out += budget_of(b, budgets.size() <= kMostDrawn);
  return out;
}

std::string traceability_of(const Record& r) {
  std::string out =
      "<h2>Traceability</h2>\n<table "
      "class=\"text\"><thead><tr><th>reference</th><th>serial</th><th>certificate</th><th>laboratory</"
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

/// What stands at the foot of every page: whose it is.
std::string foot(const Certificate& c) {
  return fmt::format(
      "@page {{ @bottom-left {{ content: \"Calibration certificate {} of {}\"; white-space: nowrap; font-size: 8.5pt; "
      "color: #5b6570; }} "
      "}}\n",
      css_text(c.record.id), css_text(c.head.laboratory.name));
}

}  // namespace

std::string to_html(const Certificate& c) {
  const auto& r = c.record;
  const auto& h = c.head;
  const auto& k = r.conditions;
  std::string s = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Calibration certificate {0}</title>\n"
      "<style>{1}</style></head><body>\n"
      "<header><div>{2}{3}</div><div class=\"soft small\">Certificate<br><span "
      "class=\"number\">{0}</span></div></header>\n"
      "<h1>Calibration certificate</h1>\n<p class=\"number\">{0}</p>\n",
      e(r.id), std::string(kStyle) + foot(c) + svg_style(), place(h.laboratory),
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
  s += results_of(r) + fit_of(r) + budgets_html(r) + traceability_of(r);
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
