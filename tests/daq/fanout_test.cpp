// Fanout: every sink gets everything by value; one that is full loses only its own.
#include "daq/fanout.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace strigil::daq {
namespace {

Block block_of(std::uint64_t number) {
  Block b{};
  b.stream = 3;
  b.channels = 2;
  b.samples = 2;
  b.first_sample = number;
  for (std::size_t i = 0; i < b.value_count(); ++i) {
    b.counts[i] = static_cast<std::int32_t>(number + i);
    b.values[i] = static_cast<float>(i);
  }
  return b;
}

Event event_of(std::uint16_t source) {
  Event e;
  e.code = EventCode::kContact;
  e.source = source;
  return e;
}

TEST(Fanout, WithNoSinkNothingHappens) {
  Fanout fanout;
  fanout.push(block_of(1));
  fanout.push(event_of(1));
  EXPECT_TRUE(fanout.sinks().empty());
}

TEST(Fanout, EverySinkGetsEverythingInOrder) {
  Fanout fanout;
  const auto recorder = fanout.add_sink("recorder");
  const auto publisher = fanout.add_sink("publisher");
  ASSERT_EQ(fanout.sinks().size(), 2U);
  EXPECT_EQ(fanout.sinks()[0]->name, "recorder");
  EXPECT_EQ(fanout.sinks()[1]->name, "publisher");
  auto block = block_of(10);
  fanout.push(block);
  block.counts[0] = -1;  // what was pushed is a copy
  fanout.push(block_of(12));
  fanout.push(event_of(5));
  fanout.push(event_of(6));
  for (const auto& sink : {recorder, publisher}) {
    Block b;
    ASSERT_TRUE(sink->blocks.pop(b));
    EXPECT_EQ(b.first_sample, 10U);
    EXPECT_EQ(b.counts[0], 10);
    EXPECT_EQ(b.values[3], 3.0F);
    ASSERT_TRUE(sink->blocks.pop(b));
    EXPECT_EQ(b.first_sample, 12U);
    EXPECT_FALSE(sink->blocks.pop(b));
    Event e;
    ASSERT_TRUE(sink->events.pop(e));
    EXPECT_EQ(e.source, 5);
    ASSERT_TRUE(sink->events.pop(e));
    EXPECT_EQ(e.source, 6);
    EXPECT_FALSE(sink->events.pop(e));
  }
}

TEST(Fanout, AFullSinkLosesTheNewestAloneAndCounts) {
  Fanout fanout;
  const auto slow = fanout.add_sink("slow", 2, 1);
  const auto fast = fanout.add_sink("fast", 16, 16);
  for (std::uint64_t n = 0; n < 5; ++n) fanout.push(block_of(n));
  for (std::uint16_t n = 0; n < 3; ++n) fanout.push(event_of(n));
  EXPECT_EQ(slow->blocks.counts().dropped, 3U);
  EXPECT_EQ(slow->events.counts().dropped, 2U);
  EXPECT_EQ(fast->blocks.counts().dropped, 0U);
  EXPECT_EQ(fast->blocks.size(), 5U);
  EXPECT_EQ(fast->events.size(), 3U);
  Block b;
  ASSERT_TRUE(slow->blocks.pop(b));
  EXPECT_EQ(b.first_sample, 0U) << "the oldest stay";
}

TEST(Fanout, ASinkOutlivesTheFanoutAndIsReadFromItsOwnThread) {
  constexpr std::uint64_t kBlocks = 20'000;
  auto fanout = std::make_unique<Fanout>();
  const auto sink = fanout->add_sink("recorder", 32, 32);
  std::uint64_t received = 0;
  std::uint64_t next = 0;
  bool in_order = true;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    for (;;) {
      const bool last_round = done.load();
      Block b;
      while (sink->blocks.pop(b)) {
        in_order = in_order && b.first_sample >= next && b.counts[3] == static_cast<std::int32_t>(b.first_sample + 3);
        next = b.first_sample + 1;
        ++received;
      }
      if (last_round) return;
      std::this_thread::yield();
    }
  });
  for (std::uint64_t n = 0; n < kBlocks; ++n) fanout->push(block_of(n));
  fanout.reset();
  done = true;
  reader.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(received + sink->blocks.counts().dropped, kBlocks);
}

}  // namespace
}  // namespace strigil::daq
