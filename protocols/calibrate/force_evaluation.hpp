// ForceEvaluation: from the windows of a force procedure to a record: readings, standards, fit, budget.
#pragma once

#include "calibration/conversion.hpp"
#include "calibration/fit/least_squares.hpp"
#include "calibration/standards/astm_e74.hpp"
#include "calibration/standards/iso376.hpp"
#include "calibration/standards/machine_force.hpp"
#include "calibration/standards/temperature_effect.hpp"
#include "protocols/calibrate/force_readings.hpp"

namespace strigil::protocols {

/// One evaluation; a value of its steps lives as long as evaluate().
class ForceEvaluation {
 public:
  ForceEvaluation(const ForceProcedure& procedure, const ProcedureData& data, const ProcedureSetup& setup);
  daq::Result<ProcedureResult> go();

 private:
  using Load = ForceProcedure::Load;

  // force_readings.cpp
  daq::Result<void> read();
  [[nodiscard]] ForceSignals mean_of(std::size_t step) const;
  [[nodiscard]] double time_of(std::size_t step) const;
  [[nodiscard]] ForceReading reading(std::size_t step, std::size_t zero_before, std::size_t zero_after) const;
  [[nodiscard]] double pressing(const ForceSignals& signal) const { return axes_.sign * signal[axes_.normal]; }
  void read_creep();
  [[nodiscard]] calibration::Interval temperatures() const;

  // force_standards.cpp
  daq::Result<void> judge();
  daq::Result<void> judge_iso376();
  void explain_zero(double f0_pct);
  daq::Result<void> judge_e74();
  void classify(const calibration::TableIdentity& table, const std::string& result, const std::string& rule);

  // force_machine.cpp
  [[nodiscard]] calibration::MachineReadings machine_readings() const;
  [[nodiscard]] double machine_expanded_pct(const calibration::MachineForce& force) const;
  daq::Result<calibration::MachineAssessment> judge_machine();
  daq::Result<ProcedureResult> verification();

  // force_evaluation.cpp
  void say_conditions();
  daq::Result<void> fit();
  void quantities();
  void tables();
  [[nodiscard]] Eigen::VectorXd row_of(const ForceSignals& signal) const;
  [[nodiscard]] ForceSignals value_of(const ForceSignals& signal) const;

  // force_budget.cpp
  /// Standard uncertainties of a value of one channel, N, each with its degrees of freedom.
  struct Part {
    std::string name;
    std::string distribution;
    double u_N = 0;
    double dof = 0;  ///< 0: infinite
  };
  [[nodiscard]] std::vector<Part> parts_of(std::size_t channel, double force_N) const;
  /// Root sum of squares.
  [[nodiscard]] static double combined(const std::vector<Part>& parts);
  /// t of the effective degrees of freedom, at least 2.
  [[nodiscard]] static double factor(const std::vector<Part>& parts);
  void find_effects();
  void find_zero_over_travel();
  daq::Result<void> find_temperature();
  void find_interpolation();

  const ForceProcedure& p_;
  const ProcedureData& data_;
  const ProcedureSetup& setup_;
  ForceAxes axes_;
  ForceReadings r_;
  ProcedureResult out_;
  bool matrix_ = false;                             ///< crosstalk was measured: three channels together
  std::vector<calibration::LeastSquaresFit> fits_;  ///< by channel (matrix), or of the normal one
  // effects, of the normal channel
  std::vector<double> gap_N_;  ///< by force: falling less rising
  double interpolation_N_ = 0;
  double lateral_gap_N_ = 0;
  double creep_ = 0;      ///< relative: from the reading's time on
  double zero_N_ = 0;     ///< largest change of zero over a series
  calibration::ForceTravel travel_;  ///< its zero where runs go
  double mounting_ = 0;   ///< relative standard uncertainty of the mean of the positions
  double reference_ = 0;  ///< relative standard uncertainty
  double per_K_ = 0;      ///< relative, of the sensitivity: measured and its uncertainty beside it, or the data sheet's
  calibration::Conversion conversion_;  ///< of the calibration in use; verifications alone
  std::string machine_words_;           ///< what ISO 7500-1 and ASTM E4 say
};

}  // namespace strigil::protocols
