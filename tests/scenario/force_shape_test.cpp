// A force that changes along the way, by the whole rig on a simulated stage, there and back; judged by what the phantom
// felt at each place.
#include <gtest/gtest.h>

#include <cmath>

#include "daq/strict_toml.hpp"
#include "protocols/runner.hpp"
#include "rig/rig.hpp"
#include "sim/virtual_world.hpp"

namespace strigil::protocols {
namespace {

class WorldPacer final : public rig::Pacer {
 public:
  explicit WorldPacer(sim::VirtualWorld& world) : world_(world) {}
  daq::HostTime next() override {
    world_.advance_to_arrival(world_.now() + std::chrono::milliseconds(2));
    return world_.now();
  }

 private:
  sim::VirtualWorld& world_;
};

struct Felt {
  rig::SupervisorState state = rig::SupervisorState::kFaulted;
  double worst_N = 0;  ///< difference from the profile, while a stroke moved
  double least_N = 1e9;
  double most_N = 0;
  double overshoot = 0;
  std::size_t looked_at = 0;
};

/// Strokes with this profile; the one back is suspended for a second in its middle if asked.
Felt stroke(ForceShape shape, bool suspend) {
  const auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim_tmcl.toml").value();
  const auto bench = rig::parse_bench(text, "sim_tmcl").value();
  auto p = parse_protocol(daq::read_text_file(STRIGIL_SOURCE_DIR "/protocols/library/force.toml").value(), "f").value();
  p.stroke_speed_m_s = {0.05};
  p.stroke_length_m = 60e-3;
  p.force_shape = shape;
  p.edge_fraction = 0.5;
  const auto plan = expand(p, {.travel_min_m = bench.stage.travel_min_m,
                               .travel_max_m = bench.stage.travel_max_m,
                               .clear_z_m = bench.stage.clear_z_m,
                               .max_speed_m_s = bench.stage.max_speed_m_s,
                               .max_force_N = bench.interlock.max_force_N,
                               .hold = rig::hold_of(bench),
                               .position_rate_Hz = bench.stage.status_rate_Hz})
                        .value();
  daq::ChunkRing chunks(4096);
  sim::VirtualWorld world(sim::parse_sim_config(text, "sim_tmcl").value(), chunks);
  WorldPacer pacer(world);
  auto assembled =
      rig::Rig::assemble(bench, chunks, [&](const std::string& uri, daq::LinkId id) { return world.open(uri, id); });
  auto& rig = **assembled;
  EXPECT_TRUE(rig.bring_up(pacer).ok());
  Runner runner(plan);
  rig.begin();
  auto& loop = rig.loop_with(runner);
  Felt felt;
  bool asked = false;
  daq::HostTime suspended;
  while (!loop.over()) {
    const auto now = pacer.next();
    const auto state = rig.supervisor().state();
    if (state == rig::SupervisorState::kFaulted) {
      (void)loop.request(rig::Command::kReset);
      (void)loop.request(rig::Command::kStart);
    }
    const auto& truth = world.world().plant();
    const double fraction = (truth.position_m[0] - p.start_x_m) / p.stroke_length_m;
    const auto progress = runner.progress();
    const bool stroking = progress.kind == StepKind::kStroke && progress.suspension == Suspension::kNone;
    if (suspend && !asked && stroking && !plan.steps[progress.step].forward && fraction < 0.6) {
      asked = loop.request(rig::Command::kSuspend);
      suspended = now;
    }
    if (state == rig::SupervisorState::kSuspended && now - suspended > std::chrono::seconds(1)) {
      (void)loop.request(rig::Command::kResume);
    }
    loop.tick(now);
    if (stroking && std::abs(truth.velocity_m_s[0]) > 0.04) {
      const double wished_N = plan.ways[0].force.force_N(fraction);
      felt.worst_N = std::max(felt.worst_N, std::abs(truth.force_N[2] - wished_N));
      felt.least_N = std::min(felt.least_N, truth.force_N[2]);
      felt.most_N = std::max(felt.most_N, truth.force_N[2]);
      ++felt.looked_at;
    }
  }
  felt.state = rig.supervisor().state();
  for (const auto& r : runner.results()) {
    if (r.kind != StepKind::kPress || r.outcome != StepOutcome::kDone) continue;
    felt.overshoot = std::max(felt.overshoot, r.normal_force_N.max() / r.wished_N - 1);
  }
  return felt;
}

TEST(ForceShape, ThePhantomFeelsTheProfileThereAndBack) {
  for (const auto shape : {ForceShape::kRamp, ForceShape::kTrapezoid, ForceShape::kHalfSine}) {
    for (const bool suspend : {false, true}) {
      const auto felt = stroke(shape, suspend);
      const auto what = static_cast<int>(shape);
      EXPECT_EQ(felt.state, rig::SupervisorState::kFinished) << what << suspend;
      EXPECT_GT(felt.looked_at, 1000U) << what;
      EXPECT_LT(felt.worst_N, 0.3) << what << suspend;
      EXPECT_LT(felt.least_N, 3.6) << what << suspend;
      EXPECT_GT(felt.most_N, 5.7) << what << suspend;
      EXPECT_LT(felt.overshoot, 0.1) << what << suspend << ": of the force where the pass begins";
    }
  }
}

}  // namespace
}  // namespace strigil::protocols
