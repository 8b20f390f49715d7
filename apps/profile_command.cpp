#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/file_commands.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/record/run_reader.hpp"
#include "protocols/position_axis.hpp"
#include "protocols/run_values.hpp"
#include "protocols/timing_trace.hpp"

namespace strigil::apps {
namespace {

constexpr double kMilli = 1e3;

/// Hands `reader`'s blocks out in the order in which their first samples were made, over all streams.
class InTime {
 public:
  explicit InTime(daq::RunReader& reader) : reader_(reader), next_(reader.header().streams.size()) {}
  daq::Result<std::optional<daq::Block>> next() {
    std::size_t first = next_.size();
    for (std::size_t s = 0; s < next_.size(); ++s) {
      auto& n = next_[s];
      if (!n.block && n.index < reader_.block_count(s)) {
        auto block = reader_.block(s, n.index++);
        if (!block) return block.error();
        n.block = *block;
      }
      if (n.block && (first == next_.size() || n.block->t0 < next_[first].block->t0)) first = s;
    }
    if (first == next_.size()) return std::optional<daq::Block>{};
    return std::exchange(next_[first].block, std::nullopt);
  }

 private:
  struct Next {
    std::uint64_t index = 0;
    std::optional<daq::Block> block;
  };
  daq::RunReader& reader_;
  std::vector<Next> next_;
};

void print_rows(const protocols::Pass& pass, const protocols::ChannelProfile& profile,
                const daq::StreamDescription& stream) {
  for (std::size_t i = 0; i < profile.bins.size(); ++i) {
    const auto& b = profile.bins[i];
    if (b.count == 0) continue;
    fmt::print("{},{},{},{},{:.4f},{},{:.6g},{:.6g},{:.6g},{:.6g},{:.5f}\n", pass.number,
               pass.forward ? "forward" : "backward", stream.name, stream.channels[profile.channel].name,
               pass.bin_centre_m(i) * kMilli, b.count, b.mean(), b.min, b.max, b.rms(), b.uncertainty_m * kMilli);
  }
}

/// How far each way back lies from the way there just before it, told by the mean of force and the RMS of vibration.
void print_registration(const std::vector<protocols::Pass>& passes,
                        const std::vector<protocols::TracedStream>& streams) {
  for (std::size_t i = 0; i + 1 < passes.size(); ++i) {
    if (!passes[i].forward || passes[i + 1].forward) continue;
    for (const auto& s : streams) {
      const bool force = s.sense == protocols::TapSense::kForce;
      if (!force && s.sense != protocols::TapSense::kAcceleration) continue;
      const auto r = protocols::register_passes(passes[i], passes[i + 1], s.description.id, s.channels.front(),
                                                force ? protocols::ProfileValue::kMean : protocols::ProfileValue::kRms);
      if (!std::isfinite(r.shift_m)) continue;
      fmt::print(stderr,
                 "passes {} and {}: {} {} of the way back lies {:+.3f} mm from the way there (correlation {:.2f})\n",
                 passes[i].number, passes[i + 1].number, s.description.name,
                 s.description.channels[s.channels.front()].name, r.shift_m * kMilli, r.correlation);
    }
  }
}

}  // namespace

int profile_command(const ProfileArguments& a) {
  auto opened = daq::RunReader::open(a.run);
  if (!opened) return refuse(opened.error().message);
  auto& reader = **opened;
  const auto& streams = reader.header().streams;
  const auto known = [&](const daq::StreamDescription& s) { return s.name == a.stream; };
  if (!a.stream.empty() && std::none_of(streams.begin(), streams.end(), known)) {
    return refuse(fmt::format("'{}' has no stream '{}'; `strigil info` lists them", a.run, a.stream));
  }
  protocols::PositionAxisConfig config;
  config.bin_m = a.bin_mm / kMilli;
  config.only_strokes = !a.all_motion;
  protocols::PositionAxis axis(streams, config);
  for (std::uint64_t i = 0; i < reader.event_count(); ++i) {
    const auto event = reader.event(i);
    if (!event) return refuse(event.error().message);
    axis.take(*event);
  }
  auto values = protocols::RunValues::of(reader.header());
  if (!values) return refuse(values.error().message);
  InTime blocks(reader);
  for (;;) {
    auto block = blocks.next();
    if (!block) return refuse(block.error().message);
    if (!*block) break;
    values->apply(**block);
    axis.take(**block);
  }
  axis.finish();
  const auto passes = axis.passes();
  if (passes.empty()) {
    return refuse(fmt::format("'{}' shows no {} of the stage{}", a.run, a.all_motion ? "motion" : "stroke",
                              a.all_motion ? "" : "; --all-motion takes every move along x"));
  }
  fmt::print("pass,direction,stream,channel,position_mm,count,mean,min,max,rms,uncertainty_mm\n");
  for (const auto& pass : passes) {
    for (const auto& profile : pass.channels) {
      const auto& stream = streams[profile.stream];
      if (a.stream.empty() || stream.name == a.stream) print_rows(pass, profile, stream);
    }
  }
  print_registration(passes, protocols::traced_streams(streams, rig::kZ, 1));
  return kPass;
}

}  // namespace strigil::apps
