#include "apps/short_run.hpp"

#include "apps/stop_request.hpp"

namespace strigil::apps {
namespace {

constexpr auto kGiveUp = std::chrono::seconds(5);

}  // namespace

daq::Result<std::unique_ptr<ShortRun>> ShortRun::bring_up(const ShortRunOptions& o) {
  std::unique_ptr<ShortRun> run(new ShortRun(o.world, o.request != nullptr ? *o.request : stop_request()));
  auto& wires = run->wires_;
  if (auto r = wires.open(o.bench, o.virtual_time, o.seed); !r) return r.error();
  auto rig = rig::Rig::assemble(
      o.bench, wires.chunks(), [&](const std::string& uri, daq::LinkId id) { return wires.link(uri, id); }, o.purpose);
  if (!rig) return rig.error();
  run->rig_ = std::move(*rig);
  if (auto r = run->rig_->bring_up(wires.pacer()); !r) return r.error();
  return run;
}

void ShortRun::perform(rig::Behaviour& behaviour, const Look& look) {
  rig_->begin();
  auto& loop = rig_->loop_with(behaviour);
  auto& pacer = wires_.pacer();
  const auto began = pacer.next();
  bool abort_sent = false;
  for (auto now = began; !loop.over(); now = pacer.next()) {
    const int request = request_.load();
    if (request >= 2) rig_->supervisor().emergency_stop();
    const bool faulted = rig_->supervisor().state() == rig::SupervisorState::kFaulted;
    if (faulted && request == 0) {
      (void)loop.request(rig::Command::kReset);
      (void)loop.request(rig::Command::kStart);
    }
    if (!abort_sent &&
        (request >= 1 || suspend_request().load() > 0 || abort_asked_ || (faulted && now - began > kGiveUp))) {
      abort_sent = loop.request(rig::Command::kAbort);
    }
    loop.tick(now);
    if (look) look(loop.state(), now);
  }
  rig_->shut_down(pacer);
}

}  // namespace strigil::apps
