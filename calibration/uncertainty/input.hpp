// Inputs of a measurement model, and how they hang together.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <string>
#include <vector>

#include "calibration/uncertainty/distribution.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One input quantity. Its value is the distribution's mean.
struct Input {
  std::string name;
  std::string unit;
  Distribution distribution;
  /// Degrees of freedom of its standard uncertainty. NaN: the distribution's own (t: its dof, others: infinite).
  double dof = std::numeric_limits<double>::quiet_NaN();
  /// Inputs estimated from the same simultaneous observations bear the same name here; only these may be correlated and
  /// have finite dof (Willink's generalisation of Welch-Satterthwaite; metrology.md 4.1). Empty: none.
  std::string ensemble = {};

  [[nodiscard]] double value() const { return mean_of(distribution); }
  /// As the GUM takes it: for a t distribution s/sqrt(n), its dof being told apart; the standard deviation of others.
  [[nodiscard]] double gum_uncertainty() const;
  [[nodiscard]] double gum_dof() const;
};

/// r between inputs i and j (from 0), i != j. Pairs not named have none.
struct Correlation {
  std::size_t first = 0, second = 0;
  double r = 0;
};

/// The correlation matrix of `count` inputs. Refuses indices that do not exist, |r| > 1, a pair said twice, and r that
/// contradict each other (an eigenvalue below -1e-9).
[[nodiscard]] daq::Result<Eigen::MatrixXd> correlation_matrix(std::size_t count,
                                                              const std::vector<Correlation>& correlations);
/// A factor F with F F' = `matrix`, for a matrix that may be singular. Refuses one that is not symmetric or has an
/// eigenvalue below -1e-9 of the largest.
[[nodiscard]] daq::Result<Eigen::MatrixXd> semidefinite_factor(const Eigen::MatrixXd& matrix);
/// What is wrong with the inputs: none at all, a distribution that makes no sense, dof not above 0.
[[nodiscard]] daq::Result<void> check(const std::vector<Input>& inputs);

}  // namespace strigil::calibration
