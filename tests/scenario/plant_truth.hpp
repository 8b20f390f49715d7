// What was true in the simulated world while a rig measured it, and how errors compare with stated uncertainties.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "daq/time.hpp"
#include "rig/readings.hpp"
#include "sim/twin.hpp"
#include "sim/world.hpp"

namespace strigil::apps {

/// Mean force that the plant felt in each stroke, by the stage's true place.
class Truth {
 public:
  daq::Duration look(const sim::World& world) {
    const auto& plant = world.plant();
    constexpr double kFrom_m = 30.2e-3;
    constexpr double kTo_m = 79.8e-3;
    const double x = plant.position_m[0];
    const bool on = x > kFrom_m && x < kTo_m && plant.force_N[2] > 0.5;
    if (on && !on_) strokes_.push_back({});
    on_ = on;
    if (on) strokes_.back().push_back(plant.force_N[2]);
    return {};
  }
  [[nodiscard]] std::vector<double> means() const {
    std::vector<double> out;
    for (const auto& s : strokes_) {
      double sum = 0;
      for (const double f : s) sum += f;
      out.push_back(sum / static_cast<double>(s.size()));
    }
    return out;
  }

 private:
  bool on_ = false;
  std::vector<std::vector<double>> strokes_;
};

/// What the plant felt and where the carriage truly was, all the time.
class History {
 public:
  daq::Duration look(const sim::World& world, daq::Duration step) {
    const auto at = world.next_step() - step;
    if (!rows_.empty() && rows_.back().at == at) return {};
    rows_.push_back({at, world.stage().position_m()[rig::kX], world.plant().force_N[2]});
    return {};
  }
  struct Row {
    daq::HostTime at;
    double x_m = 0;
    double force_N = 0;
  };
  /// Between two rows by a straight line.
  [[nodiscard]] Row at(daq::HostTime t) const {
    const auto after =
        std::lower_bound(rows_.begin(), rows_.end(), t, [](const Row& row, daq::HostTime at) { return row.at < at; });
    if (after == rows_.begin() || after == rows_.end()) return {t, std::nan(""), std::nan("")};
    const auto& b = *after;
    const auto& a = *(after - 1);
    const double part = daq::seconds(t - a.at) / daq::seconds(b.at - a.at);
    return {t, std::lerp(a.x_m, b.x_m, part), std::lerp(a.force_N, b.force_N, part)};
  }

 private:
  std::vector<Row> rows_;
};

/// Where the map's zero truly is: the first target, reached rising, less what is counted there.
class MapZero {
 public:
  daq::Duration look(const sim::World& world) {
    const double x_m = world.stage().position_m()[rig::kX];
    const double z_m = world.stage().position_m()[rig::kZ];
    constexpr double kTarget_m = 5e-3;
    const bool there = std::abs(x_m - kTarget_m) < 0.1e-3 && std::abs(z_m) < 8e-3;
    still_ = there && x_m == last_m_ ? still_ + 1 : 0;
    if (!there) from_m_ = x_m;
    last_m_ = x_m;
    if (still_ == 30 && from_m_ < kTarget_m) seen_m_.push_back(x_m - kTarget_m);
    return {};
  }
  [[nodiscard]] double offset_m() const {
    double sum = 0;
    for (std::size_t i = 1; i < seen_m_.size(); ++i) sum += seen_m_[i];  // the first is of setting up the reference
    return sum / static_cast<double>(seen_m_.size() - 1);
  }
  [[nodiscard]] std::size_t count() const { return seen_m_.size(); }

 private:
  double last_m_ = 0;
  double from_m_ = 0;
  int still_ = 0;
  std::vector<double> seen_m_;
};

/// Errors over their stated expanded uncertainties.
struct Coverage {
  std::vector<double> ratios;
  void add(double error, double expanded) { ratios.push_back(error / expanded); }
  [[nodiscard]] double within() const {
    return static_cast<double>(std::count_if(ratios.begin(), ratios.end(), [](double r) { return std::abs(r) <= 1; })) /
           static_cast<double>(ratios.size());
  }
  [[nodiscard]] double rms() const {
    double sum = 0;
    for (const double r : ratios) sum += r * r;
    return std::sqrt(sum / static_cast<double>(ratios.size()));
  }
  [[nodiscard]] std::string to_text() const {
    auto sorted = ratios;
    std::sort(sorted.begin(), sorted.end());
    const auto q = [&](double p) {
      return sorted[static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1))];
    };
    return fmt::format(
        "{} values, {:.1f} % within U; error/U: rms {:.2f}, 2.5 % {:+.2f}, 16 % {:+.2f}, median {:+.2f}, "
        "84 % {:+.2f}, 97.5 % {:+.2f}, extremes {:+.2f} {:+.2f}",
        ratios.size(), 100 * within(), rms(), q(0.025), q(0.16), q(0.5), q(0.84), q(0.975), q(0), q(1));
  }
};

}  // namespace strigil::apps
