// Wake: no sleeper misses what was pushed before it slept or while it did, and nobody is written to who does not sleep.
#include "daq/wake.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "daq/fanout.hpp"

namespace strigil::daq {
namespace {

bool readable(const Wake& wake, int patience_ms = 0) {
  pollfd p{wake.fd(), POLLIN, 0};
  return ::poll(&p, 1, patience_ms) == 1;
}

TEST(Wake, NobodyAsleepIsNotWrittenTo) {
  Wake wake;
  ASSERT_GE(wake.fd(), 0);
  wake.ring();
  EXPECT_FALSE(readable(wake));
}

TEST(Wake, ASleeperIsWokenOnceAndCanSleepAgain) {
  Wake wake;
  for (int i = 0; i < 3; ++i) {
    wake.announce_sleep();
    EXPECT_FALSE(readable(wake));
    wake.ring();
    wake.ring();
    EXPECT_TRUE(readable(wake));
    wake.woken();
    EXPECT_FALSE(readable(wake));
  }
}

TEST(Wake, WhoDidNotSleepAfterAllIsNotWrittenTo) {
  Wake wake;
  wake.announce_sleep();
  wake.woken();
  wake.ring();
  EXPECT_FALSE(readable(wake));
}

TEST(Wake, FanoutRingsOnlyWhenSomethingWasPushed) {
  Fanout fanout;
  auto rings = fanout.add_sink("sink", 4, 4);
  rings->wake.announce_sleep();
  fanout.wake();
  EXPECT_FALSE(readable(rings->wake));
  fanout.push(Event{});
  fanout.wake();
  EXPECT_TRUE(readable(rings->wake));
  rings->wake.woken();
  rings->wake.announce_sleep();
  fanout.wake();
  EXPECT_FALSE(readable(rings->wake));
}

TEST(Wake, NoItemIsSleptThrough) {
  constexpr std::uint64_t kItems = 50'000;
  constexpr int kPatience_ms = 20'000;
  Ring<std::uint64_t> ring(8);
  Wake wake;
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kItems;) {
      if (ring.push(i)) {
        ++i;
        wake.ring();
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::uint64_t expected = 0;
  bool missed = false;
  while (expected < kItems && !missed) {
    std::uint64_t item = 0;
    while (ring.pop(item)) EXPECT_EQ(item, expected++);
    if (expected == kItems) break;
    wake.announce_sleep();
    // It sleeps until it is woken: whoever rings for nobody leaves it sleeping.
    if (ring.front() == nullptr) missed = !readable(wake, kPatience_ms);
    wake.woken();
  }
  EXPECT_FALSE(missed) << "asleep with " << ring.size() << " items waiting";
  std::uint64_t rest = 0;
  while (expected < kItems) expected += ring.pop(rest) ? 1 : 0;
  producer.join();
}

}  // namespace
}  // namespace strigil::daq
