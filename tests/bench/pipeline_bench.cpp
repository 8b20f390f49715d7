// Pipeline: what share of one core the rig needs for force at 7 kHz x 6 and vibration at 25.6 kHz x 3 from the wire to
// file and subscriber. Two devices on real UDP, one record or packet a datagram; io thread, loop, recorder and
// publisher on their threads. All CPU of the process counts but that of the devices' and the subscriber's threads, by
// their own clocks; what the kernel does for a thread is on that thread's clock.
#include <fmt/format.h>
#include <time.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "daq/codec/rdt_session.hpp"
#include "daq/codec/sensor_stream_session.hpp"
#include "daq/link/io_thread.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/record/recorder.hpp"
#include "tests/bench/bare_zmq.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/sensor_device.hpp"
#include "tests/bench/small_rig.hpp"
#include "tests/bench/thread_clock.hpp"
#include "tests/bench/udp_device.hpp"

namespace strigil::bench {
namespace {

constexpr double kForceRate_Hz = 7000;
constexpr double kVibrationRate_Hz = 25600;
constexpr std::uint8_t kPacket = 32;
constexpr daq::Duration kTickBackstop = std::chrono::milliseconds(2);  // as WirePacer's

/// Sends at an even pace on a thread of its own; late ones follow at once, as a device's buffer does.
class Sending {
 public:
  template <typename Next>
  Sending(UdpDevice& device, double datagrams_per_s, const Next& next)
      : thread_([this, &device, datagrams_per_s, next] {
          const auto began = daq::host_now();
          constexpr std::int64_t kSecond_ns = 1'000'000'000;
          while (!stop_.load(std::memory_order_relaxed)) {
            const auto at = began + daq::from_seconds(static_cast<double>(sent_) / datagrams_per_s);
            const timespec when{at.ns / kSecond_ns, at.ns % kSecond_ns};
            (void)::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
            device.send(next());
            ++sent_;
            cpu_s_.store(thread_cpu_s(), std::memory_order_relaxed);
          }
        }) {}
  ~Sending() { stop(); }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;
  void stop() {
    stop_.store(true);
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] double cpu() const { return cpu_s_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }  // after stop()

 private:
  std::uint64_t sent_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<double> cpu_s_{0};
  std::thread thread_;
};

int pipeline_bench(const Options& options) {
  std::string folder = (std::filesystem::temp_directory_path() / "strigil-pipeline-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) give_up("no folder can be made");
  daq::ChunkRing chunks(4096);
  daq::IoThread io(chunks);
  SmallRig rig(chunks);
  UdpDevice force_device;
  UdpDevice vibration_device;
  daq::RdtSession force({.link = 0, .stream = 0, .rate_Hz = kForceRate_Hz});
  daq::SensorStreamSession vibration({.link = 1, .first_stream = 1});
  auto force_link = io.open(force_device.uri(), 0);
  auto vibration_link = io.open(vibration_device.uri(), 1);
  if (!force_link || !vibration_link) give_up("the wires cannot be opened");
  rig.intake.attach(force, **force_link);
  rig.intake.attach(vibration, **vibration_link);
  auto recorder_rings = rig.fanout.add_sink("recorder");
  auto publisher_rings = rig.fanout.add_sink("publisher");

  SensorDevice device({.samples_per_packet = kPacket, .rate_Hz = kVibrationRate_Hz});
  std::thread introduction([&] {
    force_device.await_host();
    vibration_device.await_host();
    for (const auto& frame : device.description()) vibration_device.send(frame.data());
  });
  rig::Readings before;
  const auto patience = daq::host_now() + daq::from_seconds(10);
  while (!vibration.described()) {
    if (daq::host_now() > patience) give_up("the rig and its devices did not understand one another");
    (void)io.wait(kTickBackstop);
    rig.intake.drain(daq::host_now(), before);
  }
  introduction.join();
  std::vector<daq::StreamDescription> streams{force.description(), vibration.streams().front()};
  daq::RunHeader header;
  header.run_id = "bench";
  header.streams = streams;
  auto writer = daq::RunWriter::create(folder + "/run.h5", header);
  if (!writer) give_up(writer.error().message);
  daq::Recorder recorder(std::move(*writer), recorder_rings);
  recorder.start();
  auto publisher = daq::Publisher::start({}, {.id = "bench"}, streams, publisher_rings);
  if (!publisher) give_up(publisher.error().message);
  std::atomic<double> receiving_s{0};
  std::atomic<std::uint64_t> received{0};
  Receiver receiver((*publisher)->bound_endpoint(), [&](std::string_view, daq::HostTime) {
    receiving_s.store(thread_cpu_s(), std::memory_order_relaxed);
    received.fetch_add(1, std::memory_order_relaxed);
  });
  if (!(*publisher)->wait_for_subscribers(1, daq::from_seconds(10))) give_up("the subscriber did not come");
  rig.intake.configure(streams, {.force = 0, .position = 98, .vibration = 1});
  std::atomic<bool> stop{false};
  std::thread loop([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      (void)io.wait(kTickBackstop);
      rig.loop.tick(daq::host_now());
    }
  });

  std::uint32_t n = 0;
  std::array<std::byte, daq::kRdtRecordSize> record{};
  Sending forces(force_device, kForceRate_Hz, [&] {
    ++n;
    record = encode(daq::RdtRecord{n, n, 0, {1, 2, static_cast<std::int32_t>(n), 4, 5, 6}});
    return std::span<const std::byte>(record);
  });
  Sending vibrations(vibration_device, kVibrationRate_Hz / kPacket, [&] { return device.next().data(); });
  std::this_thread::sleep_for(std::chrono::seconds(1));  // threads started, files begun, clocks locked
  const int rounds = options.quick ? 2 : 10;
  const auto round = std::chrono::seconds(options.quick ? 1 : 3);
  std::vector<double> shares;
  const auto others_s = [&] { return forces.cpu() + vibrations.cpu() + receiving_s.load(std::memory_order_relaxed); };
  for (int i = 0; i < rounds; ++i) {
    const auto began = daq::host_now();
    const double cpu_then_s = process_cpu_s() - others_s();
    std::this_thread::sleep_for(round);
    const double cpu_now_s = process_cpu_s() - others_s();
    shares.push_back((cpu_now_s - cpu_then_s) / daq::seconds(daq::host_now() - began));
  }
  forces.stop();
  vibrations.stop();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  stop.store(true);
  loop.join();
  recorder.stop_and_drain();
  if (!recorder.finish("{}", {})) give_up("the file was not finished");
  const auto recorded = recorder.samples();
  const auto missing = forces.sent() - recorded[0];
  const auto missing_vibration = vibrations.sent() * kPacket - recorded[1];
  std::filesystem::remove_all(folder);
  Figure f;
  f.name = "whole pipeline, 7 kHz x 6 and 25.6 kHz x 3";
  f.unit = "cores";
  f.ours = f.judged = median(shares);
  f.at_most = 0.25;
  f.note = fmt::format(
      "{:.3g} to {:.3g} in {} rounds; {} force and {} vibration samples recorded, {} and {} lost on the way; {} "
      "messages",
      percentile(shares, 0), percentile(shares, 1), shares.size(), recorded[0], recorded[1], missing, missing_vibration,
      received.load());
  return report(options, {f});
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::pipeline_bench(strigil::bench::parse_options(argc, argv)); }
