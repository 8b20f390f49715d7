// Scaling: CPU time a sample through sessions, tick, recorder and publisher, from 1 to 16 streams; everything that the
// process does between chunks and file counts. As fast as it goes, so that what is measured is work and not waiting.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "daq/codec/sensor_stream_session.hpp"
#include "daq/link/chunk_feed.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/record/recorder.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/sensor_device.hpp"
#include "tests/bench/small_rig.hpp"
#include "tests/bench/thread_clock.hpp"

namespace strigil::bench {
namespace {

constexpr double kRate_Hz = 6400;
constexpr std::uint8_t kPacket = 32;

/// Nanoseconds of CPU a sample, with this many streams of three channels.
double cost_ns(std::size_t streams, double seconds_of_data, const std::string& file) {
  daq::ChunkRing chunks(1024);
  daq::ChunkFeed feed(chunks);
  SmallRig rig(chunks);
  NoLink link;
  std::vector<SensorDevice> devices;
  std::vector<std::unique_ptr<daq::SensorStreamSession>> sessions;
  for (std::size_t i = 0; i < streams; ++i) {
    devices.emplace_back(SensorDeviceConfig{.id = static_cast<std::uint32_t>(i + 1),
                                            .stream = fmt::format("vibration_{}", i),
                                            .samples_per_packet = kPacket,
                                            .rate_Hz = kRate_Hz});
    sessions.push_back(std::make_unique<daq::SensorStreamSession>(daq::SensorStreamSessionConfig{
        .link = static_cast<daq::LinkId>(i), .first_stream = static_cast<daq::StreamId>(i)}));
    rig.intake.attach(*sessions.back(), link);
  }
  daq::HostTime now{1'000'000'000};
  rig::Readings before;
  std::vector<daq::StreamDescription> described;
  for (std::size_t i = 0; i < streams; ++i) {
    for (const auto& frame : devices[i].description()) {
      (void)feed.put(static_cast<daq::LinkId>(i), daq::ChunkKind::kBytes, frame.data(), now);
    }
    rig.intake.drain(now, before);
    if (!sessions[i]->described()) give_up("a device was not understood");
    described.push_back(sessions[i]->streams().front());
  }
  auto recorder_rings = rig.fanout.add_sink("recorder");
  auto publisher_rings = rig.fanout.add_sink("publisher");
  daq::RunHeader header;
  header.run_id = "bench";
  header.streams = described;
  auto writer = daq::RunWriter::create(file, header);
  if (!writer) give_up(writer.error().message);
  auto publisher = daq::Publisher::start({}, {.id = "bench"}, described, publisher_rings);
  if (!publisher) give_up(publisher.error().message);
  daq::Recorder recorder(std::move(*writer), recorder_rings);
  recorder.start();
  rig.intake.configure(described, {.force = 97, .position = 98, .vibration = 99});

  const auto packets = static_cast<std::uint64_t>(seconds_of_data * kRate_Hz / kPacket);
  constexpr std::size_t kAhead = daq::kSinkBlocks / 2;
  const double began_s = process_cpu_s();
  for (std::uint64_t p = 0; p < packets; ++p) {
    now = now + daq::from_seconds(kPacket / kRate_Hz);
    for (std::size_t i = 0; i < streams; ++i) {
      (void)feed.put(static_cast<daq::LinkId>(i), daq::ChunkKind::kBytes, devices[i].next().data(), now);
    }
    rig.loop.tick(now);
    while (recorder_rings->blocks.size() > kAhead || publisher_rings->blocks.size() > kAhead) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  recorder.stop_and_drain();
  const double took_s = process_cpu_s() - began_s;
  if (!recorder.finish("{}", {})) give_up("the file was not finished");
  std::uint64_t samples = 0;
  for (const auto n : recorder.samples()) samples += n;
  if (samples != packets * kPacket * streams) give_up("samples were lost on the way to the file");
  std::filesystem::remove(file);
  return took_s / static_cast<double>(samples) * 1e9;
}

int scaling_bench(const Options& options) {
  std::string folder = (std::filesystem::temp_directory_path() / "strigil-scaling-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) give_up("no folder can be made");
  constexpr std::array<std::size_t, 5> kStreams{1, 2, 4, 8, 16};
  // As many samples in each, and the numbers of streams in turns, so that what else goes on weighs on all of them.
  const double all_s = options.quick ? 16 : 160;
  std::array<std::vector<double>, kStreams.size()> costs;
  (void)cost_ns(1, 2, folder + "/warm.h5");
  for (int round = 0; round < (options.quick ? 2 : 5); ++round) {
    for (std::size_t i = 0; i < kStreams.size(); ++i) {
      costs[i].push_back(cost_ns(kStreams[i], all_s / static_cast<double>(kStreams[i]), folder + "/run.h5"));
    }
  }
  std::filesystem::remove_all(folder);
  std::vector<Figure> figures;
  const double one_ns = median(costs[0]);
  for (std::size_t i = 0; i < kStreams.size(); ++i) {
    Figure f;
    f.name = fmt::format("CPU a sample, {} stream{}", kStreams[i], i == 0 ? "" : "s");
    f.unit = "ns";
    f.ours = median(costs[i]);
    f.reference = one_ns;
    f.judged = f.ours / one_ns;
    f.note = fmt::format("3 channels; {:.0f} to {:.0f} ns in {} rounds", percentile(costs[i], 0),
                         percentile(costs[i], 1), costs[i].size());
    if (i > 0) f.at_most = 1.25;
    figures.push_back(f);
  }
  return report(options, figures);
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::scaling_bench(strigil::bench::parse_options(argc, argv)); }
