#include <fmt/format.h>

#include <thread>

#include "apps/file_commands.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/record/replay.hpp"

namespace strigil::apps {
namespace {

constexpr std::size_t kPumpEvery = 256;

}  // namespace

int replay_command(const ReplayArguments& a) {
  auto reader = daq::RunReader::open(a.run);
  if (!reader) return refuse(reader.error().message);
  const auto end = (*reader)->end();
  if (!end) return refuse(end.error().message);
  const auto streams = (*reader)->header().streams;
  daq::PublishedRun run;
  run.id = (*reader)->header().run_id + "-replay";
  daq::RunReplay replay(std::move(*reader));
  daq::Fanout fanout;
  const auto rings = fanout.add_sink("publisher");
  auto config = publisher_config(a.publication);
  if (!config) return refuse(config.error().message);
  config->own_thread = false;
  config->when_full = daq::WhenFull::kWait;
  auto publisher = daq::Publisher::start(*config, run, streams, rings);
  if (!publisher) return refuse(publisher.error().message);
  fmt::print("replaying {} on {}\n", a.run, (*publisher)->bound_endpoint());
  std::fflush(stdout);
  if (!(*publisher)->wait_for_subscribers(a.publication.wait_subscriptions, kWaitForSubscribers)) {
    return refuse(too_few_subscriptions(a.publication, **publisher).message);
  }
  const auto began = daq::host_now();
  std::optional<daq::HostTime> origin;
  for (std::size_t pushed = 0;; ++pushed) {
    const auto time = replay.next_time();
    if (!time) return refuse(time.error().message);
    if (!*time) break;
    if (!origin) origin = **time;
    if (a.rate > 0) {
      const auto due = began + daq::from_seconds(daq::seconds(**time - *origin) / a.rate);
      while (daq::host_now() < due) {
        (*publisher)->pump(daq::host_now());
        std::this_thread::sleep_for(std::min<daq::Duration>(due - daq::host_now(), std::chrono::milliseconds(5)));
      }
    } else if (pushed % kPumpEvery == 0) {
      (*publisher)->pump(daq::host_now());
    }
    if (auto r = replay.push_next(fanout); !r) return refuse(r.error().message);
  }
  const auto counts = (*publisher)->stop_and_drain();
  for (const auto& s : counts.streams) fmt::print("{:<16} {:>10} samples published\n", s.stream, s.samples);
  return kPass;
}

}  // namespace strigil::apps
