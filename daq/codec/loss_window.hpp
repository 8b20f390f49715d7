// LossWindow: which of the newest sample counters were given up for lost, so that loss is counted exactly however late
// or how often a record comes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace strigil::daq {

/// Remembers `Size` counters (a power of two) behind the newest one told. Pure, noexcept, no allocation.
template <std::size_t Size>
class LossWindow {
  static_assert(Size >= 64 && (Size & (Size - 1)) == 0);

 public:
  /// Counters first..first+count-1 came.
  void came(std::uint64_t first, std::uint64_t count) noexcept { mark(first, count, false); }
  /// Counters first..first+count-1 did not come.
  void lost(std::uint64_t first, std::uint64_t count) noexcept { mark(first, count, true); }
  /// How many of first..first+count-1 were lost until now; they are so no more. Precondition: all within the window.
  std::uint64_t came_late(std::uint64_t first, std::uint64_t count) noexcept {
    std::uint64_t out = 0;
    for (std::uint64_t i = first; i != first + count; ++i) out += word(i) >> (i % 64) & 1U;
    mark(first, count, false);
    return out;
  }
  /// The counters begin anew.
  void forget() noexcept { words_.fill(0); }

 private:
  std::uint64_t& word(std::uint64_t i) noexcept { return words_[i % Size / 64]; }
  void mark(std::uint64_t first, std::uint64_t count, bool bit) noexcept {
    const auto kept = std::min<std::uint64_t>(count, Size);
    for (std::uint64_t i = first + count - kept; i != first + count; ++i) {
      const auto mask = std::uint64_t{1} << (i % 64);
      word(i) = bit ? word(i) | mask : word(i) & ~mask;
    }
  }
  std::array<std::uint64_t, Size / 64> words_{};
};

}  // namespace strigil::daq
