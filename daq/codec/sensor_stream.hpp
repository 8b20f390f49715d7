// The Strigil sensor stream at the wire, version 1 (docs/sensor_stream.md). Both directions; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "daq/block.hpp"
#include "daq/codec/cobs.hpp"

namespace strigil::daq::sensor_stream {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint32_t kAnyDevice = 0xFFFFFFFF;  ///< in requests: whoever listens
inline constexpr std::size_t kMaxStreams = 4;            ///< streams a device may have
inline constexpr std::size_t kMaxText = 48;              ///< bytes of any name
inline constexpr double kLeastRate_Hz = 1e-3;            ///< bounds keep every product with a counter within 64 bits
inline constexpr double kMostRate_Hz = 1e6;
inline constexpr double kLeastTickRate_Hz = 1e3;
inline constexpr double kMostTickRate_Hz = 1e9;
inline constexpr std::size_t kHeaderSize = 6;
inline constexpr std::size_t kDataHeaderSize = 12;
inline constexpr std::size_t kCrcSize = 2;
inline constexpr std::size_t kMaxPacket = kHeaderSize + kDataHeaderSize + 4 * kMaxBlockValues + kCrcSize;
inline constexpr std::size_t kMaxFrame = cobs_bound(kMaxPacket) + 1;  ///< on the wire, with the delimiter

enum class Type : std::uint8_t {
  kDescribe = 0x01,
  kStart = 0x02,
  kStop = 0x03,  // host to device
  kDevice = 0x81,
  kStream = 0x82,
  kChannel = 0x83,
  kData = 0x84,
  kStatus = 0x85  // device to host
};

struct Request {
  Type type = Type::kDescribe;
};
struct Device {
  std::uint8_t streams = 0;
  std::string_view name;
  std::string_view serial;
};
struct Stream {
  std::uint8_t index = 0;
  std::uint8_t channels = 0;
  double rate_Hz = 0;
  double tick_rate_Hz = 0;
  std::int32_t counts_min = 0;
  std::int32_t counts_max = 0;
  std::string_view name;
  std::string_view quantity;
};
struct Channel {
  std::uint8_t stream = 0;
  std::uint8_t channel = 0;
  double scale = 1;
  double offset = 0;
  std::string_view name;
  std::string_view unit;
};
struct Data {
  std::uint8_t stream = 0;
  bool fault = false;  ///< the device doubts these samples
  std::uint8_t channels = 0;
  std::uint8_t samples = 0;  ///< 1..64, samples * channels <= kMaxBlockValues
  std::uint32_t ticks = 0;   ///< device counter at the first sample
  std::uint32_t first_sample = 0;
  std::span<const std::byte> counts;  ///< samples * channels int32, little endian, sample-major; see count_at
  /// Value `i` of `counts`. Precondition: i < samples * channels.
  [[nodiscard]] std::int32_t count_at(std::size_t i) const noexcept;
};
struct Status {
  std::uint8_t code = 0;
  std::string_view text;
};
using Body = std::variant<Request, Device, Stream, Channel, Data, Status>;

/// A decoded packet; views point into the bytes it was decoded from.
struct Packet {
  std::uint32_t device = kAnyDevice;
  Body body;
};

/// One packet ready for the wire: COBS-encoded and delimited.
struct Frame {
  std::array<std::byte, kMaxFrame> bytes;
  std::size_t size = 0;
  [[nodiscard]] std::span<const std::byte> data() const noexcept { return {bytes.data(), size}; }
};

/// Encodes. Texts longer than kMaxText are cut. Precondition for Data: counts.size() == 4 * samples * channels.
void encode(const Packet& packet, Frame& frame) noexcept;
/// Checks length, version, CRC and every bound of a packet already freed of COBS. Nothing when any is wrong.
std::optional<Packet> decode(std::span<const std::byte> packet) noexcept;

/// Gathers bytes into packets at 0x00 delimiters; after garbage it is in step again at the next delimiter.
class Unframer {
 public:
  /// The next good packet of `bytes` (which is advanced), or nothing when they are used up. Valid until the next call.
  std::optional<Packet> next(std::span<const std::byte>& bytes) noexcept;
  /// Frames thrown away: overlong, not COBS, bad CRC or bounds.
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }

 private:
  std::array<std::byte, kMaxFrame> frame_{};
  std::array<std::byte, kMaxPacket> packet_{};
  std::size_t size_ = 0;
  bool overlong_ = false;
  std::uint64_t rejected_ = 0;
};

}  // namespace strigil::daq::sensor_stream
