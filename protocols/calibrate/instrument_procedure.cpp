#include "protocols/calibrate/instrument_procedure.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "protocols/calibrate/instrument_evaluation.hpp"
#include "protocols/calibrate/kinds.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMillimetre = 1e-3;
constexpr double kMicro = 1e-6;
constexpr double kDegree = std::numbers::pi / 180;
constexpr double kPercent = 1e-2;
constexpr double kToPlace_m_s = 20e-3;
/// Of what is felt first. At this speed and on the stiffest edge some newtons more come before the stage rests [A].
constexpr double kTouch_N = 0.5;
constexpr double kTouch_m_s = 1e-3;
constexpr double kSweepLow_Hz = 10;
/// Of its period; the rest it rings out, so that a segment from pause to pause holds all of it.
constexpr double kSweeps = 0.75;

}  // namespace

InstrumentProcedure::InstrumentProcedure(InstrumentPlan plan) : plan_(std::move(plan)) {
  add({.kind = ProcedureStepKind::kLift, .name = "lift to the clear height"});
  if (plan_.weighs) add_weighing();
  if (plan_.presses || plan_.rubs) add_block();
  if (plan_.shakes) add_vibration();
}

std::size_t InstrumentProcedure::add(ProcedureStep step) {
  steps_.push_back(std::move(step));
  return steps_.size() - 1;
}

std::size_t InstrumentProcedure::measure(const std::string& name, double duration_s, bool keep) {
  return add({.kind = ProcedureStepKind::kMeasure, .name = name, .duration_s = duration_s, .keep_samples = keep});
}

void InstrumentProcedure::ask(HandsTask task, const std::string& name, const std::string& words) {
  HandsRequest hands;
  hands.task = task;
  hands.words = words;
  add({.kind = ProcedureStepKind::kHands, .name = name, .hands = hands});
}

void InstrumentProcedure::tilt(double lean_rad) {
  ask(HandsTask::kTilt, "tilt",
      fmt::format("Set the tilt joint to {:g} degrees from upright and clamp it", lean_rad / kDegree));
  steps_.back().hands.azimuth_rad = lean_rad;
}

void InstrumentProcedure::add_weighing() {
  const auto& w = plan_.weighing;
  const auto weigh = [&](const char* what, std::vector<InstrumentSteps::Weighing>& out) {
    for (const double lean_rad : w.lean_rad) {
      tilt(lean_rad);
      if (w.settle_s > 0) add({.kind = ProcedureStepKind::kWait, .name = "settle", .duration_s = w.settle_s});
      const auto name = fmt::format("{} at {:g} deg", what, lean_rad / kDegree);
      out.push_back({lean_rad, measure(name, w.read_s)});
    }
  };
  ask(HandsTask::kTakeOut, "take the instrument out",
      "Take the instrument out of its clamp; leave jaws, screws and cables as they are with it");
  weigh("empty clamp", at_.empty);
  ask(HandsTask::kPutIn, "put the instrument in", "Put the instrument in the clamp as it is used, and tighten it");
  weigh("instrument", at_.mounted);
  tilt(0);
}

void InstrumentProcedure::press(double force_N) {
  add({.kind = ProcedureStepKind::kPress,
       .name = fmt::format("press to {:g} N", force_N),
       .target_m = {0, 0, plan_.block.deepest_z_m},
       .speed_m_s = plan_.block.speed_m_s,
       .force_N = force_N});
  add({.kind = ProcedureStepKind::kWait, .name = "settle", .duration_s = plan_.block.settle_s});
}

void InstrumentProcedure::add_block() {
  const auto& b = plan_.block;
  ask(HandsTask::kConfirm, "lay the block",
      fmt::format(
          "Lay the clean reference block under the edge at x {:.1f}, y {:.1f} mm and clamp it; nothing else may "
          "be in the way",
          b.above_m[rig::kX] / kMillimetre, b.above_m[rig::kY] / kMillimetre));
  auto high = b.above_m;
  high[rig::kZ] = std::max(high[rig::kZ], b.clear_z_m);
  const auto approach = [&] {
    add({.kind = ProcedureStepKind::kMove, .name = "over the block", .target_m = b.above_m, .speed_m_s = kToPlace_m_s});
    add({.kind = ProcedureStepKind::kZero, .name = "zero", .duration_s = b.read_s});
    const auto zero = measure("zero in air", b.read_s);
    add({.kind = ProcedureStepKind::kPress,
         .name = "down to the block",
         .target_m = {0, 0, b.deepest_z_m},
         .speed_m_s = std::max(kTouch_m_s, b.speed_m_s),
         .force_N = kTouch_N});
    return zero;
  };
  // Over first: what stands beside the block is then met by nothing.
  add({.kind = ProcedureStepKind::kMove, .name = "to the block", .target_m = high, .speed_m_s = kToPlace_m_s});
  if (plan_.presses) {
    for (int i = 0; i < b.series; ++i) {
      (void)approach();
      auto& series = at_.series.emplace_back();
      for (const double force_N : b.force_N) {
        press(force_N);
        series.loading.push_back(measure(fmt::format("loading {:g} N", force_N), b.read_s));
      }
      for (auto it = std::next(b.force_N.rbegin()); it != b.force_N.rend(); ++it) {
        press(*it);
        series.unloading.push_back(measure(fmt::format("unloading {:g} N", *it), b.read_s));
      }
    }
  }
  if (plan_.rubs) {
    at_.strokes.zero = approach();
    for (const double force_N : plan_.friction.force_N) rub(force_N);
  }
  add({.kind = ProcedureStepKind::kMove, .name = "off the block", .target_m = b.above_m, .speed_m_s = kToPlace_m_s});
  add({.kind = ProcedureStepKind::kLift, .name = "lift to the clear height"});
}

void InstrumentProcedure::rub(double force_N) {
  const auto& f = plan_.friction;
  press(force_N);
  const auto stroke = [&](const char* name, double to_x_m) {
    auto to = plan_.block.above_m;
    to[rig::kX] = to_x_m;
    return add({.kind = ProcedureStepKind::kMove,
                .name = fmt::format("{} under {:g} N", name, force_N),
                .keep_samples = true,
                .target_m = to,
                .level = true,
                .speed_m_s = f.speed_m_s});
  };
  at_.strokes.forward.push_back(stroke("forward", plan_.block.above_m[rig::kX] + f.length_m));
  at_.strokes.backward.push_back(stroke("backward", plan_.block.above_m[rig::kX]));
}

std::size_t InstrumentProcedure::taps(const char* tip, double pulse_s, double impulse_N_s) {
  const auto& v = plan_.vibration;
  ask(HandsTask::kTap, fmt::format("hammer with a {} tip", tip),
      fmt::format("Take the small hammer with the {} tip. After Enter tap the edge's middle {} times, {:g} s apart, "
                  "lightly and once each, along the normal of the flat face",
                  tip, v.taps, v.tap_period_s));
  steps_.back().hands.at_edge = {
      .taps = v.taps, .period_s = v.tap_period_s, .pulse_s = pulse_s, .impulse_N_s = impulse_N_s};
  const auto step = measure(fmt::format("taps, {} tip", tip), (v.taps + 0.5) * v.tap_period_s, true);
  ask(HandsTask::kLetGo, "hands off", "Put the hammer down");
  return step;
}

void InstrumentProcedure::add_vibration() {
  const auto& v = plan_.vibration;
  ask(HandsTask::kConfirm, "accelerometers",
      fmt::format("Stick one accelerometer on the edge's end (input {}) and one where the hand would hold (input {}), "
                  "both along the normal of the flat face, with the same wax or adhesive",
                  v.edge, v.grip));
  at_.hard_taps = taps("hard", v.hard_pulse_s, v.hard_impulse_N_s);
  at_.soft_taps = taps("soft", v.soft_pulse_s, v.soft_impulse_N_s);
  double high_Hz = kSweepLow_Hz;
  for (const auto& [low, high] : v.bands_Hz) high_Hz = std::max(high_Hz, high);
  // Beyond the last band: where a sweep turns round its lines are weak.
  constexpr double kBeyond = 1.15;
  const double to_Hz = kBeyond * high_Hz;
  ask(HandsTask::kCouple, "exciter",
      "Couple the exciter to the edge's middle by its thin rod, along the normal of the flat face");
  ask(HandsTask::kSweep, "exciter's signal",
      fmt::format("Let the exciter sweep from {:g} to {:.0f} Hz in {:g} s, linear in time, then pause, and again every "
                  "{:g} s, at some {:g} N",
                  kSweepLow_Hz, to_Hz, kSweeps * v.sweep_period_s, v.sweep_period_s, v.sweep_force_N));
  steps_.back().hands.at_edge = {.period_s = v.sweep_period_s,
                                 .sweep_s = kSweeps * v.sweep_period_s,
                                 .low_Hz = kSweepLow_Hz,
                                 .high_Hz = to_Hz,
                                 .force_N = v.sweep_force_N};
  add({.kind = ProcedureStepKind::kWait, .name = "first sweep", .duration_s = v.sweep_period_s});
  at_.sweep = measure("sweeps", (v.sweeps + 1) * v.sweep_period_s + 0.1, true);
  ask(HandsTask::kLetGo, "exciter off", "Switch the exciter off and take its rod from the edge");
}

daq::Result<ProcedureResult> InstrumentProcedure::evaluate(const ProcedureData& data,
                                                           const ProcedureSetup& setup) const {
  return evaluate_instrument(plan_, at_, data, setup);
}

namespace {

WeighingPlan read_weighing(daq::StrictTable t, const rig::BenchConfig& bench) {
  WeighingPlan w;
  for (const double deg : t.numbers("tilts_deg", {-60, 60}, std::vector<double>{0, 15, 30, 45, 60}))
    w.lean_rad.push_back(deg * kDegree);
  if (t.present() && w.lean_rad.size() < 4) t.refuse("tilts_deg", "'tilts_deg' takes four attitudes or more");
  w.settle_s = t.number("settle_s", {0, 600}, w.settle_s);
  w.read_s = t.number("read_s", {0.1, 600}, w.read_s);
  w.tilt_zero_rad = t.number("tilt_zero_deg", {0, 5}, 0.2) * kDegree;
  w.density_at_least = t.number("density_at_least_kg_m3", {100, 25e3}, w.density_at_least);
  t.finish();
  if (t.present() && !bench.instrument.sensor_tilts) {
    t.refuse("tilts_deg",
             "the bench file does not say that the force sensor leans with the instrument ([instrument] sensor_tilts): "
             "weight then never changes its direction in the sensor, and cannot be told from its zero");
  }
  return w;
}

BlockPlan read_block(daq::StrictTable t, const rig::BenchConfig& bench, bool presses) {
  BlockPlan b;
  b.clear_z_m = bench.stage.clear_z_m;
  constexpr daq::Range kAnywhere_mm{-2000, 2000};
  b.above_m = {t.number("x_mm", kAnywhere_mm) * kMillimetre, t.number("y_mm", kAnywhere_mm, 0.0) * kMillimetre,
               t.number("above_z_mm", kAnywhere_mm) * kMillimetre};
  b.deepest_z_m = t.number("deepest_z_mm", kAnywhere_mm) * kMillimetre;
  b.speed_m_s = t.number("speed_mm_s", {0.01, 5}, b.speed_m_s / kMillimetre) * kMillimetre;
  b.settle_s = t.number("settle_s", {0.05, 600}, b.settle_s);
  b.read_s = t.number("read_s", {0.1, 600}, b.read_s);
  if (presses) {
    b.force_N = t.numbers("forces_N", {0.2, 500}, std::vector<double>{4, 7, 10, 13, 16});
    b.series = static_cast<int>(t.integer("series", {2, 50}, b.series));
    b.rig_compliance_m_N.value = t.number("rig_compliance_um_N", {0, 1000}) * kMicro;
    b.rig_compliance_m_N.u = t.number("rig_compliance_expanded_um_N", {0, 1000}) / 2 * kMicro;
    b.displacement_u_m = t.number("displacement_expanded_um", {0, 1000}, 0.5) / 2 * kMicro;
    for (std::size_t i = 1; i < b.force_N.size(); ++i) {
      if (!(b.force_N[i] > b.force_N[i - 1])) t.refuse("forces_N", "'forces_N' must rise");
    }
    if (t.present() && b.force_N.size() < 4) t.refuse("forces_N", "'forces_N' takes four forces or more");
  }
  t.finish();
  if (t.present() && b.deepest_z_m >= b.above_m[rig::kZ])
    t.refuse("deepest_z_mm", "'deepest_z_mm' must lie below 'above_z_mm'");
  const auto& s = bench.stage;
  for (std::size_t a = 0; a < rig::kAxes && t.present(); ++a) {
    const double low_m = a == rig::kZ ? b.deepest_z_m : b.above_m[a];
    if (low_m < s.travel_min_m[a] || b.above_m[a] > s.travel_max_m[a])
      t.refuse(a == rig::kZ ? "deepest_z_mm" : "x_mm", "the block lies outside the stage's travel");
  }
  return b;
}

FrictionPlan read_friction(daq::StrictTable t, const rig::BenchConfig& bench, const BlockPlan& block) {
  FrictionPlan f;
  f.force_N = t.numbers("forces_N", {0.2, 500}, std::vector<double>{3, 6, 9});
  f.length_m = t.number("length_mm", {1, 500}, f.length_m / kMillimetre) * kMillimetre;
  f.speed_m_s = t.number("speed_mm_s", {0.5, 500}, f.speed_m_s / kMillimetre) * kMillimetre;
  t.finish();
  if (!t.present()) return f;
  if (f.force_N.size() < 3) t.refuse("forces_N", "'forces_N' takes three forces or more");
  if (block.above_m[rig::kX] + f.length_m > bench.stage.travel_max_m[rig::kX])
    t.refuse("length_mm", "the strokes leave the stage's travel");
  if (f.speed_m_s > bench.stage.max_speed_m_s)
    t.refuse("speed_mm_s", "'speed_mm_s' is more than [stage] max_speed_mm_s");
  return f;
}

VibrationPlan read_vibration(daq::StrictTable t) {
  VibrationPlan v;
  v.edge = t.text("edge_channel", v.edge);
  v.grip = t.text("grip_channel", v.grip);
  if (t.present() && v.edge == v.grip) t.refuse("grip_channel", "edge and grip have an input each");
  v.taps = static_cast<int>(t.integer("taps", {3, 50}, v.taps));
  v.tap_period_s = t.number("tap_period_s", {1, 30}, v.tap_period_s);
  v.modes = static_cast<std::size_t>(t.integer("modes", {1, 5}, static_cast<std::int64_t>(v.modes)));
  const auto modes_Hz = t.numbers("modes_Hz", {1, 20e3}, std::vector<double>{100, 2000});
  v.modes_Hz = {modes_Hz.front(), modes_Hz.back()};
  if (modes_Hz.size() != 2 || !(modes_Hz[0] < modes_Hz[1])) t.refuse("modes_Hz", "'modes_Hz' takes [low, high]");
  v.clock_relative_u = t.number("clock_ppm", {0, 1000}, v.clock_relative_u / kMicro) * kMicro;
  v.sweep_period_s = t.number("sweep_period_s", {0.5, 60}, v.sweep_period_s);
  v.sweeps = static_cast<int>(t.integer("sweeps", {3, 100}, v.sweeps));
  v.sweep_force_N = t.number("sweep_force_N", {0.001, 100}, v.sweep_force_N);
  const auto edges_Hz = t.numbers("bands_Hz", {5, 20e3}, std::vector<double>{20, 80, 250, 400});
  if (edges_Hz.size() < 2) t.refuse("bands_Hz", "'bands_Hz' takes the ends of the bands, two or more");
  for (std::size_t i = 1; i < edges_Hz.size(); ++i) {
    if (!(edges_Hz[i] > edges_Hz[i - 1])) t.refuse("bands_Hz", "'bands_Hz' must rise");
    v.bands_Hz.emplace_back(edges_Hz[i - 1], edges_Hz[i]);
  }
  v.gain_ratio_u = t.number("gain_ratio_expanded_percent", {0, 50}, 1.0) / 2 * kPercent;
  v.coherence_at_least = t.number("coherence_at_least", {0.5, 0.9999}, v.coherence_at_least);
  t.finish();
  return v;
}

}  // namespace

std::unique_ptr<Procedure> read_instrument_procedure(daq::StrictTable t, const ProcedureSetup& setup) {
  InstrumentPlan plan;
  plan.weighs = t.has("weighing");
  plan.presses = t.has("stiffness");
  plan.rubs = t.has("friction");
  plan.shakes = t.has("vibration");
  if (plan.weighs) plan.weighing = read_weighing(t.table("weighing"), setup.bench);
  if (plan.presses) plan.block = read_block(t.table("stiffness"), setup.bench, true);
  if (plan.rubs && !plan.presses) plan.block = read_block(t.table("block"), setup.bench, false);
  if (plan.rubs) plan.friction = read_friction(t.table("friction"), setup.bench, plan.block);
  if (plan.shakes) plan.vibration = read_vibration(t.table("vibration"));
  if (t.present() && !plan.weighs && !plan.presses && !plan.rubs && !plan.shakes) {
    t.refuse("weighing", "nothing to measure: [instrument.weighing], .stiffness, .friction or .vibration");
  }
  double most_N = 0;
  for (const double f : plan.block.force_N) most_N = std::max(most_N, f);
  for (const double f : plan.friction.force_N) most_N = std::max(most_N, f);
  // The sensor's zero and the weight that hangs on it count for the limit too [A].
  constexpr double kSpare = 0.8;
  const double limit_N = setup.bench.interlock.max_force_N;
  if ((plan.presses || plan.rubs) && most_N > kSpare * limit_N) {
    t.refuse(plan.presses ? "stiffness" : "friction",
             fmt::format("{:g} N is more than {:g} of the interlock's {:g} N", most_N, kSpare, limit_N));
  }
  t.finish();
  return std::make_unique<InstrumentProcedure>(std::move(plan));
}

}  // namespace strigil::protocols
