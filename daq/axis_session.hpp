// AxisSession: what the sessions of stages with axes of their own (TMCL, Zaber) have in common, so that one drive can
// use any of them. Sans-IO like every session.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "daq/session.hpp"
#include "daq/stream.hpp"

namespace strigil::daq {

/// x, y, z of a stage, in this order.
inline constexpr std::size_t kStageAxes = 3;

/// What an axis says it is doing.
enum class AxisCondition : std::uint8_t { kUnknown, kIdle, kMoving, kHoming, kFault };

/// The newest that is known of one axis. An axis that the stage does not have stays kIdle at 0.
struct AxisReading {
  bool present = true;
  bool homed = false;  ///< its position counts from a reference
  AxisCondition condition = AxisCondition::kUnknown;
  double position_m = 0;      ///< machine coordinates
  HostTime acquired;          ///< when it stood there, as well as is known
  HostTime received;          ///< of the report
  std::uint32_t reports = 0;  ///< of its position, so far
  std::uint32_t fault = 0;    ///< the device's own fault bits or code, in words by fault_words()
};

/// How long a wish may wait for its turn on the wire before it is dropped: whoever steers has long changed its mind.
/// Longer where the line itself is given longer for an answer, or one lost answer would drop what waits behind it.
[[nodiscard]] constexpr Duration longest_wish(Duration answer_timeout) noexcept {
  constexpr Duration kLeast = std::chrono::milliseconds(200);
  return std::max(kLeast, 3 * answer_timeout);
}

/// Loop thread only; noexcept, no allocation after construction. Commands are wishes for the newest state: a velocity
/// that waits for its turn on the wire is overtaken by a newer one for the same axis, and a stop overtakes both. Every
/// command returns false when the session cannot take it (not ready, axis in fault or not present); nothing is sent
/// then. An answer that refuses a command counts in refused().
class AxisSession : public Session {
 public:
  /// Runs the axis at this velocity (m/s, signed) until told otherwise, or until the device's own host time-out.
  virtual bool set_velocity(std::size_t axis, double velocity_m_s, HostTime now, SessionOutput& out) noexcept = 0;
  /// Moves the axis to a place (m, machine coordinates) at a speed (m/s, > 0).
  virtual bool move_to(std::size_t axis, double target_m, double speed_m_s, HostTime now,
                       SessionOutput& out) noexcept = 0;
  /// Brings every axis to rest by deceleration; overtakes whatever waits.
  virtual bool stop_axes(HostTime now, SessionOutput& out) noexcept = 0;
  /// The hardest stop the device knows, for every axis.
  virtual bool stop_hard(HostTime now, SessionOutput& out) noexcept = 0;
  /// Looks for the axis' reference; condition is kHoming meanwhile, `homed` after.
  virtual bool home(std::size_t axis, HostTime now, SessionOutput& out) noexcept = 0;
  /// Clears a fault that the device lets one clear.
  virtual bool clear_faults(HostTime now, SessionOutput& out) noexcept = 0;

  [[nodiscard]] virtual const AxisReading& axis(std::size_t axis) const noexcept = 0;
  /// The position stream: x, y, z in micrometres, one sample for each round of position reports.
  [[nodiscard]] virtual const StreamDescription& description() const noexcept = 0;
  /// Times the device restarted since we speak to it: its positions are not to be trusted until it is homed.
  [[nodiscard]] virtual std::uint64_t restarts() const noexcept = 0;
  /// Commands that the device refused, and requests whose answer never came.
  [[nodiscard]] virtual std::uint64_t refused() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t lost_answers() const noexcept = 0;
  /// Motion commands that have not been answered yet (waiting or sent).
  [[nodiscard]] virtual std::size_t pending() const noexcept = 0;
  /// AxisReading::fault in words. Static storage.
  [[nodiscard]] virtual const char* fault_words(std::uint32_t fault) const noexcept = 0;
};

}  // namespace strigil::daq
