// Reference forces from masses: local gravity, air buoyancy, and what is not known of them. metrology.md 1.6 [M].
#pragma once

#include <string>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Normal gravity of the WGS 84 ellipsoid with the free-air gradient, m/s^2: Somigliana's formula. It knows nothing of
/// the ground below: local values differ by up to some 1e-3 m/s^2; the caller states u. Refuses latitudes beyond +-90
/// degrees and heights outside -500 .. 9000 m.
[[nodiscard]] daq::Result<double> normal_gravity_m_s2(double latitude_deg, double height_m);

/// Density of moist air, kg/m^3 (simplified CIPM formula, good to 2e-4 near 20 degC and 1013 hPa [M]).
[[nodiscard]] daq::Result<double> air_density_kg_m3(double temperature_degC, double pressure_hPa, double humidity_pct);

/// One piece of the load.
struct LoadMass {
  std::string name;
  double mass_kg = 0;
  double u_kg = 0;           // standard
  bool conventional = true;  // as weights are certified: what it would be at 8000 kg/m^3 in air of 1.2 kg/m^3
  double density_kg_m3 = 8000;
  double u_density_kg_m3 = 0;
  bool correlated = false;  // certified against the same standard: its u adds linearly to that of others so marked
};

struct LoadPlace {
  double gravity_m_s2 = 9.80665;
  double u_gravity_m_s2 = 0;
  double air_kg_m3 = 1.2;
  double u_air_kg_m3 = 0;
};

/// Part of the uncertainty, in newton (standard).
struct ForceContribution {
  std::string name;
  double u_N = 0;
};

struct ReferenceForce {
  Estimate force_N;
  double relative_u = 0;
  std::vector<ForceContribution> budget;
};

/// Weight of all pieces together, downwards. Gravity and air are the same for all. Refuses NaN, no or negative masses,
/// densities not above that of the air, negative uncertainties. Pure.
[[nodiscard]] daq::Result<ReferenceForce> reference_force(const std::vector<LoadMass>& pieces, const LoadPlace& place);

/// Schema of tables/oiml_r111.toml.
[[nodiscard]] LimitSchema oiml_r111_schema();
/// Maximum permissible error of a weight in kg; the table knows 100 g and 1 kg, all else is refused.
[[nodiscard]] daq::Result<double> weight_mpe_kg(const std::string& class_name, double nominal_kg,
                                                const LimitTable& table);

}  // namespace strigil::calibration
