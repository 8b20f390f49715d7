// CUSUM along the stroke: small rises of F + k z that last, added up until they count.
//
// science.md 3.2 (Page 1954). Each cell against the mean of its flanks on both sides, beyond a guard, which takes slope
// and most of the curvature off; in standard deviations of its own fading past; g = max(0, g + z - drift). A run from 0
// up to its height and back is one detection: its place is half way from where it began to where it was highest.
#pragma once

#include <deque>

#include "protocols/detectors/detector.hpp"
#include "protocols/detectors/spatial_cells.hpp"

namespace strigil::protocols {

struct CusumDetectorOptions {
  double cell_mm = 0.5;
  double stiffness_N_mm = 1;
  double guard_mm = 8;    ///< on each side of the cell
  double flank_mm = 12;   ///< on each side, beyond the guard; nearer to an end of the stroke nothing is said
  double drift = 0.5;     ///< in standard deviations: half the rise sought
  double threshold = 3;   ///< of g: low, as the court sweeps it
  double memory_mm = 60;  ///< of the standard deviation
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
  void restart(double known_s, std::vector<Detection>& out);
  void take(const Cell& cell, std::vector<Detection>& out);
  void close(double known_s, std::vector<Detection>& out);
  CusumDetectorOptions options_;
  std::string name_;
  std::size_t guard_;
  std::size_t flank_;
  SpatialCells cells_;
  std::deque<Cell> window_;
  double seen_ = 0;  ///< contrasts
  double square_ = 0;
  double g_ = 0;
  double highest_ = 0;
  Cell began_;
  Cell peak_;
};

}  // namespace strigil::protocols
