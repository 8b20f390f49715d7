#include "protocols/detectors/detector_factory.hpp"

#include <fmt/format.h>

#include "protocols/detectors/band_power.hpp"
#include "protocols/detectors/cfar_detector.hpp"
#include "protocols/detectors/cusum_detector.hpp"
#include "protocols/detectors/fusion.hpp"
#include "protocols/detectors/glr_detector.hpp"

namespace strigil::protocols {
namespace {

constexpr std::string_view kFusion = "+fusion";

std::unique_ptr<Detector> single(std::string_view name) {
  if (name == "glr") return std::make_unique<GlrDetector>();
  if (name == "cusum") return std::make_unique<CusumDetector>();
  if (name == "cfar") return std::make_unique<CfarDetector>();
  return nullptr;
}

}  // namespace

std::vector<std::string> shipped_detectors() {
  std::vector<std::string> out;
  for (const char* name : {"glr", "cusum", "cfar"}) {
    out.emplace_back(name);
    out.push_back(std::string(name) + std::string(kFusion));
  }
  return out;
}

daq::Result<std::unique_ptr<Detector>> make_detector(std::string_view name) {
  const bool fused = name.ends_with(kFusion);
  auto inner = single(fused ? name.substr(0, name.size() - kFusion.size()) : name);
  if (!inner) {
    return daq::Error{
        fmt::format("there is no detector '{}'; there are {}", name, fmt::join(shipped_detectors(), ", "))};
  }
  if (!fused) return inner;
  // One stroke is enough to be heard: strokes that felt nothing weigh through the sum's sqrt(n).
  return std::unique_ptr<Detector>(std::make_unique<FusedDetector>(std::move(inner), FusionOptions{.least = 1}));
}

}  // namespace strigil::protocols
