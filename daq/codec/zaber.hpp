// Zaber ASCII protocol (version 3, firmware 7) at the wire: lines of text, each with a checksum. Pure functions; no
// allocation. docs/zaber.md says what of this was checked against what.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace strigil::daq {

/// Longest line, its end not counted. Longer ones are thrown away: nothing that we ask for answers with more.
inline constexpr std::size_t kZaberLine = 126;
/// Message ids run from 0 to 99.
inline constexpr std::uint8_t kZaberIds = 100;
inline constexpr std::uint8_t kZaberNoId = 255;
/// Native units of speed for one microstep a second. Of acceleration it takes 1e4 times as many microsteps/s^2.
inline constexpr double kZaberSpeed = 1.6384;
inline constexpr double kZaberAcceleration = 1.6384e-4;

/// One line as it goes over the wire, with its end.
struct ZaberLine {
  std::array<char, kZaberLine + 2> chars{};
  std::uint8_t size = 0;
  [[nodiscard]] std::string_view text() const noexcept { return {chars.data(), size}; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::as_bytes(std::span(chars).first(size));
  }
};

/// What the host says. Device 0: every device; axis 0: every axis, or the device itself.
struct ZaberCommand {
  std::uint8_t device = 0;
  std::uint8_t axis = 0;
  std::uint8_t id = kZaberNoId;
  std::string_view words;
  bool checked = false;  ///< it had a checksum, and a right one
};

enum class ZaberKind : std::uint8_t { kReply, kInfo, kAlert };

/// A warning flag as its two letters, the first one in the upper byte. "--" is none.
using ZaberFlag = std::uint16_t;
constexpr ZaberFlag zaber_flag(char first, char second) noexcept {
  return static_cast<ZaberFlag>(static_cast<unsigned char>(first) << 8U | static_cast<unsigned char>(second));
}
inline constexpr ZaberFlag kZaberNoFlag = zaber_flag('-', '-');
inline constexpr ZaberFlag kZaberNoReference = zaber_flag('W', 'R');
inline constexpr ZaberFlag kZaberStalled = zaber_flag('F', 'S');
inline constexpr ZaberFlag kZaberDriverOff = zaber_flag('F', 'O');

/// What a device says. A reply of axis 0 speaks for the whole device: busy when any axis is, the gravest flag of all.
struct ZaberMessage {
  ZaberKind kind = ZaberKind::kReply;
  std::uint8_t device = 0;
  std::uint8_t axis = 0;
  std::uint8_t id = kZaberNoId;
  bool ok = true;  ///< replies only
  bool busy = false;
  ZaberFlag flag = kZaberNoFlag;
  std::string_view data;  ///< into the line that was decoded. Of a refusal: the reason
  bool checked = false;
};

/// The longitudinal redundancy check over what stands between the first character and the colon.
std::uint8_t zaber_checksum(std::string_view text) noexcept;

/// With a checksum and, unless it is kZaberNoId, the id. Words that do not fit are cut: the device refuses them.
ZaberLine encode_zaber(const ZaberCommand& command) noexcept;
/// With a checksum if `checked`.
ZaberLine encode_zaber(const ZaberMessage& message) noexcept;
/// `line` has no end. Nothing when it is not of this protocol or its checksum is wrong.
std::optional<ZaberCommand> decode_zaber_command(std::string_view line) noexcept;
std::optional<ZaberMessage> decode_zaber_message(std::string_view line) noexcept;

/// The word with this number, counted from 0; empty when there are not so many.
std::string_view zaber_word(std::string_view text, std::size_t number) noexcept;
/// A whole word as a whole number (or one with decimals, cut off). Nothing for anything else, such as "NA".
std::optional<std::int64_t> zaber_number(std::string_view word) noexcept;

/// Gathers lines from bytes. A character that begins a line begins it anew wherever it stands, so that what a lost end
/// had joined comes apart again.
class ZaberReader {
 public:
  /// `starts`: characters that begin a line. For the host "@#!", for a device "/".
  explicit ZaberReader(std::string_view starts) : starts_(starts) {}
  /// A whole line, without its end, good until the next call.
  std::optional<std::string_view> push(std::byte byte) noexcept;
  void forget() noexcept { size_ = 0; }
  /// Pieces thrown away: cut off, too long, without a beginning.
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }

 private:
  std::string_view starts_;
  std::array<char, kZaberLine> line_{};
  std::size_t size_ = 0;
  bool stray_ = false;  // in a piece that has no beginning
  std::uint64_t rejected_ = 0;
};

/// A bit of AxisReading::fault for every flag that stops an axis (F.); 0 for the others.
std::uint32_t zaber_fault_bit(ZaberFlag flag) noexcept;
/// Faults that leave the motor without current: it must be switched on again.
std::uint32_t zaber_driver_faults() noexcept;
/// The gravest of these faults, with what to check; "no fault" for 0. Static storage.
const char* zaber_fault_words(std::uint32_t faults) noexcept;
/// Of any flag. "unknown" for others. Static storage.
const char* zaber_flag_words(ZaberFlag flag) noexcept;
/// Why a command was refused, with what to check. Static storage.
const char* zaber_refusal_words(std::string_view reason) noexcept;

}  // namespace strigil::daq
