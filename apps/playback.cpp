#include "apps/playback.hpp"

#include <utility>

#include "protocols/run_values.hpp"

namespace strigil::apps {
namespace {

/// Values as the run had them: its calibrations may be more than the streams' scale and offset.
daq::Result<void> convert_as_recorded(daq::RunReplay& replay) {
  auto values = protocols::RunValues::of(replay.reader().header());
  if (!values) return values.error();
  replay.convert([by = std::move(*values)](daq::Block& block) mutable { by.apply(block); });
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
