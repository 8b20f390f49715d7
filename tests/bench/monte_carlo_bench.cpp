// Monte Carlo: 10^7 trials of a budget of 20 inputs, drawn, evaluated, kept and turned into mean, u and both coverage
// intervals. One thread, CPU time. The reference draws the same 2 x 10^8 numbers, of the same distributions, by the
// same generator into the same blocks, and does nothing with them.
#include <cmath>

#include "calibration/uncertainty/monte_carlo.hpp"
#include "calibration/uncertainty/random.hpp"
#include "tests/bench/cpu_clock.hpp"

namespace strigil::bench {
namespace {

using namespace calibration;

/// Keeps a result alive that nobody else looks at.
void keep(double value) { asm volatile("" : : "x"(value)); }

/// A force reading's budget: readings, reference, temperature, resolution, ...: ten normal, six rectangular, two
/// triangular, one U-shaped, one t.
std::vector<Input> mixed_budget() {
  std::vector<Input> in;
  for (int i = 0; i < 20; ++i) {
    Distribution d = Normal{1 + 0.1 * i, 0.01};
    if (i >= 10) d = Rectangular{0.99, 1.01};
    if (i >= 16) d = Triangular{0.99, 1.01};
    if (i == 18) d = ArcSine{0.99, 1.01};
    if (i == 19) d = StudentT{1, 0.01, 9};
    in.push_back({"x" + std::to_string(i), "N", d});
  }
  return in;
}

std::vector<Input> normal_budget() {
  auto in = mixed_budget();
  for (auto& i : in) i.distribution = Normal{1, 0.01};
  return in;
}

/// Ten products of two inputs each, one root of a sum of squares and a quotient: 20 inputs, none of them idle.
void model(TrialBlock& block) {
  const auto y = block.output();
  std::fill(y.begin(), y.end(), 0.0);
  for (std::size_t i = 0; i < 20; i += 2) {
    const auto a = block.input(i), b = block.input(i + 1);
    for (std::size_t t = 0; t < y.size(); ++t) y[t] += a[t] * b[t];
  }
  const auto a = block.input(0), b = block.input(11);
  for (std::size_t t = 0; t < y.size(); ++t) y[t] = std::sqrt(y[t] * y[t] + a[t] * a[t]) / b[t];
}

double draw_only_s(const std::vector<Input>& inputs, std::size_t trials) {
  TrialBlock block(inputs.size(), 1);
  block.set_trials(TrialBlock::kTrialsPerBlock);
  std::vector<Random> random;
  for (std::size_t i = 0; i < inputs.size(); ++i) random.emplace_back(1, i);
  double sum = 0;
  const double began_s = thread_cpu_s();
  for (std::size_t b = 0; b < trials / TrialBlock::kTrialsPerBlock; ++b) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      draw(inputs[i].distribution, random[i], block.fill_input(i));
      sum += block.input(i)[0];
    }
  }
  const double took_s = thread_cpu_s() - began_s;
  keep(sum);
  return took_s;
}

double monte_carlo_s(const std::vector<Input>& inputs, std::size_t trials) {
  MonteCarloOptions options;
  options.trials = trials;
  const double began_s = thread_cpu_s();
  auto found = run_monte_carlo(model, 1, inputs, {}, options);
  const double took_s = thread_cpu_s() - began_s;
  if (!found) give_up(found.error().message);
  if (!(found->outputs[0].standard_uncertainty > 0)) give_up("the budget came out without uncertainty");
  keep(found->outputs[0].shortest.high);
  return took_s;
}

Figure measure(const std::string& name, const std::vector<Input>& inputs, const Options& options) {
  const auto trials = options.choose<std::size_t>(10'000'000, 2'000'000, 50'000);
  const int rounds = options.choose(7, 3, 1);
  Rounds all;
  for (int r = 0; r < rounds; ++r) {
    const double bare = draw_only_s(inputs, trials);
    all.add(1e9 * monte_carlo_s(inputs, trials) / static_cast<double>(trials),
            1e9 * bare / static_cast<double>(trials));
  }
  auto figure = figure_of(name, "ns a trial", all);
  figure.at_most = 1.5;
  return figure;
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) {
  using namespace strigil::bench;
  const auto options = parse_options(argc, argv);
  return report(options, {measure("Monte Carlo of 20 inputs, mixed distributions", mixed_budget(), options),
                          measure("Monte Carlo of 20 inputs, all normal", normal_budget(), options)});
}
