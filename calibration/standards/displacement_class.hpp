// Class of a displacement measuring system: ISO 9513:2012 and ASTM E2309 as recalled (metrology.md 1.4 [M]).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

struct DisplacementPoint {
  double true_m = 0;
  double indicated_m = 0;
  double error_m = 0;
  double error_pct = 0;    // of the true value; NaN at zero
  std::string best_class;  // empty when none
};

struct DisplacementAssessment {
  TableIdentity table;
  std::vector<DisplacementPoint> points;
  std::string best_class;  // that every point keeps; empty when none
};

/// Schema of tables/iso9513_*.toml and tables/astm_e2309.toml.
[[nodiscard]] LimitSchema displacement_schema();
/// Judges indicated against true displacements: a point keeps a class when its error is within the larger of the
/// relative and the absolute limit. Refuses NaN, unequal lengths and no points. Pure.
[[nodiscard]] daq::Result<DisplacementAssessment> assess_displacement(std::span<const double> true_m,
                                                                      std::span<const double> indicated_m,
                                                                      const LimitTable& table);

}  // namespace strigil::calibration
