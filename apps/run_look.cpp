#include "apps/run_look.hpp"

namespace strigil::apps {
namespace {

/// Two seconds of all streams at their fastest.
constexpr std::size_t kBlocks = 2048;

}  // namespace

RunLook::RunLook(daq::Fanout& fanout, const std::vector<daq::StreamDescription>& streams, const rig::StreamRoles& roles,
                 daq::Publisher* publisher)
    : streams_(streams),
      publisher_(publisher),
      rings_(fanout.add_sink("look", kBlocks)),
      timing_(protocols::traced_streams(streams, roles.normal_channel, roles.normal_sign)),
      axis_(streams, {}) {}

void RunLook::look() {
  // Events first: they open the windows into which the blocks belong.
  while (const auto* event = rings_->events.front()) {
    timing_.take(*event);
    axis_.take(*event);
    rings_->events.release();
  }
  while (const auto* block = rings_->blocks.front()) {
    timing_.take(*block);
    axis_.take(*block);
    rings_->blocks.release();
  }
  publish_passes();
}

protocols::TimingCertificate RunLook::finish() {
  look();
  axis_.finish();
  publish_passes();
  return protocols::certify(timing_, lost_blocks());
}

void RunLook::publish_passes() {
  const auto passes = axis_.passes();
  if (publisher_ == nullptr) return;
  for (const auto& pass : passes) {
    for (const auto& profile : pass.channels) {
      const auto& stream = streams_[profile.stream];
      // Too long for a message, or too many wait: it can be made again from the run file (strigil profile).
      (void)publisher_->post(daq::MessageKind::kProfile, stream.name, protocols::to_json(pass, profile, stream));
    }
  }
}

}  // namespace strigil::apps
