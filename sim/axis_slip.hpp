// AxisSlip: steps that a motor loses: where the axis stands, less where its controller believes that it stands.
#pragma once

#include <algorithm>
#include <cmath>

namespace strigil::sim {

/// A value; one thread.
class AxisSlip {
 public:
  /// The motor stands while the controller counts the next `lost_m` of its way.
  void lose(double lost_m) { to_lose_m_ += lost_m; }
  /// The controller has counted so far.
  void moved(double way_m) {
    if (to_lose_m_ <= 0) return;
    const double lost_m = std::clamp(way_m, -to_lose_m_, to_lose_m_);
    slip_m_ -= lost_m;
    to_lose_m_ -= std::abs(lost_m);
  }
  [[nodiscard]] double slip_m() const { return slip_m_; }
  /// It stands, whatever the controller does.
  [[nodiscard]] bool losing() const { return to_lose_m_ > 0; }

 private:
  double slip_m_ = 0;
  double to_lose_m_ = 0;
};

}  // namespace strigil::sim
