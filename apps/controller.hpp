// Controller: a bench that stays up and takes requests (docs/control.md): by hand, homing, stop tests and runs, one
// after the other, for whoever holds control. `strigil serve` is this and a socket.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/publication.hpp"
#include "daq/control/control_message.hpp"
#include "protocols/detectors/answer_message.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

struct ControllerOptions {
  rig::BenchConfig bench;
  std::string bench_file;     ///< name or path, for prepare()
  Publication publication;    ///< endpoint as of `strigil run`; tells where, in `status`
  std::string runs = "runs";  ///< folder for run files
  std::vector<std::string> detector_commands;  ///< of detectors that listen to every run (docs/detectors.md)
  protocols::DeskRules detector_rules;
};

/// The requests it takes are in docs/control.md and in kVerbs of controller.cpp. Real time only.
class Controller {
 public:
  explicit Controller(const ControllerOptions& options);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Answers one request; never waits. The control thread.
  daq::ControlReply handle(const daq::ControlRequest& request);
  /// Lets leases run out. The control thread, often.
  void idle();
  /// Works until somebody asks it to quit, or stop_request() is set. One thread.
  void work();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::apps
