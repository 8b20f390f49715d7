// Fire drill: a fault is made on purpose in the middle of a run, and what the rig does about it is scored.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"
#include "sim/fault.hpp"

namespace strigil::apps {

/// What the rig does when it has noticed.
enum class Response : std::uint8_t {
  kLift,     ///< straight up, clear of the phantom
  kStop,     ///< the stage stands where it is
  kCarryOn,  ///< nothing is in danger: the run goes to its end, and its verdict says what happened
};
std::string_view name_of(Response response) noexcept;

/// One fault and what is expected of the rig (docs/safety.md, Fire drills).
struct Drill {
  std::string name;
  std::string breaks;  ///< in words
  sim::SimFault fault;
  std::vector<sim::FaultOrigin> phases;  ///< of the run, in which it is made
  bool virtual_time = true;              ///< false: only processes and real wires have this fault
  std::vector<std::string> by;      ///< who may notice: an interlock fault, a step's outcome, an event, or words of
                                    ///< the verdict
  std::vector<Response> responses;  ///< any of these is right
  double within_s = 0;              ///< of the fault
  std::string verdict = "INVALID";  ///< "PASS" for who listens; "none": the rig is dead
  bool taps = false;                ///< the bench's [taps] are needed to notice; without, a run is half as long
  std::string file = "whole";       ///< "whole", or "recovered": by `strigil recover`
};

/// A catalogue: what is broken, and on which bench and in which protocol.
struct DrillCatalogue {
  std::string protocol = "smoke";
  std::string bench = "sim";
  std::vector<Drill> drills;
};

/// Errors with file, line and column.
daq::Result<DrillCatalogue> parse_drills(std::string_view text, const std::string& file);
/// `bench_text` without its table [taps].
std::string without_taps(std::string_view bench_text);

/// By the plant, which no fault can deceive.
struct DrillTruth {
  std::optional<daq::HostTime> fault_at;
  double force_at_fault_N = 0;
  double peak_force_N = 0;  ///< from the fault on
  double end_force_N = 0;
  double end_speed_m_s = 0;  ///< 0 also while it lifts
  double end_z_m = 0;
  std::optional<daq::HostTime> lifted_at;  ///< the first lift after the fault
  daq::HostTime last_danger;  ///< the last instant after the fault at which the stage moved otherwise than up
  daq::HostTime last_contact;
};

/// One run with one fault, as it went.
struct DrillRun {
  sim::FaultOrigin phase = sim::FaultOrigin::kContact;
  DrillTruth truth;
  std::string judgement;             ///< "PASS", "FAIL", "INVALID"; "none": there was no verdict
  std::vector<std::string> reasons;  ///< of the verdict, in words
  std::string run_file;
};

/// The same, scored.
struct DrillScore {
  sim::FaultOrigin phase = sim::FaultOrigin::kContact;
  bool made = false;                 ///< the run came as far as the fault
  bool disturbed = false;            ///< something else ended the run, or was noticed, before the fault was made
  std::size_t disturbed_before = 0;  ///< runs that were done again because of that
  std::string detected_by;           ///< empty: by nobody
  bool tripped = false;              ///< it was the interlock
  double detection_s = 0;
  Response response = Response::kCarryOn;
  double safe_after_s = 0;  ///< from the fault to the last motion that was not a lift
  bool safe = false;
  double peak_force_N = 0;
  double end_force_N = 0;
  std::string message;
  std::string judgement;
  std::string file;                   ///< "whole", "recovered", or what is wrong with it
  std::vector<std::string> failings;  ///< in words; empty: good
};

/// Reads the run file and judges. `clear_z_m`, `max_force_N`: of the bench.
DrillScore score(const Drill& drill, const DrillRun& run, double clear_z_m, double max_force_N);

/// A table for people: a line and the message for each drill, then how the trip times are distributed.
std::string to_table(const std::vector<Drill>& drills, const std::vector<std::vector<DrillScore>>& scores);
std::string to_json(const std::vector<Drill>& drills, const std::vector<std::vector<DrillScore>>& scores);

}  // namespace strigil::apps
