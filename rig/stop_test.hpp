// Stop test: does the rig still stop as it did? Run onto the bench's hard stop, and stopped in free air.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "rig/behaviour.hpp"
#include "rig/bench.hpp"

namespace strigil::rig {

enum class StopTestKind : std::uint8_t {
  kForceTrip,  ///< down onto the hard stop at [taps], until the interlock trips at [stop_test] trip_N
  kAbort,      ///< along x at the clear height, until somebody asks for an abort half-way
};
std::string_view name_of(StopTestKind kind) noexcept;

enum class StopTestOutcome : std::uint8_t {
  kUnderWay,
  kMoveRefused,
  kLoadedBefore,  ///< the force was half of trip_N before anything was touched
  kNeverTripped,  ///< the way was over and nobody had stopped it
  kTimeout,
};
std::string_view name_of(StopTestOutcome outcome) noexcept;

/// Brings the stage to where the test begins, and then moves until it is stopped from outside. Never ends by itself
/// while all is well: state() is kFailed when it came to the end of its way. Loop thread; what it says, after the loop.
class StopTest final : public Behaviour {
 public:
  /// `bench` has [taps] and [stop_test].
  StopTest(StopTestKind kind, const BenchConfig& bench);
  Demand step(const Readings& readings, daq::HostTime now, EventSink& events) noexcept override;
  [[nodiscard]] BehaviourState state() const noexcept override;

  /// The move that is to be stopped is under way.
  [[nodiscard]] bool measuring() const noexcept { return at_ == kMeasured; }
  /// kAbort: half-way, now is the time.
  [[nodiscard]] bool wants_abort() const noexcept { return wants_abort_; }
  [[nodiscard]] StopTestOutcome outcome() const noexcept { return outcome_; }

 private:
  enum Place : std::size_t { kLift, kTraverse, kStart, kSettle, kMeasured };
  [[nodiscard]] Position target(const Readings& r) const noexcept;
  [[nodiscard]] double speed_m_s() const noexcept;
  StopTestKind kind_;
  const BenchConfig& bench_;
  std::size_t at_ = kLift;
  std::uint32_t move_ = 0;
  Position target_m_{};
  daq::HostTime began_;
  bool wants_abort_ = false;
  StopTestOutcome outcome_ = StopTestOutcome::kUnderWay;
};

/// One tick of a stop test, from the beginning of the measured move to the end.
struct StopTestRow {
  daq::HostTime at;
  daq::HostTime force_t0;
  double force_N = 0;  ///< untared, normal
  daq::HostTime position_t0;
  Position position_m{};
  bool stopping = false;  ///< the supervisor lifts, or is over
};

/// What one stop cost. Times count from the acquisition of the first force beyond trip_N, or from the abort.
struct StopTestFigures {
  StopTestKind kind = StopTestKind::kForceTrip;
  double noticed_s = 0;   ///< until the rig knew
  double stopped_s = 0;   ///< until the stage was where it went no further
  double released_s = 0;  ///< until the force was below half of trip_N; 0 for an abort
  double travel_m = 0;    ///< way in that time
  double peak_N = 0;      ///< highest force; 0 for an abort
};

/// Pure. Position is told between two reports by a straight line; what is shorter than a report's period is not seen.
/// Errors: the stop or the rest is not in the trace.
daq::Result<StopTestFigures> stop_test_figures(StopTestKind kind, const std::vector<StopTestRow>& trace, double trip_N);

}  // namespace strigil::rig
