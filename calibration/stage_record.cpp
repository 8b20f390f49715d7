#include "calibration/stage_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace strigil::calibration {
namespace {

const std::vector<std::string> kColumns{"command", "rising", "falling", "expanded_uncertainty"};
constexpr std::size_t kNeeded = 3;

std::string name_of_map(std::string_view axis) { return fmt::format("error_map_{}", axis); }

}  // namespace

DataTable error_map_table(std::string_view axis, const PitchTable& table, std::span<const double> expanded_m) {
  assert(expanded_m.size() == table.nodes().size());
  DataTable out{name_of_map(axis), kColumns, {"m", "m", "m", "m"}, {}};
  for (std::size_t i = 0; i < table.nodes().size(); ++i) {
    const auto& n = table.nodes()[i];
    out.rows.push_back({n.command_m, n.rising_m, n.falling_m, expanded_m[i]});
  }
  return out;
}

daq::Result<PitchTable> error_map_of(const Record& record, std::string_view axis) {
  const auto refuse = [&](const std::string& why) {
    return daq::Error{fmt::format("calibration '{}': {}", record.id, why)};
  };
  if (record.fit.kind != FitKind::kTable) {
    return refuse(
        fmt::format("its fit is a {}, and an error map of axis {} is a table", name_of(record.fit.kind), axis));
  }
  const auto name = name_of_map(axis);
  const auto* found = find_table(record, name);
  if (found == nullptr) return refuse(fmt::format("it has no table '{}'", name));
  const bool fits =
      found->columns.size() >= kNeeded && found->units.size() >= kNeeded &&
      std::equal(kColumns.begin(), kColumns.begin() + kNeeded, found->columns.begin()) &&
      std::all_of(found->units.begin(), found->units.begin() + kNeeded, [](const std::string& u) { return u == "m"; });
  if (!fits) return refuse(fmt::format("table '{}' must begin with the columns command, rising, falling in m", name));
  std::vector<PitchNode> nodes;
  for (const auto& row : found->rows) {
    if (row.size() < kNeeded) return refuse(fmt::format("a row of table '{}' is too short", name));
    nodes.push_back({row[0], row[1], row[2]});
  }
  const auto table = PitchTable::make(nodes);
  if (!table) return refuse(fmt::format("table '{}' cannot be used: {}", name, table.error().message));
  return *table;
}

}  // namespace strigil::calibration
