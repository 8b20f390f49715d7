// Published examples of uncertainty evaluation, as models: GUM H.1 and H.2, JCGM 101 9.2 to 9.4 (metrology.md 4.3).
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "calibration/fit/summary.hpp"
#include "calibration/uncertainty/monte_carlo.hpp"

namespace strigil::calibration::tested {

inline std::vector<Input> h1_inputs() {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  return {{"standard", "nm", Normal{50000623, 25}, 18},
          {"repeats", "nm", Normal{215, 5.8}, 24},
          {"random effects", "nm", Normal{0, 3.9}, 5},
          {"systematic effects", "nm", Normal{0, 6.7}, 8},
          {"alpha of standard", "1/K", rectangular_about(11.5e-6, 2e-6), kInf},
          {"mean temperature", "K", Normal{-0.1, 0.2}, kInf},
          {"cycle of temperature", "K", ArcSine{-0.5, 0.5}, kInf},
          {"difference of alpha", "1/K", rectangular_about(0, 1e-6), 50},
          {"difference of temperature", "K", rectangular_about(0, 0.05), 2}};
}
inline double h1_model(std::span<const double> x) {
  const double theta = x[5] + x[6];
  return x[0] + x[1] + x[2] + x[3] - x[0] * (x[7] * theta + x[4] * x[8]);
}
inline GumResult gum_h1() {
  GumOptions options;
  options.probability = 0.99;
  auto found = propagate(h1_model, h1_inputs(), {}, options);
  EXPECT_TRUE(found.ok()) << found.error().message;
  return *found;
}

inline void h2_model(std::span<const double> x, std::span<double> y) {
  y[0] = x[0] / x[1] * std::cos(x[2]);
  y[1] = x[0] / x[1] * std::sin(x[2]);
  y[2] = x[0] / x[1];
}
/// Resistance, reactance and impedance from simultaneous V, I (mA) and phi.
struct SimultaneousInputs {
  std::vector<Input> inputs;
  std::vector<Correlation> correlations;
};
inline SimultaneousInputs h2_inputs(const std::vector<double>& v, const std::vector<double>& i_mA,
                                    const std::vector<double>& phi) {
  std::vector<std::vector<double>> all{v, i_mA, phi};
  for (double& i : all[1]) i /= 1000;
  SimultaneousInputs out;
  std::vector<Summary> means;
  const char* names[] = {"V", "I", "phi"};
  for (std::size_t k = 0; k < 3; ++k) {
    auto s = summarize(all[k]);
    EXPECT_TRUE(s.ok());
    means.push_back(*s);
    out.inputs.push_back(
        {names[k], "", Normal{s->mean, s->mean_uncertainty()}, static_cast<double>(s->n - 1), "observations"});
  }
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = a + 1; b < 3; ++b) {
      double sum = 0;
      for (std::size_t n = 0; n < all[a].size(); ++n) sum += (all[a][n] - means[a].mean) * (all[b][n] - means[b].mean);
      out.correlations.push_back({a, b, sum / (static_cast<double>(all[a].size() - 1) * means[a].sd * means[b].sd)});
    }
  }
  return out;
}
inline MultivariateResult gum_h2(const std::vector<double>& v, const std::vector<double>& i_mA,
                                 const std::vector<double>& phi) {
  const auto in = h2_inputs(v, i_mA, phi);
  auto found = propagate_many(h2_model, 3, in.inputs, in.correlations);
  EXPECT_TRUE(found.ok()) << found.error().message;
  return *found;
}

inline std::vector<Input> four_inputs(const Distribution& d) {
  return {{"a", "", d}, {"b", "", d}, {"c", "", d}, {"d", "", d}};
}
inline BlockModel sum_of_four() {
  return [](TrialBlock& block) {
    for (std::size_t t = 0; t < block.trials(); ++t) {
      block.output()[t] = block.input(0)[t] + block.input(1)[t] + block.input(2)[t] + block.input(3)[t];
    }
  };
}

/// JCGM 101 9.3: difference from 100 g, in mg.
inline std::vector<Input> mass_inputs() {
  return {{"m_R", "mg", Normal{100000, 0.050}},
          {"delta", "mg", Normal{1.234, 0.020}},
          {"rho_a", "kg/m3", Rectangular{1.10, 1.30}},
          {"rho_W", "kg/m3", Rectangular{7000, 9000}},
          {"rho_R", "kg/m3", Rectangular{7950, 8050}}};
}
inline double mass_model(std::span<const double> x) {
  return (x[0] + x[1]) * (1 + (x[2] - 1.2) * (1 / x[3] - 1 / x[4])) - 100000;
}

/// JCGM 101 9.4: comparison loss.
inline std::vector<Input> loss_inputs(double x1) {
  return {{"x1", "", Normal{x1, 0.005}}, {"x2", "", Normal{0, 0.005}}};
}
inline double loss_model(std::span<const double> x) { return x[0] * x[0] + x[1] * x[1]; }

}  // namespace strigil::calibration::tested
