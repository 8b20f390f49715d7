#include "ui/detections.hpp"

#include <cmath>

#include "daq/json_text.hpp"
#include "ui/json_fields.hpp"

namespace strigil::ui {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostDetectors = 64;
constexpr std::size_t kMostStrokes = 100'000;

/// False where a number is missing.
bool add(const Json& j, std::size_t detector, Detections& into) {
  const Detection d{.detector = detector,
                    .x_mm = number(j, "x_mm", NAN),
                    .y_mm = number(j, "y_mm", NAN),
                    .looked_up = false,
                    .at_s = number(j, "at_s", NAN),
                    .known_s = number(j, "known_s", NAN),
                    .score = number(j, "score", NAN)};
  const bool whole =
      std::isfinite(d.x_mm) && std::isfinite(d.at_s) && std::isfinite(d.known_s) && std::isfinite(d.score);
  if (!whole || detector >= into.detectors.size() || into.all.size() >= Detections::kMost) return false;
  into.all.push_back(d);
  return true;
}

}  // namespace

void take_detections(std::string_view json, Detections& into) {
  const auto j = daq::parse_json(json);
  const auto& told = list(j, "detectors", kMostDetectors);
  const auto run = text(j, "run");
  const double count = number(j, "count", -1);
  if (run != into.run || count < static_cast<double>(into.all.size())) {
    into = {};
    into.run = run;
  }
  into.detectors.clear();
  into.listening.clear();
  for (const auto& d : told) {
    into.detectors.push_back(text(d, "name"));
    into.listening.push_back(truth(d, "listening"));
  }
  into.left_out = number(j, "left_out", 0);
  // An answer to a question from before the run is passed over, and asked again.
  if (number(j, "from", -1) != static_cast<double>(into.all.size())) return;
  for (const auto& d : list(j, "detections", Detections::kMost)) {
    const double detector = number(d, "detector", -1);
    if (!(detector >= 0 && detector < kMostDetectors) || !add(d, static_cast<std::size_t>(detector), into)) return;
  }
}

Detections detections_of_end(const Json& end) {
  Detections out;
  for (const auto& d : list(end, "detectors", kMostDetectors)) {
    const auto detector = out.detectors.size();
    out.detectors.push_back(text(d, "name"));
    out.listening.push_back(false);
    out.left_out += number(d, "left_out", 0);
    for (const auto& stroke : list(d, "strokes", kMostStrokes)) {
      for (const auto& one : list(stroke, "detections", Detections::kMost)) {
        if (!add(one, detector, out)) ++out.left_out;
      }
    }
  }
  return out;
}

}  // namespace strigil::ui
