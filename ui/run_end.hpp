// Run end: what a finished run file says of itself in its end (docs/run_file.md), as a screen needs it.
#pragma once

#include <string>
#include <string_view>

#include "ui/detections.hpp"
#include "ui/health.hpp"

namespace strigil::ui {

/// A value; what the file does not say is empty.
struct RunEnd {
  std::string verdict;  ///< judgement and reasons, a line each
  DoseMap dose;
  Detections detections;
};

/// Pure. Hostile input: members of another type are as if they were not there.
RunEnd parse_run_end(std::string_view json);

}  // namespace strigil::ui
