// SourcedNumber: a number of a table that people trust, with where it comes from.
//
// In a file: `density_kg_m3 = { value = 8000, source = "science.md 1.4 [M]" }`. The tags are those of science.md: [S]
// found in a source, [D] derived from public data, [C] computed, [M] handbook knowledge that was not found again, [A]
// assumption; several as [M/A]. One's own measurement is an [S] whose source is one's own record.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/strict_toml.hpp"

namespace strigil::rig {

struct SourcedNumber {
  std::string key;   ///< with its unit, as in the file ("length_mm"; a reader may put its table in front)
  double value = 0;  ///< in that unit
  std::string source;
  /// Handbook knowledge or an assumption, if only in part: to be checked before anybody relies on it.
  [[nodiscard]] bool assumed() const;
};

/// True when `source` has a tag in it: [S], [D], [C], [M], [A], or several with slashes.
bool has_source_tag(std::string_view source);

/// Reads `key` of `t` as { value, source }; a number without a source or a source without a tag is refused. A missing
/// key gives `otherwise` and puts nothing into `seen`; without `otherwise` it is refused. Off the loop.
double sourced_number(daq::StrictTable& t, std::string_view key, daq::Range range, std::vector<SourcedNumber>& seen,
                      std::optional<double> otherwise = std::nullopt);

}  // namespace strigil::rig
