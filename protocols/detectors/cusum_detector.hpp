// CUSUM along the stroke: small rises of F + k z that last, added up until they count.
//
// science.md 3.2 (Page 1954). Standardised by a slow mean and spread of its own past; g = max(0, g + z - drift). A run from
// 0 up to its height and back is one detection: its place is half way from where it began to where it was highest.
#pragma once

#include "protocols/detectors/detector.hpp"
#include "protocols/detectors/spatial_cells.hpp"

namespace strigil::protocols {

struct CusumDetectorOptions {
  double cell_mm = 0.5;
  double stiffness_N_mm = 1;
  double drift = 0.5;      ///< in standard deviations: half the rise sought
  double threshold = 3;    ///< of g: low, as the court sweeps it
  double memory_mm = 40;   ///< of mean and spread
  double learn_mm = 10;    ///< at the beginning, before anything is answered
  double noise_floor_N = 0.01;
  double longest_mm = 40;  ///< a run is closed then: a new level is no inclusion
};

class CusumDetector final : public Detector {
 public:
  explicit CusumDetector(CusumDetectorOptions options = {}, std::string name = "cusum");
  [[nodiscard]] std::string name() const override { return name_; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  void take(const Cell& cell, std::vector<Detection>& out);
  void close(double known_s, std::vector<Detection>& out);
  CusumDetectorOptions options_;
  std::string name_;
  SpatialCells cells_;
  double seen_ = 0;  ///< cells
  double mean_ = 0;
  double square_ = 0;
  double g_ = 0;
  double highest_ = 0;
  Cell began_;
  Cell peak_;
};

}  // namespace strigil::protocols
