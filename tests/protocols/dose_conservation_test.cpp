// Properties of the dose account on random walks: nothing is lost or made, and each area gets its own.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "dose_hand.hpp"

namespace strigil::protocols {
namespace {

using daq::from_seconds;
using test::made;
using test::no_limits;

/// Whatever the hand does, what it gave is what the areas have got; and each area what lay under the edge.
TEST(DoseAccountProperty, NothingIsLostOrMadeOnRandomWalks) {
  std::mt19937 random(21);
  const auto between = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int walk = 0; walk < 300; ++walk) {
    DoseConfig config;
    config.grid = {.min_x_m = between(-0.1, 0.1),
                   .min_y_m = between(-0.1, 0.1),
                   .columns = 1 + random() % 20,
                   .rows = 1 + random() % 20,
                   .area_side_m = between(2e-3, 30e-3)};
    config.edge = {.length_m = between(1e-3, 80e-3), .width_m = between(0.5e-3, 15e-3)};
    config.limits = no_limits();
    auto account = made(config);
    double impulse_N_s = 0;
    double work_J = 0;
    double contact_s = 0;
    double highest_Pa = 0;
    DoseSample last{.at = {7}, .x_m = between(-0.1, 0.3), .y_m = between(-0.1, 0.3), .normal_force_N = 1};
    account.add(last);
    const double quickest_m = std::pow(10, between(-5, -2));
    for (int i = 0; i < 400; ++i) {
      DoseSample s = last;
      const double duration_s = i % 97 == 0 ? 0.2 : between(0, 2e-3);
      s.at = last.at + from_seconds(duration_s);
      s.x_m += between(-1, 1) * quickest_m;
      s.y_m += between(-1, 1) * quickest_m;
      s.normal_force_N = between(-0.5, 3) * (i / 50 % 2 == 0 ? 1 : 0.1);
      s.tangential_force_N = between(-2, 2);
      s.speed_m_s = between(-0.2, 0.4);
      const double mean_N = (last.normal_force_N + s.normal_force_N) / 2;
      const double passed_s = daq::seconds(s.at - last.at);
      if (passed_s <= config.longest_gap_s && mean_N >= config.contact_force_N) {
        impulse_N_s += mean_N * passed_s;
        contact_s += passed_s;
        // Gauss: two places in the interval are exact for a product of two lines.
        for (const double u : {0.5 - std::sqrt(3.0) / 6, 0.5 + std::sqrt(3.0) / 6}) {
          work_J += passed_s / 2 * std::lerp(std::abs(last.tangential_force_N), std::abs(s.tangential_force_N), u) *
                    std::lerp(std::abs(last.speed_m_s), std::abs(s.speed_m_s), u);
        }
      }
      if (s.normal_force_N >= config.contact_force_N) {
        highest_Pa = std::max(highest_Pa, s.normal_force_N / (config.edge.length_m * config.edge.width_m));
      }
      account.add(s);
      last = s;
    }
    const auto total = account.total();
    ASSERT_NEAR(total.impulse_N_s, impulse_N_s, 1e-8 * impulse_N_s + 1e-12);
    ASSERT_NEAR(total.work_J, work_J, 1e-8 * work_J + 1e-12);
    ASSERT_GT(impulse_N_s, 0);
    double sum_of_times_s = 0;
    for (std::size_t area = 0; area <= account.outside(); ++area) {
      const auto& d = account.dose(area);
      ASSERT_GE(d.impulse_N_s, 0);
      ASSERT_LE(d.time_s, contact_s + 1e-9);
      ASSERT_LE(d.peak_pressure_Pa, std::max(highest_Pa, 1 / (config.edge.length_m * config.edge.width_m)) + 1e-6);
      ASSERT_EQ(d.strokes > 0, d.time_s > 0);
      sum_of_times_s += d.time_s;
    }
    ASSERT_GE(sum_of_times_s, contact_s - 1e-9) << "the edge always lies somewhere";
    ASSERT_EQ(account.gaps(), 5U);
  }
}

/// Against the plainest way: the edge as a cloud of points, each with its share of the force.
TEST(DoseAccountProperty, AreasGetWhatLiesUnderTheEdge) {
  std::mt19937 random(22);
  const auto between = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int walk = 0; walk < 20; ++walk) {
    DoseConfig config;
    config.grid = {.min_x_m = 0, .min_y_m = 0, .columns = 8, .rows = 6};
    config.edge = {.length_m = between(5e-3, 40e-3), .width_m = between(3e-3, 12e-3)};
    config.limits = no_limits();
    auto account = made(config);
    std::vector<double> points(account.outside() + 1);
    const double from_x = between(-0.01, 0.09);
    const double from_y = between(-0.01, 0.07);
    const double to_x = between(-0.01, 0.09);
    const double to_y = between(-0.01, 0.07);
    constexpr int kSamples = 400;
    constexpr int kPoints = 20;
    constexpr double kForce_N = 5;
    for (int i = 0; i <= kSamples; ++i) {
      const double u = static_cast<double>(i) / kSamples;
      const double x = std::lerp(from_x, to_x, u);
      const double y = std::lerp(from_y, to_y, u);
      account.add({.at = {std::int64_t{i} * 1'000'000}, .x_m = x, .y_m = y, .normal_force_N = kForce_N});
      const double weight = i == 0 || i == kSamples ? 0.5 : 1;
      for (int a = 0; a < kPoints; ++a) {
        for (int b = 0; b < kPoints; ++b) {
          const double px = x + ((a + 0.5) / kPoints - 0.5) * config.edge.width_m;
          const double py = y + ((b + 0.5) / kPoints - 0.5) * config.edge.length_m;
          points[account.area_at(px, py)] += weight * kForce_N * 1e-3 / (kPoints * kPoints);
        }
      }
    }
    const double all_N_s = kForce_N * kSamples * 1e-3;
    for (std::size_t area = 0; area <= account.outside(); ++area) {
      ASSERT_NEAR(account.dose(area).impulse_N_s, points[area], 0.01 * all_N_s) << area;
    }
  }
}

}  // namespace
}  // namespace strigil::protocols
