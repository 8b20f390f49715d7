// Behaviour: what the rig is doing (hold, jog, a running plan). Declared here, so that rig needs no protocols.
#pragma once

#include "daq/event.hpp"
#include "rig/readings.hpp"

namespace strigil::rig {

/// Takes events from inside the tick. No allocation.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void event(const daq::Event& event) noexcept = 0;
};

enum class BehaviourState : std::uint8_t { kRunning, kDone, kFailed };

/// Stepped once a tick on the loop thread; noexcept and free of allocation. Time only from `now`.
class Behaviour {
 public:
  virtual ~Behaviour() = default;
  /// The wish for this tick. `readings` is of this tick.
  virtual Demand step(const Readings& readings, daq::HostTime now, EventSink& events) noexcept = 0;
  /// The wish for this tick while the run is suspended: hold, or lift to clear. The first call suspends, the next
  /// step() goes on. Never called where may_suspend() says no.
  virtual Demand suspended(const Readings& readings, daq::HostTime now, EventSink& events) noexcept {
    (void)readings, (void)now, (void)events;
    return {.kind = DemandKind::kRetract};
  }
  /// False: a request to suspend is refused.
  [[nodiscard]] virtual bool may_suspend() const noexcept { return false; }
  /// The newest force samples' worth of the tick are in `readings`; this says whether there is more to do.
  [[nodiscard]] virtual BehaviourState state() const noexcept = 0;
  /// True while the behaviour asks for a new zero of the force sensor; the loop averages and applies it.
  [[nodiscard]] virtual bool wants_tare() const noexcept { return false; }
};

}  // namespace strigil::rig
