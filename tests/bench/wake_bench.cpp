// Wake-up: how late the loop wakes at the end of its back-stop, with its io thread and everything that a tick does,
// against a thread that does nothing but clock_nanosleep to an absolute time. A while of the one, a while of the other,
// on threads of the same priority.
#include <fmt/format.h>
#include <time.h>

#include "daq/codec/rdt_session.hpp"
#include "daq/link/io_thread.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/small_rig.hpp"

namespace strigil::bench {
namespace {

constexpr daq::Duration kBackstop = std::chrono::milliseconds(2);  // as WirePacer's

double late_us(daq::HostTime wanted) { return daq::seconds(daq::host_now() - wanted) * 1e6; }

std::vector<double> bare(std::size_t wakes) {
  std::vector<double> late;
  late.reserve(wakes);
  constexpr std::int64_t kSecond_ns = 1'000'000'000;
  for (std::size_t i = 0; i < wakes; ++i) {
    const auto wanted = daq::host_now() + kBackstop;
    const timespec when{wanted.ns / kSecond_ns, wanted.ns % kSecond_ns};
    (void)::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
    late.push_back(late_us(wanted));
  }
  return late;
}

std::vector<double> ours(daq::IoThread& io, SmallRig& rig, std::size_t wakes) {
  std::vector<double> late;
  late.reserve(wakes);
  for (std::size_t i = 0; i < wakes; ++i) {
    const auto wanted = daq::host_now() + kBackstop;
    (void)io.wait(kBackstop);
    late.push_back(late_us(wanted));
    rig.loop.tick(daq::host_now());
  }
  return late;
}

int wake_bench(const Options& options) {
  const int rounds = options.quick ? 4 : 20;
  const std::size_t wakes = options.quick ? 250 : 1000;
  daq::ChunkRing chunks(1024);
  daq::IoThread io(chunks);
  SmallRig rig(chunks);
  daq::RdtSession silent({});
  NoLink link;
  rig.intake.attach(silent, link);
  rig.intake.configure({silent.description()}, {.force = 97, .position = 98, .vibration = 99});
  (void)bare(wakes / 4);
  (void)ours(io, rig, wakes / 4);
  Rounds p50;
  std::vector<double> all_ours;
  std::vector<double> all_bare;
  for (int i = 0; i < rounds; ++i) {
    const auto reference = bare(wakes);
    const auto mine = ours(io, rig, wakes);
    p50.add(median(mine), median(reference));
    all_ours.insert(all_ours.end(), mine.begin(), mine.end());
    all_bare.insert(all_bare.end(), reference.begin(), reference.end());
  }
  // A p99 of one round hangs on ten wakes: over all of them, taken in turns, it hangs on hundreds.
  Figure p99;
  p99.name = "wake-up error of the loop, p99";
  p99.unit = "us";
  p99.ours = percentile(all_ours, 0.99);
  p99.reference = percentile(all_bare, 0.99);
  p99.judged = p99.ours / *p99.reference;
  p99.at_most = 1.2;
  p99.note = fmt::format("{} wakes each in {} turns; max {:.0f} us, bare {:.0f} us", all_ours.size(), rounds,
                         percentile(all_ours, 1), percentile(all_bare, 1));
  return report(options, {p99, figure_of("wake-up error of the loop, p50", "us", p50)});
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::wake_bench(strigil::bench::parse_options(argc, argv)); }
