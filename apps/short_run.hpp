// A rig brought up and turned for one behaviour, with nothing recorded: homing, stop tests.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "apps/wires.hpp"
#include "daq/result.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {

struct ShortRunOptions {
  rig::BenchConfig bench;
  rig::RigPurpose purpose = rig::RigPurpose::kRun;
  bool virtual_time = false;
  std::uint64_t seed = 1;
  WorldWatch world = {};  ///< virtual time only
  std::atomic<int>* request = nullptr;  ///< who may stop it, as in RunWatcher; none: stop_request()
};

/// One thread. One behaviour for each.
class ShortRun {
 public:
  /// Called after every tick.
  using Look = std::function<void(const rig::RigState&, daq::HostTime now)>;

  /// Opens the wires and brings the rig up. Errors as of Rig::assemble and Rig::bring_up.
  static daq::Result<std::unique_ptr<ShortRun>> bring_up(const ShortRunOptions& options);
  [[nodiscard]] rig::Rig& rig() noexcept { return *rig_; }
  [[nodiscard]] Wires& wires() noexcept { return wires_; }
  /// Ticks until the supervisor says that it is over; the interlock is reset at the first tick at which it is all
  /// clear, and after kGiveUp it is aborted. ShortRunOptions::request is obeyed; there is nothing to suspend, so
  /// suspend_request() aborts.
  void perform(rig::Behaviour& behaviour, const Look& look);
  /// Asks for an abort at the next tick; from `look`.
  void abort() noexcept { abort_asked_ = true; }
  /// Somebody asked for it to stop.
  [[nodiscard]] bool stopped() const noexcept { return request_.load() > 0; }

 private:
  ShortRun(const WorldWatch& world, std::atomic<int>& request) : world_(world), request_(request), wires_({}, world_) {}
  const WorldWatch world_;
  std::atomic<int>& request_;
  Wires wires_;
  std::unique_ptr<rig::Rig> rig_;
  bool abort_asked_ = false;
};

}  // namespace strigil::apps
