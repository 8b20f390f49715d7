// Loss witness: on which hop the samples before a gap were lost.
#pragma once

#include <cstdint>

#include "daq/block.hpp"
#include "daq/chunk.hpp"

namespace strigil::daq {

/// Kept by a session for each stream. Whoever sees a gap asks once; what was seen since the last good sample answers:
/// a chunk that the ring refused, else a record that the codec threw away, else nothing came over the wire.
class LossWitness {
 public:
  void chunk(const Chunk& chunk) noexcept { refused_ = refused_ || chunk.refused_before > 0; }
  void rejected() noexcept { rejected_ = true; }
  /// A good sample with no gap before it: whatever was lost, no samples were in it.
  void none() noexcept { refused_ = rejected_ = false; }
  /// The flag bits of a block with a gap before it.
  [[nodiscard]] std::uint32_t gap_flags() noexcept {
    const std::uint32_t where = refused_ ? kGapInRing : (rejected_ ? kGapInCodec : 0U);
    none();
    return kGapBefore | where;
  }

 private:
  bool refused_ = false;
  bool rejected_ = false;
};

}  // namespace strigil::daq
