// The curves of roc.hpp: what happens as the threshold falls past one distinct score after the other.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "protocols/court/roc.hpp"

namespace strigil::protocols {
namespace {

/// Alarms at one threshold.
struct Count {
  double threshold;
  double hits;
  double false_alarms;
};

daq::Result<std::vector<Count>> counts(const LabelledScores& s) {
  if (auto area = roc_area(s); !area) return area.error();  // the same inputs are refused, in the same words
  auto targets = s.targets;
  auto others = s.others;
  std::sort(targets.begin(), targets.end(), std::greater<>());
  std::sort(others.begin(), others.end(), std::greater<>());
  std::vector<Count> out;
  std::size_t hits = 0;
  std::size_t alarms = 0;
  while (hits < targets.size() || alarms < others.size()) {
    double next = hits < targets.size() ? targets[hits] : others[alarms];
    if (alarms < others.size()) next = std::max(next, others[alarms]);
    while (hits < targets.size() && targets[hits] == next) ++hits;
    while (alarms < others.size() && others[alarms] == next) ++alarms;
    out.push_back({next, static_cast<double>(hits), static_cast<double>(alarms)});
  }
  return out;
}

}  // namespace

daq::Result<std::vector<RocPoint>> roc_curve(const LabelledScores& scores) {
  const auto steps = counts(scores);
  if (!steps) return steps.error();
  std::vector<RocPoint> out{{std::numeric_limits<double>::infinity(), 0, 0}};
  for (const auto& c : *steps) {
    out.push_back({c.threshold, c.false_alarms / static_cast<double>(scores.others.size()),
                   c.hits / static_cast<double>(scores.targets.size())});
  }
  return out;
}

daq::Result<PartialArea> partial_roc_area(const LabelledScores& scores, double up_to) {
  if (!(up_to > 0 && up_to <= 1)) return daq::Error{fmt::format("false-positive rate {} is not in (0, 1]", up_to)};
  const auto curve = roc_curve(scores);
  if (!curve) return curve.error();
  double area = 0;
  for (std::size_t i = 1; i < curve->size(); ++i) {
    const auto& a = (*curve)[i - 1];
    const auto& b = (*curve)[i];
    if (a.false_positive >= up_to) break;
    const double end = std::min(b.false_positive, up_to);
    const double run = b.false_positive - a.false_positive;
    if (!(run > 0)) continue;
    const double height = a.true_positive + (b.true_positive - a.true_positive) * (end - a.false_positive) / run;
    area += 0.5 * (a.true_positive + height) * (end - a.false_positive);
  }
  const double chance = 0.5 * up_to * up_to;
  return PartialArea{area, 0.5 * (1 + (area - chance) / (up_to - chance))};
}

daq::Result<PrecisionRecall> precision_recall(const LabelledScores& scores) {
  const auto steps = counts(scores);
  if (!steps) return steps.error();
  const auto targets = static_cast<double>(scores.targets.size());
  PrecisionRecall out;
  out.chance = targets / (targets + static_cast<double>(scores.others.size()));
  double hits = 0;
  double alarms = 0;
  for (const auto& c : *steps) {
    const double precision = c.hits / (c.hits + c.false_alarms);
    out.curve.push_back({c.threshold, c.hits / targets, precision});
    const double more = c.hits - hits;
    out.average_precision += more / targets * precision;
    if (more > 0) {
      // False alarms grow in line with the hits: integral of h / (h + a + s (h - hits)) dh.
      const double slope = (c.false_alarms - alarms) / more;
      const double at_0 = alarms - slope * hits;  // h + f(h) = (1 + slope) h + at_0
      const double grow = 1 + slope;
      double integral = more / grow;
      if (at_0 != 0) {
        integral -= at_0 / (grow * grow) * std::log((grow * c.hits + at_0) / (grow * hits + at_0));
      }
      out.interpolated_area += integral / targets;
    }
    hits = c.hits;
    alarms = c.false_alarms;
  }
  return out;
}

}  // namespace strigil::protocols
