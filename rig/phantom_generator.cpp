#include "rig/phantom_generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "rig/phantom_file.hpp"

namespace strigil::rig {
namespace {

constexpr double kMillimetre = 1e-3;
constexpr double kMicrometre = 1e-6;
constexpr double kPercent = 1e-2;
constexpr double kDegree = std::numbers::pi / 180;

// science.md 2.2, sweep [A].
constexpr std::array kContrasts{1.0, 1.3, 1.5, 2.0, 3.0, 4.0, 10.0};
constexpr std::array kDiameters_mm{3.0, 5.0, 8.0, 12.0, 20.0};
constexpr std::array kDepths_mm{1.0, 3.0, 5.0, 10.0, 15.0};

// It lies where the simulated benches' strokes go, free of the taps' anvil.
constexpr double kLength_mm = 165;
constexpr double kHalfWidth_mm = 60;
constexpr double kFirstTarget_mm = 45;
constexpr double kLastTarget_mm = 125;

/// Each part has numbers of its own, so that none shifts another's.
enum class Part : std::uint64_t { kLayers = 1, kSurface, kTexture, kTargets, kConfounders, kDay };

/// SplitMix64; every value is rounded to what the file says of it, so that the file is the phantom.
class Draw {
 public:
  Draw(std::uint64_t seed, Part part) : state_(mixed(seed ^ mixed(static_cast<std::uint64_t>(part)))) {}

  /// In [0, 1).
  double uniform() {
    state_ += 0x9E3779B97F4A7C15ULL;
    constexpr double kTo53Bits = 0x1p-53;
    return static_cast<double>(mixed(state_) >> 11U) * kTo53Bits;
  }
  double within(double low, double high, double step = 0.01) { return rounded(low + (high - low) * uniform(), step); }
  double log_within(double low, double high, double step = 0.01) {
    return rounded(low * std::exp(std::log(high / low) * uniform()), step);
  }
  int whole(int low, int high) { return low + static_cast<int>(uniform() * (high - low + 1)); }
  bool chance(double probability) { return uniform() < probability; }
  template <typename T, std::size_t N>
  T one_of(const std::array<T, N>& of) {
    return of[static_cast<std::size_t>(uniform() * N)];
  }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  /// As decimals are: a multiple of 0.01 is so many over 100, and not so many times the double next to 0.01.
  static double rounded(double v, double step) {
    const double per_one = std::round(1 / step);
    return std::round(v * per_one) / per_one;
  }
  std::uint64_t state_;
};

PhantomLayer layer(const char* name, double thickness_mm, Draw& draw) {
  // science.md 2.5: a modulus has a prior of half to twice.
  return {.name = name,
          .material = name,
          .thickness_m = thickness_mm * kMillimetre,
          .stiffness_factor = draw.log_within(0.5, 2),
          .source = "thickness: range of science.md 2.1 [M]; factor: 2.5 [A], half to twice"};
}

std::vector<PhantomLayer> draw_layers(std::uint64_t seed) {
  Draw draw(seed, Part::kLayers);
  std::vector<PhantomLayer> layers;
  layers.push_back(layer("skin", draw.within(1.2, 2.5), draw));
  layers.push_back(layer("fat", draw.log_within(3, 20), draw));
  layers.push_back(layer("fascia", draw.within(0.5, 1.3), draw));
  layers.push_back(layer("muscle", draw.within(10, 40), draw));
  if (draw.chance(0.5)) layers.push_back(layer("bone", 10, draw));
  return layers;
}

PhantomSurface draw_surface(const PhantomWish& wish) {
  Draw draw(wish.seed, Part::kSurface);
  PhantomSurface s;
  s.z_m = -30 * kMillimetre;
  s.slope = draw.within(-3, 3) * kPercent;
  s.curvature_amplitude_m = draw.within(0, 1.5) * kMillimetre;
  s.curvature_wavelength_m = draw.within(120, 300, 1) * kMillimetre;
  s.crown_radius_m = draw.chance(0.3) ? 0 : draw.log_within(50, 300, 1) * kMillimetre;
  s.source = "[A]";
  if (!wish.confounders) return s;
  for (int left = draw.whole(0, 2); left > 0; --left) {
    SurfaceBump bump;
    bump.x_m = draw.within(20, 150) * kMillimetre;
    bump.y_m = draw.within(-10, 10) * kMillimetre;
    bump.height_m = draw.within(-0.8, 0.8) * kMillimetre;
    bump.width_m = draw.within(6, 14) * kMillimetre;
    s.bumps.push_back(bump);
  }
  return s;
}

PhantomTexture draw_texture(const PhantomWish& wish) {
  Draw draw(wish.seed, Part::kTexture);
  PhantomTexture t;
  constexpr double kLargestSeed = 1e9;
  t.seed = static_cast<std::uint64_t>(draw.uniform() * kLargestSeed);
  t.stiffness_sd = draw.within(0, 0.12, 0.001);
  t.friction_sd = draw.within(0, 0.12, 0.001);
  t.correlation_m = draw.within(3, 15) * kMillimetre;
  t.fibre_stiffness_sd = draw.within(0, 0.15, 0.001);
  t.fibre_wavelength_m = draw.within(2, 8) * kMillimetre;
  t.fibre_angle_rad = draw.within(-90, 90, 1) * kDegree;
  t.roughness_rms_m = draw.log_within(0.5, 4) * kMicrometre;
  t.source = "[A]";
  if (!wish.confounders) t.fibre_stiffness_sd = 0;
  return t;
}

/// As deep as it goes and not through the bottom.
double fitting_depth_mm(double wished_mm, double stack_mm) {
  constexpr double kLeastBelow_mm = 1;
  double depth_mm = kDepths_mm.front();
  for (const double d : kDepths_mm) {
    if (d <= wished_mm && d <= stack_mm - kLeastBelow_mm) depth_mm = d;
  }
  return depth_mm;
}

PhantomInclusion draw_target(int number, int of, Draw& draw, const PhantomWish& wish, double stack_mm) {
  constexpr std::array kKinds{InclusionKind::kNodule, InclusionKind::kNodule, InclusionKind::kBand,
                              InclusionKind::kAdhesionSheet, InclusionKind::kScarStrip};
  PhantomInclusion i;
  i.name = fmt::format("target_{}", number + 1);
  i.target = true;
  i.kind = draw.one_of(kKinds);
  // Apart along x: each has its own stretch of the strokes.
  const double stretch_mm = (kLastTarget_mm - kFirstTarget_mm) / of;
  i.x_m =
      draw.within(kFirstTarget_mm + number * stretch_mm, kFirstTarget_mm + (number + 0.6) * stretch_mm) * kMillimetre;
  i.y_m = draw.within(-6, 6) * kMillimetre;
  const double drawn_mm = draw.one_of(kDiameters_mm);
  const double wide_m = wish.diameter_m.value_or(drawn_mm * kMillimetre);
  const double depth_mm = fitting_depth_mm(draw.one_of(kDepths_mm), stack_mm);
  const double aspect = draw.within(1, 2);
  const double angle_deg = draw.within(60, 120, 1);
  const double contrast = draw.one_of(kContrasts);
  const double friction = draw.chance(0.3) ? draw.log_within(0.8, 1.3) : 1;
  const double roughness = draw.chance(0.3) ? draw.log_within(0.7, 1.8) : 1;
  const double rise_mm = draw.chance(0.3) ? draw.within(-0.3, 0.5) : 0;
  const bool is_long = i.kind == InclusionKind::kBand || i.kind == InclusionKind::kScarStrip;
  const bool is_flat = i.kind == InclusionKind::kAdhesionSheet;
  constexpr double kLong_m = 50e-3;
  constexpr double kFlat_m = 1.5e-3;
  i.width_m = wide_m;
  i.length_m = is_long ? std::max(kLong_m, wide_m) : wide_m;
  if (i.kind == InclusionKind::kAdhesionSheet && !wish.diameter_m)
    i.length_m = std::round(drawn_mm * aspect * 100) / 100 * kMillimetre;
  i.thickness_m = is_flat ? kFlat_m : wide_m;
  i.angle_rad = (is_long ? angle_deg : 0) * kDegree;
  i.depth_m = wish.depth_m.value_or(i.kind == InclusionKind::kScarStrip ? 0 : depth_mm * kMillimetre);
  i.stiffness_contrast = wish.contrast.value_or(contrast);
  // With contrast 1 there is to be nothing, nor where the sweep has drawn it.
  const bool nothing = i.stiffness_contrast == 1;
  i.friction_contrast = nothing ? 1 : friction;
  i.roughness_contrast = nothing ? 1 : roughness;
  i.rise_m = nothing ? 0 : rise_mm * kMillimetre;
  i.source = "science.md 2.2 sweep [A]; friction, roughness and rise [A]";
  return i;
}

PhantomInclusion draw_confounder(int number, Draw& draw) {
  PhantomInclusion i;
  i.name = fmt::format("confounder_{}", number + 1);
  i.target = false;
  i.kind = draw.one_of(std::array{InclusionKind::kVessel, InclusionKind::kLobule, InclusionKind::kFasciaEdge});
  i.x_m = draw.within(20, 150) * kMillimetre;
  i.y_m = draw.within(-10, 10) * kMillimetre;
  const double size_mm = draw.within(2, 6);
  const double length_mm = draw.within(40, 100, 1);
  const double angle_deg = draw.within(30, 150, 1);
  i.depth_m = draw.within(1, 6) * kMillimetre;
  i.stiffness_contrast = draw.log_within(0.4, 1.8);
  const double rise_mm = draw.within(-0.3, 0.3);
  i.source = "science.md 1.3 [S] names vessels and adipose nodules; all numbers [A]";
  if (i.kind == InclusionKind::kLobule) {
    i.length_m = (size_mm + 5) * kMillimetre;
    i.width_m = (size_mm + 4) * kMillimetre;
    i.thickness_m = size_mm * kMillimetre;
    return i;
  }
  i.length_m = length_mm * kMillimetre;
  i.width_m = size_mm * kMillimetre;
  i.angle_rad = angle_deg * kDegree;
  i.thickness_m = (i.kind == InclusionKind::kVessel ? size_mm : 1) * kMillimetre;
  if (i.kind == InclusionKind::kFasciaEdge) i.rise_m = rise_mm * kMillimetre;
  return i;
}

std::optional<daq::Error> out_of_range(const PhantomWish& w) {
  const auto outside = [](const std::optional<double>& v, double low, double high) {
    return v && !(*v >= low && *v <= high);
  };
  if (outside(w.contrast, 0.01, 1000)) return daq::Error{"a contrast lies between 0.01 and 1000"};
  if (outside(w.diameter_m, 1e-3, 40e-3)) return daq::Error{"a target's diameter lies between 1 and 40 mm"};
  if (outside(w.depth_m, 0, 30e-3)) return daq::Error{"a target's depth lies between 0 and 30 mm"};
  if (w.targets && (*w.targets < 0 || *w.targets > kMostDrawnTargets))
    return daq::Error{fmt::format("there are 0 to {} targets", kMostDrawnTargets)};
  return {};
}

}  // namespace

daq::Result<Phantom> draw_phantom(const PhantomWish& wish) {
  if (auto wrong = out_of_range(wish)) return *wrong;
  Phantom p;
  p.name = fmt::format("drawn_{}", wish.seed);
  p.title = fmt::format("drawn from seed {}", wish.seed);
  p.condition = "drawn";
  p.protocol = "upper_trapezius";
  p.source = "random; ranges of science.md 2.1, 2.2 and 2.5, the rest [A]";
  p.x_min_m = 0;
  p.x_max_m = kLength_mm * kMillimetre;
  p.y_min_m = -kHalfWidth_mm * kMillimetre;
  p.y_max_m = kHalfWidth_mm * kMillimetre;
  p.layers = draw_layers(wish.seed);
  p.surface = draw_surface(wish);
  p.texture = draw_texture(wish);

  Draw day(wish.seed, Part::kDay);
  p.emollient.name = day.one_of(std::array{"dry", "gel", "oil", "lotion"});
  p.emollient.age_s = day.within(0, 120, 1);
  p.emollient.source = "[A]";
  p.passport.serial = p.name;
  p.passport.temperature_C = day.within(30, 35, 0.1);
  p.passport.source = "[M] skin on the body, 30-35 C";

  const double stack_m = thickness_m(p.layers);
  if (wish.depth_m && *wish.depth_m >= stack_m) {
    return daq::Error{fmt::format("with seed {} all layers are {:.2f} mm thick: no target can lie {:g} mm deep",
                                  wish.seed, stack_m / kMillimetre, *wish.depth_m / kMillimetre)};
  }
  Draw of_targets(wish.seed, Part::kTargets);
  const int drawn = of_targets.whole(1, 3);
  const int targets = wish.targets.value_or(drawn);
  for (int i = 0; i < targets; ++i)
    p.inclusions.push_back(draw_target(i, targets, of_targets, wish, stack_m / kMillimetre));
  if (wish.confounders) {
    Draw of_confounders(wish.seed, Part::kConfounders);
    const int confounders = of_confounders.whole(0, 4);
    for (int i = 0; i < confounders; ++i) p.inclusions.push_back(draw_confounder(i, of_confounders));
  }
  p.text = to_toml(p);
  return p;
}

}  // namespace strigil::rig
