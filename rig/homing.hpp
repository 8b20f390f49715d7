// Homing: the stage looks for its references, one axis after the other.
#pragma once

#include <array>
#include <string_view>

#include "rig/behaviour.hpp"
#include "rig/drive.hpp"

namespace strigil::rig {

/// Why homing ended.
enum class HomingOutcome : std::uint8_t { kUnderWay, kDone, kRefused, kTimeout, kInterlock };
std::string_view name_of(HomingOutcome outcome) noexcept;

/// z first, so that nothing is dragged over the phantom, then x and y; all at once where the stage does not know it
/// otherwise. For a rig put together with RigPurpose::kHome; the interlock watches the force meanwhile. Loop thread;
/// the results after the loop.
class Homing final : public Behaviour {
 public:
  /// `wanted`: axes to home, of those that the stage has. `timeout` for each.
  Homing(const DriveAbility& ability, const std::array<bool, kAxes>& wanted, daq::Duration timeout);
  Demand step(const Readings& readings, daq::HostTime now, EventSink& events) noexcept override;
  [[nodiscard]] BehaviourState state() const noexcept override;

  [[nodiscard]] HomingOutcome outcome() const noexcept { return outcome_; }
  /// The axis that is looked for, or at which it ended.
  [[nodiscard]] Axis axis() const noexcept { return order_[at_]; }
  /// Where the stage stood when the last search had ended (m).
  [[nodiscard]] const Position& found_m() const noexcept { return found_m_; }

 private:
  std::array<Axis, kAxes> order_{kZ, kX, kY};
  std::size_t count_ = 0;  // of order_
  std::size_t at_ = 0;
  daq::Duration timeout_;
  daq::HostTime began_;
  std::uint32_t move_ = 0;
  HomingOutcome outcome_ = HomingOutcome::kUnderWay;
  Position found_m_{};
};

}  // namespace strigil::rig
