// What tests of the publisher share: two streams, a publisher over a socket in a folder of its own, subscribers.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "daq/publish/publisher.hpp"
#include "daq/publish/subscriber.hpp"

namespace strigil::daq::test {

inline const Duration kLimit = from_seconds(20);
inline const Duration kNever = from_seconds(3600);

inline std::vector<StreamDescription> two_streams() {
  const ChannelDescription n{"Fz", "N", 1e-6, 0};
  return {
      {.id = 0, .name = "force", .device = "F/T", .quantity = "force", .channels = std::vector(6, n), .rate_Hz = 7000},
      {.id = 1, .name = "vibration", .device = "acc", .quantity = "acceleration", .channels = std::vector(3, n)}};
}

inline Block block_of(StreamId stream, std::uint64_t first, std::uint16_t samples = 64) {
  Block b{};
  b.stream = stream;
  b.channels = stream == 0 ? 6 : 3;
  b.samples = samples;
  b.first_sample = first;
  b.t0.ns = static_cast<std::int64_t>(first) * 1000;
  for (std::size_t i = 0; i < b.value_count(); ++i) {
    b.counts[i] = static_cast<std::int32_t>(first * 7 + i);
    b.values[i] = static_cast<float>(b.counts[i]) * 0.5F;
  }
  return b;
}

class Publish : public testing::Test {
 protected:
  Publish() {
    config.endpoint = "ipc://" + (folder / "live").string();
    config.heartbeat = kNever;
    config.describe = kNever;
    config.linger = kLimit;
    run.id = "test-run";
  }
  ~Publish() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<Publisher> start() {
    auto made = Publisher::start(config, run, two_streams(), rings);
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(made).value();
  }
  static std::unique_ptr<Subscriber> join(SubscriberConfig subscriber) {
    auto made = Subscriber::connect(subscriber);
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(made).value();
  }
  static std::unique_ptr<Subscriber> join(const Publisher& publisher) {
    return join({.endpoint = publisher.bound_endpoint()});
  }
  /// The next message that is a T, skipping others; a failure and a default T after kLimit.
  template <typename T>
  static T next(Subscriber& subscriber) {
    for (;;) {
      auto message = subscriber.poll(kLimit);
      if (!message || !*message) {
        ADD_FAILURE() << (message ? "nothing came" : message.error().message);
        return {};
      }
      if (std::holds_alternative<T>(**message)) return std::get<T>(**message);
    }
  }

  std::filesystem::path folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "strigil-publish-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return std::filesystem::path(name);
  }();
  PublisherConfig config;
  PublishedRun run;
  std::shared_ptr<SinkRings> rings = std::make_shared<SinkRings>("publish", 16384, 64);
};

}  // namespace strigil::daq::test
