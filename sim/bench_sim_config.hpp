// What the simulated bench is made of: the optional table [twin] of a bench file.
//
// The rig's own tables in the same file ([stage], [force], ...) give the twins what both ends of a wire must agree on:
// travel, rates, counts per newton. [twin] holds what only the simulation knows, and may overrule them to provoke
// a disagreement.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"
#include "rig/instrument.hpp"
#include "rig/phantom.hpp"
#include "rig/readings.hpp"
#include "sim/accelerometer_electronics.hpp"
#include "sim/axis_mechanics.hpp"
#include "sim/fault.hpp"
#include "sim/force_electronics.hpp"
#include "sim/generator_twin.hpp"
#include "sim/instrument_bench_config.hpp"
#include "sim/shaker.hpp"
#include "sim/spring_damper_plant.hpp"
#include "sim/temperature.hpp"

namespace strigil::sim {

/// The simulated stage ([twin.stage]).
struct StageSimConfig {
  std::string codec = "grbl";  ///< from [stage], as are the scales
  rig::Position steps_per_m{1e6, 1e6, 1e6};
  rig::Position travel_min_m{0, 0, -80e-3};  ///< from [stage]
  rig::Position travel_max_m{200e-3, 100e-3, 0};
  rig::Position start_m{0, 0, 0};         ///< where it stands at power-on
  bool start_known = true;                ///< and it knows; otherwise it must be homed
  double max_speed_m_s = 0.2;             ///< from [stage]
  double acceleration_m_s2 = 1.0;         ///< of each axis [A]
  double host_timeout_s = 0.5;            ///< grbl: silence of the host after which it stops by itself; 0: never
  double lift_m = 20e-3;                  ///< tmcl: it lifts so far when it has stopped for that [A]
  daq::Duration answer_latency{300'000};  ///< tmcl, zaber: from request to answer [A]
  daq::Duration report_age{0};            ///< of the positions it reports
  daq::Duration link_delay{1'000'000};    ///< one way; a USB serial port's latency [A]
  StageMechanicsConfig mechanics;         ///< [twin.stage.mechanics]; nothing is wrong with it unless it says so
};

/// The simulated force/torque sensor ([twin.force]).
struct ForceSimConfig {
  double rate_Hz = 1000;  ///< from [force], as are the scales
  double counts_per_N = 1e6;
  double counts_per_N_m = 1e6;
  double noise_N = 0.01;                         ///< RMS of each axis [A]
  std::array<double, 3> bias_N{0.3, -0.2, 1.5};  ///< what the tare must remove [A]
  daq::Duration link_delay{200'000};             ///< UDP on a quiet network [A]
  ForceElectronicsConfig electronics;            ///< ideal unless it says so
};

/// The simulated accelerometer ([twin.vibration]).
struct VibrationSimConfig {
  double rate_Hz = 6400;
  double noise_m_s2 = 0.05;             ///< RMS of each axis; science.md 2.8: <= 1 mg/sqrt(Hz) is wanted
  double clock_error_ppm = 35;          ///< of its crystal against the host's clock [A]
  daq::Duration link_delay{1'000'000};  ///< [A]
  AccelerometerElectronicsConfig electronics;
};

struct SimConfig {
  std::uint64_t seed = 1;  ///< of every random thing: texture and all noises
  double plant_rate_Hz = 12800;
  PhantomConfig phantom;                      ///< the plain plant; of it a tissue plant has the anvil alone
  std::optional<rig::Phantom> tissue;         ///< if set, the plant is a TissuePlant; TissuePlant::make must take it
  std::optional<rig::Instrument> instrument;  ///< on it; without one a steel bar of rig/instrument.hpp's defaults
  std::optional<InstrumentBenchConfig> instrument_bench;  ///< if set, the plant is an InstrumentBenchPlant
  MountConfig mount;
  StageSimConfig stage;
  ForceSimConfig force;
  VibrationSimConfig vibration;
  std::optional<ShakerConfig> shaker;  ///< the accelerometer is on it, and not on the instrument
  std::optional<GeneratorTwinConfig> generator;  ///< what feeds the exciter, where the bench has [generator]
  TemperatureCourse temperature;       ///< of both sensors
  std::vector<SimFault> faults;
};

/// Reads a bench file for the simulator; a file without [twin], or with nothing else, gives defaults. Off the loop.
/// Unknown keys and values out of range are refused with file, line and column.
daq::Result<SimConfig> parse_sim_config(std::string_view text, const std::string& file_name);

}  // namespace strigil::sim
