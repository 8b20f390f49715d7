// Detector process: a detector's command line, started beside a run or a replay (docs/detectors.md).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/child.hpp"
#include "daq/result.hpp"
#include "daq/temporary_folder.hpp"
#include "protocols/detectors/detector_desk.hpp"

namespace strigil::apps {

/// Cut at blanks; '...' and "..." hold words together, and no shell reads it. Errors: nothing in it, a quote left open.
daq::Result<std::vector<std::string>> words_of_command(const std::string& command);

/// Killed and reaped when destroyed; what it wrote on standard output and error goes with it. One thread.
class DetectorProcess final : public protocols::DeskProcess {
 public:
  /// `{endpoint}` and `{answers}` in the command are replaced. A first word `strigil` is this very program. Errors: no
  /// such program, no command.
  static daq::Result<std::unique_ptr<DetectorProcess>> start(const std::string& command, const std::string& endpoint,
                                                             const std::string& answers);
  ~DetectorProcess() override;
  DetectorProcess(const DetectorProcess&) = delete;
  DetectorProcess& operator=(const DetectorProcess&) = delete;
  std::optional<std::string> ended() override;
  void kill() override;
  /// Waits for its own end; after `longest` it is killed.
  void leave(daq::Duration longest);

 private:
  explicit DetectorProcess(daq::TemporaryFolder folder) : folder_(std::move(folder)) {}
  daq::TemporaryFolder folder_;
  std::unique_ptr<Child> child_;
  std::optional<std::string> how_;
};

}  // namespace strigil::apps
