// What really happens during a drill, seen in the simulated world and nowhere else.
#pragma once

#include "apps/drill.hpp"
#include "sim/world.hpp"

namespace strigil::apps {

/// See it at every turn of the world, on the world's thread.
class TruthWatch {
 public:
  void see(const sim::World& world, daq::HostTime now);
  [[nodiscard]] const DrillTruth& truth() const noexcept { return truth_; }

 private:
  DrillTruth truth_;
};

}  // namespace strigil::apps
