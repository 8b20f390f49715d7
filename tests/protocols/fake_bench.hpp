// A bench in a few lines for tests of the runner: a stage that is told points and reports 20 times a second, late; a
// spring for a phantom; sensors with a little noise. No rig, no wires: only Readings in and Demand out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "protocols/runner.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols::test {

/// What the bench is made of and what goes wrong with it.
struct FakeBenchConfig {
  double surface_z_m = -30e-3;
  double stiffness_N_m = 1000;
  double friction = 0.1;
  double bias_N = 1.5;  // before the tare
  double noise_N = 0.01;
  double report_period_s = 0.05;
  double report_delay_s = 0.005;
  double force_delay_s = 0.002;
  double speed_factor = 1;          // of what was told
  double absent_from_x_m = 1e9;     // no phantom from here on
  double hard_from_x_m = 1e9;       // from here on 20 times stiffer
  double zero_drift_N_s = 0;        // of the force sensor
  bool stage_moves = true;          // false: it is told and does not
  bool stage_pretends = false;      // it does not move and says that it arrived
  bool refuses_strokes = false;     // moves along x while down are refused
  double stop_stroke_at_x_m = 1e9;  // it says that it arrived, here
  double freeze_force_from_s = 1e9;
  double constant_force_N = 0;  // with always_constant
  bool always_constant = false;
  double vibration_m_s2 = 0.5;
  double fault_at_s = 1e9;
  std::uint32_t fault = rig::kForceGap;
};

class CountingSink final : public rig::EventSink {
 public:
  CountingSink() { codes.reserve(4096); }
  void event(const daq::Event& event) noexcept override {
    if (codes.size() < codes.capacity()) codes.push_back(event.code);
  }
  std::vector<daq::EventCode> codes;
};

class FakeBench {
 public:
  explicit FakeBench(const FakeBenchConfig& config) : c_(config) {
    readings_.stage = rig::StageState::kIdle;
    readings_.stage_seen = readings_.force_seen = readings_.vibration_seen = true;
  }

  /// Time goes on by a millisecond: physics, sensors, reports.
  const rig::Readings& tick() {
    ++tick_;
    const double t = now_s();
    move();
    sense(t);
    report(t);
    readings_.now = now();
    if (t >= c_.fault_at_s) readings_.faults = readings_.latched_faults = c_.fault;
    return readings_;
  }

  void obey(const rig::Demand& d) {
    lowest_told_z_m =
        d.kind == rig::DemandKind::kMove ? std::min(lowest_told_z_m, d.target_m[rig::kZ]) : lowest_told_z_m;
    if (d.kind == rig::DemandKind::kMove && d.move_id != told_) {
      told_ = d.move_id;
      const bool down = position_[rig::kZ] < c_.surface_z_m;
      if (c_.refuses_strokes && down && std::abs(d.target_m[rig::kX] - position_[rig::kX]) > 1e-6) {
        readings_.refused_move = told_;
        return;
      }
      target_ = d.target_m;
      speed_ = d.speed_m_s * c_.speed_factor;
      going_ = true;
    } else if (d.kind == rig::DemandKind::kStop) {
      going_ = false;
      told_before_stop_ = told_;
    } else if (d.kind == rig::DemandKind::kRetract) {
      ++retracts;
      target_ = {position_[rig::kX], position_[rig::kY], -5e-3};
      speed_ = 0.04;
      going_ = true;
    }
  }

  void tare(bool wanted) {
    if (wanted) {
      sum_ += untared_;
      ++summed_;
    } else if (summed_ > 0) {
      zero_ = sum_ / summed_;
      sum_ = 0;
      summed_ = 0;
    }
  }

  [[nodiscard]] double now_s() const { return static_cast<double>(tick_) * 1e-3; }
  [[nodiscard]] daq::HostTime now() const { return {1'000'000'000 + tick_ * 1'000'000}; }
  [[nodiscard]] double true_force_N() const { return true_force_; }
  [[nodiscard]] const rig::Position& position_m() const { return position_; }
  [[nodiscard]] const rig::Readings& readings() const { return readings_; }

  double lowest_told_z_m = 0;
  double largest_true_force_N = 0;
  int retracts = 0;

 private:
  void move() {
    if (!going_ || !c_.stage_moves) return;
    double length = 0;
    for (std::size_t a = 0; a < rig::kAxes; ++a) length += std::pow(target_[a] - position_[a], 2);
    length = std::sqrt(length);
    const double step = speed_ * 1e-3;
    if (position_[rig::kX] >= c_.stop_stroke_at_x_m) {
      going_ = false;
    } else if (length <= step) {
      position_ = target_;
      going_ = false;
    } else {
      for (std::size_t a = 0; a < rig::kAxes; ++a) position_[a] += (target_[a] - position_[a]) * step / length;
    }
  }

  double noise() {
    seed_ = seed_ * 6364136223846793005U + 1442695040888963407U;
    return (static_cast<double>(seed_ >> 33U) / 1073741824.0 - 1) * c_.noise_N * 1.7;
  }

  void sense(double t) {
    double k = c_.stiffness_N_m;
    if (position_[rig::kX] >= c_.absent_from_x_m) k = 0;
    if (position_[rig::kX] >= c_.hard_from_x_m) k *= 20;
    true_force_ = k * std::max(0.0, c_.surface_z_m - position_[rig::kZ]);
    largest_true_force_N = std::max(largest_true_force_N, true_force_);
    history_[static_cast<std::size_t>(tick_) % history_.size()] = true_force_;
    const auto late = static_cast<std::int64_t>(c_.force_delay_s * 1e3);
    const double felt = tick_ > late ? history_[static_cast<std::size_t>(tick_ - late) % history_.size()] : 0;
    if (t < c_.freeze_force_from_s) {
      untared_ = c_.always_constant ? c_.constant_force_N + zero_ : felt + c_.bias_N + c_.zero_drift_N_s * t + noise();
      tangential_ = c_.friction * felt + noise();
    }
    readings_.untared_normal_force_N = untared_;
    readings_.normal_force_N = untared_ - zero_;
    readings_.tangential_force_N = tangential_;
    readings_.force_received = readings_.force_t0 = now();
    ++readings_.force_samples;
    if (tick_ % 10 == 0) {
      readings_.vibration_samples += 64;
      readings_.vibration_rms_m_s2 = c_.vibration_m_s2;
      readings_.vibration_received = now();
    }
  }

  void report(double t) {
    if (t - reported_s_ >= c_.report_period_s) {
      reported_s_ = t;
      on_the_way_ = {position_, going_ && c_.stage_moves, told_, true, t + c_.report_delay_s};
    }
    if (!on_the_way_.pending || t < on_the_way_.due_s) return;
    on_the_way_.pending = false;
    readings_.position_m = on_the_way_.position;
    readings_.position_received = now();
    const bool still = !on_the_way_.moving && !going_;
    readings_.stage = on_the_way_.moving ? rig::StageState::kMoving : rig::StageState::kIdle;
    double off = 0;
    for (std::size_t a = 0; a < rig::kAxes; ++a) off = std::max(off, std::abs(on_the_way_.position[a] - target_[a]));
    const bool arrived = off < 20e-6 || c_.stage_pretends || position_[rig::kX] >= c_.stop_stroke_at_x_m;
    if ((still || c_.stage_pretends) && on_the_way_.told == told_ && told_ != told_before_stop_ && arrived) {
      readings_.finished_move = told_;
    }
  }

  struct Report {
    rig::Position position{};
    bool moving = false;
    std::uint32_t told = 0;
    bool pending = false;
    double due_s = 0;
  };
  FakeBenchConfig c_;
  rig::Readings readings_;
  std::int64_t tick_ = 0;
  rig::Position position_{0, 0, -5e-3};
  rig::Position target_{};
  double speed_ = 0;
  bool going_ = false;
  std::uint32_t told_ = 0;
  std::uint32_t told_before_stop_ = 0;
  double untared_ = 0;
  double tangential_ = 0;
  double true_force_ = 0;
  double zero_ = 0;
  double sum_ = 0;
  int summed_ = 0;
  double reported_s_ = 0;
  Report on_the_way_;
  std::vector<double> history_ = std::vector<double>(64, 0.0);
  std::uint64_t seed_ = 7;
};

/// Carries the plan out on the bench until it is over, or `most_s` have gone by.
inline void carry_out(Runner& runner, FakeBench& bench, CountingSink& sink, double most_s = 120) {
  while (runner.state() == rig::BehaviourState::kRunning && bench.now_s() < most_s) {
    const auto& r = bench.tick();
    const auto demand = runner.step(r, bench.now(), sink);
    bench.obey(demand);
    bench.tare(runner.wants_tare());
  }
}

/// What an honest rig would say of the run: all well but for what the runner saw.
inline RunEvidence evidence_of(const Runner& runner, const FakeBench& bench) {
  RunEvidence e;
  e.steps = runner.results();
  e.plan_finished = runner.state() == rig::BehaviourState::kDone;
  e.reached_clear = true;
  const auto n = bench.readings().force_samples;
  const auto v = bench.readings().vibration_samples;
  const double s = bench.now_s();
  e.streams = {{"force", n, s, 1000}, {"vibration", v, s, 6400}, {"position", 100, s, 0}};
  return e;
}

inline PlanLimits bench_limits() {
  return {.travel_min_m = {0, 0, -80e-3},
          .travel_max_m = {200e-3, 100e-3, 0},
          .clear_z_m = -5e-3,
          .max_speed_m_s = 0.2,
          .max_force_N = 25,
          .position_rate_Hz = 20};
}

/// One 6 N stroke of 60 mm at 100 mm/s; tests change what they are about.
inline Protocol one_stroke() {
  Protocol p;
  p.name = "one";
  p.file = "one.toml";
  p.start_x_m = 30e-3;
  p.start_z_m = -26e-3;
  p.approach_speed_m_s = 8e-3;
  p.contact_force_N = 0.3;
  p.deepest_z_m = -50e-3;
  p.normal_force_N = {6};
  p.press_tolerance = 0.03;
  p.press_timeout_s = 20;
  p.stroke_length_m = 60e-3;
  p.stroke_speed_m_s = {0.1};
  p.dwell_s = 0.1;
  p.max_force_N = 12;
  p.force_tolerance = 0.1;
  p.min_contact_fraction = 0.95;
  p.max_position_error_m = 0.5e-3;
  p.speed_tolerance = 0.1;
  p.min_vibration_m_s2 = 0.05;
  return p;
}

}  // namespace strigil::protocols::test
