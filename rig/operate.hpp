// Operate: the rig by hand. What an operator wishes (jog, go to a place, approach) for as long as the switch is held.
#pragma once

#include <atomic>
#include <cstdint>

#include "daq/latest.hpp"
#include "rig/behaviour.hpp"

namespace strigil::rig {

/// What the one who holds control wants of the stage. A value.
struct OperatorWish {
  enum class Kind : std::uint8_t {
    kNone,      ///< stand where you are
    kJog,       ///< move at velocity_m_s until `until`
    kMove,      ///< go to target_m at speed_m_s
    kApproach,  ///< down at speed_m_s until the force has grown by force_N, and stand there
  };
  Kind kind = Kind::kNone;
  std::uint64_t number = 0;  ///< increases with each new wish
  std::array<double, kAxes> velocity_m_s{};
  Position target_m{};
  double speed_m_s = 0;
  double force_N = 0;
  daq::HostTime until;  ///< dead man's switch: what is not wished again by then stops
};

/// Every wish ends at its `until` by itself, and the interlock stands behind as ever; a jog into the phantom is
/// stopped by its limit of force. One thread wishes, the loop thread steps.
class Operate final : public Behaviour {
 public:
  Demand step(const Readings& readings, daq::HostTime now, EventSink& events) noexcept override;
  [[nodiscard]] BehaviourState state() const noexcept override {
    return ended_.load(std::memory_order_acquire) ? BehaviourState::kDone : BehaviourState::kRunning;
  }
  /// Any one thread.
  void wish(const OperatorWish& wish) noexcept { wish_.store(wish); }
  /// The session is over: the supervisor lifts and finishes. Any thread.
  void end() noexcept { ended_.store(true, std::memory_order_release); }

 private:
  daq::Latest<OperatorWish> wish_;
  std::atomic<bool> ended_{false};
  std::uint64_t begun_ = 0;  // number of the wish that was begun last
  std::uint32_t move_ = 0;
  bool moving_ = false;
  bool touched_ = false;  // kApproach: it is there
  double before_N_ = 0;   // kApproach: normal force, untared, when it began
};

}  // namespace strigil::rig
