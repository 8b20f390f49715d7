// The account of a named subscriber, where it is hard: loss before its first word, long names, many streams, a second
// process under the same name, strangers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <thread>

#include "daq/ledger.hpp"
#include "daq/publish/acknowledgement.hpp"
#include "daq/publish/subscriber_book.hpp"
#include "tests/daq/publish_fixture.hpp"

namespace strigil::daq {
namespace {

using namespace test;
using testing::IsEmpty;

/// Reads until the end, beside the test.
std::future<void> read_to_the_end(Subscriber& subscriber) {
  return std::async(std::launch::async, [&subscriber] {
    for (;;) {
      auto message = subscriber.poll(kLimit);
      if (!message || !*message || std::holds_alternative<EndMessage>(**message)) return;
    }
  });
}

TEST_F(Publish, WhatIsLostBeforeTheFirstWordIsALossAndNoAbsence) {
  config.own_thread = false;
  config.high_water_mark = 64;  // room for what newcomers are told, and far below what is sent
  auto publisher = start();
  publisher->pump(HostTime{0});  // the only heartbeat for an hour, and nobody hears it
  auto slow = join({.endpoint = publisher->bound_endpoint(), .high_water_mark = 1, .name = "slow"});
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  constexpr std::uint64_t kBlocks = 3000;  // about 9 MB: more than the queues and the kernel hold
  for (std::uint64_t i = 0; i < kBlocks; ++i) ASSERT_TRUE(rings->blocks.push(block_of(0, i * 64)));
  publisher->pump(HostTime{0});
  auto reading = read_to_the_end(*slow);
  PublishCounts at_verdict;
  publisher->stop_and_drain([&](const PublishCounts& c) {
    at_verdict = c;
    return std::string("{}");
  });
  reading.get();
  ASSERT_EQ(at_verdict.subscribers.size(), 1U);
  ASSERT_EQ(at_verdict.subscribers[0].streams.size(), 2U);
  const auto& s = at_verdict.subscribers[0].streams[0];
  EXPECT_EQ(s.before, 0U) << "it was there before the first block";
  EXPECT_GT(s.received, 0U);
  EXPECT_GT(s.lost, 0U);
  EXPECT_EQ(s.received + s.lost, kBlocks * 64);
}

TEST_F(Publish, ARigOfManyStreamsDoesNotLoseItsNamedSubscriber) {
  constexpr std::size_t kStreams = 40;
  config.own_thread = false;
  std::vector<StreamDescription> streams;
  for (std::size_t i = 0; i < kStreams; ++i) {
    auto s = two_streams()[0];
    s.id = static_cast<StreamId>(i);
    s.name = "stream_with_a_long_name_" + std::to_string(i);
    streams.push_back(s);
  }
  auto made = Publisher::start(config, run, streams, rings);
  ASSERT_TRUE(made.ok()) << made.error().message;
  auto& publisher = **made;
  auto subscriber = join({.endpoint = publisher.bound_endpoint(), .name = "screen"});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, kLimit));
  for (std::size_t i = 0; i < kStreams; ++i) {
    auto block = block_of(0, 0);
    block.stream = static_cast<StreamId>(i);
    ASSERT_TRUE(rings->blocks.push(block));
  }
  publisher.pump(HostTime{0});
  auto reading = read_to_the_end(*subscriber);
  PublishCounts at_verdict;
  publisher.stop_and_drain([&](const PublishCounts& c) {
    at_verdict = c;
    return std::string("{}");
  });
  reading.get();
  ASSERT_EQ(at_verdict.subscribers.size(), 1U);
  EXPECT_TRUE(at_verdict.subscribers[0].alive) << "an acknowledgement too long would close its connection";
  EXPECT_EQ(at_verdict.acknowledgements_refused, 0U);
  EXPECT_GT(at_verdict.subscribers[0].streams.size(), 10U);
  for (const auto& s : at_verdict.subscribers[0].streams) EXPECT_EQ(s.received, 64U) << s.stream;
}

TEST_F(Publish, AStrangerWithoutAKeyHasNoName) {
  const auto write = [&](const std::string& name, const std::string& text) {
    const auto path = folder / name;
    std::ofstream(path) << text;
    chmod(path.c_str(), S_IRUSR | S_IWUSR);
    return path;
  };
  auto server = make_curve_key_pair();
  auto friendly = make_curve_key_pair();
  auto strange = make_curve_key_pair();
  ASSERT_TRUE(server.ok() && friendly.ok() && strange.ok());
  config.own_thread = false;
  config.curve = CurveServerFiles{write("server.key", server->second), write("clients.txt", friendly->first)};
  auto publisher = start();
  const auto named = [&](const char* name, const std::optional<CurveClientKeys>& keys) {
    return join({.endpoint = publisher->bound_endpoint(), .curve = keys, .name = name});
  };
  auto keyless = named("keyless", std::nullopt);
  auto stranger = named("stranger", CurveClientKeys{server->first, strange->first, strange->second});
  auto admitted = named("admitted", CurveClientKeys{server->first, friendly->first, friendly->second});
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  auto reading = read_to_the_end(*admitted);
  const auto counts = publisher->stop_and_drain();
  reading.get();
  ASSERT_EQ(counts.subscribers.size(), 1U);
  EXPECT_EQ(counts.subscribers[0].name, "admitted");
}

class Account : public testing::Test {
 protected:
  static HostTime at(double s) { return HostTime{} + from_seconds(s); }
  void publish(std::uint64_t force, std::uint64_t vibration) {
    published = {{0, "force", force / 64, force}, {1, "vibration", vibration / 64, vibration}};
  }
  void told(std::uint64_t heartbeat) { book.told(heartbeat, at(static_cast<double>(heartbeat)), published); }
  void announces(const std::string& name, double when_s = 0) {
    book.subscribed(encode({name, 0, std::nullopt, {}}), at(when_s), published);
  }
  void says(const std::string& name, std::uint64_t heartbeat, std::uint64_t force, std::uint32_t run_tag = 7) {
    book.subscribed(encode({name, run_tag, heartbeat, {{"force", force}}}), at(static_cast<double>(heartbeat)),
                    published);
  }
  [[nodiscard]] SubscriberCounts of(const std::string& name, double when_s) const {
    for (auto& c : book.counts(at(when_s))) {
      if (c.name == name) return c;
    }
    ADD_FAILURE() << "nobody knows " << name;
    return {};
  }
  SubscriberBook book{7, from_seconds(0.5)};
  std::vector<StreamTotals> published;
};

TEST_F(Account, NoMoreIsAbsenceThanWasSentBeforeItCame) {
  publish(640, 0);
  announces("screen");
  publish(6400, 0);
  told(1);
  says("screen", 1, 1280);
  const auto s = of("screen", 1).streams.at(0);
  EXPECT_EQ(s.before, 640U);
  EXPECT_EQ(s.received, 1280U);
  EXPECT_EQ(s.lost, 6400U - 1280 - 640);
}

TEST_F(Account, WhoHearsAStreamOnlyLaterHasLostNothingOfItBefore) {
  announces("screen");
  publish(640, 320);
  told(1);
  says("screen", 1, 640);  // not a word of vibration: it has not asked for it
  publish(640, 640);
  told(2);
  book.subscribed(encode({"screen", 7, 2, {{"force", 640}, {"vibration", 320}}}), at(2), published);
  const auto streams = of("screen", 2).streams;
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[1].before, 320U);
  EXPECT_EQ(streams[1].lost, 0U);
}

TEST_F(Account, ASecondProcessOfTheSameNameBeginsAnew) {
  announces("screen");
  publish(640, 0);
  told(1);
  says("screen", 1, 640);
  publish(1280, 0);
  announces("screen", 1.5);
  publish(1920, 0);
  told(2);
  says("screen", 2, 640);
  const auto s = of("screen", 2).streams.at(0);
  EXPECT_EQ(s.before, 1280U);
  EXPECT_EQ(s.received, 640U);
  EXPECT_EQ(s.lost, 0U);
}

TEST_F(Account, WhoStillSpeaksOfTheRunBeforeIsThereAndHasGotNothing) {
  told(1);
  says("screen", 1, 999, 8);
  EXPECT_EQ(book.refused(), 0U);
  EXPECT_THAT(of("screen", 1).streams, IsEmpty());
  EXPECT_TRUE(of("screen", 1).alive);
  EXPECT_EQ(of("screen", 5).behind_s, 4.0) << "it has acknowledged nothing since it came";
}

TEST_F(Account, WhatIsNotAcknowledgedAtTheEndIsLost) {
  announces("died");
  publish(640, 0);
  told(1);
  says("died", 1, 640);
  publish(6400, 0);
  book.finish(published);
  EXPECT_EQ(of("died", 1).streams.at(0).lost, 6400U - 640);
}

TEST_F(Account, NamesThatOnlyCameAndWentKeepNobodyOut) {
  publish(640, 0);
  told(1);
  says("faithful", 1, 640);
  for (int i = 0; i < 1000; ++i) {
    const auto name = "n" + std::to_string(i);
    announces(name, 1);
    book.unsubscribed(encode({name, 0, std::nullopt, {}}));
  }
  announces("late", 1);
  EXPECT_TRUE(of("late", 1).alive);
  EXPECT_EQ(of("faithful", 1).streams.at(0).received, 640U);
  EXPECT_EQ(book.counts(at(1)).size(), SubscriberBook::kMostSubscribers);
}

TEST(SubscriberName, FitsWholeIntoTheLedgerOfTheRunFile) {
  constexpr std::size_t kHop = 39;  // docs/run_file.md: 40 bytes, the last of them zero
  const std::string longest(kMaxSubscriberName, 'a');
  EXPECT_TRUE(valid_subscriber_name(longest));
  EXPECT_FALSE(valid_subscriber_name(longest + "a"));
  EXPECT_FALSE(decode_acknowledgement("strigil/1/ack/" + longest + "a").has_value());
  EXPECT_FALSE(Subscriber::connect({.endpoint = "tcp://127.0.0.1:1", .name = longest + "a"}).ok());
  StreamLedger hops{.stream = "force", .intake = 0, .published_at_all = true};
  hops.subscribers.push_back({longest, 0, 0});
  for (const auto& row : ledger_rows(hops)) EXPECT_LE(row.hop.size(), kHop) << row.hop;
}

TEST(SubscriberLedger, ManyNamesDoNotKeepTheLedgerFromTheOthers) {
  std::vector<LedgerRow> rows;
  for (int stream = 0; stream < 6; ++stream) {
    StreamLedger hops{.stream = "stream" + std::to_string(stream), .device = 1000, .intake = 1000, .recorded = 1000};
    hops.published_at_all = true;
    hops.published = 1000;
    for (int i = 0; i < 64; ++i) {
      hops.subscribers.push_back({std::to_string(i) + std::string(kMaxSubscriberName - 2, 'a'), 0, 1000});
    }
    for (auto& row : ledger_rows(hops)) rows.push_back(std::move(row));
  }
  const auto text = ledger_json("run", true, rows);
  EXPECT_LE(text.size(), kMaxTextBytes);
  EXPECT_NE(text.find(R"("hop":"recorder","stream":"stream5","count":1000)"), std::string::npos);
  EXPECT_NE(text.find(R"("left_out":768)"), std::string::npos);
  rows.resize(100);
  EXPECT_NE(ledger_json("run", true, rows).find(R"("left_out":0)"), std::string::npos);
}

}  // namespace
}  // namespace strigil::daq
