// The rules of a control chart: patterns that chance seldom makes.
#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <functional>

#include "calibration/control_chart.hpp"

namespace strigil::calibration {
namespace {

class Rules {
 public:
  Rules(const std::vector<double>& values, double centre, double sigma) : size_(values.size()) {
    for (const double v : values) z_.push_back((v - centre) / sigma);
  }

  std::vector<Violation> run(const RuleSet& r) {
    for (std::size_t i = 0; i < size_; ++i) {
      row(
          1, i, r.beyond_3, [&](std::size_t k) { return std::abs(z_[k]) > 3; }, "{} beyond 3 sigma");
      for (const double side : {1.0, -1.0}) {
        row(
            2, i, r.same_side, [&](std::size_t k) { return side * z_[k] > 0; },
            "{} in a row on one side of the centre");
        // A run of n points has n - 1 steps.
        row(
            3, i, r.trend - 1, [&](std::size_t k) { return k > 0 && side * (z_[k] - z_[k - 1]) > 0; },
            side > 0 ? "steadily rising over {} steps" : "steadily falling over {} steps");
        if (r.two_of_three > 0) some(5, i, 2, 3, 2 * side);
        if (r.four_of_five > 0) some(6, i, 4, 5, side);
      }
      row(
          4, i, r.alternating - 2,
          [&](std::size_t k) { return k > 1 && (z_[k] - z_[k - 1]) * (z_[k - 1] - z_[k - 2]) < 0; },
          "up and down by turns, {} turns");
      row(
          7, i, r.within_1, [&](std::size_t k) { return std::abs(z_[k]) < 1; }, "{} in a row within 1 sigma: too good");
      row(
          8, i, r.outside_1, [&](std::size_t k) { return std::abs(z_[k]) > 1; }, "{} in a row outside 1 sigma");
    }
    return std::move(out_);
  }

 private:
  void say(int rule, std::size_t point, std::string text) { out_.push_back({point, rule, std::move(text)}); }

  /// `count` points in a row, the last of them `i`.
  void row(int rule, std::size_t i, int count, const std::function<bool(std::size_t)>& holds, const char* text) {
    if (count <= 0 || i + 1 < static_cast<std::size_t>(count)) return;
    for (std::size_t k = i + 1 - static_cast<std::size_t>(count); k <= i; ++k) {
      if (!holds(k)) return;
    }
    say(rule, i, fmt::format(fmt::runtime(text), count));
  }

  /// `wanted` of the last `window` points beyond `line` on its side, `i` being one of them.
  void some(int rule, std::size_t i, int wanted, std::size_t window, double line) {
    const auto beyond = [&](std::size_t k) { return line > 0 ? z_[k] > line : z_[k] < line; };
    if (!beyond(i)) return;
    int found = 0;
    for (std::size_t k = i + 1 < window ? 0 : i + 1 - window; k <= i; ++k) found += beyond(k) ? 1 : 0;
    if (found >= wanted)
      say(rule, i, fmt::format("{} of {} beyond {:g} sigma on one side", wanted, window, std::abs(line)));
  }

  std::size_t size_;
  std::vector<double> z_;
  std::vector<Violation> out_;
};

}  // namespace

std::vector<Violation> violations(const std::vector<double>& values, double centre, double sigma,
                                  const RuleSet& rules) {
  assert(sigma > 0);
  return Rules(values, centre, sigma).run(rules);
}

}  // namespace strigil::calibration
