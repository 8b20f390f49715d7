#include <fmt/format.h>

#include <thread>

#include "apps/file_commands.hpp"
#include "apps/places.hpp"
#include "apps/playback.hpp"
#include "apps/run_command.hpp"

namespace strigil::apps {

int replay_command(const ReplayArguments& a) {
  auto opened = Playback::open(a.run, a.publication);
  if (!opened) return refuse(opened.error().message);
  auto& playback = **opened;
  auto& publisher = playback.publisher();
  fmt::print("replaying {} on {}\n", a.run, publisher.bound_endpoint());
  std::fflush(stdout);
  if (!publisher.wait_for_subscribers(a.publication.wait_subscriptions, kWaitForSubscribers)) {
    return refuse(too_few_subscriptions(a.publication, publisher).message);
  }
  const auto began = daq::host_now();
  std::optional<daq::HostTime> origin;
  for (std::size_t pushed = 0;; ++pushed) {
    const auto time = playback.next_time();
    if (!time) return refuse(time.error().message);
    if (!*time) break;
    if (!origin) origin = **time;
    if (a.rate > 0) {
      const auto due = began + daq::from_seconds(daq::seconds(**time - *origin) / a.rate);
      while (daq::host_now() < due) {
        publisher.pump(daq::host_now());
        std::this_thread::sleep_for(std::min<daq::Duration>(due - daq::host_now(), std::chrono::milliseconds(5)));
      }
    } else if (pushed % Playback::kPumpEvery == 0) {
      publisher.pump(daq::host_now());
    }
    if (auto r = playback.push_next(); !r) return refuse(r.error().message);
  }
  const auto counts = publisher.stop_and_drain();
  for (const auto& s : counts.streams) fmt::print("{:<16} {:>10} samples published\n", s.stream, s.samples);
  return kPass;
}

}  // namespace strigil::apps
