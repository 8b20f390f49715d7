#include "protocols/court/matching.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace strigil::protocols {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::size_t kMostTargets = 2'000;

daq::Result<void> checked(std::span<const Detection> detections, std::span<const TruthTarget> targets,
                          const MatchingOptions& options) {
  if (!(options.tolerance_mm >= 0) || std::isinf(options.tolerance_mm)) {
    return daq::Error{fmt::format("a tolerance of {} mm is no distance", options.tolerance_mm)};
  }
  if (targets.size() > kMostTargets) {
    return daq::Error{fmt::format("{} targets in one stroke are more than {}", targets.size(), kMostTargets)};
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& t = targets[i];
    if (!std::isfinite(t.from_mm) || !std::isfinite(t.to_mm) || t.from_mm > t.to_mm) {
      return daq::Error{fmt::format("target {} lies from {} to {} mm", i, t.from_mm, t.to_mm)};
    }
    if (!(t.weight > 0) || std::isinf(t.weight)) return daq::Error{fmt::format("target {} weighs {}", i, t.weight)};
  }
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const auto& d = detections[i];
    if (!std::isfinite(d.position_mm) || std::isnan(d.score)) {
      return daq::Error{fmt::format("detection {} is at {} mm with score {}: a detector must give numbers", i,
                                    d.position_mm, d.score)};
    }
  }
  return {};
}

/// Bipartite graph of what is within reach, and the growing matching.
class Reach {
 public:
  Reach(std::span<const Detection> detections, std::span<const TruthTarget> targets, double tolerance_mm)
      : detections_(detections), targets_(targets), tolerance_mm_(tolerance_mm), by_(targets.size(), kNone) {
    order_.resize(targets.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return targets[a].from_mm < targets[b].from_mm; });
  }

  [[nodiscard]] bool reaches(std::size_t detection, std::size_t target) const {
    const double x = detections_[detection].position_mm;
    return x >= targets_[target].from_mm - tolerance_mm_ && x <= targets_[target].to_mm + tolerance_mm_;
  }
  [[nodiscard]] std::vector<std::size_t> targets_of(std::size_t detection) const {
    std::vector<std::size_t> out;
    for (const auto t : order_) {
      if (targets_[t].from_mm - tolerance_mm_ > detections_[detection].position_mm) break;
      if (reaches(detection, t)) out.push_back(t);
    }
    return out;
  }

  /// Lets `detection` in if an augmenting path exists. Breadth first.
  bool augment(std::size_t detection, const std::vector<std::size_t>& first) {
    std::vector<std::size_t> came_from(targets_.size(), kNone);  // the target whose detection could move here
    std::vector<bool> seen(targets_.size(), false);
    std::vector<std::size_t> queue;
    for (const auto t : first) {
      seen[t] = true;
      queue.push_back(t);
    }
    for (std::size_t i = 0; i < queue.size(); ++i) {
      const auto t = queue[i];
      if (by_[t] == kNone) {
        auto to = t;
        while (came_from[to] != kNone) {
          by_[to] = by_[came_from[to]];
          to = came_from[to];
        }
        by_[to] = detection;
        return true;
      }
      for (const auto next : targets_of(by_[t])) {
        if (seen[next]) continue;
        seen[next] = true;
        came_from[next] = t;
        queue.push_back(next);
      }
    }
    return false;
  }

 private:
  std::span<const Detection> detections_;
  std::span<const TruthTarget> targets_;
  double tolerance_mm_;
  std::vector<std::size_t> order_;
  std::vector<std::size_t> by_;
};

/// Least sum of costs, n rows and m >= n columns, row by row: column of each row. Hungarian method with potentials,
/// O(n^2 m).
std::vector<std::size_t> assign(const std::vector<double>& cost, std::size_t n, std::size_t m) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> u(n + 1, 0);
  std::vector<double> v(m + 1, 0);
  std::vector<std::size_t> row_of(m + 1, 0);  // 1-based; 0: free
  std::vector<std::size_t> way(m + 1, 0);
  for (std::size_t i = 1; i <= n; ++i) {
    row_of[0] = i;
    std::size_t column = 0;
    std::vector<double> least(m + 1, kInfinity);
    std::vector<bool> used(m + 1, false);
    do {
      used[column] = true;
      const auto row = row_of[column];
      double delta = kInfinity;
      std::size_t next = 0;
      for (std::size_t j = 1; j <= m; ++j) {
        if (used[j]) continue;
        const double reduced = cost[(row - 1) * m + j - 1] - u[row] - v[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          way[j] = column;
        }
        if (least[j] < delta) {
          delta = least[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= m; ++j) {
        if (used[j]) {
          u[row_of[j]] += delta;
          v[j] -= delta;
        } else {
          least[j] -= delta;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    do {
      const auto before = way[column];
      row_of[column] = row_of[before];
      column = before;
    } while (column != 0);
  }
  std::vector<std::size_t> out(n);
  for (std::size_t j = 1; j <= m; ++j) {
    if (row_of[j] != 0) out[row_of[j] - 1] = j - 1;
  }
  return out;
}

}  // namespace

daq::Result<Matching> match(std::span<const Detection> detections, std::span<const TruthTarget> targets,
                            const MatchingOptions& options) {
  if (auto good = checked(detections, targets, options); !good) return good.error();
  std::vector<std::size_t> by_score(detections.size());
  std::iota(by_score.begin(), by_score.end(), std::size_t{0});
  // Ties: along the stroke, then as answered, so that the outcome does not depend on the sort.
  std::sort(by_score.begin(), by_score.end(), [&](std::size_t a, std::size_t b) {
    const auto& p = detections[a];
    const auto& q = detections[b];
    if (p.score != q.score) return p.score > q.score;
    return p.position_mm != q.position_mm ? p.position_mm < q.position_mm : a < b;
  });
  Matching out;
  out.targets.resize(targets.size());
  Reach reach(detections, targets, options.tolerance_mm);
  std::vector<std::size_t> kept;
  for (const auto d : by_score) {
    const auto near = reach.targets_of(d);
    if (near.empty()) {
      out.false_alarms.push_back(d);
      continue;
    }
    if (!reach.augment(d, near)) {
      (options.duplicates_are_false_alarms ? out.false_alarms : out.duplicates).push_back(d);
      continue;
    }
    kept.push_back(d);
  }
  const std::size_t n = kept.size();
  const std::size_t m = targets.size();
  std::vector<double> cost(n * m);
  double far = 1;
  for (const auto d : kept) {
    double farthest = 0;
    for (const auto t : reach.targets_of(d)) {
      farthest = std::max(farthest, std::abs(detections[d].position_mm - targets[t].centre_mm()));
    }
    far += farthest;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < m; ++j) {
      const double distance = std::abs(detections[kept[i]].position_mm - targets[j].centre_mm());
      cost[i * m + j] = reach.reaches(kept[i], j) ? distance : far;  // one out of reach costs more than all within
    }
  }
  const auto column = assign(cost, n, m);
  for (std::size_t i = 0; i < n; ++i) {
    const auto t = column[i];
    const auto& d = detections[kept[i]];
    auto& found = out.targets[t];
    found.detection = kept[i];
    found.score = d.score;
    found.error_mm = d.position_mm - targets[t].centre_mm();
    found.reaction_s = d.answered_s - targets[t].entered_s;
  }
  std::sort(out.duplicates.begin(), out.duplicates.end());
  std::sort(out.false_alarms.begin(), out.false_alarms.end());
  return out;
}

}  // namespace strigil::protocols
