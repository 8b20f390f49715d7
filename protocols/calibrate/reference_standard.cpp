#include "protocols/calibrate/reference_standard.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "calibration/record/calendar.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::protocols {
namespace {

constexpr double kPercent = 1e-2;

calibration::LoadMass read_mass(daq::StrictTable& t) {
  calibration::LoadMass m;
  m.name = t.text("name");
  m.mass_kg = t.number("mass_kg", {1e-6, 100});
  m.u_kg = t.number("expanded_kg", {0, 1}, 0.0) / 2;
  m.conventional = t.boolean("conventional", true);
  m.density_kg_m3 = t.number("density_kg_m3", {500, 25000}, m.density_kg_m3);
  m.u_density_kg_m3 = t.number("u_density_kg_m3", {0, 1000}, m.u_density_kg_m3);
  m.correlated = t.boolean("one_standard", true);
  t.finish();
  return m;
}

void read_place(daq::StrictTable t, calibration::LoadPlace& p) {
  p.gravity_m_s2 = t.number("gravity_m_s2", {9.7, 9.9}, p.gravity_m_s2);
  p.u_gravity_m_s2 = t.number("u_gravity_m_s2", {0, 0.1}, 1e-3);  // where nobody has measured it: metrology.md 1.6 [M]
  p.air_kg_m3 = t.number("air_kg_m3", {0.8, 1.5}, p.air_kg_m3);
  p.u_air_kg_m3 = t.number("u_air_kg_m3", {0, 0.2}, 0.05);
  t.finish();
}

void read_transducer(daq::StrictTable t, ReferenceStandard& out) {
  constexpr double kDegree = std::numbers::pi / 180;
  constexpr double kMilli = 1e-3;
  out.drift_relative = t.number("drift_percent", {0, 20}, 0.0) * kPercent;
  out.transverse_relative = t.number("transverse_percent", {0, 20}, 0.0) * kPercent;
  for (auto& row : t.tables("response")) {
    ReferenceResponse r;
    r.frequency_Hz = row.number("frequency_Hz", {0.1, 1e6});
    r.sensitivity_V_m_s2 = row.number("sensitivity_mV_m_s2", {1e-6, 1e6}) * kMilli;
    r.phase_rad = row.number("phase_deg", {-360, 360}, 0.0) * kDegree;
    r.expanded_relative = row.number("expanded_percent", {1e-4, 50}) * kPercent;
    r.expanded_phase_rad = row.number("expanded_phase_deg", {0, 180}, 0.0) * kDegree;
    row.finish();
    if (!out.response.empty() && !(r.frequency_Hz > out.response.back().frequency_Hz))
      row.refuse("frequency_Hz", "the frequencies of [[accelerometer.response]] rise");
    out.response.push_back(r);
  }
  if (t.present() && out.response.empty())
    t.refuse("response", "an accelerometer needs [[accelerometer.response]]: what its certificate says");
  t.finish();
}

}  // namespace

std::optional<ReferenceResponse> response_at(const ReferenceStandard& reference, double frequency_Hz) {
  constexpr double kSame = 1e-9;
  const auto& all = reference.response;
  if (all.empty() || !(frequency_Hz >= all.front().frequency_Hz * (1 - kSame)) ||
      !(frequency_Hz <= all.back().frequency_Hz * (1 + kSame))) {
    return std::nullopt;
  }
  auto above = std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.frequency_Hz >= frequency_Hz; });
  if (above == all.end()) --above;
  const auto below = above == all.begin() ? above : above - 1;
  const double whole = std::log(above->frequency_Hz / below->frequency_Hz);
  const double part = whole > 0 ? std::clamp(std::log(frequency_Hz / below->frequency_Hz) / whole, 0.0, 1.0) : 1;
  ReferenceResponse out = *above;
  out.frequency_Hz = frequency_Hz;
  out.sensitivity_V_m_s2 = std::lerp(below->sensitivity_V_m_s2, above->sensitivity_V_m_s2, part);
  out.phase_rad = std::lerp(below->phase_rad, above->phase_rad, part);
  out.expanded_relative = std::max(below->expanded_relative, above->expanded_relative);
  out.expanded_phase_rad = std::max(below->expanded_phase_rad, above->expanded_phase_rad);
  return out;
}

daq::Result<ReferenceStandard> parse_reference(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  auto t = root.table("reference", true);
  ReferenceStandard out;
  out.trace.what = t.text("what");
  out.trace.serial = t.text("serial", "");
  out.trace.certificate = t.text("certificate", "");
  out.trace.laboratory = t.text("laboratory", "");
  out.trace.record = t.text("record", "");
  if (const auto until = t.text("valid_until", ""); !until.empty()) {
    const auto instant = calibration::parse_instant(until);
    if (instant) {
      out.trace.valid_until = *instant;
    } else {
      t.refuse("valid_until", instant.error().message);
    }
  }
  out.kind = t.text("class", "");
  out.expanded_relative = t.number("expanded_percent", {0, 50}, 0.0) * kPercent;
  out.expanded = t.number("expanded", {0, 1000}, 0.0);
  out.trace.uncertainty = t.text("uncertainty", "");
  t.finish();
  read_place(root.table("place"), out.place);
  read_transducer(root.table("accelerometer"), out);
  for (auto& mass : root.tables("mass")) out.masses.push_back(read_mass(mass));
  if (out.masses.empty() && out.response.empty() && out.expanded_relative == 0 && out.expanded == 0) {
    t.refuse("expanded_percent",
             "how well the reference is known is not said: 'expanded_percent', 'expanded' (k = 2), [[mass]], or [accelerometer]");
  }
  root.finish();
  if (document.error()) return *document.error();
  return out;
}

daq::Result<ReferenceStandard> load_reference(const std::string& path) {
  const auto text = daq::read_text_file(path);
  if (!text) return text.error();
  return parse_reference(*text, path);
}

}  // namespace strigil::protocols
