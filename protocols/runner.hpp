// Runner: carries out a plan on the rig, one tick at a time, and measures what was really delivered.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/latest.hpp"
#include "protocols/dose_picture.hpp"
#include "protocols/plan.hpp"
#include "protocols/resumption.hpp"
#include "protocols/statistics.hpp"
#include "rig/behaviour.hpp"

namespace strigil::protocols {

/// Why a step ended.
enum class StepOutcome : std::uint8_t {
  kDone,
  kNoContact,  ///< the approach came to its deepest point and felt nothing
  kTooSoft,    ///< the press came to the deepest point below its force
  kTooStiff,   ///< the next step of the press could exceed the protocol's limit of force
  kTimeout,
  kMoveRefused,   ///< by the interlock or by the stage
  kInterlock,     ///< a fault was latched
  kEarlyContact,  ///< the fast way down to the start met something
  kOverforce,     ///< the protocol's limit of force was exceeded and the runner let go
  kLostContact,   ///< held: contact was lost and not found again down to the deepest point
  kCannotHold,    ///< held: this stage is too slow for a thing as stiff as this at this speed
  kDose,          ///< an area has received what [dose] allows it
  kInterrupted,   ///< by a suspension: what it did does not count, and it is done again after it
  kSuspendedTooLong,
};
std::string_view name_of(StepOutcome outcome) noexcept;

/// What one step did, by readback and by the force sensor.
struct StepResult {
  std::size_t step = 0;
  StepKind kind = StepKind::kLift;
  std::size_t condition = 0;
  StepOutcome outcome = StepOutcome::kDone;
  daq::HostTime began;
  daq::HostTime ended;
  rig::Position from_m{};
  rig::Position to_m{};
  rig::Position low_m{};   ///< of each axis, the lowest readback from the first to the last tick
  rig::Position high_m{};  ///< and the highest: a way may lead beyond both its ends
  std::uint64_t force_samples = 0;   ///< that came; more than the statistics hold when a tick took in several at once
  RunningStatistics normal_force_N;  ///< of the newest force sample of each tick that had one
  RunningStatistics tangential_force_N;
  RunningStatistics vibration_m_s2;  ///< RMS of the newest vibration block of each tick that had one
  std::uint64_t in_contact = 0;      ///< of those of normal_force_N: at or above half the contact force
  std::uint64_t longest_same = 0;    ///< most samples in a row with the very same normal force

  // kStroke: while the readback was on its way, neither at the start nor at the end
  RunningStatistics moving_normal_force_N;
  RunningStatistics moving_tangential_force_N;
  RunningStatistics moving_vibration_m_s2;
  std::uint64_t moving_in_contact = 0;
  std::uint64_t middle_reports = 0;                                    ///< position reports within the middle 60 %
  double middle_speed_m_s = std::numeric_limits<double>::quiet_NaN();  ///< slope through them; NaN below 3

  // held
  RunningStatistics moving_force_error_N;  ///< normal force minus what was wished of that sample, while moving
  double planned_middle_speed_m_s =
      std::numeric_limits<double>::quiet_NaN();  ///< of the way's profile, as middle_speed
  double wished_N = 0;                           ///< kPress: the force it was to come to
  double stiffness_N_m = 0;                      ///< kPress, kSurvey, kStroke: learned by touching
  double expected_error_N = 0;                   ///< kSurvey, kStroke: RMS, at this stiffness and speed

  bool repeated = false;   ///< done again, or on the way to what is done again, after a suspension
  double suspended_s = 0;  ///< kPress, kDwell: the force was held so long for a suspension, and the step went on then
  bool while_suspended = false;  ///< it was suspended when the run ended

  double zero_N = std::numeric_limits<double>::quiet_NaN();  ///< kRetract: mean normal force once clear
  /// Fraction of the force samples in contact; 0 without samples.
  [[nodiscard]] double contact_fraction() const noexcept {
    const auto n = normal_force_N.count();
    return n == 0 ? 0 : static_cast<double>(in_contact) / static_cast<double>(n);
  }
  /// The same while moving.
  [[nodiscard]] double moving_contact_fraction() const noexcept {
    const auto n = moving_normal_force_N.count();
    return n == 0 ? 0 : static_cast<double>(moving_in_contact) / static_cast<double>(n);
  }
};

/// What a suspended run does.
enum class Suspension : std::uint8_t {
  kNone,
  kHolding,  ///< in contact, at rest: the force (or the depth) is held
  kLifting,  ///< to the clear height
  kClear,    ///< there, until it goes on
};
std::string_view name_of(Suspension suspension) noexcept;

/// For a screen; trivially copyable.
struct Progress {
  std::size_t step = 0;
  std::size_t steps = 0;
  StepKind kind = StepKind::kLift;
  std::size_t condition = 0;
  double elapsed_s = 0;
  double estimated_s = 0;  ///< of the whole run: what is gone and what the steps left are expected to take
  double normal_force_N = 0;
  Suspension suspension = Suspension::kNone;
  double suspension_left_s = 0;  ///< kHolding: until it lifts; else until the run ends by itself
};

/// Loop thread; step() is noexcept and allocates nothing. A depth is held with point-to-point moves, by any stage: a
/// press is a sequence of small ones, each sized from the stiffness seen so far. A force is held by force control, with
/// a wish for a force and a velocity in every tick from the press to the retract.
///
/// Suspended (runner_suspended.cpp), a stroke comes to rest at once and is lost: it never counts, and is done again
/// from its beginning (resumption.hpp). Contact is held for [suspend] hold_s at most, while force and dose are watched
/// as ever, then the instrument is lifted. A dwell or a held press that goes on before that goes on where it was.
class Runner final : public rig::Behaviour {
 public:
  /// `plan` must outlive the runner.
  explicit Runner(const Plan& plan);
  rig::Demand step(const rig::Readings& readings, daq::HostTime now, rig::EventSink& events) noexcept override;
  rig::Demand suspended(const rig::Readings& readings, daq::HostTime now, rig::EventSink& events) noexcept override;
  [[nodiscard]] bool may_suspend() const noexcept override {
    return state_ == rig::BehaviourState::kRunning && suspensions_ < kMostSuspensions;
  }
  [[nodiscard]] rig::BehaviourState state() const noexcept override { return state_; }
  [[nodiscard]] bool wants_tare() const noexcept override { return taring_; }
  [[nodiscard]] const Progress& progress() const noexcept { return progress_; }
  /// How often it was suspended, and for how long in all. After the run.
  [[nodiscard]] std::size_t suspensions() const noexcept { return suspensions_; }
  [[nodiscard]] double suspended_s() const noexcept { return daq::seconds(suspended_for_); }
  /// One for each step begun, in that order; a step that was interrupted and done again is there twice. A phase whose part
  /// of the dose was used up has contacts of which no step began. After the run.
  [[nodiscard]] const std::vector<StepResult>& results() const noexcept { return results_; }
  /// What each area had received a tenth of a second ago at the most; no areas without [dose]. Any thread.
  [[nodiscard]] DosePicture dose_picture() const noexcept { return dose_picture_.load(); }
  /// What each area has received; nullptr without [dose]. After the run.
  [[nodiscard]] const DoseAccount* dose() const noexcept { return dose_ ? &*dose_ : nullptr; }
  /// Why treatment of an area ended, in words; empty while it did not. Off the loop.
  [[nodiscard]] std::string dose_reason() const;

 private:
  enum class Phase : std::uint8_t { kBegin, kMoving, kStopping, kSettling, kReturning, kMeasuring };
  rig::Demand carry_out(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand approach(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand press(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand press_on(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand retract(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand tap(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand held(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  void press_held(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events,
                  rig::Demand& demand) noexcept;
  void stroke_held(const Step& step, const rig::Readings& r, daq::HostTime now, rig::EventSink& events,
                   rig::Demand& demand) noexcept;
  void dose_interrupt() noexcept;
  [[nodiscard]] bool dosed(const Step& step) const noexcept;
  void leave_out_phase() noexcept;
  void add_dose(const rig::Readings& r) noexcept;
  [[nodiscard]] StepOutcome dose_danger(const Step& step, const rig::Readings& r) const noexcept;
  rig::Demand wait(const Step& step, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand go(const rig::Position& target, double speed_m_s) noexcept;
  [[nodiscard]] rig::Position target_of(const Step& step, const rig::Readings& r) const noexcept;
  void start(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  void begin(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  void end(StepOutcome outcome, daq::HostTime now, rig::EventSink& events) noexcept;
  void observe(const rig::Readings& r) noexcept;
  void observe_force(const rig::Readings& r) noexcept;
  void suspend(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  void resume(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  void interrupt(daq::HostTime now, rig::EventSink& events) noexcept;
  void lift(daq::HostTime now, rig::EventSink& events) noexcept;
  void fail_suspended(StepOutcome outcome, daq::HostTime now, rig::EventSink& events) noexcept;
  rig::Demand hold_on(const rig::Readings& r, daq::HostTime now, rig::EventSink& events) noexcept;
  [[nodiscard]] StepOutcome suspended_danger(const rig::Readings& r, daq::HostTime now) const noexcept;
  void observe_stroke_position(const rig::Readings& r, StepResult& result) noexcept;
  [[nodiscard]] StepOutcome danger(const Step& step, const rig::Readings& r) const noexcept;
  void enter(Phase phase, daq::HostTime now) noexcept;

  /// A readback this far from an end of a held stroke is on its way.
  static constexpr double kHeldUnderWay_m = 0.2e-3;
  /// The middle of a stroke, where its speed is told: ramps at both ends are left out.
  static constexpr double kMiddleFrom = 0.2;
  static constexpr double kMiddleTo = 0.8;
  static constexpr daq::Duration kTellDose = std::chrono::milliseconds(100);
  /// Room is kept for what so many do again.
  static constexpr std::size_t kMostSuspensions = 32;

  const Plan& plan_;
  rig::BehaviourState state_ = rig::BehaviourState::kRunning;
  std::size_t index_ = 0;
  Resumption way_;            // on which the steps are gone through; of the last suspension
  Step step_;                 // index_, as it is carried out
  bool open_ = false;         // it has begun and not ended
  daq::HostTime step_began_;  // moved on by what it was suspended for
  Phase phase_ = Phase::kBegin;
  daq::HostTime phase_began_;
  daq::HostTime run_began_;
  bool begun_ = false;
  bool taring_ = false;
  std::uint32_t move_ = 0;
  rig::Position last_m_{};
  std::uint64_t force_samples_ = 0;
  std::uint64_t vibration_samples_ = 0;
  bool tared_ = false;
  int touching_ = 0;  // force samples in a row at or above the guard
  int early_ = 0;     // the same at or above the guard of the fast way down
  int over_ = 0;      // the same above the protocol's limit
  double last_force_N_ = 0;
  std::uint64_t same_ = 0;  // force samples in a row with the same value
  bool under_way_ = false;  // readback has left the start and not come to the end
  bool arrived_ = false;
  daq::HostTime last_report_;
  Slope middle_;
  RunningStatistics window_;   // force since kMeasuring began
  double stiffness_N_m_ = 0;   // seen so far; 0: not yet
  double window_force_N_ = 0;  // of the window before, at window_z_m_
  double window_z_m_ = 0;
  bool window_known_ = false;
  double tap_bottom_m_ = 0;
  // held
  PathFollower follower_;
  FollowPoint follow_;        // of the last tick; at rest between strokes
  double held_force_N_ = 0;   // wished where the instrument is
  double wished_N_ = 0;       // in the last tick
  std::uint32_t passes_ = 0;  // of surveys and strokes that are over
  Slope planned_middle_;
  std::optional<DoseAccount> dose_;
  daq::Latest<DosePicture> dose_picture_;
  daq::HostTime dose_told_;
  // suspended
  Suspension suspension_ = Suspension::kNone;
  std::size_t suspensions_ = 0;
  std::size_t repeats_before_ = 0;  // steps up to here are done again
  daq::HostTime suspended_at_;
  daq::HostTime lifting_at_;
  daq::Duration suspended_for_{};
  Progress progress_;
  std::vector<double> left_s_;  // expected from the beginning of each step to the end of the plan
  std::vector<StepResult> results_;
};

}  // namespace strigil::protocols
