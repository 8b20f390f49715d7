// Detector desk: the court's end of the contract with one detector in another process (docs/detectors.md).
//
// Collects what it answers, with how far the data had been published when the answer came; sees whether it hangs, is
// slow, has crashed, floods or says what makes no sense; holds the data back for it where they can be held back. Knows
// no truth. Hostile input is bounded: 10,000 detections a stroke, 1,000,000 letters, 100,000 strokes.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daq/control/mailbox.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"
#include "protocols/court/stroke_feed.hpp"
#include "protocols/detectors/answer_message.hpp"

namespace strigil::protocols {

enum class DeskFault : std::uint8_t {
  kClairvoyant,
  kAskedForTruth,
  kHung,
  kSlow,
  kCrashed,
  kNeverCame,
  kFlooding,
  kMalformed,
  kIncomplete,
};
std::string_view name_of(DeskFault fault) noexcept;
/// "hung", "is slow": as the rest of a sentence about a detector.
std::string_view in_a_sentence(DeskFault fault) noexcept;

/// Something that no honest and working detector does, in words with numbers.
struct DeskFinding {
  DeskFault of = DeskFault::kMalformed;
  std::string words;
};

/// Of the answers: real time from the publication of the data they rest on to their coming.
struct DeskLag {
  std::size_t answers = 0;
  double median_s = 0;
  double p95_s = 0;
  double latest_s = 0;
};

/// What one detector answered in one run.
struct DeskHearing {
  std::string detector;  ///< by its own word; DeskConfig::unnamed: it never came
  std::string version;
  std::vector<StrokeHearing> strokes;  ///< as a stroke feed has them, of every stroke that there was
  std::vector<DeskFinding> findings;   ///< each kind once at most
  DeskLag lag;
};

/// The detector's process, where it is ours.
class DeskProcess {
 public:
  virtual ~DeskProcess() = default;
  /// How it ended, in words ("exit code 3: ..."); nothing: it is there.
  virtual std::optional<std::string> ended() = 0;
  virtual void kill() = 0;
};

struct DeskConfig {
  daq::MailboxConfig mailbox;
  DeskRules rules;
  double early_mm = 2;        ///< as StrokeFeedConfig has it
  std::string unnamed = "?";  ///< what one is called that never came
  bool real_time = false;     ///< data are published as they are made, and wait for nobody
};

/// One thread. In order: open, begin, wait_for_hello, published and wait_for_slowest over and over, wait_for_bye,
/// finish.
class DetectorDesk {
 public:
  /// To one stroke, so far.
  struct Told {
    std::vector<Detection> detections;
    std::vector<bool> published;      ///< of each: what it says it knew was out
    std::optional<std::size_t> done;  ///< by its own word how many in all; nothing: it has not said that this was all
  };
  /// Errors: as of Mailbox::open; rules out of range.
  static daq::Result<std::unique_ptr<DetectorDesk>> open(const DeskConfig& config);
  [[nodiscard]] const std::string& endpoint() const { return mailbox_->bound_endpoint(); }
  /// Whose end is to be seen; must outlive the desk's work. nullptr: somebody else's.
  void watch(DeskProcess* process) { process_ = process; }
  /// What the welcome says. Before it nobody is welcomed.
  void begin(const std::string& run_id, const StrokeFeedConfig& run);

  /// Looks `longest` for a hello; true once it has come. `gave_up()`: nobody will come any more.
  bool wait_for_hello(daq::Duration longest);
  /// Of the hello.
  [[nodiscard]] std::size_t subscriptions() const { return hello_.subscriptions; }
  /// Data up to `until` are out. Reads what has come; never waits.
  void published(daq::HostTime until);
  /// Waits until it has heard all but the window's worth of what was published, or is no longer there. At most
  /// patience_s after its last word.
  void wait_for_slowest();
  /// Waits for its bye, at most patience_s after its last word. After the publication's end.
  void wait_for_bye();
  /// It has come, and neither left nor been given up.
  [[nodiscard]] bool listening() const { return state_ == State::kListening; }
  /// It is not there and will not come.
  [[nodiscard]] bool gave_up() const { return state_ == State::kHung || state_ == State::kCrashed; }

  /// By its own word; the name DeskConfig::unnamed where it has not come.
  [[nodiscard]] const std::string& name() const { return seat_.empty() ? config_.unnamed : hello_.name; }
  [[nodiscard]] const std::string& version() const { return hello_.version; }
  /// What it has answered so far, by stroke; finish() takes it away.
  [[nodiscard]] const std::map<StrokeId, Told>& told() const { return told_; }

  /// Puts the answers to the strokes that there were: hearings of a StrokeFeed without detectors. Once.
  DeskHearing finish(const std::vector<StrokeHearing>& strokes);

 private:
  enum class State : std::uint8_t { kAwaited, kListening, kBye, kHung, kCrashed };
  struct Out {
    daq::HostTime until;
    daq::HostTime wall;
  };
  explicit DetectorDesk(const DeskConfig& config) : config_(config) {}
  void serve(daq::Duration longest);
  void take(const daq::Letter& letter);
  void welcome();
  void take_from_detector(const Answer& answer);
  void take_answer(const Answer& answer);
  void take_detections(const DetectionsAnswer& answer);
  void look_after_process();
  [[nodiscard]] bool behind() const;
  void give_up_if_silent(daq::HostTime since, const char* words);
  void refuse(const std::string& whom, std::string_view what, std::string_view why);
  void malformed(const std::string& what);
  Told* told_of(const StrokeId& stroke);
  [[nodiscard]] daq::HostTime horizon() const;
  void note_lag(double known_s);
  void join(StrokeHearing& stroke, const Told& told) const;
  [[nodiscard]] std::vector<DeskFinding> findings(const std::vector<StrokeHearing>& strokes, bool left_out);

  const DeskConfig config_;
  std::unique_ptr<daq::Mailbox> mailbox_;
  DeskProcess* process_ = nullptr;
  std::optional<Welcome> welcome_;
  State state_ = State::kAwaited;
  std::string seat_;  // the connection of who said hello
  bool welcomed_ = false;
  bool over_ = false;  // all is published
  HelloAnswer hello_;
  daq::HostTime last_word_;
  daq::HostTime behind_since_;
  daq::HostTime published_;
  daq::HostTime heard_;
  std::deque<Out> outs_;
  std::map<StrokeId, Told> told_;
  std::size_t letters_ = 0;
  std::size_t flooded_ = 0;
  std::size_t malformed_ = 0;
  std::string first_malformed_;
  std::size_t asked_for_truth_ = 0;
  std::size_t ahead_of_publication_ = 0;
  std::vector<double> lags_s_;
  std::string ended_;  // why it is no longer waited for
};

}  // namespace strigil::protocols
