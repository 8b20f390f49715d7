#include "apps/simulated_hands.hpp"

#include <chrono>
#include <cmath>
#include <limits>

namespace strigil::apps {
namespace {

constexpr std::uint64_t kLoadSeed = 0x6C6F616453ULL;
constexpr std::uint64_t kReadingSeed = 0x72656164ULL;
/// A load hangs askew by up to so much; what force procedures take for granted unless they say otherwise [A].
constexpr double kDirection_rad = 0.0035;
/// Where the simulated sensors' course of temperature has its 0 (docs/physics_devices.md).
constexpr double kCalibrated_C = 23;
/// Of the thermometer, standard [A].
constexpr double kThermometer_K = 0.05;
constexpr double kNear_K = 0.3;
/// A bench whose course never comes there has another.
constexpr daq::Duration kLongestWait = std::chrono::hours(12);

/// Standard, relative: of the masses the largest, which are certified against one standard.
double relative_u(const protocols::ReferenceStandard& r) {
  double u = r.expanded_relative / 2;
  for (const auto& m : r.masses) u = std::fmax(u, m.u_kg / m.mass_kg);
  return std::hypot(u, r.masses.empty() ? 0 : r.place.u_gravity_m_s2 / r.place.gravity_m_s2);
}

}  // namespace

void handle_instrument(const protocols::HandsRequest& request, sim::InstrumentBenchPlant& bench) {
  const auto& e = request.at_edge;
  switch (request.task) {
    case protocols::HandsTask::kTakeOut:
      return bench.mount(false);
    case protocols::HandsTask::kPutIn:
      return bench.mount(true);
    case protocols::HandsTask::kTilt:
      return bench.tilt(request.azimuth_rad);
    case protocols::HandsTask::kTap:
      return bench.tap({e.taps, e.period_s, e.pulse_s, e.impulse_N_s});
    case protocols::HandsTask::kCouple:
      return bench.couple();
    case protocols::HandsTask::kSweep:
      return bench.sweep({e.low_Hz, e.high_Hz, e.sweep_s, e.period_s, e.force_N});
    case protocols::HandsTask::kLetGo:
      return bench.leave_edge();
    default:
      return;
  }
}

SimulatedHands::SimulatedHands(protocols::Prompter& asked, sim::VirtualWorld& world,
                               const protocols::ReferenceStandard& reference, const sim::TemperatureCourse& temperature,
                               std::uint64_t seed)
    : asked_(asked),
      world_(world),
      temperature_(temperature),
      reference_(reference),
      load_({.relative_u = relative_u(reference), .direction_rad = kDirection_rad, .seed = seed ^ kLoadSeed}),
      noise_(seed ^ kReadingSeed) {
  scale_ = 1 + reference.expanded_relative / 2 * noise_.normal();
  offset_ = reference.expanded / 2 * noise_.normal();
}

void SimulatedHands::ask(const protocols::HandsRequest& request, daq::HostTime now) {
  request_ = request;
  asked_at_ = now;
  asked_.ask(request, now);
}

std::optional<protocols::HandsAnswer> SimulatedHands::poll(daq::HostTime now) {
  if (request_.task == protocols::HandsTask::kWarm && std::abs(bench_C() - request_.temperature_C) > kNear_K) {
    // Nobody warms a simulated bench: its own course is waited for.
    return now - asked_at_ < kLongestWait ? std::nullopt : std::optional(protocols::HandsAnswer{.given_up = true});
  }
  auto answer = asked_.poll(now);
  if (!answer || answer->given_up) return answer;
  switch (request_.task) {
    case protocols::HandsTask::kConfirm:
      break;
    case protocols::HandsTask::kLoad:
      world_.load_edge(load_.truth_N(request_.load_N));
      break;
    case protocols::HandsTask::kTurn:
      load_.put_up(request_.azimuth_rad);
      world_.load_edge({});
      break;
    case protocols::HandsTask::kMount:
      world_.shake({});
      world_.mount_on_shaker(request_.axis);
      break;
    case protocols::HandsTask::kShake:
      world_.shake(request_.excitation);
      break;
    case protocols::HandsTask::kWarm:
      break;
    case protocols::HandsTask::kReading:
      if (std::isnan(answer->value)) answer->value = reference_reading(request_.reference);
      break;
    default:
      if (auto* bench = world_.instrument_bench()) handle_instrument(request_, *bench);
  }
  return answer;
}

double SimulatedHands::bench_C() const {
  const auto& world = world_.world();
  return kCalibrated_C + temperature_.at(daq::seconds(world.next_step() - world.start()));
}

double SimulatedHands::reference_reading(const std::string& what) {
  if (what == "temperature") return bench_C() + kThermometer_K * noise_.normal();
  const auto& at = world_.world().stage().position_m();
  constexpr const char* kPositions[] = {"position x", "position y", "position z"};
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    if (what == kPositions[axis]) return at[axis] * scale_ + offset_;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace strigil::apps
