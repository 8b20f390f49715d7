// Playback: a run file published as if it were live, item by item.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "apps/publication.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/record/replay.hpp"
#include "daq/result.hpp"

namespace strigil::apps {

/// One thread, which owns HDF5 meanwhile. The publisher waits for the slowest and is pumped by hand.
class Playback {
 public:
  /// Errors: not a whole run file, endpoint busy, keys unreadable.
  static daq::Result<std::unique_ptr<Playback>> open(const std::string& run_file, const Publication& publication);
  [[nodiscard]] daq::Publisher& publisher() noexcept { return *publisher_; }
  [[nodiscard]] const daq::RunHeader& header() const noexcept { return replay_.reader().header(); }
  /// When the next item was received; nothing at the end.
  daq::Result<std::optional<daq::HostTime>> next_time() { return replay_.next_time(); }
  /// Into the publisher's ring: pump it at least every kPumpEvery items. Precondition: next_time() gave a time.
  daq::Result<void> push_next() { return replay_.push_next(fanout_); }
  static constexpr std::size_t kPumpEvery = 256;

 private:
  explicit Playback(std::unique_ptr<daq::RunReader> reader) : replay_(std::move(reader)) {}
  daq::RunReplay replay_;
  daq::Fanout fanout_;
  std::unique_ptr<daq::Publisher> publisher_;
};

}  // namespace strigil::apps
