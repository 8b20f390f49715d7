// Foundation: LayerStack's curve as a table of load and energy over depth, for the step.
//
// Kept apart by how wide the contact is: lane w is the load times the share that the half-width w of the specimen map
// has in a contact of this depth (hat functions of the half-width; they sum to 1), so that
//   load = sum over w of K_w(x, y) P_w(depth),   energy = sum of K_w W_w,   W_w' = P_w to the last digit of its table.
#pragma once

#include <vector>

#include "sim/layer_stack.hpp"
#include "sim/specimen_map.hpp"

namespace strigil::sim {

/// Immutable; any thread.
class Foundation {
 public:
  struct Point {
    Lanes4 load_N_m{};  ///< per metre of edge
    Lanes4 energy_J_m{};
  };

  /// `edge_length_m` only says which loads are the working ones.
  Foundation(const LayerStack& stack, double edge_length_m);

  [[nodiscard]] const StiffnessWidths& widths_m() const noexcept { return widths_m_; }
  /// Precondition: depth >= 0. Beyond the table it goes on straight.
  [[nodiscard]] Point at(double depth_m) const noexcept {
    return depth_m < touch_.end_m ? touch_.at(depth_m) : deep_.at(depth_m);
  }
  /// Load on even ground, where every factor is 1.
  [[nodiscard]] double load_N_m(double depth_m) const noexcept {
    const Point p = at(depth_m);
    return p.load_N_m[0] + p.load_N_m[1] + p.load_N_m[2] + p.load_N_m[3];
  }
  /// Half-width of the contact under a clinician's mean force: how much material slides along with the edge.
  [[nodiscard]] double working_half_width_m() const noexcept { return working_half_width_m_; }

 private:
  struct Table {
    std::vector<Point> knots;  // from depth 0
    double per_pitch = 0;
    float pitch_m = 0;
    double end_m = 0;

    [[nodiscard]] Point at(double depth_m) const noexcept {
      const double place = depth_m * per_pitch;
      const std::size_t most = knots.size() - 2;
      std::size_t index = most;
      if (place < static_cast<double>(most)) index = static_cast<std::size_t>(static_cast<long>(place));
      const auto t = static_cast<float>(place - static_cast<double>(index));
      const Point& from = knots[index];
      const Lanes4 rise = knots[index + 1].load_N_m - from.load_N_m;
      return {from.load_N_m + t * rise, from.energy_J_m + (t * pitch_m) * (from.load_N_m + (0.5F * t) * rise)};
    }
  };
  /// `from` has what lies before `from_knot` of the table already.
  [[nodiscard]] Table table(const std::vector<LineContact>& curve, double end_m, std::size_t from_knot,
                            const Point& from) const;

  StiffnessWidths widths_m_{};
  double working_half_width_m_ = 0;
  Table touch_;  // the first thirty-second, as finely again
  Table deep_;
};

}  // namespace strigil::sim
