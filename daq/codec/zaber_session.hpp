// The host's side of a Zaber stage: up to three axes of one or more controllers on one line, as x, y, z. Sans-IO.
// docs/zaber.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daq/axis_session.hpp"
#include "daq/codec/stage_round.hpp"
#include "daq/codec/zaber.hpp"

namespace strigil::daq {

struct ZaberAxisConfig {
  bool present = true;
  std::uint8_t device = 1;        ///< address of its controller
  std::uint8_t axis = 1;          ///< number on it
  double microsteps_per_m = 1e6;  ///< negative when the axis runs the other way
  double max_speed_m_s = 0.1;     ///< wishes beyond are cut
  double acceleration_m_s2 = 1;   ///< of every ramp
};

/// What stops the axes when the host falls silent.
enum class ZaberHostSilence : std::uint8_t {
  kTriggers,  ///< two triggers of each controller count down, stop, and lift z (docs/zaber.md)
  kNothing,   ///< the stage runs on: never with a phantom under it
};

struct ZaberSessionConfig {
  LinkId link = 0;
  StreamId position_stream = 0;
  std::array<ZaberAxisConfig, kStageAxes> axes{ZaberAxisConfig{.axis = 1}, {.axis = 2}, {.axis = 3}};
  /// From a request to its answer, before it counts as lost. The longest exchange takes 10 ms at 115200 baud.
  Duration answer_timeout = std::chrono::milliseconds(30);
  double position_rate_Hz = 100;  ///< rounds of all axes; fewer when the line carries fewer
  double status_rate_Hz = 5;      ///< of each axis' own flags, while its controller has something to tell
  double latency_s = 0;           ///< from where a position was true to the middle between request and answer
  ZaberHostSilence host_silence = ZaberHostSilence::kTriggers;
  double host_silence_s = 0.5;
  double lift_speed_m_s = 20e-3;  ///< z runs up to its end so fast when the host was silent
};

/// Volatile settings of each controller that are ours. They are 0 after every reset.
inline constexpr std::string_view kZaberCountdown = "user.vdata.0";  ///< ticks that the host still has; <= 0: not armed
inline constexpr std::string_view kZaberMarker = "user.vdata.1";     ///< a reset forgets it
inline constexpr std::int32_t kZaberMarkerValue = 1398035015;        ///< "STRG"
inline constexpr std::int32_t kZaberTick_ms = 10;
inline constexpr std::int32_t kZaberLastTick = 1;  ///< the countdown that stops the stage

/// One request is outstanding; only a stop is sent past it, and what was outstanding is then given up. Every request
/// has the next of 100 ids: an answer counts only with the id, device and axis of the outstanding request and with a
/// checksum, so that it needs no quiet to find the step again. While wishes wait, every third request at least reads
/// positions.
///
/// A controller tells the positions of all its axes in one answer; they were true in the middle between request and
/// answer, to half of that time. A round of all controllers makes one sample, of the first one's instant; the axes of others
/// stand where the line between their last two readings has them then. Wishes that could not be sent for longest_wish()
/// are dropped and count as lost. New velocities take turns with what looks after the controller; one that the axis has
/// been told already gives way to both, and one of 0 for an axis that moves goes before all but stops. An axis is homed
/// while its controller does not say WR of it; a controller that restarted is known by the marker it forgot, looked for
/// as soon as an axis says WR that was homed, or stands where it cannot have come to, or a request that it was set up
/// for is refused. A fault stays until clear_faults().
class ZaberSession final : public AxisSession {
 public:
  explicit ZaberSession(const ZaberSessionConfig& config);

  void on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept override;
  void on_time(HostTime now, SessionOutput& out) noexcept override;
  void stop(HostTime now, SessionOutput& out) noexcept override { (void)stop_axes(now, out); }
  [[nodiscard]] bool ready() const noexcept override { return ready_; }
  [[nodiscard]] const SessionCounts& counts() const noexcept override { return counts_; }

  /// False also while the axis is looking for its reference: stop it first.
  bool set_velocity(std::size_t axis, double velocity_m_s, HostTime now, SessionOutput& out) noexcept override;
  bool move_to(std::size_t axis, double target_m, double speed_m_s, HostTime now, SessionOutput& out) noexcept override;
  /// Taken at any time.
  bool stop_axes(HostTime now, SessionOutput& out) noexcept override;
  bool stop_hard(HostTime now, SessionOutput& out) noexcept override;
  bool home(std::size_t axis, HostTime now, SessionOutput& out) noexcept override;
  /// Clears the flags and switches drivers on that a fault had switched off.
  bool clear_faults(HostTime now, SessionOutput& out) noexcept override;

  [[nodiscard]] const AxisReading& axis(std::size_t axis) const noexcept override { return axes_[axis].reading; }
  [[nodiscard]] const StreamDescription& description() const noexcept override { return description_; }
  [[nodiscard]] std::uint64_t restarts() const noexcept override { return restarts_; }
  [[nodiscard]] std::uint64_t refused() const noexcept override { return refused_; }
  [[nodiscard]] std::uint64_t lost_answers() const noexcept override { return lost_ + dropped_; }
  [[nodiscard]] std::size_t pending() const noexcept override;
  [[nodiscard]] const char* fault_words(std::uint32_t fault) const noexcept override {
    return zaber_fault_words(fault);
  }

  /// Times a controller was found to have stopped because we had been silent.
  [[nodiscard]] std::uint64_t silences() const noexcept { return silences_; }

 private:
  /// Answers lost in a row after which the controller may have forgotten to send checksums.
  static constexpr std::size_t kLostForDoubt = 5;
  enum class Kind : std::uint8_t {
    kNothing,
    kSetUp,
    kChecksum,   // out of the order of the setting-up: an answer without a checksum will do
    kPosition,   // of a device
    kCountdown,  // how much of it is left
    kRearm,
    kMarker,
    kFlags,  // of an axis
    kStop,   // of a device
    kClear,  // of a device
    kDriver,
    kMaxSpeed,  // what follows belongs to motion
    kMotion,
  };
  enum class Wish : std::uint8_t { kNone, kVelocity, kMove, kHome };
  /// What sending an axis' wish would be.
  enum class Errand : std::uint8_t {
    kNews,        // it has not been told
    kReminder,    // it has been, some time ago
    kRepetition,  // it has been a short time ago
  };
  enum class StopWish : std::uint8_t { kNone, kSoft, kHard };
  struct Asked {
    Kind kind = Kind::kNothing;
    std::uint8_t index = 0;  // of the device or axis it is about
    std::uint8_t device = 0;
    std::uint8_t axis = 0;
    std::uint8_t id = 0;
    std::uint32_t serial = 0;  // of the wish or stop
    HostTime sent;
    bool velocity = false;
  };
  struct Device {
    std::uint8_t address = 0;
    StopWish stop = StopWish::kNone;
    bool stop_tried = false;
    std::uint32_t stop_serial = 0;
    bool clear_wanted = false;
    bool marker_wanted = false;
    bool marker_doubted = false;
    bool jumped = false;  // its last positions cannot be, so far
    bool jump_checked = false;
    bool busy = false;              // as it said last of all its axes
    ZaberFlag flag = kZaberNoFlag;  // likewise
    bool count_read = false;        // it may be set again: whether it ran out has been seen
    HostTime armed;                 // when the last countdown began that we know of
    HostTime next_rearm;
    HostTime next_marker;
  };
  struct Axis {
    AxisReading reading;
    AxisLine line;
    std::uint8_t device = 0;  // index into devices_
    Wish wish = Wish::kNone;
    double value = 0;  // m/s, or m
    double speed_m_s = 0;
    HostTime wished;
    bool runs = false;         // its last command was a velocity, and was answered
    std::int64_t runs_at = 0;  // it, in native units
    std::int64_t run_asked = 0;
    HostTime told;                    // when
    std::uint32_t serial = 0;         // of the wish: an answer to an older one says nothing of the newer
    std::int64_t max_speed_set = -1;  // as the device has it; -1: not known
    std::int64_t max_speed_asked = -1;
    bool placed = false;
    bool searching = false;
    bool flags_known = false;
    bool driver_wanted = false;
    HostTime next_flags;
  };

  // zaber_schedule.cpp: what is sent
  void send_next(HostTime now, SessionOutput& out) noexcept;
  bool ask(Kind kind, std::size_t index, std::uint8_t device, std::uint8_t axis, std::string_view words, HostTime now,
           SessionOutput& out) noexcept;
  bool ask_device(Kind kind, std::size_t device, std::string_view words, HostTime now, SessionOutput& out) noexcept;
  bool ask_axis(Kind kind, std::size_t axis, std::string_view words, HostTime now, SessionOutput& out) noexcept;
  bool send_stop(bool again, HostTime now, SessionOutput& out) noexcept;
  bool send_set_up(HostTime now, SessionOutput& out) noexcept;
  bool send_position(HostTime now, SessionOutput& out) noexcept;
  bool send_rearm(HostTime now, SessionOutput& out) noexcept;
  bool send_marker(HostTime now, SessionOutput& out) noexcept;
  bool send_clear(HostTime now, SessionOutput& out) noexcept;
  bool send_flags(HostTime now, SessionOutput& out) noexcept;
  bool send_halt(HostTime now, SessionOutput& out) noexcept;
  bool send_motion(Errand errand, HostTime now, SessionOutput& out) noexcept;
  bool send_background(HostTime now, SessionOutput& out) noexcept;
  [[nodiscard]] Errand errand_of(std::size_t axis, HostTime now) const noexcept;
  bool send_wish(std::size_t axis, HostTime now, SessionOutput& out) noexcept;
  bool want_stop(StopWish how, HostTime now, SessionOutput& out) noexcept;
  [[nodiscard]] std::int64_t speed_of(std::size_t axis, double speed_m_s) const noexcept;
  void set_up_answered(const ZaberMessage& m, HostTime received, SessionOutput& out) noexcept;
  void begin_again() noexcept;
  [[nodiscard]] bool set_up_done() const noexcept { return set_up_device_ >= device_count_; }

  // zaber_session.cpp: what is understood
  void take_line(std::string_view line, HostTime received, SessionOutput& out) noexcept;
  void answered(const ZaberMessage& m, const Asked& asked, HostTime received, SessionOutput& out) noexcept;
  void refused_by(const ZaberMessage& m, const Asked& asked, HostTime received, SessionOutput& out) noexcept;
  void take_status(const ZaberMessage& m, HostTime received, SessionOutput& out) noexcept;
  void take_flags(std::size_t axis, const ZaberMessage& m, HostTime received, SessionOutput& out) noexcept;
  void take_fault(std::size_t axis, std::uint32_t faults, HostTime received, SessionOutput& out) noexcept;
  void take_positions(const ZaberMessage& m, const Asked& asked, HostTime received, SessionOutput& out) noexcept;
  void take_marker(const ZaberMessage& m, const Asked& asked, HostTime received, SessionOutput& out) noexcept;
  void doubt_marker(std::size_t device, HostTime at, SessionOutput& out) noexcept;
  void take_countdown(const ZaberMessage& m, std::size_t device, HostTime received, SessionOutput& out) noexcept;
  void motion_answered(const ZaberMessage& m, const Asked& asked) noexcept;
  void finish_round(HostTime received, SessionOutput& out) noexcept;
  void lose() noexcept;
  void forgive(Axis& axis) noexcept;
  void reject(HostTime at, SessionOutput& out) noexcept;
  void restarted(std::size_t device, HostTime at, SessionOutput& out) noexcept;
  void show(Axis& axis, bool busy) noexcept;
  [[nodiscard]] bool reachable(std::size_t axis, std::int64_t to, const Asked& asked, HostTime received) const noexcept;
  [[nodiscard]] bool may_move(std::size_t axis) const noexcept;
  bool wish(std::size_t axis, Wish kind, double value, double speed_m_s, HostTime now, SessionOutput& out) noexcept;
  void report(EventCode code, Severity severity, double number, std::string_view detail, HostTime at,
              SessionOutput& out) noexcept;

  ZaberSessionConfig config_;
  StreamDescription description_;
  SessionCounts counts_;
  ZaberReader reader_{"@#!"};
  std::array<Axis, kStageAxes> axes_{};
  std::array<Device, kStageAxes> devices_{};
  std::size_t device_count_ = 0;
  Asked asked_;
  std::uint8_t next_id_ = 0;
  bool clear_line_ = true;         // what was sent last may stand half in the controller
  std::size_t lost_in_a_row_ = 0;  // answers
  HostTime heard_;                 // a right answer
  bool told_silent_ = false;
  bool ready_ = false;
  std::size_t set_up_device_ = 0;  // under way; device_count_: done
  std::size_t set_up_step_ = 0;
  HostTime set_up_after_;
  std::size_t round_device_ = 0;  // whose positions are next
  HostTime round_began_;
  Duration round_bound_{};  // of its first exchange
  HostTime next_round_;
  std::uint8_t since_position_ = 0;  // requests
  bool background_last_ = false;
  std::size_t flags_axis_ = 0;
  std::size_t motion_axis_ = 0;
  std::uint64_t rounds_ = 0;
  std::uint64_t told_rejected_ = 0;
  bool restart_owed_ = false;  // not yet told in a block
  std::uint64_t restarts_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t silences_ = 0;
  Block block_{};
};

}  // namespace strigil::daq
