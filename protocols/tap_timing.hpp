// Tap timing: when a stream felt the stage begin to move and come to rest, by one definition for all (docs/time.md).
//
// Whatever the shape of a start, the straight line of the motion after it, prolonged back, meets the rest before it at
// the centroid of the acceleration. So a position, an acceleration and a force that is proportional to the way (a hard,
// springy stop) all speak of the same instant, and none needs to know how the stage accelerates. Pure functions, any
// thread. Cross-correlation finds the same instants less well here: streams of 25 Hz and 6400 Hz have no common shape.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace strigil::protocols {

/// One channel. Seconds since an origin that all streams share, rising.
struct TimeSeries {
  std::vector<double> at_s;
  std::vector<double> value;
};

/// The four instants of a tap, in order. Force knows only the first and the last: between them nothing is touched.
enum TapInstant : std::size_t { kLeavesBottom, kReachesTop, kLeavesTop, kReachesBottom };
inline constexpr std::size_t kTapInstants = 4;
/// s; NaN where a stream did not show it.
using TapInstants = std::array<double, kTapInstants>;

/// What the readback shows of the tap between `began_s` (at rest at the bottom) and `ended_s` (at rest there again).
struct TapByPosition {
  TapInstants at_s;
  double speed_m_s = 0;  ///< between the ends, mean of both ways; NaN when not seen
};
TapByPosition tap_by_position(const TimeSeries& z_m, double began_s, double ended_s);
/// What the accelerometer shows, looked for within 60 ms of `near`. The axis that feels the tap most is taken, with
/// either sign.
TapInstants tap_by_acceleration(std::span<const TimeSeries> axes_m_s2, const TapByPosition& near);
/// What the force sensor shows (sign: pressed is more), looked for within 60 ms of `near`.
TapInstants tap_by_force(const TimeSeries& force_N, const TapByPosition& near);

/// How late one stream is against another.
struct TapOffset {
  std::size_t ways = 0;  ///< up or down, that both showed: what the mean is of
  double offset_s = 0;   ///< mean; positive: the stream is late. NaN below 3
  double uncertainty_s =
      0;  ///< 95 %, from the scatter (metrology.md: Student's t), and 10 us of the method. NaN below 3
};
TapOffset offset_between(std::span<const TapInstants> stream, std::span<const TapInstants> reference);

}  // namespace strigil::protocols
