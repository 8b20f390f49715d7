// Calibration of the instrument itself, in its clamp on the rig: mass and centre of mass, stiffness and friction of its
// edge, bending modes, and how well it carries vibration from edge to grip. docs/calibrate.md, Instrument.
#pragma once

#include "protocols/calibrate/instrument_plan.hpp"
#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// Immutable; any thread.
class InstrumentProcedure final : public Procedure {
 public:
  explicit InstrumentProcedure(InstrumentPlan plan);
  [[nodiscard]] const std::vector<ProcedureStep>& steps() const override { return steps_; }
  /// The instrument by its own serial number, and how it is held.
  [[nodiscard]] ProcedureSubject subject(const rig::BenchConfig& bench) const override {
    return {bench.instrument.serial, bench.instrument.setting};
  }
  [[nodiscard]] bool measures_forces() const override { return plan_.weighs || plan_.presses || plan_.rubs; }
  [[nodiscard]] daq::Result<ProcedureResult> evaluate(const ProcedureData& data,
                                                      const ProcedureSetup& setup) const override;
  [[nodiscard]] const InstrumentPlan& plan() const noexcept { return plan_; }
  /// For who evaluates part of it.
  [[nodiscard]] const InstrumentSteps& at() const noexcept { return at_; }

 private:
  std::size_t add(ProcedureStep step);
  std::size_t measure(const std::string& name, double duration_s, bool keep = false);
  void ask(HandsTask task, const std::string& name, const std::string& words);
  void tilt(double lean_rad);
  void add_weighing();
  void add_block();
  void press(double force_N);
  void rub(double force_N);
  void add_vibration();
  std::size_t taps(const char* tip, double pulse_s, double impulse_N_s);

  InstrumentPlan plan_;
  InstrumentSteps at_;
  std::vector<ProcedureStep> steps_;
};

}  // namespace strigil::protocols
