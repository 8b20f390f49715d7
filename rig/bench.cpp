#include "rig/bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "daq/clock_fit.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::rig {
namespace {

using daq::Range;
using daq::StrictTable;

constexpr double kGram = 1e-3;
constexpr double kMillimetre = 1e-3;
constexpr double kMillisecond = 1e-3;
constexpr Range kAnywhere_mm{-2000, 2000};

daq::Duration milliseconds(StrictTable& t, std::string_view key, Range range, double otherwise) {
  return daq::from_seconds(t.number(key, range, otherwise) * kMillisecond);
}

void read_codec(StrictTable& t, std::string& codec, std::string& link, const std::vector<std::string>& known) {
  codec = t.text("codec");
  link = t.text("link");
  if (t.present() && std::find(known.begin(), known.end(), codec) == known.end())
    t.refuse("codec", fmt::format("codec '{}' is not known here; there is '{}'", codec, fmt::join(known, "', '")));
}

double read_latency(StrictTable& t) { return t.number("latency_ms", {0, 100}, 0.0) * kMillisecond; }

/// `calibration`, `serial` and the table `configuration`: which record, of which thing, set how.
void read_chain(StrictTable& t, std::string& calibration, std::string& serial, calibration::Setting& setting) {
  calibration = t.text("calibration", "");
  serial = t.text("serial", "");
  auto configuration = t.table("configuration", false);
  setting.gain = configuration.text("gain", "");
  setting.filter = configuration.text("filter", "");
  setting.mounting = configuration.text("mounting", "");
  configuration.finish();
}

StageConfig read_stage(StrictTable t) {
  StageConfig s;
  read_codec(t, s.codec, s.link, {"grbl", "tmcl", "zaber"});
  const bool axes = s.codec != "grbl";
  constexpr std::array kKeys{"travel_x_mm", "travel_y_mm", "travel_z_mm"};
  for (std::size_t axis = 0; axis < kAxes; ++axis) {
    const auto pair = t.numbers(kKeys[axis], kAnywhere_mm, std::vector<double>{0, 0});
    if (pair.size() != 2 || pair[0] > pair[1]) {
      t.refuse(kKeys[axis], fmt::format("'{}' takes [lowest, highest] in mm", kKeys[axis]));
      continue;
    }
    s.travel_min_m[axis] = pair[0] * kMillimetre;
    s.travel_max_m[axis] = pair[1] * kMillimetre;
  }
  s.clear_z_m = t.number("clear_z_mm", kAnywhere_mm) * kMillimetre;
  if (s.clear_z_m < s.travel_min_m[kZ] || s.clear_z_m > s.travel_max_m[kZ]) {
    t.refuse("clear_z_mm", "'clear_z_mm' lies outside travel_z_mm: the rig could not retract to it");
  }
  s.max_speed_m_s = t.number("max_speed_mm_s", {0.1, 1000}) * kMillimetre;
  s.retract_speed_m_s = t.number("retract_speed_mm_s", {0.1, 1000}, 50.0) * kMillimetre;
  s.status_rate_Hz = t.number("status_rate_Hz", {5, axes ? 500.0 : 50.0}, axes ? 200.0 : 20.0);
  s.latency_s = read_latency(t);
  s.in_position_m = t.number("in_position_mm", {0.001, 1}, 0.02) * kMillimetre;
  s.acceleration_m_s2 = t.number("acceleration_mm_s2", {1, 100e3}, s.acceleration_m_s2 / kMillimetre) * kMillimetre;
  s.reaction_s = t.number("reaction_ms", {0, 2000}, s.reaction_s / kMillisecond) * kMillisecond;
  s.moving_mass_kg = t.number("moving_mass_kg", {0.01, 100}, s.moving_mass_kg);
  if (axes) {
    const auto steps = t.numbers("steps_per_mm", {-1e6, 1e6});
    if (steps.size() != kAxes) {
      t.refuse("steps_per_mm", "'steps_per_mm' takes three numbers, for x, y and z; 0 for an axis that is not there");
    } else {
      for (std::size_t axis = 0; axis < kAxes; ++axis) s.steps_per_m[axis] = steps[axis] / kMillimetre;
    }
    s.keeps_position = t.boolean("keeps_position", false);
    s.host_silence_s = t.number("host_silence_ms", {50, 2000}, s.host_silence_s / kMillisecond) * kMillisecond;
    s.answer_timeout_s = t.number("answer_timeout_ms", {5, 1000}, 0) * kMillisecond;
  }
  read_chain(t, s.calibration, s.serial, s.setting);
  if (axes) s.setting.counts_per_unit = std::abs(s.steps_per_m[kX]);
  t.finish();
  return s;
}

std::string read_axis(StrictTable& t, std::string_view key, const char* otherwise) {
  auto axis = t.text(key, otherwise);
  constexpr std::array kAllowed{"+Fx", "-Fx", "+Fy", "-Fy", "+Fz", "-Fz"};
  for (const auto* a : kAllowed) {
    if (axis == a) return axis;
  }
  t.refuse(key, fmt::format("'{}' must be a signed channel such as \"+Fz\"", key));
  return otherwise;
}

ForceConfig read_force(StrictTable t) {
  ForceConfig f;
  read_codec(t, f.codec, f.link, {"ati_rdt"});
  f.rate_Hz = t.number("rate_Hz", {10, 7000});
  f.counts_per_N = t.number("counts_per_N", {1, 1e9});
  f.counts_per_N_m = t.number("counts_per_N_m", {1, 1e9});
  f.normal_axis = read_axis(t, "normal_axis", "+Fz");
  f.tangential_axis = read_axis(t, "tangential_axis", "+Fx");
  f.latency_s = read_latency(t);
  f.instrument_mass_kg = t.number("instrument_mass_g", {0, 5000}, 0.0) * kGram;
  read_chain(t, f.calibration, f.serial, f.setting);
  f.setting.rate_Hz = f.rate_Hz;
  f.setting.counts_per_unit = f.counts_per_N;
  t.finish();
  return f;
}

VibrationConfig read_vibration(StrictTable t) {
  VibrationConfig v;
  read_codec(t, v.codec, v.link, {"strigil_stream"});
  v.latency_s = read_latency(t);
  read_chain(t, v.calibration, v.serial, v.setting);
  const auto band = t.numbers("band_Hz", {0.1, 100e3}, std::vector<double>{});
  if (band.size() == 2 && band[0] < band[1]) {
    v.low_Hz = band[0];
    v.high_Hz = band[1];
  } else if (!band.empty()) {
    t.refuse("band_Hz", "'band_Hz' takes [lowest, highest] in Hz");
  }
  t.finish();
  return v;
}

InstrumentMount read_instrument(StrictTable t) {
  constexpr double kDegree = std::numbers::pi / 180;
  InstrumentMount m;
  m.file = t.text("file", m.file);
  m.angle_rad = t.number("angle_deg", {30, 90}, 90.0) * kDegree;  // science.md 1.3: 30-90 degrees
  m.sensor_tilts = t.boolean("sensor_tilts", m.sensor_tilts);
  read_chain(t, m.calibration, m.serial, m.setting);
  t.finish();
  return m;
}

TapConfig read_taps(StrictTable t) {
  constexpr daq::Range kAnywhere{-2000, 2000};
  TapConfig c;
  c.x_m = t.number("x_mm", kAnywhere) * kMillimetre;
  c.y_m = t.number("y_mm", kAnywhere, 0.0) * kMillimetre;
  c.start_z_m = t.number("start_z_mm", kAnywhere) * kMillimetre;
  c.deepest_z_m = t.number("deepest_z_mm", kAnywhere) * kMillimetre;
  if (t.has("start_z_mm") && t.has("deepest_z_mm") && c.deepest_z_m >= c.start_z_m)
    t.refuse("deepest_z_mm", "'deepest_z_mm' must lie below 'start_z_mm'");
  c.force_N = t.number("force_N", {0.5, 50}, c.force_N);
  c.height_m = t.number("height_mm", {0.5, 10}, c.height_m / kMillimetre) * kMillimetre;
  c.speed_m_s = t.number("speed_mm_s", {1, 50}, c.speed_m_s / kMillimetre) * kMillimetre;
  c.count = static_cast<int>(t.integer("count", {3, 50}, c.count));
  t.finish();
  return c;
}

StopTestConfig read_stop_test(StrictTable t) {
  constexpr double kHour = 3600;
  StopTestConfig c;
  c.required = t.boolean("required", c.required);
  c.valid_s = t.number("valid_h", {0.01, 1000}, c.valid_s / kHour) * kHour;
  c.history = t.text("history", c.history);
  c.repeats = static_cast<int>(t.integer("repeats", {1, 50}, c.repeats));
  c.trip_N = t.number("trip_N", {0.5, 100}, c.trip_N);
  c.speed_m_s = t.number("speed_mm_s", {0.5, 100}, c.speed_m_s / kMillimetre) * kMillimetre;
  c.abort_speed_m_s = t.number("abort_speed_mm_s", {1, 1000}, c.abort_speed_m_s / kMillimetre) * kMillimetre;
  c.max_time_s = t.number("max_time_ms", {1, 5000}, c.max_time_s / kMillisecond) * kMillisecond;
  c.max_travel_m = t.number("max_travel_mm", {0.01, 50}, c.max_travel_m / kMillimetre) * kMillimetre;
  c.max_abort_travel_m = t.number("max_abort_travel_mm", {0.1, 500}, c.max_abort_travel_m / kMillimetre) * kMillimetre;
  c.max_peak_N = t.number("max_peak_N", {1, 200}, c.max_peak_N);
  c.worse_by = t.number("worse_by_percent", {5, 1000}, c.worse_by * 100) / 100;
  t.finish();
  return c;
}

GeneratorConfig read_generator(StrictTable t) {
  GeneratorConfig g;
  read_codec(t, g.codec, g.link, {"scpi"});
  g.make = t.text("make", "");
  g.model = t.text("model", "");
  g.serial = t.text("serial", "");
  g.channel = static_cast<int>(t.integer("channel", {0, 8}, g.channel));
  g.max_V = t.number("max_V", {0.001, 20});
  g.min_V = t.number("min_V", {1e-6, 1}, std::min(g.min_V, g.max_V));
  if (g.min_V > g.max_V) t.refuse("min_V", "'min_V' is more than 'max_V'");
  g.sensitivity_V_m_s2 = t.number("sensitivity_V_m_s2", {1e-6, 100}, 0.0);
  g.sensitivity_V_N = t.number("sensitivity_V_N", {1e-6, 1000}, 0.0);
  const auto level = t.text("level", "reference");
  if (level != "reference" && level != "sensitivity")
    t.refuse("level", "'level' is \"reference\" or \"sensitivity\"");
  g.levels = level != "sensitivity";
  if (!g.levels && g.sensitivity_V_m_s2 == 0)
    t.refuse("level", "a level set by sensitivity needs 'sensitivity_V_m_s2'");
  g.tolerance = t.number("tolerance_percent", {0.1, 20}, g.tolerance * 100) / 100;
  g.settle_s = t.number("settle_s", {0.01, 10}, g.settle_s);
  g.answer_timeout_s = t.number("answer_timeout_s", {0.1, 30}, g.answer_timeout_s);
  t.finish();
  return g;
}

CalibrationConfig read_calibration(StrictTable t) {
  constexpr double kHour = 3600;
  CalibrationConfig c;
  c.store = t.text("store", c.store);
  const auto policy = t.text("policy", "refuse");
  if (policy != "refuse" && policy != "mark") t.refuse("policy", "'policy' is \"refuse\" or \"mark\"");
  c.policy = policy == "mark" ? CalibrationPolicy::kMark : CalibrationPolicy::kRefuse;
  if (t.has("temperature_C")) c.temperature_C = t.number("temperature_C", {-40, 100});
  c.check_standard = t.text("check_standard", "");
  c.check_valid_s = t.number("check_valid_h", {0.01, 10000}, c.check_valid_s / kHour) * kHour;
  c.stage_check_standard = t.text("stage_check_standard", "");
  c.vibration_check_standard = t.text("vibration_check_standard", "");
  c.check_history = t.text("check_history", "");
  t.finish();
  return c;
}

InterlockConfig read_interlock(StrictTable t) {
  InterlockConfig i;
  i.max_force_N = t.number("max_force_N", {0.5, 200});
  i.force_stale = milliseconds(t, "force_stale_ms", {2, 1000}, 50);
  i.vibration_stale = milliseconds(t, "vibration_stale_ms", {5, 2000}, 200);
  i.stage_stale = milliseconds(t, "stage_stale_ms", {50, 2000}, 400);
  i.stuck = milliseconds(t, "stuck_ms", {20, 5000}, 250);
  i.travel_margin_m = t.number("travel_margin_mm", {0, 10}, 0.5) * kMillimetre;
  i.stiffest_N_m = t.number("stiffest_N_mm", {0.1, 1000}, i.stiffest_N_m * kMillimetre) / kMillimetre;
  i.max_impact_J = t.number("max_impact_mJ", {0.1, 10e3}, i.max_impact_J / kMillimetre) * kMillimetre;
  t.finish();
  return i;
}

}  // namespace

daq::Result<BenchConfig> parse_bench(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  BenchConfig b;
  b.file = file;
  b.text = std::string(text);
  auto bench = root.table("bench", true);
  b.name = bench.text("name");
  b.bring_up_timeout = daq::from_seconds(bench.number("bring_up_timeout_s", {0.5, 60}, 5.0));
  bench.finish();
  b.stage = read_stage(root.table("stage", true));
  b.force = read_force(root.table("force", true));
  b.vibration = read_vibration(root.table("vibration", true));
  b.interlock = read_interlock(root.table("interlock", true));
  b.instrument = read_instrument(root.table("instrument", false));
  if (root.has("generator")) b.generator = read_generator(root.table("generator", true));
  auto phantom = root.table("phantom", false);
  b.phantom_file = phantom.text("file", b.phantom_file);
  phantom.finish();
  auto timing = root.table("timing", false);
  b.timing.max_bound_s = timing.number("max_bound_us", {5, 20000}, daq::ClockFitConfig{}.lock_bound_s * 1e6) * 1e-6;
  b.timing.calibration = timing.text("calibration", "");
  timing.finish();
  b.calibration = read_calibration(root.table("calibration", false));
  if (root.has("taps")) b.taps = read_taps(root.table("taps", true));
  if (root.has("stop_test")) {
    b.stop_test = read_stop_test(root.table("stop_test", true));
    const bool right_so_far = !document.error();
    if (right_so_far && b.stop_test->required && !b.taps)
      root.refuse("stop_test", "a required [stop_test] needs [taps]: it runs onto the hard stop there");
    if (right_so_far && b.stop_test->abort_speed_m_s > b.stage.max_speed_m_s)
      root.refuse("stop_test", "'abort_speed_mm_s' is more than [stage] max_speed_mm_s");
    if (right_so_far && b.stop_test->trip_N >= b.interlock.max_force_N)
      root.refuse("stop_test", "'trip_N' must be below [interlock] max_force_N");
  }
  root.pass_over("twin");
  root.finish();
  if (document.error()) return *document.error();
  return b;
}

daq::Result<BenchConfig> load_bench(const std::string& path) {
  auto text = daq::read_text_file(path);
  if (!text) return daq::Error{"bench file: " + text.error().message};
  return parse_bench(*text, path);
}

}  // namespace strigil::rig
