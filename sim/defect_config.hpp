// Readers of what is not ideal in the twins: keys of [twin.force], [twin.vibration], [twin.stage.mechanics],
// [twin.shaker] and [twin.temperature] (docs/physics_devices.md lists them). Every key may be left out: then that defect is not there.
#pragma once

#include "daq/strict_toml.hpp"
#include "sim/accelerometer_electronics.hpp"
#include "sim/axis_mechanics.hpp"
#include "sim/force_electronics.hpp"
#include "sim/shaker.hpp"
#include "sim/temperature.hpp"

namespace strigil::sim {

/// Reads its keys out of `t`, which the caller finishes. Filters and resonances that steps of the plant cannot show are
/// refused, as are figures relative to a full scale that is not given.
void read_force_electronics(daq::StrictTable& t, ForceElectronicsConfig& config, double plant_rate_Hz);
void read_accelerometer_electronics(daq::StrictTable& t, AccelerometerElectronicsConfig& config, double plant_rate_Hz);
/// The whole table.
void read_stage_mechanics(daq::StrictTable t, StageMechanicsConfig& config, double plant_rate_Hz);
void read_temperature(daq::StrictTable t, TemperatureCourse& course);
ShakerConfig read_shaker(daq::StrictTable t, double plant_rate_Hz);

}  // namespace strigil::sim
