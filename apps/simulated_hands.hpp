// Hands in the simulated world: what a prompter says was done is done there, with loads as they really are.
#pragma once

#include "protocols/calibrate/prompter.hpp"
#include "protocols/calibrate/reference_standard.hpp"
#include "sim/instrument_bench_plant.hpp"
#include "sim/reference_load.hpp"
#include "sim/temperature.hpp"
#include "sim/virtual_world.hpp"

namespace strigil::apps {

/// What hands do to an instrument, done to the simulated one; any other task: nothing.
void handle_instrument(const protocols::HandsRequest& request, sim::InstrumentBenchPlant& bench);

/// Passes everything on to another prompter; once that has answered, loads hang at the simulated edge, and the
/// simulated exciter shakes. An answer of NaN
/// to a reading is filled in: what the reference shows in the simulated world. One thread.
class SimulatedHands final : public protocols::Prompter {
 public:
  /// The first three outlive this. `temperature`: of the simulated bench. `seed`: of the reference's error, which is as
  /// its certificate says.
  SimulatedHands(protocols::Prompter& asked, sim::VirtualWorld& world, const protocols::ReferenceStandard& reference,
                 const sim::TemperatureCourse& temperature, std::uint64_t seed);
  void ask(const protocols::HandsRequest& request, daq::HostTime now) override;
  std::optional<protocols::HandsAnswer> poll(daq::HostTime now) override;
  void progress(const protocols::ProcedureProgress& progress) override { asked_.progress(progress); }

 private:
  [[nodiscard]] double bench_C() const;
  [[nodiscard]] double reference_reading(const std::string& what);

  protocols::Prompter& asked_;
  sim::VirtualWorld& world_;
  sim::TemperatureCourse temperature_;
  const protocols::ReferenceStandard& reference_;
  sim::ReferenceLoad load_;
  sim::Noise noise_;
  double scale_ = 1;   // of what the reference reads, common to all readings ...
  double offset_ = 0;  // ... as is this
  protocols::HandsRequest request_;
  daq::HostTime asked_at_;
};

}  // namespace strigil::apps
