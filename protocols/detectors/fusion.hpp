// Fusion: strokes over the same lane, there and back and again, must agree.
//
// science.md 3.2: m of n removes what only one stroke felt; adding scores up gains sqrt(n). The way back sees a lag
// with the other sign, so the mean place of both directions is free of it.
#pragma once

#include <memory>

#include "protocols/detectors/detector.hpp"

namespace strigil::protocols {

struct FusionOptions {
  double tolerance_mm = 6;  ///< of places that are one
  std::size_t least = 2;    ///< strokes that must agree: m
};

/// One list for each stroke. A fused detection has the mean place, the latest times, and the sum of the scores over
/// sqrt(n); one stroke counts once, with its highest score. Sorted by place.
std::vector<Detection> fuse(std::span<const std::vector<Detection>> strokes, const FusionOptions& options = {});

/// A detector whose strokes of one lane are fused; answers at the end of the last (`StrokeStart::of`).
class FusedDetector final : public Detector {
 public:
  FusedDetector(std::unique_ptr<Detector> inner, FusionOptions options = {});
  [[nodiscard]] std::string name() const override { return inner_->name() + "+fusion"; }
  [[nodiscard]] bool answers_per_lane() const override { return true; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  std::unique_ptr<Detector> inner_;
  FusionOptions options_;
  StrokeStart start_;
  std::vector<std::vector<Detection>> strokes_;
};

}  // namespace strigil::protocols
