// What the loop calls of the protocols allocates nothing, from the first tick to the last. Operator new is replaced for
// this whole program, and for nothing that is tested elsewhere.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>

#include "fake_bench.hpp"
#include "protocols/dose_account.hpp"

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
  while (runner.state() == rig::BehaviourState::kRunning && bench.now_s() < 600) {
    const auto& r = bench.tick();
    // Suspended now and then: for a moment, and for long enough to be lifted.
    const auto second = static_cast<int>(bench.now_s());
    const bool suspended = (second % 10 == 3 || (second > 40 && second < 50)) && (ticks == 0 || runner.may_suspend());
    const auto before = allocations.load();
    const auto demand = suspended ? runner.suspended(r, bench.now(), sink) : runner.step(r, bench.now(), sink);
    in_step += allocations.load() - before;
    bench.obey(demand);
    bench.tare(runner.wants_tare());
    ++ticks;
  }
  EXPECT_EQ(runner.state(), rig::BehaviourState::kDone);
  EXPECT_EQ(in_step, 0U);
  EXPECT_GE(runner.suspensions(), 2U);
  EXPECT_GT(ticks, 1000U);
  EXPECT_GT(allocations.load(), 0U) << "the counter counts";
}

TEST(AllocationTest, TheDoseAccountAllocatesNothingOnceMade) {
  DoseConfig config;
  config.grid = {.columns = 20, .rows = 10};
  auto account = DoseAccount::make(config);
  ASSERT_TRUE(account.ok());
  const auto before = allocations.load();
  std::uint32_t ends = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double x = 0.1 + 0.15 * std::sin(i * 1e-3);  // beyond the grid too
    account->add({.at = {std::int64_t{i} * 1'000'000},
                  .x_m = x,
                  .y_m = 0.05,
                  .normal_force_N = i % 1000 * 0.01,
                  .speed_m_s = 0.1});
    ends |= account->ended_under(x, 0.05);
  }
  EXPECT_EQ(allocations.load() - before, 0U);
  EXPECT_GT(account->total().impulse_N_s, 0);
  EXPECT_EQ(ends, 0U);
}

}  // namespace
}  // namespace strigil::protocols
