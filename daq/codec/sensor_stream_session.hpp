// The host's side of the Strigil sensor stream: asks for the description, starts, counts what is lost, makes blocks.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "daq/clock_fit.hpp"
#include "daq/codec/loss_window.hpp"
#include "daq/codec/loss_witness.hpp"
#include "daq/codec/sensor_stream.hpp"
#include "daq/session.hpp"
#include "daq/stream.hpp"

namespace strigil::daq {

struct SensorStreamSessionConfig {
  LinkId link = 0;
  StreamId first_stream = 0;                            ///< stream i of the device becomes first_stream + i
  double latency_s = 0;                                 ///< as ClockFitConfig
  double lock_bound_s = ClockFitConfig{}.lock_bound_s;  ///< as ClockFitConfig
};

/// ready() once the device is described and its samples have come for long enough to trust their times. No allocation
/// after the description is complete. A data packet becomes a block at once. Sample counters are extended to 64 bits
/// and never go back: after a restart of the device (counter back at an earlier value) they go on from the next
/// multiple of 2^32, flagged kDeviceReset. A byte stream keeps its order, so there every step back is a restart; among
/// datagrams a small one of counter and ticks alike is a late packet. The description does not change once complete.
class SensorStreamSession final : public Session {
 public:
  explicit SensorStreamSession(const SensorStreamSessionConfig& config);
  void on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept override;
  void on_time(HostTime now, SessionOutput& out) noexcept override;
  void stop(HostTime now, SessionOutput& out) noexcept override;
  [[nodiscard]] bool ready() const noexcept override { return described() && locked_; }
  [[nodiscard]] const SessionCounts& counts() const noexcept override { return counts_; }
  /// The whole description has come.
  [[nodiscard]] bool described() const noexcept { return described_; }
  /// The device's streams; empty before described().
  [[nodiscard]] std::vector<StreamDescription> streams() const;

 private:
  /// What the device said of one of its streams, in fixed storage.
  struct Description {
    bool stream_seen = false;
    std::uint16_t channels_seen = 0;  // bit per channel
    std::uint8_t channels = 0;
    double rate_Hz = 0;
    double tick_rate_Hz = 0;
    std::int32_t counts_min = 0;
    std::int32_t counts_max = 0;
    std::array<char, sensor_stream::kMaxText + 1> name{};
    std::array<char, sensor_stream::kMaxText + 1> quantity{};
    struct Channel {
      double scale = 1;
      double offset = 0;
      std::array<char, sensor_stream::kMaxText + 1> name{};
      std::array<char, sensor_stream::kMaxText + 1> unit{};
    };
    std::array<Channel, kMaxChannels> channel{};
  };
  struct Flow {
    std::optional<ClockFit> clock;
    bool synchronised = false;
    std::uint64_t next_sample = 0;
    std::uint64_t ticks = 0;
    std::uint32_t last_ticks = 0;
    LossWitness witness;
    LossWindow<4096> window;  // not less than what still counts as late
  };
  enum class Place : std::uint8_t { kInOrder, kLate, kRestarted };
  void take(const sensor_stream::Packet& packet, const Chunk& chunk, SessionOutput& out) noexcept;
  /// Where a data packet stands: `step` samples after (before, when negative) the one that was due.
  [[nodiscard]] static Place place(std::int32_t step, const sensor_stream::Data& data, const Chunk& chunk,
                                   const Flow& flow) noexcept;
  void witness_rejection() noexcept;
  void take_data(const sensor_stream::Data& data, const Chunk& chunk, SessionOutput& out) noexcept;
  void check_described(HostTime at, SessionOutput& out) noexcept;
  bool send(sensor_stream::Type type, SessionOutput& out) noexcept;

  SensorStreamSessionConfig config_;
  SessionCounts counts_;
  sensor_stream::Unframer unframer_;
  sensor_stream::Frame frame_;
  bool wanted_ = true;
  bool described_ = false;
  bool heard_data_ = false;
  bool locked_ = false;  // the clock of some stream has locked
  bool asked_once_ = false;
  HostTime asked_;
  HostTime heard_data_at_;
  std::uint32_t device_ = sensor_stream::kAnyDevice;
  std::uint8_t streams_ = 0;  // 0: the device has not introduced itself
  std::array<char, sensor_stream::kMaxText + 1> name_{};
  std::array<char, sensor_stream::kMaxText + 1> serial_{};
  std::array<Description, sensor_stream::kMaxStreams> descriptions_{};
  std::array<Flow, sensor_stream::kMaxStreams> flows_{};
  Block block_{};
};

}  // namespace strigil::daq
