#include "calibration/force_record.hpp"

namespace strigil::calibration {
namespace {

constexpr const char* kName = "use over the travel";

}  // namespace

DataTable travel_table(const TravelBox& box) {
  DataTable t{kName, {"x_low", "x_high", "y_low", "y_high", "z_low", "z_high"}, {"m", "m", "m", "m", "m", "m"}, {{}}};
  for (const auto& axis : box) t.rows[0].insert(t.rows[0].end(), {axis.low, axis.high});
  return t;
}

std::optional<TravelBox> travel_of(const Record& record) {
  const auto* found = find_table(record, kName);
  TravelBox box;
  if (found == nullptr || found->rows.size() != 1 || found->rows[0].size() != 2 * box.size()) return {};
  for (std::size_t a = 0; a < box.size(); ++a) box[a] = {found->rows[0][2 * a], found->rows[0][2 * a + 1]};
  return box;
}

bool leaves_travel(const Interval& use, double low_m, double high_m) {
  constexpr double kNothing_m = 1e-3;
  return low_m < use.low - kNothing_m || high_m > use.high + kNothing_m;
}

}  // namespace strigil::calibration
