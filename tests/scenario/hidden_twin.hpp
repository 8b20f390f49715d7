// A twin whose sensor, stage and wires have defects that nobody knows, drawn from a seed; and the procedure and
// reference that it is calibrated with.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "daq/strict_toml.hpp"

namespace strigil::apps {

inline constexpr const char* kReference = R"(
[reference]
what = "weights"
expanded_percent = 0.2
)";

// Shorter than anything in protocols/procedures, and the same code.
inline constexpr const char* kProcedure = R"(
[procedure]
name = "closed_loop"
kind = "force"
[force]
forces_N = [1, 4, 8, 12, 16]
preloads = 1
preload_s = 0.3
settle_s = 0.4
read_s = 0.4
creep_s = 10
degree = 1
lateral_N = [2, 4]
place_speed_mm_s = 100
[[force.place]]
x_mm = 20
y_mm = 0
z_mm = -1
[[force.place]]
x_mm = 20
y_mm = 0
z_mm = -25
[[force.place]]
x_mm = 100
y_mm = 0
z_mm = -25
[force.budget]
use_z_mm = [-50, -1]
sensitivity_percent_K = 0.027
lateral_percent = 20
direction_deg = 0.2
)";

inline constexpr const char* kStageProcedure = R"(
[procedure]
name = "closed_loop_stage"
kind = "stage"
[stage]
cycles = 3
settle_s = 0.05
read_s = 0.02
[[stage.axes]]
axis = "x"
from_mm = 5
to_mm = 194
targets = 21
overrun_mm = 1
speed_mm_s = 200
lead_mm = 10
[[stage.axes]]
axis = "z"
from_mm = -25
to_mm = -3
targets = 7
overrun_mm = 1
speed_mm_s = 40
lead_mm = 5
)";
inline constexpr const char* kLaser = "[reference]\nwhat = \"laser\"\nexpanded = 4e-7\n";
inline constexpr const char* kDelayProcedure =
    "[procedure]\nname = \"d\"\nkind = \"delay\"\n[delay]\nprotocol = \"smoke\"\nruns = 2\n";

/// What is drawn for one twin; the same bits everywhere.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  double between(double low, double high) {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return low + (high - low) * static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1p-53;
  }
  double about(double most) { return between(-most, most); }
  std::string row(std::size_t n, double most, std::size_t zero_at) {
    std::string out = "[";
    for (std::size_t i = 0; i < n; ++i) out += fmt::format("{}{:.6f}", i ? ", " : "", i == zero_at ? 0 : about(most));
    return out + "]";
  }

 private:
  std::uint64_t state_;
};

/// What one twin's devices really take, ms, and what its bench file believes. Force and vibration: by their own delay;
/// the stage: from request to answer, of which half is how old a position is when the exchange is half over.
struct HiddenDelays {
  double force_ms = 0;
  double vibration_ms = 0;
  double stage_ms = 0;
  static constexpr double kForceBelieved_ms = 4;
  static constexpr double kStep_ms = 0.25;  ///< of the plant
  /// Wire, and two poles at 350 Hz, which step with what was felt at the end of each step: half a step less.
  static constexpr double kForceWireAndFilter_ms = 0.2 + 0.643 - kStep_ms / 2;
  static constexpr double kVibrationWire_ms = 1;
  explicit HiddenDelays(std::uint64_t seed) {
    Draw d(seed ^ 0xDE1A75ULL);
    force_ms = d.between(0, 2);
    vibration_ms = d.between(0, 2);
    stage_ms = d.between(0.1, 1);
  }
  /// From the instant at which a force was felt to the one that the bench file's latency gives it.
  [[nodiscard]] double force_early_s() const { return 1e-3 * (kForceBelieved_ms - kForceWireAndFilter_ms - force_ms); }
  [[nodiscard]] double vibration_after_force_s() const {
    return 1e-3 * (kVibrationWire_ms + vibration_ms - kForceWireAndFilter_ms - force_ms);
  }
  [[nodiscard]] double stage_after_force_s() const {  // It tells where it stood at the last step.
    return 1e-3 * (stage_ms / 2 + kStep_ms / 2 - kForceWireAndFilter_ms - force_ms);
  }
};

/// Records that the bench names; empty: none.
struct NamedRecords {
  std::string force = {};
  std::string stage = {};
  std::string delays = {};
};

inline void add_after(std::string& text, const std::string& line, const std::string& more) {
  text.insert(text.find(line) + line.size(), more);
}
inline std::string named(const std::string& record) {
  return record.empty() ? "" : "calibration = \"" + record + "\"\n";
}

/// The rig's own part of sim_real, with records named; then a twin with defects of its own. With `delays` its wires and
/// filters have those, the bench file knows none of them, and there is a hard stop to find them by.
inline std::string bench_of(std::uint64_t seed, const std::string& store, const NamedRecords& records,
                            const HiddenDelays* delays = nullptr) {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim_real.toml").value();
  text.resize(text.find(delays == nullptr ? "\n[taps]" : "\n[twin.stage]") + 1);
  // Blocks of a slower accelerometer come further apart.
  const std::string stuck = "stuck_ms = 20";
  text.replace(text.find(stuck), stuck.size(), "stuck_ms = 200");
  add_after(text, "[stage]\n", "serial = \"TWIN-STAGE\"\n" + named(records.stage));
  add_after(text, "[force]\n", "serial = \"TWIN\"\n" + named(records.force));
  add_after(text, "[timing]\n", named(records.delays));
  if (delays != nullptr) {
    for (const std::string was : {"latency_ms = 1.24 ", "latency_ms = 1.29 "}) {
      text.replace(text.find(was), was.size(), fmt::format("latency_ms = {} ", HiddenDelays::kForceBelieved_ms));
    }
  }
  text += fmt::format("[calibration]\nstore = \"{}\"\ntemperature_C = 23\n", store);
  Draw d(seed);
  text += fmt::format(R"(
[twin]
plant_rate_Hz = 4000
[twin.mount]
stage_corner_Hz = 1500
[twin.stage]
acceleration_mm_s2 = 5000
link_delay_ms = 0.1
answer_latency_ms = {:.3f}
[twin.stage.mechanics]
lead_mm = [10, 10, 5]
full_step_um = [50, 50, 25]
scale_error_ppm = [{:.2f}, {:.2f}, {:.2f}]
periodic_error_um = [6, 6, 3]
periodic_phase_deg = [{:.1f}, {:.1f}, {:.1f}]
backlash_um = [{:.2f}, {:.2f}, {:.2f}]
[twin.force]
noise_N = 0
full_scale_N = [80, 80, 240]
full_scale_N_m = 4
bandwidth_Hz = 350
delay_ms = {:.3f}
noise_density_mN_rtHz = [0.4, 0.4, 0.6]
drift_mN_rts = {:.3f}
hysteresis_percent = {:.4f}
nonlinearity_percent = {:.4f}
creep_percent = [{:.4f}, {:.4f}]
creep_s = [10, 200]
resolution_mN = [5, 5, 10]
sensitivity_percent_K = {:.4f}
zero_mN_K = [{:.2f}, {:.2f}, {:.2f}]
cable_x_N_m = [{:.3f}, 0, {:.3f}]
cable_z_N_m = [0, 0, {:.3f}]
cable_rest_mm = [100, 50, -30]
)",
                      delays == nullptr ? 0.3 : delays->stage_ms, d.about(150), d.about(150), d.about(150),
                      d.between(0, 360), d.between(0, 360), d.between(0, 360), d.between(0, 30), d.between(0, 30),
                      d.between(0, 15), delays == nullptr ? d.between(0, 2) : delays->force_ms, d.between(0, 0.7),
                      d.between(0, 0.15), d.about(0.05), d.about(0.06), d.about(0.04), d.about(0.027), d.about(10),
                      d.about(10), d.about(20), d.about(0.8), d.about(0.3), d.about(1.5));
  text += "gain_error_percent = " + d.row(6, 1.5, 6) + "\n[twin.force.crosstalk_percent]\n";
  constexpr const char* kRows[] = {"Fx", "Fy", "Fz", "Tx", "Ty", "Tz"};
  for (std::size_t i = 0; i < 6; ++i) text += fmt::format("{} = {}\n", kRows[i], d.row(6, 1, i));
  text += fmt::format(
      R"([twin.vibration]
{}
[twin.temperature]
start_K = {:.2f}
warm_up_K = {:.2f}
warm_up_s = 600
[twin.phantom]
surface_z_mm = -30
friction = {:.3f}
stiffness_N_mm = {:.3f}
)",
      delays == nullptr ? "rate_Hz = 800" : fmt::format("rate_Hz = 3200\ndelay_ms = {:.3f}", delays->vibration_ms),
      d.about(2), d.about(2), d.between(0.05, 0.2), d.between(0.7, 2));
  if (delays != nullptr) text += "[twin.anvil]\nfrom_x_mm = 170\nsurface_z_mm = -32.645\nslope_deg = 10\n";
  return text;
}

}  // namespace strigil::apps
