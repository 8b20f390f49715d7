#include "sim/fault_maker.hpp"

#include <algorithm>
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

void FaultMaker::see(daq::HostTime now, const PlantState& state, const Plant& plant) {
  if (waiting_.empty()) return;
  const auto reached = [&](FaultOrigin origin) -> std::optional<daq::HostTime>& { return origins_[index_of(origin)]; };
  const auto reach = [&](FaultOrigin origin) {
    if (!reached(origin)) reached(origin) = now;
  };
  const double x = state.position_m[kX];
  const bool beside = anvil_ && anvil_->under(x);
  if (beside) return;
  const bool in_contact = plant.compression_m() > 0;
  const double depth_m = plant.surface_m(x, state.position_m[rig::kY]) - state.position_m[kZ];
  if (depth_m < 0 && depth_m > -kNear_m && state.velocity_m_s[kZ] < -kUnderWay_m_s) reach(FaultOrigin::kApproach);
  if (!in_contact) return;
  reach(FaultOrigin::kContact);
  if (std::abs(state.velocity_m_s[kX]) > kUnderWay_m_s) reach(FaultOrigin::kStroke);
  if (reached(FaultOrigin::kStroke) && state.velocity_m_s[kZ] > kUnderWay_m_s) reach(FaultOrigin::kRetract);
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
    if (now >= l.until) set_lasting(l.fault, false, now);
  }
  std::erase_if(lasting_, [&](const Lasting& l) { return now >= l.until; });
}

void FaultMaker::begin(const SimFault& fault, daq::HostTime now) {
  made_.push_back({fault, now});
  if (fault.lasts.count() > 0) lasting_.push_back({fault, now + fault.lasts});
  const auto samples = [&](double rate_Hz) {
    return std::max(1U, static_cast<std::uint32_t>(daq::seconds(fault.lasts) * rate_Hz));
  };
  switch (fault.kind) {
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
    case FaultKind::kSpikeForce:
      return bench_.force.spike(fault.size, samples(bench_.force.rate_Hz()));
    case FaultKind::kSpikeVibration:
      return bench_.vibration.spike(fault.size, samples(bench_.vibration.rate_Hz()));
    case FaultKind::kBiasForce:
      return bench_.force.step_bias(fault.size);
    case FaultKind::kJumpForceClock:
      return bench_.force.jump_clock(fault.size);
    case FaultKind::kJumpVibrationClock:
      return bench_.vibration.jump_clock(fault.size);
    case FaultKind::kRebootForce:
      return bench_.force.reboot();
    case FaultKind::kRebootVibration:
      return bench_.vibration.reboot();
    case FaultKind::kRebootStage:
      return bench_.stage.reboot(now, bench_.stage_wire);
    case FaultKind::kLoseStepsX:
      return bench_.stage.lose_steps(rig::kX, fault.size);
    case FaultKind::kLoseStepsZ:
      return bench_.stage.lose_steps(rig::kZ, fault.size);
    case FaultKind::kGarbageForce:
      return speak_garbage(bench_.force_wire, fault.count, now);
    case FaultKind::kGarbageVibration:
      return speak_garbage(bench_.vibration_wire, fault.count, now);
    case FaultKind::kGarbageStage:
      return speak_garbage(bench_.stage_wire, fault.count, now);
    default:
      return set_lasting(fault, true, now);
  }
}

/// Those that are a state and not an instant.
void FaultMaker::set_lasting(const SimFault& fault, bool on, daq::HostTime now) {
  switch (fault.kind) {
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
    case FaultKind::kSaturateForce:
      return bench_.force.set_saturated(on);
    case FaultKind::kSaturateVibration:
      return bench_.vibration.set_saturated(on);
    case FaultKind::kFlagForce:
      return bench_.force.set_status(on ? fault.count : 0);
    case FaultKind::kFlagVibration:
      return bench_.vibration.set_flagged(on);
    case FaultKind::kRailForce:
      return bench_.force.set_rail(on ? std::optional(fault.size) : std::nullopt);
    case FaultKind::kUnplugForce:
      return bench_.force_wire.plug(!on, now);
    case FaultKind::kUnplugVibration:
      return bench_.vibration_wire.plug(!on, now);
    case FaultKind::kUnplugStage:
      return bench_.stage_wire.plug(!on, now);
    default:
      return;  // the host's
  }
}

void FaultMaker::speak_garbage(TwinOutput& wire, std::uint32_t bytes, daq::HostTime now) {
  std::vector<std::byte> noise(bytes);
  for (auto& b : noise) {
    garbage_ = garbage_ * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX
    b = static_cast<std::byte>(garbage_ >> 56U);
  }
  wire.send(noise, now);
}

}  // namespace strigil::sim
