// Prompter: who does what the rig cannot do by itself while it is calibrated: puts a mass on, turns the cell, reads a
// reference. A person at a terminal, a screen, a file of answers, or the simulated world.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "daq/time.hpp"
#include "rig/excitation.hpp"

namespace strigil::protocols {

enum class HandsTask : std::uint8_t {
  kConfirm,  ///< do what the words say
  kLoad,     ///< put load_N on the edge, and take off what was there before
  kTurn,     ///< turn what carries the load to azimuth_rad about the sensor's axis, and put it up anew
  kMount,    ///< mount the sensor under test on the exciter with its `axis` along the exciter's, anew
  kShake,    ///< let the exciter shake so until the next kShake
  kReading,  ///< read the reference and say what it says
  kWarm,     ///< bring the bench to temperature_C, and wait until all of it has that
  kTakeOut,  ///< take the instrument out of its clamp
  kPutIn,    ///< put it in
  kTilt,     ///< set the tilt joint to azimuth_rad from upright
  kTap,      ///< from now on tap the edge as `at_edge` says
  kCouple,   ///< couple the exciter, which is still, to the edge
  kSweep,    ///< let it sweep
  kLetGo,    ///< nothing at the edge any more
};

/// What shakes the edge. For people it is in the words.
struct EdgeExcitation {
  int taps = 0;
  double period_s = 0;     ///< from tap to tap, or from sweep to sweep
  double pulse_s = 0;      ///< length of a tap: how hard the hammer's tip is
  double impulse_N_s = 0;  ///< of a tap
  double sweep_s = 0;      ///< of one sweep; what is left of its period it pauses
  double low_Hz = 0;       ///< of the sweep, linear in time
  double high_Hz = 0;
  double force_N = 0;  ///< amplitude of the sweep
};

/// One thing to be done by hand. The rig stands still and is watched meanwhile.
struct HandsRequest {
  HandsTask task = HandsTask::kConfirm;
  std::string words = {};           ///< for people, a sentence
  std::array<double, 3> load_N{};   ///< kLoad: along the force sensor's own x, y, z; all 0: nothing
  double azimuth_rad = 0;           ///< kTurn, kTilt
  std::size_t axis = 0;             ///< kMount: 0 x, 1 y, 2 z
  rig::Excitation excitation = {};  ///< kShake
  std::string shown_by = {};        ///< kShake: channel of the vibration stream, in V, that shows what it does
  EdgeExcitation at_edge = {};      ///< kTap, kSweep
  double temperature_C = 0;         ///< kWarm
  std::string reference = {};       ///< kReading: what is read, e.g. "position x"; for whoever is no person
  std::string unit = {};            ///< kReading: of the answer, SI symbol
  double low = 0;                   ///< kReading: what can be believed lies from here ...
  double high = 0;                  ///< ... to here
};

struct HandsAnswer {
  bool given_up = false;  ///< the procedure is to end without a result
  double value = 0;       ///< kReading: in the request's unit
};

/// How far a procedure has come; for a screen.
struct ProcedureProgress {
  std::size_t step = 0;
  std::size_t steps = 0;
  std::string name;  ///< of the step
  double elapsed_s = 0;
  double left_s = 0;     ///< estimated: what the steps take, and hands as long as they took so far
  bool waiting = false;  ///< for hands
};

/// All on the thread that turns the rig, between two ticks: nothing here may take long, or the rig is not looked at.
/// In virtual time poll() may wait for a person, since the world then stands still.
class Prompter {
 public:
  virtual ~Prompter() = default;
  /// Once for each step that needs hands. One request at a time.
  virtual void ask(const HandsRequest& request, daq::HostTime now) = 0;
  /// The answer, once it is there; after ask(), in every tick.
  virtual std::optional<HandsAnswer> poll(daq::HostTime now) = 0;
  /// A few times a second.
  virtual void progress(const ProcedureProgress& progress) { (void)progress; }
};

}  // namespace strigil::protocols
