#include "sim/foundation.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::sim {
namespace {

constexpr std::size_t kKnots = 1025;
/// What of the whole the fine table is.
constexpr std::size_t kTouchShare = 32;
constexpr std::size_t kCurvePoints = 320;
constexpr double kLeastLoad_N_m = 1e-3;
constexpr double kMostLoad_N_m = 2e4;  // 800 N on 40 mm
/// Forces of the four half-widths (N): from a touch to more than any clinician's.
constexpr std::array<double, kStiffnessWidths> kForces_N{0.3, 2, 8, 25};
constexpr double kWorkingForce_N = 6;

/// The value at `depth_m` of a quantity over a rising curve, straight in logarithms; below the curve proportional.
double at_depth(const std::vector<LineContact>& curve, double depth_m, double LineContact::*quantity, double power) {
  if (depth_m <= curve.front().depth_m) {
    return curve.front().*quantity * std::pow(depth_m / curve.front().depth_m, power);
  }
  const auto next = std::lower_bound(curve.begin() + 1, curve.end() - 1, depth_m,
                                     [](const LineContact& c, double d) { return c.depth_m < d; });
  const auto& a = *(next - 1);
  const auto& b = *next;
  const double share = std::log(depth_m / a.depth_m) / std::log(b.depth_m / a.depth_m);
  return a.*quantity * std::pow(b.*quantity / (a.*quantity), share);
}

/// How much of each kept half-width is in `a`; sums to 1.
std::array<double, kStiffnessWidths> hats(const StiffnessWidths& widths, double a) {
  std::array<double, kStiffnessWidths> share{};
  if (a <= widths.front()) {
    share.front() = 1;
  } else if (a >= widths.back()) {
    share.back() = 1;
  } else {
    std::size_t i = 0;
    while (a > widths[i + 1]) ++i;
    share[i + 1] = (a - widths[i]) / (widths[i + 1] - widths[i]);
    share[i] = 1 - share[i + 1];
  }
  return share;
}

}  // namespace

Foundation::Foundation(const LayerStack& stack, double edge_length_m) {
  for (std::size_t w = 0; w < kStiffnessWidths; ++w) {
    widths_m_[w] = stack.under(kForces_N[w] / edge_length_m).half_width_m;
    if (w > 0) widths_m_[w] = std::max(widths_m_[w], widths_m_[w - 1] * 1.001);  // rising, however narrow the edge
  }
  working_half_width_m_ = stack.under(kWorkingForce_N / edge_length_m).half_width_m;
  const auto curve = stack.curve(kLeastLoad_N_m, kMostLoad_N_m, kCurvePoints);
  const double deepest_m = curve.back().depth_m;
  touch_ = table(curve, deepest_m / kTouchShare, 0, {});
  deep_ = table(curve, deepest_m, (kKnots - 1) / kTouchShare, touch_.knots.back());
}

Foundation::Table Foundation::table(const std::vector<LineContact>& curve, double end_m, std::size_t from_knot,
                                    const Point& from) const {
  Table t;
  const double pitch = end_m / (kKnots - 1);
  t.pitch_m = static_cast<float>(pitch);
  t.per_pitch = 1 / pitch;
  t.end_m = end_m;
  t.knots.resize(kKnots);
  t.knots[from_knot] = from;
  std::array<double, kStiffnessWidths> load_before{};
  std::array<double, kStiffnessWidths> energy{};
  for (std::size_t w = 0; w < kStiffnessWidths; ++w) {
    load_before[w] = static_cast<double>(from.load_N_m[w]);
    energy[w] = static_cast<double>(from.energy_J_m[w]);
  }
  for (std::size_t k = from_knot + 1; k < kKnots; ++k) {
    const double depth = static_cast<double>(k) * pitch;
    const double load = at_depth(curve, depth, &LineContact::load_N_m, 1);
    const double a = at_depth(curve, depth, &LineContact::half_width_m, 0.5);
    const auto share = hats(widths_m_, a);
    for (std::size_t w = 0; w < kStiffnessWidths; ++w) {
      const double here = load * share[w];
      energy[w] += pitch * (load_before[w] + here) / 2;
      load_before[w] = here;
      t.knots[k].load_N_m[w] = static_cast<float>(here);
      t.knots[k].energy_J_m[w] = static_cast<float>(energy[w]);
    }
  }
  return t;
}

}  // namespace strigil::sim
