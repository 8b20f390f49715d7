// CFAR on the vibration's envelope: a cell stands out against its own neighbourhood, so curvature and drift do not
// alarm.
//
// science.md 3.2. Power of the vibration over cells of millimetres, over speed squared (texture vibration rises with
// speed: RMS ~ v, science.md 2.8), against the mean (CA) or an order statistic (OS) of training cells on both sides,
// beyond guard cells as wide as a target.
#pragma once

#include <deque>

#include "protocols/detectors/detector.hpp"
#include "protocols/detectors/peak_picker.hpp"
#include "protocols/detectors/spatial_cells.hpp"

namespace strigil::protocols {

struct CfarOptions {
  bool order_statistic = false;
  double cell_mm = 2;
  std::size_t training = 24;  ///< cells, of both sides together; even
  std::size_t guard = 6;      ///< cells on each side
  double rank = 0.75;         ///< OS: this share of the training cells lies below
  double threshold = 1.05;    ///< cell power over reference: low, as the court sweeps it
  double apart_mm = 8;
  double least_speed_mm_s = 5;  ///< slower samples are left out: nothing slides
  double settle_s = 0.008;      ///< of the mean that is taken off the acceleration: a corner of 20 Hz
};

class CfarDetector final : public Detector {
 public:
  explicit CfarDetector(CfarOptions options = {}, std::string name = "cfar");
  [[nodiscard]] std::string name() const override { return name_; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  void take(const Cell& cell, std::vector<Detection>& out);
  void evaluate(std::size_t centre, double known_s, std::vector<Detection>& out);
  CfarOptions options_;
  std::string name_;
  std::size_t reach_;
  SpatialCells cells_;
  PeakPicker peaks_;
  std::deque<Cell> window_;
  std::size_t evaluated_ = 0;
  bool seen_ = false;
  double mean_m_s2_ = 0;
  double newest_s_ = 0;
};

/// Threshold over the mean of n training cells of exponential power for a false-alarm probability: n (p^(-1/n) - 1).
double ca_cfar_factor(std::size_t n, double p);
/// Over the k-th smallest of n: the factor a at which the product of (n - i) / (n - i + a), i below k, is p (Rohling
/// 1983).
double os_cfar_factor(std::size_t n, std::size_t k, double p);

}  // namespace strigil::protocols
