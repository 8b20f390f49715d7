// A small plot as SVG text, for certificates and reports: no script, no font but the page's, prints as it looks. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace strigil::calibration {

enum class SvgKind : std::uint8_t {
  kPoints,
  kLine,   ///< broken where a number is not finite
  kSteps,  ///< each y holds until the next x
  kBars,   ///< from zero, as wide as the least distance of two x: histograms
};

/// Series in colours that colour-blind people tell apart (Okabe & Ito 2008), and by dashes and shapes without any.
/// Numbers that are not finite are left out; so is what is not above zero on a logarithmic axis.
struct SvgPlot {
  std::string title;
  std::string x_label;
  std::string y_label;
  struct Series {
    std::vector<double> x = {};
    std::vector<double> y = {};
    std::vector<double> low = {};  ///< points: ends of error bars; lines: edges of a band; both or none, a value each
    std::vector<double> high = {};
    SvgKind kind = SvgKind::kPoints;
    std::string name = {};  ///< in the legend; empty: not there
  };
  std::vector<Series> series = {};
  /// A line across the plot: a limit, a threshold, where something happened.
  struct Mark {
    double at = 0;
    bool vertical = true;  ///< at an x
    std::string label = {};
  };
  std::vector<Mark> marks = {};
  bool zero_line = false;
  bool x_log = false;
  std::optional<double> x_from = {};  ///< ends of the axes; nothing: as the numbers need
  std::optional<double> x_to = {};
  std::optional<double> y_from = {};
  std::optional<double> y_to = {};
};
/// For a page that has svg_style().
std::string to_svg(const SvgPlot& plot);
/// A file of its own.
std::string to_svg_file(const SvgPlot& plot);
/// CSS that both kinds of plot need, by light and by dark (custom properties --ink, --soft, --plot-grid may be set).
std::string svg_style();

/// Horizontal bars, the longest first.
struct SvgBars {
  std::string title;
  std::string unit;
  struct Bar {
    std::string name;
    double value = 0;
  };
  std::vector<Bar> bars;
};
std::string to_svg(const SvgBars& bars);

}  // namespace strigil::calibration
