// RealTimeWorld: the twins on real wires in real time. Stage and accelerometer on pseudo-terminals, force sensor on
// UDP.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daq/result.hpp"
#include "sim/world.hpp"

namespace strigil::sim {

/// Made by one thread and run by one thread (the same or another). `strigil sim --dir DIR` is this and little else.
class RealTimeWorld {
 public:
  /// Opens the wires: DIR/stage, DIR/vibration and, where the configuration has one, DIR/generator become links to
  /// pseudo-terminals (DIR is made if missing), and a free UDP port of the loopback interface is bound. Errors: DIR cannot be written, no pseudo-terminal or port left.
  static daq::Result<std::unique_ptr<RealTimeWorld>> start(const SimConfig& config, const std::string& dir);
  /// Closes the wires and removes the links it made in DIR.
  ~RealTimeWorld();
  RealTimeWorld(const RealTimeWorld&) = delete;
  RealTimeWorld& operator=(const RealTimeWorld&) = delete;

  /// Link URIs by DeviceName: "serial://DIR/stage", "udp://127.0.0.1:PORT", "serial://DIR/vibration".
  [[nodiscard]] const std::array<std::string, kDevices>& links() const noexcept;
  /// `bench_text` with its memory: links replaced by links() and every latency_ms 0; everything else, comments too, as
  /// it was.
  [[nodiscard]] std::string bench_on_these_wires(std::string_view bench_text) const;

  /// Simulates in real time, one turn each 0.25 ms (or as often as the force sensor sends) on CLOCK_MONOTONIC, until
  /// `stop` is true. A late turn is caught up in fixed plant steps, so that a busy computer makes bytes late and never
  /// makes them different. `each_turn` may look into the world, on this thread.
  void run(const std::atomic<bool>& stop, const std::function<void(daq::HostTime)>& each_turn = {});

  /// After run() (or between turns, on its thread).
  [[nodiscard]] WorldTotals totals() const noexcept;
  [[nodiscard]] const World& world() const noexcept;

 private:
  struct Wires;
  explicit RealTimeWorld(std::unique_ptr<Wires> wires);
  std::unique_ptr<Wires> wires_;
};

}  // namespace strigil::sim
