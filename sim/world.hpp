// World: one plant and the three twins on it, advanced together in fixed steps. It carries no bytes by itself: a
// host (virtual_world.hpp in memory, real_time_world.hpp on ptys and UDP) brings the host's and takes the twins'.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "sim/bench_sim_config.hpp"
#include "sim/plant.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

/// The three simulated devices; also indices.
enum class DeviceName : std::uint8_t { kStage, kForce, kVibration };
inline constexpr std::size_t kDevices = 3;
/// "stage", "force", "vibration": as in link URIs and in the counts.
std::string_view name_of(DeviceName device) noexcept;

class GeneratorTwin;
class InstrumentBenchPlant;

/// What one device has put on its wire since power-on.
struct DeviceTotals {
  std::uint64_t samples = 0;  ///< sensor samples sent; the stage: status reports sent
  std::uint64_t sends = 0;    ///< datagrams, or pieces of the byte stream
  std::uint64_t bytes = 0;
  std::uint64_t lost_bytes = 0;  ///< of these, never taken: a real wire that nobody read
};
/// Of every device, by DeviceName.
using WorldTotals = std::array<DeviceTotals, kDevices>;
/// One line of JSON: {"stage": {"samples": n, "sends": n, "bytes": n, "lost_bytes": n}, ...}.
std::string to_json(const WorldTotals& totals);

/// What strokes a tissue phantom when nobody says what does: a steel bar of 150 x 30 x 5 mm (science.md 1.4 [C]).
rig::Instrument steel_bar();

/// Whether a world can be made of it: a tissue phantom may name a material that there is not. Off the loop.
daq::Result<void> can_simulate(const SimConfig& config);

/// One thread, time never going back. Same configuration and same calls: same bytes, to the last bit.
class World {
 public:
  /// Power-on at `start`. Precondition: can_simulate(). `outputs` (by DeviceName, none null) take what the twins send
  /// and outlive the world, as does `generator`, where the configuration has one.
  World(const SimConfig& config, daq::HostTime start, const std::array<TwinOutput*, kDevices>& outputs,
        TwinOutput* generator = nullptr);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// The host's bytes reach a device at `at`: after every earlier step, and not after next_step().
  void receive(DeviceName device, std::span<const std::byte> bytes, daq::HostTime at);
  /// The same for the generator. Precondition: the world has one.
  void receive_generator(std::span<const std::byte> bytes, daq::HostTime at);
  /// The instant of step 0; every device's samples are counted from here.
  [[nodiscard]] daq::HostTime start() const noexcept;
  /// The instant of the next plant step.
  [[nodiscard]] daq::HostTime next_step() const noexcept;
  /// From the next step on this force pulls at the instrument's edge, beside what the plant gives: the hands of who
  /// calibrates (sensor's axes, N; all 0: nothing). The stage and the plant do not feel it.
  void load_edge(const std::array<double, 3>& force_N) noexcept;
  /// What a shaker is asked for, and the mounting of the sensor on it (sim/shaker.hpp); without one, nothing happens.
  void shake(const rig::Excitation& excitation) noexcept;
  void mount_on_shaker(std::size_t axis) noexcept;
  /// For hands: the bench on which an instrument is calibrated; nullptr: this is none.
  [[nodiscard]] InstrumentBenchPlant* instrument_bench() noexcept;
  /// Takes one plant step.
  void step();
  /// Takes every step up to and including `to`.
  void advance(daq::HostTime to);

  /// The truth: for tests and for those who judge the rig.
  [[nodiscard]] const PlantState& plant() const noexcept;
  [[nodiscard]] const Plant& phantom() const noexcept;
  [[nodiscard]] const StageTwin& stage() const noexcept;
  /// nullptr: there is none.
  [[nodiscard]] const GeneratorTwin* generator() const noexcept;
  [[nodiscard]] WorldTotals totals() const noexcept;
  [[nodiscard]] std::uint64_t steps() const noexcept;
  /// The faults that were made so far, in their order.
  [[nodiscard]] const std::vector<MadeFault>& made() const noexcept;

 private:
  void feed_exciter() noexcept;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace strigil::sim
