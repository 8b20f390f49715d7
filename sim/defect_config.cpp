#include "sim/defect_config.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strigil::sim {
namespace {

using daq::Range;
using daq::StrictTable;

constexpr double kPercent = 1e-2;
constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;
constexpr double kDegree = 0.017453292519943295;
/// Highest part of the plant's rate at which a filter or a resonance still is what it is called.
constexpr double kHighestPart = 0.4;
constexpr std::array<const char*, 6> kWrenchNames{"Fx", "Fy", "Fz", "Tx", "Ty", "Tz"};
constexpr std::array<const char*, 3> kAxisNames{"x", "y", "z"};

/// One number for every channel from `first` on, or one for each; kept in SI by `unit`. A missing key changes nothing.
template <std::size_t N>
void each(StrictTable& t, std::string_view key, Range range, double unit, std::array<double, N>& values,
          std::size_t first = 0, std::size_t count = N) {
  if (!t.has(key)) {
    t.pass_over(key);
    return;
  }
  const auto read = t.numbers(key, range);
  if (read.size() != 1 && read.size() != count)
    t.refuse(key, fmt::format("'{}' takes one number for all, or {}", key, count));
  for (std::size_t i = 0; i < count && !read.empty(); ++i)
    values[first + i] = unit * (read.size() == count ? read[i] : read.front());
}

/// A frequency that the plant's steps must show; 0: off.
double shown_Hz(StrictTable& t, std::string_view key, double otherwise, double plant_rate_Hz) {
  const double hz = t.number(key, {0, 100000}, otherwise);
  if (hz > kHighestPart * plant_rate_Hz) {
    t.refuse(key, fmt::format("'{}' is {:g}; steps of the plant at {:g} Hz show no more than {:g} Hz", key, hz,
                              plant_rate_Hz, kHighestPart * plant_rate_Hz));
  }
  return hz;
}

/// A row for each channel, in percent, of what it says of the others. `own` is left out of its row, or 0.
template <std::size_t N>
std::array<std::array<double, N>, N> mixing(StrictTable t, const std::array<const char*, N>& names) {
  std::array<std::array<double, N>, N> rows{};
  for (std::size_t i = 0; i < N; ++i) {
    if (!t.has(names[i])) {
      t.pass_over(names[i]);
      continue;
    }
    const auto row = t.numbers(names[i], {-50, 50});
    if (row.size() != N) {
      t.refuse(names[i], fmt::format("a row takes {} numbers: what '{}' says of each, itself with 0", N, names[i]));
      continue;
    }
    if (row[i] != 0) t.refuse(names[i], "what a channel says of itself is its gain_error_percent; put 0 here");
    for (std::size_t j = 0; j < N; ++j) rows[i][j] = row[j] * kPercent;
  }
  t.finish();
  return rows;
}

/// Keys that both sensors have.
template <std::size_t N>
void read_analog(StrictTable& t, AnalogConfig<N>& a, std::string_view corner, std::string_view poles,
                 double plant_rate_Hz) {
  each(t, "gain_error_percent", {-50, 50}, kPercent, a.gain_error);
  a.sensitivity_per_K = t.number("sensitivity_percent_K", {-5, 5}, a.sensitivity_per_K / kPercent) * kPercent;
  a.corner_Hz = shown_Hz(t, corner, a.corner_Hz, plant_rate_Hz);
  a.poles = static_cast<int>(t.integer(poles, {2, 4}, a.poles));
  if (a.poles == 3) t.refuse(poles, fmt::format("'{}' must be 2 or 4", poles));
  a.delay_s = t.number("delay_ms", {0, 50}, a.delay_s / kMilli) * kMilli;
}

/// Up to two, of the load and with their times.
void read_creep(StrictTable& t, ForceElectronicsConfig& f) {
  if (!t.has("creep_percent") && !t.has("creep_s")) {
    t.pass_over("creep_percent");
    t.pass_over("creep_s");
    return;
  }
  const auto parts = t.numbers("creep_percent", {-5, 5});
  const auto times = t.numbers("creep_s", {0.01, 100000});
  if (parts.size() != times.size() || parts.size() > f.creep.size()) {
    t.refuse(
        "creep_percent",
        fmt::format("'creep_percent' and 'creep_s' take as many numbers as each other, at most {}", f.creep.size()));
    return;
  }
  for (std::size_t k = 0; k < parts.size(); ++k) {
    f.creep[k] = parts[k] * kPercent;
    f.creep_s[k] = times[k];
  }
}

}  // namespace

void read_force_electronics(StrictTable& t, ForceElectronicsConfig& f, double plant_rate_Hz) {
  each(t, "full_scale_N", {1, 1e5}, 1, f.full_scale, 0, 3);
  each(t, "full_scale_N_m", {0.001, 1e5}, 1, f.full_scale, 3, 3);
  const bool scaled = std::all_of(f.full_scale.begin(), f.full_scale.end(), [](double v) { return v > 0; });
  for (const auto* key : {"hysteresis_percent", "nonlinearity_percent", "crosstalk_percent", "saturates"}) {
    if (t.has(key) && !scaled) t.refuse(key, fmt::format("'{}' needs full_scale_N and full_scale_N_m", key));
  }
  f.hysteresis = t.number("hysteresis_percent", {0, 10}, f.hysteresis / kPercent) * kPercent;
  f.nonlinearity = t.number("nonlinearity_percent", {-10, 10}, f.nonlinearity / kPercent) * kPercent;
  read_creep(t, f);
  constexpr std::array<const char*, 3> kCables{"cable_x_N_m", "cable_y_N_m", "cable_z_N_m"};
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    if (t.has(kCables[axis]) && t.numbers(kCables[axis], {-1000, 1000}).size() != 3)
      t.refuse(kCables[axis], fmt::format("'{}' takes [Fx, Fy, Fz] for each metre", kCables[axis]));
    each(t, kCables[axis], {-1000, 1000}, 1, f.cable_N_m[axis]);
  }
  each(t, "cable_rest_mm", {-2000, 2000}, kMilli, f.cable_rest_m);

  auto& a = f.analog;
  read_analog(t, a, "bandwidth_Hz", "bandwidth_poles", plant_rate_Hz);
  const auto rows = mixing(t.table("crosstalk_percent"), kWrenchNames);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) a.crosstalk[i][j] = scaled ? rows[i][j] * f.full_scale[i] / f.full_scale[j] : 0;
  }
  each(t, "noise_density_mN_rtHz", {0, 1000}, kMilli, a.noise_density, 0, 3);
  each(t, "noise_density_mN_m_rtHz", {0, 1000}, kMilli, a.noise_density, 3, 3);
  each(t, "drift_mN_rts", {0, 1000}, kMilli, a.drift, 0, 3);
  each(t, "drift_mN_m_rts", {0, 1000}, kMilli, a.drift, 3, 3);
  each(t, "zero_mN_K", {-10000, 10000}, kMilli, a.zero_per_K, 0, 3);
  each(t, "zero_mN_m_K", {-10000, 10000}, kMilli, a.zero_per_K, 3, 3);
  each(t, "resolution_mN", {0, 10000}, kMilli, a.resolution, 0, 3);
  each(t, "resolution_mN_m", {0, 10000}, kMilli, a.resolution, 3, 3);
  if (t.boolean("saturates", false)) a.range = f.full_scale;
}

void read_accelerometer_electronics(StrictTable& t, AccelerometerElectronicsConfig& v, double plant_rate_Hz) {
  v.mounting_Hz = shown_Hz(t, "mounting_resonance_Hz", v.mounting_Hz, plant_rate_Hz);
  v.mounting_damping_ratio = t.number("mounting_damping_ratio", {0.001, 2}, v.mounting_damping_ratio);
  auto& a = v.analog;
  read_analog(t, a, "anti_alias_Hz", "anti_alias_poles", plant_rate_Hz);
  a.crosstalk = mixing(t.table("cross_axis_percent"), kAxisNames);
  each(t, "bias_m_s2", {-100, 100}, 1, a.zero);
  each(t, "noise_density_m_s2_rtHz", {0, 10}, 1, a.noise_density);
  each(t, "drift_m_s2_rts", {0, 10}, 1, a.drift);
  each(t, "zero_m_s2_K", {-10, 10}, 1, a.zero_per_K);
  each(t, "resolution_m_s2", {0, 100}, 1, a.resolution);
  each(t, "range_m_s2", {1, 100000}, 1, a.range);
}

void read_stage_mechanics(StrictTable t, StageMechanicsConfig& config, double plant_rate_Hz) {
  const auto axes = [&](std::string_view key, Range range, double unit, double AxisMechanicsConfig::*member) {
    std::array<double, rig::kAxes> values{};
    for (std::size_t a = 0; a < rig::kAxes; ++a) values[a] = config[a].*member;
    each(t, key, range, unit, values);
    for (std::size_t a = 0; a < rig::kAxes; ++a) config[a].*member = values[a];
  };
  using Axis = AxisMechanicsConfig;
  axes("backlash_um", {0, 2000}, kMicro, &Axis::backlash_m);
  axes("scale_error_ppm", {-50000, 50000}, kMicro, &Axis::scale_error);
  axes("periodic_error_um", {0, 1000}, kMicro, &Axis::periodic_error_m);
  axes("periodic_phase_deg", {-360, 360}, kDegree, &Axis::periodic_phase_rad);
  axes("wave_error_um", {0, 1000}, kMicro, &Axis::wave_error_m);
  axes("wave_mm", {10, 10000}, kMilli, &Axis::wave_m);
  axes("lead_mm", {0.1, 200}, kMilli, &Axis::lead_m);
  axes("ripple_um", {0, 100}, kMicro, &Axis::ripple_m);
  axes("full_step_um", {0.1, 10000}, kMicro, &Axis::full_step_m);
  axes("resonance_Hz", {0, 100000}, 1, &Axis::resonance_Hz);
  axes("damping_ratio", {0.001, 2}, 1, &Axis::damping_ratio);
  axes("moving_mass_kg", {0.01, 500}, 1, &Axis::moving_mass_kg);
  axes("rumble_m_s2_rtHz", {0, 10}, 1, &Axis::rumble_m_s2_rtHz);
  axes("pull_out_N", {0, 100000}, 1, &Axis::pull_out_N);
  axes("pull_out_speed_mm_s", {1, 10000}, kMilli, &Axis::pull_out_speed_m_s);
  for (const auto& a : config) {
    if (a.resonance_Hz > kHighestPart * plant_rate_Hz)
      t.refuse("resonance_Hz", fmt::format("steps of the plant at {:g} Hz show no resonance above {:g} Hz",
                                           plant_rate_Hz, kHighestPart * plant_rate_Hz));
    if (a.rumble_m_s2_rtHz > 0 && a.resonance_Hz <= 0)
      t.refuse("rumble_m_s2_rtHz", "bearings shake a carriage that has a mass on a spring: give its resonance_Hz");
    // What turns round: the screw's slope may not.
    const double k = 6.283185307179586;
    const double steepest = k * (a.periodic_error_m / a.lead_m + a.wave_error_m / a.wave_m);
    if (steepest > 0.5) t.refuse("periodic_error_um", "so large an error on so short a lead would turn the axis round");
  }
  t.finish();
}

void read_temperature(StrictTable t, TemperatureCourse& c) {
  c.start_K = t.number("start_K", {-60, 60}, c.start_K);
  c.warm_up_K = t.number("warm_up_K", {-60, 60}, c.warm_up_K);
  c.warm_up_s = t.number("warm_up_s", {0.1, 100000}, c.warm_up_s);
  c.swing_K = t.number("swing_K", {0, 30}, c.swing_K);
  c.swing_s = t.number("swing_s", {1, 100000}, c.swing_s);
  t.finish();
}

ShakerConfig read_shaker(StrictTable t, double plant_rate_Hz) {
  ShakerConfig c;
  c.suspension_Hz = t.number("suspension_Hz", {0.1, 1000}, c.suspension_Hz);
  c.suspension_damping = t.number("suspension_damping_ratio", {0.001, 2}, c.suspension_damping);
  c.armature_Hz = shown_Hz(t, "armature_Hz", c.armature_Hz, plant_rate_Hz);
  c.armature_damping = t.number("armature_damping_ratio", {0.001, 2}, c.armature_damping);
  const auto part = [&](const char* key, Range range, double& value) {
    value = t.number(key, range, value / kPercent) * kPercent;
  };
  part("level_error_percent", {-50, 50}, c.level_error);
  part("second_harmonic_percent", {0, 50}, c.second_harmonic);
  part("third_harmonic_percent", {0, 50}, c.third_harmonic);
  each(t, "transverse_percent", {-50, 50}, kPercent, c.transverse);
  c.transverse_Hz = shown_Hz(t, "transverse_resonance_Hz", c.transverse_Hz, plant_rate_Hz);
  c.transverse_damping = t.number("transverse_damping_ratio", {0.001, 2}, c.transverse_damping);
  c.hum_m_s2 = t.number("hum_m_s2", {0, 10}, c.hum_m_s2);
  c.noise_m_s2_rtHz = t.number("noise_m_s2_rtHz", {0, 1}, c.noise_m_s2_rtHz);
  part("mounting_gain_percent", {0, 10}, c.mounting_gain);
  c.mounting_tilt_rad = t.number("mounting_tilt_deg", {0, 10}, c.mounting_tilt_rad / kDegree) * kDegree;
  auto r = t.table("reference");
  c.reference_V_m_s2 = r.number("sensitivity_mV_m_s2", {0.001, 1000}, c.reference_V_m_s2 / kMilli) * kMilli;
  c.reference_error = r.number("error_percent", {-50, 50}, c.reference_error / kPercent) * kPercent;
  c.reference_Hz = shown_Hz(r, "resonance_Hz", c.reference_Hz, plant_rate_Hz);
  c.reference_damping = r.number("damping_ratio", {0.001, 2}, c.reference_damping);
  c.reference_transverse = r.number("transverse_percent", {-20, 20}, c.reference_transverse / kPercent) * kPercent;
  c.reference_noise_V_rtHz = r.number("noise_uV_rtHz", {0, 1e5}, c.reference_noise_V_rtHz / kMicro) * kMicro;
  r.finish();
  t.finish();
  return c;
}

}  // namespace strigil::sim
