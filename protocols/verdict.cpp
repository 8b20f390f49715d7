#include "protocols/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "protocols/failed_step.hpp"
#include "protocols/stroke_way.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMillimetresPerMetre = 1e3;
/// A regular stream that gave less than this part of what its rate promises was not alive throughout.
constexpr double kLeastSamples = 0.98;
/// The very same force for longer than this part of a stroke, and for more samples than this, is no live sensor's.
constexpr double kLongestSame = 0.25;
constexpr std::uint64_t kFewSamples = 20;
/// Presses onto the same stop come to rest this near to each other: 10 % of 5 N on 20 N/mm are 25 um, for each [A].
constexpr double kStopsApart_m = 0.1e-3;

double mm(double m) { return m * kMillimetresPerMetre; }

class Judge {
 public:
  Judge(const Plan& plan, const RunEvidence& evidence) : plan_(plan), e_(evidence) {}

  Verdict run() {
    verdict_.calibration = e_.calibration;
    verdict_.stage_calibration = e_.stage_calibration;
    verdict_.vibration_calibration = e_.vibration_calibration;
    whole_run();
    std::vector<bool> delivered(plan_.conditions.size(), false);
    for (const auto& step : e_.steps) {
      if (step.outcome == StepOutcome::kInterrupted) interrupted(step);
      if (step.outcome != StepOutcome::kDone) continue;
      if (step.kind == StepKind::kTare) tare(step);
      if (step.kind == StepKind::kRetract) zero(step, step.zero_N);
      if (step.kind == StepKind::kPress) pressed_ = &step;
      if (step.kind != StepKind::kStroke) continue;
      delivered[step.condition] = true;
      stroke(step);
    }
    left_out(delivered);
    const auto missing = std::count(delivered.begin(), delivered.end(), false);
    if (missing > 0) {
      invalid(fmt::format("{} of {} strokes were not delivered; the steps in the run file say where it stopped",
                          missing, plan_.conditions.size()));
    }
    if (plan_.conditions.empty()) invalid("the plan has no stroke: nothing was measured");
    for (auto& r : verdict_.strokes) uncertainty(r);
    verdict_.judgement = Judgement::kPass;
    for (const auto& r : verdict_.reasons) verdict_.judgement = std::max(verdict_.judgement, r.weight);
    return verdict_;
  }

 private:
  void add(Judgement weight, std::string text, std::size_t condition = Reason::kNoCondition) {
    verdict_.reasons.push_back({weight, std::move(text), condition});
  }
  void invalid(std::string text, std::size_t condition = Reason::kNoCondition) {
    add(Judgement::kInvalid, std::move(text), condition);
  }

  /// Strokes that a phase did without, as planned, because its part of the dose had been received. They are not
  /// missing; but a phase that gave nothing at all was not carried out.
  void left_out(std::vector<bool>& delivered) {
    if (!e_.plan_finished) return;
    std::vector<bool> begun(plan_.conditions.size(), false);
    for (const auto& step : e_.steps) {
      if (!plan_.steps[step.step].timing) begun[step.condition] = true;
    }
    for (std::size_t p = 0; p < plan_.phases.size(); ++p) {
      if (plan_.phases[p].dose_fraction <= 0) continue;
      std::size_t given = 0;
      for (std::size_t c = 0; c < delivered.size(); ++c) {
        if (plan_.conditions[c].phase != p) continue;
        given += delivered[c] ? 1 : 0;
        if (delivered[c] || begun[c]) continue;
        delivered[c] = true;
        verdict_.left_out.push_back(c);
      }
      if (given == 0) {
        invalid(
            fmt::format("phase '{}' gave no stroke: {:g} % of an area's dose had been received before it began; "
                        "lighten the phases before it, or raise its dose_percent or [dose]",
                        plan_.phases[p].name, 100 * plan_.phases[p].dose_fraction));
      }
    }
  }

  void tare(const StepResult& step) {
    if (step.normal_force_N.count() == 0) {
      invalid("the force sensor was to be tared and no sample came: no force of this run can be trusted");
    }
    // A suspension lifted the instrument where no retract looks at the zero: what was felt before the new one shows it.
    if (step.repeated && tared_) zero(step, step.normal_force_N.mean());
    tared_ = true;
  }

  /// A pass that a suspension broke off is told, and counts for nothing.
  void interrupted(const StepResult& step) {
    if (step.kind != StepKind::kStroke && step.kind != StepKind::kSurvey) return;
    if (step.kind == StepKind::kStroke) ++broken_off_[step.condition];
    add(Judgement::kPass,
        fmt::format(
            "the {} of {} was broken off by a suspension at x = {:.1f} mm, {:.2f} s after it began, and does not "
            "count; the phantom had that part of it before the pass that was made after it",
            name_of(step.kind), plan_.belongs_to(plan_.steps[step.step]), mm(step.to_m[rig::kX]),
            daq::seconds(step.ended - step.began)),
        step.condition);
  }

  void whole_run() {
    if (e_.suspensions > 0) {
      add(Judgement::kPass, fmt::format("the run was suspended {} time{}, for {:.1f} s in all", e_.suspensions,
                                        e_.suspensions > 1 ? "s" : "", e_.suspended_s));
    }
    if (e_.emergency_stopped) invalid("the emergency stop was pressed: the stage was killed where it stood; home it");
    if (e_.aborted) invalid("the operator aborted the run: the instrument was retracted and the file closed");
    if (!e_.faults.empty()) {
      invalid(
          fmt::format("the interlock tripped ({}) and the rig {}. {} The last seconds before it are in the run "
                      "file under /end (interlock.evidence)",
                      e_.faults, e_.reached_clear ? "retracted the instrument" : "stopped the stage", e_.fault_advice));
    }
    if (!e_.recorder_failure.empty()) {
      invalid(fmt::format("the recorder failed: {}. What it had written is in the run file", e_.recorder_failure));
    }
    failed_step();
    if (!e_.reached_clear && !e_.emergency_stopped) {
      invalid("the instrument was not seen to come clear of the phantom: check it before touching the bench");
    }
    if (e_.streams.empty()) invalid("no stream was taken in: nothing was measured");
    for (const auto& s : e_.streams) stream(s);
    for (const auto& row : e_.ledger) lost(row);
    for (const auto& s : e_.timing.streams) {
      for (const auto& problem : s.problems) invalid(problem);
    }
    for (const auto& r : e_.rejected) {
      if (r.pieces == 0) continue;
      invalid(
          fmt::format("garbage came over the line of '{}' ({} times): what else came over it cannot be trusted; "
                      "check its cable, shielding and baud rate, and who else is on its network",
                      r.stream, r.pieces));
    }
    stops();
    for (const auto& problem : daq::unbalanced(e_.ledger))
      invalid(fmt::format("the ledger does not balance: {}", problem));
  }

  /// The stop on which the stage taps has not moved: met at another height than before the strokes, the stage is not
  /// where it says. (A stop that slopes along x shows steps lost along x, too.)
  void stops() {
    const StepResult* first = nullptr;
    const StepResult* last = nullptr;
    for (const auto& step : e_.steps) {
      const bool pressed = step.kind == StepKind::kPress && step.outcome == StepOutcome::kDone;
      if (!pressed || !plan_.steps[step.step].timing) continue;
      if (first == nullptr) first = &step;
      last = &step;
    }
    if (first == nullptr) return;
    const double apart_m = last->to_m[rig::kZ] - first->to_m[rig::kZ];
    if (std::abs(apart_m) <= kStopsApart_m) return;
    invalid(
        fmt::format("the stop for the taps was met {:.2f} mm {} after the strokes than before them: the stage has lost "
                    "steps or the instrument has slipped; home the stage, check both, and the stage's load and "
                    "acceleration",
                    std::abs(mm(apart_m)), apart_m < 0 ? "lower" : "higher"));
  }

  /// Samples that a hop lost, with what to check there.
  void lost(const daq::LedgerRow& row) {
    struct Advice {
      std::string_view hop;
      const char* check;
    };
    constexpr std::array kAdvice{
        Advice{daq::hop::kWire, "check its cable or network"},
        Advice{daq::hop::kChunkRing, "this computer did not read in time: check its load"},
        Advice{daq::hop::kCodec, "they arrived damaged: check its cable, shielding and baud rate"},
        Advice{daq::hop::kRecorderRing, "the recorder did not keep up: check the disk"},
        Advice{daq::hop::kPublisherRing, "the publisher did not keep up: check the load of this computer"},
    };
    if (row.lost == 0 || daq::is_subscriber_hop(row.hop)) return;
    const auto* advice =
        std::find_if(kAdvice.begin(), kAdvice.end(), [&](const Advice& a) { return a.hop == row.hop; });
    invalid(fmt::format("{} samples of stream '{}' were lost in the {}; {}", row.lost, row.stream, row.hop,
                        advice == kAdvice.end() ? "the ledger says more" : advice->check));
  }

  /// Clear of the phantom the tared force is zero, or the zero was wrong or has moved.
  void zero(const StepResult& step, double reads_N) {
    const double allowed = plan_.protocol.contact_force_N;
    if (std::abs(reads_N) <= allowed) return;
    invalid(fmt::format("after {}: clear of the phantom the sensor reads {:.3f} N where {:g} N are allowed: its "
                        "zero has moved; check its mounting and temperature, and that nothing touched it at the tare",
                        plan_.belongs_to(plan_.steps[step.step]), reads_N, allowed),
            step.condition);
  }

  /// After all steps: the zero of a stroke is seen once it is clear.
  void uncertainty(StrokeResult& r) {
    double zero_N = std::numeric_limits<double>::quiet_NaN();
    for (const auto& step : e_.steps) {
      const bool after = step.kind == StepKind::kRetract && step.outcome == StepOutcome::kDone;
      if (after && step.condition == r.condition && !plan_.steps[step.step].timing) zero_N = step.zero_N;
    }
    const auto way = stroke_way(plan_, e_.steps, r.condition);
    r.force_uncertainty = uncertainty_of(e_.calibration, {r.mean_normal_force_N, r.deviation_N, r.duration_s,
                                                          static_cast<std::size_t>(r.samples), zero_N, way});
    const auto& c = e_.calibration;
    if (plan_.protocol.in_air) return;  // no force is said of it
    if (!travel(r, way)) return;
    if (!c.calibrated || !c.refused_outside || !std::isfinite(r.mean_normal_force_N)) return;
    if (std::isfinite(r.force_uncertainty.expanded_N)) return;
    r.judgement = Judgement::kInvalid;
    invalid(
        fmt::format("stroke {}: its mean normal force of {:.3f} N lies outside what calibration '{}' covers ({:g} to "
                    "{:g} N of {}): nothing can be said of it",
                    plan_.conditions[r.condition].name(), r.mean_normal_force_N, c.id, c.quantity.range.low,
                    c.quantity.range.high, c.quantity.channel),
        r.condition);
  }

  /// Where its cables were not looked at, nothing is known of its zero. False, and told: it was there.
  bool travel(StrokeResult& r, const std::optional<calibration::TravelBox>& way) {
    const auto& c = e_.calibration;
    const auto where = way ? outside_travel(c, *way) : "";
    if (where.empty()) return true;
    r.force_uncertainty.expanded_N = std::numeric_limits<double>::quiet_NaN();
    if (!c.refused_outside) return false;
    r.judgement = Judgement::kInvalid;
    invalid(
        fmt::format("stroke {}: it went to {}: calibration '{}' looked at the zero of the force within those alone; "
                    "calibrate with 'use_x_mm', 'use_y_mm', 'use_z_mm' of where runs stroke",
                    plan_.conditions[r.condition].name(), where, c.id),
        r.condition);
    return false;
  }

  /// What the rig did about it, as far as it was seen to.
  [[nodiscard]] const char* did() const {
    return e_.reached_clear ? "the rig retracted" : "the rig asked for a retract that was not seen to arrive";
  }

  void failed_step() {
    if (e_.plan_finished) return;
    if (e_.steps.empty()) return invalid("the run ended before its first step");
    const auto words = failed_step_words(plan_, e_, did());
    if (!words.empty()) invalid(words, e_.steps.back().condition);
  }

  void stream(const StreamEvidence& s) {
    if (s.samples == 0) {
      invalid(fmt::format("stream '{}' gave no sample; check that its device is powered and set to stream", s.name));
    }
    if (s.unlocked > 0) {
      invalid(
          fmt::format("{} of {} samples of stream '{}' carry times of an unlocked clock; check the device's tick "
                      "rate and the load of this computer",
                      s.unlocked, s.samples, s.name));
    }
    const double expected = s.rate_Hz * s.duration_s;
    if (s.rate_Hz > 0 && static_cast<double>(s.samples) < kLeastSamples * expected) {
      invalid(
          fmt::format("stream '{}' gave {} samples in {:.1f} s where its rate of {:g} Hz promises {:.0f}: the sensor "
                      "was not alive throughout",
                      s.name, s.samples, s.duration_s, s.rate_Hz, expected));
    }
  }

  void stroke(const StepResult& step) {
    const auto before = verdict_.reasons.size();
    StrokeResult r;
    r.condition = step.condition;
    r.mean_normal_force_N = step.moving_normal_force_N.mean();
    r.deviation_N = step.moving_normal_force_N.deviation();
    r.peak_N = step.normal_force_N.max();
    r.mean_tangential_force_N = step.moving_tangential_force_N.mean();
    r.contact_fraction = std::min(step.contact_fraction(), step.moving_contact_fraction());
    r.length_m = std::abs(step.to_m[rig::kX] - step.from_m[rig::kX]);
    const bool held = plan_.steps[step.step].held;
    if (held) measure_held(step, r);
    r.duration_s = daq::seconds(step.ended - step.began);
    r.speed_m_s = step.middle_speed_m_s;
    const auto& shaken = step.moving_vibration_m_s2;
    r.vibration_m_s2 = shaken.mean();
    r.vibration_uncertainty =
        uncertainty_of(e_.vibration_calibration, {r.vibration_m_s2, shaken.deviation(), r.duration_s, shaken.count()});
    r.samples = step.moving_normal_force_N.count();
    r.interrupted = broken_off_[step.condition];
    if (held) {
      held_path(step, r);
    } else {
      stroke_path(step, r);
    }
    stroke_force(step, r);
    if (held) held_force(step, r);
    stroke_vibration(step, r);
    for (auto i = before; i < verdict_.reasons.size(); ++i) {
      r.judgement = std::max(r.judgement, verdict_.reasons[i].weight);
    }
    verdict_.strokes.push_back(r);
  }

  void measure_held(const StepResult& step, StrokeResult& r) {
    r.held = true;
    r.length_m = plan_.ways[plan_.steps[step.step].way].path.length_m();
    r.force_rms_N = std::hypot(step.moving_force_error_N.mean(), step.moving_force_error_N.deviation());
    if (pressed_ == nullptr) return;
    r.stiffness_N_m = pressed_->stiffness_N_m;
    r.overshoot = pressed_->normal_force_N.max() / pressed_->wished_N - 1;
  }

  /// Did the instrument go along its way, as fast as its profile says?
  void held_path(const StepResult& step, const StrokeResult& r) {
    const auto& p = plan_.protocol;
    const auto& planned = plan_.steps[step.step];
    const auto& path = plan_.ways[planned.way].path;
    const auto name = plan_.conditions[step.condition].name();
    const auto off_m = [&](const rig::Position& at, double way_m) {
      const auto wish = path.at(way_m).position;
      return std::hypot(at[rig::kX] - wish.x_m, at[rig::kY] - wish.y_m);
    };
    const double start_m = planned.forward ? 0 : path.length_m();
    const double off_start_m = off_m(step.from_m, start_m);
    const double off_end_m = off_m(step.to_m, path.length_m() - start_m);
    if (!(off_start_m <= p.max_position_error_m) || !(off_end_m <= p.max_position_error_m)) {
      invalid(fmt::format("stroke {}: by readback it began {:.2f} mm and ended {:.2f} mm from where it was told; check "
                          "that nothing blocks the stage",
                          name, mm(off_start_m), mm(off_end_m)),
              step.condition);
    } else if (!(std::abs(r.speed_m_s - step.planned_middle_speed_m_s) <=
                 p.speed_tolerance * step.planned_middle_speed_m_s)) {
      invalid(fmt::format("stroke {}: {:.1f} mm/s by readback in its middle where {:.1f} mm/s were told ({} reports); "
                          "check the stage's own limits of speed and acceleration",
                          name, mm(r.speed_m_s), mm(step.planned_middle_speed_m_s), step.middle_reports),
              step.condition);
    }
  }

  void held_force(const StepResult& step, const StrokeResult& r) {
    const auto& p = plan_.protocol;
    const auto name = plan_.conditions[step.condition].name();
    if (p.max_force_rms_N > 0 && !(r.force_rms_N <= p.max_force_rms_N)) {
      add(Judgement::kFail,
          fmt::format("stroke {}: the force was held within {:.3f} N RMS; {:g} N are allowed", name, r.force_rms_N,
                      p.max_force_rms_N),
          step.condition);
    }
    if (!(r.overshoot <= p.max_overshoot)) {
      add(Judgement::kFail,
          fmt::format("stroke {}: the first contact overshot its force by {:.1f} %; {:g} % are allowed", name,
                      100 * r.overshoot, 100 * p.max_overshoot),
          step.condition);
    }
  }

  /// Did the stage go where it was told, as fast as it was told?
  void stroke_path(const StepResult& step, const StrokeResult& r) {
    const auto& p = plan_.protocol;
    const auto& condition = plan_.conditions[step.condition];
    const double end_m = plan_.steps[step.step].target_m[rig::kX];
    const double start_m = end_m + (condition.forward ? -p.stroke_length_m : p.stroke_length_m);
    const auto off = [&](double readback_m, double wish_m) {
      return !(std::abs(readback_m - wish_m) <= p.max_position_error_m);
    };
    if (off(step.from_m[rig::kX], start_m) || off(step.to_m[rig::kX], end_m)) {
      invalid(
          fmt::format("stroke {}: by readback the stage went from x = {:.2f} to {:.2f} mm where {:.2f} to {:.2f} mm "
                      "were told; check that nothing blocks it and that it loses no steps",
                      condition.name(), mm(step.from_m[rig::kX]), mm(step.to_m[rig::kX]), mm(start_m), mm(end_m)),
          step.condition);
    } else if (!(std::abs(r.speed_m_s - condition.speed_m_s) <= p.speed_tolerance * condition.speed_m_s)) {
      // NaN comes here too: a speed that nobody could tell was not delivered.
      invalid(step.middle_reports < 3
                  ? fmt::format("stroke {}: {} position reports came in its middle, too few to tell its speed; make "
                                "it longer or slower, or let the stage report more often",
                                condition.name(), step.middle_reports)
                  : fmt::format("stroke {}: the stage went at {:.1f} mm/s by readback where {:g} mm/s were told; check "
                                "its acceleration and feed override, or make the stroke longer",
                                condition.name(), mm(r.speed_m_s), mm(condition.speed_m_s)),
              step.condition);
    }
    for (const auto axis : {rig::kY, rig::kZ}) {
      if (!off(step.to_m[axis], step.from_m[axis])) continue;
      invalid(fmt::format("stroke {}: {} went from {:.2f} to {:.2f} mm by readback and was to stay", condition.name(),
                          axis == rig::kY ? "y" : "z", mm(step.from_m[axis]), mm(step.to_m[axis])),
              step.condition);
    }
  }

  void stroke_force(const StepResult& step, const StrokeResult& r) {
    const auto& p = plan_.protocol;
    const auto& condition = plan_.conditions[step.condition];
    const auto name = condition.name();
    const auto samples = step.normal_force_N.count();
    if (step.moving_normal_force_N.count() == 0) {
      return invalid(fmt::format("stroke {}: no force sample came while the stage was seen to move", name),
                     step.condition);
    }
    if (step.normal_force_N.deviation() == 0 ||
        (step.longest_same > kFewSamples &&
         static_cast<double>(step.longest_same) > kLongestSame * static_cast<double>(samples))) {
      return invalid(fmt::format("stroke {}: the force did not change by one count in {} of {} samples; no live sensor "
                                 "does that: power-cycle it",
                                 name, step.longest_same, samples),
                     step.condition);
    }
    if (p.in_air) return air(step, r);
    if (r.contact_fraction < p.min_contact_fraction) {
      return invalid(fmt::format("stroke {}: the instrument touched the phantom for {:.1f} % of the stroke, {:g} % are "
                                 "needed; check the phantom's surface and height",
                                 name, 100 * r.contact_fraction, 100 * p.min_contact_fraction),
                     step.condition);
    }
    // Held: of what was wished at each place, which need not be the same along the way.
    const double error = r.held ? std::abs(step.moving_force_error_N.mean())
                                : std::abs(r.mean_normal_force_N - condition.normal_force_N);
    if (!(error <= p.force_tolerance * condition.normal_force_N)) {
      add(Judgement::kFail,
          fmt::format("stroke {}: the mean normal force was {:.3f} N, {:.1f} % from the wish; {:g} % are allowed", name,
                      r.mean_normal_force_N, 100 * error / condition.normal_force_N, 100 * p.force_tolerance),
          step.condition);
    }
    if (!(r.peak_N <= p.max_force_N)) {
      add(Judgement::kFail,
          fmt::format("stroke {}: the normal force peaked at {:.2f} N; the protocol's limit is {:g} N", name, r.peak_N,
                      p.max_force_N),
          step.condition);
    }
  }

  /// A stroke in the air that touched something is no control. (Of both shares the greater: seen moving, and in all.)
  void air(const StepResult& step, const StrokeResult& r) {
    const double touched = std::max(step.contact_fraction(), step.moving_contact_fraction());
    if (touched <= 1 - plan_.protocol.min_contact_fraction) return;
    invalid(
        fmt::format("stroke {}: for {:.1f} % of it the sensor felt a contact, up to {:.2f} N, where nothing was to be "
                    "touched; check what stands in the way at the bench's clear_z_mm, and the tare",
                    plan_.conditions[r.condition].name(), 100 * touched, r.peak_N),
        step.condition);
  }

  void stroke_vibration(const StepResult& step, const StrokeResult& r) {
    const auto name = plan_.conditions[step.condition].name();
    if (step.moving_vibration_m_s2.count() == 0) {
      invalid(fmt::format("stroke {}: no block came from the accelerometer while the stage was seen to move", name),
              step.condition);
    } else if (!(r.vibration_m_s2 >= plan_.protocol.min_vibration_m_s2) || !(step.moving_vibration_m_s2.max() > 0)) {
      invalid(fmt::format("stroke {}: the accelerometer felt {:.4f} m/s2 RMS, {:g} at least are expected of a live one",
                          name, r.vibration_m_s2, plan_.protocol.min_vibration_m_s2),
              step.condition);
    } else if (const auto& c = e_.vibration_calibration;
               c.calibrated && !std::isfinite(r.vibration_uncertainty.expanded_m_s2)) {
      add(Judgement::kPass,
          fmt::format("stroke {}: its vibration of {:.3f} m/s2 RMS is more than calibration '{}' covers (amplitudes up "
                      "to {:g} m/s2): how well it is known is not told",
                      name, r.vibration_m_s2, c.id, c.largest_m_s2),
          step.condition);
    }
  }

  const Plan& plan_;
  const RunEvidence& e_;
  const StepResult* pressed_ = nullptr;  // the last press
  bool tared_ = false;
  std::vector<std::size_t> broken_off_ = std::vector<std::size_t>(plan_.conditions.size(), 0);
  Verdict verdict_;
};

}  // namespace

std::string_view name_of(Judgement judgement) noexcept {
  switch (judgement) {
    case Judgement::kPass:
      return "PASS";
    case Judgement::kFail:
      return "FAIL";
    case Judgement::kInvalid:
      return "INVALID";
  }
  return "INVALID";
}

Verdict judge(const Plan& plan, const RunEvidence& evidence) { return Judge(plan, evidence).run(); }

}  // namespace strigil::protocols
