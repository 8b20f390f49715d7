// ProcedureRunner: carries out a procedure's steps on the rig, one tick at a time.
#pragma once

#include <string_view>
#include <vector>

#include "protocols/calibrate/procedure.hpp"
#include "rig/behaviour.hpp"

namespace strigil::protocols {

enum class ProcedureOutcome : std::uint8_t { kUnderWay, kDone, kMoveRefused, kMoveTimeout, kInterlock, kGivenUp, kNothingThere };
std::string_view name_of(ProcedureOutcome outcome) noexcept;

/// Loop thread; step() is noexcept and allocates nothing. Between two ticks whoever turns the rig asks waiting(), and
/// gives the answer. Nothing is wished while hands are waited for: the stage stands.
class ProcedureRunner final : public rig::Behaviour {
 public:
  /// `steps` must outlive the runner.
  ProcedureRunner(const std::vector<ProcedureStep>& steps, double clear_z_m);
  rig::Demand step(const rig::Readings& readings, daq::HostTime now, rig::EventSink& events) noexcept override;
  [[nodiscard]] rig::BehaviourState state() const noexcept override;

  /// A kHands step is under way and has no answer yet.
  [[nodiscard]] bool waiting() const noexcept;
  /// Precondition: waiting().
  void answer(const HandsAnswer& answer) noexcept;

  [[nodiscard]] ProcedureOutcome outcome() const noexcept { return outcome_; }
  /// The step under way; steps.size() when all are done.
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  /// One for each step that has begun; the last may not have ended (its `ended` is 0).
  [[nodiscard]] const std::vector<StepDone>& done() const noexcept { return done_; }
  /// Seconds from now to the end, if hands take `hands_s` each.
  [[nodiscard]] double left_s(double hands_s) const noexcept;

 private:
  void begin(const rig::Readings& readings, daq::HostTime now) noexcept;
  void end(const rig::Readings& readings, daq::HostTime now) noexcept;
  [[nodiscard]] rig::Position target(const rig::Readings& readings) const noexcept;
  rig::Demand press(const rig::Readings& readings, daq::HostTime now, double passed_s) noexcept;

  const std::vector<ProcedureStep>& steps_;
  double clear_z_m_;
  ProcedureOutcome outcome_ = ProcedureOutcome::kUnderWay;
  std::size_t at_ = 0;
  bool begun_ = false;
  bool answered_ = false;
  HandsAnswer answer_;
  std::uint32_t move_ = 0;
  rig::Position target_m_{};
  double way_m_ = 0;       // when the step began
  bool down_ = false;      // kPress
  double zero_N_ = 0;      // of kPress
  double zero_sum_N_ = 0;  // of the kZero under way
  int zero_ticks_ = 0;
  daq::HostTime now_;
  std::vector<StepDone> done_;
};

}  // namespace strigil::protocols
