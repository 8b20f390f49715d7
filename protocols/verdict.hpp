// Verdict: PASS, FAIL or INVALID from physical truth, with a reason for each thing that was not as it should be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daq/ledger.hpp"
#include "protocols/force_calibration.hpp"
#include "protocols/stage_calibration.hpp"
#include "protocols/plan.hpp"
#include "protocols/runner.hpp"
#include "protocols/timing_certificate.hpp"
#include "protocols/vibration_calibration.hpp"

namespace strigil::protocols {

/// PASS: everything that was to happen happened and met its criteria. FAIL: a trustworthy measurement missed a
/// criterion. INVALID: something needed for trust was missing, so nothing is said of the instrument.
enum class Judgement : std::uint8_t { kPass, kFail, kInvalid };
std::string_view name_of(Judgement judgement) noexcept;

/// What the run knows about one stream when it is over.
struct StreamEvidence {
  std::string name;
  std::uint64_t samples = 0;  ///< taken in during the run
  double duration_s = 0;
  double rate_Hz = 0;          ///< nominal; 0 when irregular
  std::uint64_t unlocked = 0;  ///< samples whose acquisition time rests on a clock fit that is not trusted
};

/// Everything the judge looks at.
struct RunEvidence {
  std::vector<StepResult> steps;
  bool plan_finished = false;
  bool aborted = false;  ///< by the operator
  bool emergency_stopped = false;
  bool reached_clear = false;  ///< the last retract was seen to arrive
  std::string faults;          ///< latched interlock causes in words; empty: none
  std::string fault_advice;
  std::string recorder_failure;  ///< empty: none
  std::vector<StreamEvidence> streams;
  std::vector<daq::LedgerRow> ledger;  ///< of every stream, hop by hop
  TimingCertificate timing;
  ForceCalibration calibration;
  StageCalibration stage_calibration;
  VibrationCalibration vibration_calibration;
  std::size_t suspensions = 0;  ///< how often the run was suspended
  double suspended_s = 0;       ///< and for how long in all
  std::string dose_reason;      ///< why treatment of an area ended; empty: it did not
  struct Rejected {
    std::string stream;
    std::uint64_t pieces = 0;
  };
  std::vector<Rejected> rejected;  ///< what came over a device's line during the run and was no word of it
};

/// One sentence for a person: what happened, what the rig did, what to check. Of weight kPass: to be known, no fault.
struct Reason {
  Judgement weight = Judgement::kInvalid;
  std::string text;
  std::size_t condition = kNoCondition;  ///< index into Plan::conditions, or kNoCondition for the whole run
  static constexpr std::size_t kNoCondition = static_cast<std::size_t>(-1);
};

/// One stroke as measured.
struct StrokeResult {
  std::size_t condition = 0;
  Judgement judgement = Judgement::kPass;
  double mean_normal_force_N = 0;  ///< while moving, as are deviation, drag and vibration
  ForceUncertainty force_uncertainty;  ///< of the mean
  double deviation_N = 0;
  double peak_N = 0;  ///< of the whole step
  double mean_tangential_force_N = 0;
  double contact_fraction = 0;  ///< the smaller of while moving and of the whole step
  double length_m = 0;
  double speed_m_s = 0;       ///< over the middle 60 % by readback; NaN when not told
  double duration_s = 0;      ///< of the whole step, from the wish to the stage at rest
  std::uint64_t samples = 0;  ///< of force, while moving
  double vibration_m_s2 = 0;
  VibrationUncertainty vibration_uncertainty;  ///< of it
  std::size_t interrupted = 0;  ///< times it was broken off by a suspension before this pass, which went all the way
  // held
  bool held = false;
  double force_rms_N = 0;    ///< RMS of the force's difference from the wish, while moving
  double overshoot = 0;      ///< of the press before it, as a fraction of the force wished; below 0: none
  double stiffness_N_m = 0;  ///< learned by touching
};

struct Verdict {
  Judgement judgement = Judgement::kInvalid;
  std::vector<Reason> reasons;
  std::vector<StrokeResult> strokes;
  ForceCalibration calibration;         ///< of the forces
  StageCalibration stage_calibration;  ///< of the positions
  VibrationCalibration vibration_calibration;  ///< of the vibrations
  /// Indices into Plan::conditions: not needed any more, since the phase's part of the dose had been received.
  std::vector<std::size_t> left_out = {};
};

/// Pure. INVALID outweighs FAIL outweighs PASS; an empty run is INVALID.
Verdict judge(const Plan& plan, const RunEvidence& evidence);

}  // namespace strigil::protocols
