// Conversion: counts to physical units, in the loop. Newtons are derived and carried beside the counts.
#pragma once

#include <array>

#include "daq/block.hpp"
#include "daq/session.hpp"
#include "daq/stream.hpp"

namespace strigil::calibration {

/// value = scale * counts + offset, channel by channel, from a stream's description.
/// Built off the loop; apply() is noexcept, allocates nothing and may run on the loop thread.
class Conversion {
 public:
  Conversion() = default;
  /// Precondition: 1..kMaxChannels channels.
  explicit Conversion(const daq::StreamDescription& stream);

  /// Fills block.values. Precondition: block.channels is what the description said; others are left at zero.
  void apply(daq::Block& block) const noexcept;
  /// The value of channel `c` of one sample, in the channel's unit.
  [[nodiscard]] double value(const daq::NewestSample& sample, std::size_t c) const noexcept {
    return scale_[c] * sample.counts[c] + offset_[c];
  }
  [[nodiscard]] std::size_t channels() const noexcept { return channels_; }

 private:
  std::size_t channels_ = 0;
  std::array<double, daq::kMaxChannels> scale_{};
  std::array<double, daq::kMaxChannels> offset_{};
};

}  // namespace strigil::calibration
