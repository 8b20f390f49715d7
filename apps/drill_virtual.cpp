#include "apps/drill_virtual.hpp"

#include "apps/drill_truth.hpp"
#include "apps/run.hpp"

namespace strigil::apps {

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
  watcher.world = [&](const sim::World& world, daq::HostTime now) {
    watch.see(world, now);
    return daq::Duration::zero();
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
