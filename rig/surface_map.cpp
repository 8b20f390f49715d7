#include "rig/surface_map.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::rig {
namespace {

/// The slope at a place is taken between the means of so many bins on each side: an edge of 1-6 mm radius (science.md
/// 1.4) feels nothing shorter.
constexpr std::size_t kSide = 2;

}  // namespace

void SurfaceMap::begin(double from_m) noexcept {
  *this = {};
  from_m_ = from_m;
}

void SurfaceMap::add(double x_m, double height_m) noexcept {
  const double at = (x_m - from_m_) / kBin_m;
  if (!(at >= 0 && at < static_cast<double>(kBins)) || !std::isfinite(height_m)) return;
  auto& bin = seen_[static_cast<std::size_t>(at)];
  bin.sum_x += x_m;
  bin.sum_height += height_m;
  ++bin.count;
}

SurfaceMap::Mean SurfaceMap::mean_from(std::size_t first) const noexcept {
  Mean mean;
  for (std::size_t i = first; i < first + kSide; ++i) {
    if (told_[i].count == 0) continue;
    mean.x_m += told_[i].sum_x / told_[i].count;
    mean.height_m += told_[i].sum_height / told_[i].count;
    ++mean.bins;
  }
  if (mean.bins > 0) {
    mean.x_m /= mean.bins;
    mean.height_m /= mean.bins;
  }
  return mean;
}

void SurfaceMap::end_pass() noexcept {
  for (std::size_t i = 0; i < kBins; ++i) {
    if (seen_[i].count > 0) told_[i] = seen_[i];
  }
  seen_ = {};
  for (std::size_t i = kSide; i + kSide < kBins; ++i) {
    const Mean left = mean_from(i - kSide);
    const Mean right = mean_from(i + 1);
    slope_[i].known = left.bins > 0 && right.bins > 0;
    slope_[i].value = slope_[i].known ? (right.height_m - left.height_m) / (right.x_m - left.x_m) : 0;
  }
}

bool SurfaceMap::known(double x_m) const noexcept {
  const double at = (x_m - from_m_) / kBin_m;
  return at >= 0 && at < static_cast<double>(kBins) && slope_[static_cast<std::size_t>(at)].known;
}

double SurfaceMap::slope(double x_m) const noexcept {
  const double at = (x_m - from_m_) / kBin_m - 0.5;  // between the middles of two bins
  if (!(at >= 0 && at < static_cast<double>(kBins - 1))) return 0;
  const auto i = static_cast<std::size_t>(at);
  const Slope& left = slope_[i];
  const Slope& right = slope_[i + 1];
  if (!left.known || !right.known) return left.known ? left.value : right.value;
  return left.value + (at - std::floor(at)) * (right.value - left.value);
}

}  // namespace strigil::rig
