// Detections: what detectors under test have answered, as a bench tells it (docs/control.md) or a run file holds it
// (docs/run_file.md). Never the truth.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace strigil::ui {

struct Detection {
  std::size_t detector = 0;
  double x_mm = 0;
  double y_mm = 0;     ///< of the stroke, as told; of the stage at that instant, once it was looked up; NaN: neither
  bool looked_up = false;
  double at_s = 0;     ///< host time that it speaks of
  double known_s = 0;  ///< of the newest data that it rests on
  double score = 0;
};

/// A value, of one run. At most kMost; more are counted.
struct Detections {
  static constexpr std::size_t kMost = 100'000;
  std::string run;
  std::vector<std::string> detectors;
  std::vector<bool> listening;  ///< of each; a file's have all left
  std::vector<Detection> all;
  double left_out = 0;  ///< that nobody told
};

/// One answer of `detections`, which goes on where `into` ends. Another run's begins anew; what makes no sense changes
/// nothing.
void take_detections(std::string_view json, Detections& into);
/// `detectors` of a run file's end. Pure.
Detections detections_of_end(const nlohmann::json& end);

}  // namespace strigil::ui
