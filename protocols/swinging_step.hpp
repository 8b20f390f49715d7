// Swinging step: when an accelerometer that swings felt a step of velocity: on a stage, a mount or an instrument that
// rings, or on one whose motor hums while it moves. Pure functions, any thread.
//
// The centroid of the acceleration is not moved by ringing (what is carried on a spring from its foot has no mean
// delay), but no window that one can afford holds all of it. So the velocity, the sum of the acceleration, is smoothed
// by a bell that is wide against the ringing, and passes half of its step at the centroid, but for 2 zeta / (w^3
// sigma^2): 16 us at 140 Hz, zeta 0.05 and a bell of 3 ms.
#pragma once

#include "protocols/tap_timing.hpp"

namespace strigil::protocols {

/// A step of velocity as an accelerometer shows it.
struct VelocityStep {
  double at_s = 0;  ///< centroid of the acceleration; NaN: not seen
  double change_m_s = 0;
};

/// Whether one side of `step` is restless against the other: 10 ms before and after the pulse of `half_s` to both
/// sides. `rest`: what the accelerometer says when nothing moves. Constant noise on both sides is no swinging.
bool swings(const TimeSeries& a_m_s2, const VelocityStep& step, double half_s, double rest_m_s2);

/// The step within `search_s` of `near_s`; no other may be nearer to it than `alone_s`. The narrowest bell is taken
/// after which the velocity is settled on both sides; NaN when none is.
VelocityStep swinging_step(const TimeSeries& a_m_s2, double near_s, double search_s, double alone_s);

}  // namespace strigil::protocols
