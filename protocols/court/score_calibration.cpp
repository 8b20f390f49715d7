#include "protocols/court/score_calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

daq::Result<std::vector<ScoredOutcome>> sorted(std::span<const ScoredOutcome> outcomes) {
  if (outcomes.empty()) return daq::Error{"there is no score to calibrate"};
  std::vector<ScoredOutcome> out(outcomes.begin(), outcomes.end());
  for (const auto& o : out) {
    if (!std::isfinite(o.score)) return daq::Error{fmt::format("score {} cannot be calibrated", o.score)};
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
  return out;
}

}  // namespace

daq::Result<Reliability> reliability(std::span<const Judged> judged, std::size_t bins, Binning binning, double level) {
  if (judged.empty()) return daq::Error{"there is no answer to judge"};
  if (bins == 0 || bins > 10'000) return daq::Error{fmt::format("{} bins are not between 1 and 10,000", bins)};
  const auto n = static_cast<double>(judged.size());
  Reliability out;
  double targets = 0;
  for (const auto& j : judged) {
    if (!(j.probability >= 0 && j.probability <= 1)) {
      return daq::Error{fmt::format("{} is no probability: calibrate the scores first", j.probability)};
    }
    const double o = j.target ? 1 : 0;
    targets += o;
    out.brier += (j.probability - o) * (j.probability - o) / n;
    out.log_loss -= (j.target ? std::log(j.probability) : std::log1p(-j.probability)) / n;
  }
  const double base = targets / n;
  out.uncertainty = base * (1 - base);
  out.brier_skill = 1 - out.brier / out.uncertainty;
  if (out.uncertainty == 0) out.brier_skill = std::nan("");
  std::vector<Judged> ordered(judged.begin(), judged.end());
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.probability < b.probability; });
  const auto width_bin = [&](double p) {
    return std::min(bins - 1, static_cast<std::size_t>(p * static_cast<double>(bins)));
  };
  for (std::size_t i = 0; i < ordered.size();) {
    std::size_t end = i + 1;
    if (binning == Binning::kEqualWidth) {
      while (end < ordered.size() && width_bin(ordered[end].probability) == width_bin(ordered[i].probability)) ++end;
    } else {
      // Up to the next whole share of the cases; equal answers stay together.
      const auto share = (i * bins / ordered.size() + 1) * ordered.size();
      end = std::max(end, (share + bins - 1) / bins);
      while (end < ordered.size() && ordered[end].probability == ordered[end - 1].probability) ++end;
    }
    double sum = 0;
    std::uint64_t hits = 0;
    for (std::size_t k = i; k < end; ++k) {
      sum += ordered[k].probability;
      hits += ordered[k].target ? 1 : 0;
    }
    const auto count = static_cast<double>(end - i);
    auto observed = proportion(hits, end - i, level);
    if (!observed) return observed.error();
    const double mean = sum / count;
    const double gap = std::abs(observed->value - mean);
    out.miscalibration += count / n * gap * gap;
    out.resolution += count / n * (observed->value - base) * (observed->value - base);
    out.expected_calibration_error += count / n * gap;
    out.greatest_calibration_error = std::max(out.greatest_calibration_error, gap);
    out.bins.push_back({mean, *observed});
    i = end;
  }
  return out;
}

double IsotonicMap::at(double score_asked) const {
  const auto next = std::upper_bound(score.begin(), score.end(), score_asked);
  return next == score.begin() ? probability.front() : probability[static_cast<std::size_t>(next - score.begin()) - 1];
}

daq::Result<IsotonicMap> fit_isotonic(std::span<const ScoredOutcome> outcomes) {
  const auto ordered = sorted(outcomes);
  if (!ordered) return ordered.error();
  struct Block {
    double from;
    double hits;
    double count;
  };
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < ordered->size();) {
    Block b{(*ordered)[i].score, 0, 0};
    for (; i < ordered->size() && (*ordered)[i].score == b.from; ++i) {  // equal scores: one answer for all
      b.hits += (*ordered)[i].target ? 1 : 0;
      b.count += 1;
    }
    blocks.push_back(b);
    while (blocks.size() > 1) {
      const auto& last = blocks.back();
      auto& before = blocks[blocks.size() - 2];
      if (before.hits * last.count < last.hits * before.count) break;  // rises: nothing to pool
      before.hits += last.hits;
      before.count += last.count;
      blocks.pop_back();
    }
  }
  IsotonicMap out;
  for (const auto& b : blocks) {
    out.score.push_back(b.from);
    out.probability.push_back(b.hits / b.count);
  }
  return out;
}

double PlattMap::at(double score) const { return link_cdf(Link::kLogit, b0 + b1 * score); }

daq::Result<PlattMap> fit_platt(std::span<const ScoredOutcome> outcomes) {
  const auto ordered = sorted(outcomes);
  if (!ordered) return ordered.error();
  double targets = 0;
  for (const auto& o : *ordered) targets += o.target ? 1 : 0;
  const double others = static_cast<double>(ordered->size()) - targets;
  if (targets == 0 || others == 0) return daq::Error{"scores of targets and of others are needed"};
  // Platt's targets keep the fit finite where scores part the classes.
  const double yes = (targets + 1) / (targets + 2);
  const double no = 1 / (others + 2);
  std::vector<LinkPoint> points;
  for (const auto& o : *ordered) points.push_back({o.score, o.target ? yes : no, 1});
  const auto line = fit_link_line(points, Link::kLogit);
  if (!line) return line.error();
  return PlattMap{line->b0, line->b1};
}

}  // namespace strigil::protocols
