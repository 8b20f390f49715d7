#include "rig/operate.hpp"

#include <cmath>

namespace strigil::rig {

Demand Operate::step(const Readings& r, daq::HostTime now, EventSink&) noexcept {
  const auto wish = wish_.load();
  const bool held = wish.kind != OperatorWish::Kind::kNone && now < wish.until;
  const bool fresh = held && wish.number != begun_;
  if (fresh) {
    begun_ = wish.number;
    touched_ = false;
    before_N_ = r.untared_normal_force_N;
    if (wish.kind == OperatorWish::Kind::kMove) ++move_;
  }
  if (held && wish.kind == OperatorWish::Kind::kJog) {
    moving_ = true;
    return {.kind = DemandKind::kVelocity, .velocity_m_s = wish.velocity_m_s};
  }
  if (held && wish.kind == OperatorWish::Kind::kApproach && !touched_) {
    touched_ = std::abs(r.untared_normal_force_N - before_N_) >= wish.force_N;
    moving_ = true;
    if (!touched_) return {.kind = DemandKind::kVelocity, .velocity_m_s = {0, 0, -wish.speed_m_s}};
  } else if (held && wish.kind == OperatorWish::Kind::kMove) {
    moving_ = r.finished_move != move_ && r.refused_move != move_;
    return {.kind = DemandKind::kMove, .move_id = move_, .target_m = wish.target_m, .speed_m_s = wish.speed_m_s};
  }
  if (moving_) {
    moving_ = false;
    return {.kind = DemandKind::kStop};
  }
  return {.kind = DemandKind::kHold};
}

}  // namespace strigil::rig
