// The host's side of a Trinamic stage: up to three motors of one TMCM module, as x, y, z. Sans-IO. docs/tmcl.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "daq/axis_session.hpp"
#include "daq/codec/stage_round.hpp"
#include "daq/codec/tmcl_exchange.hpp"

namespace strigil::daq {

struct TmclAxisConfig {
  bool present = true;
  std::uint8_t motor = 0;             ///< of the module
  double pulses_per_m = 1e6;          ///< microsteps; negative when the motor runs the other way
  double max_speed_m_s = 0.1;         ///< wishes beyond are cut
  double acceleration_m_s2 = 1;       ///< of every ramp
  double hard_deceleration_m_s2 = 5;  ///< of stop_hard(): as much as the motor can do without losing steps
  int reference_mode = 0;             ///< axis parameter 193; 0: as the module has it
  double reference_speed_m_s = 0;     ///< towards the switch; 0: as the module has it
  double reference_slow_m_s = 0;      ///< for its edge; 0: as the module has it
};

/// What stops the motors when the host falls silent.
enum class TmclHostSilence : std::uint8_t {
  kProgram,          ///< the stand-alone program of docs/tmcl.md: stops, then lifts z. Not ready() unless it runs
  kSerialHeartbeat,  ///< global parameter 68, where the firmware has it: stops
  kNothing,          ///< the stage runs on: never with a phantom under it
};

struct TmclSessionConfig {
  LinkId link = 0;
  StreamId position_stream = 0;
  TmclExchangeConfig exchange;
  std::array<TmclAxisConfig, kStageAxes> axes{TmclAxisConfig{.motor = 0}, {.motor = 1}, {.motor = 2}};
  double position_rate_Hz = 80;  ///< rounds of all axes; fewer when the line carries fewer
  double status_rate_Hz = 10;    ///< of each axis' speed and error flags
  double latency_s = 0;          ///< from where a position was true to the middle between request and reply
  TmclHostSilence host_silence = TmclHostSilence::kProgram;
  double host_silence_s = 0.5;
  bool driver_flags = true;    ///< axis parameter 208 is as of TMC26x
  bool unit_parameter = true;  ///< false: the module has no axis parameter 255, and knows no unit but pulses/s
};

/// User variables (bank 2) of session and program. They begin at 0 after every reset of the module.
inline constexpr std::uint8_t kTmclHeartbeatVariable = 60;  ///< ticks of 10 ms that the host still has; 0: not armed
inline constexpr std::uint8_t kTmclMarkerVariable = 62;     ///< ours: a reset forgets it, the program marks in it
inline constexpr std::int32_t kTmclMarker = 0x53545247;     ///< "STRG"
inline constexpr std::int32_t kTmclMarkerStopped = 0x53544F50;  ///< "STOP": the program stopped the stage
inline constexpr std::uint8_t kTmclHomedVariable = 63;  ///< kTmclHomed and a bit for each axis that has its reference
inline constexpr std::int32_t kTmclHomed = 0x484F4D00;  ///< "HOM"
inline constexpr std::int32_t kTmclAllHomed = 7;
inline constexpr double kTmclHeartbeatTick_s = 0.01;

/// Every second request at least reads a position while positions are due. A position was true in the middle between
/// request and reply, to half of that time. A round of all axes makes one sample, of the instant at which the first of
/// them was read and with its bound; the others stand where the line between their last two readings has them then. A
/// position that the axis cannot have reached since the last one is thrown away,
/// unless the next one agrees with it and the module has not been reset (as at the end of a reference search).
///
/// At set-up every motor is brought to rest, unless the program has done so and lifts z. Which axes have their
/// reference is left in the module for the next session, and forgotten by it with a reset, a fault, or a search that
/// begins.
///
/// Speeds and flags are asked for in turn. An axis is idle when its speed was 0 twice in a row. Wishes that could not
/// be sent for longest_wish() are dropped and count as lost: whoever steers has long changed its mind.
class TmclSession final : public AxisSession {
 public:
  explicit TmclSession(const TmclSessionConfig& config);

  void on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept override;
  void on_time(HostTime now, SessionOutput& out) noexcept override;
  void stop(HostTime now, SessionOutput& out) noexcept override { (void)stop_axes(now, out); }
  [[nodiscard]] bool ready() const noexcept override { return ready_; }
  [[nodiscard]] const SessionCounts& counts() const noexcept override { return counts_; }

  /// False also while the axis is looking for its reference: stop it first.
  bool set_velocity(std::size_t axis, double velocity_m_s, HostTime now, SessionOutput& out) noexcept override;
  bool move_to(std::size_t axis, double target_m, double speed_m_s, HostTime now, SessionOutput& out) noexcept override;
  /// Taken at any time. While the exchange is out of step the stops go out at once, unanswered, and again after it; so
  /// do those that were not answered when the step is lost, three times at most.
  bool stop_axes(HostTime now, SessionOutput& out) noexcept override;
  bool stop_hard(HostTime now, SessionOutput& out) noexcept override;
  bool home(std::size_t axis, HostTime now, SessionOutput& out) noexcept override;
  bool clear_faults(HostTime now, SessionOutput& out) noexcept override;

  [[nodiscard]] const AxisReading& axis(std::size_t axis) const noexcept override { return axes_[axis].reading; }
  [[nodiscard]] const StreamDescription& description() const noexcept override { return description_; }
  [[nodiscard]] std::uint64_t restarts() const noexcept override { return restarts_; }
  [[nodiscard]] std::uint64_t refused() const noexcept override { return refused_; }
  [[nodiscard]] std::uint64_t lost_answers() const noexcept override { return exchange_.lost() + dropped_; }
  [[nodiscard]] std::size_t pending() const noexcept override;
  [[nodiscard]] const char* fault_words(std::uint32_t fault) const noexcept override { return tmcl_fault_words(fault); }

  /// Times the module told that its watchdog program had stopped the stage.
  [[nodiscard]] std::uint64_t silences() const noexcept { return silences_; }
  /// module number << 16 | major << 8 | minor; 0 before it has said so.
  [[nodiscard]] std::int32_t version() const noexcept { return version_; }
  /// Limit switches as last read.
  [[nodiscard]] bool at_left_limit(std::size_t axis) const noexcept { return axes_[axis].left_limit; }
  [[nodiscard]] bool at_right_limit(std::size_t axis) const noexcept { return axes_[axis].right_limit; }

 private:
  enum class Kind : std::uint8_t {
    kNothing,
    kSetUp,
    kPosition,
    kHeartbeat,
    kHomed,
    kMarker,
    kSpeed,
    kErrorFlags,
    kDriverFlags,
    kLeftLimit,
    kRightLimit,
    kReferenceStatus,
    kAcceleration,  // what follows belongs to motion
    kMaxSpeed,
    kMotion,
    kReferenceStop,
    kStop,
    kHardDeceleration,
  };
  enum class Wish : std::uint8_t { kNone, kVelocity, kMove, kHome };
  enum class Search : std::uint8_t { kNone, kUnderWay, kCheckErrors, kCheckMarker };
  struct Asked {
    Kind kind = Kind::kNothing;
    std::uint8_t axis = 0;
    std::uint32_t serial = 0;  // of the wish or stop
  };
  struct Axis {
    AxisReading reading;
    Wish wish = Wish::kNone;
    double value = 0;  // m/s, or m
    double speed_m_s = 0;
    bool speed_set = false;
    HostTime wished;
    std::uint32_t serial = 0;  // of the wish: an answer to an older one says nothing of the newer
    bool stop_wanted = false;
    bool stop_tried = false;  // sent once, at least
    std::uint32_t stop_serial = 0;
    bool hard_wanted = false;
    bool hard_tried = false;
    bool hard_set = false;
    Search search = Search::kNone;
    bool may_search = false;  // a search was asked for, answered or not, and has not been seen to end
    bool speed_known = false;
    std::uint8_t still = 0;  // speeds of 0 in a row
    bool left_limit = false;
    bool right_limit = false;
    bool placed = false;
    std::int32_t pulses = 0;
    Duration half_trip{};    // of the last position
    AxisLine line;
    bool suspected = false;  // one reading that cannot be, so far
    bool suspect_checked = false;
    std::int32_t suspect = 0;
    HostTime suspect_at;
  };

  void send_next(HostTime now, SessionOutput& out) noexcept;
  bool ask(Kind kind, std::size_t axis, const TmclRequest& request, HostTime now, SessionOutput& out) noexcept;
  bool ask_axis(Kind kind, std::size_t axis, TmclAxis parameter, HostTime now, SessionOutput& out) noexcept;
  bool ask_marker(HostTime now, SessionOutput& out) noexcept;
  bool send_set_up(HostTime now, SessionOutput& out) noexcept;
  bool send_stop(bool again, HostTime now, SessionOutput& out) noexcept;
  bool send_position(HostTime now, SessionOutput& out) noexcept;
  bool send_heartbeat(HostTime now, SessionOutput& out) noexcept;
  bool send_homed(HostTime now, SessionOutput& out) noexcept;
  [[nodiscard]] std::int32_t homed_axes() const noexcept;
  bool send_poll(HostTime now, SessionOutput& out) noexcept;
  bool send_poll_item(std::size_t item, HostTime now, SessionOutput& out) noexcept;
  bool send_motion(HostTime now, SessionOutput& out) noexcept;
  bool send_wish(std::size_t axis, HostTime now, SessionOutput& out) noexcept;
  [[nodiscard]] std::optional<TmclRequest> set_up_request(std::size_t step) const noexcept;

  void answered(const TmclReply& reply, HostTime received, SessionOutput& out) noexcept;
  void answered_set_up(const TmclReply& reply, HostTime received, SessionOutput& out) noexcept;
  void refused_by(const TmclReply& reply, const Asked& asked, HostTime received, SessionOutput& out) noexcept;
  void take_position(std::size_t axis, std::int32_t pulses, HostTime received, SessionOutput& out) noexcept;
  void take_marker(std::int32_t value, HostTime received, SessionOutput& out) noexcept;
  void take_speed(std::size_t axis, std::int32_t pulses_s) noexcept;
  void take_faults(std::size_t axis, std::uint32_t faults, HostTime received, SessionOutput& out) noexcept;
  void motion_answered(const Asked& asked) noexcept;
  void finish_round(HostTime received, SessionOutput& out) noexcept;
  void look_for_losses(HostTime now, SessionOutput& out) noexcept;
  bool send_blind_stops(HostTime now, SessionOutput& out) noexcept;
  void want_stop() noexcept;
  void want_search_stopped(Axis& axis) noexcept;
  [[nodiscard]] bool stops_wanted() const noexcept;
  void restarted(HostTime at, SessionOutput& out) noexcept;
  void begin_again() noexcept;
  void write_marker_again() noexcept;
  void forget_wishes() noexcept;
  void show(Axis& axis) noexcept;

  [[nodiscard]] bool reachable(std::size_t axis, std::int32_t from, HostTime then, std::int32_t to, HostTime at,
                               Duration half_trip) const noexcept;
  [[nodiscard]] std::size_t first_axis() const noexcept;
  [[nodiscard]] bool set_up_done() const noexcept;
  [[nodiscard]] bool may_move(std::size_t axis) const noexcept;
  bool wish(std::size_t axis, Wish kind, double value, double speed_m_s, HostTime now, SessionOutput& out) noexcept;
  [[nodiscard]] std::int32_t pulses_of(std::size_t axis, double metres) const noexcept;
  void report(EventCode code, Severity severity, double number, std::string_view detail, HostTime at,
              SessionOutput& out) noexcept;

  TmclSessionConfig config_;
  StreamDescription description_;
  SessionCounts counts_;
  TmclExchange exchange_;
  std::array<Axis, kStageAxes> axes_{};
  Asked asked_;
  bool ready_ = false;
  bool was_in_step_ = false;
  int blind_stops_ = 0;  // sent for the last stop
  bool verify_ = false;  // the marker comes before anything else
  bool marker_doubted_ = false;
  std::size_t set_up_ = 0;
  bool program_stopped_ = false;  // as set-up found it: an earlier host fell silent
  bool remembers_ = false;        // likewise: not reset since a session of ours
  std::int32_t homed_told_ = 0;   // as the module has it
  std::int32_t homed_asked_ = 0;
  HostTime set_up_after_;
  std::int32_t version_ = 0;
  std::size_t round_axis_ = 0;  // whose position is next
  HostTime round_began_;        // its first request
  HostTime next_round_;
  bool position_last_ = false;
  bool poll_last_ = false;
  HostTime next_heartbeat_;
  HostTime next_poll_;
  std::size_t poll_item_ = 0;
  std::size_t slow_item_ = 0;
  std::size_t motion_axis_ = 0;
  std::uint64_t rounds_ = 0;
  std::uint64_t told_rejected_ = 0;
  HostTime out_since_;  // of step
  bool told_silent_ = false;
  bool restart_owed_ = false;  // not yet told in a block
  std::uint64_t restarts_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t silences_ = 0;
  Block block_{};
};

}  // namespace strigil::daq
