#include "sim/bench_sim_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "daq/strict_toml.hpp"
#include "rig/bench.hpp"
#include "sim/defect_config.hpp"

namespace strigil::sim {
namespace {

using daq::Range;
using daq::StrictTable;
using rig::kX;
using rig::kY;
using rig::kZ;

constexpr double kMillimetre = 1e-3;
constexpr double kMillisecond = 1e-3;
constexpr double kNewtonPerMillimetre = 1e3;
constexpr double kDegree = 0.017453292519943295;
constexpr Range kAnywhere_mm{-2000, 2000};
constexpr Range kDelay_ms{0, 50};
constexpr std::size_t kMostInclusions = 8;

/// Reads `key` given in mm, kept in m.
double millimetres(StrictTable& t, std::string_view key, Range range_mm, double otherwise_m) {
  return t.number(key, range_mm, otherwise_m / kMillimetre) * kMillimetre;
}

daq::Duration milliseconds(StrictTable& t, std::string_view key, Range range_ms, daq::Duration otherwise) {
  return daq::from_seconds(t.number(key, range_ms, daq::seconds(otherwise) / kMillisecond) * kMillisecond);
}

void read_phantom(StrictTable t, PhantomConfig& p) {
  p.present = t.boolean("present", p.present);
  if (t.has("absent_from_x_mm")) p.absent_from_x_m = t.number("absent_from_x_mm", kAnywhere_mm) * kMillimetre;
  p.surface_z_m = millimetres(t, "surface_z_mm", kAnywhere_mm, p.surface_z_m);
  p.slope = std::tan(t.number("slope_deg", {-45, 45}, std::atan(p.slope) / kDegree) * kDegree);
  p.curvature_amplitude_m = millimetres(t, "curvature_amplitude_mm", {0, 50}, p.curvature_amplitude_m);
  p.curvature_wavelength_m = millimetres(t, "curvature_wavelength_mm", {1, 5000}, p.curvature_wavelength_m);
  p.stiffness_N_m =
      t.number("stiffness_N_mm", {0.001, 1000}, p.stiffness_N_m / kNewtonPerMillimetre) * kNewtonPerMillimetre;
  p.stiffening_exponent = t.number("stiffening_exponent", {0.5, 4}, p.stiffening_exponent);
  p.stiffening_reference_m = millimetres(t, "stiffening_reference_mm", {0.01, 100}, p.stiffening_reference_m);
  p.damping_N_s_m = t.number("damping_N_s_m", {0, 10000}, p.damping_N_s_m);
  p.friction = t.number("friction", {0, 3}, p.friction);
  p.texture_rms_m_s2 = t.number("texture_rms_m_s2", {0, 100}, p.texture_rms_m_s2);
  auto inclusions = t.tables("inclusions");
  if (inclusions.size() > kMostInclusions) {
    t.refuse("inclusions", fmt::format("at most {} inclusions; there are {}", kMostInclusions, inclusions.size()));
  }
  for (auto& entry : inclusions) {
    Inclusion inclusion;
    inclusion.x_m = entry.number("x_mm", kAnywhere_mm) * kMillimetre;
    inclusion.half_width_m = millimetres(entry, "half_width_mm", {0.5, 200}, inclusion.half_width_m);
    inclusion.contrast = entry.number("contrast", {0.01, 1000}, inclusion.contrast);
    entry.finish();
    p.inclusions.push_back(inclusion);
  }
  t.finish();
}

Anvil read_anvil(StrictTable t) {
  Anvil a;
  a.from_x_m = millimetres(t, "from_x_mm", kAnywhere_mm, a.from_x_m);
  a.surface_z_m = millimetres(t, "surface_z_mm", kAnywhere_mm, a.surface_z_m);
  a.slope = std::tan(t.number("slope_deg", {-45, 45}, 0) * kDegree);
  a.stiffness_N_m =
      t.number("stiffness_N_mm", {0.1, 1000}, a.stiffness_N_m / kNewtonPerMillimetre) * kNewtonPerMillimetre;
  t.finish();
  return a;
}

void read_mount(StrictTable t, MountConfig& m) {
  m.lever_m = millimetres(t, "lever_mm", {0, 1000}, m.lever_m);
  m.machine_noise_m_s2 = t.number("machine_noise_m_s2", {0, 100}, m.machine_noise_m_s2);
  m.stage_corner_Hz = t.number("stage_corner_Hz", {1, 5000}, m.stage_corner_Hz);
  t.finish();
}

void read_stage(StrictTable t, StageSimConfig& s, double plant_rate_Hz) {
  constexpr std::array kKeys{"start_x_mm", "start_y_mm", "start_z_mm"};
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    s.start_m[axis] = millimetres(t, kKeys[axis], kAnywhere_mm, s.start_m[axis]);
    if (s.start_m[axis] < s.travel_min_m[axis] || s.start_m[axis] > s.travel_max_m[axis]) {
      t.refuse(kKeys[axis], fmt::format("'{}' lies outside the stage's travel", kKeys[axis]));
    }
  }
  s.start_known = t.boolean("start_known", s.start_known);
  s.max_speed_m_s = t.number("max_speed_mm_s", {0.1, 2000}, s.max_speed_m_s / kMillimetre) * kMillimetre;
  s.acceleration_m_s2 = t.number("acceleration_mm_s2", {10, 50000}, s.acceleration_m_s2 / kMillimetre) * kMillimetre;
  s.host_timeout_s = t.number("host_timeout_s", {0, 60}, s.host_timeout_s);
  s.lift_m = millimetres(t, "lift_mm", {0, 100}, s.lift_m);
  s.answer_latency = milliseconds(t, "answer_latency_ms", {0, 50}, s.answer_latency);
  s.report_age = milliseconds(t, "report_age_ms", {0, 100}, s.report_age);
  s.link_delay = milliseconds(t, "link_delay_ms", kDelay_ms, s.link_delay);
  read_stage_mechanics(t.table("mechanics"), s.mechanics, plant_rate_Hz);
  t.finish();
}

void read_force(StrictTable t, ForceSimConfig& f, double plant_rate_Hz) {
  f.rate_Hz = t.number("rate_Hz", {10, 7000}, f.rate_Hz);
  if (f.rate_Hz > plant_rate_Hz) {
    t.refuse("rate_Hz",
             fmt::format("the force sensor's {:g} Hz is more than the plant's {:g} Hz", f.rate_Hz, plant_rate_Hz));
  }
  f.counts_per_N = t.number("counts_per_N", {1, 1e9}, f.counts_per_N);
  f.counts_per_N_m = t.number("counts_per_N_m", {1, 1e9}, f.counts_per_N_m);
  f.noise_N = t.number("noise_N", {0, 10}, f.noise_N);
  const auto bias = t.numbers("bias_N", {-100, 100}, std::vector<double>(f.bias_N.begin(), f.bias_N.end()));
  if (bias.size() == f.bias_N.size()) {
    std::copy(bias.begin(), bias.end(), f.bias_N.begin());
  } else {
    t.refuse("bias_N", "'bias_N' takes [x, y, z] in N");
  }
  f.link_delay = milliseconds(t, "link_delay_ms", kDelay_ms, f.link_delay);
  read_force_electronics(t, f.electronics, plant_rate_Hz);
  t.finish();
}

void read_vibration(StrictTable t, VibrationSimConfig& v, double plant_rate_Hz) {
  v.rate_Hz = t.number("rate_Hz", {10, 25600}, v.rate_Hz);
  if (v.rate_Hz > plant_rate_Hz) {
    t.refuse("rate_Hz",
             fmt::format("the accelerometer's {:g} Hz is more than the plant's {:g} Hz", v.rate_Hz, plant_rate_Hz));
  }
  v.noise_m_s2 = t.number("noise_m_s2", {0, 100}, v.noise_m_s2);
  v.clock_error_ppm = t.number("clock_error_ppm", {-1000, 1000}, v.clock_error_ppm);
  v.link_delay = milliseconds(t, "link_delay_ms", kDelay_ms, v.link_delay);
  read_accelerometer_electronics(t, v.electronics, plant_rate_Hz);
  t.finish();
}

InstrumentBenchConfig read_instrument_bench(StrictTable t) {
  InstrumentBenchConfig c;
  const auto place = [&](std::string_view key, std::array<double, 3>& out_m) {
    const auto mm = t.numbers(key, {-500, 500},
                              std::vector<double>{out_m[0] / kMillimetre, out_m[1] / kMillimetre, out_m[2] / kMillimetre});
    if (mm.size() != out_m.size()) return t.refuse(key, fmt::format("'{}' takes [x, y, z] in mm", key));
    for (std::size_t a = 0; a < out_m.size(); ++a) out_m[a] = mm[a] * kMillimetre;
  };
  const auto stiffness = [&](std::string_view key, double otherwise_N_m) {
    return t.number(key, {1, 100'000}, otherwise_N_m / kNewtonPerMillimetre) * kNewtonPerMillimetre;
  };
  place("centre_mm", c.centre_m);
  place("holder_centre_mm", c.holder_centre_m);
  c.edge_stiffness_N_m = stiffness("edge_stiffness_N_mm", c.edge_stiffness_N_m);
  c.rig_stiffness_N_m = stiffness("rig_stiffness_N_mm", c.rig_stiffness_N_m);
  c.friction = t.number("friction", {0.001, 3}, c.friction);
  c.block_z_m = millimetres(t, "block_z_mm", kAnywhere_mm, c.block_z_m);
  c.block_slope = std::tan(t.number("block_slope_deg", {-10, 10}, 0.0) * kDegree);
  c.tilt_zero_rad = t.number("tilt_zero_deg", {-5, 5}, c.tilt_zero_rad / kDegree) * kDegree;
  c.tilt_setting_rad = t.number("tilt_setting_deg", {0, 5}, c.tilt_setting_rad / kDegree) * kDegree;
  t.finish();
  return c;
}

GeneratorTwinConfig read_generator(StrictTable t) {
  GeneratorTwinConfig c;
  c.make = t.text("make", c.make);
  c.model = t.text("model", c.model);
  c.serial = t.text("serial", c.serial);
  c.answer_latency = milliseconds(t, "answer_latency_ms", {0, 5000}, c.answer_latency);
  c.link_delay = milliseconds(t, "link_delay_ms", kDelay_ms, c.link_delay);
  c.amplifier_on = t.boolean("amplifier_on", c.amplifier_on);
  c.gain_m_s2_V = t.number("gain_m_s2_V", {1e-6, 1e6}, c.gain_m_s2_V);
  c.gain_N_V = t.number("gain_N_V", {1e-6, 1e6}, c.gain_N_V);
  constexpr std::array<std::string_view, 7> kFaults{"none",    "silent",    "dead",   "errors",
                                                    "garbage", "unplugged", "tripped"};
  const auto fault = t.text("fault", "none");
  const auto found = std::find(kFaults.begin(), kFaults.end(), fault);
  if (found == kFaults.end()) t.refuse("fault", fmt::format("there is no fault '{}' of a generator", fault));
  c.fault = static_cast<GeneratorFault>(found - kFaults.begin());
  c.fault_after = static_cast<std::uint64_t>(t.integer("fault_after_lines", {0, 1e9}, 0));
  t.finish();
  return c;
}

}  // namespace

daq::Result<SimConfig> parse_sim_config(std::string_view text, const std::string& file_name) {
  daq::StrictToml document(text, file_name);
  if (document.error()) return *document.error();
  auto root = document.root();
  SimConfig config;
  if (root.has("bench")) {
    auto bench = rig::parse_bench(text, file_name);
    if (!bench) return bench.error();
    config.stage.codec = bench->stage.codec;
    config.stage.steps_per_m = bench->stage.steps_per_m;
    config.stage.travel_min_m = bench->stage.travel_min_m;
    config.stage.travel_max_m = bench->stage.travel_max_m;
    config.stage.max_speed_m_s = bench->stage.max_speed_m_s;
    config.stage.start_m = bench->stage.travel_min_m;
    config.stage.start_m[kZ] = bench->stage.travel_max_m[kZ];
    config.force.rate_Hz = bench->force.rate_Hz;
    config.force.counts_per_N = bench->force.counts_per_N;
    config.force.counts_per_N_m = bench->force.counts_per_N_m;
  }
  for (const auto* rigs_own :
       {"bench", "stage", "force", "vibration", "generator", "timing", "interlock", "instrument", "phantom", "taps", "stop_test", "calibration"})
    root.pass_over(rigs_own);
  auto twin = root.table("twin");
  root.finish();
  config.seed = static_cast<std::uint64_t>(twin.integer("seed", {0, 9e15}, static_cast<std::int64_t>(config.seed)));
  config.plant_rate_Hz = twin.number("plant_rate_Hz", {1000, 100000}, config.plant_rate_Hz);
  read_phantom(twin.table("phantom"), config.phantom);
  if (twin.has("anvil")) config.phantom.anvil = read_anvil(twin.table("anvil"));
  if (twin.has("instrument_bench")) config.instrument_bench = read_instrument_bench(twin.table("instrument_bench"));
  read_mount(twin.table("mount"), config.mount);
  read_stage(twin.table("stage"), config.stage, config.plant_rate_Hz);
  read_force(twin.table("force"), config.force, config.plant_rate_Hz);
  read_vibration(twin.table("vibration"), config.vibration, config.plant_rate_Hz);
  if (twin.has("shaker")) config.shaker = read_shaker(twin.table("shaker"), config.plant_rate_Hz);
  // Without [generator] a bench's exciter is set by hand, whatever [twin] says of one.
  const bool simulated = root.has("generator") || (!root.has("bench") && twin.has("generator"));
  const auto of_generator = read_generator(twin.table("generator"));
  if (simulated) config.generator = of_generator;
  read_temperature(twin.table("temperature"), config.temperature);
  read_faults(twin, config.faults);
  twin.finish();
  if (document.error()) return *document.error();
  return config;
}

}  // namespace strigil::sim
