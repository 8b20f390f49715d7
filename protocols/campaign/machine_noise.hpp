// Machine noise: what the stage makes by itself at each speed, from strokes in the air, and how far strokes on tissue
// stand above it. Its fingerprint. Off the loop; the thread that owns HDF5.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daq/record/run_reader.hpp"
#include "daq/result.hpp"
#include "protocols/campaign/stroke_rows.hpp"

namespace strigil::protocols {

/// Third octaves of IEC 61260 base 10: centres 10^(n/10) Hz, edges 10^(+-1/20) of that.
struct NoiseBand {
  double centre_Hz = 0;
  double low_Hz = 0;
  double high_Hz = 0;
};
/// From the first that `resolution_Hz` tells apart (two lines wide) to the last below `rate_Hz` / 2.56.
std::vector<NoiseBand> noise_bands(double rate_Hz, double resolution_Hz);

/// Of one vibration channel at one speed, means over strokes.
struct NoiseLevel {
  std::size_t strokes = 0;
  std::vector<double> spectrum;                    ///< (m/s2)^2/Hz, line by line
  std::vector<double> bands;                       ///< (m/s2)^2 in each of noise_bands()
  [[nodiscard]] double rms_m_s2() const noexcept;  ///< of all bands
};

/// Collects strokes; each must be of the same rate. Samples of the middle 60 % of a stroke's time are used, where the
/// stage goes at its speed.
class MachineNoise {
 public:
  /// What is told apart: speed in um/s (a whole number), instrument (empty: no factor).
  using Key = std::pair<std::int64_t, std::string>;
  struct Pair {
    std::vector<NoiseLevel> air;     ///< by channel
    std::vector<NoiseLevel> tissue;  ///< likewise
  };

  /// Adds a run's strokes. Too short strokes are counted in skipped(). Errors: a file that cannot be read.
  daq::Result<void> add(daq::RunReader& reader, const RunRows& rows, const std::string& instrument);
  /// Means over the strokes so far.
  [[nodiscard]] std::map<Key, Pair> levels() const;
  [[nodiscard]] std::span<const NoiseBand> bands() const noexcept { return bands_; }
  [[nodiscard]] double resolution_Hz() const noexcept { return resolution_Hz_; }
  [[nodiscard]] const std::vector<std::string>& channels() const noexcept { return channels_; }
  [[nodiscard]] std::size_t skipped() const noexcept { return skipped_; }

 private:
  void add_stroke(const std::vector<std::vector<double>>& samples, std::vector<NoiseLevel>& to);

  double rate_Hz_ = 0;
  std::size_t segment_ = 0;
  double resolution_Hz_ = 0;
  std::vector<NoiseBand> bands_;
  std::vector<std::string> channels_;
  std::map<Key, Pair> sums_;
  std::size_t skipped_ = 0;
};

/// Signal over noise in dB: what strokes on tissue have above the machine, over the machine. NaN where they have not
/// more.
double signal_to_noise_dB(double tissue, double air) noexcept;

}  // namespace strigil::protocols
