// Timing trace: what a run shows of its own timeline, gathered while it goes on: bounds of every stream, and the taps.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "daq/block.hpp"
#include "daq/event.hpp"
#include "daq/stream.hpp"
#include "protocols/tap_timing.hpp"

namespace strigil::protocols {

/// Which channel of a stream feels a tap, and how it is to be read.
enum class TapSense : std::uint8_t { kNone, kPosition, kForce, kAcceleration };

struct TracedStream {
  daq::StreamDescription description;
  TapSense sense = TapSense::kNone;
  std::vector<std::size_t> channels;  ///< that feel it
  double sign = 1;                    ///< of the force that presses
};

/// Streams by what they measure: "position" (z), "force" (`normal_channel`, `normal_sign`), "acceleration" (all axes).
std::vector<TracedStream> traced_streams(const std::vector<daq::StreamDescription>& streams, std::size_t normal_channel,
                                         double normal_sign);

/// How many values lie where, in steps of 5 % from 1 ns to more than a minute. Plain value.
class BoundHistogram {
 public:
  void add(double bound_s, std::uint64_t weight) noexcept;
  /// Upper edge of the step below which the part `share` of all lies; 0 when empty.
  [[nodiscard]] double quantile_s(double share) const noexcept;
  [[nodiscard]] double max_s() const noexcept { return max_s_; }

 private:
  static constexpr std::size_t kSteps = 512;
  std::array<std::uint64_t, kSteps> counts_{};
  std::uint64_t total_ = 0;
  double max_s_ = 0;
};

/// What was seen of one stream. Instants of taps before and after the strokes: as many as there were taps.
struct StreamTrace {
  std::uint64_t samples = 0;
  std::uint64_t unlocked_samples = 0;
  std::uint64_t breaks = 0;  ///< clock jumps and restarts: no line of time goes across
  BoundHistogram bounds;     ///< by samples
  double delay_s = 0;        ///< receive time minus acquisition time of a block's last sample: mean
  double drift_ppm = 0;      ///< of the device's clock against the host's since the last break; NaN without ticks
  std::array<std::vector<TapInstants>, 2> taps;
};

/// One thread, off the loop. Feed events before the blocks that came with them, in order; what lies outside taps is
/// forgotten after a second, so that an hour's run needs no more memory than a minute's.
class TimingTrace {
 public:
  explicit TimingTrace(std::vector<TracedStream> streams);
  void take(const daq::Event& event);
  void take(const daq::Block& block);
  /// Looks at the taps. Seconds in the instants are since the first block.
  [[nodiscard]] std::vector<StreamTrace> finish() const;
  [[nodiscard]] const std::vector<TracedStream>& streams() const { return streams_; }

 private:
  struct Window {
    daq::HostTime began;
    daq::HostTime ended;
    std::size_t group = 0;  ///< 0: before the strokes, 1: after
    bool open = true;
  };
  struct Channel {
    std::vector<std::int64_t> at_ns;
    std::vector<double> value;
  };
  struct Gathered {
    StreamTrace trace;
    std::vector<Channel> channels;
    std::size_t pruned_at = 0;
    double delay_sum_s = 0;
    std::uint64_t blocks = 0;
    daq::DeviceTicks first_ticks;
    daq::HostTime first_t0;
    daq::DeviceTicks last_ticks;
    daq::HostTime last_t0;
  };
  void gather(const daq::Block& block, const TracedStream& stream, Gathered& g);
  void forget(daq::HostTime now, Gathered& g) const;
  [[nodiscard]] bool kept(std::int64_t at_ns) const;

  std::vector<TracedStream> streams_;
  std::vector<Gathered> gathered_;
  std::vector<Window> windows_;
  bool stroked_ = false;
};

}  // namespace strigil::protocols
