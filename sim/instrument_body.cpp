#include "sim/instrument_body.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "sim/second_order.hpp"

namespace strigil::sim {
namespace {

constexpr double kTwoPi = 6.283185307179586;
constexpr double kMostDamping = 10;

struct Rigid {
  double mass_kg;
  double frequency_Hz;
  double damping_ratio;
};
Rigid rigid_of(const rig::Instrument& instrument, const BodyMount& mount, std::size_t axis) {
  const double mass_kg = instrument.mass_kg + mount.holder_mass_kg;
  return {mass_kg, std::sqrt(mount.stiffness_N_m[axis] / mass_kg) / kTwoPi, instrument.grip_loss_factor / 2};
}

}  // namespace

InstrumentBody::InstrumentBody(const rig::Instrument& instrument, const BodyMount& mount)
    : mounting_Hz_(instrument.accelerometer_corner_Hz),
      mounting_damping_(mount.accelerometer_damping_ratio),
      normal_x_(std::sin(mount.angle_rad)),
      normal_z_(std::cos(mount.angle_rad)) {
  assert(mounting_Hz_ > 0);
  std::array<double, kBody> per_mass{};
  std::array<double, kBody> gain{};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto rigid = rigid_of(instrument, mount, i);
    assert(rigid.mass_kg > 0 && rigid.frequency_Hz > 0);
    frequency_Hz_[i] = rigid.frequency_Hz;
    damping_ratio_[i] = rigid.damping_ratio;
    per_mass[i] = 1 / rigid.mass_kg;
  }
  for (std::size_t m = 0; m < std::min(instrument.modes.size(), kMostModes); ++m) {
    const auto& mode = instrument.modes[m];
    assert(mode.frequency_Hz > 0 && mode.effective_mass_kg > 0);
    frequency_Hz_[3 + m] = mode.frequency_Hz;
    damping_ratio_[3 + m] = std::min(mode.damping_ratio, kMostDamping);
    per_mass[3 + m] = 1 / mode.effective_mass_kg;
    gain[3 + m] = mode.sensor_gain;
  }
  const auto per_w = [this](std::size_t i) { return frequency_Hz_[i] > 0 ? 1 / (kTwoPi * frequency_Hz_[i]) : 0; };
  for (std::size_t p = 0; p < kBodyPairs; ++p) {
    per_w_[p] = Pair{per_w(2 * p), per_w(2 * p + 1)};
    per_mass_[p] = Pair{per_mass[2 * p], per_mass[2 * p + 1]};
    sensor_gain_[p] = Pair{gain[2 * p], gain[2 * p + 1]};
    state_[p].two_z = Pair{2 * damping_ratio_[2 * p], 2 * damping_ratio_[2 * p + 1]};
  }
  for (std::size_t p = kBodyPairs; p < kPairs; ++p)
    state_[p].two_z = Pair{2 * mounting_damping_, 2 * mounting_damping_};
}

const InstrumentBody::Kept& InstrumentBody::kept_for(double dt_s) noexcept {
  if (kept_[in_use_].dt_s == dt_s) return kept_[in_use_];
  in_use_ = 1 - in_use_;  // a period that is no whole number of ns makes steps of two sizes
  auto& kept = kept_[in_use_];
  if (kept.dt_s == dt_s) return kept;
  kept = {};
  kept.dt_s = dt_s;
  const auto fill = [&kept](std::size_t i, const SecondOrderStep& s) {
    auto& c = kept.pairs[i / 2];
    c.place_place[i % 2] = s.place_place;
    c.place_rate[i % 2] = s.place_rate;
    c.rate_place[i % 2] = s.rate_place;
    c.rate_rate[i % 2] = s.rate_rate;
    c.place_before[i % 2] = s.place_before;
    c.place_after[i % 2] = s.place_after;
    c.rate_before[i % 2] = s.rate_before;
    c.rate_after[i % 2] = s.rate_after;
    c.felt[i % 2] = s.felt;
  };
  for (std::size_t i = 0; i < kBody; ++i) {
    if (frequency_Hz_[i] > 0) fill(i, second_order_step(frequency_Hz_[i], damping_ratio_[i], dt_s));
  }
  const auto mounting = second_order_step(mounting_Hz_, mounting_damping_, dt_s);
  for (std::size_t i = 0; i < 3; ++i) fill(kBody + i, mounting);
  return kept;
}

/// Accelerations y'' at its end.
InstrumentBody::Pair InstrumentBody::advance(const Coefficients& c, State& s, Pair input) noexcept {
  const Pair place = c.place_place * s.place + c.place_rate * s.rate + c.place_before * s.input + c.place_after * input;
  const Pair rate = c.rate_place * s.place + c.rate_rate * s.rate + c.rate_before * s.input + c.rate_after * input;
  s.place = place;
  s.rate = rate;
  s.input = input;
  return c.felt * (input - s.two_z * rate - place);
}

void InstrumentBody::step(double dt_s, const std::array<double, 3>& force_N,
                          const std::array<double, 3>& stage_m_s2) noexcept {
  if (!(dt_s > 0)) return;
  const Kept& kept = kept_for(dt_s);
  const double bends_N = normal_x_ * force_N[0] + normal_z_ * force_N[2];
  const Pair xy = advance(kept.pairs[0], state_[0],
                          per_mass_[0] * Pair{force_N[0], force_N[1]} - Pair{stage_m_s2[0], stage_m_s2[1]});
  const Pair z1 = advance(kept.pairs[1], state_[1], per_mass_[1] * Pair{force_N[2], bends_N} - Pair{stage_m_s2[2], 0});
  Pair bent = sensor_gain_[1] * z1;
  for (std::size_t p = 2; p < kBodyPairs; ++p)
    bent += sensor_gain_[p] * advance(kept.pairs[p], state_[p], per_mass_[p] * Pair{bends_N, bends_N});
  const double bent_m_s2 = bent[0] + bent[1];
  const Pair foot_xy = Pair{stage_m_s2[0] + normal_x_ * bent_m_s2, stage_m_s2[1]} + xy;
  const Pair foot_z{stage_m_s2[2] + normal_z_ * bent_m_s2 + z1[0], 0};
  const Pair felt_xy = foot_xy + advance(kept.pairs[kBodyPairs], state_[kBodyPairs], -foot_xy);
  const Pair felt_z = foot_z + advance(kept.pairs[kBodyPairs + 1], state_[kBodyPairs + 1], -foot_z);
  felt_m_s2_ = {felt_xy[0], felt_xy[1], felt_z[0]};
}

std::array<double, 3> InstrumentBody::at_edge(const std::array<Pair, kBodyPairs>& lanes) const noexcept {
  Pair bent = lanes[2];
  for (std::size_t p = 3; p < kBodyPairs; ++p) bent += lanes[p];
  const double along_normal = bent[0] + bent[1] + lanes[1][1];
  return {lanes[0][0] + normal_x_ * along_normal, lanes[0][1], lanes[1][0] + normal_z_ * along_normal};
}

std::array<double, 3> InstrumentBody::edge_deflection_m() const noexcept {
  std::array<Pair, kBodyPairs> q;
  for (std::size_t p = 0; p < kBodyPairs; ++p) q[p] = state_[p].place * per_w_[p] * per_w_[p];
  return at_edge(q);
}

std::array<double, 3> InstrumentBody::edge_deflection_m_s() const noexcept {
  std::array<Pair, kBodyPairs> v;
  for (std::size_t p = 0; p < kBodyPairs; ++p) v[p] = state_[p].rate * per_w_[p];
  return at_edge(v);
}

// --- closed form -----------------------------------------------------------------------------------------------------

namespace {

using Complex = std::complex<double>;

/// Acceleration per u of y'' + 2 z w y' + w^2 y = u.
Complex accelerance(double natural_Hz, double damping_ratio, double frequency_Hz, double step_s) {
  if (step_s > 0)
    return stepped_acceleration(second_order_step(natural_Hz, damping_ratio, step_s), frequency_Hz * step_s);
  const double r = frequency_Hz / natural_Hz;
  return -r * r / Complex(1 - r * r, 2 * damping_ratio * r);
}

/// Of one shaken at its foot: what it carries per what shakes it.
Complex carried(double natural_Hz, double damping_ratio, double frequency_Hz, double step_s) {
  return 1.0 - accelerance(natural_Hz, damping_ratio, frequency_Hz, step_s);
}

Complex body_per_force(const BodyResponse& b, std::size_t felt, std::size_t pushed, double frequency_Hz,
                       bool at_sensor) {
  assert(felt < 3 && pushed < 3 && frequency_Hz > 0);
  const std::array<double, 3> normal{std::sin(b.mount.angle_rad), 0, std::cos(b.mount.angle_rad)};
  Complex sum = 0;
  if (felt == pushed) {
    const auto rigid = rigid_of(b.instrument, b.mount, felt);
    sum += accelerance(rigid.frequency_Hz, rigid.damping_ratio, frequency_Hz, b.step_s) / rigid.mass_kg;
  }
  const auto modes = std::min(b.instrument.modes.size(), InstrumentBody::kMostModes);
  for (std::size_t m = 0; m < modes; ++m) {
    const auto& mode = b.instrument.modes[m];
    sum += normal[felt] * normal[pushed] * (at_sensor ? mode.sensor_gain : 1) / mode.effective_mass_kg *
           accelerance(mode.frequency_Hz, mode.damping_ratio, frequency_Hz, b.step_s);
  }
  return sum;
}

Complex mounting_of(const BodyResponse& b, double frequency_Hz) {
  return carried(b.instrument.accelerometer_corner_Hz, b.mount.accelerometer_damping_ratio, frequency_Hz, b.step_s);
}

}  // namespace

Complex BodyResponse::sensor_per_force(std::size_t felt, std::size_t pushed, double frequency_Hz) const {
  return body_per_force(*this, felt, pushed, frequency_Hz, true) * mounting_of(*this, frequency_Hz);
}

Complex BodyResponse::edge_per_force(std::size_t felt, std::size_t pushed, double frequency_Hz) const {
  return body_per_force(*this, felt, pushed, frequency_Hz, false);
}

Complex BodyResponse::edge_to_sensor(std::size_t axis, double frequency_Hz) const {
  return sensor_per_force(axis, axis, frequency_Hz) / edge_per_force(axis, axis, frequency_Hz);
}

Complex BodyResponse::stage_to_sensor(std::size_t axis, double frequency_Hz) const {
  const auto rigid = rigid_of(instrument, mount, axis);
  return carried(rigid.frequency_Hz, rigid.damping_ratio, frequency_Hz, step_s) * mounting_of(*this, frequency_Hz);
}

}  // namespace strigil::sim
