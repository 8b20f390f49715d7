// Force calibration by loads put on by hand: series after ISO 376 with rotations (ASTM E74 and ISO 7500-1 are judged
// from the same readings), creep and zero return, loads from the side for crosstalk, and the empty rig's zero over its
// travel. docs/calibrate.md has the plan and the budget.
#pragma once

#include <string>
#include <vector>

#include "calibration/force_record.hpp"
#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// [force] of a procedure file. SI units.
struct ForcePlan {
  bool verifies = false;         ///< the rig as a testing machine, with the calibration in use (ISO 7500-1)
  std::vector<double> forces_N;  ///< rising, > 0
  double warm_up_s = 0;          ///< before anything is read: sensor and electronics under power, the bench still
  int preloads = 3;              ///< at the first position; one after each turn
  double preload_s = 60;
  double settle_s = 30;  ///< from a change of load to its reading
  double read_s = 2;
  std::vector<double> positions_rad;    ///< three, the first is that of X1 and X2
  double creep_s = 300;                 ///< 0: no creep test
  std::vector<double> lateral_N;        ///< loads along +-x and +-y; empty: crosstalk is not measured
  std::vector<rig::Position> places_m;  ///< where the empty rig's zero is read; empty: it is not
  double place_speed_m_s = 20e-3;
  bool read_temperature = false;      ///< of the bench, asked for beside every series
  std::vector<double> temperature_C;  ///< the bench is brought to each, and the forces are put on; empty: it is not
  int degree = 3;        ///< of ISO 376's interpolation
  int curve_degree = 1;  ///< of the curve that runs use, where crosstalk is not measured
  std::string standard;  ///< "ISO 376", "ASTM E74": which of the two the record's class is of

  // What nobody measures here, for the budget.
  double sensitivity_per_K = 0;  ///< relative, of the data sheet
  double use_low_C = 18, use_high_C = 28;
  /// Where runs tare and stroke, for the zero over the travel. Not given: the places' own box and the clear height.
  calibration::TravelBox use_m{};
  double lateral_ratio = 0.3;          ///< a run's drag is at most so much of its normal force [A]
  double crosstalk_unmeasured = 0.02;  ///< of the lateral force, where it is not measured: 1-2 % are usual [M]
  double direction_rad = 0.0035;       ///< a load may hang askew by so much [A]
};

/// Where the readings of one series stand among the steps.
struct ForceSeriesSteps {
  double azimuth_rad = 0;
  std::size_t zero_before = 0;
  std::size_t zero_after = 0;
  std::vector<std::size_t> rising;   ///< step of each force
  std::vector<std::size_t> falling;  ///< of each force below the last, in the order of the forces; may be empty
};

/// A side load: up and down again.
struct LateralSteps {
  rig::Axis axis = rig::kX;
  double sign = 1;
  std::size_t zero_before = 0;
  std::size_t zero_after = 0;
  std::vector<std::size_t> loads;  ///< steps
  std::vector<double> force_N;     ///< along the axis, signed
  std::vector<double> normal_N;    ///< beside it
  bool validates = false;          ///< not in the fit
};

/// The forces at one temperature.
struct WarmSteps {
  std::size_t temperature = 0;  ///< where it was read
  std::size_t zero = 0;
  std::vector<std::size_t> loads;
};

/// Immutable; any thread.
class ForceProcedure final : public Procedure {
 public:
  /// Precondition: read_force_procedure() took the plan.
  ForceProcedure(ForcePlan plan, const ProcedureSetup& setup);
  [[nodiscard]] const std::vector<ProcedureStep>& steps() const override { return steps_; }
  [[nodiscard]] bool on_force_record() const override { return plan_.verifies; }
  [[nodiscard]] double largest_load_N() const override { return loads_.back().nominal_N; }
  [[nodiscard]] daq::Result<ProcedureResult> evaluate(const ProcedureData& data,
                                                      const ProcedureSetup& setup) const override;

 private:
  /// A force as it is put on: what the reference says that it is.
  struct Load {
    double nominal_N = 0;
    double force_N = 0;
    double u_N = 0;  ///< standard
    std::string words;
  };
  friend class ForceSteps;
  friend class ForceEvaluation;

  ForcePlan plan_;
  static Load load_of(double nominal_N, const ReferenceStandard& reference);

  std::vector<Load> loads_;
  std::vector<Load> lateral_;
  std::vector<ProcedureStep> steps_;
  std::vector<ForceSeriesSteps> series_;  ///< X1, X2, X3 (with X4), X5 (with X6)
  std::vector<LateralSteps> laterals_;
  std::vector<std::size_t> creep_;     ///< readings under the largest force, by time
  std::vector<std::size_t> recovery_;  ///< after it was taken off
  std::size_t creep_zero_ = 0;
  std::vector<std::size_t> places_;
  std::vector<std::size_t> temperatures_;  ///< where it was read beside the series
  std::vector<WarmSteps> warm_;
};

}  // namespace strigil::protocols
