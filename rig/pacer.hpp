// Pacer: where the ticks come from. The loop is the same object in virtual and in real time; only the pacer differs.
#pragma once

#include "daq/time.hpp"

namespace strigil::rig {

/// Loop thread only.
class Pacer {
 public:
  virtual ~Pacer() = default;
  /// Waits for (real time) or goes on to (virtual time) the next tick and gives its instant; never goes back.
  virtual daq::HostTime next() = 0;
};

}  // namespace strigil::rig
