#include "ui/health.hpp"

#include <cmath>

#include "daq/json_text.hpp"
#include "ui/json_fields.hpp"

namespace strigil::ui {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBins = 64;
constexpr std::size_t kMostLines = 256;
constexpr std::size_t kMostAreas = 65'536;
constexpr double kMicro = 1e6;

DoseMap dose_of(const Json& j) {
  DoseMap d;
  d.x_min_mm = number(j, "x_min_mm", NAN);
  d.y_min_mm = number(j, "y_min_mm", NAN);
  d.side_mm = number(j, "side_mm", 0);
  d.used = numbers(j, "used", kMostAreas);
  const double columns = number(j, "columns", 0);
  const bool whole = std::isfinite(d.x_min_mm) && std::isfinite(d.y_min_mm) && d.side_mm > 0 && d.side_mm < 1e4 &&
                     columns >= 1 && columns <= static_cast<double>(kMostAreas) && !d.used.empty();
  if (whole) d.columns = static_cast<std::size_t>(columns);
  return d;
}

StopTestLine stop_test_of(const Json& j) {
  const auto& trip = part(j, "force_trip");
  const auto& abort = part(j, "abort");
  return {.at = text(j, "at"),
          .passed = truth(j, "passed"),
          .trip_ms = number(trip, "stopped_ms", NAN),
          .trip_mm = number(trip, "travel_mm", NAN),
          .trip_N = number(trip, "peak_N", NAN),
          .abort_ms = number(abort, "stopped_ms", NAN),
          .abort_mm = number(abort, "travel_mm", NAN)};
}

TimingLine timing_of(const Json& j) {
  return {.stream = text(j, "stream"),
          .bound_us = number(j, "bound_p95_s", NAN) * kMicro,
          .delay_us = number(j, "delay_s", NAN) * kMicro,
          .drift_ppm = number(j, "drift_ppm", NAN),
          .unlocked = number(j, "unlocked_samples", 0),
          .problems = texts(j, "problems")};
}

}  // namespace

daq::Result<Health> parse_health(std::string_view json) {
  const auto j = daq::parse_json(json);
  if (!j.is_object()) return daq::Error{"the bench's health is no JSON object"};
  Health h;
  const auto& loop = part(j, "loop");
  h.ticks = number(loop, "ticks", 0);
  h.overruns = number(loop, "overruns", 0);
  h.interval_below_us = numbers(loop, "interval_below_us", kMostBins);
  h.interval_counts = numbers(loop, "counts", kMostBins);
  if (h.interval_counts.size() != h.interval_below_us.size() + 1) h.interval_counts.clear();
  for (const auto& r : list(j, "rings", kMostLines)) {
    h.rings.push_back({text(r, "name"), number(r, "waiting", 0), number(r, "most", 0), number(r, "capacity", 0),
                       number(r, "dropped", 0)});
  }
  h.dose = dose_of(part(j, "dose"));
  const auto& calibration = part(j, "calibration");
  h.calibration_record = text(calibration, "record");
  h.calibration_serial = text(calibration, "serial");
  h.calibration_valid_until = text(calibration, "valid_until");
  h.calibration_reasons = texts(calibration, "reasons");
  for (const auto& t : list(j, "stop_tests", kMostLines)) h.stop_tests.push_back(stop_test_of(t));
  const auto& timing = part(j, "timing");
  h.certified = !timing.empty();
  h.tapped = truth(timing, "tapped");
  for (const auto& s : list(timing, "streams", kMostLines)) h.timing.push_back(timing_of(s));
  return h;
}

}  // namespace strigil::ui
