// Spatial matched filter and generalised likelihood ratio: shapes of several widths sought in F + k z along the stroke.
//
// science.md 3.1-3.2. At each place and for each width: least squares of polynomial (curvature, slope) and shape over a
// window of three widths; the statistic is the shape's t, the greatest over the bank the score. One width alone is the
// matched filter. Amplitude, baseline and noise are unknown to it and estimated there and then.
#pragma once

#include <deque>

#include "protocols/detectors/detector.hpp"
#include "protocols/detectors/peak_picker.hpp"
#include "protocols/detectors/spatial_cells.hpp"

namespace strigil::protocols {

struct GlrOptions {
  std::vector<double> widths_mm{6, 10, 14, 20, 28};  ///< whole width of a raised cosine: diameter and contact, D + 2 a
  double cell_mm = 0.5;
  double stiffness_N_mm = 1;        ///< k of F + k z
  double noise_floor_N = 0.01;      ///< residuals below are not believed
  double threshold = 2;             ///< of t: low, as the court sweeps it
  double apart_mm = 6;              ///< of two detections
  std::size_t baseline_degree = 2;  ///< 0 ... 3
};

class GlrDetector final : public Detector {
 public:
  /// Options out of range are a programmer's mistake.
  explicit GlrDetector(GlrOptions options = {}, std::string name = "glr");
  [[nodiscard]] std::string name() const override { return name_; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  /// Orthonormal: the baseline's polynomials and what of the shape they leave.
  struct Template {
    std::size_t half = 0;
    std::vector<std::vector<double>> baseline;
    std::vector<double> shape;
  };
  void take(const Cell& cell, std::vector<Detection>& out);
  void evaluate(std::size_t centre, double known_s, std::vector<Detection>& out);
  [[nodiscard]] double statistic(const Template& shape, std::size_t centre) const;

  GlrOptions options_;
  std::string name_;
  std::vector<Template> bank_;
  std::size_t reach_ = 0;  ///< greatest half window
  SpatialCells cells_;
  PeakPicker peaks_;
  std::deque<Cell> window_;
  std::size_t evaluated_ = 0;  ///< cells at the front of the window that have been centres
};

}  // namespace strigil::protocols
