// Propagation of distributions by Monte Carlo (JCGM 101, and Supplement 2 for several outputs): the same bits for a
// seed whatever the number of threads. Trials are drawn and evaluated in blocks, input by input.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "calibration/uncertainty/coverage_interval.hpp"
#include "calibration/uncertainty/propagate.hpp"

namespace strigil::calibration {

/// Some trials of all inputs, input by input, and room for the outputs. Spans are as long as the block; a block is at
/// most kTrialsPerBlock long.
class TrialBlock {
 public:
  static constexpr std::size_t kTrialsPerBlock = 500;
  TrialBlock(std::size_t inputs, std::size_t outputs)
      : values_((inputs + outputs) * kTrialsPerBlock), inputs_(inputs), outputs_(outputs) {}
  [[nodiscard]] std::size_t trials() const { return trials_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_; }
  [[nodiscard]] std::size_t outputs() const { return outputs_; }
  [[nodiscard]] std::span<const double> input(std::size_t i) const { return {at(i), trials_}; }
  [[nodiscard]] std::span<double> output(std::size_t k = 0) { return {at(inputs_ + k), trials_}; }
  /// For the one who draws.
  [[nodiscard]] std::span<double> fill_input(std::size_t i) { return {at(i), trials_}; }
  void set_trials(std::size_t trials) { trials_ = trials; }

 private:
  double* at(std::size_t column) { return values_.data() + column * kTrialsPerBlock; }
  [[nodiscard]] const double* at(std::size_t column) const { return values_.data() + column * kTrialsPerBlock; }
  std::vector<double> values_;
  std::size_t inputs_, outputs_, trials_ = 0;
};

/// Fills every output of a block from its inputs. Called from several threads at once where threads > 1; must not throw.
using BlockModel = std::function<void(TrialBlock&)>;
/// A model of one trial as a block model: simpler and slower.
[[nodiscard]] BlockModel trial_by_trial(Model model);
[[nodiscard]] BlockModel trial_by_trial(VectorModel model, std::size_t outputs);

struct MonteCarloOptions {
  std::uint64_t seed = 1;
  double probability = 0.95;
  std::size_t trials = 1'000'000;  ///< exactly so many, where not adaptive
  /// Adaptive (JCGM 101 7.9): go on until mean, u and interval ends of every output are known to this many significant
  /// digits of u (1..4), or to max_trials.
  std::optional<int> significant_digits;
  std::size_t max_trials = 20'000'000;
  unsigned threads = 1;  ///< 1..64; does not change the result
};

struct MonteCarloOutput {
  double mean = 0;
  double standard_uncertainty = 0;
  double skewness = 0;  ///< of the drawn values; NaN where u is 0
  Interval symmetric, shortest;
};
struct MonteCarloResult {
  std::vector<MonteCarloOutput> outputs;
  Eigen::MatrixXd covariance;  ///< of the outputs
  std::size_t trials = 0;
  std::size_t batches = 1;
  std::uint64_t seed = 1;
  double probability = 0.95;
  bool converged = true;  ///< false: adaptive, and max_trials came first
};

/// Propagates. Correlated inputs must be normal (JCGM 101 6.4.8); others are refused in words. Refused too: bad inputs,
/// contradictory correlations, fewer trials than the interval needs (20/(1-p)), more than 1e8 values to be kept, and a
/// model that is not finite in some trial (the trial is named, so that it can be looked at).
[[nodiscard]] daq::Result<MonteCarloResult> run_monte_carlo(const BlockModel& model, std::size_t outputs,
                                                            const std::vector<Input>& inputs,
                                                            const std::vector<Correlation>& correlations = {},
                                                            const MonteCarloOptions& options = {});

/// Does the GUM's interval hold against Monte Carlo? JCGM 101 8: both ends agree within delta, half a unit of the last
/// of `significant_digits` digits of u. Against the symmetric interval (metrology.md 4.2).
struct GumValidation {
  double delta = 0;
  double d_low = 0, d_high = 0;
  bool valid = false;
};
/// Refuses where `gum` has no expanded uncertainty, or the probabilities differ. Precondition: digits 1..4, one output.
[[nodiscard]] daq::Result<GumValidation> validate_gum(const GumResult& gum, const MonteCarloResult& monte_carlo,
                                                      int significant_digits = 2);
/// Half a unit of the last of `digits` significant digits of `u` (JCGM 101 7.9.2). Precondition: u > 0.
[[nodiscard]] double numerical_tolerance(double u, int digits);

}  // namespace strigil::calibration
