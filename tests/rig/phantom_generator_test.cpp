#include "rig/phantom_generator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "rig/ground_truth.hpp"
#include "rig/phantom_file.hpp"

namespace strigil::rig {
namespace {

using testing::HasSubstr;

Phantom drawn(const PhantomWish& wish) {
  auto p = draw_phantom(wish);
  EXPECT_TRUE(p.ok()) << p.error().message;
  return std::move(*p);
}

std::vector<PhantomInclusion> targets_of(const Phantom& p) {
  std::vector<PhantomInclusion> out;
  std::copy_if(p.inclusions.begin(), p.inclusions.end(), std::back_inserter(out),
               [](const auto& i) { return i.target; });
  return out;
}

/// FNV-1a: what the text was when this test was written.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t h = 1469598103934665603ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return h;
}

TEST(PhantomGenerator, TheSameSeedIsTheSamePhantomToTheBitAndSoIsItsFile) {
  std::set<std::uint64_t> different;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto p = drawn({.seed = seed});
    EXPECT_EQ(p, drawn({.seed = seed}));
    const auto read = parse_phantom(p.text, "drawn.toml");
    ASSERT_TRUE(read.ok()) << read.error().message << "\n" << p.text;
    EXPECT_EQ(*read, p) << p.text;
    different.insert(hash_of(p.text));
  }
  EXPECT_EQ(different.size(), 200U);
}

TEST(PhantomGenerator, ItDrawsTheSameOnEveryPresetAndInEveryYear) {
  std::uint64_t all = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) all = all * 31 + hash_of(drawn({.seed = seed}).text);
  EXPECT_EQ(all, 1455234755146789470ULL) << "seeds that people have written down would draw other phantoms";
}

TEST(PhantomGenerator, ContrastOneIsTheSamePhantomWithNothingToBeFound) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto p = drawn({.seed = seed});
    auto nothing = drawn({.seed = seed, .contrast = 1.0});
    ASSERT_EQ(nothing.inclusions.size(), p.inclusions.size());
    for (std::size_t i = 0; i < p.inclusions.size(); ++i) {
      auto& there = nothing.inclusions[i];
      if (!there.target) continue;
      EXPECT_FALSE(differs(there)) << seed;
      there.stiffness_contrast = p.inclusions[i].stiffness_contrast;
      there.friction_contrast = p.inclusions[i].friction_contrast;
      there.roughness_contrast = p.inclusions[i].roughness_contrast;
      there.rise_m = p.inclusions[i].rise_m;
    }
    nothing.text = p.text;
    EXPECT_EQ(nothing, p) << "all the rest is the same, seed " << seed;
  }
}

TEST(PhantomGenerator, EachWishChangesOnlyWhatItNames) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto p = drawn({.seed = seed});
    const auto bare = drawn({.seed = seed, .confounders = false});
    EXPECT_EQ(targets_of(bare), targets_of(p)) << "targets lie where they lie";
    EXPECT_EQ(bare.inclusions.size(), targets_of(p).size());
    EXPECT_TRUE(bare.surface.bumps.empty());
    EXPECT_EQ(bare.layers, p.layers);
    const auto wide = drawn({.seed = seed, .diameter_m = 7e-3, .depth_m = 2e-3});
    ASSERT_EQ(targets_of(wide).size(), targets_of(p).size());
    for (std::size_t i = 0; i < targets_of(p).size(); ++i) {
      const auto t = targets_of(wide)[i];
      EXPECT_EQ(t.width_m, 7e-3);
      EXPECT_EQ(t.depth_m, 2e-3);
      EXPECT_EQ(t.x_m, targets_of(p)[i].x_m);
      EXPECT_EQ(t.stiffness_contrast, targets_of(p)[i].stiffness_contrast);
    }
    for (const int n : {0, 4}) EXPECT_EQ(targets_of(drawn({.seed = seed, .targets = n})).size(), n);
  }
}

TEST(PhantomGenerator, ItCoversTheSweepEvenlyAndStaysWithinTheRanges) {
  constexpr std::uint64_t kPhantoms = 2000;
  std::map<double, double> contrasts;
  std::map<double, double> diameters;
  std::map<InclusionKind, int> kinds;
  double targets = 0;
  double fat_log = 0;
  double slope = 0;
  double confounders = 0;
  for (std::uint64_t seed = 1; seed <= kPhantoms; ++seed) {
    const auto p = drawn({.seed = seed});
    EXPECT_GE(p.layers[1].thickness_m, 3e-3);
    EXPECT_LE(p.layers[1].thickness_m, 20e-3);
    fat_log += std::log(p.layers[1].thickness_m / 3e-3) / std::log(20.0 / 3) / kPhantoms;
    slope += p.surface.slope / kPhantoms;
    for (const auto& i : p.inclusions) {
      ++kinds[i.kind];
      EXPECT_LT(i.depth_m, thickness_m(p.layers));
      if (!i.target) {
        ++confounders;
        continue;
      }
      ++targets;
      ++contrasts[i.stiffness_contrast];
      ++diameters[std::round(i.width_m * 1e3)];
      EXPECT_GE(i.x_m, 45e-3);
      EXPECT_LE(i.x_m, 125e-3);
    }
    const auto t = targets_of(p);
    for (std::size_t i = 1; i < t.size(); ++i) EXPECT_GT(t[i].x_m - t[i - 1].x_m, 10e-3) << "apart";
  }
  // Binomial counts: five standard deviations.
  const auto even = [&](double count, double parts) {
    EXPECT_NEAR(count, targets / parts, 5 * std::sqrt(targets / parts * (1 - 1 / parts)));
  };
  ASSERT_EQ(contrasts.size(), 7U);
  for (const auto& [c, count] : contrasts) even(count, 7);
  ASSERT_EQ(diameters.size(), 5U);
  for (const auto& [d, count] : diameters) even(count, 5);
  EXPECT_EQ(kinds.size(), 7U);
  EXPECT_NEAR(targets / kPhantoms, 2, 5 * std::sqrt(2.0 / 3 / kPhantoms));
  EXPECT_NEAR(confounders / kPhantoms, 2, 5 * std::sqrt(2.0 / kPhantoms));
  EXPECT_NEAR(fat_log, 0.5, 5 * std::sqrt(1.0 / 12 / kPhantoms));
  EXPECT_NEAR(slope, 0, 5 * 0.06 * std::sqrt(1.0 / 12 / kPhantoms));
}

/// Otherwise a detector that finds confounders would be told where there is no target.
TEST(PhantomGenerator, TargetsAndConfoundersKnowNothingOfEachOther) {
  double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const auto p = drawn({.seed = seed, .targets = 1});
    for (const auto& i : p.inclusions) {
      if (i.target) continue;
      const double x = p.inclusions.front().x_m;
      ++n, sx += x, sy += i.x_m, sxx += x * x, syy += i.x_m * i.x_m, sxy += x * i.x_m;
    }
  }
  const double r = (sxy - sx * sy / n) / std::sqrt((sxx - sx * sx / n) * (syy - sy * sy / n));
  EXPECT_LT(std::abs(r), 4 / std::sqrt(n)) << "correlation of their places";
}

TEST(PhantomGenerator, WishesOutOfRangeAreRefusedInWords) {
  const double nan = std::nan("");
  EXPECT_THAT(draw_phantom({.contrast = 0.0}).error().message, HasSubstr("between 0.01 and 1000"));
  EXPECT_THAT(draw_phantom({.contrast = nan}).error().message, HasSubstr("between 0.01 and 1000"));
  EXPECT_THAT(draw_phantom({.diameter_m = 1.0}).error().message, HasSubstr("between 1 and 40 mm"));
  EXPECT_THAT(draw_phantom({.depth_m = -1e-3}).error().message, HasSubstr("between 0 and 30 mm"));
  EXPECT_THAT(draw_phantom({.targets = 5}).error().message, HasSubstr("0 to 4 targets"));
  std::uint64_t seed = 1;
  while (thickness_m(drawn({.seed = seed}).layers) > 25e-3) ++seed;
  EXPECT_THAT(draw_phantom({.seed = seed, .depth_m = 30e-3}).error().message,
              HasSubstr("no target can lie 30 mm deep"));
}

TEST(GroundTruth, AFootprintIsTheBoxAroundWhatIsThere) {
  PhantomInclusion i;
  i.x_m = 0.1;
  i.length_m = 40e-3;
  i.width_m = 6e-3;
  i.kind = InclusionKind::kBand;
  i.angle_rad = 1.5707963267948966;
  auto f = footprint_of(i);
  EXPECT_NEAR(f.x_min_m, 97e-3, 1e-9);
  EXPECT_NEAR(f.y_max_m, 20e-3, 1e-9);
  i.kind = InclusionKind::kNodule;
  i.width_m = 40e-3;
  i.angle_rad = 0.7;
  f = footprint_of(i);
  EXPECT_NEAR(f.x_max_m - f.x_min_m, 40e-3, 1e-9) << "a circle, however it is turned";
}

}  // namespace
}  // namespace strigil::rig
