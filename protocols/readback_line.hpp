// Readback line: where the stage stood between two of its reports, on the straight line from one to the next.
//
// Shared by who places samples: position_axis.hpp (bins of millimetres) and court/stroke_feed.hpp (samples for
// detectors). Pure, any thread.
#pragma once

#include <chrono>
#include <cmath>
#include <optional>

#include "daq/block.hpp"
#include "daq/time.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

/// Acquisition time of sample `sample` of a block.
inline daq::HostTime time_of(const daq::Block& block, std::size_t sample) noexcept {
  return block.t0 + daq::Duration{std::llround(static_cast<double>(sample) * block.period_ns)};
}

/// What the stage said at one instant.
struct PositionReport {
  daq::HostTime at;
  daq::Duration bound{};
  rig::Position position_m{};
};

/// From one report to the next. `from` before `to`.
struct ReadbackStretch {
  PositionReport from;
  PositionReport to;
  [[nodiscard]] double speed_m_s(std::size_t axis) const noexcept {
    return (to.position_m[axis] - from.position_m[axis]) / daq::seconds(to.at - from.at);
  }
  [[nodiscard]] bool holds(daq::HostTime at) const noexcept { return at >= from.at && at < to.at; }
  /// On the line; meant for instants that it holds.
  [[nodiscard]] double position_m(std::size_t axis, daq::HostTime at) const noexcept {
    return from.position_m[axis] + speed_m_s(axis) * daq::seconds(at - from.at);
  }
};

/// Reports in, stretches out. One thread at a time.
class ReadbackLine {
 public:
  /// Reports further apart than this are no line: the stage was silent.
  static constexpr daq::Duration kLongest = std::chrono::milliseconds(250);
  /// The stretch that `next` ends; none after silence, for the first report, or for one that is not later than the
  /// last.
  std::optional<ReadbackStretch> add(const PositionReport& next) noexcept {
    const auto before = last_;
    last_ = next;
    if (!before || next.at <= before->at || next.at - before->at > kLongest) return {};
    return ReadbackStretch{*before, next};
  }
  [[nodiscard]] const std::optional<PositionReport>& last() const noexcept { return last_; }

 private:
  std::optional<PositionReport> last_;
};

}  // namespace strigil::protocols
