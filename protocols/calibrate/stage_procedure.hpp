// Stage calibration after ISO 230-2: targets from both sides, several cycles, a displacement reference read at each.
// Its record is the stage's error map (pitch error and backlash), or, of a stage that has one, the verification of it.
#pragma once

#include <string>
#include <vector>

#include "calibration/standards/error_map.hpp"
#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// One axis of [[stage.axes]]. Metres.
struct StageAxisPlan {
  rig::Axis axis = rig::kX;
  std::vector<double> target_m;  ///< rising; spaced unevenly, so that no error that comes back with the spacing hides
  double overrun_m = 0;          ///< so far beyond the first and the last target it turns round
  double speed_m_s = 0;
  double lead_m = 0;         ///< of the screw; 0: no error that comes back with it is looked for
  rig::Position others_m{};  ///< where the other axes stand meanwhile
};

/// [stage] of a procedure file.
struct StagePlan {
  std::vector<StageAxisPlan> axes;
  bool verifies = false;  ///< with the error map in use: what is left is told, and no map made
  int cycles = 5;
  double settle_s = 0.5;                    ///< from arrival to reading
  double read_s = 0.05;                     ///< over which the stage's counts are averaged
  calibration::StageConditions conditions;  ///< but for the reference's own uncertainty
};

/// Immutable; any thread.
class StageProcedure final : public Procedure {
 public:
  explicit StageProcedure(StagePlan plan);
  [[nodiscard]] const std::vector<ProcedureStep>& steps() const override { return steps_; }
  [[nodiscard]] ProcedureSubject subject(const rig::BenchConfig& bench) const override {
    return {bench.stage.serial, bench.stage.setting};
  }
  [[nodiscard]] bool on_stage_map() const override { return plan_.verifies; }
  [[nodiscard]] daq::Result<ProcedureResult> evaluate(const ProcedureData& data,
                                                      const ProcedureSetup& setup) const override;
  /// The stops of one axis of the plan, from what was measured. Errors: no counts came in a window.
  [[nodiscard]] daq::Result<std::vector<calibration::AxisStop>> stops_of(std::size_t axis,
                                                                         const ProcedureData& data) const;
  [[nodiscard]] const StagePlan& plan() const noexcept { return plan_; }

 private:
  /// Where a stop stands among the steps.
  struct Stop {
    std::size_t axis = 0;  // of plan_
    double target_m = 0;
    calibration::Approach approach = calibration::Approach::rising;
    std::size_t counts = 0;   // kMeasure
    std::size_t reading = 0;  // kHands
  };
  std::size_t add(ProcedureStep step);
  void go_to(const StageAxisPlan& axis, double place_m);
  void stop_at(std::size_t axis, std::size_t target, int cycle, calibration::Approach approach);
  void add_axis(std::size_t axis);

  StagePlan plan_;
  std::vector<ProcedureStep> steps_;
  std::vector<Stop> stops_;
};

}  // namespace strigil::protocols
