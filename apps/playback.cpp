#include "apps/playback.hpp"

#include "protocols/court/run_strokes.hpp"
#include "rig/bench.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {
namespace {

/// Values as the run had them: its calibration may be more than the streams' scale and offset.
daq::Result<void> convert_as_recorded(daq::RunReplay& replay) {
  const auto& header = replay.reader().header();
  const auto bench_text = header.config.find("bench.toml");
  if (!header.config.contains("calibration.json") || bench_text == header.config.end()) return {};
  auto bench = rig::parse_bench(bench_text->second, "bench.toml of the run");
  if (!bench) return bench.error();
  const auto force = rig::roles_of(*bench).force;
  auto conversion = protocols::force_conversion_of(header, force);
  if (!conversion) return conversion.error();
  if (!*conversion) return {};
  replay.convert([force, by = **conversion](daq::Block& block) {
    if (block.stream == force) by.apply(block);
  });
  return {};
}

}  // namespace

daq::Result<std::unique_ptr<Playback>> Playback::open(const std::string& run_file, const Publication& publication) {
  auto reader = daq::RunReader::open(run_file);
  if (!reader) return reader.error();
  if (const auto end = (*reader)->end(); !end) return end.error();
  std::unique_ptr<Playback> out(new Playback(std::move(*reader)));
  if (auto converted = convert_as_recorded(out->replay_); !converted) return converted.error();
  auto config = publisher_config(publication);
  if (!config) return config.error();
  config->own_thread = false;
  config->when_full = daq::WhenFull::kWait;
  daq::PublishedRun run;
  run.id = out->header().run_id + "-replay";
  auto publisher = daq::Publisher::start(*config, run, out->header().streams, out->fanout_.add_sink("publisher"));
  if (!publisher) return publisher.error();
  out->publisher_ = std::move(*publisher);
  return out;
}

}  // namespace strigil::apps
