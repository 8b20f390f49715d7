// Operate session: the rig brought up, published and moved by hand, with nothing recorded: what `strigil serve` does
// between runs. Real time only.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "apps/bench_health.hpp"
#include "apps/publication.hpp"
#include "apps/wires.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/result.hpp"
#include "rig/operate.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {

/// Owned by one thread; its loop turns on a thread of its own. It begins faulted, as every rig does.
class OperateSession {
 public:
  /// Opens the wires, brings the rig up, publishes and begins to tick. Errors: as of Rig::bring_up, or the endpoint.
  static daq::Result<std::unique_ptr<OperateSession>> start(const rig::BenchConfig& bench,
                                                            const Publication& publication);
  /// As end().
  ~OperateSession();
  OperateSession(const OperateSession&) = delete;
  OperateSession& operator=(const OperateSession&) = delete;

  /// Resets the interlock and lets the operator move; refused by the rig while anything is wrong. One thread.
  void reset() noexcept;
  /// The next wish of the one who holds control. One thread.
  void wish(const rig::OperatorWish& wish) noexcept { operate_.wish(wish); }
  /// Any thread.
  void emergency_stop() noexcept { rig_->supervisor().emergency_stop(); }
  [[nodiscard]] rig::RigState state() const noexcept { return loop_->state(); }
  [[nodiscard]] std::uint64_t overruns() const noexcept { return loop_->overruns(); }
  [[nodiscard]] RigHealth health() { return health_of(*loop_, rig_->fanout().sinks(), wires_.chunks()); }
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }
  [[nodiscard]] const daq::Publisher& publisher() const noexcept { return *publisher_; }
  /// Lifts, if it may move, and shuts the devices down. Waits for it. Owner only; a second call changes nothing.
  void end();

 private:
  OperateSession() : wires_({}, world_) {}
  void turn();

  const WorldWatch world_;  // none: real time
  Wires wires_;
  std::unique_ptr<rig::Rig> rig_;
  std::shared_ptr<daq::SinkRings> rings_;
  std::unique_ptr<daq::Publisher> publisher_;
  std::string run_id_;
  rig::Operate operate_;
  rig::Loop* loop_ = nullptr;
  std::atomic<bool> leave_{false};
  std::thread thread_;
};

}  // namespace strigil::apps
