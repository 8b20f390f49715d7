// Recorded device: a stream of a run file speaks again in its device's own bytes (link URI "replay:run.h5#force").
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daq/block.hpp"
#include "daq/chunk.hpp"
#include "daq/codec/sensor_stream.hpp"
#include "daq/result.hpp"
#include "daq/stream.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

/// The device end, sans-IO. A force stream of six channels speaks ATI RDT, any other stream with a rate the Strigil
/// sensor stream. It waits for the host's start request as the device would, then keeps the recorded pace: what was
/// received `t` after the first block is sent `t` after the start. Gaps, counters and ticks are as recorded. A stage is
/// no recording: position streams are refused. One thread at a time.
class RecordedDevice {
 public:
  /// Reads the stream into memory (HDF5 is not touched afterwards). Errors: no run file, no such stream, no samples, a
  /// stream without rate, more than kMostBlocks.
  static Result<std::unique_ptr<RecordedDevice>> load(const std::string& path, const std::string& stream);

  /// Bytes from the host.
  void receive(std::span<const std::byte> bytes, HostTime now);
  /// When next() has something; nothing before the start and after the end.
  [[nodiscard]] std::optional<HostTime> due() const;
  /// What is due at `now`, one datagram or frame; empty: nothing. Valid until the next call.
  std::span<const std::byte> next(HostTime now);
  /// Everything recorded has been sent.
  [[nodiscard]] bool ended() const { return next_block_ == blocks_.size(); }
  [[nodiscard]] ChunkKind kind() const { return rdt_ ? ChunkKind::kDatagram : ChunkKind::kBytes; }

  static constexpr std::size_t kMostBlocks = 1U << 18;

 private:
  /// Of a Block what is sent; without its room for values.
  struct Recorded {
    HostTime received;
    double period_ns = 0;
    std::uint64_t first_sample = 0;
    std::uint64_t ticks = 0;
    std::size_t first_value = 0;
    std::uint16_t samples = 0;
    bool fault = false;
  };
  RecordedDevice() = default;
  [[nodiscard]] HostTime recorded_arrival() const;
  void describe();
  void say(const sensor_stream::Body& body);
  void next_record();
  void next_frame();

  StreamDescription description_;
  std::vector<Recorded> blocks_;
  std::vector<std::int32_t> values_;
  std::size_t channels_ = 0;
  bool rdt_ = false;
  std::vector<std::vector<std::byte>> answers_;  // to describe requests, sent before anything else
  std::size_t next_answer_ = 0;
  sensor_stream::Unframer unframer_;
  sensor_stream::Frame frame_;
  std::vector<std::byte> out_;
  bool started_ = false;
  HostTime start_;
  std::size_t next_block_ = 0;
  std::uint16_t next_sample_ = 0;  // in the block; RDT sends sample by sample
};

}  // namespace strigil::daq
