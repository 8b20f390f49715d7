#include "protocols/court/roc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double real(std::size_t n) { return static_cast<double>(n); }

daq::Result<void> checked(const LabelledScores& s, double level) {
  if (s.targets.empty() || s.others.empty()) {
    return daq::Error{fmt::format("ROC needs scores of targets and of others: {} and {} were given", s.targets.size(),
                                  s.others.size())};
  }
  const auto is_nan = [](double v) { return std::isnan(v); };
  if (std::any_of(s.targets.begin(), s.targets.end(), is_nan) ||
      std::any_of(s.others.begin(), s.others.end(), is_nan)) {
    return daq::Error{"a score is NaN: a detector that says nothing scores -inf"};
  }
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  return {};
}

/// Midranks from 1, in the order of `v`.
std::vector<double> midranks(const std::vector<double>& v) {
  std::vector<std::size_t> order(v.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return v[a] < v[b]; });
  std::vector<double> rank(v.size());
  for (std::size_t i = 0; i < v.size();) {
    std::size_t end = i;
    while (end < v.size() && v[order[end]] == v[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) rank[order[k]] = 0.5 * real(i + end + 1);
    i = end;
  }
  return rank;
}

/// DeLong's structural components. V10: of each target, the share of others below it; V01: of each other, the share of
/// targets above it.
struct Placements {
  std::vector<double> of_targets;
  std::vector<double> of_others;
  double auc = 0;
};

Placements placements(const LabelledScores& s) {
  const std::size_t m = s.targets.size();
  const std::size_t n = s.others.size();
  std::vector<double> all = s.targets;
  all.insert(all.end(), s.others.begin(), s.others.end());
  const auto rank = midranks(all);
  const auto target_rank = midranks(s.targets);
  const auto other_rank = midranks(s.others);
  Placements out{std::vector<double>(m), std::vector<double>(n), 0};
  double sum = 0;
  for (std::size_t i = 0; i < m; ++i) {
    out.of_targets[i] = (rank[i] - target_rank[i]) / real(n);
    sum += rank[i];  // multiples of 1/2: exact
  }
  for (std::size_t j = 0; j < n; ++j) out.of_others[j] = 1 - (rank[m + j] - other_rank[j]) / real(m);
  out.auc = (sum - 0.5 * real(m) * real(m + 1)) / (real(m) * real(n));
  return out;
}

/// NaN below two.
double covariance(const std::vector<double>& a, const std::vector<double>& b, double mean_a, double mean_b) {
  if (a.size() < 2) return kUnknown;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum / real(a.size() - 1);
}

double delong(const Placements& a, const Placements& b) {
  return covariance(a.of_targets, b.of_targets, a.auc, b.auc) / real(a.of_targets.size()) +
         covariance(a.of_others, b.of_others, a.auc, b.auc) / real(a.of_others.size());
}

/// Newcombe 2006, method 5: |auc - theta| = z sqrt(V(theta)), V of Hanley & McNeil with the mean class size for both.
Interval score_interval(double auc, std::size_t m, std::size_t n, double level) {
  const double z = two_sided_z(level);
  const double extra = 0.5 * real(m + n) - 1;
  const auto outside = [&](double theta) {
    const double v =
        theta * (1 - theta) * (1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (real(m) * real(n));
    return std::abs(auc - theta) > z * std::sqrt(v);
  };
  const auto edge = [&](double inside, double far) {
    if (!outside(far) && far != auc) return far;
    for (int i = 0; i < 100; ++i) {
      const double middle = 0.5 * (inside + far);
      (outside(middle) ? far : inside) = middle;
    }
    return inside;
  };
  return {auc <= 0 ? 0 : edge(auc, 0), auc >= 1 ? 1 : edge(auc, 1), level};
}

RocArea area_of(double auc, double variance, std::size_t m, std::size_t n, double level) {
  RocArea out;
  out.auc = auc;
  out.variance = variance;
  out.targets = m;
  out.others = n;
  out.plain.level = out.logit.level = level;
  const double z = two_sided_z(level);
  if (variance >= 0) {
    const double half = z * std::sqrt(variance);
    out.plain = {std::max(0.0, auc - half), std::min(1.0, auc + half), level};
  }
  if (variance > 0 && auc > 0 && auc < 1) {
    const double centre = std::log(auc / (1 - auc));
    const double half = z * std::sqrt(variance) / (auc * (1 - auc));
    out.logit = {1 / (1 + std::exp(half - centre)), 1 / (1 + std::exp(-half - centre)), level};
  }
  out.score = score_interval(auc, m, n, level);
  out.interval = out.logit.known() ? out.logit : out.score;
  return out;
}

daq::Result<void> same_cases(const LabelledScores& a, const LabelledScores& b) {
  if (a.targets.size() == b.targets.size() && a.others.size() == b.others.size()) return {};
  return daq::Error{fmt::format("paired detectors must have judged the same cases: {} + {} against {} + {}",
                                a.targets.size(), a.others.size(), b.targets.size(), b.others.size())};
}

daq::Result<RocComparison> compared(double first, double second, double variance, double dof, double level) {
  RocComparison out;
  out.first_auc = first;
  out.second_auc = second;
  out.difference = first - second;
  out.dof = dof;
  if (std::isnan(variance))
    return daq::Error{"one target or one other alone has no variance: give at least two of each"};
  // Rounding may leave a trace of either sign where the detectors rank the cases alike.
  constexpr double kTrace = 1e-15;
  out.standard_error = variance > kTrace * kTrace ? std::sqrt(variance) : 0;
  if (out.standard_error == 0) {
    if (std::abs(out.difference) > kTrace) {
      return daq::Error{
          fmt::format("the AUCs {} and {} have no variance: targets and others do not overlap. Use a permutation test",
                      first, second)};
    }
    out.difference = 0;
    out.interval = {0, 0, level};
    return out;
  }
  out.z = out.difference / out.standard_error;
  const bool normal = std::isinf(dof);
  out.p = normal ? two_sided_p(out.z) : two_sided_student_p(out.z, dof);
  const double half = (normal ? two_sided_z(level) : student_quantile(0.5 + level / 2, dof)) * out.standard_error;
  out.interval = {out.difference - half, out.difference + half, level};
  return out;
}

}  // namespace

daq::Result<RocArea> roc_area(const LabelledScores& scores, double level) {
  if (auto good = checked(scores, level); !good) return good.error();
  const auto p = placements(scores);
  return area_of(p.auc, delong(p, p), scores.targets.size(), scores.others.size(), level);
}

double roc_auc(const LabelledScores& s) {
  if (!checked(s, 0.95)) return kUnknown;
  auto others = s.others;
  std::sort(others.begin(), others.end());
  double sum = 0;
  for (const double x : s.targets) {
    const auto [low, high] = std::equal_range(others.begin(), others.end(), x);
    sum += 0.5 * real(static_cast<std::size_t>((low - others.begin()) + (high - others.begin())));
  }
  return sum / (real(s.targets.size()) * real(s.others.size()));
}

daq::Result<RocArea> clustered_roc_area(const LabelledScores& scores, std::span<const std::size_t> target_cluster,
                                        std::span<const std::size_t> other_cluster, double level) {
  if (auto good = checked(scores, level); !good) return good.error();
  if (target_cluster.size() != scores.targets.size() || other_cluster.size() != scores.others.size()) {
    return daq::Error{"each score needs the number of its cluster"};
  }
  const auto p = placements(scores);
  struct Sums {
    double targets = 0;
    double others = 0;
    bool has_target = false;
    bool has_other = false;
  };
  std::map<std::size_t, Sums> clusters;
  for (std::size_t i = 0; i < target_cluster.size(); ++i) {
    auto& c = clusters[target_cluster[i]];
    c.targets += p.of_targets[i] - p.auc;
    c.has_target = true;
  }
  for (std::size_t j = 0; j < other_cluster.size(); ++j) {
    auto& c = clusters[other_cluster[j]];
    c.others += p.of_others[j] - p.auc;
    c.has_other = true;
  }
  double with_target = 0;
  double with_other = 0;
  double tt = 0;
  double oo = 0;
  double to = 0;
  for (const auto& [number, c] : clusters) {
    with_target += c.has_target ? 1 : 0;
    with_other += c.has_other ? 1 : 0;
    tt += c.targets * c.targets;
    oo += c.others * c.others;
    to += c.targets * c.others;
  }
  const double all = real(clusters.size());
  if (with_target < 2 || with_other < 2) {
    return daq::Error{
        fmt::format("{:.0f} clusters have targets and {:.0f} have others: two of each are needed to see "
                    "how much clusters differ",
                    with_target, with_other)};
  }
  const double m = real(scores.targets.size());
  const double n = real(scores.others.size());
  const double variance = with_target / (with_target - 1) * tt / (m * m) +
                          with_other / (with_other - 1) * oo / (n * n) + 2 * all / (all - 1) * to / (m * n);
  return area_of(p.auc, std::max(0.0, variance), scores.targets.size(), scores.others.size(), level);
}

daq::Result<RocCovariance> roc_covariance(std::span<const LabelledScores> detectors) {
  std::vector<Placements> all;
  for (const auto& d : detectors) {
    if (auto good = checked(d, 0.95); !good) return good.error();
    if (auto same = same_cases(detectors[0], d); !same) return same.error();
    all.push_back(placements(d));
  }
  RocCovariance out;
  for (const auto& a : all) {
    out.auc.push_back(a.auc);
    for (const auto& b : all) out.covariance.push_back(delong(a, b));
  }
  return out;
}

daq::Result<RocComparison> compare_paired(const LabelledScores& first, const LabelledScores& second, double level) {
  for (const auto* s : {&first, &second}) {
    if (auto good = checked(*s, level); !good) return good.error();
  }
  if (auto same = same_cases(first, second); !same) return same.error();
  const auto a = placements(first);
  const auto b = placements(second);
  // Of the differences themselves: the sum of three covariances would lose what detectors that agree have in common.
  Placements d{a.of_targets, a.of_others, a.auc - b.auc};
  for (std::size_t i = 0; i < d.of_targets.size(); ++i) d.of_targets[i] -= b.of_targets[i];
  for (std::size_t j = 0; j < d.of_others.size(); ++j) d.of_others[j] -= b.of_others[j];
  return compared(a.auc, b.auc, delong(d, d), kInfinity, level);
}

daq::Result<RocComparison> compare_unpaired(const LabelledScores& first, const LabelledScores& second, double level) {
  for (const auto* s : {&first, &second}) {
    if (auto good = checked(*s, level); !good) return good.error();
  }
  const auto a = placements(first);
  const auto b = placements(second);
  const double va = delong(a, a);
  const double vb = delong(b, b);
  const double na = real(first.targets.size() + first.others.size());
  const double nb = real(second.targets.size() + second.others.size());
  const double spread = va * va / (na - 1) + vb * vb / (nb - 1);
  return compared(a.auc, b.auc, va + vb, spread > 0 ? (va + vb) * (va + vb) / spread : kInfinity, level);
}

daq::Result<Sensitivity> sensitivity_index(std::size_t hits, std::size_t targets, std::size_t false_alarms,
                                           std::size_t others) {
  if (hits > targets || false_alarms > others || targets == 0 || others == 0) {
    return daq::Error{
        fmt::format("{} hits of {} and {} false alarms of {} cannot be judged", hits, targets, false_alarms, others)};
  }
  const double h = (real(hits) + 0.5) / (real(targets) + 1);
  const double f = (real(false_alarms) + 0.5) / (real(others) + 1);
  const double zh = normal_quantile(h);
  const double zf = normal_quantile(f);
  const double variance = h * (1 - h) / (real(targets) * std::pow(normal_density(zh), 2)) +
                          f * (1 - f) / (real(others) * std::pow(normal_density(zf), 2));
  return Sensitivity{zh - zf, -(zh + zf) / 2, std::sqrt(variance)};
}

}  // namespace strigil::protocols
