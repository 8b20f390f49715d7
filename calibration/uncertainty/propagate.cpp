#include "calibration/uncertainty/propagate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>

#include "calibration/uncertainty/differences.hpp"

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

struct Known {
  std::vector<double> values, u;
  MatrixXd r;
};

daq::Result<Known> prepare(const std::vector<Input>& inputs, const std::vector<Correlation>& correlations) {
  if (auto sound = check(inputs); !sound) return sound.error();
  auto r = correlation_matrix(inputs.size(), correlations);
  if (!r) return r.error();
  Known out;
  out.r = std::move(*r);
  for (const auto& input : inputs) {
    out.values.push_back(input.value());
    out.u.push_back(input.gum_uncertainty());
    if (!std::isfinite(out.u.back())) return Error{fmt::format("input \"{}\" has no finite uncertainty", input.name)};
  }
  return out;
}

/// nu_eff = u^4 / sum over groups of (variance of the group)^2 / nu. A group is one input, or the inputs of one
/// ensemble: the variance of a sum of simultaneous observations is estimated with their own dof (Willink 2007, as
/// metrology.md 4.1 names it). Anything else that is correlated and of finite dof has no such formula.
void find_dof(const std::vector<Input>& inputs, const MatrixXd& r, const VectorXd& cu, GumResult& out) {
  const auto n = static_cast<Index>(inputs.size());
  const auto at = [&](Index i) -> const Input& { return inputs[static_cast<std::size_t>(i)]; };
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j) {
      if (r(i, j) == 0 || (std::isinf(at(i).gum_dof()) && std::isinf(at(j).gum_dof()))) continue;
      if (at(i).ensemble.empty() || at(i).ensemble != at(j).ensemble || at(i).gum_dof() != at(j).gum_dof()) {
        out.dof_refused = fmt::format(
            "inputs \"{}\" and \"{}\" are correlated and have finite degrees of freedom ({:.4g}, {:.4g}) without being "
            "of "
            "one ensemble: Welch-Satterthwaite is for independent inputs, so no coverage factor is given. Use Monte "
            "Carlo, or say that they come from the same observations",
            at(j).name, at(i).name, at(j).gum_dof(), at(i).gum_dof());
        return;
      }
    }
  }
  std::map<std::string, std::vector<Index>> groups;
  for (Index i = 0; i < n; ++i) {
    const bool shared = !at(i).ensemble.empty() && std::isfinite(at(i).gum_dof());
    groups[shared ? fmt::format("{}\n{}", at(i).ensemble, at(i).gum_dof()) : fmt::format("\n{}", i)].push_back(i);
  }
  double below = 0;
  for (const auto& [name, members] : groups) {
    double variance = 0;
    for (const Index i : members) {
      for (const Index j : members) variance += cu[i] * r(i, j) * cu[j];
    }
    below += variance * variance / at(members[0]).gum_dof();
  }
  const double u2 = out.standard_uncertainty * out.standard_uncertainty;
  out.effective_dof = below > 0 ? u2 * u2 / below : std::numeric_limits<double>::infinity();
}

void expand(double probability, GumResult& out) {
  out.probability = probability;
  if (!out.effective_dof) return;
  const double p = 0.5 + probability / 2;
  // Truncated before t is taken (metrology.md rule 2). Above 1e9 t is the normal to all digits.
  const double dof = std::max(1.0, std::floor(*out.effective_dof * (1 + 1e-12)));
  out.coverage_factor = dof < 1e9 ? boost::math::quantile(boost::math::students_t(dof), p)
                                  : boost::math::quantile(boost::math::normal(), p);
  out.expanded = *out.coverage_factor * out.standard_uncertainty;
}

}  // namespace

daq::Result<GumResult> propagate(const Model& model, const std::vector<Input>& inputs,
                                 const std::vector<Correlation>& correlations, const GumOptions& options) {
  auto known = prepare(inputs, correlations);
  if (!known) return known.error();
  if (!(options.probability > 0 && options.probability < 1)) {
    return Error{fmt::format("a coverage probability of {} was asked for: it must lie in (0, 1)", options.probability)};
  }
  const bool correlated = !known->r.isIdentity(0);
  if (correlated && options.include_second_order) {
    return Error{"second-order terms are for independent inputs, and some of these are correlated: use Monte Carlo"};
  }
  const std::size_t n = inputs.size();
  GumResult out;
  out.value = model(known->values);
  if (!std::isfinite(out.value)) return Error{"the model is not finite at the inputs' values"};

  VectorXd c(static_cast<Index>(n)), c_error = VectorXd::Zero(static_cast<Index>(n));
  if (!options.sensitivities.empty()) {
    if (options.sensitivities.size() != n) {
      return Error{fmt::format("{} sensitivities were given for {} inputs", options.sensitivities.size(), n)};
    }
    c = Eigen::Map<const VectorXd>(options.sensitivities.data(), static_cast<Index>(n));
    if (!c.allFinite()) return Error{"a sensitivity that was given is not a finite number"};
  } else {
    auto found = differentiate([&](auto x, auto y) { y[0] = model(x); }, 1, known->values, known->u);
    if (!found) return found.error();
    c = found->value.row(0);
    c_error = found->error.row(0);
  }
  const VectorXd cu = c.cwiseProduct(Eigen::Map<const VectorXd>(known->u.data(), static_cast<Index>(n)));
  const VectorXd covered = known->r * cu;
  out.first_order = std::sqrt(std::max(0.0, cu.dot(covered)));
  double variance = out.first_order * out.first_order;
  if (!correlated) {
    const double second = second_order_variance(model, known->values, known->u);
    if (std::isfinite(second)) out.second_order_variance = second;
    const double shown = std::isfinite(second) ? std::abs(second) : std::numeric_limits<double>::infinity();
    out.nonlinear = shown > 0.1 * variance && shown > 1e-24 * out.value * out.value;
    if (options.include_second_order) {
      if (!std::isfinite(second)) return Error{"the model is not finite within its inputs' uncertainties"};
      variance = std::max(0.0, variance + second);
    }
  }
  out.standard_uncertainty = std::sqrt(variance);
  if (!std::isfinite(out.standard_uncertainty)) return Error{"the combined uncertainty is not a finite number"};

  const double first2 = out.first_order * out.first_order;
  for (std::size_t i = 0; i < n; ++i) {
    const auto k = static_cast<Index>(i);
    BudgetLine line{inputs[i].name,
                    inputs[i].unit,
                    name_of(inputs[i].distribution),
                    known->values[i],
                    known->u[i],
                    inputs[i].gum_dof(),
                    c[k],
                    c_error[k],
                    std::abs(cu[k]),
                    first2 > 0 ? cu[k] * covered[k] / first2 : 0};
    out.sensitivity_doubtful = out.sensitivity_doubtful || c_error[k] * known->u[i] > 0.01 * out.standard_uncertainty;
    out.lines.push_back(std::move(line));
  }
  find_dof(inputs, known->r, cu, out);
  expand(options.probability, out);
  return out;
}

daq::Result<MultivariateResult> propagate_many(const VectorModel& model, std::size_t outputs,
                                               const std::vector<Input>& inputs,
                                               const std::vector<Correlation>& correlations) {
  auto known = prepare(inputs, correlations);
  if (!known) return known.error();
  MultivariateResult out;
  out.values.resize(static_cast<Index>(outputs));
  model(known->values, std::span<double>(out.values.data(), outputs));
  if (!out.values.allFinite()) return Error{"the model is not finite at the inputs' values"};
  auto found = differentiate(model, outputs, known->values, known->u);
  if (!found) return found.error();
  out.sensitivities = found->value;
  const MatrixXd cu =
      out.sensitivities * Eigen::Map<const VectorXd>(known->u.data(), static_cast<Index>(inputs.size())).asDiagonal();
  out.covariance = cu * known->r * cu.transpose();
  out.covariance = (out.covariance + out.covariance.transpose()).eval() / 2;
  out.uncertainties = out.covariance.diagonal().cwiseMax(0.0).cwiseSqrt();
  out.correlation = out.covariance.array() / (out.uncertainties * out.uncertainties.transpose()).array();
  return out;
}

}  // namespace strigil::calibration
