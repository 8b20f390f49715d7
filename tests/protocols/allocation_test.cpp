// step() allocates nothing, from the first tick to the last. Operator new is replaced for the whole test program.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "fake_bench.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

// Not inlined: the compiler would see malloc and free and take them for a mismatch of new and delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace strigil::protocols {
namespace {

TEST(AllocationTest, ACompleteRunAllocatesNothingInStep) {
  auto protocol = test::one_stroke();
  protocol.directions = Directions::kBoth;
  protocol.repeats = 2;
  const auto plan = expand(protocol, test::bench_limits());
  ASSERT_TRUE(plan.ok());
  test::FakeBench bench({});
  test::CountingSink sink;
  Runner runner(*plan);
  std::uint64_t in_step = 0;
  std::uint64_t ticks = 0;
  while (runner.state() == rig::BehaviourState::kRunning && bench.now_s() < 120) {
    const auto& r = bench.tick();
    const auto before = allocations.load();
    const auto demand = runner.step(r, bench.now(), sink);
    in_step += allocations.load() - before;
    bench.obey(demand);
    bench.tare(runner.wants_tare());
    ++ticks;
  }
  EXPECT_EQ(runner.state(), rig::BehaviourState::kDone);
  EXPECT_EQ(in_step, 0U);
  EXPECT_GT(ticks, 1000U);
  EXPECT_GT(allocations.load(), 0U) << "the counter counts";
}

}  // namespace
}  // namespace strigil::protocols
