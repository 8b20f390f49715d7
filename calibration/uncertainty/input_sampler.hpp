// Draws blocks of trials of all inputs of a model, the correlated normal ones together.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "calibration/uncertainty/input.hpp"
#include "calibration/uncertainty/monte_carlo.hpp"

namespace strigil::calibration {

/// Immutable once made: any thread may draw any block at any time. Every (seed, block, input) is a stream of its own.
class InputSampler {
 public:
  /// Refuses what run_monte_carlo refuses of inputs and correlations.
  [[nodiscard]] static daq::Result<InputSampler> make(const std::vector<Input>& inputs,
                                                      const std::vector<Correlation>& correlations, std::uint64_t seed);
  /// Fills the inputs of `block` (its trials are set) with trials of block number `number`.
  void draw_block(std::uint64_t number, TrialBlock& block) const;
  [[nodiscard]] std::size_t inputs() const { return distributions_.size(); }

 private:
  std::vector<Distribution> distributions_;
  std::vector<std::size_t> correlated_;  ///< inputs drawn together
  Eigen::MatrixXd factor_;               ///< of their covariance
  Eigen::VectorXd means_;                ///< of them
  std::uint64_t seed_ = 1;
};

}  // namespace strigil::calibration
