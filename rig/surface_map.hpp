// SurfaceMap: how high the phantom's surface is along the stroke, learned by touching it, so that the next pass knows
// what comes before it can be felt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace strigil::rig {

/// Height of the surface without load over the place along the stroke, in bins. Loop thread; noexcept, no allocation.
class SurfaceMap {
 public:
  static constexpr std::size_t kBins = 512;
  static constexpr double kBin_m = 1e-3;

  /// Forgets everything; the map covers kBins from here on, both ways of the stroke.
  void begin(double from_m) noexcept;
  /// The instrument stands at `x_m` and the surface would be at `height_m` there without it. Newer passes count more.
  void add(double x_m, double height_m) noexcept;
  /// The pass is over: what it saw is what the next one is told.
  void end_pass() noexcept;
  /// The pass was broken off: what it saw is forgotten.
  void drop_pass() noexcept { seen_ = {}; }

  /// True when the surface's slope is known at this place.
  [[nodiscard]] bool known(double x_m) const noexcept;
  /// dz/dx of the surface at this place; 0 where it is not known.
  [[nodiscard]] double slope(double x_m) const noexcept;

 private:
  struct Bin {
    double sum_x = 0;
    double sum_height = 0;
    std::uint32_t count = 0;
  };
  struct Slope {
    double value = 0;
    bool known = false;
  };
  /// Mean place and height of the bins that were touched among so many from `first`.
  struct Mean {
    double x_m = 0;
    double height_m = 0;
    int bins = 0;
  };
  [[nodiscard]] Mean mean_from(std::size_t first) const noexcept;

  double from_m_ = 0;
  std::array<Bin, kBins> seen_{};     // in this pass
  std::array<Bin, kBins> told_{};     // by the passes before
  std::array<Slope, kBins> slope_{};  // of told_, at the middle of each bin
};

}  // namespace strigil::rig
