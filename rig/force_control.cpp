#include "rig/force_control.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::rig {
namespace {

/// B in units of k T (science.md 4.2: 2-3 k T, phase margin 61-71 degrees).
constexpr double kMargin = 2.5;
/// The integral's time in units of T: a quarter of the crossover at 1 / (2.5 T), 14 degrees of phase.
constexpr double kIntegral = 10;
/// The first touch is felt at 0.2-0.5 N and learned from up to 1 N (science.md 4.2 [M]: guarded approach).
constexpr double kTouch_N = 0.5;
constexpr double kLearn_N = 1.0;
/// What of kLearn_N is enough: the ramp comes to it only slowly.
constexpr double kLearned = 0.9;
/// Samples in a row that make a contact, or a loss of it: one alone may be noise.
constexpr int kTouches = 2;
constexpr int kWithout = 5;
/// Contact is lost below this part of the force wanted.
constexpr double kLostBelow = 0.1;
constexpr double kLeastForce_N = 0.05;
/// What has been learned of the stiffness fades over so much of the ramp [A].
constexpr double kMemory_N = 1.5;
/// A stiffness that seems to fall is believed slowly, one that rises at once.
constexpr double kSofter_s = 0.1;
/// Below this speed of the stroke a surface's slope can neither be felt nor matters.
constexpr double kSliding_m_s = 2e-3;
/// Slope of the surface at the most: tan 20 degrees, and bumps on it.
constexpr double kSteepest = 0.6;
/// Energy that the feed-forward may put in before it has taken any out, and at the most: 6 N pressed 1 mm deep [A].
constexpr double kTank_J = 2e-3;
constexpr double kFullTank_J = 6e-3;
/// The ramp of force takes so many delays at least.
constexpr double kRampDelays = 10;
/// c/k at the most: soft tissue has 1-10 ms (science.md 2.3 [M]); a ramp at constant speed tells c badly.
constexpr double kLongestLag_s = 10e-3;
/// Of the overshoot, for the first touch; the rest is for the press.
constexpr double kTouchShare = 0.5;

/// Of k T v, as RMS error.
constexpr double kErrorShare = 0.085;

}  // namespace

double expected_force_error_N(const ForceControlConfig& c, double stiffness_N_m, double speed_m_s) noexcept {
  return kErrorShare * stiffness_N_m * c.delay_s * std::abs(speed_m_s);
}

ForceControl::ForceControl(const ForceControlConfig& config) : config_(config) {}

void ForceControl::begin(const Demand& demand, const Readings& r, daq::HostTime now) noexcept {
  reading_ = {.active = true, .stiffness_N_m = config_.stiffest_N_m};
  model_.begin(config_.stiffest_N_m);
  gain_stiffness_N_m_ = config_.stiffest_N_m;
  sliding_ = false;
  same_surface_ = demand.same_surface;
  slope_ = 0;
  down_m_s_ = 0;
  limited_ = false;
  tank_J_ = kTank_J;
  touching_ = 0;
  without_ = 0;
  force_samples_ = r.force_samples;
  last_force_at_ = r.force_t0;
  error_N_ = 0;
  updated_ = now - daq::from_seconds(config_.period_s);
}

double ForceControl::approach_speed(double force_N, double wished_m_s) const noexcept {
  // While the loop notices and brakes, the way goes on: k (v T + v^2 / 2a) may take its share of the overshoot.
  const double way_m = kTouchShare * kOvershoot * force_N / config_.stiffest_N_m;
  const double a = config_.max_acceleration_m_s2;
  const double t = config_.delay_s;
  return std::min(wished_m_s, a * (std::sqrt(t * t + 2 * way_m / a) - t));
}

double ForceControl::down_at(daq::HostTime at) const noexcept {
  const auto delay = daq::from_seconds(config_.drive_delay_s);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(sent_count_, kSent); ++i) {
    const Sent& s = sent_[(sent_count_ - 1 - i) % kSent];
    if (s.at + delay <= at) return s.down_m_s;
  }
  return 0;
}

double ForceControl::depth_at(daq::HostTime at, const Readings& r) const noexcept {
  // From the readback on, or back, by what the stage was sent.
  const bool back = at < r.position_t0;
  const daq::HostTime from = back ? at : r.position_t0;
  daq::HostTime to = back ? r.position_t0 : at;
  const auto delay = daq::from_seconds(config_.drive_delay_s);
  double way_m = 0;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(sent_count_, kSent) && to > from; ++i) {
    const Sent& sent = sent_[(sent_count_ - 1 - i) % kSent];
    const daq::HostTime begins = std::max(sent.at + delay, from);
    if (begins >= to) continue;
    way_m += sent.down_m_s * daq::seconds(to - begins);
    to = begins;
  }
  return -r.position_m[kZ] + (back ? -way_m : way_m);
}

void ForceControl::send(double down_m_s, daq::HostTime now, double dt) noexcept {
  const double most = config_.max_acceleration_m_s2 * dt;
  limited_ = std::abs(down_m_s) > config_.max_speed_m_s || std::abs(down_m_s - down_m_s_) > most;
  down_m_s = std::clamp(down_m_s, down_m_s_ - most, down_m_s_ + most);
  down_m_s_ = std::clamp(down_m_s, -config_.max_speed_m_s, config_.max_speed_m_s);
  sent_[sent_count_++ % kSent] = {now, down_m_s_};
}

void ForceControl::permitted(double down_m_s) noexcept {
  if (!reading_.active || sent_count_ == 0 || down_m_s == down_m_s_) return;
  limited_ = true;
  down_m_s_ = down_m_s;
  sent_[(sent_count_ - 1) % kSent].down_m_s = down_m_s;
}

Demand ForceControl::update(const Demand& demand, const Readings& r, daq::HostTime now) noexcept {
  if (!reading_.active || demand.new_contact) begin(demand, r, now);
  Demand out = demand;
  out.kind = DemandKind::kVelocity;
  const double since = daq::seconds(now - updated_);
  constexpr double kEarly = 0.9;  // ticks are not evenly spaced
  if (r.force_samples != force_samples_ && since >= kEarly * config_.period_s) {
    const double dt = daq::seconds(r.force_t0 - last_force_at_);
    force_samples_ = r.force_samples;
    last_force_at_ = r.force_t0;
    updated_ = now;
    // The sensor feels what accelerates the instrument as well (science.md 4.2: 0.2 kg at 1 m/s2 is 0.2 N).
    const auto one = daq::from_seconds(config_.period_s);
    const double down_m_s2 = (down_at(r.force_t0) - down_at(r.force_t0 - one)) / config_.period_s;
    force_N_ = r.normal_force_N - config_.instrument_mass_kg * down_m_s2;
    if (demand.passes != passes_) {
      passes_ = demand.passes;
      map_.end_pass();
      slope_ = 0;  // the map has it now
    }
    const bool on = reading_.phase == ContactPhase::kTouching || reading_.phase == ContactPhase::kPressing;
    send(on ? press(demand, r, now, dt) : free(demand), now, since);
  }
  out.velocity_m_s[kZ] = -down_m_s_;
  return out;
}

double ForceControl::free(const Demand& demand) noexcept {
  const double guard = std::min(kTouch_N, demand.force_N / 2);
  touching_ = force_N_ >= guard ? touching_ + 1 : 0;
  if (touching_ < kTouches) return approach_speed(demand.force_N, demand.speed_m_s);
  touching_ = 0;
  without_ = 0;
  slope_ = 0;
  error_N_ = 0;
  reading_.reference_N = lead_N_ = force_N_;
  led_count_ = 0;
  // Who lost contact knows what it presses on.
  reading_.phase = reading_.phase == ContactPhase::kLost ? ContactPhase::kPressing : ContactPhase::kTouching;
  return 0;
}

void ForceControl::learn(const Demand& demand, const Readings& r, double dt) noexcept {
  if (!sliding_ && std::abs(demand.along_m_s) <= kSliding_m_s) {
    const bool touching = reading_.phase == ContactPhase::kTouching;
    const double memory_s = touching ? 0 : kMemory_N / std::max(demand.force_rate_N_s, 1.0);
    model_.add(force_N_, depth_at(r.force_t0, r), down_at(r.force_t0), dt, memory_s);
  }
  const double k = model_.stiffness_N_m();
  double& gain = gain_stiffness_N_m_;
  gain = k > gain ? k : gain + (k - gain) * std::min(1.0, dt / kSofter_s);
  reading_.stiffness_N_m = k;
  reading_.damping_N_s_m = model_.damping_N_s_m();
  reading_.learned = model_.learned();
}

/// What was wanted T ago: a force that follows the ramp cannot be felt any sooner.
double ForceControl::follow_lead(daq::HostTime at) noexcept {
  led_[led_count_++ % kLed] = {at, lead_N_};
  const auto then = at - daq::from_seconds(config_.delay_s);
  const auto known = std::min<std::uint64_t>(led_count_, kLed);
  for (std::uint64_t i = 0; i < known; ++i) {
    const Led& led = led_[(led_count_ - 1 - i) % kLed];
    if (led.at <= then) return led.lead_N;
  }
  return led_[(led_count_ - known) % kLed].lead_N;
}

double ForceControl::press(const Demand& demand, const Readings& r, daq::HostTime now, double dt) noexcept {
  learn(demand, r, dt);
  const double learn_N = std::min(kLearn_N, demand.force_N);
  auto& phase = reading_.phase;
  if (phase == ContactPhase::kTouching && model_.learned() && force_N_ >= kLearned * learn_N) {
    phase = ContactPhase::kPressing;
  }
  // The ramp of what is wanted; while the stiffness is not known it goes no further than the gentle touch.
  const double goal = phase == ContactPhase::kTouching ? learn_N : demand.force_N;
  const double rate = std::min(demand.force_rate_N_s, demand.force_N / (kRampDelays * config_.delay_s));
  const double step = std::clamp(goal - lead_N_, -rate * dt, rate * dt);
  lead_N_ += step;
  const double reference = reading_.reference_N = follow_lead(r.force_t0);
  const double k = gain_stiffness_N_m_;
  const double b = kMargin * k * config_.delay_s;
  // The error and not the force is filtered: a ramp that is followed must not look like one that is not.
  const double lag = std::min(model_.damping_N_s_m() / model_.stiffness_N_m(), kLongestLag_s);
  error_N_ += (reference - force_N_ - error_N_) * (lag > 0 ? 1 - std::exp(-dt / lag) : 1);
  const double e = error_N_;

  without_ = force_N_ >= std::max(kLeastForce_N, kLostBelow * reference) ? 0 : without_ + 1;
  if (without_ >= kWithout && phase == ContactPhase::kPressing) {
    ++reading_.losses;
    phase = ContactPhase::kLost;
    touching_ = 0;
    return std::max(0.0, down_m_s_);
  }

  double fed = dt > 0 ? step / dt / k : 0;
  fed += along_surface(demand, r, now, dt, e, b);
  tank_J_ = std::min(kFullTank_J, tank_J_ + dt * (e * e / b + e * fed));
  if (tank_J_ <= 0) {
    tank_J_ = 0;
    ++reading_.tank_empty;
    fed = 0;
  }
  return e / b + fed;
}

double ForceControl::along_surface(const Demand& demand, const Readings& r, daq::HostTime now, double dt, double e,
                                   double b) noexcept {
  const double along = demand.along_m_s;
  if (std::abs(along) <= kSliding_m_s) return 0;
  const double place = demand.place_m + along * daq::seconds(r.force_t0 - r.position_t0);
  if (!sliding_) {
    sliding_ = true;
    if (same_surface_) {
      map_.drop_pass();
    } else {
      map_.begin(place - SurfaceMap::kBin_m * SurfaceMap::kBins / 2);
    }
  }
  map_.add(place, -depth_at(r.force_t0, r) + force_N_ / gain_stiffness_N_m_);
  if (!limited_) slope_ -= e * dt / (b * kIntegral * config_.delay_s * along);
  slope_ = std::clamp(slope_, -kSteepest, kSteepest);
  const double ahead_m = along * (daq::seconds(now - r.force_t0) + config_.drive_delay_s);
  return -(slope_ + map_.slope(place + ahead_m)) * along;
}

}  // namespace strigil::rig
