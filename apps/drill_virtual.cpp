#include "apps/drill_virtual.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "apps/drill_truth.hpp"
#include "apps/run.hpp"

namespace strigil::apps {
namespace {

/// From fill() on no file of this process may grow beyond the size that `path` has then; as on a full disk, writing
/// fails and nothing else. Undone with its owner.
class FullDisk {
 public:
  FullDisk() {
    (void)::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDisk() {
    (void)::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  void fill(const std::string& path) const {
    std::error_code failure;
    rlimit limit = before_;
    limit.rlim_cur = std::filesystem::file_size(path, failure);
    (void)::setrlimit(RLIMIT_FSIZE, &limit);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

}  // namespace

daq::Result<DrillRun> drill_virtually(const Prepared& prepared, const sim::SimFault& fault, std::uint64_t seed,
                                      const std::string& out) {
  RunOptions o;
  o.bench = prepared.bench;
  o.bench.text += "\n" + to_toml(fault);
  o.plan = prepared.plan;
  o.protocol_text = prepared.protocol_text;
  o.virtual_time = true;
  o.seed = seed;
  o.out = out;
  TruthWatch watch;
  RunWatcher watcher;
  std::size_t carried_out = 0;
  const FullDisk disk;
  watcher.world = [&](const sim::World& world, daq::HostTime now) {
    watch.see(world, now);
    daq::Duration stalls{};
    while (carried_out < world.made().size()) {
      const auto& made = world.made()[carried_out++].fault;
      if (made.kind == sim::FaultKind::kStallHost) stalls = made.lasts;
      if (made.kind == sim::FaultKind::kFillDisk) disk.fill(out);
    }
    return stalls;
  };
  const auto outcome = run(o, watcher);
  if (!outcome) return outcome.error();
  DrillRun drilled;
  drilled.phase = fault.after;
  drilled.truth = watch.truth();
  drilled.judgement = protocols::name_of(outcome->verdict.judgement);
  for (const auto& r : outcome->verdict.reasons) drilled.reasons.push_back(r.text);
  drilled.run_file = out;
  return drilled;
}

}  // namespace strigil::apps
