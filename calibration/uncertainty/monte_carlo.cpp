#include "calibration/uncertainty/monte_carlo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <thread>

#include "calibration/uncertainty/input_sampler.hpp"

namespace strigil::calibration {
namespace {

using daq::Error;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Moments of some trials, joined in the order of blocks so that threads cannot change their bits.
struct Moments {
  double n = 0;
  VectorXd mean, third;
  MatrixXd second;  ///< sums of products of deviations
};

Moments moments_of(TrialBlock& block) {
  const auto m = static_cast<Index>(block.outputs());
  Moments out{static_cast<double>(block.trials()), VectorXd::Zero(m), VectorXd::Zero(m), MatrixXd::Zero(m, m)};
  for (Index k = 0; k < m; ++k) {
    double sum = 0;
    for (const double y : block.output(static_cast<std::size_t>(k))) sum += y;
    out.mean[k] = sum / out.n;
  }
  for (Index k = 0; k < m; ++k) {
    const auto y = block.output(static_cast<std::size_t>(k));
    for (Index j = 0; j <= k; ++j) {
      const auto x = block.output(static_cast<std::size_t>(j));
      double two = 0, three = 0;
      for (std::size_t t = 0; t < y.size(); ++t) {
        const double d = y[t] - out.mean[k], e = x[t] - out.mean[j];
        two += d * e;
        three += d * e * e;
      }
      out.second(k, j) = out.second(j, k) = two;
      if (j == k) out.third[k] = three;
    }
  }
  return out;
}

void join(Moments& all, const Moments& more) {
  if (all.n == 0) {
    all = more;
    return;
  }
  const double n = all.n + more.n;
  const VectorXd delta = more.mean - all.mean;
  const VectorXd was = all.second.diagonal(), added = more.second.diagonal();
  all.third += more.third + VectorXd(delta.array().cube() * (all.n * more.n * (all.n - more.n) / (n * n)) +
                                     3 * delta.array() * (all.n * added.array() - more.n * was.array()) / n);
  all.second += more.second + delta * delta.transpose() * (all.n * more.n / n);
  all.mean += delta * (more.n / n);
  all.n = n;
}

/// Draws and evaluates trials first..first+count-1 (whole blocks, but for the last), keeping all outputs.
class Engine {
 public:
  Engine(const BlockModel& model, std::size_t outputs, const InputSampler& sampler, unsigned threads)
      : model_(model), sampler_(sampler), values_(outputs), threads_(threads) {}

  daq::Result<void> run(std::size_t first, std::size_t count) {
    constexpr std::size_t kPer = TrialBlock::kTrialsPerBlock;
    assert(first % kPer == 0);
    for (auto& v : values_) v.resize(first + count);
    const std::size_t from = first / kPer, blocks = (count + kPer - 1) / kPer;
    moments_.resize(from + blocks);
    std::vector<std::size_t> bad(threads_, std::numeric_limits<std::size_t>::max());
    const auto work = [&](unsigned worker) {
      TrialBlock block(sampler_.inputs(), values_.size());
      for (std::size_t b = worker; b < blocks; b += threads_) {
        const std::size_t start = first + b * kPer;
        block.set_trials(std::min(kPer, first + count - start));
        sampler_.draw_block(from + b, block);
        model_(block);
        moments_[from + b] = moments_of(block);
        if (!moments_[from + b].second.allFinite() || !moments_[from + b].mean.allFinite()) {
          bad[worker] = std::min(bad[worker], start);
          return;
        }
        for (std::size_t k = 0; k < values_.size(); ++k) {
          std::copy(block.output(k).begin(), block.output(k).end(),
                    values_[k].begin() + static_cast<std::ptrdiff_t>(start));
        }
      }
    };
    std::vector<std::thread> helpers;
    for (unsigned t = 1; t < threads_; ++t) helpers.emplace_back(work, t);
    work(0);
    for (auto& h : helpers) h.join();
    const std::size_t where = *std::min_element(bad.begin(), bad.end());
    if (where != std::numeric_limits<std::size_t>::max()) {
      return Error{
          fmt::format("the model is not finite in trial {} or one of the {} after it: its inputs there are "
                      "possible by their distributions, so limit these or mend the model",
                      where, kPer)};
    }
    return {};
  }

  /// Statistics of trials first..first+count-1. The kept values are reordered: to be called with all trials last.
  std::vector<MonteCarloOutput> statistics(std::size_t first, std::size_t count, double probability, Moments& moments) {
    constexpr std::size_t kPer = TrialBlock::kTrialsPerBlock;
    moments = {};
    for (std::size_t b = first / kPer; b < (first + count + kPer - 1) / kPer; ++b) join(moments, moments_[b]);
    std::vector<MonteCarloOutput> out(values_.size());
    for (std::size_t k = 0; k < values_.size(); ++k) {
      const auto i = static_cast<Index>(k);
      out[k].mean = moments.mean[i];
      out[k].standard_uncertainty = std::sqrt(moments.second(i, i) / (moments.n - 1));
      const double variance = moments.second(i, i) / moments.n;
      out[k].skewness = moments.third[i] / moments.n / (variance * std::sqrt(variance));
      const auto intervals = coverage_intervals(std::span(values_[k]).subspan(first, count), probability);
      out[k].symmetric = intervals.symmetric;
      out[k].shortest = intervals.shortest;
    }
    return out;
  }

 private:
  const BlockModel& model_;
  const InputSampler& sampler_;
  std::vector<std::vector<double>> values_;
  std::vector<Moments> moments_;
  unsigned threads_;
};

/// The four numbers of each output whose spread over batches JCGM 101 7.9.4 looks at.
struct Spread {
  double n = 0;
  std::vector<double> mean, squares;
  void add(const std::vector<MonteCarloOutput>& outputs) {
    mean.resize(4 * outputs.size());
    squares.resize(4 * outputs.size());
    ++n;
    std::size_t i = 0;
    for (const auto& o : outputs) {
      for (const double v : {o.mean, o.standard_uncertainty, o.symmetric.low, o.symmetric.high}) {
        const double delta = v - mean[i];
        mean[i] += delta / n;
        squares[i] += delta * (v - mean[i]);
        ++i;
      }
    }
  }
  /// Standard deviation of the average of the batches.
  [[nodiscard]] double of_average(std::size_t i) const { return std::sqrt(squares[i] / (n * (n - 1))); }
};

daq::Result<void> check(const MonteCarloOptions& options, std::size_t outputs) {
  if (outputs == 0) return Error{"a model without outputs was to be propagated"};
  if (!(options.probability > 0 && options.probability < 1)) {
    return Error{fmt::format("a coverage probability of {} was asked for: it must lie in (0, 1)", options.probability)};
  }
  if (options.threads < 1 || options.threads > 64) {
    return Error{fmt::format("{} threads were asked for: 1 to 64", options.threads)};
  }
  const double least = 20 / (1 - options.probability);
  const std::size_t trials = options.significant_digits ? options.max_trials : options.trials;
  if (!(static_cast<double>(trials) >= least) || static_cast<double>(trials) * static_cast<double>(outputs) > 1e8) {
    return Error{
        fmt::format("{} trials of {} output(s): at least {:.0f} are needed for {:.6g} %, and 1e8 values are the "
                    "most that are kept",
                    trials, outputs, std::ceil(least), 100 * options.probability)};
  }
  if (options.significant_digits && (*options.significant_digits < 1 || *options.significant_digits > 4)) {
    return Error{fmt::format("{} significant digits of u were asked for: 1 to 4", *options.significant_digits)};
  }
  return {};
}

}  // namespace

BlockModel trial_by_trial(Model model) {
  return trial_by_trial(VectorModel([model = std::move(model)](auto x, auto y) { y[0] = model(x); }), 1);
}

BlockModel trial_by_trial(VectorModel model, std::size_t outputs) {
  return [model = std::move(model), outputs](TrialBlock& block) {
    std::vector<double> x(block.inputs()), y(outputs);
    for (std::size_t t = 0; t < block.trials(); ++t) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = block.input(i)[t];
      model(x, y);
      for (std::size_t k = 0; k < outputs; ++k) block.output(k)[t] = y[k];
    }
  };
}

double numerical_tolerance(double u, int digits) {
  assert(u > 0 && digits >= 1);
  // u = c 10^l with c an integer of `digits` digits; rounding to them may carry into the next decade.
  int l = static_cast<int>(std::floor(std::log10(u))) - digits + 1;
  if (std::round(u / std::pow(10.0, l)) >= std::pow(10.0, digits)) ++l;
  return 0.5 * std::pow(10.0, l);
}

daq::Result<MonteCarloResult> run_monte_carlo(const BlockModel& model, std::size_t outputs,
                                              const std::vector<Input>& inputs,
                                              const std::vector<Correlation>& correlations,
                                              const MonteCarloOptions& options) {
  if (auto sound = check(options, outputs); !sound) return sound.error();
  auto sampler = InputSampler::make(inputs, correlations, options.seed);
  if (!sampler) return sampler.error();
  Engine engine(model, outputs, *sampler, options.threads);
  MonteCarloResult out;
  out.seed = options.seed;
  out.probability = options.probability;
  Moments moments;
  if (!options.significant_digits) {
    if (auto done = engine.run(0, options.trials); !done) return done.error();
    out.trials = options.trials;
  } else {
    // JCGM 101 7.9.4: batches of M = max(100/(1-p), 10^4), rounded up to whole blocks.
    constexpr std::size_t kPer = TrialBlock::kTrialsPerBlock;
    const auto wanted = std::max<std::size_t>(10'000, static_cast<std::size_t>(100 / (1 - options.probability)) + 1);
    const std::size_t batch = (wanted + kPer - 1) / kPer * kPer;
    Spread spread;
    out.batches = 0;
    out.converged = false;
    while (!out.converged && out.trials + batch <= options.max_trials) {
      if (auto done = engine.run(out.trials, batch); !done) return done.error();
      spread.add(engine.statistics(out.trials, batch, options.probability, moments));
      out.trials += batch;
      ++out.batches;
      if (out.batches < 2) continue;
      out.converged = true;
      for (std::size_t k = 0; k < outputs; ++k) {
        const double u = spread.mean[4 * k + 1];
        const double delta = u > 0 ? numerical_tolerance(u, *options.significant_digits) : 0;
        for (std::size_t i = 4 * k; i < 4 * k + 4; ++i) {
          out.converged = out.converged && 2 * spread.of_average(i) <= delta;
        }
      }
    }
    if (out.trials == 0) {
      return Error{fmt::format("max_trials {} is less than one batch of {}", options.max_trials, batch)};
    }
  }
  out.outputs = engine.statistics(0, out.trials, options.probability, moments);
  out.covariance = moments.second / (moments.n - 1);
  return out;
}

daq::Result<GumValidation> validate_gum(const GumResult& gum, const MonteCarloResult& monte_carlo,
                                        int significant_digits) {
  assert(significant_digits >= 1 && significant_digits <= 4 && monte_carlo.outputs.size() == 1);
  if (!gum.expanded) {
    return Error{"the GUM result has no expanded uncertainty to be checked: " + gum.dof_refused};
  }
  if (gum.probability != monte_carlo.probability) {
    return Error{fmt::format("the GUM interval is for {} and the Monte Carlo one for {}: they cannot be compared",
                             gum.probability, monte_carlo.probability)};
  }
  const auto& mc = monte_carlo.outputs[0];
  GumValidation out;
  out.delta = mc.standard_uncertainty > 0 ? numerical_tolerance(mc.standard_uncertainty, significant_digits) : 0;
  out.d_low = std::abs(gum.value - *gum.expanded - mc.symmetric.low);
  out.d_high = std::abs(gum.value + *gum.expanded - mc.symmetric.high);
  out.valid = out.d_low <= out.delta && out.d_high <= out.delta;
  return out;
}

}  // namespace strigil::calibration
