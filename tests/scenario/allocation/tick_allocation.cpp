// Proof at the malloc level that the tick allocates nothing: a whole run of the program's own code over
// pseudo-terminals and UDP, recorded and published, in which every call of malloc and its kin on the loop thread during
// Loop::tick counts. The linker puts our wrapper around Loop::tick (--wrap), and this program's malloc before the C
// library's.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <thread>

#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/strict_toml.hpp"
#include "rig/loop.hpp"
#include "sim/bench_sim_config.hpp"
#include "sim/real_time_world.hpp"

namespace {

thread_local bool in_tick = false;
std::atomic<std::uint64_t> allocations_in_ticks{0};
std::atomic<std::uint64_t> ticks{0};

void count() noexcept {
  if (in_tick) allocations_in_ticks.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

// The C library's own names for what we stand before.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  count();
  return __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) {
  count();
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

// strigil::rig::Loop::tick(daq::HostTime): the object and one 64-bit value.
void __real__ZN7strigil3rig4Loop4tickENS_3daq8HostTimeE(void* loop, std::int64_t now_ns);
void __wrap__ZN7strigil3rig4Loop4tickENS_3daq8HostTimeE(void* loop, std::int64_t now_ns) {
  in_tick = true;
  __real__ZN7strigil3rig4Loop4tickENS_3daq8HostTimeE(loop, now_ns);
  in_tick = false;
  ticks.fetch_add(1, std::memory_order_relaxed);
}
}

namespace strigil::apps {
namespace {

TEST(TickAllocation, TheCounterCounts) {
  in_tick = true;
  std::free(std::malloc(10));
  in_tick = false;
  EXPECT_EQ(allocations_in_ticks.exchange(0), 1U);
}

TEST(TickAllocation, ARunOnRealWiresAllocatesNothingInItsTicks) {
  ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
  std::string dir = (std::filesystem::temp_directory_path() / "strigil-allocation-XXXXXX").string();
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  // Patient with a busy computer: what it does to the times is the matter of tests in virtual time.
  auto bench_text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value();
  for (const char* key :
       {"max_bound_us = ", "force_stale_ms = ", "vibration_stale_ms = ", "stage_stale_ms = ", "stuck_ms = "}) {
    const auto at = bench_text.find(key) + std::string_view(key).size();
    bench_text.replace(at, bench_text.find('\n', at) - at, key[0] == 'm' ? "20000" : key[0] == 'f' ? "1000" : "2000");
  }
  const auto taps = bench_text.find("[taps]");
  bench_text.erase(taps, bench_text.find("[twin", taps) - taps);
  const auto config = sim::parse_sim_config(bench_text, "sim.toml");
  ASSERT_TRUE(config.ok());
  auto world = sim::RealTimeWorld::start(*config, dir);
  ASSERT_TRUE(world.ok()) << world.error().message;
  const auto bench = dir + "/bench.toml";
  std::ofstream(bench) << (*world)->bench_on_these_wires(bench_text);
  std::atomic<bool> stop{false};
  std::thread simulated([&] { (*world)->run(stop); });

  allocations_in_ticks = 0;
  ticks = 0;
  auto prepared = prepare("smoke", bench);
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  RunOptions o;
  o.bench = prepared->bench;
  o.plan = prepared->plan;
  o.protocol_text = prepared->protocol_text;
  o.out = dir + "/run.h5";
  o.publication.endpoint = "tcp://127.0.0.1:*";
  // Suspended in its stroke, lifted, and let go on: the ticks of that count as well.
  std::atomic<int> suspend{0};
  RunWatcher watcher;
  watcher.suspend = &suspend;
  watcher.progress = [&](const protocols::Progress& p, const rig::Readings&) {
    if (suspend == 0 && p.kind == protocols::StepKind::kStroke) suspend = 1;
    if (suspend == 1 && p.suspension == protocols::Suspension::kClear) suspend = 2;
  };
  o.plan.protocol.suspend_hold_s = 0.3;
  const auto outcome = run(o, watcher);
  stop = true;
  simulated.join();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  for (const auto& reason : outcome->verdict.reasons) {
    if (reason.weight != protocols::Judgement::kPass) ADD_FAILURE() << reason.text;
  }
  ASSERT_FALSE(outcome->verdict.strokes.empty());
  EXPECT_EQ(outcome->verdict.strokes.front().interrupted, 1U);
  EXPECT_GT(ticks.load(), 2000U);
  EXPECT_EQ(allocations_in_ticks.load(), 0U) << "in " << ticks.load() << " ticks";
  std::printf("%llu ticks, %llu allocations\n", static_cast<unsigned long long>(ticks.load()),
              static_cast<unsigned long long>(allocations_in_ticks.load()));
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace strigil::apps
