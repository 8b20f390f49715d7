// Band powers and a logistic regression: the baseline among learned detectors (science.md 3.2).
//
// Features of each cell: ln of the vibration's power over speed squared in 20-80, 80-250 and 250-1000 Hz, and F + k z,
// each as its contrast to the mean of cells on both sides beyond a guard. The score is the log-odds.
//
// Training, in full: features of all training strokes by the code that detects; cells within a target are 1, cells
// farther from any than `margin_mm` are 0, those between are left out; features are brought to mean 0 and deviation 1;
// weights by greatest likelihood with a ridge of `ridge` on all but the constant, by bounded coordinate steps (Boehning
// & Lindsay 1988) until none exceeds 1e-10. No chance in it. Split training from testing by phantom, never by stroke.
#pragma once

#include <array>
#include <deque>
#include <functional>

#include "protocols/detectors/detector.hpp"
#include "protocols/detectors/peak_picker.hpp"
#include "protocols/detectors/spatial_cells.hpp"

namespace strigil::protocols {

inline constexpr std::size_t kBands = 3;
inline constexpr std::size_t kBandFeatures = kBands + 1;
using BandFeatures = std::array<double, kBandFeatures>;

struct BandPowerOptions {
  double vibration_rate_Hz = 5'000;
  std::array<double, kBands + 1> edges_Hz{20, 80, 250,
                                          1'000};  ///< the last is taken down to 0.45 of the rate if need be
  double cell_mm = 2;
  std::size_t guard = 5;      ///< cells on each side
  std::size_t training = 10;  ///< cells on each side, beyond the guard
  double stiffness_N_mm = 1;
  double least_speed_mm_s = 5;
  double threshold = -4;  ///< of the log-odds: low, as the court sweeps it
  double apart_mm = 8;
};

/// Streaming: cells of both streams brought together. One stream may lead the other by 4,096 cells.
class BandPowerExtractor {
 public:
  struct Features {
    Cell cell;  ///< of the contact stream; `closed_s` is when all that was needed was known
    BandFeatures value{};
  };
  using Sink = std::function<void(const Features&)>;
  explicit BandPowerExtractor(const BandPowerOptions& options);
  void begin(int direction);
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration, const Sink& sink);
  void end(const Sink& sink);

 private:
  struct Biquad {
    std::array<double, 5> c{};  // b0 b1 b2 a1 a2
    double s1 = 0;
    double s2 = 0;
    double step(double x) noexcept;
  };
  void join(const Sink& sink);
  void contrast(std::size_t centre, double known_s, const Sink& sink) const;

  BandPowerOptions options_;
  std::array<std::vector<Biquad>, kBands> filters_;
  std::vector<SpatialCells> band_cells_;
  SpatialCells contact_cells_;
  std::array<std::deque<Cell>, kBands> bands_;
  std::deque<Cell> contact_;
  std::deque<Features> window_;
  std::size_t done_ = 0;
};

struct BandPowerModel {
  BandFeatures mean{};
  BandFeatures deviation{1, 1, 1, 1};
  BandFeatures weight{};
  double bias = 0;
  [[nodiscard]] double log_odds(const BandFeatures& f) const noexcept;
};

struct TrainingStroke {
  std::vector<ContactSample> contact;
  std::vector<VibrationSample> vibration;
  int direction = 1;
  std::vector<TruthTarget> targets;
};
/// Refused: no cell in or none outside of targets, a feature that never varies, a ridge not above 0.
daq::Result<BandPowerModel> train_band_power(std::span<const TrainingStroke> strokes,
                                             const BandPowerOptions& options = {}, double margin_mm = 5,
                                             double ridge = 1);

class BandPowerDetector final : public Detector {
 public:
  explicit BandPowerDetector(const BandPowerModel& model, const BandPowerOptions& options = {},
                             std::string name = "band power");
  [[nodiscard]] std::string name() const override { return name_; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  [[nodiscard]] BandPowerExtractor::Sink into(std::vector<Detection>& out);
  BandPowerModel model_;
  std::string name_;
  BandPowerExtractor extractor_;
  PeakPicker peaks_;
};

}  // namespace strigil::protocols
