#include "calibration/standards/reference_force.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

// Conventional mass is defined by these two (OIML D 28 as recalled, metrology.md 1.6 [M]).
constexpr double kConventionalDensity = 8000;
constexpr double kConventionalAir = 1.2;

/// What remains of a piece's weight in air: force = mass * gravity * factor, and how it depends on air and density.
struct Buoyancy {
  double factor = 1;
  double by_air = 0;
  double by_density = 0;
};

Buoyancy buoyancy(const LoadMass& m, double air) {
  const double rho = m.density_kg_m3;
  const double lift = 1 - air / rho;
  if (!m.conventional) return {lift, -1 / rho, air / (rho * rho)};
  // The true mass of a piece of this conventional mass depends on its density, which all but cancels the buoyancy's
  // own.
  const double reference = 1 - kConventionalAir / rho;
  const double scale = (1 - kConventionalAir / kConventionalDensity) / reference;
  const double by_density = scale * (air / (rho * rho) - lift / reference * kConventionalAir / (rho * rho));
  return {scale * lift, -scale / rho, by_density};
}

std::optional<daq::Error> refuse(const std::vector<LoadMass>& pieces, const LoadPlace& p) {
  if (pieces.empty()) return daq::Error{"no masses: no force"};
  if (auto error = out_of_bounds("gravity_m_s2", p.gravity_m_s2, 9.7, 9.9)) return error;
  if (auto error = out_of_bounds("u_gravity_m_s2", p.u_gravity_m_s2, 0, 0.1)) return error;
  if (auto error = out_of_bounds("air_kg_m3", p.air_kg_m3, 0, 2)) return error;
  if (auto error = out_of_bounds("u_air_kg_m3", p.u_air_kg_m3, 0, 1)) return error;
  for (const auto& m : pieces) {
    if (auto error = out_of_bounds("mass of '" + m.name + "' in kg", m.mass_kg, 1e-9, 1e6)) return error;
    if (auto error = out_of_bounds("u of '" + m.name + "' in kg", m.u_kg, 0, m.mass_kg)) return error;
    if (auto error = out_of_bounds("density of '" + m.name + "' in kg/m3", m.density_kg_m3, 100, 25000)) return error;
    if (auto error = out_of_bounds("u of the density of '" + m.name + "'", m.u_density_kg_m3, 0, m.density_kg_m3)) {
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace

daq::Result<double> normal_gravity_m_s2(double latitude_deg, double height_m) {
  if (auto error = out_of_bounds("latitude_deg", latitude_deg, -90, 90)) return *error;
  if (auto error = out_of_bounds("height_m", height_m, -500, 9000)) return *error;
  // metrology.md 1.6 [M]: WGS 84 constants.
  const double s = std::sin(latitude_deg * std::numbers::pi / 180);
  return 9.7803253359 * (1 + 0.00193185265241 * s * s) / std::sqrt(1 - 0.00669437999014 * s * s) - 3.086e-6 * height_m;
}

daq::Result<double> air_density_kg_m3(double temperature_degC, double pressure_hPa, double humidity_pct) {
  if (auto error = out_of_bounds("temperature_degC", temperature_degC, -20, 60)) return *error;
  if (auto error = out_of_bounds("pressure_hPa", pressure_hPa, 300, 1100)) return *error;
  if (auto error = out_of_bounds("humidity_pct", humidity_pct, 0, 100)) return *error;
  // The simplified formula of OIML R 111 Annex E as recalled [M].
  return (0.34848 * pressure_hPa - 0.009 * humidity_pct * std::exp(0.061 * temperature_degC)) /
         (273.15 + temperature_degC);
}

daq::Result<ReferenceForce> reference_force(const std::vector<LoadMass>& pieces, const LoadPlace& place) {
  if (auto error = refuse(pieces, place)) return *error;
  ReferenceForce out;
  double by_gravity = 0, by_air = 0, together = 0, squares = 0;
  for (const auto& m : pieces) {
    const auto b = buoyancy(m, place.air_kg_m3);
    const double weight = m.mass_kg * place.gravity_m_s2;
    out.force_N.value += weight * b.factor;
    by_gravity += m.mass_kg * b.factor;
    by_air += weight * b.by_air;
    const double u_mass = place.gravity_m_s2 * b.factor * m.u_kg;
    const double u_density = std::abs(weight * b.by_density) * m.u_density_kg_m3;
    if (m.correlated) {
      together += u_mass;
    } else {
      squares += u_mass * u_mass;
      out.budget.push_back({"mass of " + m.name, u_mass});
    }
    squares += u_density * u_density;
    if (u_density > 0) out.budget.push_back({"density of " + m.name, u_density});
  }
  const double u_gravity = by_gravity * place.u_gravity_m_s2;
  const double u_air = std::abs(by_air) * place.u_air_kg_m3;
  if (together > 0) out.budget.push_back({"masses of one standard, added linearly", together});
  out.budget.push_back({"local gravity", u_gravity});
  out.budget.push_back({"density of the air", u_air});
  out.force_N.u = std::sqrt(squares + together * together + u_gravity * u_gravity + u_air * u_air);
  out.relative_u = out.force_N.u / out.force_N.value;
  return out;
}

LimitSchema oiml_r111_schema() { return {{}, {}, {"mpe_100g_mg", "mpe_1kg_mg"}, {}}; }

daq::Result<double> weight_mpe_kg(const std::string& class_name, double nominal_kg, const LimitTable& table) {
  for (const auto& c : table.classes) {
    if (c.name != class_name) continue;
    if (nominal_kg == 0.1) return c.limit("mpe_100g_mg") * 1e-6;
    if (nominal_kg == 1.0) return c.limit("mpe_1kg_mg") * 1e-6;
    return daq::Error{
        fmt::format("table '{}' knows the errors of 100 g and 1 kg weights, not of {:g} kg: take them from the "
                    "weight's certificate",
                    table.identity.id, nominal_kg)};
  }
  return daq::Error{fmt::format("table '{}' has no class '{}'", table.identity.id, class_name)};
}

}  // namespace strigil::calibration
