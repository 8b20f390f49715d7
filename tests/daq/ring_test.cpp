// Ring: order, refusal, counting, and two threads that ThreadSanitizer can watch.
#include "daq/ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

namespace strigil::daq {
namespace {

/// Larger than a cache line, and shows when it was torn.
struct Item {
  std::uint64_t number = 0;
  std::array<std::uint64_t, 12> copies{};
  static Item of(std::uint64_t n) {
    Item item{n, {}};
    item.copies.fill(~n);
    return item;
  }
  [[nodiscard]] bool whole() const {
    return std::all_of(copies.begin(), copies.end(), [&](auto c) { return c == ~number; });
  }
};

TEST(Ring, CapacityIsRoundedUpToAPowerOfTwo) {
  for (const auto& [asked, given] :
       std::vector<std::pair<std::size_t, std::uint64_t>>{{1, 1}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {1000, 1024}}) {
    EXPECT_EQ(Ring<int>(asked).counts().capacity, given);
  }
}

TEST(Ring, FirstInFirstOut) {
  Ring<int> ring(4);
  int out = -1;
  EXPECT_FALSE(ring.pop(out));
  EXPECT_EQ(ring.front(), nullptr);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_EQ(ring.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ring.pop(out));
    EXPECT_EQ(out, i);
  }
  EXPECT_FALSE(ring.pop(out));
  EXPECT_EQ(ring.size(), 0U);
}

TEST(Ring, WhenFullTheNewestIsRefusedAndCounted) {
  Ring<int> ring(2);
  EXPECT_TRUE(ring.push(1));
  EXPECT_TRUE(ring.push(2));
  EXPECT_FALSE(ring.push(3));
  EXPECT_FALSE(ring.push(4));
  EXPECT_EQ(ring.reserve(), nullptr);
  EXPECT_EQ(ring.counts().dropped, 3U);
  EXPECT_EQ(ring.counts().pushed, 2U);
  int out = 0;
  ASSERT_TRUE(ring.pop(out));
  EXPECT_EQ(out, 1);
  EXPECT_TRUE(ring.push(5));
  ASSERT_TRUE(ring.pop(out));
  EXPECT_EQ(out, 2);
  ASSERT_TRUE(ring.pop(out));
  EXPECT_EQ(out, 5);
  EXPECT_EQ(ring.counts().dropped, 3U);
}

TEST(Ring, AReservedSlotIsNothingUntilItIsCommitted) {
  Ring<int> ring(2);
  int* slot = ring.reserve();
  ASSERT_NE(slot, nullptr);
  *slot = 7;
  EXPECT_EQ(ring.front(), nullptr);
  EXPECT_EQ(ring.reserve(), slot) << "reserving again gives the same slot";
  EXPECT_EQ(ring.counts().pushed, 0U);
  ring.commit();
  ASSERT_NE(ring.front(), nullptr);
  EXPECT_EQ(*ring.front(), 7);
  EXPECT_EQ(*ring.front(), 7) << "looking is not taking";
  EXPECT_EQ(ring.size(), 1U);
  ring.release();
  EXPECT_EQ(ring.front(), nullptr);
}

TEST(Ring, HighWaterIsTheMostThatEverWaited) {
  Ring<int> ring(8);
  int out = 0;
  for (int i = 0; i < 3; ++i) (void)ring.push(i);
  EXPECT_EQ(ring.counts().high_water, 3U);
  while (ring.pop(out)) {
  }
  (void)ring.push(0);
  EXPECT_EQ(ring.counts().high_water, 3U);
  for (int i = 0; i < 20; ++i) (void)ring.push(i);
  EXPECT_EQ(ring.counts().high_water, 8U);
}

TEST(Ring, AgreesWithADequeForAMillionRandomSteps) {
  std::mt19937 random(1);
  Ring<std::uint64_t> ring(16);
  std::deque<std::uint64_t> expected;
  std::uint64_t next = 0;
  std::uint64_t dropped = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    // Phases in which one side is faster, so that it runs full and empty.
    const bool pushes = random() % 4 < (n / 1000 % 2 == 0 ? 3U : 1U);
    if (pushes) {
      ASSERT_EQ(ring.push(next), expected.size() < 16);
      if (expected.size() < 16) {
        expected.push_back(next);
      } else {
        ++dropped;
      }
      ++next;
    } else {
      std::uint64_t out = 0;
      ASSERT_EQ(ring.pop(out), !expected.empty());
      if (!expected.empty()) {
        ASSERT_EQ(out, expected.front());
        expected.pop_front();
      }
    }
    ASSERT_EQ(ring.size(), expected.size());
  }
  EXPECT_EQ(ring.counts().dropped, dropped);
  EXPECT_EQ(ring.counts().pushed, next - dropped);
  EXPECT_GT(dropped, 0U);
}

TEST(Ring, BetweenTwoThreadsNothingIsTornLostOrOutOfOrder) {
  constexpr std::uint64_t kItems = 200'000;
  Ring<Item> ring(64);
  std::uint64_t refused = 0;
  std::thread producer([&] {
    for (std::uint64_t n = 0; n < kItems;) {
      if (ring.push(Item::of(n))) {
        ++n;
      } else {
        ++refused;
        std::this_thread::yield();
      }
    }
  });
  // Alternately copied out and read in place.
  for (std::uint64_t n = 0; n < kItems;) {
    Item item;
    if (n % 2 == 0) {
      if (!ring.pop(item)) {
        std::this_thread::yield();
        continue;
      }
    } else {
      const Item* front = ring.front();
      if (front == nullptr) {
        std::this_thread::yield();
        continue;
      }
      item = *front;
      ring.release();
    }
    ASSERT_EQ(item.number, n);
    ASSERT_TRUE(item.whole());
    ++n;
  }
  producer.join();
  EXPECT_EQ(ring.counts().pushed, kItems);
  EXPECT_EQ(ring.counts().dropped, refused);
  EXPECT_LE(ring.counts().high_water, 64U);
}

TEST(Ring, AProducerThatDoesNotWaitLosesExactlyWhatIsCounted) {
  constexpr std::uint64_t kItems = 1'000'000;
  Ring<Item> ring(8);
  std::atomic<bool> done{false};
  std::thread producer([&] {
    for (std::uint64_t n = 0; n < kItems; ++n) {
      if (Item* slot = ring.reserve()) {
        *slot = Item::of(n);
        ring.commit();
      }
    }
    done.store(true, std::memory_order_release);
  });
  std::uint64_t received = 0;
  std::uint64_t next = 0;
  for (;;) {
    const bool last_round = done.load(std::memory_order_acquire);
    Item item;
    while (ring.pop(item)) {
      ASSERT_GE(item.number, next);
      ASSERT_TRUE(item.whole());
      next = item.number + 1;
      ++received;
    }
    if (last_round) break;
    std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(ring.counts().pushed, received);
  EXPECT_EQ(received + ring.counts().dropped, kItems);
}

TEST(Ring, AThirdThreadMayLookAtTheCounts) {
  constexpr std::uint64_t kItems = 1'000'000;
  Ring<std::uint64_t> ring(4);
  std::atomic<bool> done{false};
  std::thread producer([&] {
    for (std::uint64_t n = 0; n < kItems; ++n) (void)ring.push(n);
    done.store(true);
  });
  std::thread consumer([&] {
    std::uint64_t out = 0;
    while (!done.load() || ring.front() != nullptr) (void)ring.pop(out);
  });
  RingCounts before;
  while (!done.load()) {
    const auto counts = ring.counts();
    ASSERT_LE(ring.size(), 4U);
    ASSERT_LE(counts.high_water, 4U);
    ASSERT_GE(counts.pushed, before.pushed);
    ASSERT_GE(counts.dropped, before.dropped);
    before = counts;
  }
  producer.join();
  consumer.join();
  EXPECT_EQ(ring.counts().pushed + ring.counts().dropped, kItems);
}

}  // namespace
}  // namespace strigil::daq
