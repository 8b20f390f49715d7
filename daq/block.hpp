// Block: consecutive samples of one stream, counts with newtons beside them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daq/stream.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

inline constexpr std::size_t kMaxBlockSamples = 64;
inline constexpr std::size_t kMaxChannels = 16;
inline constexpr std::size_t kMaxBlockValues = 384;  ///< 64 samples of 6 channels

/// What is known to be wrong with a block; or-ed together. Nothing is ever repaired in silence.
enum BlockFlag : std::uint32_t {
  kGapBefore = 1U << 0,      ///< samples are missing between the previous block and this one
  kSaturated = 1U << 1,      ///< at least one value at its range
  kDeviceFault = 1U << 2,    ///< the device itself said that these samples are doubtful
  kClockUnlocked = 1U << 3,  ///< t0 rests on a clock fit that is not trusted
  kReceiveTimed = 1U << 4,   ///< the device sends no ticks: t0 is the receive time
  kReordered = 1U << 5,      ///< arrived after a later block
  kDeviceReset = 1U << 6,    ///< the device restarted its counters at this block
  kClockJump = 1U << 7,      ///< the device's clock or the host's has jumped: no line of time goes from before to here
  kGapInRing = 1U << 8,      ///< the gap before was lost in our chunk ring (with neither of these two: on the wire)
  kGapInCodec = 1U << 9,     ///< the gap before was thrown away by the codec as damaged
};

/// By value through Ring<Block>. Sample-major: value (i, c) is at i * channels + c.
/// `values` (unit of the channel) is derived from `counts` by the rig's conversion; sessions leave it untouched.
struct Block {
  StreamId stream = 0;
  std::uint16_t channels = 0;      ///< 1..kMaxChannels
  std::uint16_t samples = 0;       ///< 1..kMaxBlockSamples; samples * channels <= kMaxBlockValues
  std::uint32_t flags = 0;         ///< BlockFlag bits
  std::uint32_t gap = 0;           ///< samples known missing just before this block
  std::uint64_t first_sample = 0;  ///< the device's sample counter at sample 0, extended to 64 bits
  DeviceTicks ticks;               ///< the device's tick counter at sample 0 (0 when it sends none)
  HostTime received;               ///< receive time of the chunk that completed the block
  HostTime t0;                     ///< acquisition time of sample 0
  Duration bound{};                ///< 95 % bound of t0 (clock fit, or half the round trip when kReceiveTimed)
  double period_ns = 0;            ///< estimated sample period; 0 when irregular
  std::array<std::int32_t, kMaxBlockValues> counts;
  std::array<float, kMaxBlockValues> values;

  [[nodiscard]] std::size_t value_count() const { return std::size_t{samples} * channels; }
};

}  // namespace strigil::daq
