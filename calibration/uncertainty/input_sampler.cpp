#include "calibration/uncertainty/input_sampler.hpp"

#include <fmt/format.h>

#include "calibration/uncertainty/random.hpp"

namespace strigil::calibration {

using daq::Error;
using Eigen::Index;

daq::Result<InputSampler> InputSampler::make(const std::vector<Input>& inputs,
                                             const std::vector<Correlation>& correlations, std::uint64_t seed) {
  if (auto sound = check(inputs); !sound) return sound.error();
  auto r = correlation_matrix(inputs.size(), correlations);
  if (!r) return r.error();
  InputSampler out;
  out.seed_ = seed;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    out.distributions_.push_back(inputs[i].distribution);
    const auto k = static_cast<Index>(i);
    if (r->row(k).cwiseAbs().sum() == 1) continue;
    if (!std::holds_alternative<Normal>(inputs[i].distribution)) {
      return Error{
          fmt::format("input \"{}\" is correlated and {}: only normal inputs can be drawn together "
                      "(JCGM 101 6.4.8). Correlation alone does not say how others hang together",
                      inputs[i].name, name_of(inputs[i].distribution))};
    }
    out.correlated_.push_back(i);
  }
  const auto m = static_cast<Index>(out.correlated_.size());
  Eigen::MatrixXd own(m, m);
  out.means_.resize(m);
  Eigen::VectorXd u(m);
  for (Index i = 0; i < m; ++i) {
    const auto& normal = std::get<Normal>(inputs[out.correlated_[static_cast<std::size_t>(i)]].distribution);
    out.means_[i] = normal.mean;
    u[i] = normal.sd;
    for (Index j = 0; j < m; ++j) {
      own(i, j) = (*r)(static_cast<Index>(out.correlated_[static_cast<std::size_t>(i)]),
                       static_cast<Index>(out.correlated_[static_cast<std::size_t>(j)]));
    }
  }
  if (m > 0) {
    auto factor = semidefinite_factor(own);
    if (!factor) return factor.error();
    out.factor_ = u.asDiagonal() * *factor;
  }
  return out;
}

void InputSampler::draw_block(std::uint64_t number, TrialBlock& block) const {
  const std::size_t n = distributions_.size();
  const auto stream = [&](std::size_t i) { return Random(seed_, number * n + i); };
  std::size_t next = 0;
  for (std::size_t i = 0; i < n; ++i) {
    auto random = stream(i);
    if (next < correlated_.size() && correlated_[next] == i) {
      ++next;
      draw(Normal{0, 1}, random, block.fill_input(i));
    } else {
      draw(distributions_[i], random, block.fill_input(i));
    }
  }
  if (correlated_.empty()) return;
  const auto m = means_.size(), trials = static_cast<Index>(block.trials());
  Eigen::MatrixXd z(trials, m);
  const auto column = [&](Index i) {
    const auto values = block.fill_input(correlated_[static_cast<std::size_t>(i)]);
    return Eigen::Map<Eigen::VectorXd>(values.data(), trials);
  };
  for (Index i = 0; i < m; ++i) z.col(i) = column(i);
  for (Index i = 0; i < m; ++i) {
    auto x = column(i);
    x.setConstant(means_[i]);
    for (Index k = 0; k < m; ++k) x += factor_(i, k) * z.col(k);
  }
}

}  // namespace strigil::calibration
