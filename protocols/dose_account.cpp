#include "protocols/dose_account.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::protocols {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMilli = 1e3;
/// Parts of the edge that are only rounding.
constexpr double kSliver = 1e-12;
/// An interval is given out in pieces of at most this part of an area's side.
constexpr double kPiece = 1.0 / 8;
/// No stage reaches so far.
constexpr double kFarthest_m = 1e3;

bool usable(const DoseSample& s) {
  return std::abs(s.x_m) < kFarthest_m && std::abs(s.y_m) < kFarthest_m && std::isfinite(s.normal_force_N) &&
         std::isfinite(s.tangential_force_N) && std::isfinite(s.speed_m_s);
}

/// The stretch of one axis that the edge covers, and the areas along it.
struct Covered {
  double low_m;
  double high_m;
  double min_m;
  double side_m;
  std::size_t first;
  std::size_t end;

  Covered(double middle_m, double width_m, double min, double side, std::size_t count)
      : low_m(middle_m - width_m / 2), high_m(middle_m + width_m / 2), min_m(min), side_m(side) {
    const auto most = static_cast<double>(count);
    first = static_cast<std::size_t>(std::clamp(std::floor((low_m - min) / side), 0.0, most));
    end = static_cast<std::size_t>(std::clamp(std::ceil((high_m - min) / side), 0.0, most));
  }
  /// Part of the edge's width that lies on area `i`.
  [[nodiscard]] double part(std::size_t i) const {
    const double from = min_m + static_cast<double>(i) * side_m;
    return (std::min(high_m, from + side_m) - std::max(low_m, from)) / (high_m - low_m);
  }
};

daq::Result<void> check_positive(const char* what, double value) {
  if (value > 0) return {};
  return daq::Error{fmt::format("dose account: {} of {:g}: must be above 0", what, value)};
}

Json json_of(const AreaDose& d) {
  return {{"impulse_N_s", d.impulse_N_s},
          {"work_J", d.work_J},
          {"peak_pressure_Pa", d.peak_pressure_Pa},
          {"time_s", d.time_s},
          {"strokes", d.strokes}};
}

}  // namespace

DoseGrid grid_over(const PathBox& box, const EdgeContact& edge, double area_side_m) {
  DoseGrid grid;
  grid.area_side_m = area_side_m;
  grid.min_x_m = box.min_x_m - edge.width_m / 2;
  grid.min_y_m = box.min_y_m - edge.length_m / 2;
  const auto needed = [&](double way_m) {
    // Not beyond what make() refuses anyway; sides that divide the way get no area more by rounding.
    const double n = std::ceil(way_m / area_side_m * (1 - kSliver));
    return static_cast<std::size_t>(std::clamp(n, 1.0, static_cast<double>(DoseAccount::kMostAreas) + 1));
  };
  grid.columns = needed(box.max_x_m - box.min_x_m + edge.width_m);
  grid.rows = needed(box.max_y_m - box.min_y_m + edge.length_m);
  return grid;
}

std::vector<std::string> names_of_dose_ends(std::uint32_t bits) {
  std::vector<std::string> out;
  if ((bits & kDoseTime) != 0) out.emplace_back("time");
  if ((bits & kDoseStrokes) != 0) out.emplace_back("strokes");
  if ((bits & kDoseImpulse) != 0) out.emplace_back("impulse");
  if ((bits & kDoseWork) != 0) out.emplace_back("work");
  if ((bits & kDosePressure) != 0) out.emplace_back("pressure");
  return out;
}

DoseAccount::DoseAccount(const DoseConfig& config)
    : config_(config), cells_(config.grid.columns * config.grid.rows + 1) {}

daq::Result<DoseAccount> DoseAccount::make(const DoseConfig& config) {
  const auto& g = config.grid;
  const auto& l = config.limits;
  if (g.columns == 0 || g.rows == 0 || g.columns > kMostAreas || g.rows > kMostAreas ||
      g.columns * g.rows > kMostAreas) {
    return daq::Error{fmt::format("dose account: {} x {} areas: 1 to {} are possible; choose larger ones", g.columns,
                                  g.rows, kMostAreas)};
  }
  if (!(std::abs(g.min_x_m) < kFarthest_m) || !(std::abs(g.min_y_m) < kFarthest_m)) {
    return daq::Error{"dose account: the grid begins where no stage reaches"};
  }
  struct Checked {
    const char* what;
    double value;
  };
  for (const auto& c :
       {Checked{"side of an area", g.area_side_m}, Checked{"length of the edge", config.edge.length_m},
        Checked{"width of the edge", config.edge.width_m}, Checked{"limit of time", l.max_time_s},
        Checked{"limit of strokes", double(l.max_strokes)}, Checked{"limit of impulse", l.max_impulse_N_s},
        Checked{"limit of work", l.max_work_J}, Checked{"limit of pressure", l.max_pressure_Pa},
        Checked{"force of contact", config.contact_force_N}, Checked{"longest gap", config.longest_gap_s},
        Checked{"way to turn back", config.turn_back_m}, Checked{"shortest lift", config.shortest_lift_s}}) {
    if (auto r = check_positive(c.what, c.value); !r) return r.error();
  }
  for (const auto& c : {Checked{"side of an area", g.area_side_m}, Checked{"length of the edge", config.edge.length_m},
                        Checked{"width of the edge", config.edge.width_m}}) {
    if (!(c.value < kFarthest_m)) return daq::Error{fmt::format("dose account: {} of {:g} m", c.what, c.value)};
  }
  return DoseAccount(config);
}

template <typename Visit>
void DoseAccount::for_each_under(double x_m, double y_m, Visit&& visit) const noexcept {
  const auto& g = config_.grid;
  const Covered along(x_m, config_.edge.width_m, g.min_x_m, g.area_side_m, g.columns);
  const Covered across(y_m, config_.edge.length_m, g.min_y_m, g.area_side_m, g.rows);
  double rest = 1;
  for (auto row = across.first; row < across.end; ++row) {
    const double row_part = across.part(row);
    if (row_part <= kSliver) continue;
    for (auto column = along.first; column < along.end; ++column) {
      const double column_part = along.part(column);
      if (column_part <= kSliver) continue;
      rest -= row_part * column_part;
      visit(row * g.columns + column, row_part * column_part);
    }
  }
  constexpr double kOnlyRounding = 1e-9;  // sums of many parts
  if (rest > kOnlyRounding) visit(outside(), rest);
}

void DoseAccount::add(const DoseSample& sample) noexcept {
  if (!usable(sample) || (seen_ && sample.at < last_.at)) {
    ++refused_;
    return;
  }
  if (seen_ && sample.at > last_.at) {
    const double duration_s = daq::seconds(sample.at - last_.at);
    const bool known = duration_s <= config_.longest_gap_s;
    if (!known) ++gaps_;
    const double mean_N = (last_.normal_force_N + sample.normal_force_N) / 2;
    if (known && mean_N >= config_.contact_force_N) {
      count_interval(last_, sample, duration_s);
    } else {
      lifted_s_ += duration_s;
      in_contact_ = in_contact_ && known && lifted_s_ < config_.shortest_lift_s;
    }
  }
  note_pressure(sample);
  last_ = sample;
  seen_ = true;
}

/// Of each sample, whether or not an interval goes with it: a single one is a bruise.
void DoseAccount::note_pressure(const DoseSample& sample) noexcept {
  if (sample.normal_force_N < config_.contact_force_N) return;
  const double pressure_Pa = sample.normal_force_N / (config_.edge.length_m * config_.edge.width_m);
  over_pressure_ = over_pressure_ || pressure_Pa > config_.limits.max_pressure_Pa;
  for_each_under(sample.x_m, sample.y_m, [&](std::size_t area, double) {
    auto& peak_Pa = cells_[area].dose.peak_pressure_Pa;
    peak_Pa = std::max(peak_Pa, pressure_Pa);
  });
}

void DoseAccount::count_interval(const DoseSample& from, const DoseSample& to, double duration_s) noexcept {
  if (!in_contact_) {
    in_contact_ = true;
    ++pass_;
    anchor_x_m_ = from.x_m;
    anchor_y_m_ = from.y_m;
    direction_x_ = direction_y_ = 0;
  }
  lifted_s_ = 0;
  const double moved_m = std::hypot(to.x_m - from.x_m, to.y_m - from.y_m);
  const double wanted = std::ceil(moved_m / (kPiece * config_.grid.area_side_m));
  const int pieces = static_cast<int>(std::clamp(wanted, 1.0, static_cast<double>(kMostPieces)));
  const double piece_s = duration_s / pieces;
  const auto power = [&](double u) {
    return std::lerp(std::abs(from.tangential_force_N), std::abs(to.tangential_force_N), u) *
           std::lerp(std::abs(from.speed_m_s), std::abs(to.speed_m_s), u);
  };
  for (int i = 0; i < pieces; ++i) {
    const double begin = static_cast<double>(i) / pieces;
    const double end = static_cast<double>(i + 1) / pieces;
    const double middle = (begin + end) / 2;
    const double x_m = std::lerp(from.x_m, to.x_m, middle);
    const double y_m = std::lerp(from.y_m, to.y_m, middle);
    // The midpoint is exact for a force along a line, Simpson's rule for a product of two lines.
    const double impulse_N_s = piece_s * std::lerp(from.normal_force_N, to.normal_force_N, middle);
    const double work_J = piece_s * (power(begin) + 4 * power(middle) + power(end)) / 6;
    way_m_ += moved_m / pieces;
    watch_direction(x_m, y_m);
    for_each_under(x_m, y_m, [&](std::size_t area, double part) {
      auto& cell = cells_[area];
      // Left for longer than an area is wide without turning back: come round again, as along a frame.
      if (cell.pass != pass_ || way_m_ - cell.way_m > config_.grid.area_side_m) ++cell.dose.strokes;
      cell.pass = pass_;
      cell.way_m = way_m_;
      cell.dose.impulse_N_s += part * impulse_N_s;
      cell.dose.work_J += part * work_J;
      cell.dose.time_s += piece_s;
    });
  }
}

/// Turning back begins a passage. Looked at over turn_back_m, so that a trembling readback does not.
void DoseAccount::watch_direction(double x_m, double y_m) noexcept {
  const double dx = x_m - anchor_x_m_;
  const double dy = y_m - anchor_y_m_;
  const double gone_m = std::hypot(dx, dy);
  if (gone_m < config_.turn_back_m) return;
  if (dx * direction_x_ + dy * direction_y_ < 0) ++pass_;
  direction_x_ = dx / gone_m;
  direction_y_ = dy / gone_m;
  anchor_x_m_ = x_m;
  anchor_y_m_ = y_m;
}

std::size_t DoseAccount::area_at(double x_m, double y_m) const noexcept {
  const auto& g = config_.grid;
  const double column = std::floor((x_m - g.min_x_m) / g.area_side_m);
  const double row = std::floor((y_m - g.min_y_m) / g.area_side_m);
  const bool inside = column >= 0 && row >= 0 && column < static_cast<double>(g.columns) &&
                      row < static_cast<double>(g.rows);  // a NaN is not
  return inside ? static_cast<std::size_t>(row) * g.columns + static_cast<std::size_t>(column) : outside();
}

std::uint32_t DoseAccount::ended(std::size_t area) const noexcept {
  const auto& cell = cells_[area];
  const auto& d = cell.dose;
  const auto& l = config_.limits;
  const bool stroke_goes_on = in_contact_ && cell.pass == pass_;
  std::uint32_t bits = 0;
  if (d.time_s >= l.max_time_s) bits |= kDoseTime;
  if (d.strokes > l.max_strokes || (d.strokes == l.max_strokes && !stroke_goes_on)) bits |= kDoseStrokes;
  if (d.impulse_N_s >= l.max_impulse_N_s) bits |= kDoseImpulse;
  if (d.work_J >= l.max_work_J) bits |= kDoseWork;
  if (d.peak_pressure_Pa > l.max_pressure_Pa) bits |= kDosePressure;
  return bits;
}

std::uint32_t DoseAccount::ended_under(double x_m, double y_m) const noexcept {
  std::uint32_t bits = 0;
  if (!(std::abs(x_m) < kFarthest_m) || !(std::abs(y_m) < kFarthest_m)) return ended(outside());
  for_each_under(x_m, y_m, [&](std::size_t area, double) { bits |= ended(area); });
  return bits;
}

double DoseAccount::used() const noexcept {
  double most = 0;
  for (std::size_t area = 0; area < cells_.size(); ++area) most = std::max(most, used(area));
  return most;
}

double DoseAccount::used(std::size_t area) const noexcept {
  const auto& l = config_.limits;
  const auto& d = cells_[area].dose;
  return std::max({d.time_s / l.max_time_s, static_cast<double>(d.strokes) / static_cast<double>(l.max_strokes),
                   d.impulse_N_s / l.max_impulse_N_s, d.work_J / l.max_work_J});
}

AreaDose DoseAccount::total() const noexcept {
  AreaDose sum;
  for (const auto& cell : cells_) {
    const auto& d = cell.dose;
    sum.impulse_N_s += d.impulse_N_s;
    sum.work_J += d.work_J;
    sum.peak_pressure_Pa = std::max(sum.peak_pressure_Pa, d.peak_pressure_Pa);
    sum.time_s = std::max(sum.time_s, d.time_s);
    sum.strokes = std::max(sum.strokes, d.strokes);
  }
  return sum;
}

std::string DoseAccount::reason(std::size_t area) const {
  const auto bits = ended(area);
  if (bits == 0) return {};
  const auto& d = cells_[area].dose;
  const auto& l = config_.limits;
  std::vector<std::string> had;
  if ((bits & kDoseTime) != 0) had.push_back(fmt::format("{:.1f} s of contact (limit {:g} s)", d.time_s, l.max_time_s));
  if ((bits & kDoseStrokes) != 0) had.push_back(fmt::format("{} strokes (limit {})", d.strokes, l.max_strokes));
  if ((bits & kDoseImpulse) != 0) {
    had.push_back(fmt::format("{:.4g} N s of impulse (limit {:g} N s)", d.impulse_N_s, l.max_impulse_N_s));
  }
  if ((bits & kDoseWork) != 0) {
    had.push_back(fmt::format("{:.4g} J of sliding work (limit {:g} J)", d.work_J, l.max_work_J));
  }
  if ((bits & kDosePressure) != 0) {
    had.push_back(fmt::format("a pressure of {:.4g} kPa (limit {:g} kPa)", d.peak_pressure_Pa / kMilli,
                              l.max_pressure_Pa / kMilli));
  }
  const auto& g = config_.grid;
  std::string where = "what lies beyond the grid of areas";
  if (area != outside()) {
    const double x_mm = (g.min_x_m + static_cast<double>(area % g.columns) * g.area_side_m) * kMilli;
    const double y_mm = (g.min_y_m + static_cast<double>(area / g.columns) * g.area_side_m) * kMilli;
    where = fmt::format("the area at x {:.4g} to {:.4g} mm, y {:.4g} to {:.4g} mm", x_mm, x_mm + g.area_side_m * kMilli,
                        y_mm, y_mm + g.area_side_m * kMilli);
  }
  return fmt::format("treatment ends: {} has had {}", where, fmt::join(had, ", "));
}

std::string to_json(const DoseAccount& account) {
  const auto& c = account.config();
  Json areas = Json::array();
  const auto entry = [&](std::size_t area) {
    Json out = json_of(account.dose(area));
    out["ended"] = names_of_dose_ends(account.ended(area));
    return out;
  };
  for (std::size_t area = 0; area < account.areas(); ++area) {
    const auto& d = account.dose(area);
    if (d.strokes == 0 && d.peak_pressure_Pa == 0) continue;
    Json out{{"column", area % c.grid.columns}, {"row", area / c.grid.columns}};
    out.update(entry(area));
    areas.push_back(std::move(out));
  }
  const Json out{{"grid",
                  {{"min_x_m", c.grid.min_x_m},
                   {"min_y_m", c.grid.min_y_m},
                   {"columns", c.grid.columns},
                   {"rows", c.grid.rows},
                   {"area_side_m", c.grid.area_side_m}}},
                 {"edge", {{"length_m", c.edge.length_m}, {"width_m", c.edge.width_m}}},
                 {"limits",
                  {{"max_time_s", c.limits.max_time_s},
                   {"max_strokes", c.limits.max_strokes},
                   {"max_impulse_N_s", c.limits.max_impulse_N_s},
                   {"max_work_J", c.limits.max_work_J},
                   {"max_pressure_Pa", c.limits.max_pressure_Pa}}},
                 {"contact_force_N", c.contact_force_N},
                 {"longest_gap_s", c.longest_gap_s},
                 {"turn_back_m", c.turn_back_m},
                 {"shortest_lift_s", c.shortest_lift_s},
                 {"areas", std::move(areas)},
                 {"outside", entry(account.outside())},
                 {"total", json_of(account.total())},
                 {"over_pressure", account.over_pressure()},
                 {"gaps", account.gaps()},
                 {"refused_samples", account.refused_samples()}};
  return daq::json_text(out, 1);  // a limit that is infinite becomes null
}

}  // namespace strigil::protocols
