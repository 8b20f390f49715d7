// Calibration of an accelerometer by comparison with a reference on an exciter, after ISO 16063-21 (metrology.md 2.1
// [M], "method based on"): sines at several frequencies with several mountings, amplitudes at the reference frequency,
// a chirp for the response between. Both sensors are channels of one stream, sampled at the same instants.
#pragma once

#include <string>
#include <vector>

#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// Where the chirp goes; period_s 0: there is none.
struct ChirpPlan {
  double from_Hz = 0;
  double to_Hz = 0;
  double period_s = 0;
  double duration_s = 0;  ///< of all
  double amplitude_m_s2 = 0;
};

/// What no reading shows. Half-widths, rectangular, but for `transverse`.
struct VibrationBudget {
  double channels = 0;       ///< ratio of the gains of both channels' converters, relative
  double transverse = 0.03;  ///< most that the sensor says of motion across, relative: its data sheet [A]
  double strain = 0.001;     ///< base strain, cable, motion of one sensor against the other, relative [A]
  double skew_s = 0;         ///< one channel is sampled so much after the other, at the most
  double sensitivity_per_K = 0;
  double temperature_K = 1;  ///< how far the sensor may have been from the temperature that was told [A]
  double use_low_C = 18;
  double use_high_C = 28;
};

/// [vibration] of a procedure file.
struct VibrationPlan {
  std::vector<std::size_t> axes;  ///< 0 x, 1 y, 2 z, each once
  std::string reference_channel = "ref";
  std::vector<double> frequencies_Hz;  ///< rising; the reference frequency is one of them
  std::size_t reference_point = 0;     ///< which
  double amplitude_m_s2 = 10;
  int mountings = 3;
  double settle_s = 0.5;  ///< and at least five periods
  double read_s = 1;      ///< and at least ten periods
  std::vector<double> linearity_m_s2;
  ChirpPlan chirp;
  VibrationBudget budget;
};

/// Immutable; any thread.
class VibrationProcedure final : public Procedure {
 public:
  explicit VibrationProcedure(VibrationPlan plan);
  [[nodiscard]] const std::vector<ProcedureStep>& steps() const override { return steps_; }
  /// The accelerometer; its rate is what it says itself, and goes into the record by evaluate().
  [[nodiscard]] ProcedureSubject subject(const rig::BenchConfig& bench) const override {
    return {bench.vibration.serial, bench.vibration.setting};
  }
  /// Errors: the stream has no such channels, samples were lost, a converter was at its range, the exciter did not
  /// shake as asked, chirp and sines disagree by more than 5 %.
  [[nodiscard]] daq::Result<ProcedureResult> evaluate(const ProcedureData& data,
                                                      const ProcedureSetup& setup) const override;
  [[nodiscard]] const VibrationPlan& plan() const noexcept { return plan_; }

  /// Where the readings of one axis stand among the steps.
  struct AxisSteps {
    std::vector<std::vector<std::size_t>> sines;  ///< [mounting][frequency]
    std::vector<std::size_t> linearity;           ///< first mounting
    std::size_t chirp = 0;                        ///< first mounting; 0: none
  };

 private:
  std::size_t add(ProcedureStep step);
  std::size_t shake(const rig::Excitation& excitation, double settle_s, double read_s);
  std::size_t sine(double frequency_Hz, double amplitude_m_s2);
  void add_axis(std::size_t axis);

  VibrationPlan plan_;
  std::vector<ProcedureStep> steps_;
  std::vector<AxisSteps> axes_;
};

}  // namespace strigil::protocols
