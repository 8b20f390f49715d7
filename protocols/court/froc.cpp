#include "protocols/court/froc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

daq::Result<void> checked(std::span<const FrocCase> cases) {
  if (cases.empty()) return daq::Error{"there is no case"};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& c = cases[i];
    if (!(c.length_m > 0) || std::isinf(c.length_m)) {
      return daq::Error{fmt::format("case {} has a length of {} m", i, c.length_m)};
    }
    for (const auto* scores : {&c.target_scores, &c.false_scores}) {
      for (const double s : *scores) {
        if (std::isnan(s)) return daq::Error{fmt::format("case {} has a score that is NaN", i)};
      }
    }
    if (!c.target_weights.empty() && c.target_weights.size() != c.target_scores.size()) {
      return daq::Error{
          fmt::format("case {} has {} weights for {} targets", i, c.target_weights.size(), c.target_scores.size())};
    }
    for (const double w : c.target_weights) {
      if (!(w > 0) || std::isinf(w)) return daq::Error{fmt::format("case {} has a target that weighs {}", i, w)};
    }
  }
  return {};
}

/// Falling scores of the marks in the cases listed. A target at -inf was not marked and is in no list.
struct Marks {
  std::vector<double> found;
  std::vector<double> alarms;
  std::size_t targets = 0;
  double length_m = 0;
};
Marks marks(std::span<const FrocCase> cases, std::span<const std::size_t> rows) {
  Marks out;
  for (const auto i : rows) {
    const auto& c = cases[i];
    out.targets += c.target_scores.size();
    out.length_m += c.length_m;
    std::copy_if(c.target_scores.begin(), c.target_scores.end(), std::back_inserter(out.found),
                 [](double s) { return s > -kInfinity; });
    std::copy_if(c.false_scores.begin(), c.false_scores.end(), std::back_inserter(out.alarms),
                 [](double s) { return s > -kInfinity; });
  }
  std::sort(out.found.begin(), out.found.end(), std::greater<>());
  std::sort(out.alarms.begin(), out.alarms.end(), std::greater<>());
  return out;
}

/// Alarm: score >= threshold. Allowed false alarms are whole: the first one too many, and all that score as low, are
/// out.
struct Choice {
  double threshold = kInfinity;
  std::size_t found = 0;
  std::size_t alarms = 0;
};
Choice choose(const Marks& m, double allowed_per_m) {
  // Rounding must not take an alarm that is just allowed (0.1 per metre of 30 m).
  const double allowed = allowed_per_m * m.length_m * (1 + 1e-12);
  Choice out;
  double barred = -kInfinity;  // thresholds must be above
  if (static_cast<double>(m.alarms.size()) > allowed) barred = m.alarms[static_cast<std::size_t>(allowed)];
  for (const double s : m.found) {
    if (s > barred) {
      ++out.found;
      out.threshold = s;
    }
  }
  for (const double s : m.alarms) {
    if (s > barred) {
      ++out.alarms;
      out.threshold = std::min(out.threshold, s);
    }
  }
  return out;
}

}  // namespace

FrocCase froc_case(const Matching& matching, std::span<const Detection> detections,
                   std::span<const TruthTarget> targets, double length_m) {
  FrocCase out;
  out.length_m = length_m;
  for (const auto& t : matching.targets) out.target_scores.push_back(t.score);
  for (const auto& t : targets) out.target_weights.push_back(t.weight);
  for (const auto i : matching.false_alarms) out.false_scores.push_back(detections[i].score);
  return out;
}

daq::Result<FrocArea> froc_area(std::span<const FrocCase> cases, FrocMerit merit, double level) {
  if (auto good = checked(cases); !good) return good.error();
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  std::vector<double> blank;  // highest false score of each blank case
  double targets = 0;
  FrocArea out;
  for (const auto& c : cases) {
    targets += static_cast<double>(c.target_scores.size());
    if (!c.target_scores.empty()) {
      ++out.cases_with_targets;
    } else {
      blank.push_back(c.false_scores.empty() ? -kInfinity
                                             : *std::max_element(c.false_scores.begin(), c.false_scores.end()));
    }
  }
  out.blank_cases = blank.size();
  if (out.cases_with_targets == 0 || blank.empty()) {
    return daq::Error{fmt::format("FROC areas need cases with targets and blank ones: {} and {} were given",
                                  out.cases_with_targets, blank.size())};
  }
  const auto k1 = static_cast<double>(blank.size());
  const auto k2 = static_cast<double>(out.cases_with_targets);
  auto sorted = blank;
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> of_cases;
  std::vector<std::pair<double, double>> weighted;  // target score, weight over all cases with a sum of 1
  for (const auto& c : cases) {
    if (c.target_scores.empty()) continue;
    const double all = std::accumulate(c.target_weights.begin(), c.target_weights.end(), 0.0);
    double placement = 0;
    for (std::size_t l = 0; l < c.target_scores.size(); ++l) {
      const double share =
          c.target_weights.empty() ? 1 / static_cast<double>(c.target_scores.size()) : c.target_weights[l] / all;
      const double w = merit == FrocMerit::kAfroc ? 1 / targets : share / k2;
      const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), c.target_scores[l]);
      const auto below = static_cast<double>(low - sorted.begin());
      const auto ties = static_cast<double>(high - low);
      placement += w * (below + 0.5 * ties) / k1;
      weighted.emplace_back(c.target_scores[l], w);
    }
    out.theta += placement;
    of_cases.push_back(k2 * placement);
  }
  // Of each blank case: the weight of the targets above it.
  std::sort(weighted.begin(), weighted.end());
  std::vector<double> up_to(weighted.size() + 1, 0);
  for (std::size_t i = 0; i < weighted.size(); ++i) up_to[i + 1] = up_to[i] + weighted[i].second;
  std::vector<double> of_blanks;
  for (const double b : blank) {
    const auto low =
        std::lower_bound(weighted.begin(), weighted.end(), b, [](const auto& p, double v) { return p.first < v; }) -
        weighted.begin();
    const auto high =
        std::upper_bound(weighted.begin(), weighted.end(), b, [](double v, const auto& p) { return v < p.first; }) -
        weighted.begin();
    of_blanks.push_back(up_to.back() -
                        0.5 * (up_to[static_cast<std::size_t>(low)] + up_to[static_cast<std::size_t>(high)]));
  }
  const auto variance = [&](const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += (x - out.theta) * (x - out.theta);
    const auto n = static_cast<double>(v.size());
    return v.size() < 2 ? std::nan("") : sum / (n - 1) / n;
  };
  out.variance = variance(of_cases) + variance(of_blanks);
  out.interval.level = level;
  if (out.variance >= 0) {
    const double half = two_sided_z(level) * std::sqrt(out.variance);
    out.interval = {std::max(0.0, out.theta - half), std::min(1.0, out.theta + half), level};
  }
  return out;
}

daq::Result<std::vector<FrocPoint>> froc_curve(std::span<const FrocCase> cases) {
  if (auto good = checked(cases); !good) return good.error();
  std::vector<std::size_t> rows(cases.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const auto m = marks(cases, rows);
  if (m.targets == 0) return daq::Error{"no case has a target: there is nothing to find"};
  std::vector<FrocPoint> out{{kInfinity, 0, 0}};
  std::size_t found = 0;
  std::size_t alarms = 0;
  while (found < m.found.size() || alarms < m.alarms.size()) {
    double next = found < m.found.size() ? m.found[found] : m.alarms[alarms];
    if (alarms < m.alarms.size()) next = std::max(next, m.alarms[alarms]);
    while (found < m.found.size() && m.found[found] == next) ++found;
    while (alarms < m.alarms.size() && m.alarms[alarms] == next) ++alarms;
    out.push_back(
        {next, static_cast<double>(alarms) / m.length_m, static_cast<double>(found) / static_cast<double>(m.targets)});
  }
  return out;
}

daq::Result<OperatingPoint> found_at(std::span<const FrocCase> cases, double allowed_per_m,
                                     std::span<const std::size_t> phantom_of_case, const BootstrapOptions& options) {
  if (auto good = checked(cases); !good) return good.error();
  if (!(allowed_per_m >= 0) || std::isinf(allowed_per_m)) {
    return daq::Error{fmt::format("{} false alarms per metre cannot be allowed", allowed_per_m)};
  }
  std::vector<std::size_t> rows(cases.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const auto m = marks(cases, rows);
  if (m.targets == 0) return daq::Error{"no case has a target: there is nothing to find"};
  const auto choice = choose(m, allowed_per_m);
  OperatingPoint out;
  out.allowed_per_m = allowed_per_m;
  out.threshold = choice.threshold;
  auto found = proportion(choice.found, m.targets, options.level);
  if (!found) return found.error();
  out.found = *found;
  auto rate = poisson_rate(choice.alarms, m.length_m, options.level);
  if (!rate) return rate.error();
  out.false_alarms = *rate;
  if (allowed_per_m * m.length_m < 1) {
    out.warnings.push_back(
        fmt::format("{:.3g} m stroked cannot show {:g} false alarms per metre: not even one is allowed", m.length_m,
                    allowed_per_m));
  }
  if (phantom_of_case.empty()) return out;
  if (phantom_of_case.size() != cases.size()) return daq::Error{"each case needs the number of its phantom"};
  auto over = bootstrap(
      phantom_of_case,
      [&](std::span<const std::size_t> drawn) {
        const auto some = marks(cases, drawn);
        if (some.targets == 0) return std::nan("");
        return static_cast<double>(choose(some, allowed_per_m).found) / static_cast<double>(some.targets);
      },
      options);
  if (!over) return over.error();
  out.found_over_phantoms = std::move(*over);
  return out;
}

}  // namespace strigil::protocols
