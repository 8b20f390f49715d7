#include "protocols/calibrate/instrument_evaluation.hpp"

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cmath>

#include "calibration/conversion.hpp"
#include "calibration/fit/tool_gravity.hpp"
#include "calibration/standards/edge_friction.hpp"
#include "calibration/standards/edge_stiffness.hpp"
#include "calibration/standards/readings_check.hpp"

namespace strigil::protocols {
namespace {

using Eigen::MatrixXd;

constexpr double kRectangular = 0.5773502691896258;  // 1/sqrt 3: standard of a half-width

/// Newtons and newton metres of the force stream, by the record in use or by the sensor's nominal scale.
class Wrenches {
 public:
  static daq::Result<Wrenches> of(const InstrumentData& d) {
    const auto& stream = d.data.streams[d.data.roles.force];
    Wrenches w(stream);
    if (const auto& record = d.setup.bench.force.record) {
      auto with = calibration::Conversion::with(stream, *record);
      if (!with) return with.error();
      w.conversion_ = *with;
    }
    constexpr std::array kNames{"Fx", "Fy", "Fz", "Tx", "Ty", "Tz"};
    for (std::size_t k = 0; k < kNames.size(); ++k) {
      const auto found = std::find_if(stream.channels.begin(), stream.channels.end(),
                                      [&](const auto& c) { return c.name == kNames[k]; });
      if (found == stream.channels.end())
        return daq::Error{fmt::format("the force sensor has no channel '{}'", kNames[k])};
      w.channel_[k] = static_cast<std::size_t>(found - stream.channels.begin());
    }
    return w;
  }

  /// Fx Fy Fz Tx Ty Tz of these mean counts.
  template <typename Counts>
  [[nodiscard]] std::array<double, 6> at(const Counts& counts_of) const {
    daq::NewestSample s;
    s.channels = static_cast<std::uint16_t>(conversion_.channels());
    for (std::size_t c = 0; c < conversion_.channels(); ++c)
      s.counts[c] = static_cast<std::int32_t>(std::lround(counts_of(c)));
    std::array<double, 6> out{};
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = conversion_.value(s, channel_[k]);
    return out;
  }
  [[nodiscard]] std::array<double, 6> at(const StreamWindow& w) const {
    return at([&](std::size_t c) { return w.channels[c].mean; });
  }
  [[nodiscard]] std::size_t channel(std::size_t k) const { return channel_[k]; }

 private:
  explicit Wrenches(const daq::StreamDescription& stream) : conversion_(stream) {}
  calibration::Conversion conversion_;
  std::array<std::size_t, 6> channel_{};
};

daq::Result<const StreamWindow*> window_of(const InstrumentData& d, std::size_t step, std::size_t stream) {
  const auto& w = d.data.windows[step][stream];
  if (w.samples >= 2) return &w;
  return daq::Error{
      fmt::format("stream '{}' said nothing in one of the steps; lengthen 'read_s'", d.data.streams[stream].name)};
}

/// Signed channel of the bench ("+Fz") in a wrench.
double along(const std::string& axis, const std::array<double, 6>& wrench) {
  constexpr std::string_view kAxes = "xyz";
  const double sign = axis.front() == '-' ? -1 : 1;
  return sign * wrench[kAxes.find(axis.back())];
}

double force_relative_u(const InstrumentData& d) { return d.setup.reference.expanded_relative / 2; }

/// What was weighed in one series, and the first moment's own uncertainty.
struct Weighed {
  calibration::ToolGravity tool;
  Eigen::Vector3d u_moment;
  double dof_force = 0;
  std::array<double, 3> dof_moment{};
};
daq::Result<Weighed> weigh(const InstrumentData& d, const Wrenches& wrenches,
                           const std::vector<InstrumentSteps::Weighing>& series) {
  const auto n = static_cast<Eigen::Index>(series.size());
  MatrixXd gravity(n, 3), wrench(n, 6);
  const double g = d.setup.reference.place.gravity_m_s2;
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto& s = series[static_cast<std::size_t>(i)];
    const auto window = window_of(d, s.step, d.data.roles.force);
    if (!window) return window.error();
    const auto w = wrenches.at(**window);
    for (Eigen::Index k = 0; k < 6; ++k) wrench(i, k) = w[static_cast<std::size_t>(k)];
    // identify_tool takes readings that oppose the weight; this rig's are the force on the instrument (rig/frames.hpp).
    gravity.row(i) << g * std::sin(s.lean_rad), 0, g * std::cos(s.lean_rad);
  }
  const auto tool = calibration::identify_tool(gravity, wrench);
  if (!tool) return tool.error();
  Weighed out{*tool, {}, 3.0 * static_cast<double>(n) - 4, {}};
  // Leant about y alone, x and z of the centre and one zero are in the torque about y, and what an attitude is off by
  // turns that torque only; y and two zeros are in the other two. Each has its own scatter.
  double about_y = 0, about_others = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    const Eigen::Vector3d down = gravity.row(i);
    const Eigen::Vector3d off =
        wrench.row(i).tail<3>().transpose() - tool->torque_zero_N_m - down.cross(tool->first_moment_kg_m);
    about_y += off.y() * off.y();
    about_others += off.x() * off.x() + off.z() * off.z();
  }
  const double dof_y = static_cast<double>(n) - 3, dof_others = 2 * static_cast<double>(n) - 3;
  out.dof_moment = {dof_y, dof_others, dof_y};
  for (Eigen::Index a = 0; a < 3; ++a) {
    const double scatter_N_m = a == 1 ? std::sqrt(about_others / dof_others) : std::sqrt(about_y / dof_y);
    const double with_mass = tool->u_centre_m[a] * tool->mass_kg;
    const double of_mass = tool->centre_m[a] * tool->u_mass_kg;
    const double pooled = std::sqrt(std::max(with_mass * with_mass - of_mass * of_mass, 0.0));
    out.u_moment[a] = tool->torque_sd_N_m > 0 ? pooled * scatter_N_m / tool->torque_sd_N_m : 0;
  }
  return out;
}

}  // namespace

calibration::Estimate InstrumentValue::estimate() const {
  calibration::Estimate e{value, 0, std::numeric_limits<double>::infinity()};
  for (const auto& p : parts) {
    e.dof = calibration::effective_dof(e.u, e.dof, p.u, p.dof);
    e.u = std::hypot(e.u, p.u);
  }
  return e;
}

double InstrumentValue::coverage_factor() const {
  return std::max(2.0, calibration::coverage_factor(std::max(estimate().dof, 1.0)));
}

daq::Result<void> weigh_instrument(const InstrumentData& d, InstrumentFindings& out) {
  const auto wrenches = Wrenches::of(d);
  if (!wrenches) return wrenches.error();
  const auto empty = weigh(d, *wrenches, d.at.empty);
  if (!empty) return daq::Error{"the empty clamp: " + empty.error().message};
  const auto all = weigh(d, *wrenches, d.at.mounted);
  if (!all) return daq::Error{"clamp and instrument: " + all.error().message};
  const double mass_kg = all->tool.mass_kg - empty->tool.mass_kg;
  const double scatter_kg = std::hypot(all->tool.u_mass_kg, empty->tool.u_mass_kg);
  if (!(mass_kg > 3 * scatter_kg)) {
    return daq::Error{
        fmt::format("the instrument's mass comes out as {:.4g} +- {:.2g} kg: was it out of its clamp first, "
                    "and then in it?",
                    mass_kg, scatter_kg)};
  }
  const double scale = force_relative_u(d);
  const auto& place = d.setup.reference.place;
  const auto& w = d.plan.weighing;
  // Twice: clamp and instrument, and the clamp alone; each series has its own degrees of freedom.
  InstrumentValue mass{"mass", "mass", "kg", mass_kg, {}};
  mass.parts = {
      {"scatter of the attitudes, instrument", "t", all->tool.u_mass_kg, all->dof_force},
      {"scatter of the attitudes, empty clamp", "t", empty->tool.u_mass_kg, empty->dof_force},
      {"scale of the force sensor", "normal", scale * mass_kg},
      {"local gravity", "normal", place.u_gravity_m_s2 / place.gravity_m_s2 * mass_kg},
      {"air's buoyancy, not corrected", "rectangular", kRectangular * place.air_kg_m3 / w.density_at_least * mass_kg}};
  const Eigen::Vector3d moment = all->tool.first_moment_kg_m - empty->tool.first_moment_kg_m;
  const Eigen::Vector3d centre_m = moment / mass_kg;
  // A tilt scale that is off turns the centre about y: x by z, z by x.
  const Eigen::Vector3d turned_m = w.tilt_zero_rad * Eigen::Vector3d(centre_m.z(), 0, centre_m.x()).cwiseAbs();
  constexpr std::array kAxes{"centre x", "centre y", "centre z"};
  out.values.push_back(std::move(mass));
  for (Eigen::Index a = 0; a < 3; ++a) {
    const auto axis = static_cast<std::size_t>(a);
    InstrumentValue c{"centre of mass", kAxes[axis], "m", centre_m[a], {}};
    c.parts = {{"scatter of the torques, instrument", "t", all->u_moment[a] / mass_kg, all->dof_moment[axis]},
               {"scatter of the torques, empty clamp", "t", empty->u_moment[a] / mass_kg, empty->dof_moment[axis]},
               {"mass", "t", std::abs(centre_m[a]) * scatter_kg / mass_kg, all->dof_force},
               // The scales of torque and force are two, so that they do not cancel.
               {"scales of torque and force", "normal", std::sqrt(2.0) * scale * std::abs(centre_m[a])},
               {"zero of the tilt scale", "rectangular", kRectangular * turned_m[a]}};
    out.values.push_back(std::move(c));
  }
  return {};
}

daq::Result<void> press_instrument(const InstrumentData& d, InstrumentFindings& out) {
  const auto wrenches = Wrenches::of(d);
  if (!wrenches) return wrenches.error();
  const auto& b = d.plan.block;
  const auto& position = d.data.streams[d.data.roles.position];
  calibration::DataTable table{"pressing", {"series", "force", "way"}, {"1", "N", "m"}, {}};
  std::vector<double> stiffness;
  double total_m_N = 0, span_m = 0;
  for (std::size_t i = 0; i < d.at.series.size(); ++i) {
    const auto& series = d.at.series[i];
    std::array<std::vector<double>, 2> force_N, way_m;
    double zero_m = 0;
    for (std::size_t side = 0; side < 2; ++side) {
      for (const auto step : side == 0 ? series.loading : series.unloading) {
        const auto felt = window_of(d, step, d.data.roles.force);
        if (!felt) return felt.error();
        const auto stood = window_of(d, step, d.data.roles.position);
        if (!stood) return stood.error();
        const auto& z = position.channels[rig::kZ];
        const double height_m = z.scale * (*stood)->channels[rig::kZ].mean + z.offset;
        if (side == 0 && force_N[0].empty()) zero_m = height_m;
        force_N[side].push_back(along(d.setup.bench.force.normal_axis, wrenches->at(**felt)));
        way_m[side].push_back(zero_m - height_m);
        table.rows.push_back({static_cast<double>(i + 1), force_N[side].back(), way_m[side].back()});
      }
    }
    const auto k = calibration::edge_stiffness(force_N[0], way_m[0], force_N[1], way_m[1], b.rig_compliance_m_N);
    if (!k) return daq::Error{fmt::format("stiffness, series {}: {}", i + 1, k.error().message)};
    if (!k->straight) {
      out.remarks.push_back(fmt::format("stiffness, series {}: bent by {:.1f} % of the way at the largest force", i + 1,
                                        k->nonlinearity_pct));
    }
    stiffness.push_back(k->stiffness_N_m.value);
    total_m_N = k->total_compliance_m_N.value;
    span_m = way_m[0].back();
  }
  const auto spread = calibration::spread_of(stiffness);
  const auto n = static_cast<double>(stiffness.size());
  const double k = spread.mean;
  // k = 1/(C - C_rig): what is wrong in C counts by C/(C - C_rig) of k.
  const double lever = total_m_N * k;
  InstrumentValue v{"stiffness", "edge", "N/m", k, {}};
  v.parts = {{"scatter of the series", "t", spread.deviation / std::sqrt(n), n - 1},
             {"compliance of the rig", "normal", b.rig_compliance_m_N.u * k * k},
             {"scale of the force sensor", "normal", lever * force_relative_u(d) * k},
             {"way of the stage", "normal", lever * std::sqrt(2.0) * b.displacement_u_m / span_m * k}};
  out.values.push_back(std::move(v));
  out.tables.push_back(std::move(table));
  return {};
}

daq::Result<void> rub_instrument(const InstrumentData& d, InstrumentFindings& out) {
  const auto wrenches = Wrenches::of(d);
  if (!wrenches) return wrenches.error();
  const auto& strokes = d.at.strokes;
  const auto zero = window_of(d, strokes.zero, d.data.roles.force);
  if (!zero) return zero.error();
  const auto& bench = d.setup.bench;
  const auto zero_wrench = wrenches->at(**zero);
  const auto normal = [&](const auto& w) {
    return along(bench.force.normal_axis, w) - along(bench.force.normal_axis, zero_wrench);
  };
  // What drags is along -x on the instrument as it goes forward: edge_friction wants what resists that positive.
  const auto tangential = [&](const auto& w) {
    return along(bench.force.tangential_axis, zero_wrench) - along(bench.force.tangential_axis, w);
  };
  calibration::FrictionReadings readings;
  calibration::DataTable table{"strokes", {"direction", "normal", "tangential"}, {"1", "N", "N"}, {}};
  const auto take = [&](const std::vector<std::size_t>& steps, double sign,
                        std::vector<calibration::ForcePair>& pairs) -> daq::Result<void> {
    for (const auto step : steps) {
      const auto window = window_of(d, step, d.data.roles.force);
      if (!window) return window.error();
      const auto& w = **window;
      // Its ends are where the stage gathers speed and loses it.
      constexpr double kFrom = 0.2, kTo = 0.7;
      constexpr std::size_t kPieces = 4;
      const double full = static_cast<double>(w.at_s.size());
      const auto from = static_cast<std::size_t>(kFrom * full);
      const auto piece = static_cast<std::size_t>((kTo - kFrom) * full) / kPieces;
      if (piece < 4) return daq::Error{"a stroke is too short to tell its force; 'length_mm' or 'speed_mm_s'"};
      for (std::size_t p = 0; p < kPieces; ++p) {
        const auto mean = [&](std::size_t c) {
          double sum = 0;
          for (std::size_t i = 0; i < piece; ++i) sum += w.counts[c][from + p * piece + i];
          return sum / static_cast<double>(piece);
        };
        const auto wrench = wrenches->at(mean);
        pairs.push_back({normal(wrench), tangential(wrench)});
        table.rows.push_back({sign, pairs.back().normal_N, pairs.back().tangential_N});
      }
    }
    return {};
  };
  if (auto r = take(strokes.forward, 1, readings.forward); !r) return r.error();
  if (auto r = take(strokes.backward, -1, readings.backward); !r) return r.error();
  const auto friction = calibration::edge_friction(readings);
  if (!friction) return friction.error();
  InstrumentValue v{"coefficient of friction", "edge on the block", "1", friction->mu.value, {}};
  v.parts = {{"scatter of the strokes", "t", friction->mu.u, friction->mu.dof},
             {"scales of both force channels", "normal", std::sqrt(2.0) * force_relative_u(d) * friction->mu.value}};
  if (!friction->directions_agree) {
    out.remarks.push_back(fmt::format("friction: block or sensor lean by {:.2f} mrad, or friction depends on direction",
                                      friction->lean_rad.value * 1e3));
  }
  out.values.push_back(std::move(v));
  out.tables.push_back(std::move(table));
  return {};
}

daq::Result<ProcedureResult> evaluate_instrument(const InstrumentPlan& plan, const InstrumentSteps& at,
                                                 const ProcedureData& data, const ProcedureSetup& setup) {
  const InstrumentData d{plan, at, data, setup};
  InstrumentFindings found;
  if (plan.weighs) {
    if (auto r = weigh_instrument(d, found); !r) return r.error();
  }
  if (plan.presses) {
    if (auto r = press_instrument(d, found); !r) return r.error();
  }
  if (plan.rubs) {
    if (auto r = rub_instrument(d, found); !r) return r.error();
  }
  if (plan.shakes) {
    if (auto r = ring_instrument(d, found); !r) return r.error();
    if (auto r = shake_instrument(d, found); !r) return r.error();
  }
  ProcedureResult out;
  out.remarks = std::move(found.remarks);
  auto& r = out.record;
  r.fit.kind = calibration::FitKind::kConstants;
  calibration::DataTable results{
      "results", {"value", "standard_uncertainty", "dof", "k", "expanded_uncertainty"}, {"1", "1", "1", "1", "1"}, {}};
  for (const auto& v : found.values) {
    const auto e = v.estimate();
    const double expanded = v.expanded();
    r.quantities.push_back({v.quantity, v.channel, v.unit, {v.value, v.value}, {{v.value, expanded}}});
    r.fit.names.push_back(v.channel);
    r.fit.coefficients.push_back(v.value);
    constexpr double kInfinite = 1e9;
    results.rows.push_back({v.value, e.u, std::min(e.dof, kInfinite), v.coverage_factor(), expanded});
    for (const auto& p : v.parts) {
      r.budget.push_back(
          {fmt::format("{}: {}", v.channel, p.name), p.distribution, p.u, v.unit, 1, std::isfinite(p.dof) ? p.dof : 0});
    }
  }
  r.tables = std::move(found.tables);
  r.tables.insert(r.tables.begin(), std::move(results));
  if (setup.temperature_C)
    r.conditions.temperature_C = calibration::Interval{*setup.temperature_C, *setup.temperature_C};
  r.conditions.notes =
      "k of each value is in the table 'results', in the order of the quantities, each in its own unit; modes and "
      "transmissibility are with the accelerometers on; ";
  return out;
}

}  // namespace strigil::protocols
