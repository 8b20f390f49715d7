// GUM: a model's value and standard uncertainty from those of its inputs. JCGM 100; metrology.md 4.1. Pure, any thread.
// Sensitivities: given, or central differences extrapolated to step 0 (Ridders) with an error estimate that is told.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/uncertainty/input.hpp"

namespace strigil::calibration {

/// y = f(x), x in the inputs' order. Must be finite about the inputs' values.
using Model = std::function<double(std::span<const double> x)>;
/// Several outputs of the same inputs.
using VectorModel = std::function<void(std::span<const double> x, std::span<double> y)>;

struct GumOptions {
  double probability = 0.95;  ///< of the expanded uncertainty
  /// Put the terms of second order (JCGM 100 5.1.2 note; for independent inputs that are normal or nearly) into u_c.
  bool include_second_order = false;
  /// df/dx by the caller, one for each input, instead of differences. Empty: differences.
  std::vector<double> sensitivities = {};
};

/// One line of the budget.
struct BudgetLine {
  std::string name, unit, distribution;
  double value = 0, uncertainty = 0, dof = 0;
  double sensitivity = 0;
  double sensitivity_error = 0;  ///< estimated error of the differences; 0 where given
  double contribution = 0;       ///< |c| u
  double share = 0;              ///< of u_c^2, its part of the correlation terms included: the shares sum to 1
};

struct GumResult {
  double value = 0;
  double standard_uncertainty = 0;  ///< combined, with what options asked for
  double first_order = 0;           ///< u of first order alone
  /// Second-order terms of the variance; nothing where inputs are correlated (the formula is for independent ones).
  std::optional<double> second_order_variance;
  /// Second-order terms exceed a tenth of the first-order variance: the GUM's linear picture fails, use Monte Carlo.
  bool nonlinear = false;
  /// A sensitivity from differences may be wrong by more than 1 % of u_c: give it, or look at the model.
  bool sensitivity_doubtful = false;
  /// Welch-Satterthwaite, not rounded. Nothing where it must not be used; `dof_refused` says why, and there is no U.
  std::optional<double> effective_dof;
  std::string dof_refused;
  std::optional<double> coverage_factor;  ///< t of the dof truncated to an integer, normal where infinite
  std::optional<double> expanded;         ///< U = k u_c
  double probability = 0.95;
  std::vector<BudgetLine> lines;
};

/// First order with correlations. Refuses bad inputs, correlations that contradict each other, a model not finite at or
/// about the inputs' values, second order with correlated inputs.
[[nodiscard]] daq::Result<GumResult> propagate(const Model& model, const std::vector<Input>& inputs,
                                               const std::vector<Correlation>& correlations = {},
                                               const GumOptions& options = {});

/// U_y = C U_x C', first order.
struct MultivariateResult {
  Eigen::VectorXd values;
  Eigen::VectorXd uncertainties;
  Eigen::MatrixXd covariance;
  Eigen::MatrixXd correlation;    ///< NaN beside an output of u = 0
  Eigen::MatrixXd sensitivities;  ///< outputs x inputs
};
/// Precondition: outputs >= 1.
[[nodiscard]] daq::Result<MultivariateResult> propagate_many(const VectorModel& model, std::size_t outputs,
                                                             const std::vector<Input>& inputs,
                                                             const std::vector<Correlation>& correlations = {});

}  // namespace strigil::calibration
