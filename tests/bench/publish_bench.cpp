// Publish throughput: blocks from the loop's side of the rings to a subscriber that has received every one of them,
// against bare libzmq that sends the same parts from one buffer. Both wait for the subscriber; neither may drop.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "daq/fanout.hpp"
#include "daq/publish/publisher.hpp"
#include "tests/bench/bare_zmq.hpp"
#include "tests/bench/force_blocks.hpp"

namespace strigil::bench {
namespace {

using daq::HostTime;

/// What the loop would have pushed ahead of the publisher; below that the rings' drop policy cannot come into it.
constexpr std::size_t kAhead = 2048;

class OurSide {
 public:
  OurSide() {
    daq::PublisherConfig config;
    config.high_water_mark = kMessagesQueued;
    config.when_full = daq::WhenFull::kWait;
    auto made = daq::Publisher::start(config, {.id = "bench"}, {force_stream()}, rings_);
    if (!made) give_up(made.error().message);
    publisher_ = std::move(*made);
    fanout_.add_sink(rings_);
    receiver_ = std::make_unique<Receiver>(publisher_->bound_endpoint());
    if (!publisher_->wait_for_subscribers(1, daq::from_seconds(10))) give_up("the subscriber did not come");
  }

  /// Seconds for `n` blocks.
  double move(std::uint64_t n) {
    const auto wanted = receiver_->blocks() + n;
    const auto began = daq::host_now();
    for (std::uint64_t i = 0; i < n; ++i) {
      while (rings_->blocks.size() >= kAhead) std::this_thread::sleep_for(std::chrono::microseconds(500));
      block_.first_sample += block_.samples;
      fanout_.push(block_);
    }
    return daq::seconds(receiver_->await(wanted) - began);
  }

  /// Everything came, and was sent for good.
  void check(std::uint64_t blocks) {
    const auto counts = publisher_->counts();
    if (receiver_->blocks() != blocks || counts.streams[0].blocks != blocks || counts.drops.ring_blocks != 0 ||
        counts.patience_lost) {
      give_up(fmt::format("{} blocks were pushed, {} published, {} received", blocks, counts.streams[0].blocks,
                          receiver_->blocks()));
    }
  }
  [[nodiscard]] std::uint64_t bytes() const { return receiver_->bytes(); }

 private:
  std::shared_ptr<daq::SinkRings> rings_ = std::make_shared<daq::SinkRings>("publisher", daq::kSinkBlocks, 64);
  daq::Fanout fanout_;
  std::unique_ptr<daq::Publisher> publisher_;
  std::unique_ptr<Receiver> receiver_;
  daq::Block block_ = full_force_block();
};

class BareSide {
 public:
  BareSide() : receiver_(publisher_.endpoint()) { publisher_.await_subscriber(); }

  double move(std::uint64_t n) {
    const auto bytes = block_.value_count() * sizeof(float);
    const std::array<std::string_view, kBlockParts> parts = {
        topic_, std::string_view(header_.data(), header_.size()),
        std::string_view(reinterpret_cast<const char*>(block_.counts.data()), bytes),
        std::string_view(reinterpret_cast<const char*>(block_.values.data()), bytes)};
    const auto wanted = receiver_.blocks() + n;
    const auto began = daq::host_now();
    for (std::uint64_t i = 0; i < n; ++i) publisher_.send(parts);
    return daq::seconds(receiver_.await(wanted) - began);
  }
  [[nodiscard]] std::uint64_t bytes() const { return receiver_.bytes(); }

 private:
  BarePublisher publisher_;
  Receiver receiver_;
  const std::string topic_ = daq::topic_of(daq::MessageKind::kBlock, "force");
  std::array<char, daq::kBlockHeaderBytes> header_{};
  daq::Block block_ = full_force_block();
};

int publish_bench(const Options& options) {
  const int rounds = options.choose(11, 3, 1);
  const auto blocks = options.choose<std::uint64_t>(60'000, 20'000, 400);
  OurSide ours;
  BareSide bare;
  (void)ours.move(blocks / 4);  // memory that is touched for the first time is not what is measured
  (void)bare.move(blocks / 4);
  Rounds found;
  for (int i = 0; i < rounds; ++i) {
    const double our_time_s = ours.move(blocks);
    const double bare_time_s = bare.move(blocks);
    found.add(static_cast<double>(blocks) / our_time_s, static_cast<double>(blocks) / bare_time_s);
  }
  ours.check(blocks / 4 + blocks * static_cast<std::uint64_t>(rounds));
  if (ours.bytes() != bare.bytes()) give_up("the two sides did not move the same bytes");
  auto figure = figure_of("publish throughput", "blocks/s", found);
  figure.at_least = 0.8;
  return report(options, {figure});
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::publish_bench(strigil::bench::parse_options(argc, argv)); }
