#include "sim/world.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "sim/axis_mechanics.hpp"
#include "sim/fault_maker.hpp"
#include "sim/generator_twin.hpp"
#include "sim/grbl_twin.hpp"
#include "sim/instrument_bench_plant.hpp"
#include "sim/rdt_twin.hpp"
#include "sim/sensor_stream_twin.hpp"
#include "sim/spring_damper_plant.hpp"
#include "sim/tissue_plant.hpp"
#include "sim/tmcl_twin.hpp"
#include "sim/zaber_twin.hpp"

namespace strigil::sim {
namespace {

// One seed for people; each random thing its own, so that none is the echo of another.
constexpr std::uint64_t kForceSeed = 0x666F726365ULL;
constexpr std::uint64_t kVibrationSeed = 0x766962ULL;
constexpr std::uint64_t kMechanicsSeed = 0x6D656368ULL;

constexpr std::size_t index_of(DeviceName device) { return static_cast<std::size_t>(device); }

/// Counts what passes on its way to the host's wire.
class CountingOutput final : public TwinOutput {
 public:
  explicit CountingOutput(TwinOutput& wire) : wire_(wire) {}
  void send(std::span<const std::byte> bytes, daq::HostTime now) override {
    ++totals.sends;
    totals.bytes += bytes.size();
    wire_.send(bytes, now);
  }
  void plug(bool in, daq::HostTime now) override { wire_.plug(in, now); }
  DeviceTotals totals;

 private:
  TwinOutput& wire_;
};

GrblTwinConfig stage_config(const SimConfig& config) {
  GrblTwinConfig g;
  g.limits.max_speed_m_s.fill(config.stage.max_speed_m_s);
  g.limits.acceleration_m_s2.fill(config.stage.acceleration_m_s2);
  g.travel_min_m = config.stage.travel_min_m;
  g.travel_max_m = config.stage.travel_max_m;
  g.start_m = config.stage.start_m;
  g.start_known = config.stage.start_known;
  g.start_in_alarm = !config.stage.start_known;
  g.report_age = config.stage.report_age;
  g.host_timeout = daq::from_seconds(config.stage.host_timeout_s);
  return g;
}

RdtTwinConfig force_config(const SimConfig& config) {
  RdtTwinConfig f;
  f.rate_Hz = config.force.rate_Hz;
  f.counts_per_N = config.force.counts_per_N;
  f.counts_per_N_m = config.force.counts_per_N_m;
  f.noise_N = config.force.noise_N;
  f.bias_N = config.force.bias_N;
  f.seed = config.seed ^ kForceSeed;
  f.electronics = config.force.electronics;
  f.temperature = config.temperature;
  f.plant_rate_Hz = config.plant_rate_Hz;
  return f;
}

SensorStreamTwinConfig vibration_config(const SimConfig& config) {
  SensorStreamTwinConfig v;
  v.rate_Hz = config.vibration.rate_Hz;
  v.noise_m_s2 = config.vibration.noise_m_s2;
  v.clock_error_ppm = config.vibration.clock_error_ppm;
  v.seed = config.seed ^ kVibrationSeed;
  v.electronics = config.vibration.electronics;
  v.temperature = config.temperature;
  v.plant_rate_Hz = config.plant_rate_Hz;
  v.reference = config.shaker.has_value();
  return v;
}

TmclTwinConfig tmcl_config(const SimConfig& config) {
  TmclTwinConfig t;
  t.pulses_per_m = config.stage.steps_per_m;
  t.max_speed_m_s.fill(config.stage.max_speed_m_s);
  t.acceleration_m_s2.fill(config.stage.acceleration_m_s2);
  t.travel_min_m = config.stage.travel_min_m;
  t.travel_max_m = config.stage.travel_max_m;
  t.start_m = config.stage.start_m;
  t.start_known = config.stage.start_known;
  t.lift_m = config.stage.lift_m;
  t.answer_latency = config.stage.answer_latency;
  return t;
}

ZaberTwinConfig zaber_config(const SimConfig& config) {
  ZaberTwinConfig z;
  z.microsteps_per_m = config.stage.steps_per_m;
  z.max_speed_m_s.fill(config.stage.max_speed_m_s);
  z.acceleration_m_s2.fill(config.stage.acceleration_m_s2);
  z.travel_min_m = config.stage.travel_min_m;
  z.travel_max_m = config.stage.travel_max_m;
  z.start_m = config.stage.start_m;
  z.start_known = config.stage.start_known;
  z.answer_latency = config.stage.answer_latency;
  return z;
}

std::unique_ptr<StageTwin> make_counting_twin(const SimConfig& config, daq::HostTime start) {
  if (config.stage.codec == "tmcl") return std::make_unique<TmclTwin>(tmcl_config(config), start);
  if (config.stage.codec == "zaber") return std::make_unique<ZaberTwin>(zaber_config(config), start);
  return std::make_unique<GrblTwin>(stage_config(config), start);
}

daq::Result<std::unique_ptr<TissuePlant>> make_tissue(const SimConfig& config) {
  return TissuePlant::make(*config.tissue, config.instrument.value_or(steel_bar()),
                           {config.phantom.anvil, config.mount, config.seed});
}

std::unique_ptr<Plant> make_plant(const SimConfig& config) {
  if (config.instrument_bench) {
    const auto& c = *config.instrument_bench;
    const auto bar = config.instrument.value_or(steel_bar());
    return std::make_unique<InstrumentBenchPlant>(c, c.instrument.value_or(bar), config.mount, config.seed);
  }
  if (!config.tissue) return std::make_unique<SpringDamperPlant>(config.phantom, config.mount, config.seed);
  auto plant = make_tissue(config);
  assert(plant.ok());  // whoever fills in a SimConfig has had it checked
  return std::move(*plant);
}

/// With mechanics between its counts and the edge, where the bench has some.
std::unique_ptr<StageTwin> make_stage_twin(const SimConfig& config, daq::HostTime start) {
  auto counts = make_counting_twin(config, start);
  const auto& axes = config.stage.mechanics;
  if (std::none_of(axes.begin(), axes.end(), [](const auto& a) { return a.any(); })) return counts;
  return std::make_unique<MechanicalStage>(std::move(counts), axes, start, config.seed ^ kMechanicsSeed);
}

/// What the force sensor feels with `load_N` at the edge: torque as in SpringDamperPlant.
PlantState with_load(const PlantState& plant, const std::array<double, 3>& load_N, double lever_m) {
  PlantState out = plant;
  for (std::size_t i = 0; i < load_N.size(); ++i) out.force_N[i] += load_N[i];
  out.torque_N_m[0] += lever_m * load_N[1];
  out.torque_N_m[1] -= lever_m * load_N[0];
  return out;
}

/// What an accelerometer feels that stands on a shaker.
PlantState on_shaker(const PlantState& plant, const Shaker::Motion& motion) {
  PlantState out = plant;
  out.acceleration_m_s2 = motion.sensor_m_s2;
  out.reference_V = motion.reference_V;
  return out;
}

}  // namespace

rig::Instrument steel_bar() {
  rig::Instrument bar;
  bar.name = "steel_bar";
  bar.mass_kg = 0.18;
  return bar;
}

daq::Result<void> can_simulate(const SimConfig& config) {
  if (config.instrument_bench) return {};
  if (!config.tissue && config.instrument)
    return daq::Error{
        "an instrument is simulated on a tissue phantom alone: name one too (--phantom, or [phantom] file)"};
  if (!config.tissue) return {};
  auto plant = make_tissue(config);
  if (!plant) return plant.error();
  return {};
}

struct World::Parts {
  Parts(const SimConfig& c, daq::HostTime at, const std::array<TwinOutput*, kDevices>& wires, TwinOutput* generators)
      : config(c),
        start(at),
        outputs{CountingOutput(*wires[0]), CountingOutput(*wires[1]), CountingOutput(*wires[2])},
        phantom(make_plant(c)),
        stage_twin(make_stage_twin(c, at)),
        stage(*stage_twin),
        force(force_config(c), at),
        vibration(vibration_config(c), at),
        shaker(c.shaker ? std::optional<Shaker>(std::in_place, *c.shaker, c.plant_rate_Hz, c.seed) : std::nullopt),
        generator_wire(generators),
        generator(c.generator && generators != nullptr
                      ? std::optional<GeneratorTwin>(std::in_place, *c.generator, c.plant_rate_Hz)
                      : std::nullopt),
        faults({stage, force, vibration, outputs[0], outputs[1], outputs[2]}, c.phantom.anvil, c.faults) {}

  Twin& twin(DeviceName device) {
    switch (device) {
      case DeviceName::kStage:
        return stage;
      case DeviceName::kForce:
        return force;
      case DeviceName::kVibration:
        break;
    }
    return vibration;
  }
  CountingOutput& output(DeviceName device) { return outputs[index_of(device)]; }

  SimConfig config;
  daq::HostTime start;
  std::array<CountingOutput, kDevices> outputs;
  std::unique_ptr<Plant> phantom;
  std::unique_ptr<StageTwin> stage_twin;
  StageTwin& stage;
  RdtTwin force;
  SensorStreamTwin vibration;
  std::optional<Shaker> shaker;
  TwinOutput* generator_wire;
  std::optional<GeneratorTwin> generator;
  FaultMaker faults;
  std::uint64_t steps = 0;
  std::array<double, 3> load_N{};
};

std::string_view name_of(DeviceName device) noexcept {
  constexpr std::array<std::string_view, kDevices> kNames{"stage", "force", "vibration"};
  return kNames[index_of(device)];
}

std::string to_json(const WorldTotals& totals) {
  nlohmann::ordered_json all;
  for (std::size_t i = 0; i < kDevices; ++i) {
    all[std::string(name_of(static_cast<DeviceName>(i)))] = {{"samples", totals[i].samples},
                                                             {"sends", totals[i].sends},
                                                             {"bytes", totals[i].bytes},
                                                             {"lost_bytes", totals[i].lost_bytes}};
  }
  return daq::json_text(all);
}

World::World(const SimConfig& config, daq::HostTime start, const std::array<TwinOutput*, kDevices>& outputs,
             TwinOutput* generator)
    : parts_(std::make_unique<Parts>(config, start, outputs, generator)) {}
World::~World() = default;

void World::receive(DeviceName device, std::span<const std::byte> bytes, daq::HostTime at) {
  parts_->faults.host_spoke(at);
  parts_->twin(device).receive(bytes, at, parts_->output(device));
}

void World::receive_generator(std::span<const std::byte> bytes, daq::HostTime at) {
  assert(parts_->generator);
  parts_->generator->receive(bytes, at, *parts_->generator_wire);
}

daq::HostTime World::start() const noexcept { return parts_->start; }

daq::HostTime World::next_step() const noexcept {
  // From the count and not by adding up, so that no rounding gathers in an hour.
  return parts_->start + daq::from_seconds(static_cast<double>(parts_->steps + 1) / parts_->config.plant_rate_Hz);
}

void World::load_edge(const std::array<double, 3>& force_N) noexcept { parts_->load_N = force_N; }

void World::shake(const rig::Excitation& excitation) noexcept {
  if (parts_->shaker) parts_->shaker->shake(excitation);
}

void World::mount_on_shaker(std::size_t axis) noexcept {
  if (parts_->shaker) parts_->shaker->mount(axis);
}

void World::step() {
  auto& p = *parts_;
  const daq::HostTime now = next_step();
  ++p.steps;
  p.faults.make(now);
  if (p.generator) {
    p.generator->step(now, p.phantom->state(), *p.generator_wire);
    feed_exciter();
  }
  p.stage.step(now, p.phantom->state(), p.output(DeviceName::kStage));
  const PlantState& state = p.phantom->step(now, p.stage.position_m(), p.stage.velocity_m_s());
  p.faults.see(now, state, *p.phantom);
  p.force.step(now, with_load(state, p.load_N, p.config.mount.lever_m), p.output(DeviceName::kForce));
  p.vibration.step(now, p.shaker ? on_shaker(state, p.shaker->step()) : state, p.output(DeviceName::kVibration));
}

void World::feed_exciter() noexcept {
  auto& p = *parts_;
  if (p.shaker) {
    const auto drive = p.generator->drive_m_s2();
    p.shaker->feed(drive.amplitude, drive.phase_rad);
  }
  if (auto* bench = instrument_bench()) {
    const auto drive = p.generator->drive_N();
    bench->feed(drive.amplitude * std::sin(drive.phase_rad));
  }
}

void World::advance(daq::HostTime to) {
  while (next_step() <= to) step();
}

const PlantState& World::plant() const noexcept { return parts_->phantom->state(); }
const Plant& World::phantom() const noexcept { return *parts_->phantom; }
InstrumentBenchPlant* World::instrument_bench() noexcept {
  return dynamic_cast<InstrumentBenchPlant*>(parts_->phantom.get());
}
const StageTwin& World::stage() const noexcept { return parts_->stage; }
const GeneratorTwin* World::generator() const noexcept { return parts_->generator ? &*parts_->generator : nullptr; }
const std::vector<MadeFault>& World::made() const noexcept { return parts_->faults.made(); }
std::uint64_t World::steps() const noexcept { return parts_->steps; }

WorldTotals World::totals() const noexcept {
  const auto& p = *parts_;
  WorldTotals totals{p.outputs[0].totals, p.outputs[1].totals, p.outputs[2].totals};
  totals[index_of(DeviceName::kStage)].samples = p.stage.reports_sent();
  totals[index_of(DeviceName::kForce)].samples = p.force.samples_sent();
  totals[index_of(DeviceName::kVibration)].samples = p.vibration.samples_sent();
  return totals;
}

}  // namespace strigil::sim
