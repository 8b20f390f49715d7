#include "calibration/certificate/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace strigil::calibration {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 300;
constexpr double kLeft = 84;
constexpr double kRight = 16;
constexpr double kTop = 30;
constexpr double kBottom = 48;

/// One axis: from data to the page, with ticks at round numbers.
class Axis {
 public:
  Axis(double low, double high, double from, double to) : from_(from), to_(to) {
    if (!(low <= high)) low = 0, high = 1;
    if (low == high) {
      const double wide = low == 0 ? 1 : std::abs(low) * 0.1;
      low -= wide, high += wide;
    }
    const double margin = 0.05 * (high - low);
    low_ = low - margin, high_ = high + margin;
    const double rough = (high_ - low_) / 5;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    step_ = decade;
    for (const double m : {2.0, 5.0, 10.0}) {
      if (decade * m <= rough * 1.5) step_ = decade * m;
    }
  }
  [[nodiscard]] double at(double v) const { return from_ + (v - low_) / (high_ - low_) * (to_ - from_); }
  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> out;
    for (double k = std::ceil(low_ / step_); k * step_ <= high_ && out.size() < 20; ++k) out.push_back(k * step_);
    return out;
  }
  [[nodiscard]] std::string label(double v) const {
    return fmt::format("{:.6g}", std::abs(v) < step_ * 1e-6 ? 0.0 : v);
  }
  [[nodiscard]] bool shows(double v) const { return v >= low_ && v <= high_; }

 private:
  double low_ = 0, high_ = 1, from_, to_, step_ = 1;
};

std::string text(double x, double y, const char* anchor, std::string_view words, const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     xml_escaped(words));
}

std::string line(double x1, double y1, double x2, double y2, const char* kind) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                     kind);
}

std::string opened(double height, std::string_view title) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">\n{}",
      kWidth, height, xml_escaped(title), text(kLeft, 18, "start", title, " class=\"title\""));
}

void widen(double v, double& low, double& high) {
  if (!std::isfinite(v)) return;
  low = std::min(low, v);
  high = std::max(high, v);
}

}  // namespace

std::string xml_escaped(std::string_view in) {
  std::string out;
  for (const char c : in) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string to_svg(const SvgPlot& p) {
  const double inf = std::numeric_limits<double>::infinity();
  double x_low = inf, x_high = -inf, y_low = inf, y_high = -inf;
  for (const auto& s : p.series) {
    for (std::size_t i = 0; i < std::min(s.x.size(), s.y.size()); ++i) {
      const double bar = i < s.bar.size() && std::isfinite(s.bar[i]) ? s.bar[i] : 0;
      widen(s.x[i], x_low, x_high);
      widen(s.y[i] - bar, y_low, y_high);
      widen(s.y[i] + bar, y_low, y_high);
    }
  }
  if (p.zero_line) widen(0, y_low, y_high);
  const Axis x(x_low, x_high, kLeft, kWidth - kRight);
  const Axis y(y_low, y_high, kHeight - kBottom, kTop);
  std::string out = opened(kHeight, p.title);
  for (const double v : x.ticks()) {
    out += line(x.at(v), kTop, x.at(v), kHeight - kBottom, "grid");
    out += text(x.at(v), kHeight - kBottom + 16, "middle", x.label(v));
  }
  for (const double v : y.ticks()) {
    out += line(kLeft, y.at(v), kWidth - kRight, y.at(v), "grid");
    out += text(kLeft - 6, y.at(v) + 4, "end", y.label(v));
  }
  if (p.zero_line) out += line(kLeft, y.at(0), kWidth - kRight, y.at(0), "zero");
  out += text((kLeft + kWidth - kRight) / 2, kHeight - 10, "middle", p.x_label);
  out += text(0, 0, "middle", p.y_label,
              fmt::format(" transform=\"translate(14 {:.0f}) rotate(-90)\"", (kTop + kHeight - kBottom) / 2).c_str());
  for (const auto& s : p.series) {
    std::string path;
    for (std::size_t i = 0; i < std::min(s.x.size(), s.y.size()); ++i) {
      if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
      const double px = x.at(s.x[i]);
      const double py = y.at(s.y[i]);
      if (s.line) {
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", px, py);
        continue;
      }
      if (i < s.bar.size() && std::isfinite(s.bar[i])) {
        const double up = y.at(s.y[i] + s.bar[i]);
        const double down = y.at(s.y[i] - s.bar[i]);
        out += line(px, up, px, down, "bar") + line(px - 4, up, px + 4, up, "bar") +
               line(px - 4, down, px + 4, down, "bar");
      }
      out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.2\" class=\"point\"/>\n", px, py);
    }
    if (!path.empty()) out += fmt::format("<path d=\"{}\" class=\"fit\"/>\n", path);
  }
  return out + "</svg>\n";
}

std::string to_svg(const SvgBars& b) {
  constexpr double kRow = 24;
  constexpr double kNames = 230;
  auto bars = b.bars;
  std::stable_sort(bars.begin(), bars.end(), [](const auto& p, const auto& q) { return p.value > q.value; });
  const double height = kTop + kRow * static_cast<double>(bars.size()) + 10;
  const double most = bars.empty() || !(bars.front().value > 0) ? 1 : bars.front().value;
  std::string out = opened(height, b.title);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double top = kTop + kRow * static_cast<double>(i);
    const double wide = std::isfinite(bars[i].value) ? (kWidth - kNames - 120) * bars[i].value / most : 0;
    out += text(kNames - 8, top + 15, "end", bars[i].name);
    out += fmt::format("<rect x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\" class=\"point\"/>\n", kNames,
                       top + 4, std::max(wide, 0.5), kRow - 8);
    out += text(kNames + std::max(wide, 0.5) + 6, top + 15, "start", fmt::format("{:.2g} {}", bars[i].value, b.unit));
  }
  return out + "</svg>\n";
}

}  // namespace strigil::calibration
