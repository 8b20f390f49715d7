// Scaling: CPU time of a sample, from chunk to run file and socket, with 1 to 16 streams. Each stream is a 7 kHz x 6
// force sensor on a link of its own; sessions, tick (once a millisecond of data), recorder and publisher are the rig's
// own, the last two on their threads. The same number of samples each time, as fast as they are taken, spread over more
// streams: the cost of one sample must not grow with the number of streams. The reference is one stream in the same
// round. The subscriber is another process and does not count.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <filesystem>

#include "daq/codec/rdt_session.hpp"
#include "daq/link/chunk_feed.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/record/recorder.hpp"
#include "tests/bench/bare_zmq.hpp"
#include "tests/bench/cpu_clock.hpp"
#include "tests/bench/small_rig.hpp"

namespace strigil::bench {
namespace {

using daq::Duration;
using daq::HostTime;

constexpr double kRate_Hz = 7000;
constexpr std::uint64_t kSamplesPerTick = 7;
constexpr Duration kTick = std::chrono::milliseconds(1);
constexpr Duration kUnderWay = std::chrono::microseconds(200);  // from a sample to its arrival
constexpr std::array<std::size_t, 5> kStreams{1, 2, 4, 8, 16};
/// "Flat" in figures.
constexpr double kBar = 1.2;
/// Blocks that may wait for recorder or publisher: a run has no more than this either.
constexpr std::size_t kAhead = 512;

/// Listens to whatever endpoint it is told, in a process of its own. Made before any thread is.
class SubscriberProcess {
 public:
  SubscriberProcess() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) give_up("no pipe can be had");
    pid_ = ::fork();
    if (pid_ < 0) give_up("no process can be had");
    if (pid_ == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::close(ends[1]);
      listen(ends[0]);
      ::_exit(0);
    }
    ::close(ends[0]);
    to_child_ = ends[1];
  }
  ~SubscriberProcess() {
    ::close(to_child_);
    (void)::waitpid(pid_, nullptr, 0);
  }
  SubscriberProcess(const SubscriberProcess&) = delete;
  SubscriberProcess& operator=(const SubscriberProcess&) = delete;
  /// Leaves the endpoint of before.
  void attend(const std::string& endpoint) {
    const auto line = endpoint + "\n";
    if (::write(to_child_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) give_up("no subscriber");
  }

 private:
  static void listen(int from) {
    std::unique_ptr<Receiver> receiver;
    std::string endpoint;
    for (char c = 0; ::read(from, &c, 1) == 1;) {
      if (c != '\n') {
        endpoint += c;
        continue;
      }
      receiver.reset();
      receiver = std::make_unique<Receiver>(endpoint);
      endpoint.clear();
    }
  }
  pid_t pid_ = 0;
  int to_child_ = -1;
};

class MemoryLink final : public daq::Link {
 public:
  bool write(std::span<const std::byte>) noexcept override { return true; }
  [[nodiscard]] const std::string& uri() const noexcept override { return uri_; }

 private:
  std::string uri_ = "memory:force";
};

std::string name_of(std::size_t stream) { return fmt::format("force_{}", stream); }

/// What the sensors send: the same bytes each.
std::vector<std::array<std::byte, daq::kRdtRecordSize>> make_records(std::uint64_t n) {
  std::vector<std::array<std::byte, daq::kRdtRecordSize>> records;
  records.reserve(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    const auto count = static_cast<std::int32_t>(0x9E3779B9U * i) / 4;
    records.push_back(encode(daq::RdtRecord{i, i, 0, {count, -count, count / 3, count / 5, count / 7, 6}}));
  }
  return records;
}

/// CPU seconds of the whole process for `total` samples of `n` streams.
double measure(std::size_t n, std::uint64_t total, const std::string& path, SubscriberProcess& subscriber) {
  const auto per_stream = total / n;
  const auto records = make_records(per_stream);
  daq::ChunkRing chunks(4096);
  daq::ChunkFeed feed(chunks);
  SmallRig rig(chunks);
  MemoryLink link;
  std::vector<std::unique_ptr<daq::RdtSession>> sessions;
  std::vector<daq::StreamDescription> streams;
  for (std::size_t i = 0; i < n; ++i) {
    const auto id = static_cast<daq::StreamId>(i);
    sessions.push_back(std::make_unique<daq::RdtSession>(
        daq::RdtSessionConfig{.link = id, .stream = id, .name = name_of(i), .rate_Hz = kRate_Hz}));
    streams.push_back(sessions.back()->description());
    rig.intake.attach(*sessions.back(), link);
  }
  rig.intake.configure(streams, {.force = 0, .position = 98, .vibration = 99});
  const auto recorder_rings = rig.fanout.add_sink("recorder");
  const auto publisher_rings = rig.fanout.add_sink("publisher");
  daq::PublisherConfig config;
  config.when_full = daq::WhenFull::kWait;
  auto publisher = daq::Publisher::start(config, {.id = "bench"}, streams, publisher_rings);
  if (!publisher) give_up(publisher.error().message);
  daq::RunHeader header;
  header.run_id = "bench";
  header.streams = streams;
  auto writer = daq::RunWriter::create(path, header);
  if (!writer) give_up(writer.error().message);
  daq::Recorder recorder(std::move(*writer), recorder_rings);
  recorder.start();
  subscriber.attend((*publisher)->bound_endpoint());
  if (!(*publisher)->wait_for_subscribers(1, daq::from_seconds(10))) give_up("the subscriber did not come");

  const auto waiting = [&] { return std::max(recorder_rings->blocks.size(), publisher_rings->blocks.size()); };
  const auto published = [&] {
    std::uint64_t samples = 0;
    for (const auto& s : (*publisher)->counts().streams) samples += s.samples;
    return samples;
  };
  const double began_s = process_cpu_s();
  HostTime now = HostTime{} + daq::from_seconds(1);
  for (std::uint64_t at = 0; at < per_stream; at += kSamplesPerTick) {
    for (std::uint64_t k = at; k < std::min(at + kSamplesPerTick, per_stream); ++k) {
      const auto received = now + daq::from_seconds(static_cast<double>(k - at) / kRate_Hz) + kUnderWay;
      for (std::size_t i = 0; i < n; ++i) {
        (void)feed.put(static_cast<daq::LinkId>(i), daq::ChunkKind::kDatagram, records[k], received);
      }
    }
    now = now + kTick;
    rig.loop.tick(now + kUnderWay);
    while (waiting() >= kAhead) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  rig.loop.tick(now + std::chrono::milliseconds(20));  // what still gathers goes out
  const auto patience = daq::host_now() + daq::from_seconds(30);
  while (waiting() != 0 || published() != total) {
    if (daq::host_now() > patience) give_up(fmt::format("{} of {} samples were published", published(), total));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const double took_s = process_cpu_s() - began_s;
  recorder.stop_and_drain();
  if (auto finished = recorder.finish("{}", {}); !finished) give_up(finished.error().message);
  for (std::size_t i = 0; i < n; ++i) {
    if (recorder.samples()[i] != per_stream || sessions[i]->counts().lost != 0) {
      give_up(fmt::format("{} of {} samples of {} were recorded", recorder.samples()[i], per_stream, name_of(i)));
    }
  }
  std::filesystem::remove(path);
  return took_s;
}

int scaling_bench(const Options& options) {
  SubscriberProcess subscriber;
  const int rounds = options.choose(9, 3, 1);
  // The same for every number of streams, and whole ticks of each.
  const std::uint64_t total = kSamplesPerTick * kStreams.back() * options.choose<std::uint64_t>(10'000, 2'000, 20);
  const auto parent =
      options.out.empty() ? std::string(".") : std::filesystem::path(options.out).parent_path().string();
  std::string folder = (parent.empty() ? std::string(".") : parent) + "/scaling-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) give_up("no folder can be made in " + parent);
  (void)measure(1, total, folder + "/run.h5", subscriber);
  std::array<Rounds, kStreams.size()> found;
  for (int i = 0; i < rounds; ++i) {
    std::array<double, kStreams.size()> ns{};
    for (std::size_t s = 0; s < kStreams.size(); ++s) {
      const auto took_s = measure(kStreams[s], total, folder + "/run.h5", subscriber);
      ns[s] = took_s / static_cast<double>(total) * 1e9;
      found[s].add(ns[s], ns[0]);
    }
  }
  std::filesystem::remove_all(folder);
  std::vector<Figure> figures;
  for (std::size_t s = 0; s < kStreams.size(); ++s) {
    auto f = figure_of(fmt::format("CPU of a sample, {} stream{}", kStreams[s], s == 0 ? "" : "s"), "ns", found[s]);
    if (s > 0) f.at_most = kBar;
    const double core = f.ours * 1e-9 * kRate_Hz * static_cast<double>(kStreams[s]);
    f.note += fmt::format("; {:.2f} % of a core for all streams at 7 kHz", 100 * core);
    figures.push_back(f);
  }
  return report(options, figures);
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::scaling_bench(strigil::bench::parse_options(argc, argv)); }
