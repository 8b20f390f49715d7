#include "calibration/conversion.hpp"

#include <cassert>

namespace strigil::calibration {

Conversion::Conversion(const daq::StreamDescription& stream) : channels_(stream.channels.size()) {
  assert(channels_ >= 1 && channels_ <= daq::kMaxChannels);
  for (std::size_t c = 0; c < channels_; ++c) {
    scale_[c] = stream.channels[c].scale;
    offset_[c] = stream.channels[c].offset;
  }
}

void Conversion::apply(daq::Block& block) const noexcept {
  if (block.channels != channels_) return;  // a device that changed its shape: the session flags it, counts stay true
  std::size_t i = 0;
  for (std::size_t s = 0; s < block.samples; ++s) {
    for (std::size_t c = 0; c < channels_; ++c, ++i) {
      block.values[i] = static_cast<float>(scale_[c] * block.counts[i] + offset_[c]);
    }
  }
}

}  // namespace strigil::calibration
