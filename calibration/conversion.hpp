// Conversion: counts to physical units, in the loop. Newtons are derived and carried beside the counts.
#pragma once

#include <array>
#include <cstdint>

#include "calibration/record/record.hpp"
#include "daq/block.hpp"
#include "daq/session.hpp"
#include "daq/stream.hpp"

namespace strigil::calibration {

/// Channel by channel: scale * counts + offset from the stream's description, or what a calibration's fit says (a
/// polynomial of one input, a row of a matrix over several).
/// Built off the loop; apply() and value() are noexcept, allocate nothing and may run on the loop thread.
class Conversion {
 public:
  Conversion() = default;
  /// Nominal. Precondition: 1..kMaxChannels channels.
  explicit Conversion(const daq::StreamDescription& stream);
  /// Nominal but for the quantities of the record. Errors: the stream has no such channel, or gives it in another unit;
  /// the fit is neither polynomial nor matrix.
  static daq::Result<Conversion> with(const daq::StreamDescription& stream, const Record& record);

  /// Fills block.values. Precondition: block.channels is what the description said; others are left at zero.
  void apply(daq::Block& block) const noexcept;
  /// The value of channel `c` of one sample, in the channel's unit.
  [[nodiscard]] double value(const daq::NewestSample& sample, std::size_t c) const noexcept {
    if (inputs_ == 0) return scale_[c] * sample.counts[c] + offset_[c];
    return at(sample.counts.data(), c);
  }
  [[nodiscard]] std::size_t channels() const noexcept { return channels_; }

 private:
  static constexpr std::size_t kMostCoefficients = 8;
  enum class Rule : std::uint8_t { kNominal, kPolynomial, kMatrix };
  struct Input {
    std::size_t channel = 0;
    double per_count = 1;
    double zero_counts = 0;
  };
  [[nodiscard]] double at(const std::int32_t* counts, std::size_t c) const noexcept;

  std::size_t channels_ = 0;
  std::array<double, daq::kMaxChannels> scale_{};
  std::array<double, daq::kMaxChannels> offset_{};
  std::array<Rule, daq::kMaxChannels> rule_{};
  std::size_t inputs_ = 0;
  std::array<Input, daq::kMaxChannels> input_{};
  std::size_t terms_ = 0;  // of the polynomial
  std::array<double, kMostCoefficients> polynomial_{};
  std::array<std::array<double, daq::kMaxChannels>, daq::kMaxChannels> matrix_{};  // a row for each channel
};

/// The description of a stream whose values the record gives: where the fit is a straight line, scale and offset are
/// its own, so that every reader of the run file has them; otherwise they stay nominal, and the record is to be
/// applied.
daq::StreamDescription described_by(const daq::StreamDescription& stream, const Record& record);

}  // namespace strigil::calibration
