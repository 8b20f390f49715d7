// Grbl 1.1 at the wire: lines in, lines out. Pure functions and a bounded line splitter; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace strigil::daq {

inline constexpr std::size_t kGrblRxBuffer = 128;  ///< bytes that Grbl holds for lines not yet taken
inline constexpr std::size_t kGrblLongestLine = 80;
inline constexpr std::size_t kGrblAxes = 3;  ///< a stage that reports more or fewer is refused

// Lines to Grbl, with their ends.
inline constexpr std::string_view kGrblAskSettings = "$$\n";
inline constexpr std::string_view kGrblUnlock = "$X\n";
inline constexpr std::string_view kGrblHome = "$H\n";

/// Single bytes that Grbl acts on at once; they do not pass through its receive buffer.
enum class GrblRealtime : std::uint8_t { kStatus = '?', kHold = '!', kResume = '~', kReset = 0x18, kJogCancel = 0x85 };

enum class GrblState : std::uint8_t { kUnknown, kIdle, kRun, kHold, kJog, kAlarm, kDoor, kCheck, kHome, kSleep };

struct GrblOk {};
struct GrblError {
  int number = 0;
};
struct GrblAlarm {
  int number = 0;
};
struct GrblGreeting {
  std::string_view text;
};
struct GrblMessage {
  std::string_view text;
};
struct GrblSetting {
  int number = 0;
  double value = 0;
};
/// A status report. Machine position in mm as sent (MPos, or WPos + the last WCO, which the reader must remember).
struct GrblStatus {
  GrblState state = GrblState::kUnknown;
  int substate = 0;      ///< as in "Hold:1": still decelerating
  bool machine = false;  ///< `position_mm` is MPos; otherwise WPos
  std::array<double, kGrblAxes> position_mm{};
  std::optional<std::array<double, kGrblAxes>> offset_mm;  ///< WCO, when sent
  std::optional<std::array<int, 2>> free;                  ///< Bf, when sent: planner blocks, receive bytes
  std::optional<double> feed_mm_min;                       ///< FS or F, when sent
  std::optional<std::array<int, 3>> overrides_percent;     ///< Ov, when sent: feed, rapid, spindle
  std::string_view pins;                                   ///< Pn, when sent: a letter for each input that is active
};
/// A line that is none of the above, e.g. "[GC:...]".
struct GrblOther {
  std::string_view text;
};
using GrblLine =
    std::variant<GrblOther, GrblOk, GrblError, GrblAlarm, GrblGreeting, GrblMessage, GrblSetting, GrblStatus>;

/// What a line without its end says; views point into `line`. Nothing when it is damaged: not one of Grbl's lines.
std::optional<GrblLine> parse_grbl_line(std::string_view line) noexcept;

/// Gathers bytes into lines. A line longer than kLongest is dropped whole and counted.
class GrblLineSplitter {
 public:
  static constexpr std::size_t kLongest = 160;
  /// The next complete line of `bytes` (which is advanced past it), or nothing when `bytes` is used up. The view is
  /// valid until the next call.
  std::optional<std::string_view> next(std::span<const std::byte>& bytes) noexcept;
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  std::array<char, kLongest> line_{};
  std::size_t size_ = 0;
  bool overlong_ = false;
  std::uint64_t dropped_ = 0;
};

/// A jog to an absolute place in machine coordinates, or by a distance from where the queue ends. Millimetres: it is
/// Grbl's own unit.
struct GrblJog {
  std::array<double, kGrblAxes> target_mm{};
  double feed_mm_min = 0;
  bool relative = false;
};
/// "$J=G53G21X..Y..Z..F..\n" or "$J=G91G21X..", independent of locale, into `out`; its length, 0 when a number does
/// not fit (never with finite values < 1e6).
std::size_t encode_grbl_jog(const GrblJog& jog, std::span<char, kGrblLongestLine> out) noexcept;

/// Grbl's own names for its numbers, with what to check. "unknown" for others.
std::string_view grbl_error_words(int number) noexcept;
std::string_view grbl_alarm_words(int number) noexcept;
std::string_view name_of(GrblState state) noexcept;

}  // namespace strigil::daq
