// Run look: what is made of a run's streams while it goes on, beside recording: its timing certificate, and its passes
// over the phantom in millimetres, which are published as they end.
#pragma once

#include <memory>

#include "daq/fanout.hpp"
#include "daq/publish/publisher.hpp"
#include "protocols/position_axis.hpp"
#include "protocols/timing_certificate.hpp"
#include "rig/intake.hpp"

namespace strigil::apps {

/// A sink of the fanout with a slow reader. One thread, not the loop's (except in virtual time, where there is one).
class RunLook {
 public:
  /// Adds its sink to `fanout`. `publisher` may be null; it and `streams` must outlive this.
  RunLook(daq::Fanout& fanout, const std::vector<daq::StreamDescription>& streams, const rig::StreamRoles& roles,
          daq::Publisher* publisher);
  /// Takes what waits. At least once in two seconds, or blocks are lost, and the certificate says so.
  void look();
  /// The run is over and everything has been pushed: takes the rest.
  protocols::TimingCertificate finish();
  /// Blocks that came while nobody looked: the certificate was made without them.
  [[nodiscard]] std::uint64_t lost_blocks() const { return rings_->blocks.counts().dropped; }

 private:
  void publish_passes();

  const std::vector<daq::StreamDescription>& streams_;
  daq::Publisher* publisher_;
  std::shared_ptr<daq::SinkRings> rings_;
  protocols::TimingTrace timing_;
  protocols::PositionAxis axis_;
};

}  // namespace strigil::apps
