#include "apps/phantom_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <optional>
#include <utility>

#include "apps/svg.hpp"
#include "rig/ground_truth.hpp"

namespace strigil::apps {
namespace {

using rig::InclusionKind;
using rig::Phantom;
using rig::PhantomInclusion;

constexpr double kWidth = 1060;
constexpr double kLeft = 70;
constexpr double kPlotWidth = 800;
constexpr double kTallest = 460;  // of section and map
constexpr double kLine = 16;      // of text
constexpr double kTag = 9;        // radius of a number
constexpr const char* kAxis = "stroke=\"#444\" stroke-width=\"1\" fill=\"none\"";
constexpr const char* kGrid = "stroke=\"#bbb\" stroke-width=\"0.5\"";
constexpr const char* kSmall = "font-size=\"11\" fill=\"#333\"";
constexpr const char* kHead = "font-size=\"13\" font-weight=\"bold\"";

double mm(double m) { return m * 1e3; }

/// The surface as of rig/phantom.hpp, without inclusions' rises.
double surface_m(const Phantom& p, double x_m, double y_m) {
  const auto& s = p.surface;
  double z =
      s.z_m + s.slope * x_m + s.curvature_amplitude_m * std::sin(2 * std::numbers::pi * x_m / s.curvature_wavelength_m);
  if (s.crown_radius_m > 0) z -= y_m * y_m / (2 * s.crown_radius_m);
  for (const auto& b : s.bumps) {
    const double r2 = (x_m - b.x_m) * (x_m - b.x_m) + (y_m - b.y_m) * (y_m - b.y_m);
    z += b.height_m * std::exp(-r2 / (2 * b.width_m * b.width_m));
  }
  return z;
}

struct Look {
  const char* fill;
  const char* stroke;
};

Look look_of(const PhantomInclusion& i) { return i.target ? Look{"#d6453d", "#8f1d17"} : Look{"#3d7dd6", "#1b4684"}; }

std::string shape_of(const PhantomInclusion& i) {
  const auto look = look_of(i);
  return fmt::format("fill=\"{}\" fill-opacity=\"{}\" stroke=\"{}\" stroke-width=\"1.3\"{}", look.fill,
                     rig::differs(i) ? "0.45" : "0", look.stroke, i.target ? "" : " stroke-dasharray=\"4 2\"");
}

std::string cut(const std::string& text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (begins && characters++ == most) return text.substr(0, at) + "...";
  }
  return text;
}

/// A round distance of which about `wanted` fit into `range`.
double step_for(double range, int wanted) {
  const double raw = range / wanted;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double s : {1.0, 2.0, 5.0}) {
    if (s * power >= raw) return s * power;
  }
  return 10 * power;
}

/// Places moved apart until none is nearer to the one before than `gap`, in their order.
std::vector<double> spread(std::vector<double> places, double gap, double highest) {
  for (std::size_t i = 1; i < places.size(); ++i) places[i] = std::max(places[i], places[i - 1] + gap);
  double limit = highest;
  for (std::size_t i = places.size(); i-- > 0; limit = places[i] - gap) places[i] = std::min(places[i], limit);
  return places;
}

class Picture {
 public:
  Picture(const Phantom& phantom, const PictureOfWays& ways) : p_(phantom), ways_(ways) {
    const double range_mm = mm(p_.x_max_m - p_.x_min_m);
    const double deep_mm = mm(rig::thickness_m(p_.layers)) + highest_mm() - lowest_mm();
    scale_ = std::min(kPlotWidth / range_mm, kTallest / deep_mm);
    wide_ = range_mm * scale_;
  }

  std::string draw() {
    svg_.text({kLeft, 28}, cut(p_.title.empty() ? p_.name : p_.title, 90), "start",
              "font-size=\"17\" font-weight=\"bold\"");
    svg_.text({kLeft, 46}, subtitle(), "start", kSmall);
    down_ = 80;
    section();
    map();
    profiles();
    table();
    return svg_.document(kWidth, down_ + 10);
  }

 private:
  [[nodiscard]] std::string subtitle() const {
    auto line = fmt::format("{} | condition: {} | emollient: {} | {:g} C", cut(p_.name, 40), cut(p_.condition, 30),
                            cut(p_.emollient.name, 20), p_.passport.temperature_C);
    if (!ways_.label.empty()) line += " | way of: " + cut(ways_.label, 40);
    return line;
  }
  [[nodiscard]] double px(double x_m) const { return kLeft + mm(x_m - p_.x_min_m) * scale_; }

  /// Of the surface at y = 0.
  void each_x(const std::function<void(double)>& visit) const {
    constexpr int kSteps = 240;
    for (int i = 0; i <= kSteps; ++i) visit(p_.x_min_m + (p_.x_max_m - p_.x_min_m) * i / kSteps);
  }
  [[nodiscard]] double highest_mm() const {
    double z = -HUGE_VAL;
    each_x([&](double x) { z = std::max(z, mm(surface_m(p_, x, 0))); });
    return z;
  }
  [[nodiscard]] double lowest_mm() const {
    double z = HUGE_VAL;
    each_x([&](double x) { z = std::min(z, mm(surface_m(p_, x, 0))); });
    return z;
  }

  void x_axis(double y, bool labelled) {
    const double step_mm = step_for(mm(p_.x_max_m - p_.x_min_m), 9);
    for (double x = std::ceil(mm(p_.x_min_m) / step_mm) * step_mm; x <= mm(p_.x_max_m) + 1e-9; x += step_mm) {
      svg_.line({px(x * 1e-3), y}, {px(x * 1e-3), y + 4}, kAxis);
      if (labelled) svg_.text({px(x * 1e-3), y + 16}, fmt::format("{:g}", x + 0.0), "middle", kSmall);
    }
    if (labelled) svg_.text({kLeft + wide_ + 12, y + 16}, "x mm", "start", kSmall);
  }

  /// Ticks at the left, from `low` to `high` of something in mm, which is at `place(value)`.
  void y_axis(double low, double high, int wanted, const std::function<double(double)>& place, const char* label,
              double left = kLeft) {
    const double step = step_for(high - low, wanted);
    for (double v = std::ceil(low / step - 1e-9) * step; v <= high + 1e-9; v += step) {
      svg_.line({left - 4, place(v)}, {left, place(v)}, kAxis);
      svg_.text({left - 7, place(v) + 4}, fmt::format("{:g}", std::abs(v) < 1e-9 ? 0.0 : v), "end", kSmall);
    }
    svg_.text({left - 7, place(high) - 12}, label, "end", kSmall);
  }

  void heading(const char* words) {
    svg_.text({kLeft, down_}, words, "start", kHead);
    down_ += 26;
  }

  void section() {
    heading("Section through the layers at y = 0, true to scale; dotted: beside it");
    down_ += 2 * kTag;
    const double top_mm = highest_mm();
    const double top = down_;
    const auto py = [&](double z_mm) { return top + (top_mm - z_mm) * scale_; };
    constexpr std::array kColours{"#f3c9a8", "#f7e3a1", "#cfd8dc", "#d98880", "#eceff1",
                                  "#c5cae9", "#b2dfdb", "#ffe0b2", "#d7ccc8", "#e1bee7"};
    double depth_mm = 0;
    std::vector<double> labels;
    for (std::size_t i = 0; i < p_.layers.size(); ++i) {
      const double thick_mm = mm(p_.layers[i].thickness_m);
      std::vector<SvgPoint> outline;
      each_x([&](double x) { outline.push_back({px(x), py(mm(surface_m(p_, x, 0)) - depth_mm)}); });
      const auto upper = outline.size();
      each_x([&](double x) { outline.push_back({px(x), py(mm(surface_m(p_, x, 0)) - depth_mm - thick_mm)}); });
      std::reverse(outline.begin() + static_cast<std::ptrdiff_t>(upper), outline.end());
      svg_.polygon(outline,
                   fmt::format("fill=\"{}\" stroke=\"#666\" stroke-width=\"0.6\"", kColours[i % kColours.size()]));
      labels.push_back(py(mm(surface_m(p_, p_.x_max_m, 0)) - depth_mm - thick_mm / 2));
      depth_mm += thick_mm;
    }
    const double bottom = py(lowest_mm() - depth_mm);
    inclusions_in_section(py, top, bottom);
    y_axis(lowest_mm() - depth_mm, top_mm, 6, py, "z mm");
    x_axis(bottom + 4, true);
    label_layers(labels);
    const double last_label = label_bottom_;
    down_ = std::max(bottom + 24, last_label) + 34;
  }

  void label_layers(const std::vector<double>& middles) {
    const double right = kLeft + wide_;
    const auto places = spread(middles, kLine, HUGE_VAL);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto& layer = p_.layers[i];
      svg_.polyline(
          std::array{SvgPoint{right, middles[i]}, SvgPoint{right + 10, middles[i]}, SvgPoint{right + 20, places[i]}},
          "stroke=\"#666\" stroke-width=\"0.7\" fill=\"none\"");
      svg_.text({right + 24, places[i] + 4}, fmt::format("{} {:g} mm", cut(layer.name, 15), mm(layer.thickness_m)),
                "start", kSmall);
      label_bottom_ = places[i] + kLine;
    }
  }

  /// From where to where an inclusion is met along y = 0; nothing: it lies beside.
  static std::optional<std::pair<double, double>> met_at_m(const PhantomInclusion& i) {
    const double c = std::cos(i.angle_rad);
    const double s = std::sin(i.angle_rad);
    const double a = i.length_m / 2;
    const double b = i.width_m / 2;
    // In its own axes the line is (u0 + c t, v0 - s t), t along x from its centre.
    const double u0 = -i.y_m * s;
    const double v0 = -i.y_m * c;
    if (is_round(i)) {
      const double k2 = c * c / (a * a) + s * s / (b * b);
      const double k1 = u0 * c / (a * a) - v0 * s / (b * b);
      const double k0 = u0 * u0 / (a * a) + v0 * v0 / (b * b) - 1;
      const double under = k1 * k1 - k2 * k0;
      if (under <= 0) return std::nullopt;
      return std::pair(i.x_m + (-k1 - std::sqrt(under)) / k2, i.x_m + (-k1 + std::sqrt(under)) / k2);
    }
    double from = -HUGE_VAL;
    double to = HUGE_VAL;
    for (const auto& [at, along, half] : {std::array{u0, c, a}, std::array{v0, -s, b}}) {
      constexpr double kAcross = 1e-9;
      if (std::abs(along) < kAcross) {
        if (std::abs(at) > half) return std::nullopt;
        continue;
      }
      const double one = (-half - at) / along;
      const double other = (half - at) / along;
      from = std::max(from, std::min(one, other));
      to = std::min(to, std::max(one, other));
    }
    if (from >= to) return std::nullopt;
    return std::pair(i.x_m + from, i.x_m + to);
  }

  static bool is_round(const PhantomInclusion& i) {
    return i.kind == InclusionKind::kNodule || i.kind == InclusionKind::kLobule;
  }

  void inclusions_in_section(const std::function<double(double)>& py, double top, double bottom) {
    svg_.begin_clip({kLeft, top - 2}, wide_, bottom - top + 4);
    for (const auto& i : p_.inclusions) {
      const auto met = met_at_m(i);
      const auto box = rig::footprint_of(i);
      const auto [from_m, to_m] = met.value_or(std::pair(box.x_min_m, box.x_max_m));
      const auto look = met ? shape_of(i)
                            : fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"0.8\" stroke-dasharray=\"1 3\"",
                                          look_of(i).stroke);
      const double surface_mm = mm(surface_m(p_, i.x_m, 0));
      const double upper = py(surface_mm - mm(i.depth_m));
      const double high = mm(i.thickness_m) * scale_;
      const double half = mm(to_m - from_m) * scale_ / 2;
      const double middle = px((from_m + to_m) / 2);
      const bool round = i.kind != InclusionKind::kAdhesionSheet && i.kind != InclusionKind::kScarStrip &&
                         i.kind != InclusionKind::kFasciaEdge;
      if (round) {
        svg_.ellipse({middle, upper + high / 2}, half, high / 2, 0, look);
      } else {
        svg_.rectangle({middle - half, upper}, 2 * half, high, look);
      }
    }
    svg_.end_clip();
    tags(top - 2 * kTag, [&](const PhantomInclusion& i) {
      return SvgPoint{px(i.x_m), py(mm(surface_m(p_, i.x_m, 0)) - mm(i.depth_m + i.thickness_m / 2))};
    });
  }

  /// A row of numbers at height `y`, each with a line to what it belongs to.
  void tags(double y, const std::function<SvgPoint(const PhantomInclusion&)>& place_of) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < p_.inclusions.size(); ++i) order.push_back(i);
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return p_.inclusions[a].x_m < p_.inclusions[b].x_m; });
    std::vector<double> at;
    for (const auto i : order) at.push_back(px(p_.inclusions[i].x_m));
    const double room = kLeft + std::max(wide_, 2.2 * kTag * static_cast<double>(order.size()));
    at = spread(std::move(at), 2.2 * kTag, room);
    for (std::size_t n = 0; n < order.size(); ++n) {
      const auto& inclusion = p_.inclusions[order[n]];
      const auto look = look_of(inclusion);
      svg_.line({at[n], y + kTag}, place_of(inclusion), fmt::format("stroke=\"{}\" stroke-width=\"0.8\"", look.stroke));
      svg_.ellipse({at[n], y}, kTag, kTag, 0, fmt::format("fill=\"white\" stroke=\"{}\"", look.stroke));
      svg_.text({at[n], y + 4}, fmt::format("{}", order[n] + 1), "middle", "font-size=\"11\"");
    }
  }

  /// As much of the phantom across the strokes as anything takes up.
  [[nodiscard]] std::pair<double, double> across_m() const {
    constexpr double kAtLeast_m = 22e-3;
    constexpr double kAround_m = 3e-3;
    double low = -kAtLeast_m;
    double high = kAtLeast_m;
    const auto take = [&](double from, double to) {
      low = std::min(low, from - kAround_m);
      high = std::max(high, to + kAround_m);
    };
    for (const auto& i : p_.inclusions) take(rig::footprint_of(i).y_min_m, rig::footprint_of(i).y_max_m);
    for (const auto& path : ways_.paths)
      take(path.box().min_y_m - ways_.edge_length_m / 2, path.box().max_y_m + ways_.edge_length_m / 2);
    const double most_m = kTallest / scale_ * 1e-3;
    low = std::max({low, p_.y_min_m, -most_m / 2});
    high = std::min({high, p_.y_max_m, most_m / 2});
    return low < high ? std::pair(low, high) : std::pair(p_.y_min_m, std::min(p_.y_max_m, p_.y_min_m + most_m));
  }

  void map() {
    heading("From above: red may be found, blue dashed is there to fool, hollow is there on paper only");
    down_ += 2 * kTag;
    const auto [low_m, high_m] = across_m();
    const double top = down_;
    const double tall = mm(high_m - low_m) * scale_;
    const auto py = [&, high = high_m](double y_mm) { return top + (mm(high) - y_mm) * scale_; };
    svg_.rectangle({kLeft, top}, wide_, tall, "fill=\"#fafafa\" stroke=\"#666\"");
    svg_.begin_clip({kLeft, top}, wide_, tall);
    for (const auto& b : p_.surface.bumps) {
      for (const double r : {1.0, 2.0}) {
        svg_.ellipse({px(b.x_m), py(mm(b.y_m))}, mm(r * b.width_m) * scale_, mm(r * b.width_m) * scale_, 0,
                     "fill=\"none\" stroke=\"#8d6e63\" stroke-dasharray=\"1 3\"");
      }
    }
    for (const auto& i : p_.inclusions) outline_on_map(i, py);
    for (const auto& path : ways_.paths) way_on_map(path, py);
    svg_.end_clip();
    tags(top - 2 * kTag + 4, [&](const PhantomInclusion& i) {
      return SvgPoint{px(i.x_m), std::clamp(py(mm(i.y_m)), top, top + tall)};
    });
    y_axis(mm(low_m), mm(high_m), 6, py, "y mm");
    x_axis(top + tall, true);
    down_ = top + tall + 50;
  }

  void outline_on_map(const PhantomInclusion& i, const std::function<double(double)>& py) {
    const double degrees = -i.angle_rad * 180 / std::numbers::pi;  // y is up, pixels go down
    if (is_round(i)) {
      svg_.ellipse({px(i.x_m), py(mm(i.y_m))}, mm(i.length_m) * scale_ / 2, mm(i.width_m) * scale_ / 2, degrees,
                   shape_of(i));
      return;
    }
    const double c = std::cos(i.angle_rad);
    const double s = std::sin(i.angle_rad);
    std::vector<SvgPoint> corners;
    for (const auto& [u, v] : {std::pair(-1, -1), std::pair(1, -1), std::pair(1, 1), std::pair(-1, 1)}) {
      const double a = u * i.length_m / 2;
      const double b = v * i.width_m / 2;
      corners.push_back({px(i.x_m + a * c - b * s), py(mm(i.y_m + a * s + b * c))});
    }
    svg_.polygon(corners, shape_of(i));
  }

  void way_on_map(const protocols::StrokePath& path, const std::function<double(double)>& py) {
    constexpr const char* kWay = "fill=\"none\" stroke=\"#1b5e20\" stroke-width=\"1.6\"";
    constexpr double kEvery_m = 1e-3;
    std::vector<SvgPoint> points;
    const auto n = std::min<std::size_t>(static_cast<std::size_t>(path.length_m() / kEvery_m) + 2, 4000);
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = path.at(path.length_m() * static_cast<double>(i) / static_cast<double>(n - 1)).position;
      points.push_back({px(at.x_m), py(mm(at.y_m))});
    }
    svg_.polyline(points, kWay);
    const auto end = points.back();
    const auto before = points[points.size() - 2];
    const double a = std::atan2(end.y - before.y, end.x - before.x);
    const auto barb = [&](double off) {
      return SvgPoint{end.x - 10 * std::cos(a + off), end.y - 10 * std::sin(a + off)};
    };
    svg_.polyline(std::array{barb(0.4), end, barb(-0.4)}, kWay);
    const auto start = path.at(0).position;
    svg_.line({px(start.x_m), py(mm(start.y_m - ways_.edge_length_m / 2))},
              {px(start.x_m), py(mm(start.y_m + ways_.edge_length_m / 2))},
              "stroke=\"#1b5e20\" stroke-width=\"4\" stroke-opacity=\"0.6\"");
  }

  void profiles() {
    heading("The surface along the stroke (y = 0) and across it (middle of x), heights enlarged");
    constexpr double kTall = 110;
    constexpr double kGap = 90;
    const double half = (kPlotWidth - kGap) / 2;
    const double middle_m = (p_.x_min_m + p_.x_max_m) / 2;
    const auto [low_m, high_m] = across_m();
    profile(kLeft, half, kTall, p_.x_min_m, p_.x_max_m, "x mm", [&](double x) { return mm(surface_m(p_, x, 0)); });
    profile(kLeft + half + kGap, half, kTall, low_m, high_m, "y mm",
            [&](double y) { return mm(surface_m(p_, middle_m, y)); });
    down_ += kTall + 72;
  }

  void profile(double left, double wide, double tall, double from_m, double to_m, const char* along,
               const std::function<double(double)>& height_mm) {
    constexpr int kSteps = 160;
    std::vector<double> z;
    for (int i = 0; i <= kSteps; ++i) z.push_back(height_mm(from_m + (to_m - from_m) * i / kSteps));
    const auto [low_it, high_it] = std::minmax_element(z.begin(), z.end());
    constexpr double kFlat_mm = 0.5;
    const double middle = (*low_it + *high_it) / 2;
    const double range = std::max(*high_it - *low_it, kFlat_mm) * 1.1;
    const double top = down_ + 10;
    const auto py = [&](double v) { return top + (middle + range / 2 - v) / range * tall; };
    svg_.rectangle({left, top}, wide, tall, "fill=\"none\" stroke=\"#666\"");
    std::vector<SvgPoint> line;
    for (int i = 0; i <= kSteps; ++i) line.push_back({left + wide * i / kSteps, py(z[static_cast<std::size_t>(i)])});
    svg_.polyline(line, "fill=\"none\" stroke=\"#333\" stroke-width=\"1.4\"");
    const double step = step_for(range, 4);
    for (double v = std::ceil((middle - range / 2) / step) * step; v <= middle + range / 2; v += step) {
      svg_.line({left - 4, py(v)}, {left, py(v)}, kAxis);
      svg_.text({left - 7, py(v) + 4}, fmt::format("{:g}", std::round(v * 1e6) / 1e6 + 0.0), "end", kSmall);
    }
    svg_.text({left - 7, top - 8}, "z mm", "end", kSmall);
    const double along_step = step_for(mm(to_m - from_m), 5);
    for (double v = std::ceil(mm(from_m) / along_step) * along_step; v <= mm(to_m) + 1e-9; v += along_step) {
      const double x = left + wide * (v - mm(from_m)) / mm(to_m - from_m);
      svg_.line({x, top + tall}, {x, top + tall + 4}, kAxis);
      svg_.text({x, top + tall + 16}, fmt::format("{:g}", std::abs(v) < 1e-9 ? 0.0 : v), "middle", kSmall);
    }
    svg_.text({left + wide, top + tall + 30}, along, "end", kSmall);
  }

  void table() {
    heading(p_.inclusions.empty() ? "No inclusions" : "Inclusions");
    down_ -= 6;
    if (p_.inclusions.empty()) return;
    constexpr std::array kColumns{0.0,   24.0,  190.0, 300.0, 370.0, 415.0, 460.0,
                                  530.0, 670.0, 735.0, 795.0, 860.0, 925.0};
    constexpr std::array kHeads{"",        "name",  "kind",    "role", "x mm",    "y mm",   "deep mm",
                                "size mm", "angle", "stiff x", "mu x", "rough x", "rise mm"};
    for (std::size_t c = 0; c < kHeads.size(); ++c)
      svg_.text({kLeft + kColumns[c], down_}, kHeads[c], "start", "font-size=\"11\" fill=\"#666\"");
    for (std::size_t n = 0; n < p_.inclusions.size(); ++n) {
      const auto& i = p_.inclusions[n];
      down_ += kLine;
      const std::array<std::string, kHeads.size()> cells{
          fmt::format("{}", n + 1),
          cut(i.name, 22),
          std::string(rig::name_of(i.kind)),
          i.target ? "target" : "fools",
          fmt::format("{:g}", round2(mm(i.x_m))),
          fmt::format("{:g}", round2(mm(i.y_m))),
          fmt::format("{:g}", round2(mm(i.depth_m))),
          fmt::format("{:g} x {:g} x {:g}", round2(mm(i.length_m)), round2(mm(i.width_m)), round2(mm(i.thickness_m))),
          fmt::format("{:.0f}", i.angle_rad * 180 / std::numbers::pi),
          fmt::format("{:g}", i.stiffness_contrast),
          fmt::format("{:g}", i.friction_contrast),
          fmt::format("{:g}", i.roughness_contrast),
          fmt::format("{:g}", round2(mm(i.rise_m)))};
      for (std::size_t c = 0; c < cells.size(); ++c) svg_.text({kLeft + kColumns[c], down_}, cells[c], "start", kSmall);
    }
    down_ += kLine;
  }

  static double round2(double v) { return std::round(v * 100) / 100 + 0.0; }

  const Phantom& p_;
  const PictureOfWays& ways_;
  Svg svg_;
  double scale_ = 1;  // pixels for a millimetre
  double wide_ = 0;
  double down_ = 0;
  double label_bottom_ = 0;
};

}  // namespace

std::string draw_picture(const rig::Phantom& phantom, const PictureOfWays& ways) {
  return Picture(phantom, ways).draw();
}

}  // namespace strigil::apps
