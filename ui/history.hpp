// History: what one stream has said so far, for a screen: hours of it in bounded memory, no spike lost, and drawn at
// the same cost whether a minute or a day is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace strigil::ui {

/// Lowest and highest value of what falls into one column of a plot; NaN where nothing does.
struct Column {
  float low;
  float high;
};

/// Samples and, over them, levels of minimum and maximum, each kFold times coarser than the one below. Every level is a
/// ring: the finest reaches back kKept samples, the next kFold times as far, and so on. One thread at a time.
///
/// Memory when full, of c channels: kKept (8 + 4 c) + (kLevels - 1) kKept (8 + 8 c) bytes: 48 kKept + 44 kKept c. With
/// kKept = 2^20 and 25.6 kHz the last two levels hold next to nothing for days: 34 MB + 29 MB a channel after 46 hours.
class History {
 public:
  static constexpr std::size_t kFold = 16;
  /// Samples, 16, 256, 4096 ...: at 25.6 kHz 41 s, 11 min, 2.9 h, 46 h, a month, a year. The coarsest are there so that
  /// days on one screen are as few bins as seconds.
  static constexpr std::size_t kLevels = 6;
  static constexpr std::size_t kKept = std::size_t{1} << 20U;  ///< of each level

  /// Precondition: channels > 0. `kept` > kFold: fewer than kKept, for tests.
  explicit History(std::size_t channels, std::size_t kept = kKept);

  /// One sample of all channels at time `t_s`. A time before the last one's is taken as the last one's: what came late
  /// is not drawn over what is there. A value that is NaN is a gap; without a time there is no sample.
  void append(double t_s, std::span<const float> values);
  /// Nothing came for a while: what is before and what is after are not joined.
  void gap();

  [[nodiscard]] std::size_t channels() const noexcept { return channels_; }
  [[nodiscard]] std::uint64_t samples() const noexcept { return samples_; }
  /// From when on anything is kept; equal times when nothing is.
  [[nodiscard]] double first_s() const noexcept;
  [[nodiscard]] double last_s() const noexcept { return last_s_; }

  /// Fills `columns` with what channel `c` did in [from_s, to_s), split evenly. Takes the finest level that is kept
  /// that far back and has at most kFold bins a column, so its cost goes with the number of columns alone.
  void columns(std::size_t c, double from_s, double to_s, std::span<Column> columns) const;
  /// The samples of channel `c` from `from_s` on, `count` at the most, oldest first, with their times; what is no
  /// longer kept sample by sample is not there.
  void samples(std::size_t c, double from_s, std::size_t count, std::vector<double>& times_s,
               std::vector<float>& values) const;
  /// The newest `count` samples of channel `c`, oldest first.
  void newest(std::size_t c, std::size_t count, std::vector<double>& times_s, std::vector<float>& values) const;
  /// The sample at or before `t_s`; NaN where none is kept.
  [[nodiscard]] float value_at(std::size_t c, double t_s) const;
  /// Bytes that are in use now.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  /// A ring of bins; a bin of the finest level is a sample, and there low is all there is.
  struct Level {
    std::vector<double> times_s;  // of the first sample in the bin
    std::vector<float> low;       // bin-major
    std::vector<float> high;
    std::uint64_t bins = 0;  // ever; bin i is at i % kept
  };
  void add(std::size_t level, double t_s, std::span<const float> low, std::span<const float> high, bool fresh);
  [[nodiscard]] std::uint64_t oldest(std::size_t level) const noexcept;
  /// The first bin that begins at or after `t_s`.
  [[nodiscard]] std::uint64_t lower_bound(std::size_t level, double t_s) const noexcept;

  std::size_t channels_;
  std::size_t kept_;
  std::vector<Level> levels_;
  std::uint64_t samples_ = 0;
  double last_s_ = 0;
};

}  // namespace strigil::ui
