// Who listens by name: acknowledgements, what is behind, what is lost, and what a hostile one can do (nothing).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <random>
#include <zmq.hpp>

#include "daq/publish/acknowledgement.hpp"
#include "daq/publish/subscriber_book.hpp"
#include "tests/daq/publish_fixture.hpp"

namespace strigil::daq {
namespace {

using namespace test;

TEST(Acknowledgement, IsReadAsItWasWritten) {
  const Acknowledgement a{"screen", 0xDEADBEEF, 17, {{"force", 640}, {"vibration", 0}}};
  EXPECT_EQ(encode(a), "strigil/1/ack/screen/deadbeef/17/force=640,vibration=0");
  const auto b = decode_acknowledgement(encode(a));
  ASSERT_TRUE(b.has_value());
  EXPECT_EQ(b->name, a.name);
  EXPECT_EQ(b->run_tag, a.run_tag);
  EXPECT_EQ(b->heartbeat, a.heartbeat);
  EXPECT_EQ(b->samples, a.samples);
  const auto announced = decode_acknowledgement("strigil/1/ack/screen");
  ASSERT_TRUE(announced.has_value());
  EXPECT_FALSE(announced->heartbeat.has_value());
}

TEST(Acknowledgement, AnythingElseIsRefused) {
  for (const std::string bad :
       {"strigil/1/ack/", "strigil/1/ack/Screen", "strigil/1/ack/a/", "strigil/1/ack/a/deadbeef",
        "strigil/1/ack/a/deadbeef/", "strigil/1/ack/a/deadbee/1/", "strigil/1/ack/a/deadbeefx/1/",
        "strigil/1/ack/a/deadbeef/-1/", "strigil/1/ack/a/deadbeef/1/force", "strigil/1/ack/a/deadbeef/1/force=",
        "strigil/1/ack/a/deadbeef/1/force=1x", "strigil/1/ack/a/deadbeef/1/=1", "strigil/1/ack/a/deadbeef/1/FORCE=1",
        "strigil/1/ack/a/deadbeef/99999999999999999999/", "strigil/1/block/force", ""}) {
    EXPECT_FALSE(decode_acknowledgement(bad).has_value()) << bad;
  }
  EXPECT_FALSE(decode_acknowledgement("strigil/1/ack/a/deadbeef/1/" + std::string(2000, 'a')).has_value());
}

TEST(Acknowledgement, RandomBytesNeverHarm) {
  std::mt19937_64 random(1);
  SubscriberBook book(0xDEADBEEF, from_seconds(0.5));
  const std::vector<StreamTotals> totals{{0, "force", 10, 640}};
  book.told(1, {}, totals);
  for (int i = 0; i < 20000; ++i) {
    std::string topic = i % 2 == 0 ? "strigil/1/ack/a/deadbeef/1/force=640" : std::string(kAcknowledgementRoot);
    for (int k = 0; k < 3; ++k) topic.insert(random() % (topic.size() + 1), 1, static_cast<char>(random()));
    book.subscribed(topic, {}, totals);
    book.unsubscribed(topic);
  }
  EXPECT_LE(book.counts({}).size(), SubscriberBook::kMostSubscribers);
  EXPECT_GT(book.refused(), 1000U);
}

class Book : public testing::Test {
 protected:
  static HostTime at(double s) { return HostTime{} + from_seconds(s); }
  void told(std::uint64_t sequence, std::uint64_t samples) {
    published = {{0, "force", samples / 64, samples}};
    book.told(sequence, at(static_cast<double>(sequence)), published);
  }
  void says(const std::string& name, std::uint64_t heartbeat, std::uint64_t samples, double when_s) {
    book.subscribed(encode(Acknowledgement{name, 7, heartbeat, {{"force", samples}}}), at(when_s), published);
  }
  SubscriberBook book{7, from_seconds(0.5)};
  std::vector<StreamTotals> published;
};

TEST_F(Book, WhatItLostIsToldFromWhatItMissedBeforeItCame) {
  told(1, 640);
  told(2, 1280);
  says("late", 2, 320, 2.1);  // 960 were published before it came
  told(3, 1920);
  says("late", 3, 960, 3.1);
  auto c = book.counts(at(3.1));
  ASSERT_EQ(c.size(), 1U);
  EXPECT_TRUE(c[0].alive);
  EXPECT_NEAR(c[0].behind_s, 0.1, 1e-9);
  EXPECT_EQ(c[0].streams.at(0).before, 960U);
  EXPECT_EQ(c[0].streams.at(0).received, 960U);
  EXPECT_EQ(c[0].streams.at(0).lost, 0U);
  told(4, 2560);
  says("late", 4, 1536, 4.1);  // one block of 64 is missing
  EXPECT_EQ(book.counts(at(4.1))[0].streams.at(0).lost, 64U);
}

TEST_F(Book, WhoGoesOrFallsSilentIsNotWaitedFor) {
  told(1, 640);
  says("a", 1, 640, 1.0);
  says("b", 1, 640, 1.0);
  EXPECT_FALSE(book.all_acknowledged(2, at(1.1)));
  told(2, 640);
  says("a", 2, 640, 2.0);
  EXPECT_FALSE(book.all_acknowledged(2, at(2.0))) << "b was heard a second ago";
  EXPECT_TRUE(book.all_acknowledged(2, at(2.6))) << "b is silent for three heartbeats";
  says("b", 1, 640, 2.7);
  EXPECT_FALSE(book.all_acknowledged(2, at(2.8)));
  book.unsubscribed(encode(Acknowledgement{"b", 7, 1, {{"force", 640}}}));
  EXPECT_TRUE(book.all_acknowledged(2, at(2.8))) << "b has gone";
}

TEST_F(Book, NobodyGetsMoreThanWasPublished) {
  told(1, 640);
  says("liar", 1, 641, 1);
  says("future", 9, 1, 1);
  EXPECT_EQ(book.refused(), 2U);
  for (const auto& c : book.counts(at(1))) EXPECT_TRUE(c.streams.empty());
  for (int i = 0; i < 100; ++i) says("n" + std::to_string(i), 1, 640, 1);
  EXPECT_EQ(book.counts(at(1)).size(), SubscriberBook::kMostSubscribers);
}

TEST_F(Publish, ANamedSubscriberBalancesByItsOwnWord) {
  config.heartbeat = from_seconds(0.01);
  auto publisher = start();
  auto subscriber = join({.endpoint = publisher->bound_endpoint(), .name = "screen"});
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  EXPECT_EQ(publisher->subscriber_count(), 1U) << "an acknowledgement is no subscription";
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(rings->blocks.push(block_of(0, i * 64)));
  PublishCounts at_verdict;
  auto stopped = std::async(std::launch::async, [&] {
    return publisher->stop_and_drain([&](const PublishCounts& c) {
      at_verdict = c;
      return std::string("{}");
    });
  });
  bool listed = false;
  for (bool ended = false; !ended;) {
    auto message = subscriber->poll(kLimit);
    ASSERT_TRUE(message.ok() && *message);
    if (const auto* h = std::get_if<HeartbeatMessage>(&**message)) {
      for (const auto& s : h->subscribers) listed = listed || (s.name == "screen" && s.alive);
    }
    ended = std::holds_alternative<EndMessage>(**message);
  }
  stopped.get();
  EXPECT_TRUE(listed) << "heartbeats tell everybody who listens";
  ASSERT_EQ(at_verdict.subscribers.size(), 1U);
  const auto& s = at_verdict.subscribers[0];
  EXPECT_EQ(s.name, "screen");
  EXPECT_TRUE(s.alive);
  ASSERT_EQ(s.streams.size(), 2U) << "it asked for both, though nothing came of the other";
  EXPECT_EQ(s.streams[0].received, 6400U);
  EXPECT_EQ(s.streams[1].received, 0U);
  for (const auto& stream : s.streams) EXPECT_EQ(stream.lost, 0U) << stream.stream;
  EXPECT_EQ(at_verdict.acknowledgements_refused, 0U);
}

TEST_F(Publish, ASlowNamedSubscriberLosesAndNobodyWaits) {
  config.heartbeat = from_seconds(0.01);
  config.high_water_mark = 64;  // room for what newcomers are told, and far below what is sent
  config.linger = from_seconds(1);
  auto publisher = start();
  auto slow = join({.endpoint = publisher->bound_endpoint(), .high_water_mark = 4, .name = "slow"});
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  (void)next<HeartbeatMessage>(*slow);  // it is there, and has said so
  for (std::uint64_t i = 0; i < 8000; ++i) {
    while (!rings->blocks.push(block_of(0, i * 64))) std::this_thread::yield();
  }
  // Only now it reads on: what its queues had no room for is gone, and it says how much it got.
  std::atomic<bool> ended{false};
  std::thread reading([&] {
    while (!ended) (void)slow->poll(from_seconds(0.05));
  });
  PublishCounts counts;
  publisher->stop_and_drain([&](const PublishCounts& c) {
    counts = c;
    return std::string("{}");
  });
  ended = true;
  reading.join();
  EXPECT_EQ(counts.streams[0].samples, 8000U * 64);
  ASSERT_EQ(counts.subscribers.size(), 1U);
  const auto& streams = counts.subscribers[0].streams;
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_GT(streams[0].lost, 0U);
  EXPECT_EQ(streams[0].before, 0U);
  EXPECT_EQ(streams[0].received + streams[0].lost, 8000U * 64);
}

TEST_F(Publish, AHostileSubscriberIsCountedAndNothingElse) {
  config.linger = from_seconds(0.1);  // it never says that it has got the end
  config.heartbeat = from_seconds(0.01);
  auto publisher = start();
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.set(zmq::sockopt::linger, 0);
  for (int i = 0; i < 50; ++i) socket.set(zmq::sockopt::subscribe, "strigil/1/ack/NOT A NAME " + std::to_string(i));
  socket.set(zmq::sockopt::subscribe, "strigil/1/");
  socket.connect(publisher->bound_endpoint());
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  rings->blocks.push(block_of(0, 0));
  zmq::message_t part;
  ASSERT_TRUE(socket.recv(part).has_value());
  const auto counts = publisher->stop_and_drain();
  EXPECT_EQ(counts.acknowledgements_refused, 50U);
  EXPECT_TRUE(counts.subscribers.empty());
  EXPECT_EQ(counts.streams[0].samples, 64U);
}

TEST_F(Publish, DocumentsGoOutInOrderAndTheLastOfThemBeforeTheEnd) {
  auto publisher = start();
  auto subscriber = join(*publisher);
  ASSERT_TRUE(publisher->wait_for_subscribers(1, kLimit));
  ASSERT_TRUE(publisher->post(MessageKind::kProfile, "force", R"({"pass":1})"));
  EXPECT_FALSE(publisher->post(MessageKind::kLedger, {}, std::string(kMaxTextBytes + 1, ' ')))
      << "nobody would take it";
  auto stopped = std::async(std::launch::async, [&] {
    return publisher->stop_and_drain([&](const PublishCounts&) {
      EXPECT_TRUE(publisher->post(MessageKind::kLedger, {}, R"({"final":true})"));
      return std::string("{}");
    });
  });
  const auto profile = next<DocumentMessage>(*subscriber);
  EXPECT_EQ(profile.kind, MessageKind::kProfile);
  EXPECT_EQ(profile.json, R"({"pass":1})");
  const auto ledger = next<DocumentMessage>(*subscriber);
  EXPECT_EQ(ledger.kind, MessageKind::kLedger);
  EXPECT_EQ(next<EndMessage>(*subscriber).run, "test-run");
  stopped.get();
}

}  // namespace
}  // namespace strigil::daq
