// Wake-up error of the loop: how long after the instant at which it was to begin does a tick begin? The real pacer (io
// thread, eventfd) and the real tick, on one thread, in turns with bare clock_nanosleep(TIMER_ABSTIME) on the same
// thread. Two ways of being woken: by the backstop, when nothing arrives, and by a datagram each millisecond, from the
// instant before its device calls send(2). The bare side sleeps for 2 ms and 1 ms accordingly, and ticks as well.
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "daq/codec/rdt_session.hpp"
#include "rig/wire_pacer.hpp"
#include "tests/bench/small_rig.hpp"
#include "tests/bench/udp_device.hpp"

namespace strigil::bench {
namespace {

using daq::Duration;
using daq::HostTime;

constexpr Duration kPeriod = std::chrono::milliseconds(1);
constexpr double kBar = 1.2;
/// Turns within a round: what else this computer does comes in bursts, and the worst hundredth is made of these.
constexpr int kSlices = 10;

double microseconds(Duration d) { return static_cast<double>(d.count()) * 1e-3; }

/// A force sensor that sends one record a millisecond while it is told to.
class Device {
 public:
  explicit Device(UdpDevice& wire) : wire_(wire) {}
  /// Sends `n` records on a thread of its own. Join it.
  std::thread send(std::uint64_t n) {
    return std::thread([this, n] {
      every(kPeriod, n, [this] {
        const auto k = ++sent_;
        const auto record = encode(daq::RdtRecord{k, k, 0, {1, 2, static_cast<std::int32_t>(k), 4, 5, 6}});
        sent_ns_[k % kRemembered].store(daq::host_now().ns, std::memory_order_relaxed);
        wire_.send(record);
      });
    });
  }
  [[nodiscard]] HostTime sent_at(std::uint32_t record) const {
    return {sent_ns_[record % kRemembered].load(std::memory_order_relaxed)};
  }

 private:
  static constexpr std::size_t kRemembered = 4096;
  UdpDevice& wire_;
  std::uint32_t sent_ = 0;
  std::vector<std::atomic<std::int64_t>> sent_ns_ = std::vector<std::atomic<std::int64_t>>(kRemembered);
};

class Rig {
 public:
  Rig() : rig_(chunks_), session_({.rate_Hz = 1000}) {
    auto link = io_.open(wire_.uri(), 0);
    if (!link) give_up(link.error().message);
    link_ = std::move(*link);
    rig_.intake.attach(session_, *link_);
    rig_.intake.configure({session_.description()}, {.force = 0, .position = 98, .vibration = 99});
    std::thread introduction([this] { wire_.await_host(); });
    rig_.loop.tick(daq::host_now());  // the session asks
    introduction.join();
  }

  /// Errors of ticks that nothing but the backstop wakes.
  std::vector<double> by_backstop(std::uint64_t ticks) {
    std::vector<double> errors_us;
    while (errors_us.size() < ticks) {
      const auto due = daq::host_now() + rig::WirePacer::kBackstop;
      const auto woke = pacer_.next();
      if (chunks_.size() != 0) give_up("something arrived while nothing was sent");
      // A wake that was still pending from before is no timer's.
      if (woke - due > -kPeriod) errors_us.push_back(microseconds(woke - due));
      rig_.loop.tick(woke);
    }
    return errors_us;
  }
  /// From the oldest datagram that a tick finds, about to leave its device, to the tick.
  std::vector<double> by_stream(std::uint64_t ticks) {
    std::vector<double> errors_us;
    auto sending = device_.send(ticks);
    const auto taken = session_.counts().samples;
    const auto gathered = [&] { return session_.counts().samples - taken; };
    const auto patience = daq::host_now() + daq::from_seconds(10) + static_cast<std::int64_t>(ticks) * kPeriod;
    while (gathered() < ticks) {
      const auto woke = pacer_.next();
      if (woke > patience) give_up(fmt::format("{} of {} records came", gathered(), ticks));
      if (const auto* chunk = chunks_.front()) {
        const auto record = daq::decode_rdt_record(chunk->data().first<daq::kRdtRecordSize>());
        errors_us.push_back(microseconds(woke - device_.sent_at(record.rdt_sequence)));
      }
      rig_.loop.tick(woke);
    }
    sending.join();
    if (session_.counts().lost != 0) give_up("datagrams were lost");
    return errors_us;
  }
  /// The same ticks, woken by clock_nanosleep alone.
  std::vector<double> bare(Duration period, std::uint64_t ticks) {
    std::vector<double> errors_us;
    auto due = daq::host_now();
    while (errors_us.size() < ticks) {
      due = std::max(due + period, daq::host_now());
      sleep_until(due);
      const auto woke = daq::host_now();
      errors_us.push_back(microseconds(woke - due));
      rig_.loop.tick(woke);
    }
    return errors_us;
  }

 private:
  UdpDevice wire_;
  Device device_{wire_};
  daq::ChunkRing chunks_{1024};
  daq::IoThread io_{chunks_};
  rig::WirePacer pacer_{io_};
  std::unique_ptr<daq::Link> link_;
  SmallRig rig_;
  daq::RdtSession session_;
};

/// p50 and p99 of `ours()` against `bare()`, round by round.
template <typename Ours, typename Bare>
void compare(const std::string& name, int rounds, const Ours& ours, const Bare& bare, std::vector<Figure>& figures) {
  Rounds p50, p99;
  for (int i = -1; i < rounds; ++i) {
    std::vector<double> our_us, bare_us;
    for (int slice = 0; slice < kSlices; ++slice) {
      const auto our_slice = ours();
      const auto bare_slice = bare();
      our_us.insert(our_us.end(), our_slice.begin(), our_slice.end());
      bare_us.insert(bare_us.end(), bare_slice.begin(), bare_slice.end());
    }
    if (our_us.empty()) give_up(name + ": no tick was woken");
    if (i < 0) continue;  // warms up
    p50.add(median(our_us), median(bare_us));
    p99.add(percentile(our_us, 0.99), percentile(bare_us, 0.99));
  }
  figures.push_back(figure_of(name + ", p50", "us", p50));
  figures.push_back(figure_of(name + ", p99", "us", p99));
  figures.back().at_most = kBar;
}

int wake_bench(const Options& options) {
  const int rounds = options.choose(21, 3, 1);
  const auto ticks = options.choose<std::uint64_t>(100, 50, 10);
  Rig rig;
  std::vector<Figure> figures;
  compare(
      "wake-up error, backstop", rounds, [&] { return rig.by_backstop(ticks / 2); },
      [&] { return rig.bare(rig::WirePacer::kBackstop, ticks / 2); }, figures);
  compare(
      "wake-up error, paced by a stream", rounds, [&] { return rig.by_stream(ticks); },
      [&] { return rig.bare(kPeriod, ticks); }, figures);
  return report(options, figures);
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::wake_bench(strigil::bench::parse_options(argc, argv)); }
