#include "calibration/uncertainty/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "daq/json_text.hpp"

namespace strigil::calibration {
namespace {

/// `x` in units of 10^place, to the nearest integer, halves to even.
double to_place(double x, int place) {
  const double scaled = place >= 0 ? x / std::pow(10.0, place) : x * std::pow(10.0, -place);
  return std::rint(scaled);
}

std::string print_at(double x, int place) {
  return fmt::format("{:.{}f}", place >= 0 ? to_place(x, place) * std::pow(10.0, place) : x, std::max(0, -place));
}

std::string dof_text(double dof) { return std::isinf(dof) ? "inf" : fmt::format("{:.4g}", dof); }

nlohmann::ordered_json number(double x) {
  return std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json(nullptr);
}

template <typename T>
nlohmann::ordered_json number(const std::optional<T>& x) {
  return x ? number(*x) : nlohmann::ordered_json(nullptr);
}

}  // namespace

Reported round_for_report(double value, double uncertainty, int digits) {
  assert(std::isfinite(value) && std::isfinite(uncertainty) && uncertainty > 0 && digits >= 1 && digits <= 9);
  int place = static_cast<int>(std::floor(std::log10(uncertainty))) - digits + 1;
  double units = to_place(uncertainty, place);
  const double unrounded = place >= 0 ? uncertainty / std::pow(10.0, place) : uncertainty * std::pow(10.0, -place);
  if (units < 0.95 * unrounded) units = std::ceil(unrounded);
  if (units >= std::pow(10.0, digits)) {  // 0.0996 to two digits is 0.10: the next place
    ++place;
    units = std::rint(units / 10);
  }
  const double u = place >= 0 ? units * std::pow(10.0, place) : units / std::pow(10.0, -place);
  return {print_at(value, place), print_at(u, place)};
}

std::string budget_text(const GumResult& result, const std::string& quantity, const std::string& unit) {
  std::string out = fmt::format("{:<24} {:>16} {:>12} {:>13} {:>7} {:>13} {:>12} {:>7}\n", "input", "value", "u",
                                "distribution", "dof", "sensitivity", "contribution", "share");
  auto lines = result.lines;
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.contribution > b.contribution; });
  for (const auto& l : lines) {
    out += fmt::format("{:<24} {:>16.9g} {:>12.4g} {:>13} {:>7} {:>13.5g} {:>12.4g} {:>6.1f}%\n",
                       l.unit.empty() ? l.name : fmt::format("{} [{}]", l.name, l.unit), l.value, l.uncertainty,
                       l.distribution, dof_text(l.dof), l.sensitivity, l.contribution, 100 * l.share);
  }
  out += fmt::format("{} = {:.9g} {}, u = {:.4g} {}", quantity, result.value, unit, result.standard_uncertainty, unit);
  if (result.expanded && *result.expanded > 0) {
    const auto printed = round_for_report(result.value, *result.expanded);
    out +=
        fmt::format(", dof {}\n{} = ({} +- {}) {}, k = {:.3f}, {:.6g} %\n", dof_text(*result.effective_dof), quantity,
                    printed.value, printed.uncertainty, unit, *result.coverage_factor, 100 * result.probability);
  } else {
    out += "\n";
  }
  if (!result.dof_refused.empty()) out += "no expanded uncertainty: " + result.dof_refused + "\n";
  if (result.nonlinear) {
    out += "the model is not linear within these uncertainties: check by Monte Carlo\n";
  }
  if (result.sensitivity_doubtful) out += "a sensitivity found by differences is doubtful\n";
  return out;
}

std::string budget_json(const GumResult& result, const std::string& quantity, const std::string& unit,
                        const std::optional<MonteCarloResult>& monte_carlo,
                        const std::optional<GumValidation>& validation) {
  nlohmann::ordered_json out{{"quantity", quantity},
                             {"unit", unit},
                             {"value", number(result.value)},
                             {"standard_uncertainty", number(result.standard_uncertainty)},
                             {"effective_dof", number(result.effective_dof)},
                             {"coverage_factor", number(result.coverage_factor)},
                             {"expanded_uncertainty", number(result.expanded)},
                             {"coverage_probability", result.probability},
                             {"second_order_variance", number(result.second_order_variance)},
                             {"nonlinear", result.nonlinear},
                             {"sensitivity_doubtful", result.sensitivity_doubtful}};
  if (!result.dof_refused.empty()) out["dof_refused"] = result.dof_refused;
  auto lines = nlohmann::ordered_json::array();
  for (const auto& l : result.lines) {
    lines.push_back({{"name", l.name},
                     {"unit", l.unit},
                     {"distribution", l.distribution},
                     {"value", number(l.value)},
                     {"standard_uncertainty", number(l.uncertainty)},
                     {"dof", number(l.dof)},
                     {"sensitivity", number(l.sensitivity)},
                     {"sensitivity_error", number(l.sensitivity_error)},
                     {"contribution", number(l.contribution)},
                     {"share", number(l.share)}});
  }
  out["inputs"] = lines;
  if (monte_carlo && monte_carlo->outputs.size() == 1) {
    const auto& o = monte_carlo->outputs[0];
    out["monte_carlo"] = {{"trials", monte_carlo->trials},
                          {"batches", monte_carlo->batches},
                          {"seed", monte_carlo->seed},
                          {"converged", monte_carlo->converged},
                          {"mean", number(o.mean)},
                          {"standard_uncertainty", number(o.standard_uncertainty)},
                          {"symmetric_interval", {number(o.symmetric.low), number(o.symmetric.high)}},
                          {"shortest_interval", {number(o.shortest.low), number(o.shortest.high)}}};
  }
  if (validation) {
    out["gum_validation"] = {{"delta", validation->delta},
                             {"d_low", validation->d_low},
                             {"d_high", validation->d_high},
                             {"valid", validation->valid}};
  }
  return daq::json_text(out, 1);
}

}  // namespace strigil::calibration
