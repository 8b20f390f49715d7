#include "apps/drill_truth.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::apps {
namespace {

/// Slower than this is standing still: what is left of a ramp.
constexpr double kStill_m_s = 1e-4;

}  // namespace

void TruthWatch::see(const sim::World& world, daq::HostTime now) {
  const auto& plant = world.plant();
  const double force_N = plant.force_N[rig::kZ];
  auto& t = truth_;
  t.end_force_N = force_N;
  t.end_z_m = plant.position_m[rig::kZ];
  const auto& v = plant.velocity_m_s;
  const bool lifting = v[rig::kZ] > 0 && std::hypot(v[rig::kX], v[rig::kY]) <= kStill_m_s;
  t.end_speed_m_s = lifting ? 0 : std::hypot(v[rig::kX], v[rig::kY], v[rig::kZ]);
  if (!t.fault_at) {
    if (world.made().empty()) return;
    t.fault_at = world.made().front().at;
    t.force_at_fault_N = force_N;
    t.last_danger = t.last_contact = *t.fault_at;
  }
  t.peak_force_N = std::max(t.peak_force_N, force_N);
  if (lifting && !t.lifted_at && v[rig::kZ] > kStill_m_s) t.lifted_at = now;
  if (t.end_speed_m_s > kStill_m_s) t.last_danger = now;
  if (force_N > 0) t.last_contact = now;
}

}  // namespace strigil::apps
