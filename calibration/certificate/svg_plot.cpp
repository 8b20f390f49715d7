#include "calibration/certificate/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "calibration/certificate/xml_text.hpp"

namespace strigil::calibration {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 300;
constexpr double kLeft = 84;
constexpr double kRight = 16;
constexpr double kTop = 30;
constexpr double kBottom = 48;
constexpr double kLegendRow = 17;
constexpr double kCharacter = 6.9;  // about as wide as one of 11 pixels is on average
constexpr std::size_t kLongestTitle = 86;
constexpr std::size_t kLongestName = 48;
constexpr std::size_t kColours = 6;
constexpr const char* kHalo = " class=\"label\"";
constexpr double kGreatest = 1e300;  // beyond: differences overflow

bool drawable(double v) { return std::abs(v) <= kGreatest; }

/// One axis: from data to the page, with ticks at round numbers.
class Axis {
 public:
  struct Ends {
    std::optional<double> from;
    std::optional<double> to;
  };
  Axis(double low, double high, bool log, const Ends& ends, double page_from, double page_to)
      : log_(log), from_(page_from), to_(page_to) {
    const auto fixed = [&](const std::optional<double>& end) { return end && drawable(*end) && (!log || *end > 0); };
    if (!(low <= high)) low = log ? 1 : 0, high = log ? 10 : 1;
    low_ = scaled(fixed(ends.from) ? *ends.from : low);
    high_ = scaled(fixed(ends.to) ? *ends.to : high);
    if (!(low_ < high_)) {
      const double wide = low_ == 0 ? 1 : std::abs(low_) * 0.1;
      high_ = low_ + wide, low_ -= wide;
    }
    const double margin = 0.05 * (high_ - low_);
    if (!fixed(ends.from)) low_ -= margin;
    if (!fixed(ends.to)) high_ += margin;
    const double rough = (high_ - low_) / 5;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    step_ = decade;
    for (const double m : {2.0, 5.0, 10.0}) {
      if (decade * m <= rough * 1.5) step_ = decade * m;
    }
  }
  [[nodiscard]] double at(double v) const { return from_ + (scaled(v) - low_) / (high_ - low_) * (to_ - from_); }
  /// On the page, of numbers that may lie beyond the ends.
  [[nodiscard]] double clamped(double v) const {
    return from_ + (std::clamp(scaled(v), low_, high_) - low_) / (high_ - low_) * (to_ - from_);
  }
  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> out;
    if (log_ && high_ - low_ > 0.7) {
      const double every = std::ceil((high_ - low_) / 8);
      for (double d = std::floor(low_); d <= high_; d += every) {
        for (const double m : {1.0, 2.0, 5.0}) {
          const double v = m * std::pow(10, d);
          if ((m == 1 || high_ - low_ < 2.5) && shows(v)) out.push_back(v);
        }
      }
      return out;
    }
    if (log_) return {std::pow(10, low_), std::pow(10, (low_ + high_) / 2), std::pow(10, high_)};
    for (double k = std::ceil(low_ / step_ - 1e-9); k * step_ <= high_ + 1e-9 * step_ && out.size() < 20; ++k) {
      out.push_back(k * step_);
    }
    return out;
  }
  [[nodiscard]] std::string label(double v) const {
    if (log_) return fmt::format("{:.4g}", v);
    return fmt::format("{:.6g}", std::abs(v) < step_ * 1e-6 ? 0.0 : v);
  }
  [[nodiscard]] bool takes(double v) const { return drawable(v) && (!log_ || v > 0); }
  [[nodiscard]] bool shows(double v) const {
    const double slack = 1e-9 * (high_ - low_);
    return takes(v) && scaled(v) >= low_ - slack && scaled(v) <= high_ + slack;
  }

 private:
  [[nodiscard]] double scaled(double v) const { return log_ ? std::log10(v) : v; }
  bool log_;
  double low_ = 0, high_ = 1, from_, to_, step_ = 1;
};

std::string text(double x, double y, const char* anchor, std::string_view words, const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     xml_escaped(words));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view kind) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                     kind);
}

std::string opened(double height, std::string_view title) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" class=\"plot\" role=\"img\" aria-label=\"{}\" "
      "xmlns=\"http://www.w3.org/2000/svg\">\n{}",
      kWidth, height, xml_escaped(title),
      text(kLeft, 18, "start", shortened(title, kLongestTitle), " class=\"title\""));
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void widen(double v, bool log) {
    if (!drawable(v) || (log && !(v > 0))) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
};

/// A marker of the series' own shape as well as colour.
std::string marker(std::size_t style, double x, double y) {
  const auto path = [&](const char* shape) {
    return fmt::format("<path transform=\"translate({:.1f} {:.1f})\" d=\"{}\" class=\"s{} point\"/>\n", x, y, shape,
                       style);
  };
  switch (style % 4) {
    case 1:
      return path("M-3-3H3V3H-3Z");
    case 2:
      return path("M0-4L3.6 3H-3.6Z");
    case 3:
      return path("M0-4.2L4.2 0L0 4.2L-4.2 0Z");
    default:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.2\" class=\"s{} point\"/>\n", x, y, style);
  }
}

struct Page {
  Axis x;
  Axis y;
};
using Series = SvgPlot::Series;

std::size_t size_of(const Series& s) { return std::min(s.x.size(), s.y.size()); }
bool has_band(const Series& s) { return s.low.size() == s.y.size() && s.high.size() == s.y.size(); }

std::string band_of(const Page& p, const Series& s, std::size_t style) {
  std::string out;
  std::string there;
  std::string back;
  const auto close = [&] {
    if (!there.empty()) out += fmt::format("<path d=\"M{}L{}Z\" class=\"s{} band\"/>\n", there.substr(1), back, style);
    there.clear(), back.clear();
  };
  for (std::size_t i = 0; i < size_of(s); ++i) {
    if (!p.x.takes(s.x[i]) || !p.y.takes(s.low[i]) || !p.y.takes(s.high[i])) {
      close();
      continue;
    }
    there += fmt::format("L{:.1f} {:.1f}", p.x.clamped(s.x[i]), p.y.clamped(s.high[i]));
    back = fmt::format("{:.1f} {:.1f}{}{}", p.x.clamped(s.x[i]), p.y.clamped(s.low[i]), back.empty() ? "" : "L", back);
  }
  close();
  return out;
}

/// Of many points in one column of the page the first, the extremes and the last are enough.
class PathPen {
 public:
  void to(double x, double y, bool step) {
    if (down_ && std::abs(x - x_) < 0.5 && !step) {
      low_ = std::min(low_, y), high_ = std::max(high_, y), last_ = y, more_ = true;
      return;
    }
    flush();
    if (down_ && step) path_ += fmt::format("H{:.1f}", x);
    path_ += fmt::format("{}{:.1f} {:.1f}", down_ ? "L" : "M", x, y);
    down_ = true, x_ = x, low_ = high_ = last_ = y, more_ = false;
  }
  void up() {
    flush();
    down_ = false;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void flush() {
    if (more_) path_ += fmt::format("V{:.1f}V{:.1f}V{:.1f}", low_, high_, last_);
    more_ = false;
  }
  std::string path_;
  bool down_ = false;
  bool more_ = false;
  double x_ = 0, low_ = 0, high_ = 0, last_ = 0;
};

std::string line_of(const Page& p, const Series& s, std::size_t style) {
  PathPen pen;
  for (std::size_t i = 0; i < size_of(s); ++i) {
    if (p.x.takes(s.x[i]) && p.y.takes(s.y[i])) {
      pen.to(p.x.clamped(s.x[i]), p.y.clamped(s.y[i]), s.kind == SvgKind::kSteps);
    } else {
      pen.up();
    }
  }
  pen.up();
  return pen.path().empty() ? "" : fmt::format("<path d=\"{}\" class=\"s{} line\"/>\n", pen.path(), style);
}

std::string points_of(const Page& p, const Series& s, std::size_t style) {
  std::string out;
  const auto kind = fmt::format("s{} bar", style);
  for (std::size_t i = 0; i < size_of(s); ++i) {
    if (!p.x.shows(s.x[i]) || !p.y.shows(s.y[i])) continue;
    const double x = p.x.at(s.x[i]);
    if (has_band(s) && p.y.takes(s.low[i]) && p.y.takes(s.high[i])) {
      const double up = p.y.clamped(s.high[i]);
      const double down = p.y.clamped(s.low[i]);
      out += line(x, up, x, down, kind) + line(x - 4, up, x + 4, up, kind) + line(x - 4, down, x + 4, down, kind);
    }
    out += marker(style, x, p.y.at(s.y[i]));
  }
  return out;
}

std::string bars_of(const Page& p, const Series& s, std::size_t style) {
  double wide = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < size_of(s); ++i) {
    const double d = std::abs(p.x.at(s.x[i]) - p.x.at(s.x[i - 1]));
    if (d > 0) wide = std::min(wide, d);
  }
  wide = std::clamp(std::isfinite(wide) ? wide : 30.0, 1.0, 60.0) * 0.9;
  std::string out;
  for (std::size_t i = 0; i < size_of(s); ++i) {
    if (!p.x.shows(s.x[i]) || !p.y.takes(s.y[i])) continue;
    const double top = p.y.clamped(std::max(s.y[i], 0.0));
    const double bottom = p.y.clamped(std::min(s.y[i], 0.0));
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"s{} column\"/>\n",
                       p.x.at(s.x[i]) - wide / 2, top, wide, std::max(bottom - top, 0.0), style);
  }
  return out;
}

std::string series_of(const Page& p, const Series& s, std::size_t style) {
  switch (s.kind) {
    case SvgKind::kPoints:
      return points_of(p, s, style);
    case SvgKind::kBars:
      return bars_of(p, s, style);
    default:
      return (has_band(s) ? band_of(p, s, style) : "") + line_of(p, s, style);
  }
}

/// Rows of names under the title; `height` grows by what they take.
std::string legend_of(const SvgPlot& plot, double& height) {
  std::string out;
  double x = kLeft;
  double y = kTop + 6;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const auto& s = plot.series[i];
    if (s.name.empty()) continue;
    const auto name = shortened(s.name, kLongestName);
    const double wide = 34 + kCharacter * static_cast<double>(std::min(name.size(), kLongestName));
    if (x > kLeft && x + wide > kWidth - kRight) x = kLeft, y += kLegendRow;
    const auto style = i % kColours;
    if (s.kind == SvgKind::kPoints) {
      out += marker(style, x + 11, y);
    } else if (s.kind == SvgKind::kBars) {
      out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"22\" height=\"9\" class=\"s{} column\"/>\n", x, y - 5,
                         style);
    } else {
      out += line(x, y, x + 22, y, fmt::format("s{} line", style));
    }
    out += text(x + 28, y + 4, "start", name);
    x += wide;
  }
  if (!out.empty()) height = y - kTop + kLegendRow;
  return out;
}

Range x_range(const SvgPlot& plot) {
  Range out;
  for (const auto& s : plot.series) {
    for (std::size_t i = 0; i < size_of(s); ++i) out.widen(s.x[i], plot.x_log);
  }
  for (const auto& m : plot.marks) {
    if (m.vertical) out.widen(m.at, plot.x_log);
  }
  return out;
}

Range y_range(const SvgPlot& plot) {
  Range out;
  for (const auto& s : plot.series) {
    for (std::size_t i = 0; i < size_of(s); ++i) {
      out.widen(s.y[i], false);
      if (!has_band(s)) continue;
      out.widen(s.low[i], false);
      out.widen(s.high[i], false);
    }
    if (s.kind == SvgKind::kBars) out.widen(0, false);
  }
  for (const auto& m : plot.marks) {
    if (!m.vertical) out.widen(m.at, false);
  }
  if (plot.zero_line) out.widen(0, false);
  return out;
}

std::string mark_of(const Page& p, const SvgPlot::Mark& m, double top, double bottom) {
  const auto label = shortened(m.label, kLongestName);
  if (m.vertical) {
    if (!p.x.shows(m.at)) return "";
    const double x = p.x.at(m.at);
    const bool left = x > kWidth * 0.7;
    return line(x, top, x, bottom, "mark") + text(left ? x - 4 : x + 4, top + 12, left ? "end" : "start", label, kHalo);
  }
  if (!p.y.shows(m.at)) return "";
  const double y = p.y.at(m.at);
  return line(kLeft, y, kWidth - kRight, y, "mark") +
         text(kWidth - kRight - 4, y < top + 16 ? y + 13 : y - 4, "end", label, kHalo);
}

}  // namespace

std::string to_svg(const SvgPlot& plot) {
  double legend_height = 0;
  const auto legend = legend_of(plot, legend_height);
  const double height = kHeight + legend_height;
  const double top = kTop + legend_height;
  const double bottom = height - kBottom;
  const auto xs = x_range(plot);
  const auto ys = y_range(plot);
  const Page p{Axis(xs.low, xs.high, plot.x_log, {plot.x_from, plot.x_to}, kLeft, kWidth - kRight),
               Axis(ys.low, ys.high, false, {plot.y_from, plot.y_to}, bottom, top)};
  std::string out = opened(height, plot.title) + legend;
  for (const double v : p.x.ticks()) {
    out += line(p.x.at(v), top, p.x.at(v), bottom, "grid");
    out += text(p.x.at(v), bottom + 16, "middle", p.x.label(v));
  }
  for (const double v : p.y.ticks()) {
    out += line(kLeft, p.y.at(v), kWidth - kRight, p.y.at(v), "grid");
    out += text(kLeft - 6, p.y.at(v) + 4, "end", p.y.label(v));
  }
  if (plot.zero_line && p.y.shows(0)) out += line(kLeft, p.y.at(0), kWidth - kRight, p.y.at(0), "zero");
  out += text((kLeft + kWidth - kRight) / 2, height - 10, "middle", shortened(plot.x_label, kLongestTitle));
  out += text(0, 0, "middle", shortened(plot.y_label, 44),
              fmt::format(" transform=\"translate(14 {:.0f}) rotate(-90)\"", (top + bottom) / 2).c_str());
  for (std::size_t i = 0; i < plot.series.size(); ++i) out += series_of(p, plot.series[i], i % kColours);
  for (const auto& m : plot.marks) out += mark_of(p, m, top, bottom);
  return out + "</svg>\n";
}

std::string svg_style() {
  constexpr const char* kColour[kColours] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"};
  constexpr const char* kDash[kColours] = {"", "7 3", "2 2", "9 3 2 3", "12 4", "4 2 1 2"};
  std::string out;
  for (std::size_t i = 0; i < kColours; ++i) {
    out += fmt::format(
        "svg.plot .s{0} {{ stroke: {1}; fill: {1}; stroke: var(--plot-{0}, {1}); fill: var(--plot-{0}, {1}); }}", i,
        kColour[i]);
    if (*kDash[i] != '\0') out += fmt::format(" svg.plot .s{}.line {{ stroke-dasharray: {}; }}", i, kDash[i]);
    out += '\n';
  }
  // Each colour twice: not every reader of SVG knows custom properties.
  return out +
         "svg.plot text { font-size: 11px; fill: #1b1f24; fill: var(--ink, #1b1f24); }\n"
         "svg.plot .title { font-weight: 600; font-size: 12px; }\n"
         "svg.plot .label { paint-order: stroke; stroke-width: 3px; stroke: #fff; stroke: var(--ground, #fff); }\n"
         "svg.plot .grid { stroke: #e4e8ec; stroke: var(--plot-grid, #e4e8ec); }\n"
         "svg.plot .zero { stroke: #8a949e; stroke: var(--soft, #8a949e); }\n"
         "svg.plot .mark { stroke: #1b1f24; stroke: var(--ink, #1b1f24); stroke-dasharray: 2 3; }\n"
         "svg.plot .line { fill: none; stroke-width: 1.7; stroke-linejoin: round; }\n"
         "svg.plot .band { stroke: none; fill-opacity: .2; } svg.plot .point { stroke: none; }\n"
         "svg.plot .bar { stroke-width: 1.3; } svg.plot .column { stroke: none; fill-opacity: .8; }\n";
}

std::string to_svg_file(const SvgPlot& plot) {
  auto svg = to_svg(plot);
  const auto inside = svg.find('>') + 1;  // attributes are escaped: the first ends the root's tag
  svg.insert(inside, "\n<style>svg.plot { background: #fff; font-family: \"DejaVu Sans\", Arial, sans-serif; }\n" +
                         svg_style() + "</style>\n");
  return svg;
}

std::string to_svg(const SvgBars& b) {
  constexpr double kRow = 24;
  auto bars = b.bars;
  std::size_t longest = 0;
  for (auto& bar : bars) {
    bar.name = shortened(bar.name, kLongestName);
    longest = std::max(longest, bar.name.size());
  }
  const double names = std::clamp(kCharacter * static_cast<double>(longest) + 16, 120.0, 340.0);
  std::stable_sort(bars.begin(), bars.end(), [](const auto& p, const auto& q) { return p.value > q.value; });
  const double height = kTop + kRow * static_cast<double>(bars.size()) + 10;
  const double most = bars.empty() || !(bars.front().value > 0) ? 1 : bars.front().value;
  std::string out = opened(height, b.title);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double top = kTop + kRow * static_cast<double>(i);
    const double wide = std::isfinite(bars[i].value) ? (kWidth - names - 120) * bars[i].value / most : 0;
    out += text(names - 8, top + 15, "end", bars[i].name);
    out += fmt::format("<rect x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\" class=\"s0 point\"/>\n",
                       names, top + 4, std::max(wide, 0.5), kRow - 8);
    out += text(names + std::max(wide, 0.5) + 6, top + 15, "start", fmt::format("{:.2g} {}", bars[i].value, b.unit));
  }
  return out + "</svg>\n";
}

}  // namespace strigil::calibration
