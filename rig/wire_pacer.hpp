// Wire pacer: ticks in real time, paced by what arrives.
#pragma once

#include <chrono>

#include "daq/link/io_thread.hpp"
#include "rig/pacer.hpp"

namespace strigil::rig {

/// A tick when something has arrived, or at the latest after kBackstop.
class WirePacer final : public Pacer {
 public:
  static constexpr daq::Duration kBackstop = std::chrono::milliseconds(2);
  /// `io` must outlive it.
  explicit WirePacer(daq::IoThread& io) : io_(io) {}
  daq::HostTime next() override {
    (void)io_.wait(kBackstop);
    return daq::host_now();
  }

 private:
  daq::IoThread& io_;
};

}  // namespace strigil::rig
