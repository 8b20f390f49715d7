#include "apps/operate_session.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include "apps/calibration_gate.hpp"

namespace strigil::apps {
namespace {

/// The bench with the calibrations that may be believed: by hand, too, a place and a force are those of its runs. One
/// that may not leaves it as it counts, whatever the policy: whoever jogs has to get the stage out of there.
rig::BenchConfig with_calibrations(rig::BenchConfig bench) {
  const auto now = daq::wall_now();
  if (const auto map = stage_map_in_use(bench, now)) bench.stage.record = *map;
  if (const auto record = force_record_in_use(bench, now)) bench.force.record = *record;
  return bench;
}

}  // namespace

daq::Result<std::unique_ptr<OperateSession>> OperateSession::start(const rig::BenchConfig& bench,
                                                                   const Publication& publication) {
  std::unique_ptr<OperateSession> s(new OperateSession());
  if (auto r = s->wires_.open(bench, false, 0); !r) return r.error();
  auto rig = rig::Rig::assemble(with_calibrations(bench), s->wires_.chunks(),
                                [&](const std::string& uri, daq::LinkId id) { return s->wires_.link(uri, id); });
  if (!rig) return rig.error();
  s->rig_ = std::move(*rig);
  if (auto r = s->rig_->bring_up(s->wires_.pacer()); !r) return r.error();

  auto config = publisher_config(publication);
  if (!config) return config.error();
  config->linger = daq::from_seconds(0.2);  // nobody waits for the end of a session by hand
  s->run_id_ = fmt::format("{}-operate", daq::file_stamp(daq::wall_now()));
  s->rings_ = std::make_shared<daq::SinkRings>("publisher", daq::kSinkBlocks, daq::kSinkEvents);
  auto publisher = daq::Publisher::start(*config, published_run(s->run_id_), s->rig_->streams(), s->rings_);
  if (!publisher) return publisher.error();
  s->publisher_ = std::move(*publisher);
  s->rig_->fanout().add_sink(s->rings_);
  s->rig_->begin();
  s->loop_ = &s->rig_->loop_with(s->operate_);
  s->thread_ = std::thread([session = s.get()] { session->turn(); });
  return s;
}

OperateSession::~OperateSession() { end(); }

void OperateSession::reset() noexcept {
  (void)loop_->request(rig::Command::kReset);
  (void)loop_->request(rig::Command::kStart);
}

void OperateSession::turn() {
  (void)::pthread_setname_np(::pthread_self(), "loop");
  auto& pacer = wires_.pacer();
  for (;;) {
    loop_->tick(pacer.next());
    if (!leave_.load(std::memory_order_acquire)) continue;
    operate_.end();
    // Whoever was never allowed to move is not moved to leave: only a running session lifts.
    const auto state = rig_->supervisor().state();
    if (loop_->over() || state == rig::SupervisorState::kFaulted || state == rig::SupervisorState::kReady) break;
  }
  rig_->shut_down(pacer);
}

void OperateSession::end() {
  leave_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
  if (publisher_) (void)publisher_->stop_and_drain();
}

}  // namespace strigil::apps
