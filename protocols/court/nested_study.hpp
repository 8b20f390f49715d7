// Nested study: parts within appraisers where a part cannot be read twice by all, or repeats within days within runs.
//
// Balanced, any depth (metrology.md 5.1, NIST's three levels). Pure, any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/variance_component.hpp"

namespace strigil::protocols {

/// `path`: the levels from the outermost in, without the repeat: {"run 1", "day 2"}. A name means something within its
/// parent only.
struct NestedReading {
  std::vector<std::string> path;
  double value = 0;
};

struct NestedLevel {
  double mean_square = 0;
  double dof = 0;
  VarianceComponent component;
};
struct NestedStudy {
  std::vector<NestedLevel> levels;  ///< outermost first; last: repeats
  double total_variance = 0;        ///< sum of the components as clamped
  std::vector<std::string> warnings;
};
/// Refused: unbalanced, paths of different length or none, a level (or the repeats) with one member only, not finite.
daq::Result<NestedStudy> nested_components(std::span<const NestedReading> readings, double level = 0.95);

}  // namespace strigil::protocols
