// StageMap: a stage's error map as the rig applies it. What the stage counts becomes where it truly is, and a wish for
// true places becomes one for counts, before the interlock sees it: the interlock judges what goes to the wire.
#pragma once

#include <array>
#include <optional>

#include "calibration/record/record.hpp"
#include "calibration/standards/pitch_table.hpp"
#include "daq/result.hpp"
#include "rig/bench.hpp"
#include "rig/readings.hpp"

namespace strigil::rig {

/// One axis: pitch error and backlash by direction of approach. Known everywhere, so that the loop never stands without
/// an answer: beyond its table the deviation stays what it is at the table's end. Trivially copyable, noexcept.
class AxisMap {
 public:
  AxisMap() = default;  ///< nothing known: true is what is counted
  explicit AxisMap(const calibration::PitchTable& table) noexcept : table_(table) {}
  [[nodiscard]] bool known() const noexcept { return !table_.nodes().empty(); }
  /// Where the axis truly is when it came to `counted_m` this way (m).
  [[nodiscard]] double position(double counted_m, calibration::Approach approach) const noexcept;
  /// What it counts when it came to `position_m` this way. Undoes position().
  [[nodiscard]] double counted(double position_m, calibration::Approach approach) const noexcept;
  /// Counted way by true way, about `position_m`.
  [[nodiscard]] double slope(double position_m, calibration::Approach approach) const noexcept;
  /// Counted way from the falling to the rising side at `position_m`: the backlash; 0 where the table has it negative.
  [[nodiscard]] double play(double position_m) const noexcept;

 private:
  calibration::PitchTable table_;
};

/// All axes; those without a table are as they are counted. Value; any thread.
class StageMap {
 public:
  /// From a record's quantities "x", "y" and "z" (calibration/stage_record.hpp). Errors: it has none of them, a table
  /// is missing or cannot be undone, or it would move an axis by more than the interlock's travel margin.
  [[nodiscard]] static daq::Result<StageMap> make(const calibration::Record& record, const BenchConfig& bench);

  [[nodiscard]] const AxisMap& axis(std::size_t a) const noexcept { return axes_[a]; }
  [[nodiscard]] double travel_min_m(std::size_t a) const noexcept { return travel_min_m_[a]; }
  [[nodiscard]] double travel_max_m(std::size_t a) const noexcept { return travel_max_m_[a]; }

 private:
  std::array<AxisMap, kAxes> axes_;
  Position travel_min_m_{};
  Position travel_max_m_{};
};

/// Follows what is counted through the play: within it the axis stands still. Until an axis has moved by its backlash
/// the middle of both sides is told. One thread, noexcept, no allocation.
class StageFollower {
 public:
  [[nodiscard]] Position follow(const StageMap& map, const Position& counted_m) noexcept;

 private:
  struct Seen {
    bool known = false;
    double counted_m = 0;
    double position_m = 0;
  };
  std::array<Seen, kAxes> seen_{};
};

/// Turns demands for true places and velocities into demands for counts. Loop thread, noexcept, no allocation.
///
/// A move goes to the count that its target has from the side it comes from; the target of one move_id is worked out
/// once. A velocity is scaled by the map's slope, and where it turns round the play is gone through by up to the
/// velocity's own speed more, until it is made up for: what is wished for and what is moved differ by no more than the
/// backlash meanwhile. Under a held force z has its slope alone: there the load keeps it on one side.
class StageCorrection {
 public:
  /// `pressed`: the demand was for a force, and its z is the force control's.
  [[nodiscard]] Demand apply(const StageMap& map, const Demand& demand, const Readings& readings, daq::HostTime now,
                             bool pressed) noexcept;

 private:
  void aim(const StageMap& map, const Demand& demand, const Readings& readings) noexcept;
  [[nodiscard]] double velocity(const StageMap& map, std::size_t axis, double wished_m_s, const Readings& readings,
                                double dt, bool pressed) noexcept;
  std::uint32_t move_id_ = 0;
  Position target_m_{};
  bool streaming_ = false;
  daq::HostTime streamed_;
  Position wound_m_{};  // of the play, from the falling side; while streaming
  std::array<calibration::Approach, kAxes> approach_{};
};

}  // namespace strigil::rig
