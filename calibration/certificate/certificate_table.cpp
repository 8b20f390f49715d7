#include "calibration/certificate/certificate_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "calibration/certificate/svg_plot.hpp"
#include "calibration/certificate/xml_text.hpp"

namespace strigil::calibration {
namespace {

using Column = std::vector<double>;

constexpr std::size_t kLongest = 80;  // rows that are printed whole
constexpr std::size_t kSampled = 40;  // of a longer table about so many
constexpr double kPercent = 1e-2;

/// How a table of the procedures is headed; a name that ends in '_' is followed by an axis or channel.
struct Heading {
  std::string_view name;
  std::string_view words;
};
constexpr std::array kHeadings{Heading{"points", "Calibration points"},
                               Heading{"results", "Results with their degrees of freedom"},
                               Heading{"iso376", "Figures after ISO 376"},
                               Heading{"astm_e74", "Figures after ASTM E74"},
                               Heading{"iso7500_1", "As a testing machine, after ISO 7500-1"},
                               Heading{"iso230_2_", "Figures after ISO 230-2, axis "},
                               Heading{"targets_", "Deviations at the targets, axis "},
                               Heading{"error_map_", "Error map, axis "},
                               Heading{"response_", "Frequency response, "},
                               Heading{"linearity_", "Linearity, "},
                               Heading{"chirp_", "Chirp, "}};

std::string heading_of(const std::string& name) {
  for (const auto& h : kHeadings) {
    const bool open = h.name.back() == '_';
    if (open ? name.starts_with(h.name) : name == h.name) return std::string(h.words) + name.substr(h.name.size());
  }
  auto words = name;
  std::replace(words.begin(), words.end(), '_', ' ');
  if (!words.empty() && words[0] >= 'a' && words[0] <= 'z') words[0] = static_cast<char>(words[0] - 'a' + 'A');
  return words;
}

std::string words_of(std::string column) {
  if (column == "b_prime") return "b'";
  if (column.starts_with("U_")) return fmt::format("U({})", column.substr(2));
  std::replace(column.begin(), column.end(), '_', ' ');
  return column;
}

Column column(const DataTable& t, std::string_view name) {
  const auto at = std::find(t.columns.begin(), t.columns.end(), name);
  Column out;
  if (at == t.columns.end()) return out;
  for (const auto& r : t.rows) out.push_back(r[static_cast<std::size_t>(at - t.columns.begin())]);
  return out;
}

double most_of(const Column& c) {
  double most = 0;
  for (const double v : c) {
    if (std::isfinite(v)) most = std::max(most, std::abs(v));
  }
  return most;
}

/// What is plotted of a table: columns over its first one.
struct Plot {
  std::string_view table;  ///< its name; ends in '_': its beginning
  std::string_view title;
  bool x_log;
  std::array<std::string_view, 2> columns;  ///< the second may be empty
  std::string_view expanded;                ///< of the first column, in its unit or in % of it; empty: none
};
constexpr std::array kPlots{
    Plot{"error_map_",
         "True position less the count, rising and falling",
         false,
         {"rising", "falling"},
         "expanded_uncertainty"},
    Plot{"targets_", "Mean deviation at the targets", false, {"mean_forward", "mean_backward"}, ""},
    Plot{"response_", "What the sensor indicates of what there is", true, {"sensitivity", ""}, "expanded_uncertainty"},
    Plot{"linearity_", "Deviation over the amplitude", false, {"deviation", ""}, ""},
    Plot{"chirp_", "What the sensor indicates of what there is, by the chirp", true, {"H1", ""}, ""},
    Plot{"creep", "Reading under the largest load", false, {"reading", ""}, ""},
    Plot{"iso7500_1", "Error q of the indicated force, mean of the series, with its U", false, {"q", ""}, "U_q"},
    Plot{"transmissibility",
         "Transmissibility over frequency, by sweeps and by taps",
         true,
         {"magnitude_sweep", "magnitude_tap"},
         "expanded_uncertainty_sweep"}};

class TableWriter {
 public:
  explicit TableWriter(const DataTable& t) : t_(t) {
    for (std::size_t c = 0; c < t.columns.size(); ++c) {
      columns_.push_back(column(t, t.columns[c]));
      units_.push_back(readable_unit(t.units[c], most_of(columns_.back())));
      decimals_.push_back(decimals_of(c));
    }
    round_by_uncertainty();
  }

  std::string run() {
    std::string out = fmt::format("<h2>{}</h2>\n", xml_escaped(heading_of(t_.name)));
    out += t_.name == "points" ? fit_plots() : known_plot();
    return out + (t_.rows.size() == 1 ? figures() : rows());
  }

 private:
  /// Decimals of a column; nothing: as short as the number is.
  [[nodiscard]] std::optional<int> decimals_of(std::size_t c) const {
    const double most = most_of(columns_[c]) * units_[c].factor;
    const bool whole = units_[c].factor == 1 &&
                       std::all_of(columns_[c].begin(), columns_[c].end(), [](double v) { return v == std::round(v); });
    if (whole && most < 1e12) return 0;
    constexpr int kNanometre = 3;
    if (units_[c].factor > 1 && most < 1e-6) return kNanometre;
    if (!(most > 0) || most >= 1e7 || most < 1e-6) return std::nullopt;
    // Six digits of the largest, four of what is relative or an uncertainty: more no judgement rests on.
    const auto& name = t_.columns[c];
    const bool small = t_.units[c] == "%" || name.find("uncertainty") != std::string::npos || name.starts_with("s_");
    const int digits = small ? 4 : 6;
    return std::clamp(digits - 1 - static_cast<int>(std::floor(std::log10(most))), 0,
                      units_[c].factor > 1 ? kNanometre : 9);
  }

  /// Values beside their own uncertainty end at the second digit of the smallest one.
  void round_by_uncertainty() {
    const auto found = std::find(t_.columns.begin(), t_.columns.end(), "expanded_uncertainty");
    if (found == t_.columns.end()) return;
    const auto u = static_cast<std::size_t>(found - t_.columns.begin());
    double least = 0;
    for (const double v : columns_[u]) {
      if (v > 0 && (least == 0 || v < least)) least = v;
    }
    if (!(least > 0)) return;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const bool beside = t_.name == "points" && t_.units[c] == t_.units[u];
      if (c != u && !beside) continue;
      const int places = 1 - static_cast<int>(std::floor(std::log10(least * units_[c].factor)));
      decimals_[c] = std::clamp(places, 0, 12);
    }
  }

  [[nodiscard]] std::string number(std::size_t c, double v) const {
    if (!std::isfinite(v)) return "&ndash;";
    if (decimals_[c]) return fmt::format("{:.{}f}", v * units_[c].factor, *decimals_[c]);
    return fmt::format("{:.6g}", v * units_[c].factor);
  }

  /// A table of one row, one figure under another.
  [[nodiscard]] std::string figures() const {
    std::string out =
        "<table class=\"narrow\"><thead><tr><th>figure</th><th>value</th><th "
        "class=\"words\">unit</th></tr></thead><tbody>\n";
    for (std::size_t c = 0; c < t_.columns.size(); ++c) {
      const auto& unit = units_[c].symbol;
      out += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"words\">{}</td></tr>\n",
                         xml_escaped(words_of(t_.columns[c])), number(c, columns_[c].front()),
                         xml_escaped(unit == "1" ? "" : unit));
    }
    return out + "</tbody></table>\n";
  }

  [[nodiscard]] std::string rows() const {
    std::string out = "<table><thead><tr>";
    for (std::size_t c = 0; c < t_.columns.size(); ++c) {
      const auto& unit = units_[c].symbol;
      out += fmt::format("<th>{}<br><span class=\"soft\">{}</span></th>", xml_escaped(words_of(t_.columns[c])),
                         xml_escaped(unit == "1" ? "" : unit));
    }
    out += "</tr></thead><tbody>\n";
    const auto n = t_.rows.size();
    const std::size_t every = n > kLongest ? (n + kSampled - 1) / kSampled : 1;
    for (std::size_t i = 0; i < n; ++i) {
      if (i % every != 0 && i + 1 != n) continue;
      out += "<tr>";
      for (std::size_t c = 0; c < t_.columns.size(); ++c) out += fmt::format("<td>{}</td>", number(c, columns_[c][i]));
      out += "</tr>\n";
    }
    out += "</tbody></table>\n";
    if (every > 1) {
      out += fmt::format(
          "<p class=\"soft small\">One row of {} is printed. All {} are in the JSON and the DCC of this "
          "certificate.</p>\n",
          every, n);
    }
    return out;
  }

  [[nodiscard]] std::string label(std::string_view name, const ReadableUnit& unit) const {
    return unit.symbol == "1" || unit.symbol.empty() ? std::string(name) : fmt::format("{} / {}", name, unit.symbol);
  }

  [[nodiscard]] std::string known_plot() const {
    const auto plot = std::find_if(kPlots.begin(), kPlots.end(), [&](const Plot& p) {
      return p.table.back() == '_' ? t_.name.starts_with(p.table) : t_.name == p.table;
    });
    constexpr std::size_t kFewest = 3;
    if (plot == kPlots.end() || t_.rows.size() < kFewest) return "";
    const auto y = static_cast<std::size_t>(std::find(t_.columns.begin(), t_.columns.end(), plot->columns[0]) -
                                            t_.columns.begin());
    if (y >= t_.columns.size()) return "";
    SvgPlot out{std::string(plot->title), label(words_of(t_.columns[0]), units_[0]),
                label(plot->columns[1].empty() ? words_of(t_.columns[y]) : "value", units_[y])};
    out.x_log = plot->x_log;
    out.zero_line = t_.units[y] == "%" || t_.units[y] == "m";
    const auto expanded = column(t_, plot->expanded);
    const auto unit_of_expanded = std::find(t_.columns.begin(), t_.columns.end(), plot->expanded);
    for (const auto name : plot->columns) {
      const auto values = column(t_, name);
      if (values.empty()) continue;
      SvgPlot::Series s;
      s.kind = values.size() > kSampled ? SvgKind::kLine : SvgKind::kPoints;
      if (!plot->columns[1].empty()) s.name = words_of(std::string(name));
      for (std::size_t i = 0; i < values.size(); ++i) {
        s.x.push_back(columns_[0][i] * units_[0].factor);
        s.y.push_back(values[i] * units_[y].factor);
        if (expanded.empty() || name != plot->columns[0]) continue;
        const bool relative =
            t_.units[static_cast<std::size_t>(unit_of_expanded - t_.columns.begin())] == "%" && t_.units[y] != "%";
        const double u = expanded[i] * units_[y].factor * (relative ? kPercent * std::abs(values[i]) : 1);
        s.low.push_back(s.y.back() - u);
        s.high.push_back(s.y.back() + u);
      }
      out.series.push_back(std::move(s));
    }
    return to_svg(out);
  }

  /// Fit and residuals.
  [[nodiscard]] std::string fit_plots() const {
    const auto reference = column(t_, "reference");
    const auto indication = column(t_, "indication");
    const auto fitted = column(t_, "fitted");
    if (reference.empty() || indication.empty() || fitted.empty()) return "";
    const auto unit_of = [&](std::string_view name) {
      const auto& u = t_.units[static_cast<std::size_t>(std::find(t_.columns.begin(), t_.columns.end(), name) -
                                                        t_.columns.begin())];
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
    const auto expanded = column(t_, "expanded_uncertainty");
    Column residuals;
    for (std::size_t i = 0; i < reference.size(); ++i) residuals.push_back(fitted[i] - reference[i]);
    const auto unit = readable_unit(unit_of("reference"), std::max(most_of(residuals), most_of(expanded)));
    SvgPlot off{"Residuals: fitted value minus reference, with expanded uncertainty",
                "reference / " + unit_of("reference"), "residual / " + unit.symbol};
    off.zero_line = true;
    auto& s = off.series.emplace_back();
    for (std::size_t i = 0; i < reference.size(); ++i) {
      s.x.push_back(reference[i]);
      s.y.push_back(residuals[i] * unit.factor);
      if (i >= expanded.size()) continue;
      s.low.push_back(s.y.back() - expanded[i] * unit.factor);
      s.high.push_back(s.y.back() + expanded[i] * unit.factor);
    }
    return to_svg(fit) + to_svg(off);
  }

  const DataTable& t_;
  std::vector<Column> columns_;
  std::vector<ReadableUnit> units_;
  std::vector<std::optional<int>> decimals_;
};

}  // namespace

std::string table_html(const DataTable& table) { return TableWriter(table).run(); }

std::string rounded(double value, double expanded) {
  if (!(expanded > 0) || !std::isfinite(value)) return fmt::format("{:.6g}", value);
  const int places = std::clamp(1 - static_cast<int>(std::floor(std::log10(expanded))), -15, 12);
  if (places >= 0) return fmt::format("{:.{}f}", value, places);
  const double step = std::pow(10, -places);
  return fmt::format("{:.0f}", std::round(value / step) * step);
}

std::string two_digits(double value) {
  const double size = std::abs(value);
  if (size == 0 || (size >= 1e-4 && size < 1e6)) return rounded(value, size);
  return fmt::format("{:.1e}", value);
}

ReadableUnit readable_unit(const std::string& unit, double most) {
  constexpr double kMilli = 1e3;
  constexpr double kMicro = 1e6;
  if ((unit != "m" && unit != "s") || !(most > 0) || most >= 1) return {unit, 1};
  if (most < 1e-3) return {"\u00b5" + unit, kMicro};
  return {"m" + unit, kMilli};
}

}  // namespace strigil::calibration
