// Random phantoms with ground truth: what detectors are judged on, in place of the few that somebody thought of.
//
// The same seed gives the same phantom to the bit, and all that is asked for beside the seed changes only what it
// names: with contrast 1 it is the same phantom with the same places of the same targets, but there is nothing to be
// found. Places of targets do not depend on those of confounders, or a detector that finds confounders would learn
// where no target is.
#pragma once

#include <cstdint>
#include <optional>

#include "daq/result.hpp"
#include "rig/phantom.hpp"

namespace strigil::rig {

/// What is wished; what is not is drawn over the sweep of science.md 2.2 [A].
struct PhantomWish {
  std::uint64_t seed = 1;
  std::optional<double> contrast =
      std::nullopt;  ///< of every target's stiffness, 0.01 to 1000; 1: then they differ in nothing
  std::optional<double> diameter_m = std::nullopt;  ///< of every target, 1 to 40 mm
  std::optional<double> depth_m = std::nullopt;     ///< of every target's top, 0 to 30 mm
  std::optional<int> targets = std::nullopt;        ///< 0 to kMostDrawnTargets; else 1 to 3
  bool confounders = true;                          ///< false: no vessels, lobules, edges, bumps or fibres
};
inline constexpr int kMostDrawnTargets = 4;

/// The phantom, its text as of to_toml(). Errors: a wish out of range, or a target deeper than there are layers.
daq::Result<Phantom> draw_phantom(const PhantomWish& wish);

}  // namespace strigil::rig
