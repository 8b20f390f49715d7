#include "sim/fault_maker.hpp"

#include <cmath>

namespace strigil::sim {
namespace {

using rig::kX;
using rig::kZ;

/// So near over the phantom an approach is one; a guarded approach begins a few millimetres higher.
constexpr double kNear_m = 3e-3;
/// Slower than this is no way along, up or down.
constexpr double kUnderWay_m_s = 1e-3;

constexpr std::size_t index_of(FaultOrigin origin) { return static_cast<std::size_t>(origin); }

}  // namespace

void FaultMaker::host_spoke(daq::HostTime at) {
  auto& origin = origins_[index_of(FaultOrigin::kHost)];
  if (!origin) origin = at;
}

void FaultMaker::see(daq::HostTime now, const PlantState& plant, const SpringDamperPlant& phantom) {
  if (waiting_.empty()) return;
  const auto reached = [&](FaultOrigin origin) -> std::optional<daq::HostTime>& { return origins_[index_of(origin)]; };
  const auto reach = [&](FaultOrigin origin) {
    if (!reached(origin)) reached(origin) = now;
  };
  const double x = plant.position_m[kX];
  const bool beside = phantom_.anvil && x >= phantom_.anvil->from_x_m;
  if (beside) return;
  const bool in_contact = phantom.compression_m() > 0;
  const double depth_m = phantom.surface_m(x) - plant.position_m[kZ];
  if (depth_m < 0 && depth_m > -kNear_m && plant.velocity_m_s[kZ] < -kUnderWay_m_s) reach(FaultOrigin::kApproach);
  if (!in_contact) return;
  reach(FaultOrigin::kContact);
  if (std::abs(plant.velocity_m_s[kX]) > kUnderWay_m_s) reach(FaultOrigin::kStroke);
  if (reached(FaultOrigin::kStroke) && plant.velocity_m_s[kZ] > kUnderWay_m_s) reach(FaultOrigin::kRetract);
}

void FaultMaker::make(daq::HostTime now) {
  const auto due = [&](const SimFault& fault) {
    const auto& origin = origins_[index_of(fault.after)];
    return origin && now >= *origin + fault.at;
  };
  for (const auto& fault : waiting_) {
    if (due(fault)) begin(fault, now);
  }
  std::erase_if(waiting_, due);
  for (const auto& l : lasting_) {
    if (now >= l.until) set_lasting(l.kind, false);
  }
  std::erase_if(lasting_, [&](const Lasting& l) { return now >= l.until; });
}

void FaultMaker::begin(const SimFault& fault, daq::HostTime now) {
  made_.push_back({fault, now});
  if (fault.lasts.count() > 0) lasting_.push_back({fault.kind, now + fault.lasts});
  switch (fault.kind) {
    case FaultKind::kFreezeForce:
    case FaultKind::kFreezeVibration:
    case FaultKind::kSilenceForce:
    case FaultKind::kSilenceVibration:
    case FaultKind::kSilenceStage:
    case FaultKind::kStallStage:
      return set_lasting(fault.kind, true);
    case FaultKind::kStageAlarm:
      return bench_.stage.trigger_alarm(static_cast<int>(fault.count), now, bench_.stage_wire);
    case FaultKind::kDropForce:
      return bench_.force.drop_next(fault.count);
    case FaultKind::kDropVibration:
      return bench_.vibration.drop_next(fault.count);
    case FaultKind::kDamageForce:
      return bench_.force.damage_next(fault.count);
    case FaultKind::kDamageVibration:
      return bench_.vibration.damage_next(fault.count);
  }
}

void FaultMaker::set_lasting(FaultKind kind, bool on) {
  switch (kind) {
    case FaultKind::kFreezeForce:
      return bench_.force.set_frozen(on);
    case FaultKind::kFreezeVibration:
      return bench_.vibration.set_frozen(on);
    case FaultKind::kSilenceForce:
      return bench_.force.set_silent(on);
    case FaultKind::kSilenceVibration:
      return bench_.vibration.set_silent(on);
    case FaultKind::kSilenceStage:
      return bench_.stage.set_silent(on);
    case FaultKind::kStallStage:
      return bench_.stage.set_stalled(on);
    default:
      return;
  }
}

}  // namespace strigil::sim
