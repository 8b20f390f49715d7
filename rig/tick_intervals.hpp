// Tick intervals: a histogram of the time from one tick to the next, which tells a computer that looks away.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "daq/time.hpp"

namespace strigil::rig {

/// Bin i counts intervals below kFirst_us 2^i (and not below the bin before); the last one all that were longer.
class TickIntervals {
 public:
  static constexpr std::size_t kBins = 16;
  static constexpr std::uint64_t kFirst_us = 16;
  using Counts = std::array<std::uint64_t, kBins>;

  /// Loop thread only: no lock, no allocation.
  void add(daq::Duration interval) noexcept {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, interval.count() / 1000));
    const auto bin = std::min(kBins - 1, static_cast<std::size_t>(std::bit_width(us / kFirst_us)));
    bins_[bin].store(bins_[bin].load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// Any thread.
  [[nodiscard]] Counts counts() const noexcept {
    Counts out{};
    for (std::size_t i = 0; i < kBins; ++i) out[i] = bins_[i].load(std::memory_order_relaxed);
    return out;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBins> bins_{};
};

}  // namespace strigil::rig
