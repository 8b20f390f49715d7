// Model: what a screen knows of a bench. Filled by the threads of a BenchLink or by a run file, read by the panels.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daq/publish/message.hpp"
#include "ui/detections.hpp"
#include "ui/health.hpp"
#include "ui/history.hpp"
#include "ui/status.hpp"

namespace strigil::ui {

/// One stream as it came.
struct StreamView {
  explicit StreamView(const daq::StreamDescription& d) : description(d), history(d.channels.size()) {}
  daq::StreamDescription description;
  History history;
  std::uint64_t samples = 0;
  std::uint64_t missing = 0;    ///< samples that the rig itself did not get (gaps)
  std::uint64_t unseen = 0;     ///< messages that the rig sent and this screen did not get
  std::uint64_t next = 0;       ///< sequence expected next; 0: none came yet
  std::uint64_t unlocked = 0;   ///< samples whose clock was not locked
  std::uint64_t saturated = 0;  ///< blocks with a value at its range
  double bound_s = 0;           ///< 95 % bound of the newest block's time
  double rate_Hz = 0;           ///< seen, over the last blocks
  double rate_since_s = 0;
  std::uint64_t rate_samples = 0;
};

struct EventLine {
  double at_s = 0;
  daq::Severity severity = daq::Severity::kInfo;
  std::string words;
  daq::EventCode code = daq::EventCode::kNone;
  std::uint64_t times = 1;  ///< late ticks that came one after the other are one line
};

/// One pass over the phantom, in millimetres.
struct Pass {
  std::string stream, channel, unit, direction;
  int number = 0;
  double first_mm = 0, bin_mm = 1;
  std::vector<float> mean;  ///< NaN where nothing lay in a bin
};

struct SubscriberLine {
  std::string name;
  bool alive = false;
  double behind_s = 0;
  std::uint64_t received = 0, lost = 0;
};

/// Everything; guarded by Model::mutex.
struct ModelState {
  bool controller_answers = false;
  std::string controller_words = "not connected";  ///< why it does not answer, or what it refused last
  double status_age_s = 0;
  Status status;
  Health health;
  std::vector<std::string> protocols;
  std::vector<std::string> suites;
  bool in_control = false;
  bool stop_asked = false;      ///< the stop was pressed and is on its way
  bool stop_confirmed = false;  ///< and the rig has said so
  std::map<std::string, StreamView> streams;
  std::deque<EventLine> events;
  std::deque<Pass> passes;
  Detections detections;  ///< of the run that goes on, or was last
  std::deque<SubscriberLine> subscribers;
  std::string ledger_json;
  std::string end_json;  ///< of the run heard last; empty while it goes on
  std::uint64_t malformed = 0;
  std::uint32_t run_tag = 0;
};

/// Any thread, by its lock. `take` never throws and believes nothing.
class Model {
 public:
  static constexpr std::size_t kEvents = 2000;
  static constexpr std::size_t kPasses = 64;
  std::mutex mutex;
  ModelState state;

  /// One message of the publication. Locks.
  void take(const daq::Message& message);
  /// A message that was none. Locks.
  void take_malformed();
  /// A block that came from elsewhere (a run file). Locks.
  void take_block(const daq::StreamDescription& description, const daq::Block& block);
  void take_event(const daq::Event& event);
  /// Forgets streams, events and passes, not the status. Locks.
  void forget();
};

/// A pass from a profile message's JSON; `ok` false when it is none.
struct ParsedPass {
  bool ok = false;
  Pass pass;
};
ParsedPass parse_pass(std::string_view json);

}  // namespace strigil::ui
