#include "protocols/calibrate/vibration_procedure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "protocols/calibrate/kinds.hpp"

namespace strigil::protocols {
namespace {

using rig::ExcitationKind;

constexpr const char* kAxisNames[] = {"x", "y", "z"};
constexpr double kPercent = 1e-2;
constexpr double kMicro = 1e-6;
constexpr double kSettlePeriods = 5;
constexpr double kReadPeriods = 10;
/// Exciters for sensors of this kind reach no further [A].
constexpr daq::Range kFrequency_Hz{0.5, 20000};
constexpr daq::Range kAmplitude_m_s2{0.1, 1000};

std::string words_of(const rig::Excitation& e) {
  if (e.kind == ExcitationKind::kOff) return "Turn the exciter's signal off";
  if (e.kind == ExcitationKind::kSine) {
    return fmt::format("Let the exciter shake with a sine of {:g} Hz and {:g} m/s2 peak", e.frequency_Hz,
                       e.amplitude_m_s2);
  }
  return fmt::format(
      "Let the exciter sweep from {:g} to {:g} Hz and back in {:g} s, again and again, at {:g} m/s2 peak",
      e.frequency_Hz, e.to_Hz, e.period_s, e.amplitude_m_s2);
}

bool rises(const std::vector<double>& v) {
  return std::adjacent_find(v.begin(), v.end(), std::greater_equal<>()) == v.end();
}

void read_axes(daq::StrictTable& t, VibrationPlan& p) {
  for (const auto& name : t.texts("axes", std::vector<std::string>{"z"})) {
    const auto found = std::find(std::begin(kAxisNames), std::end(kAxisNames), name);
    const auto axis = static_cast<std::size_t>(found - std::begin(kAxisNames));
    if (found == std::end(kAxisNames)) {
      t.refuse("axes", fmt::format("'{}' is no axis: x, y or z", name));
    } else if (std::count(p.axes.begin(), p.axes.end(), axis) > 0) {
      t.refuse("axes", fmt::format("axis {} stands twice", name));
    } else {
      p.axes.push_back(axis);
    }
  }
}

/// False, and told: no plan can be made of them, or not with this reference.
bool read_frequencies(daq::StrictTable& t, VibrationPlan& p, const ProcedureSetup& setup) {
  constexpr std::size_t kMost = 100;
  constexpr double kNear = 0.01;
  p.frequencies_Hz = t.numbers("frequencies_Hz", kFrequency_Hz);
  const double reference_Hz = t.number("reference_Hz", kFrequency_Hz, 160.0);
  if (p.frequencies_Hz.empty() || p.frequencies_Hz.size() > kMost || !rises(p.frequencies_Hz)) {
    t.refuse("frequencies_Hz", fmt::format("'frequencies_Hz' takes 1 to {} frequencies that rise", kMost));
    return false;
  }
  const auto& all = p.frequencies_Hz;
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](double f) { return std::abs(f - reference_Hz) <= kNear * reference_Hz; });
  if (at == all.end()) {
    t.refuse("reference_Hz", fmt::format("{:g} Hz is not among 'frequencies_Hz'", reference_Hz));
    return false;
  }
  p.reference_point = static_cast<std::size_t>(at - all.begin());
  const auto& certified = setup.reference.response;
  if (certified.empty()) {
    t.refuse("frequencies_Hz", "the reference is no accelerometer: its file has no [[accelerometer.response]]");
    return false;
  }
  for (const double f : {all.front(), all.back()}) {
    if (response_at(setup.reference, f)) continue;
    t.refuse("frequencies_Hz", fmt::format("the reference is calibrated from {:g} to {:g} Hz, and {:g} Hz is wanted",
                                           certified.front().frequency_Hz, certified.back().frequency_Hz, f));
    return false;
  }
  return true;
}

bool read_chirp(daq::StrictTable t, VibrationPlan& p) {
  if (!t.present()) return true;
  constexpr double kFewestPeriods = 8;
  auto& c = p.chirp;
  c.from_Hz = t.number("from_Hz", kFrequency_Hz, p.frequencies_Hz.front());
  c.to_Hz = t.number("to_Hz", kFrequency_Hz, p.frequencies_Hz.back());
  c.period_s = t.number("period_s", {0.05, 10}, 0.5);
  c.duration_s = t.number("duration_s", {0.5, 600}, 20.0);
  c.amplitude_m_s2 = t.number("amplitude_m_s2", kAmplitude_m_s2, p.amplitude_m_s2);
  t.finish();
  if (!(c.to_Hz > c.from_Hz)) {
    t.refuse("to_Hz", "the chirp ends above where it begins");
    return false;
  }
  if (c.duration_s < kFewestPeriods * c.period_s) {
    t.refuse("duration_s", fmt::format("a coherence needs at least {:g} periods of the chirp", kFewestPeriods));
    return false;
  }
  return true;
}

bool read_budget(daq::StrictTable t, VibrationBudget& b) {
  const auto part = [&](const char* key, double high, double& value) {
    value = t.number(key, {0, high}, value / kPercent) * kPercent;
  };
  part("channels_percent", 20, b.channels);
  part("transverse_percent", 50, b.transverse);
  part("strain_percent", 20, b.strain);
  b.skew_s = t.number("skew_us", {0, 10000}, b.skew_s / kMicro) * kMicro;
  b.sensitivity_per_K = t.number("sensitivity_percent_K", {-5, 5}, b.sensitivity_per_K / kPercent) * kPercent;
  b.temperature_K = t.number("temperature_K", {0, 30}, b.temperature_K);
  const auto use = t.numbers("use_temperature_C", {-40, 100}, std::vector<double>{b.use_low_C, b.use_high_C});
  t.finish();
  if (use.size() != 2 || use[0] > use[1]) {
    t.refuse("use_temperature_C", "'use_temperature_C' takes [lowest, highest]");
    return false;
  }
  b.use_low_C = use[0];
  b.use_high_C = use[1];
  return true;
}

}  // namespace

VibrationProcedure::VibrationProcedure(VibrationPlan plan) : plan_(std::move(plan)) {
  add({.kind = ProcedureStepKind::kLift, .name = "lift to the clear height"});
  for (const auto axis : plan_.axes) add_axis(axis);
  add({.kind = ProcedureStepKind::kHands,
       .name = "exciter off",
       .hands = {.task = HandsTask::kShake, .words = words_of({}), .excitation = {}}});
}

std::size_t VibrationProcedure::add(ProcedureStep step) {
  steps_.push_back(std::move(step));
  return steps_.size() - 1;
}

std::size_t VibrationProcedure::shake(const rig::Excitation& e, double settle_s, double read_s) {
  add({.kind = ProcedureStepKind::kHands,
       .name = "exciter",
       .hands = {.task = HandsTask::kShake,
                 .words = words_of(e),
                 .excitation = e,
                 .shown_by = plan_.reference_channel}});
  add({.kind = ProcedureStepKind::kWait, .name = "settle", .duration_s = settle_s});
  return add({.kind = ProcedureStepKind::kMeasure,
              .name = fmt::format("{} {:g} Hz {:g} m/s2", e.kind == ExcitationKind::kSine ? "sine" : "chirp",
                                  e.frequency_Hz, e.amplitude_m_s2),
              .duration_s = read_s,
              .keep_samples = true});
}

std::size_t VibrationProcedure::sine(double frequency_Hz, double amplitude_m_s2) {
  return shake({.kind = ExcitationKind::kSine, .frequency_Hz = frequency_Hz, .amplitude_m_s2 = amplitude_m_s2},
               std::max(plan_.settle_s, kSettlePeriods / frequency_Hz),
               std::max(plan_.read_s, kReadPeriods / frequency_Hz));
}

void VibrationProcedure::add_axis(std::size_t axis) {
  AxisSteps out;
  for (int m = 0; m < plan_.mountings; ++m) {
    HandsRequest mount;
    mount.task = HandsTask::kMount;
    mount.axis = axis;
    mount.words = fmt::format(
        "{} the sensor back to back on the reference, axis {} along the exciter's, as it is mounted in use (mounting "
        "{} of {})",
        m == 0 ? "Mount" : "Take off, clean and mount anew", kAxisNames[axis], m + 1, plan_.mountings);
    add({.kind = ProcedureStepKind::kHands, .name = "mounting", .hands = mount});
    auto& sines = out.sines.emplace_back();
    for (const double f : plan_.frequencies_Hz) sines.push_back(sine(f, plan_.amplitude_m_s2));
    if (m > 0) continue;
    const double reference_Hz = plan_.frequencies_Hz[plan_.reference_point];
    for (const double a : plan_.linearity_m_s2) out.linearity.push_back(sine(reference_Hz, a));
    const auto& c = plan_.chirp;
    if (c.period_s <= 0) continue;
    out.chirp = shake({ExcitationKind::kChirp, c.from_Hz, c.to_Hz, c.period_s, c.amplitude_m_s2},
                      std::max(plan_.settle_s, c.period_s), c.duration_s);
  }
  axes_.push_back(std::move(out));
}

std::unique_ptr<Procedure> read_vibration_procedure(daq::StrictTable t, const ProcedureSetup& setup) {
  VibrationPlan p;
  read_axes(t, p);
  bool good = read_frequencies(t, p, setup);
  p.reference_channel = t.text("reference_channel", p.reference_channel);
  p.amplitude_m_s2 = t.number("amplitude_m_s2", kAmplitude_m_s2, p.amplitude_m_s2);
  p.mountings = static_cast<int>(t.integer("mountings", {2, 20}, p.mountings));
  p.settle_s = t.number("settle_s", {0, 60}, p.settle_s);
  p.read_s = t.number("read_s", {0.05, 60}, p.read_s);
  p.linearity_m_s2 = t.numbers("linearity_m_s2", kAmplitude_m_s2, std::vector<double>{});
  if (!rises(p.linearity_m_s2)) {
    t.refuse("linearity_m_s2", "'linearity_m_s2' takes amplitudes that rise");
    good = false;
  }
  good = good && read_chirp(t.table("chirp"), p);
  good = read_budget(t.table("budget"), p.budget) && good;
  t.finish();
  if (!good || p.axes.empty()) return nullptr;
  return std::make_unique<VibrationProcedure>(std::move(p));
}

}  // namespace strigil::protocols
