// Plant: CPU time of one step of a tissue phantom (five layers, twenty inclusions, uneven stiffness and friction, gel,
// a steel bar with its modes), all three axes moving at 10 kHz, against the bare spring and damper on the same path. A
// round of the one and a round of the other in turn. Judged: 200 times real time on one core is 500 ns a step.
#include <cmath>
#include <memory>

#include "sim/spring_damper_plant.hpp"
#include "sim/tissue_plant.hpp"
#include "tests/bench/cpu_clock.hpp"

namespace strigil::bench {
namespace {

constexpr double kRate_Hz = 10e3;
constexpr double kBar_ns = 1e9 / (200 * kRate_Hz);
constexpr double kSurface_m = -30e-3;

rig::PhantomLayer layer(const char* name, const char* material, double thickness_m) {
  rig::PhantomLayer l;
  l.name = name;
  l.material = material;
  l.thickness_m = thickness_m;
  return l;
}

rig::Phantom specimen() {
  rig::Phantom p;
  p.name = "bench";
  p.x_max_m = 165e-3;
  p.y_min_m = -50e-3;
  p.y_max_m = 50e-3;
  p.layers = {layer("skin", "skin", 2e-3), layer("fat", "fat", 5e-3), layer("fascia", "fascia", 1e-3),
              layer("muscle", "muscle", 20e-3), layer("bone", "bone", 10e-3)};
  p.surface.z_m = kSurface_m;
  p.surface.curvature_amplitude_m = 0.5e-3;
  p.surface.crown_radius_m = 0.2;
  p.texture.stiffness_sd = 0.1;
  p.texture.friction_sd = 0.05;
  p.texture.fibre_stiffness_sd = 0.05;
  p.passport.dose_softening = 0.1;
  p.emollient.name = "gel";
  for (int i = 0; i < 20; ++i) {
    rig::PhantomInclusion inclusion;
    inclusion.x_m = 10e-3 + 7.5e-3 * i;
    inclusion.y_m = 8e-3 * (i * 7 % 5 - 2);
    inclusion.stiffness_contrast = 3;
    inclusion.friction_contrast = 1.2;
    inclusion.roughness_contrast = 1.5;
    inclusion.rise_m = 0.1e-3;
    p.inclusions.push_back(inclusion);
  }
  return p;
}

rig::Instrument steel_bar() {
  rig::Instrument bar;
  bar.name = "steel_bar";
  bar.mass_kg = 0.18;
  for (const double frequency_Hz : {1120.0, 3090.0, 6050.0}) bar.modes.push_back({frequency_Hz, 0.05, 0.045, 1});
  return bar;
}

/// CPU seconds of `steps` steps.
double measure(sim::Plant& plant, std::int64_t steps, std::int64_t& at_step, double& force_sum_N) {
  const double began = thread_cpu_s();
  double x = 80e-3;
  double c = 1;  // cosine and sine of the stroke, turned on: the path must cost little beside the plant
  double s = 0;
  constexpr double kTurn = 3 / kRate_Hz;
  for (std::int64_t i = 0; i < steps; ++i) {
    s += kTurn * c;
    c -= kTurn * s;
    x = 80e-3 + 60e-3 * s;
    const rig::Position at{x, 10e-3 * c, kSurface_m - 3e-3 + 1e-3 * c};
    const rig::Position velocity{0.18 * c, -0.03 * s, -0.003 * s};
    ++at_step;
    const daq::HostTime now{at_step * 100'000};
    force_sum_N += plant.step(now, at, velocity).force_N[2];
  }
  return thread_cpu_s() - began;
}

int plant_bench(const Options& options) {
  const auto steps = options.choose<std::int64_t>(400'000, 100'000, 2'000);
  const int rounds = options.choose(15, 5, 1);
  sim::MountConfig mount;
  auto made = sim::TissuePlant::make(specimen(), steel_bar(), {std::nullopt, mount, 1});
  if (!made) give_up(made.error().message);
  sim::PhantomConfig plain;
  plain.surface_z_m = kSurface_m;
  sim::SpringDamperPlant spring(plain, mount, 1);
  std::int64_t tissue_step = 0;
  std::int64_t spring_step = 0;
  double force_N = 0;
  (void)measure(**made, steps / 10, tissue_step, force_N);
  Rounds found;
  for (int i = 0; i < rounds; ++i) {
    const auto per_step = 1e9 / static_cast<double>(steps);
    const double ours = measure(**made, steps, tissue_step, force_N) * per_step;
    found.add(ours, measure(spring, steps, spring_step, force_N) * per_step);
  }
  if (!(force_N > 0)) give_up("neither plant was ever touched");
  auto cost = figure_of("a step of the tissue plant, CPU", "ns", found);
  auto ratio = cost;
  cost.judged = cost.ours;
  cost.at_most = kBar_ns;
  char text[100];
  std::snprintf(text, sizeof text, "; %.0f times real time at 10 kHz", 1e9 / (cost.ours * kRate_Hz));
  cost.note += text;
  ratio.name = "the same against a bare spring and damper";
  return report(options, {cost, ratio});
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::plant_bench(strigil::bench::parse_options(argc, argv)); }
