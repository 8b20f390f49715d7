#include "ui/run_end.hpp"

#include <algorithm>
#include <cmath>

#include "daq/json_text.hpp"
#include "ui/json_fields.hpp"

namespace strigil::ui {
namespace {

using Json = nlohmann::json;

constexpr double kMostAreas = 1 << 20;

std::string verdict_words(const Json& end) {
  const auto& nested = part(end, "verdict");
  const auto& verdict = nested.empty() ? part(end, "result") : nested;
  auto words = text(verdict, "judgement");
  if (words.empty()) return {};
  constexpr std::size_t kMostReasons = 10'000;
  for (const auto& r : list(verdict, "reasons", kMostReasons)) {
    const auto reason = r.is_string() ? r.get<std::string>() : text(r, "text");
    if (!reason.empty()) words += "\n" + reason;
  }
  return words;
}

/// The greatest part of any limit but the pressure's, which an area does not use up; as the live map has it.
float part_used(const Json& area, const Json& limits) {
  double most = 0;
  for (const auto& [had, limit] : {std::pair{"time_s", "max_time_s"},
                                   {"strokes", "max_strokes"},
                                   {"impulse_N_s", "max_impulse_N_s"},
                                   {"work_J", "max_work_J"}}) {
    const double of = number(limits, limit, INFINITY);
    if (of > 0) most = std::max(most, number(area, had, 0) / of);
  }
  return static_cast<float>(most);
}

DoseMap dose_of(const Json& dose) {
  constexpr double kMilli = 1e3;
  const auto& grid = part(dose, "grid");
  const double columns = number(grid, "columns", 0);
  const double rows = number(grid, "rows", 0);
  DoseMap map{.x_min_mm = number(grid, "min_x_m", NAN) * kMilli,
              .y_min_mm = number(grid, "min_y_m", NAN) * kMilli,
              .side_mm = number(grid, "area_side_m", NAN) * kMilli,
              .columns = 0,
              .used = {}};
  const bool whole = std::isfinite(map.x_min_mm) && std::isfinite(map.y_min_mm) && map.side_mm > 0 && columns >= 1 &&
                     rows >= 1 && columns <= kMostAreas && rows <= kMostAreas && columns * rows <= kMostAreas;
  if (!whole) return {};
  map.columns = static_cast<std::size_t>(columns);
  map.used.resize(map.columns * static_cast<std::size_t>(rows));
  for (const auto& area : list(dose, "areas", map.used.size())) {
    const double column = number(area, "column", -1);
    const double row = number(area, "row", -1);
    if (!(column >= 0 && column < columns && row >= 0 && row < rows)) continue;
    map.used[static_cast<std::size_t>(row) * map.columns + static_cast<std::size_t>(column)] =
        part_used(area, part(dose, "limits"));
  }
  return map;
}

}  // namespace

RunEnd parse_run_end(std::string_view json) {
  const auto j = daq::parse_json(json);
  return {verdict_words(j), dose_of(part(j, "dose")), detections_of_end(j)};
}

}  // namespace strigil::ui
