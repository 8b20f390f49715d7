// A tissue phantom under a steel bar, and a hand that moves the bar: for tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "sim/tissue_plant.hpp"

namespace strigil::sim {

inline rig::PhantomLayer layer(const std::string& name, const std::string& material, double thickness_m) {
  rig::PhantomLayer l;
  l.name = name;
  l.material = material;
  l.thickness_m = thickness_m;
  return l;
}

/// Skin, fat, fascia, muscle, bone under gel; flat and even unless changed.
inline rig::Phantom tissue() {
  rig::Phantom p;
  p.name = "tissue";
  p.x_min_m = -20e-3;
  p.x_max_m = 165e-3;
  p.y_min_m = -50e-3;
  p.y_max_m = 50e-3;
  p.layers = {layer("skin", "skin", 2e-3), layer("fat", "fat", 5e-3), layer("fascia", "fascia", 1e-3),
              layer("muscle", "muscle", 20e-3), layer("bone", "bone", 10e-3)};
  p.emollient.name = "gel";
  return p;
}

/// One layer of a material.
inline rig::Phantom slab(const std::string& material, double thickness_m) {
  auto p = tissue();
  p.layers = {layer("slab", material, thickness_m)};
  return p;
}

inline rig::PhantomInclusion nodule(double x_m, double contrast) {
  rig::PhantomInclusion i;
  i.name = "nodule";
  i.x_m = x_m;
  i.stiffness_contrast = contrast;
  return i;
}

inline rig::Instrument bar_of_steel() {
  rig::Instrument bar;
  bar.name = "bar_of_steel";
  bar.mass_kg = 0.18;
  bar.modes = {{1120, 0.05, 0.045, 1}, {3090, 0.05, 0.045, 1}};
  return bar;
}

inline TissueBench quiet_bench() {
  TissueBench bench;
  bench.mount.machine_noise_m_s2 = 0;
  return bench;
}

inline std::unique_ptr<TissuePlant> make_tissue(const rig::Phantom& phantom,
                                                const rig::Instrument& instrument = bar_of_steel(),
                                                const TissueBench& bench = quiet_bench()) {
  auto made = TissuePlant::make(phantom, instrument, bench);
  if (!made) {
    ADD_FAILURE() << made.error().message;
    return nullptr;
  }
  return std::move(*made);
}

/// Moves the edge, a step at a time, and keeps what the plant said last.
class Hand {
 public:
  Hand(TissuePlant& plant, double x_m, double y_m, double above_m = 0, double rate_Hz = 10e3)
      : plant_(plant), dt_s_(1 / rate_Hz), at_{x_m, y_m, plant.surface_m(x_m, y_m) + above_m} {}

  /// One step at `velocity_m_s`.
  const PlantState& move(const rig::Position& velocity_m_s) {
    for (std::size_t i = 0; i < 3; ++i) at_[i] += dt_s_ * velocity_m_s[i];
    ++steps_;
    return plant_.step(daq::HostTime{} + daq::from_seconds(static_cast<double>(steps_) * dt_s_), at_, velocity_m_s);
  }
  const PlantState& move_for(double time_s, const rig::Position& velocity_m_s) {
    const auto steps = std::max(1L, std::lround(time_s / dt_s_));
    for (long i = 0; i < steps; ++i) (void)move(velocity_m_s);
    return plant_.state();
  }
  const PlantState& press(double depth_m, double speed_m_s = 10e-3) {
    return move_for(depth_m / speed_m_s, {0, 0, -speed_m_s});
  }
  [[nodiscard]] const rig::Position& at() const { return at_; }
  [[nodiscard]] double dt_s() const { return dt_s_; }

 private:
  TissuePlant& plant_;
  double dt_s_;
  rig::Position at_;
  std::int64_t steps_ = 0;
};

}  // namespace strigil::sim
