#include "calibration/force_record.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::calibration {
namespace {

constexpr const char* kName = "use over the travel";
constexpr std::size_t kAxes = 3;
constexpr std::size_t kNumbers = 3 * kAxes + 2;

}  // namespace

DataTable travel_table(const ForceTravel& travel) {
  DataTable t{kName,
              {"x_low", "x_high", "y_low", "y_high", "z_low", "z_high", "slope_x", "slope_y", "slope_z", "off_plane",
               "span"},
              {"m", "m", "m", "m", "m", "m", "N/m", "N/m", "N/m", "N", "N"},
              {{}}};
  auto& row = t.rows[0];
  for (const auto& axis : travel.use) row.insert(row.end(), {axis.low, axis.high});
  row.insert(row.end(), travel.slope_N_m.begin(), travel.slope_N_m.end());
  row.insert(row.end(), {travel.off_plane_N, travel.span_N});
  return t;
}

std::optional<ForceTravel> travel_of(const Record& record) {
  const auto* found = find_table(record, kName);
  if (found == nullptr || found->rows.size() != 1 || found->rows[0].size() != kNumbers) return {};
  const auto& row = found->rows[0];
  ForceTravel travel;
  for (std::size_t a = 0; a < kAxes; ++a) {
    travel.use[a] = {row[2 * a], row[2 * a + 1]};
    travel.slope_N_m[a] = row[2 * kAxes + a];
  }
  travel.off_plane_N = row[kNumbers - 2];
  travel.span_N = row[kNumbers - 1];
  return travel;
}

double zero_apart_N(const ForceTravel& travel, const TravelBox& way) {
  // Off the plane either end may be.
  double apart_N = 2 * travel.off_plane_N;
  for (std::size_t a = 0; a < kAxes; ++a) apart_N += std::abs(travel.slope_N_m[a]) * (way[a].high - way[a].low);
  return std::min(apart_N, travel.span_N);
}

bool leaves_travel(const Interval& use, double low_m, double high_m) {
  constexpr double kNothing_m = 1e-3;
  return low_m < use.low - kNothing_m || high_m > use.high + kNothing_m;
}

}  // namespace strigil::calibration
