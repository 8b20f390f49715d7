// Latency: bytes of a device leave its socket; how long until a subscriber has them? Real UDP, the io thread, a
// session, the real tick, publisher and recorder on their threads; against bare libzmq between two threads, with
// messages of the same parts, sizes and pace. Both senders wake once a millisecond; a while of the one, a while of the
// other.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "daq/codec/rdt_session.hpp"
#include "daq/codec/sensor_stream_session.hpp"
#include "daq/link/io_thread.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/record/recorder.hpp"
#include "daq/temporary_folder.hpp"
#include "rig/wire_pacer.hpp"
#include "tests/bench/bare_zmq.hpp"
#include "tests/bench/sensor_device.hpp"
#include "tests/bench/small_rig.hpp"
#include "tests/bench/udp_device.hpp"

namespace strigil::bench {
namespace {

using daq::Duration;
using daq::HostTime;

constexpr Duration kPeriod = std::chrono::milliseconds(1);
constexpr std::size_t kRemembered = 1U << 16U;  // samples whose instant of sending is kept

/// Microseconds that each block took; filled by the receiving thread, taken between rounds.
class Latencies {
 public:
  void add(std::int64_t ns) {
    const std::scoped_lock lock(mutex_);
    us_.push_back(static_cast<double>(ns) * 1e-3);
  }
  std::vector<double> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(us_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<double> us_;
};

template <typename T>
T field(std::string_view header, std::size_t at) {
  T value{};
  std::memcpy(&value, header.data() + at, sizeof value);
  return value;
}
constexpr std::size_t kSamplesAt = 20;  // docs/publication.md
constexpr std::size_t kFirstSampleAt = 32;

/// A device on a real wire and the rig that publishes it.
class OurSide {
 public:
  OurSide(daq::Session& session, const std::string& record_to) : rig_(chunks_), session_(session) {
    auto link = io_.open(device_.uri(), 0);
    if (!link) give_up(link.error().message);
    link_ = std::move(*link);
    rig_.intake.attach(session_, *link_);
    rings_ = rig_.fanout.add_sink("publisher");
    recorder_rings_ = rig_.fanout.add_sink("recorder");
    record_to_ = record_to;
  }
  ~OurSide() {
    stop_.store(true);
    if (loop_thread_.joinable()) loop_thread_.join();
    if (recorder_) recorder_->stop_and_drain();
  }
  OurSide(const OurSide&) = delete;
  OurSide& operator=(const OurSide&) = delete;

  UdpDevice& device() { return device_; }
  /// Takes in what has arrived until `done` (the session knows its streams).
  template <typename Done>
  void tick_until(const Done& done) {
    const auto patience = daq::host_now() + daq::from_seconds(10);
    while (!done()) {
      if (daq::host_now() > patience) give_up("the rig and its device did not understand one another");
      rig_.intake.drain(pacer_.next(), before_);
    }
  }
  /// From here on as in a run: loop, recorder and publisher on their threads, and a subscriber.
  void begin(const std::vector<daq::StreamDescription>& streams) {
    auto made = daq::Publisher::start({}, {.id = "bench"}, streams, rings_);
    if (!made) give_up(made.error().message);
    publisher_ = std::move(*made);
    daq::RunHeader header;
    header.run_id = "bench";
    header.streams = streams;
    auto writer = daq::RunWriter::create(record_to_, header);
    if (!writer) give_up(writer.error().message);
    recorder_ = std::make_unique<daq::Recorder>(std::move(*writer), recorder_rings_);
    recorder_->start();
    receiver_ =
        std::make_unique<Receiver>(publisher_->bound_endpoint(), [this](std::string_view header_bytes, HostTime at) {
          const auto first = field<std::uint64_t>(header_bytes, kFirstSampleAt);
          const auto samples = field<std::uint16_t>(header_bytes, kSamplesAt);
          // A block that is short was ended by its time and not by bytes.
          if (samples >= whole_block)
            from_last.add(at.ns - sent_ns_[(first + samples - 1) % kRemembered].load(std::memory_order_relaxed));
          from_first.add(at.ns - sent_ns_[first % kRemembered].load(std::memory_order_relaxed));
          samples_.fetch_add(samples, std::memory_order_relaxed);
        });
    if (!publisher_->wait_for_subscribers(1, daq::from_seconds(10))) give_up("the subscriber did not come");
    rig_.intake.configure(streams, {.force = 0, .position = 98, .vibration = 99});
    loop_thread_ = std::thread([this] {
      while (!stop_.load(std::memory_order_relaxed)) {
        rig_.loop.tick(pacer_.next());
      }
    });
  }

  /// The sample with number `sample` is about to leave.
  void stamp(std::uint64_t sample) {
    sent_ns_[sample % kRemembered].store(daq::host_now().ns, std::memory_order_relaxed);
  }
  /// Samples in the blocks that have reached the subscriber.
  [[nodiscard]] std::uint64_t samples() const { return samples_.load(std::memory_order_relaxed); }
  /// Waits until so many have; who counts afterwards sees when they did not come.
  void await(std::uint64_t wanted) const {
    const auto patience = daq::host_now() + daq::from_seconds(5);
    while (samples() < wanted && daq::host_now() < patience) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Latencies from_last, from_first;
  std::uint16_t whole_block = 1;  ///< samples that the session gathers

 private:
  UdpDevice device_;
  daq::ChunkRing chunks_{1024};
  daq::IoThread io_{chunks_};
  rig::WirePacer pacer_{io_};
  std::unique_ptr<daq::Link> link_;
  SmallRig rig_;
  daq::Session& session_;
  rig::Readings before_;
  std::shared_ptr<daq::SinkRings> rings_, recorder_rings_;
  std::string record_to_;
  std::unique_ptr<daq::Publisher> publisher_;
  std::unique_ptr<daq::Recorder> recorder_;
  std::vector<std::atomic<std::int64_t>> sent_ns_ = std::vector<std::atomic<std::int64_t>>(kRemembered);
  std::atomic<std::uint64_t> samples_{0};
  std::unique_ptr<Receiver> receiver_;
  std::atomic<bool> stop_{false};
  std::thread loop_thread_;
};

/// Two threads and bare libzmq between them.
class BareSide {
 public:
  explicit BareSide(const std::string& stream, std::size_t values)
      : topic_(daq::topic_of(daq::MessageKind::kBlock, stream)),
        values_(values * sizeof(float), 'v'),
        receiver_(publisher_.endpoint(), [this](std::string_view header, HostTime at) {
          latencies.add(at.ns - field<std::int64_t>(header, 0));
        }) {
    publisher_.await_subscriber();
  }
  void send() {
    const auto now = daq::host_now();
    std::memcpy(header_.data(), &now.ns, sizeof now.ns);
    const std::array<std::string_view, kBlockParts> parts = {topic_, std::string_view(header_.data(), header_.size()),
                                                             values_, values_};
    publisher_.send(parts);
    ++sent_;
  }
  void await_all() { (void)receiver_.await(sent_); }
  Latencies latencies;

 private:
  const std::string topic_, values_;
  std::array<char, daq::kBlockHeaderBytes> header_{};
  std::uint64_t sent_ = 0;
  BarePublisher publisher_;
  Receiver receiver_;
};

struct Case {
  std::string name;        ///< of the figures
  std::uint16_t gathered;  ///< samples in a block
  int rounds = 0;
  std::uint64_t samples = 0;  ///< a round, of either side
};

/// One sample a datagram; `bytes(i)` is the datagram of sample i.
template <typename Bytes>
void compare(const Case& c, OurSide& ours, BareSide& bare, std::uint64_t first_sample, const Bytes& bytes,
             std::vector<Figure>& figures) {
  ours.whole_block = c.gathered;
  std::uint64_t sample = first_sample;
  const auto our_round = [&] {
    const auto wanted = ours.samples() + c.samples;
    every(kPeriod, c.samples, [&] {
      const auto datagram = bytes(sample);
      ours.stamp(sample);
      ours.device().send(datagram);
      ++sample;
    });
    ours.await(wanted);  // what is still gathered belongs to this round
  };
  const auto bare_round = [&] {
    std::uint64_t n = 0;
    every(kPeriod, c.samples, [&] {
      if (++n % c.gathered == 0) bare.send();
    });
    bare.await_all();
  };
  our_round();
  bare_round();
  (void)ours.from_last.take();
  (void)ours.from_first.take();
  (void)bare.latencies.take();
  const auto counted_from = ours.samples();
  Rounds p50, p99;
  std::vector<double> whole;
  std::size_t ended_by_bytes = 0;
  for (int i = 0; i < c.rounds; ++i) {
    our_round();
    bare_round();
    const auto our_us = ours.from_last.take();
    const auto bare_us = bare.latencies.take();
    const auto first_us = ours.from_first.take();
    ended_by_bytes += our_us.size();
    whole.insert(whole.end(), first_us.begin(), first_us.end());
    if (our_us.empty()) give_up("nothing reached the subscriber");
    p50.add(median(our_us), median(bare_us));
    p99.add(percentile(our_us, 0.99), percentile(bare_us, 0.99));
  }
  const auto expected = static_cast<std::uint64_t>(c.rounds) * c.samples;
  if (ours.samples() - counted_from != expected) {
    give_up(
        fmt::format("{} samples left the device, {} reached the subscriber", expected, ours.samples() - counted_from));
  }
  auto f = figure_of(c.name + ", p50", "us", p50);
  f.at_most = 1.5;
  figures.push_back(f);
  f = figure_of(c.name + ", p99", "us", p99);
  f.at_most = 2;
  figures.push_back(f);
  if (c.gathered == 1) return;
  Figure from_first;
  from_first.name = c.name + ", from the first sample of the block, p50";
  from_first.unit = "us";
  from_first.ours = from_first.judged = median(whole);
  from_first.note = fmt::format("p99 {:.0f} us; a block gathers 10 ms; {} of {} blocks were ended by bytes",
                                percentile(whole, 0.99), ended_by_bytes, whole.size());
  figures.push_back(from_first);
}

/// Each packet is a block at once: 1000 messages a second.
void sensor_stream_latency(const Options& options, const std::string& folder, std::vector<Figure>& figures) {
  SensorDevice device({.channels = 6, .samples_per_packet = 1, .rate_Hz = 1000});
  daq::SensorStreamSession session({});
  OurSide ours(session, folder + "/sensor.h5");
  std::thread introduction([&] {
    ours.device().await_host();
    for (const auto& frame : device.description()) ours.device().send(frame.data());
  });
  ours.tick_until([&] { return session.described(); });
  introduction.join();
  ours.begin(session.streams());
  BareSide bare("vibration", 6);
  const Case c{"latency of a packet at 1 kHz", 1, options.choose(15, 3, 1), options.choose(2000U, 500U, 50U)};
  compare(
      c, ours, bare, 0, [&](std::uint64_t) { return device.next().data(); }, figures);
}

/// Records are gathered into blocks of 10 ms: 100 messages a second.
void rdt_latency(const Options& options, const std::string& folder, std::vector<Figure>& figures) {
  daq::RdtSession session({.rate_Hz = 1000});
  OurSide ours(session, folder + "/force.h5");
  std::thread introduction([&] { ours.device().await_host(); });
  bool asked = false;
  ours.tick_until([&] { return std::exchange(asked, true); });
  introduction.join();
  ours.begin({session.description()});
  BareSide bare("force", 60);
  const Case c{"latency of the bytes that complete a force block", 10, options.choose(11, 3, 1),
               options.choose(4000U, 1000U, 100U)};
  std::array<std::byte, daq::kRdtRecordSize> record{};
  const auto bytes = [&](std::uint64_t sample) {
    const auto n = static_cast<std::uint32_t>(sample);
    record = encode(daq::RdtRecord{n, n, 0, {1, 2, static_cast<std::int32_t>(n), 4, 5, 6}});
    return std::span<const std::byte>(record);
  };
  compare(c, ours, bare, 1, bytes, figures);
}

int latency_bench(const Options& options) {
  const auto folder = daq::TemporaryFolder::make("latency");
  if (!folder) give_up(folder.error().message);
  std::vector<Figure> figures;
  sensor_stream_latency(options, folder->path(), figures);
  rdt_latency(options, folder->path(), figures);
  return report(options, figures);
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::latency_bench(strigil::bench::parse_options(argc, argv)); }
