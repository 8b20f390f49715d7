// Bench: what stands on the table, from a TOML file that people write. Immutable once read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "calibration/record/record.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"
#include "rig/instrument.hpp"
#include "rig/phantom.hpp"
#include "rig/readings.hpp"

namespace strigil::rig {

/// The stage: which device, on which link, and how far it may go (machine coordinates, metres).
struct StageConfig {
  std::string codec;  ///< "grbl", "tmcl" or "zaber"
  std::string link;   ///< link URI
  Position travel_min_m{};
  Position travel_max_m{};
  double clear_z_m = 0;  ///< height at which nothing touches: retract goes here
  double max_speed_m_s = 0.1;
  double retract_speed_m_s = 0.05;
  double status_rate_Hz = 20;
  double latency_s = 0;          ///< how old a position is when it is reported; measured by the taps of an earlier run
  double in_position_m = 20e-6;  ///< readback this near to the target counts as arrived
  double acceleration_m_s2 = 1;  ///< it brakes at least like this
  double reaction_s = 0.3;       ///< from a setpoint to the stage acting on it, at the latest
  double moving_mass_kg = 1;     ///< of what moves with z [A]

  // tmcl and zaber
  Position steps_per_m{1e6, 1e6, 1e6};  ///< microsteps; negative when the motor runs the other way; 0: no such axis
  bool keeps_position = false;          ///< it knows where it stands after power-up; otherwise it is to be homed first
  double host_silence_s = 0.3;          ///< it stops when it has not heard from us for so long
  double answer_timeout_s = 0;          ///< after it a request counts as lost; 0: the codec's own

  std::string calibration;       ///< the record with its error map, as for the force; empty: it goes where it counts
  std::string serial;            ///< of the stage on the bench
  calibration::Setting setting;  ///< of it; counts per metre are those of x above
  /// The record that a gate has let pass; not from the file. Without: it goes where it counts.
  std::shared_ptr<const calibration::Record> record;
};

/// The force/torque sensor.
struct ForceConfig {
  std::string codec;  ///< "ati_rdt"
  std::string link;
  double rate_Hz = 1000;
  double counts_per_N = 1e6;
  double counts_per_N_m = 1e6;
  std::string normal_axis = "+Fz";      ///< channel and sign that press positive: "+Fz" or "-Fz"
  std::string tangential_axis = "+Fx";  ///< channel and sign along x
  double latency_s = 0;                 ///< from sample to earliest arrival, as for the stage
  double instrument_mass_kg = 0;        ///< of what hangs below the sensor: accelerating it is no force of the phantom

  std::string calibration;        ///< the record to use: id, beginning of its hash, or path; empty: nominal scale
  std::string serial;             ///< of the sensor on the bench
  calibration::Setting setting;   ///< of its chain; rate and counts per newton are those above
  /// The record that a gate has let pass (apps/calibration_gate.hpp); not from the file. Without: nominal scale.
  std::shared_ptr<const calibration::Record> record;
};

/// How the instrument is held (rig/frames.hpp), and which one. The tilt is set by hand.
struct InstrumentMount {
  std::string file;  ///< of the catalogue by name, or a path seen from the bench file's folder; empty: not told
  double angle_rad = 1.5707963267948966;  ///< against the surface; upright
  bool sensor_tilts = false;              ///< the force sensor sits below the tilt joint and leans with the instrument
  std::string calibration;       ///< the record of this instrument, as for the force; empty: it goes by its catalogue
  std::string serial;            ///< of the instrument on the bench
  calibration::Setting setting;  ///< how it is held: its mounting counts
};

/// A sensor that speaks the Strigil sensor stream; it describes itself.
struct VibrationConfig {
  std::string codec;  ///< "strigil_stream"
  std::string link;
  double latency_s = 0;  ///< from sample to earliest arrival, as for the stage

  std::string calibration;       ///< the record to use, as for the force; empty: the scale that it says itself
  std::string serial;            ///< of the sensor on the bench
  calibration::Setting setting;  ///< of it; its rate and counts are those that it says itself
  double low_Hz = 0;             ///< vibrations are reported from here ...
  double high_Hz = 0;            ///< ... to here; both 0: where the record is calibrated
  /// The record that a gate has let pass (apps/vibration_gate.hpp); not from the file.
  std::shared_ptr<const calibration::Record> record;
};

/// The function generator that feeds an exciter's amplifier; procedures alone use it (docs/calibrate.md). Volts are peak.
struct GeneratorConfig {
  std::string codec;  ///< "scpi"
  std::string link;
  std::string make, model, serial;  ///< as it says itself; empty: any
  int channel = 0;                  ///< 0: its commands name none
  double max_V = 0;                 ///< it is never told more
  double min_V = 2e-3;              ///< nor less, while it is on [A]
  bool levels = true;               ///< by what the reference shows; else by sensitivity_V_m_s2 alone
  double sensitivity_V_m_s2 = 0;    ///< of amplifier and exciter; 0: not known
  double sensitivity_V_N = 0;       ///< the same with its rod at an instrument's edge; 0: sweeps there are set by hand
  double tolerance = 0.02;          ///< of a level, relative
  double settle_s = 0.2;            ///< after a setting; of what it shakes [A]
  double answer_timeout_s = 3;
};

/// What the timeline must keep to.
struct TimingConfig {
  double max_bound_s = 0;  ///< a stream whose clock fit has a greater 95 % bound is not trusted (kClockUnlocked)
  std::string calibration;  ///< the record of the channels' delays, as for the force; empty: latency_ms of each
};

/// Where and how the stage taps to prove the timeline (docs/time.md): a hard, springy stop with nothing soft about it.
struct TapConfig {
  double x_m = 0;
  double y_m = 0;
  double start_z_m = 0;    ///< the slow way down begins here
  double deepest_z_m = 0;  ///< and gives up here
  double force_N = 5;      ///< at the bottom of a tap
  double height_m = 2e-3;
  double speed_m_s = 10e-3;
  int count = 4;  ///< before and after the strokes each
};

/// The stop test of each shift (docs/safety.md), onto the hard stop at [taps] and in free air.
struct StopTestConfig {
  bool required = false;  ///< no run on real wires without one that is fresh and passed
  double valid_s = 12 * 3600;
  std::string history;  ///< file that keeps them; empty: runs/stop_tests/NAME.jsonl
  int repeats = 3;      ///< of each kind
  double trip_N = 5;    ///< the interlock's limit in the test
  double speed_m_s = 5e-3;
  double abort_speed_m_s = 0.1;
  double max_time_s = 0.3;
  double max_travel_m = 1e-3;
  double max_abort_travel_m = 20e-3;
  double max_peak_N = 20;
  double worse_by = 0.5;  ///< part by which a figure may exceed that of the first tests
};

enum class CalibrationPolicy : std::uint8_t {
  kRefuse,  ///< no run where a calibration may not be believed
  kMark,    ///< a run, and its numbers are marked "uncalibrated"
};

/// Where calibrations are kept, and what is done about one that may not be believed (docs/calibration_record.md).
struct CalibrationConfig {
  std::string store = "calibrations";  ///< folder
  CalibrationPolicy policy = CalibrationPolicy::kRefuse;
  std::optional<double> temperature_C;  ///< of the bench; nothing: nobody said
  std::string check_standard;           ///< its name; empty: none is asked for
  double check_valid_s = 24 * 3600;     ///< a check older than this does not count
  std::string stage_check_standard;     ///< the same for the stage, e.g. a gauge block
  std::string vibration_check_standard; ///< the same for the accelerometer, e.g. a handheld calibrator
  std::string check_history;            ///< file that keeps the checks; empty: runs/check_standards/NAME.jsonl
};

/// What the interlock holds the rig to.
struct InterlockConfig {
  double max_force_N = 25;
  daq::Duration force_stale{};
  daq::Duration vibration_stale{};
  daq::Duration stage_stale{};
  daq::Duration stuck{};  ///< a sensor whose counts do not change for this long is dead
  double travel_margin_m = 0.5e-3;
  double stiffest_N_m = 12e3;   ///< what the instrument may come upon; 2.6 [C] has 4.3 N/mm, here about three times [A]
  double max_impact_J = 20e-3;  ///< 1 kg at 0.2 m/s [A]
};

struct BenchConfig {
  std::string name;
  std::string file;  ///< for messages
  std::string text;  ///< as read: recorded with every run
  StageConfig stage;
  ForceConfig force;
  VibrationConfig vibration;
  InstrumentMount instrument;
  std::optional<GeneratorConfig> generator;  ///< without: exciters are set by hand
  TimingConfig timing;
  CalibrationConfig calibration;
  std::optional<TapConfig> taps;  ///< without: the timeline is not proved
  InterlockConfig interlock;
  std::optional<StopTestConfig> stop_test;
  std::string phantom_file;  ///< as InstrumentMount::file
  // Not from this file: loaded by whoever knows where catalogues are (apps/specimen.hpp). Never published.
  std::optional<Phantom> phantom_there;        ///< under the instrument: the ground truth
  std::optional<Instrument> instrument_there;  ///< on the stage
  daq::Duration bring_up_timeout{};  ///< how long a device may take to speak
};

/// Reads a bench. Unknown keys, wrong types and values out of range are refused with file, line and column.
/// The table [twin] is passed over: it belongs to the simulator.
daq::Result<BenchConfig> parse_bench(std::string_view text, const std::string& file);
daq::Result<BenchConfig> load_bench(const std::string& path);

}  // namespace strigil::rig
