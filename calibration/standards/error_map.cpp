#include "calibration/standards/error_map.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

constexpr std::size_t kFewestTargets = 5;
/// Less than this is rounding, not measurement.
constexpr double kNothing_m = 1e-12;
constexpr double kNodesATurn = 12;  // straight lines between them are off by 3.4 % of the amplitude
constexpr double kTurnsToBeSeen = 2;
/// A model with more in it must predict better by this part [A]: noise alone makes one of many the best.
constexpr double kWorthIt = 0.97;

/// Mean deviation and count at one target, from one side.
struct Side {
  double counted_m = 0;
  double deviation_m = 0;
};

/// Series by target.
struct Target {
  double target_m = 0;
  std::vector<AxisStop> rising;
  std::vector<AxisStop> falling;
};

daq::Result<std::vector<Target>> by_target(std::span<const AxisStop> stops) {
  std::map<double, Target> targets;
  for (std::size_t i = 0; i < stops.size(); ++i) {
    const auto& s = stops[i];
    if (!std::isfinite(s.target_m) || !std::isfinite(s.counted_m) || !std::isfinite(s.reading_m))
      return daq::Error{fmt::format("stop {} has a number that is not finite", i)};
    auto& t = targets[s.target_m];
    t.target_m = s.target_m;
    (s.approach == Approach::rising ? t.rising : t.falling).push_back(s);
  }
  std::vector<Target> out;
  for (auto& [at, t] : targets) {
    if (t.rising.empty() || t.falling.empty())
      return daq::Error{fmt::format("target {:g} m was reached from one side only", at)};
    out.push_back(std::move(t));
  }
  if (out.empty()) return daq::Error{"there are no stops"};
  for (const auto& t : out) {
    if (t.rising.size() != out.front().rising.size() || t.falling.size() != out.front().rising.size()) {
      return daq::Error{
          fmt::format("target {:g} m was reached {} times rising and {} times falling where the first "
                      "was reached {} times; leave out the unfinished cycle",
                      t.target_m, t.rising.size(), t.falling.size(), out.front().rising.size())};
    }
  }
  return out;
}

double mean_of(const std::vector<AxisStop>& stops, double AxisStop::*member) {
  double sum = 0;
  for (const auto& s : stops) sum += s.*member;
  return sum / static_cast<double>(stops.size());
}

/// A straight line between evenly spaced knots, and the screw's turn.
struct Model {
  double from_m = 0;
  double span_m = 1;
  std::size_t knots = 2;
  std::size_t reversal_knots = 1;
  double lead_m = 0;  // 0: without

  [[nodiscard]] std::size_t size() const { return knots + reversal_knots + (lead_m > 0 ? 2U : 0U); }

  static void hats(double part, std::size_t count, double scale, Eigen::Ref<Eigen::VectorXd> out) {
    out.setZero();
    if (count == 1) {
      out[0] = scale;
      return;
    }
    const double u = std::clamp(part, 0.0, 1.0) * static_cast<double>(count - 1);
    const auto i = std::min(static_cast<std::size_t>(u), count - 2);
    const double rest = u - static_cast<double>(i);
    out[static_cast<Eigen::Index>(i)] = scale * (1 - rest);
    out[static_cast<Eigen::Index>(i + 1)] = scale * rest;
  }
  [[nodiscard]] Eigen::VectorXd row(double counted_m, Approach approach) const {
    Eigen::VectorXd r(static_cast<Eigen::Index>(size()));
    const auto k = static_cast<Eigen::Index>(knots);
    const auto b = static_cast<Eigen::Index>(reversal_knots);
    const double part = (counted_m - from_m) / span_m;
    hats(part, knots, 1, r.head(k));
    hats(part, reversal_knots, approach == Approach::rising ? -0.5 : 0.5, r.segment(k, b));
    if (lead_m > 0) {
      const double turn = 2 * std::numbers::pi * counted_m / lead_m;
      r[k + b] = std::cos(turn);
      r[k + b + 1] = std::sin(turn);
    }
    return r;
  }
};

struct Fitted {
  Model model;
  Eigen::VectorXd coefficients;
  double left_out_m = 0;  // RMS of the prediction of targets left out, the ends apart
};

/// Rows 2 i and 2 i + 1 are target i, rising and falling. What the fit without target i says of it follows from the one
/// fit: (I - H_ii)^-1 times its residuals.
std::optional<Fitted> fit(const Model& model, const std::vector<std::array<Side, 2>>& sides) {
  const auto n = static_cast<Eigen::Index>(2 * sides.size());
  const auto p = static_cast<Eigen::Index>(model.size());
  if (p + 2 >= n) return std::nullopt;
  Eigen::MatrixXd x(n, p);
  Eigen::VectorXd y(n);
  for (std::size_t i = 0; i < sides.size(); ++i) {
    for (std::size_t side = 0; side < 2; ++side) {
      const auto row = static_cast<Eigen::Index>(2 * i + side);
      x.row(row) = model.row(sides[i][side].counted_m, side == 0 ? Approach::rising : Approach::falling).transpose();
      y[row] = sides[i][side].deviation_m;
    }
  }
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(x);
  if (qr.rank() < p) return std::nullopt;
  Fitted out{model, qr.solve(y), 0};
  const Eigen::VectorXd residual = y - x * out.coefficients;
  const Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(n, p);
  double squares = 0;
  for (Eigen::Index i = 1; i + 1 < n / 2; ++i) {
    const Eigen::MatrixXd part = q.middleRows(2 * i, 2);
    const Eigen::Matrix2d rest = Eigen::Matrix2d::Identity() - part * part.transpose();
    if (!(std::abs(rest.determinant()) > 1e-9)) return std::nullopt;  // nothing but this target tells of its place
    squares += (rest.inverse() * residual.segment(2 * i, 2)).squaredNorm();
  }
  out.left_out_m = std::sqrt(squares / static_cast<double>(n - 4));
  return out;
}

Fitted best_fit(const std::vector<std::array<Side, 2>>& sides, double lead_m) {
  const double from_m = sides.front()[0].counted_m;
  const double span_m = sides.back()[0].counted_m - from_m;
  std::optional<Fitted> best;
  for (const double lead : {0.0, lead_m}) {
    if (lead > 0 ? span_m < kTurnsToBeSeen * lead : best.has_value()) continue;
    for (const std::size_t reversal : {1U, 2U}) {
      for (std::size_t knots = 2; knots <= std::max<std::size_t>(2, sides.size() / 2);
           knots = std::max(knots + 1, knots * 5 / 4)) {
        const auto tried = fit({from_m, span_m, knots, reversal, lead}, sides);
        if (tried && (!best || tried->left_out_m < kWorthIt * best->left_out_m)) best = tried;
      }
    }
  }
  return *best;  // a line and a constant backlash go through five targets
}

std::vector<double> nodes_of(const Model& model) {
  auto count = model.knots;
  if (model.lead_m > 0) {
    const double wanted = std::ceil(model.span_m / model.lead_m * kNodesATurn) + 1;
    count = static_cast<std::size_t>(std::clamp(wanted, 2.0, static_cast<double>(PitchTable::kMaxNodes)));
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(model.from_m + model.span_m * static_cast<double>(i) / static_cast<double>(count - 1));
  return out;
}

}  // namespace

daq::Result<StageReadings> readings_of(std::span<const AxisStop> stops, ReadingZero zero) {
  const auto targets = by_target(stops);
  if (!targets) return targets.error();
  const auto& first = targets->front();
  const double shift_m = (zero == ReadingZero::target ? first.target_m : mean_of(first.rising, &AxisStop::counted_m)) -
                         mean_of(first.rising, &AxisStop::reading_m);
  StageReadings out;
  for (const auto& t : *targets) {
    out.target_m.push_back(t.target_m);
    auto& up = out.forward_m.emplace_back();
    auto& down = out.backward_m.emplace_back();
    for (const auto& s : t.rising) up.push_back(s.reading_m + shift_m);
    for (const auto& s : t.falling) down.push_back(s.reading_m + shift_m);
  }
  return out;
}

daq::Result<ErrorMap> fit_error_map(std::span<const AxisStop> stops, const ErrorMapOptions& options) {
  if (auto error = out_of_bounds("lead_m", options.lead_m, 0, 1)) return *error;
  if (auto error = out_of_bounds("device_relative", options.device_relative, 0, 1)) return *error;
  if (auto error = out_of_bounds("resolution_m", options.resolution_m, 0, 1e-3)) return *error;
  const auto targets = by_target(stops);
  if (!targets) return targets.error();
  if (targets->size() < kFewestTargets)
    return daq::Error{
        fmt::format("an error map needs {} targets at the least, and there are {}", kFewestTargets, targets->size())};
  const auto cycles = targets->front().rising.size();
  if (cycles < 2) return daq::Error{"an error map needs two cycles: repeatability is a standard deviation"};
  const double zero_m =
      mean_of(targets->front().rising, &AxisStop::reading_m) - mean_of(targets->front().rising, &AxisStop::counted_m);
  std::vector<std::array<Side, 2>> sides;
  double squares = 0;
  for (const auto& t : *targets) {
    auto& both = sides.emplace_back();
    for (const std::size_t side : {0U, 1U}) {
      const auto& series = side == 0 ? t.rising : t.falling;
      both[side].counted_m = mean_of(series, &AxisStop::counted_m);
      both[side].deviation_m = mean_of(series, &AxisStop::reading_m) - both[side].counted_m - zero_m;
      for (const auto& s : series) {
        const double off_m = s.reading_m - s.counted_m - zero_m - both[side].deviation_m;
        squares += off_m * off_m;
      }
    }
    if (sides.size() > 1 && !(both[0].counted_m > sides[sides.size() - 2][0].counted_m))
      return daq::Error{fmt::format("the axis does not count upwards towards target {:g} m", t.target_m)};
  }

  ErrorMap out;
  const auto best = best_fit(sides, options.lead_m);
  const auto& model = best.model;
  out.knots = model.knots;
  out.periodic = model.lead_m > 0;
  if (out.periodic) out.amplitude_m = best.coefficients.tail(2).norm();
  out.interpolation_m = best.left_out_m;
  out.interpolation_dof = static_cast<double>(sides.size() - 2);
  out.repeatability_dof = static_cast<double>(2 * sides.size() * (cycles - 1));
  out.repeatability_m = std::sqrt(squares / out.repeatability_dof);

  std::vector<PitchNode> nodes;
  const auto at = [&](double counted_m, Approach approach) {
    return model.row(counted_m, approach).dot(best.coefficients);
  };
  for (const double counted_m : nodes_of(model)) {
    nodes.push_back({counted_m, at(counted_m, Approach::rising), at(counted_m, Approach::falling)});
    out.backlash_m += nodes.back().falling_m - nodes.back().rising_m;
  }
  out.backlash_m /= static_cast<double>(nodes.size());
  if (out.periodic) {
    const double step_m = model.span_m / static_cast<double>(nodes.size() - 1);
    out.table_m = out.amplitude_m * (1 - std::cos(std::min(1.0, step_m / model.lead_m) * std::numbers::pi));
  }
  auto table = PitchTable::make(nodes);
  if (!table) return table.error();
  out.table = *table;

  const double zero_scatter_m = out.repeatability_m / std::sqrt(static_cast<double>(cycles));
  const double known_for_sure = std::hypot(options.resolution_m / std::sqrt(12.0), out.table_m / std::sqrt(3.0));
  out.coverage_factor = 0;
  for (const auto& node : nodes) {
    const auto length = length_uncertainty(options.conditions, node.command_m - nodes.front().command_m);
    const double grows_m = options.device_relative / 2 * (node.command_m - nodes.front().command_m);
    out.reference_m = std::hypot(std::hypot(length.fixed, grows_m), length.drift, zero_scatter_m);
    const double scatter_m = std::hypot(out.interpolation_m, out.repeatability_m);
    const double scatter_dof =
        effective_dof(out.interpolation_m, out.interpolation_dof, out.repeatability_m, out.repeatability_dof);
    const double rest_m = std::hypot(out.reference_m, known_for_sure);
    const Estimate one{0, std::hypot(scatter_m, rest_m),
                       effective_dof(scatter_m, scatter_dof, rest_m, std::numeric_limits<double>::infinity())};
    out.expanded_m.push_back(one.expanded());
    if (one.u > 0) out.coverage_factor = std::max(out.coverage_factor, one.expanded() / one.u);
  }
  if (!(*std::max_element(out.expanded_m.begin(), out.expanded_m.end()) > kNothing_m))
    return daq::Error{
        "nothing scatters and nothing is said of the reference: no measurement is that good; say how well "
        "the reference is known"};
  return out;
}

}  // namespace strigil::calibration
