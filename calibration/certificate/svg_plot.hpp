// A small plot as SVG text, for certificates: no script, no font but the page's, prints as it looks. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strigil::calibration {

/// Points with error bars, lines between, and a line at zero. Numbers that are not finite are left out.
struct SvgPlot {
  std::string title;
  std::string x_label;
  std::string y_label;
  struct Series {
    std::vector<double> x;
    std::vector<double> y;
    std::vector<double> bar;  ///< half lengths; empty: none
    bool line = false;        ///< otherwise points
  };
  std::vector<Series> series;
  bool zero_line = false;
};
std::string to_svg(const SvgPlot& plot);

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

/// For XML and HTML text and attributes alike.
std::string xml_escaped(std::string_view text);

}  // namespace strigil::calibration
