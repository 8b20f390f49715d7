// Stiffness of an edge or its mount from force and displacement, the rig's own compliance taken off.
#pragma once

#include <span>

#include "calibration/standards/estimate.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

struct StiffnessResult {
  Estimate total_compliance_m_N;  // slope of displacement over force
  Estimate compliance_m_N;        // without the rig
  Estimate stiffness_N_m;
  double residual_sd_m = 0;
  double nonlinearity_pct = 0;  // what a second-degree term adds at the largest force, of the deflection
  bool straight = false;        // that term is not significant (95 %)
  double loop_J = 0;            // energy lost between loading and unloading; 0 without unloading
};

/// Loading (and, when given, unloading) readings in order of time; unloading may be empty. `rig_compliance_m_N` as
/// measured against something stiff, with its uncertainty. Displacement is fitted over force, since the force is what
/// is controlled. Refuses NaN, fewer than four readings, forces that do not span, and a rig no stiffer than what is
/// measured. Pure.
[[nodiscard]] daq::Result<StiffnessResult> edge_stiffness(std::span<const double> loading_N,
                                                          std::span<const double> loading_m,
                                                          std::span<const double> unloading_N,
                                                          std::span<const double> unloading_m,
                                                          const Estimate& rig_compliance_m_N = {});

}  // namespace strigil::calibration
