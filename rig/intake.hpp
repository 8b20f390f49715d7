// Intake: chunks to sessions to blocks to readings, on the loop thread; the one place where bytes become blocks.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "calibration/conversion.hpp"
#include "daq/fanout.hpp"
#include "daq/link/link.hpp"
#include "daq/session.hpp"
#include "rig/behaviour.hpp"
#include "rig/bench.hpp"
#include "rig/readings.hpp"
#include "rig/stage_map.hpp"

namespace strigil::rig {

/// Which streams feed which readings.
struct StreamRoles {
  daq::StreamId force = 0;
  daq::StreamId position = 0;
  daq::StreamId vibration = 0;
  std::size_t normal_channel = 2;
  double normal_sign = 1;
  std::size_t tangential_channel = 0;
  double tangential_sign = 1;
  double lean_rad = 0;  ///< of the force sensor (frames.hpp)
};

/// What the intake has put out for one stream; rows of the ledger.
struct StreamCounts {
  std::uint64_t blocks = 0;
  std::uint64_t samples = 0;
  std::uint64_t first_sample = 0;  ///< device counter at the first sample
  std::uint64_t next_sample = 0;   ///< device counter one past the last
  std::uint64_t before_reset = 0;  ///< samples by the counter that the device had before it restarted, and gaps between
  std::uint64_t gap_samples = 0;   ///< missing by the device's counter: on the wire, unless one of the next two
  std::uint64_t gap_in_ring = 0;
  std::uint64_t gap_in_codec = 0;
  std::uint64_t unlocked = 0;  ///< samples whose clock fit was not locked
};

/// Built before the run: attach() every session, then configure(). From then on drain() once a tick: noexcept, no
/// allocation, no lock.
class Intake {
 public:
  Intake(daq::ChunkRing& chunks, daq::Fanout& fanout, const InterlockConfig& limits);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  /// `session` and `link` must outlive the intake. Links are numbered as they are attached: 0, 1, 2...
  void attach(daq::Session& session, daq::Link& link);
  /// Streams in the order of their ids, and their roles. After every session is ready(). `force`: the calibration of
  /// the force stream; nullptr: its nominal scale. Precondition: Conversion::with() takes it. `stage`: the error map of
  /// the position stream, which outlives the intake; nullptr: positions are as they are counted. `vibration`: as `force`.
  void configure(const std::vector<daq::StreamDescription>& streams, const StreamRoles& roles,
                 const calibration::Record* force = nullptr, const StageMap* stage = nullptr,
                 const calibration::Record* vibration = nullptr);

  /// Everything that has arrived, then every session's timers. Updates `readings` (sensor part only).
  void drain(daq::HostTime now, Readings& readings) noexcept;
  /// Conditions seen since the last call that only the intake can see: Fault bits.
  [[nodiscard]] std::uint32_t take_sensed() noexcept;
  /// The output belonging to a session, for who must send on its link (drives, start and stop).
  [[nodiscard]] daq::SessionOutput& output_of(std::size_t link) noexcept;
  /// A block that the rig itself makes (setpoints).
  void push_own(daq::Block& block) noexcept;
  /// An event of the rig's own.
  void push_event(const daq::Event& event) noexcept;

  /// What was pushed since the last call is there: sinks that sleep for it wake up. At the end of a tick.
  void wake_sinks() noexcept { fanout_.wake(); }

  /// While on, normal and tangential force are averaged; switching it off makes the averages the new zero.
  /// Returns true, with an event, when a new zero was taken.
  bool tare(bool averaging, daq::HostTime now) noexcept;

  [[nodiscard]] const std::vector<StreamCounts>& counts() const { return counts_; }

 private:
  class Outlet;
  /// Whether the counts of a sensor still change, as those of a live one must.
  struct Liveness {
    bool seen = false;
    std::array<std::int32_t, daq::kMaxChannels> counts{};
    daq::HostTime changed;
  };
  void take_block(const daq::Block& block) noexcept;
  void take_newest(const daq::NewestSample& sample) noexcept;
  void correct_positions(daq::Block& block) noexcept;
  void take_vibration(const daq::Block& block) noexcept;
  void watch(Liveness& liveness, const daq::NewestSample& sample, Fault stuck) noexcept;
  void watch_force(const daq::NewestSample& sample) noexcept;

  daq::ChunkRing& chunks_;
  daq::Fanout& fanout_;
  InterlockConfig limits_;
  std::vector<std::unique_ptr<Outlet>> outlets_;
  std::vector<calibration::Conversion> conversions_;
  std::vector<StreamCounts> counts_;
  const StageMap* stage_map_ = nullptr;
  StageFollower newest_position_;
  StageFollower recorded_position_;  // blocks and newest samples do not come in step
  StreamRoles roles_;
  std::array<bool, daq::kMaxChannels> shakes_{};  // channels of the vibration stream in its first one's unit
  bool configured_ = false;
  daq::Block scratch_;
  Readings* readings_ = nullptr;  // only inside drain()
  Liveness force_liveness_;       // the normal force alone: that is what the stage is stopped by
  Liveness vibration_liveness_;
  std::uint32_t sensed_ = 0;
  bool averaging_ = false;
  double sum_normal_N_ = 0;
  double sum_tangential_N_ = 0;
  std::uint64_t averaged_ = 0;
  double zero_normal_N_ = 0;
  double zero_tangential_N_ = 0;
};

}  // namespace strigil::rig
