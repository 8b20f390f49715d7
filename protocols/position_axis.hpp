// Position axis: any stream as a function of where the stage stood, pass by pass (docs/position_axis.md).
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "daq/block.hpp"
#include "daq/event.hpp"
#include "daq/stream.hpp"
#include "protocols/readback_line.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

/// What lay within one bin of the way. Plain value; unit of its channel.
struct PositionBin {
  std::uint64_t count = 0;
  double sum = 0;
  double squares = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double uncertainty_m = 0;  ///< greatest of its samples': how far from the bin one may really have been made

  void add(double value, double uncertainty) noexcept;
  [[nodiscard]] double mean() const noexcept;  ///< NaN when empty, as are the two below
  [[nodiscard]] double rms() const noexcept;
  [[nodiscard]] double deviation() const noexcept;
};

/// One channel over one pass. Bin i covers (first_bin + i) * bin_m up to one bin further: all passes share one grid, so
/// that passes there and back lie on each other.
struct ChannelProfile {
  daq::StreamId stream = 0;
  std::size_t channel = 0;
  std::vector<PositionBin> bins;
};

/// One way of the stage in one direction.
struct Pass {
  std::size_t number = 0;  ///< 1-based
  bool forward = true;     ///< towards greater positions
  daq::HostTime began;
  daq::HostTime ended;
  std::int64_t first_bin = 0;
  double bin_m = 0;
  std::vector<ChannelProfile> channels;  ///< of every stream but the position itself
  [[nodiscard]] double bin_centre_m(std::size_t i) const noexcept {
    return (static_cast<double>(first_bin) + static_cast<double>(i) + 0.5) * bin_m;
  }
};

struct PositionAxisConfig {
  std::size_t axis = rig::kX;
  double bin_m = 1e-3;
  double least_speed_m_s = 1e-3;  ///< slower is standing
  /// Only while a step of kind kStroke goes on, and none that a suspension broke off; else whenever the stage moves.
  bool only_strokes = true;
};

/// Feed events before the blocks that came with them, each stream in order; streams among themselves may be some tenths
/// of a second apart. A sample is placed on the straight line between the position reports before and after it. Its
/// uncertainty: speed times (bound of the sample's time + bound of the reports') and a quarter of the time between the
/// reports times how much the speed differs over this stretch and its two neighbours: no motion whose speed stays
/// between theirs can leave the line by more. So a sample waits for two reports after it.
/// One thread, off the loop.
class PositionAxis {
 public:
  PositionAxis(const std::vector<daq::StreamDescription>& streams, const PositionAxisConfig& config);
  void take(const daq::Event& event);
  void take(const daq::Block& block);
  /// Passes that have ended since the last call.
  std::vector<Pass> passes();
  /// No more will come: what is open ends here.
  void finish();
  /// Samples that came too early or too late to lie between two reports, or when nothing moved, by stream.
  [[nodiscard]] const std::vector<std::uint64_t>& unplaced() const { return unplaced_; }

 private:
  struct Stroke {
    daq::HostTime began;
    daq::HostTime ended{std::numeric_limits<std::int64_t>::max()};
    bool broken_off = false;
  };
  struct Stretch {
    ReadbackStretch line;
    double speed_m_s = 0;
    double speed_before_m_s = 0;  ///< of the stretch before
    double bend_m = 0;            ///< known once the stretch after is
    std::size_t pass = 0;         ///< index into open_, or kNone
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  void add_report(const PositionReport& report);
  void place(const daq::Block& block);
  void end_stretch(daq::HostTime at, double speed_after_m_s);
  void place_waiting();
  bool place_sample(const daq::Block& block, std::size_t sample);
  void add(Pass& pass, const daq::Block& block, std::size_t sample, double position_m, double uncertainty_m);
  [[nodiscard]] bool stroking(daq::HostTime at) const;
  [[nodiscard]] bool broken_off(const Pass& pass) const;
  void close(Pass& pass);
  void close_passes_before(daq::HostTime at);

  PositionAxisConfig config_;
  std::vector<daq::StreamDescription> streams_;
  daq::StreamId position_ = 0;
  bool has_position_ = false;
  std::vector<Stroke> strokes_;
  std::deque<Stretch> stretches_;  ///< of the last second
  ReadbackLine reports_;
  daq::HostTime placeable_until_;  ///< the stretches up to here are complete
  double last_speed_m_s_ = 0;
  std::vector<std::deque<daq::Block>> waiting_;  ///< by stream: their reports have not come yet
  std::deque<Pass> open_;                        ///< still growing, or still with samples to come
  std::size_t closed_ = 0;                       ///< passes that have left open_
  std::vector<Pass> done_;
  std::size_t passes_ = 0;
  std::vector<std::uint64_t> unplaced_;
};

/// How far the way back lies from the way there: by cross-correlation of the bins' means (or RMS) over their common
/// ways, to a fraction of a bin. A stream that is late by t against the position shows +2 v t.
struct Registration {
  double shift_m = 0;      ///< of `backward` against `forward`, positive: to smaller positions. NaN when not known
  double correlation = 0;  ///< at that shift; 1 is the same profile
};
enum class ProfileValue : std::uint8_t { kMean, kRms };
Registration register_passes(const Pass& forward, const Pass& backward, daq::StreamId stream, std::size_t channel,
                             ProfileValue value);

/// JSON of one channel over a pass (docs/position_axis.md). `profile` is of `stream`.
std::string to_json(const Pass& pass, const ChannelProfile& profile, const daq::StreamDescription& stream);

}  // namespace strigil::protocols
