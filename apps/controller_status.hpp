// What a controller says of itself: the JSON of `status`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "protocols/runner.hpp"
#include "rig/loop.hpp"

namespace strigil::apps {

/// What the bench is used for at the moment.
enum class Use : std::uint8_t {
  kStarting,  ///< devices are being brought up
  kDown,      ///< they could not be; tried again by itself
  kByHand,    ///< up, and moved by hand where it was reset
  kHoming,
  kStopTest,
  kRunning,  ///< a protocol
};
std::string_view name_of(Use use) noexcept;

/// One run that this controller made.
struct FinishedRun {
  std::string protocol = {};
  std::string file = {};
  std::string judgement = {};  ///< "PASS", "FAIL", "INVALID", or "" when it did not come to a verdict
  std::vector<std::string> reasons = {};
};

/// A stage's readback, forces and the like, in people's units (mm, N), as in docs/control.md.
nlohmann::ordered_json readings_json(const rig::Readings& readings);
/// {"first": ..., "names": [...], "advice": ...}
nlohmann::ordered_json faults_json(std::uint32_t now, std::uint32_t latched);
nlohmann::ordered_json progress_json(const protocols::Progress& progress);
nlohmann::ordered_json finished_run_json(const FinishedRun& run);

}  // namespace strigil::apps
