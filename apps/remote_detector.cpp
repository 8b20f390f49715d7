#include "apps/remote_detector.hpp"

#include <fmt/format.h>

#include "apps/playback.hpp"

namespace strigil::apps {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);
constexpr auto kOfData = std::chrono::milliseconds(50);  // published between two looks at what came back
constexpr auto kToLeave = std::chrono::seconds(5);

}  // namespace

daq::Result<std::unique_ptr<DetectorSeat>> DetectorSeat::open(const RemoteDetectorOptions& options, bool real_time) {
  if (!options.command.empty()) {
    if (auto words = words_of_command(options.command); !words) return words.error();
  }
  protocols::DeskConfig config;
  config.mailbox.endpoint = options.answers;
  config.rules = options.rules;
  config.real_time = real_time;
  config.unnamed = options.command.empty() ? "a detector that never came" : options.command;
  const auto& p = options.publication;
  if (!p.curve_secret_key.empty()) config.mailbox.curve = daq::CurveServerFiles{p.curve_secret_key, p.curve_clients};
  auto desk = protocols::DetectorDesk::open(config);
  if (!desk) return desk.error();
  std::unique_ptr<DetectorSeat> seat(new DetectorSeat(options));
  seat->desk_ = std::move(*desk);
  return seat;
}

daq::Result<void> DetectorSeat::start(const std::string& endpoint, const std::string& run_id,
                                      const protocols::StrokeFeedConfig& run) {
  desk_->begin(run_id, run);
  if (options_.command.empty()) return {};
  auto process = DetectorProcess::start(options_.command, endpoint, desk_->endpoint());
  if (!process) return process.error();
  process_ = std::move(*process);
  desk_->watch(process_.get());
  return {};
}

bool DetectorSeat::ready(daq::Duration longest) { return desk_->wait_for_hello(longest) || desk_->gave_up(); }

std::size_t DetectorSeat::subscriptions() const { return desk_->listening() ? desk_->subscriptions() : 0; }

void DetectorSeat::published(daq::HostTime until, bool wait) {
  desk_->published(until);
  if (wait) desk_->wait_for_slowest();
}

void DetectorSeat::leave() {
  desk_->wait_for_bye();
  if (process_) process_->leave(desk_->gave_up() ? daq::Duration::zero() : kToLeave);
}

daq::Result<RemoteHearing> DetectorSeat::finish(const std::string& run_file) {
  const auto strokes = protocols::strokes_of_run(run_file, {});
  if (!strokes) return strokes.error();
  RemoteHearing out;
  out.desk = desk_->finish(*strokes);
  auto heard = protocols::join_truth(run_file, out.desk.strokes);
  if (!heard) return heard.error();
  out.heard = std::move(*heard);
  return out;
}

daq::Result<RemoteHearing> hear_run_remotely(const std::string& run_file, const RemoteDetectorOptions& options) {
  auto opened = Playback::open(run_file, options.publication);
  if (!opened) return opened.error();
  auto& playback = **opened;
  auto& publisher = playback.publisher();
  auto seat = DetectorSeat::open(options, false);
  if (!seat) return seat.error();
  const auto config = protocols::feed_config_of(playback.header());
  if (!config) return config.error();
  if (auto started = (*seat)->start(publisher.bound_endpoint(), playback.header().run_id, *config); !started)
    return started.error();
  if (options.command.empty())
    fmt::print(stderr, "replaying on {}, answers to {}\n", publisher.bound_endpoint(), (*seat)->answers());
  for (const auto deadline = daq::host_now() + kWaitForHello; daq::host_now() < deadline && !(*seat)->ready(kLook);) {
  }
  if (!publisher.wait_for_subscribers((*seat)->subscriptions(), kWaitForSubscribers)) {
    return daq::Error{fmt::format("the detector said that it had made {} subscriptions, and {} came",
                                  (*seat)->subscriptions(), publisher.subscriber_count())};
  }
  daq::HostTime told;
  daq::HostTime pumped;
  for (std::size_t pushed = 0; (*seat)->listening();) {
    const auto time = playback.next_time();
    if (!time) return time.error();
    // Everything up to the last item's time is out; what is left is later or as late.
    if (pushed > 0 && (!*time || **time - pumped >= kOfData || pushed >= Playback::kPumpEvery)) {
      publisher.pump(daq::host_now());
      (*seat)->published(told, true);
      pumped = told;
      pushed = 0;
    }
    if (!*time) break;
    told = **time;
    if (auto r = playback.push_next(); !r) return r.error();
    ++pushed;
  }
  publisher.stop_and_drain();
  (*seat)->leave();
  return (*seat)->finish(run_file);
}

}  // namespace strigil::apps
