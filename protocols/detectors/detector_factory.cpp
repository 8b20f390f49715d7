#include "protocols/detectors/detector_factory.hpp"

#include <fmt/format.h>

#include "protocols/detectors/band_power.hpp"
#include "protocols/detectors/band_power_weights.hpp"
#include "protocols/detectors/cfar_detector.hpp"
#include "protocols/detectors/cusum_detector.hpp"
#include "protocols/detectors/fusion.hpp"
#include "protocols/detectors/glr_detector.hpp"

namespace strigil::protocols {
namespace {

constexpr std::string_view kFusion = "+fusion";

/// A detector with what it says of nothing: the score that a silent stroke brings to a fusion.
struct Single {
  std::unique_ptr<Detector> detector;
  double silence = 0;
};

Single single(std::string_view name) {
  if (name == "glr") return {std::make_unique<GlrDetector>(), 0};
  if (name == "cusum") return {std::make_unique<CusumDetector>(), 0};
  if (name == "cfar") return {std::make_unique<CfarDetector>(), 1};  // a ratio
  if (name == "band_power") {
    BandPowerOptions options;
    options.vibration_rate_Hz = kBandPowerRate_Hz;
    return {std::make_unique<BandPowerDetector>(kBandPowerWeights, options, "band_power"), options.threshold};
  }
  return {};
}

}  // namespace

std::vector<std::string> shipped_detectors() {
  std::vector<std::string> out;
  for (const char* name : {"glr", "cusum", "cfar", "band_power"}) {
    out.emplace_back(name);
    out.push_back(std::string(name) + std::string(kFusion));
  }
  return out;
}

daq::Result<std::unique_ptr<Detector>> make_detector(std::string_view name) {
  const bool fused = name.ends_with(kFusion);
  auto inner = single(fused ? name.substr(0, name.size() - kFusion.size()) : name);
  if (!inner.detector) {
    return daq::Error{
        fmt::format("there is no detector '{}'; there are {}", name, fmt::join(shipped_detectors(), ", "))};
  }
  if (!fused) return std::move(inner.detector);
  // One stroke is enough to be heard: strokes that felt nothing weigh through the sum's sqrt(n).
  FusionOptions options;
  options.least = 1;
  options.silence = inner.silence;
  return std::unique_ptr<Detector>(std::make_unique<FusedDetector>(std::move(inner.detector), options));
}

}  // namespace strigil::protocols
