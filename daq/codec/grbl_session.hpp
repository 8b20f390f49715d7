// The host's side of a Grbl 1.1 stage: settings, status polls, character-counted jogs, stops. Sans-IO.
#pragma once

#include <array>
#include <cstdint>

#include "daq/codec/grbl.hpp"
#include "daq/session.hpp"
#include "daq/stream.hpp"

namespace strigil::daq {

struct GrblSessionConfig {
  LinkId link = 0;
  StreamId position_stream = 0;
  double status_rate_Hz = 20;
  double latency_s = 0;                                      ///< how old a position is when the stage reports it
  Duration answer_timeout = std::chrono::milliseconds(500);  ///< a poll or line unanswered for this long is given up
};

/// What the stage said of itself ($$); 0 where it did not.
struct GrblSettings {
  bool complete = false;
  bool soft_limits = false;
  bool reports_inches = false;
  std::array<double, kGrblAxes> max_rate_mm_min{};
  std::array<double, kGrblAxes> acceleration_mm_s2{};
  std::array<double, kGrblAxes> max_travel_mm{};
};

/// Loop thread only; noexcept, no allocation. Puts out a position stream: x, y, z in micrometres, one sample for each
/// status report, receive-timed. Alarms, errors, messages and changes of state become events. A greeting in mid-run
/// means the stage has restarted: everything outstanding is forgotten, settings are read again (not ready() until
/// then) and the next block carries kDeviceReset. An answer lost on the wire is noticed when the stage stands idle with
/// lines still outstanding; then these are given up (kNoAnswer).
class GrblSession final : public Session {
 public:
  explicit GrblSession(const GrblSessionConfig& config);

  void on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept override;
  void on_time(HostTime now, SessionOutput& out) noexcept override;
  /// Cancels any jog, also one that no report has told of yet.
  void stop(HostTime now, SessionOutput& out) noexcept override;
  /// True once settings and a position have come since the stage (re)started.
  [[nodiscard]] bool ready() const noexcept override { return settings_.complete && placed_; }
  [[nodiscard]] const SessionCounts& counts() const noexcept override { return counts_; }

  /// Sends a jog when it fits into what Grbl's receive buffer still holds (character counting). False: not sent, try
  /// again after the next answer. False also before the settings are known and when positions come in inches ($13).
  bool queue_jog(const GrblJog& jog, HostTime now, SessionOutput& out) noexcept;
  /// Real-time commands: sent at once, whatever is outstanding. False when the link took none.
  bool send_realtime(GrblRealtime command, SessionOutput& out) noexcept;
  /// Stops jogging by deceleration. Jogs that wait in Grbl's receive buffer would run afterwards, so each of them is
  /// cancelled as its answer comes. (send_realtime(kJogCancel) does the same.)
  bool cancel_jog(SessionOutput& out) noexcept { return send_realtime(GrblRealtime::kJogCancel, out); }
  bool feed_hold(SessionOutput& out) noexcept { return send_realtime(GrblRealtime::kHold, out); }
  bool resume(SessionOutput& out) noexcept { return send_realtime(GrblRealtime::kResume, out); }
  /// Stops dead and restarts Grbl; in motion the position is lost (ALARM:3).
  bool soft_reset(SessionOutput& out) noexcept { return send_realtime(GrblRealtime::kReset, out); }
  /// Lines, counted like jogs; homing is answered when it is done. False: not sent.
  bool unlock(HostTime now, SessionOutput& out) noexcept;
  bool home(HostTime now, SessionOutput& out) noexcept;

  [[nodiscard]] const StreamDescription& description() const noexcept { return description_; }
  [[nodiscard]] const GrblSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] GrblState state() const noexcept { return state_; }
  [[nodiscard]] const std::array<double, kGrblAxes>& position_m() const noexcept { return position_m_; }
  [[nodiscard]] HostTime position_received() const noexcept { return position_received_; }
  /// Status reports so far: who waits for a report made after some instant compares this.
  [[nodiscard]] std::uint64_t reports() const noexcept { return reports_; }
  [[nodiscard]] std::size_t outstanding_lines() const noexcept { return lines_; }
  [[nodiscard]] std::size_t outstanding_bytes() const noexcept { return outstanding_bytes_; }
  /// Jogs sent and not yet answered; answered with ok; answered with an error; and lines whose answer never came.
  [[nodiscard]] std::size_t queued_jogs() const noexcept { return queued_jogs_; }
  [[nodiscard]] std::uint64_t acknowledged_jogs() const noexcept { return acknowledged_jogs_; }
  [[nodiscard]] std::uint64_t refused_jogs() const noexcept { return refused_jogs_; }
  [[nodiscard]] std::uint64_t lost_answers() const noexcept { return lost_answers_; }
  /// Greetings in mid-run. After one, machine coordinates may mean another place: whoever moves must stop and ask.
  [[nodiscard]] std::uint64_t restarts() const noexcept { return restarts_; }
  /// Searches for the references ($H) that were answered with ok, and with an error; ALARM lines.
  [[nodiscard]] std::uint64_t homings() const noexcept { return homings_; }
  [[nodiscard]] std::uint64_t refused_homings() const noexcept { return refused_homings_; }
  [[nodiscard]] std::uint64_t alarms() const noexcept { return alarms_; }
  /// Numbers of the last ALARM and error lines (grbl_alarm_words, grbl_error_words); 0: none yet.
  [[nodiscard]] int last_alarm() const noexcept { return last_alarm_; }
  [[nodiscard]] int last_error() const noexcept { return last_error_; }

 private:
  enum class LineKind : std::uint8_t { kSettings, kJog, kHome, kOther };
  struct Sent {
    std::uint8_t size = 0;
    LineKind kind = LineKind::kJog;
    HostTime at;
  };
  void take(const GrblLine& line, HostTime received, SessionOutput& out) noexcept;
  void take_status(const GrblStatus& status, HostTime received, SessionOutput& out) noexcept;
  void take_setting(const GrblSetting& setting) noexcept;
  void take_greeting(const GrblGreeting& greeting, HostTime received, SessionOutput& out) noexcept;
  void answered(bool accepted, SessionOutput& out) noexcept;
  Sent drop_first() noexcept;
  void forget_outstanding() noexcept;
  void give_up_lost_answers(HostTime received, SessionOutput& out) noexcept;
  void set_state(GrblState state, HostTime at, SessionOutput& out) noexcept;
  bool send_line(std::string_view line, LineKind kind, HostTime now, SessionOutput& out) noexcept;
  void report(EventCode code, Severity severity, double number, std::string_view detail, HostTime at,
              SessionOutput& out) noexcept;

  static constexpr std::size_t kMaxLines = 32;
  GrblSessionConfig config_;
  StreamDescription description_;
  SessionCounts counts_;
  GrblLineSplitter splitter_;
  GrblSettings settings_;
  GrblState state_ = GrblState::kUnknown;
  std::array<double, kGrblAxes> position_m_{};
  std::array<double, kGrblAxes> offset_mm_{};
  bool offset_known_ = false;
  HostTime position_received_;
  bool placed_ = false;
  std::uint64_t reports_ = 0;
  std::array<Sent, kMaxLines> sent_{};
  std::size_t first_ = 0;
  std::size_t lines_ = 0;
  std::size_t outstanding_bytes_ = 0;
  std::size_t queued_jogs_ = 0;
  std::size_t lines_to_cancel_ = 0;  // of the outstanding ones: sent before the last jog cancel
  bool cancel_owed_ = false;         // the link took none when one had to be sent again
  std::uint64_t acknowledged_jogs_ = 0;
  std::uint64_t refused_jogs_ = 0;
  std::uint64_t lost_answers_ = 0;
  std::uint64_t restarts_ = 0;
  std::uint64_t homings_ = 0;
  std::uint64_t refused_homings_ = 0;
  std::uint64_t alarms_ = 0;
  int last_alarm_ = 0;
  int last_error_ = 0;
  bool polled_ = false;  // a poll is unanswered
  HostTime polled_at_;
  HostTime next_poll_;
  bool settings_asked_ = false;
  HostTime settings_asked_at_;
  std::uint32_t settings_seen_ = 0;  // one bit for each that we cannot do without
  bool restarted_ = false;           // not yet told in a block
  Block block_{};
};

}  // namespace strigil::daq
