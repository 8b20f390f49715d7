// Gage table: readings sorted into parts x appraisers x trials, or why they cannot be. For gage_anova.cpp and
// gage_range.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "protocols/court/gage_study.hpp"

namespace strigil::protocols {

/// Balanced: `value[(part * appraisers + appraiser) * trials + trial]`.
struct GageTable {
  std::vector<std::string> parts;       ///< in the order of appearance
  std::vector<std::string> appraisers;  ///< likewise
  std::size_t trials = 0;
  std::vector<double> value;

  [[nodiscard]] std::span<const double> cell(std::size_t part, std::size_t appraiser) const {
    return {value.data() + (part * appraisers.size() + appraiser) * trials, trials};
  }
};
/// Refused: see gage_anova.
daq::Result<GageTable> gage_table(std::span<const GageReading> readings);
daq::Result<void> checked(const GageOptions& options);

}  // namespace strigil::protocols
