// Publisher against real subscribers over real sockets, in C++ and in Python. No test waits for time to pass: each
// waits for something to happen, and a generous limit turns a hang into a failure.
#include "daq/json_text.hpp"
#include "daq/publish/publisher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "daq/publish/subscriber.hpp"
#include "tests/daq/publish_fixture.hpp"

namespace strigil::daq {
namespace {

using testing::HasSubstr;
using namespace test;

TEST_F(Publish, LiveStreamArrivesWholeAndBalances) {
  config.endpoint = "tcp://127.0.0.1:*";
  auto publisher = start();
  auto subscriber = join(*publisher);
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  for (std::uint64_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(rings->blocks.push(block_of(0, i * 64)));
    ASSERT_TRUE(rings->blocks.push(block_of(1, i * 50, 50)));
  }
  Event event;
  event.code = EventCode::kContact;
  event.arguments[0] = 3.25;
  ASSERT_TRUE(rings->events.push(event));
  auto stopped = std::async(std::launch::async, [&] { return publisher->stop_and_drain(R"({"verdict":"PASS"})"); });

  std::array<std::uint64_t, 2> expected{};
  std::optional<EndMessage> end;
  while (!end) {
    auto message = subscriber->poll(kLimit);
    ASSERT_TRUE(message.ok()) << message.error().message;
    ASSERT_TRUE(message->has_value()) << "no end message came";
    if (const auto* m = std::get_if<BlockMessage>(&**message)) {
      const auto& b = m->block;
      const auto sent = block_of(b.stream, expected[b.stream], b.samples);
      expected[b.stream] += b.samples;
      EXPECT_EQ(b.first_sample, sent.first_sample);
      EXPECT_EQ(b.t0, sent.t0);
      ASSERT_EQ(std::memcmp(b.counts.data(), sent.counts.data(), b.value_count() * 4), 0);
      ASSERT_EQ(std::memcmp(b.values.data(), sent.values.data(), b.value_count() * 4), 0);
    } else if (const auto* e = std::get_if<EventMessage>(&**message)) {
      EXPECT_EQ(e->event.code, EventCode::kContact);
      EXPECT_EQ(e->event.arguments[0], 3.25);
    } else if (const auto* last = std::get_if<EndMessage>(&**message)) {
      end = *last;
    }
  }
  const auto counts = stopped.get();
  EXPECT_EQ(counts.streams[0].samples, 200U * 64);
  EXPECT_EQ(counts.streams[1].blocks, 200U);
  EXPECT_EQ(counts.events, 1U);
  EXPECT_EQ(counts.drops.send, 0U);
  EXPECT_EQ(counts.failure, "");
  EXPECT_EQ(end->run, "test-run");
  EXPECT_EQ(end->result, R"({"verdict":"PASS"})");
  for (const auto& balance : subscriber->balance(*end)) EXPECT_TRUE(balance.exact()) << balance.stream;
  EXPECT_EQ(subscriber->ledgers().at("strigil/1/block/force").lost, 0U);
  EXPECT_EQ(subscriber->malformed(), 0U);
}

TEST_F(Publish, LateJoinersGetTheDescriptionsAtOnce) {
  auto publisher = start();  // repeats descriptions only after an hour: what comes, comes for the subscription
  ASSERT_TRUE(rings->blocks.push(block_of(0, 0)));
  for (std::size_t i = 1; i <= 3; ++i) {
    auto joiner = join(*publisher);
    EXPECT_EQ(next<StreamMessage>(*joiner).description.name, "force");
    const auto second = next<StreamMessage>(*joiner).description;
    EXPECT_EQ(to_json(second), to_json(two_streams()[1]));
  }
}

TEST_F(Publish, HeartbeatCarriesStateAndTotalsAndDescriptionsRepeat) {
  config.own_thread = false;
  config.heartbeat = from_seconds(0.5);
  config.describe = from_seconds(1);
  run.state_names = {"idle", "armed", "running"};
  auto publisher = start();
  auto subscriber = join(*publisher);
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  Event event;
  event.code = EventCode::kSupervisorState;
  event.arguments[0] = 1;
  rings->events.push(event);
  rings->blocks.push(block_of(0, 0));
  for (std::int64_t i = 0; i < 40; ++i) publisher->pump(HostTime{i * 100'000'000});  // 4 s of virtual time
  auto stopped = std::async(std::launch::async, [&] { return publisher->stop_and_drain(); });
  std::uint64_t heartbeats = 0;
  std::uint64_t descriptions = 0;
  for (bool ended = false; !ended;) {
    auto message = subscriber->poll(kLimit);
    ASSERT_TRUE(message.ok() && *message);
    if (const auto* h = std::get_if<HeartbeatMessage>(&**message)) {
      EXPECT_EQ(h->head.sequence, heartbeats);
      EXPECT_EQ(h->at.ns, static_cast<std::int64_t>(heartbeats) * 500'000'000);
      EXPECT_EQ(h->state, "armed");
      EXPECT_EQ(h->streams.at(0).samples, 64U);
      ++heartbeats;
    } else if (const auto* s = std::get_if<StreamMessage>(&**message)) {
      if (s->description.id == 0) ++descriptions;
    } else {
      ended = std::holds_alternative<EndMessage>(**message);
    }
  }
  EXPECT_EQ(heartbeats, 8U);
  EXPECT_EQ(descriptions, 1U + 4U);  // once for the subscription, then each second
}

TEST_F(Publish, StalledSubscriberLosesAloneAndSeesHowMuch) {
  config.own_thread = false;
  config.high_water_mark = 64;  // room for what newcomers are told, and far below what is sent
  auto publisher = start();
  auto healthy = join(*publisher);
  auto stalled = join({.endpoint = publisher->bound_endpoint(), .high_water_mark = 1});
  ASSERT_TRUE(publisher->wait_for_subscribers(2, kLimit));
  std::uint64_t sent = 0;
  const auto send_one = [&] {
    rings->blocks.push(block_of(0, sent * 64));
    publisher->pump(HostTime{0});
    ++sent;
    // Progress, not time: every block is out at once although one subscriber reads nothing.
    return publisher->counts().streams[0].blocks == sent;
  };
  for (int i = 0; i < 3000; ++i) {  // about 9 MB: more than the queues and the kernel hold
    ASSERT_TRUE(send_one());
    ASSERT_EQ(next<BlockMessage>(*healthy).block.first_sample, (sent - 1) * 64);
  }
  EXPECT_EQ(healthy->ledgers().at("strigil/1/block/force").lost, 0U);
  EXPECT_EQ(publisher->counts().drops.send, 0U);

  // It reads again: what was queued, then a new block once ZeroMQ has noticed; the sequence says what is missing.
  const auto ledger = [&] {
    const auto found = stalled->ledgers().find("strigil/1/block/force");
    return found == stalled->ledgers().end() ? TopicLedger{} : found->second;
  };
  for (int tries = 0; tries < 10000; ++tries) {
    for (auto m = stalled->poll(from_seconds(0.001)); m.ok() && *m; m = stalled->poll(from_seconds(0.001))) {
    }
    if (ledger().next > 3000) break;
    ASSERT_TRUE(send_one());
  }
  ASSERT_GT(ledger().next, 3000U) << "the stalled subscriber never caught up";
  EXPECT_GT(ledger().lost, 0U);
  EXPECT_EQ(ledger().missed_before, 0U);
  EXPECT_EQ(ledger().received + ledger().lost, ledger().next);
  EXPECT_EQ(ledger().out_of_order, 0U);
  EXPECT_EQ(ledger().samples, ledger().received * 64);
}

TEST_F(Publish, WaitingPublisherLosesNothing) {
  config.own_thread = false;
  config.high_water_mark = 2;
  config.when_full = WhenFull::kWait;
  config.patience = kLimit;
  auto publisher = start();
  auto subscriber = join({.endpoint = publisher->bound_endpoint(), .high_water_mark = 1});
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  constexpr std::uint64_t kBlocks = 3000;
  std::vector<StreamBalance> balance;
  std::thread reader([&] { balance = subscriber->balance(next<EndMessage>(*subscriber)); });
  for (std::uint64_t i = 0; i < kBlocks; ++i) rings->blocks.push(block_of(0, i * 64));
  publisher->pump(HostTime{0});
  const auto counts = publisher->stop_and_drain();
  reader.join();
  EXPECT_FALSE(counts.patience_lost);
  ASSERT_EQ(balance.size(), 2U);
  EXPECT_EQ(balance[0].received_samples, kBlocks * 64);
  EXPECT_TRUE(balance[0].exact());
}

TEST_F(Publish, WaitingPublisherGivesUpOnTheDeadOnce) {
  config.own_thread = false;
  config.high_water_mark = 2;
  config.when_full = WhenFull::kWait;
  config.patience = from_seconds(0.05);
  config.linger = from_seconds(0.05);
  auto publisher = start();
  auto stalled = join({.endpoint = publisher->bound_endpoint(), .high_water_mark = 1});
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  for (std::uint64_t i = 0; i < 3000; ++i) rings->blocks.push(block_of(0, i * 64));
  publisher->pump(HostTime{0});
  const auto counts = publisher->stop_and_drain();
  EXPECT_TRUE(counts.patience_lost);
  EXPECT_EQ(counts.streams[0].blocks, 3000U);
  EXPECT_EQ(counts.drops.send, 0U);
}

TEST_F(Publish, LoopIsNeverHeldUpAndEveryBlockIsAccountedFor) {
  rings = std::make_shared<SinkRings>("publish", 64, 64);  // far too small
  config.linger = from_seconds(0.05);
  auto publisher = start();
  auto subscriber = join(*publisher);
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  constexpr std::uint64_t kPushed = 20000;
  for (std::uint64_t i = 0; i < kPushed; ++i) rings->blocks.push(block_of(0, i * 64));
  const auto counts = publisher->stop_and_drain();
  EXPECT_GT(counts.drops.ring_blocks, 0U);
  EXPECT_EQ(counts.streams[0].blocks + counts.drops.ring_blocks, kPushed);
}

TEST_F(Publish, BlocksOfUnknownStreamsAreCountedNotSent) {
  config.own_thread = false;
  auto publisher = start();
  rings->blocks.push(block_of(2, 0));
  auto empty = block_of(0, 0);
  empty.samples = 0;
  rings->blocks.push(empty);
  const auto counts = publisher->stop_and_drain();
  EXPECT_EQ(counts.drops.unknown_streams, 2U);
  EXPECT_EQ(counts.streams[0].blocks, 0U);
}

TEST_F(Publish, SubscriptionsAreCountedBothWays) {
  config.own_thread = false;
  auto publisher = start();
  EXPECT_FALSE(publisher->wait_for_subscribers(1, from_seconds(0.01)));
  auto one = join(*publisher);
  auto two = join({.endpoint = publisher->bound_endpoint(), .topics = {"strigil/1/event", "strigil/1/end"}});
  EXPECT_TRUE(publisher->wait_for_subscribers(3, kLimit));
  two.reset();
  const auto deadline = host_now() + kLimit;
  while (publisher->subscriber_count() != 1 && host_now() < deadline) publisher->pump(HostTime{0});
  EXPECT_EQ(publisher->subscriber_count(), 1U);
}

TEST_F(Publish, AnotherRunOnTheSameEndpointStartsTheLedgersAgain) {
  auto first = start();
  auto subscriber = join(*first);
  ASSERT_TRUE(first->wait_for_subscribers(1, kLimit));
  for (std::uint64_t i = 0; i < 5; ++i) rings->blocks.push(block_of(0, i * 64));
  auto stopped = std::async(std::launch::async, [&] { return first->stop_and_drain(); });
  EXPECT_EQ(next<EndMessage>(*subscriber).run, "test-run");
  stopped.get();
  first.reset();
  run.id = "second-run";
  auto second = start();
  // ZeroMQ renews subscriptions only while the subscriber polls, so it reads beside us.
  auto reading = std::async(std::launch::async, [&] { return next<EndMessage>(*subscriber); });
  ASSERT_TRUE(second->wait_for_subscribers(1, kLimit));
  rings->blocks.push(block_of(0, 0));
  second->stop_and_drain();
  const auto end = reading.get();
  EXPECT_EQ(end.run, "second-run");
  EXPECT_EQ(subscriber->ledgers().at("strigil/1/block/force").received, 1U);
  EXPECT_EQ(subscriber->ledgers().at("strigil/1/block/force").out_of_order, 0U);
}

struct Ended {
  std::string output;
  int code = -1;
};
/// Runs a Python example against the publisher while `feed` feeds it.
template <typename Feed>
Ended run_example(const std::string& script, Publisher& publisher, Feed feed) {
  const std::string command = std::string("/usr/bin/python3 \"") + STRIGIL_SOURCE_DIR + "/docs/examples/" + script +
                              "\" \"" + publisher.bound_endpoint() + "\" 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  const bool joined = publisher.wait_for_subscribers(1, kLimit);
  EXPECT_TRUE(joined) << script << " did not subscribe";
  Ended out;
  // Read beside the feeding: a full pipe would stall the script. Without a subscriber there is no end to wait for.
  std::thread reader([&] {
    std::array<char, 4096> buffer{};
    while (fgets(buffer.data(), buffer.size(), pipe) != nullptr) out.output += buffer.data();
  });
  feed();
  publisher.stop_and_drain();
  reader.join();
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

TEST_F(Publish, TenLinePythonSubscriberCountsEverySample) {
  config.endpoint = "tcp://127.0.0.1:*";
  auto publisher = start();
  const auto ended = run_example("subscribe.py", *publisher, [&] {
    for (std::uint64_t i = 0; i < 300; ++i) rings->blocks.push(block_of(0, i * 64));
    for (std::uint64_t i = 0; i < 40; ++i) rings->blocks.push(block_of(1, i * 11, 11));
  });
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("received {'force': 19200, 'vibration': 440} published {'force': 19200, "
                                      "'vibration': 440}"));
  const auto newest = block_of(0, 299 * 64).values[63 * 6];
  std::array<char, 64> line{};
  std::snprintf(line.data(), line.size(), "force Fz=%.3f N", static_cast<double>(newest));
  EXPECT_THAT(ended.output, HasSubstr(line.data()));
}

TEST_F(Publish, PythonLedgerBalancesAfterJoiningLate) {
  auto publisher = start();
  for (std::uint64_t i = 0; i < 10; ++i) rings->blocks.push(block_of(1, i * 64));
  const auto deadline = host_now() + kLimit;
  while (publisher->counts().streams[1].blocks < 10 && host_now() < deadline) std::this_thread::yield();
  const auto ended = run_example("count_samples.py", *publisher, [&] {
    for (std::uint64_t i = 0; i < 500; ++i) rings->blocks.push(block_of(0, i * 64));
    rings->blocks.push(block_of(1, 640));
    rings->events.push(Event{});
  });
  EXPECT_EQ(ended.code, 1) << ended.output;  // honest: it missed what went before it came
  const auto report = daq::parse_json(ended.output);
  ASSERT_TRUE(report.is_object()) << ended.output;
  EXPECT_EQ(report["described"], nlohmann::json({"force", "vibration"}));
  EXPECT_EQ(report["events"], 1);
  EXPECT_EQ(report["streams"]["force"]["received_samples"], 32000);
  EXPECT_EQ(report["streams"]["force"]["published_samples"], 32000);
  EXPECT_EQ(report["streams"]["vibration"]["missed_before_blocks"], 10);
  EXPECT_EQ(report["streams"]["vibration"]["received_blocks"], 1);
  EXPECT_EQ(report["streams"]["vibration"]["published_blocks"], 11);
  EXPECT_EQ(report["streams"]["vibration"]["lost_blocks"], 0);
}

}  // namespace
}  // namespace strigil::daq
