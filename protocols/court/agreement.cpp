#include "protocols/court/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

void finish(Kappa& k, double level) {
  k.z = k.null_standard_error > 0 ? k.kappa / k.null_standard_error : kUnknown;
  k.p = two_sided_p(k.z);
  const double half = two_sided_z(level) * k.standard_error;
  k.interval = {std::max(-1.0, k.kappa - half), std::min(1.0, k.kappa + half), level};
}

/// Rows of items, columns of categories. NaN where chance agrees throughout.
struct FleissSums {
  double agreement = 0;
  double by_chance = 0;
  std::vector<double> share;
  [[nodiscard]] double kappa() const { return by_chance < 1 ? (agreement - by_chance) / (1 - by_chance) : kUnknown; }
};
FleissSums fleiss(const std::vector<std::vector<double>>& counts, double raters, std::size_t leave_out) {
  FleissSums out;
  out.share.assign(counts.front().size(), 0);
  double items = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i == leave_out) continue;
    items += 1;
    for (std::size_t c = 0; c < counts[i].size(); ++c) {
      out.share[c] += counts[i][c] / raters;
      out.agreement += counts[i][c] * (counts[i][c] - 1) / (raters * (raters - 1));
    }
  }
  out.agreement /= items;
  for (double& s : out.share) {
    s /= items;
    out.by_chance += s * s;
  }
  return out;
}

}  // namespace

daq::Result<Kappa> cohen_kappa(std::span<const std::string> first, std::span<const std::string> second, double level) {
  if (first.size() != second.size()) {
    return daq::Error{fmt::format("{} ratings against {}: both must rate the same items", first.size(), second.size())};
  }
  if (first.size() < 2) return daq::Error{fmt::format("{} items: at least 2 are needed", first.size())};
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  std::map<std::string, std::size_t> number;
  for (const auto ratings : {first, second}) {
    for (const auto& r : ratings) number.emplace(r, 0);
  }
  std::size_t k = 0;
  for (auto& [name, n] : number) n = k++;
  const auto n = static_cast<double>(first.size());
  std::vector<double> cell(k * k, 0);
  std::vector<double> row(k, 0);
  std::vector<double> column(k, 0);
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto a = number.at(first[i]);
    const auto b = number.at(second[i]);
    cell[a * k + b] += 1 / n;
    row[a] += 1 / n;
    column[b] += 1 / n;
  }
  Kappa out;
  double weighted = 0;
  for (std::size_t c = 0; c < k; ++c) {
    out.agreement += cell[c * k + c];
    out.by_chance += row[c] * column[c];
    weighted += row[c] * column[c] * (row[c] + column[c]);
  }
  if (k < 2)
    return daq::Error{
        fmt::format("both say '{}' of every item: whether they agree by more than chance is not seen", first.front())};
  const double free = 1 - out.by_chance;
  out.kappa = (out.agreement - out.by_chance) / free;
  double spread = 0;
  for (std::size_t a = 0; a < k; ++a) {
    for (std::size_t b = 0; b < k; ++b) {
      if (a == b) {
        spread += cell[a * k + a] * std::pow(1 - (row[a] + column[a]) * (1 - out.kappa), 2);
      } else {
        spread += cell[a * k + b] * std::pow(1 - out.kappa, 2) * std::pow(column[a] + row[b], 2);
      }
    }
  }
  spread -= std::pow(out.kappa - out.by_chance * (1 - out.kappa), 2);
  out.standard_error = std::sqrt(std::max(0.0, spread) / n) / free;
  out.null_standard_error =
      std::sqrt(std::max(0.0, out.by_chance + out.by_chance * out.by_chance - weighted) / n) / free;
  finish(out, level);
  return out;
}

daq::Result<FleissKappa> fleiss_kappa(std::span<const std::vector<std::string>> ratings, double level) {
  if (ratings.size() < 2) return daq::Error{fmt::format("{} items: at least 2 are needed", ratings.size())};
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  const std::size_t each = ratings.front().size();
  if (each < 2) return daq::Error{fmt::format("{} ratings of an item: at least 2 are needed", each)};
  std::map<std::string, std::size_t> number;
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    if (ratings[i].size() != each) {
      return daq::Error{fmt::format("item {} has {} ratings where the first has {}", i, ratings[i].size(), each)};
    }
    for (const auto& r : ratings[i]) number.emplace(r, 0);
  }
  std::size_t k = 0;
  for (auto& [name, n] : number) n = k++;
  if (k < 2) return daq::Error{"all ratings are the same word: whether raters agree by more than chance is not seen"};
  std::vector<std::vector<double>> counts(ratings.size(), std::vector<double>(k, 0));
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    for (const auto& r : ratings[i]) counts[i][number.at(r)] += 1;
  }
  const auto raters = static_cast<double>(each);
  const auto items = static_cast<double>(ratings.size());
  const auto sums = fleiss(counts, raters, ratings.size());
  FleissKappa out;
  out.overall.kappa = sums.kappa();
  out.overall.agreement = sums.agreement;
  out.overall.by_chance = sums.by_chance;
  double pq = 0;
  double skew = 0;
  for (const double p : sums.share) {
    pq += p * (1 - p);
    skew += p * (1 - p) * (1 - 2 * p);
  }
  out.overall.null_standard_error = std::sqrt(2 / (items * raters * (raters - 1)) * std::max(0.0, pq * pq - skew)) / pq;
  std::vector<double> without;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (const double v = fleiss(counts, raters, i).kappa(); !std::isnan(v)) without.push_back(v);
  }
  double mean = 0;
  for (const double v : without) mean += v / static_cast<double>(without.size());
  double square = 0;
  for (const double v : without) square += (v - mean) * (v - mean);
  const auto m = static_cast<double>(without.size());
  out.overall.standard_error = m > 1 ? std::sqrt((m - 1) / m * square) : kUnknown;
  finish(out.overall, level);
  for (const auto& [name, c] : number) {
    const double p = sums.share[c];
    double split = 0;
    for (const auto& row : counts) split += row[c] * (raters - row[c]);
    FleissKappa::Category category{name, 1 - split / (items * raters * (raters - 1) * p * (1 - p)), 0, 1};
    category.z = category.kappa / std::sqrt(2 / (items * raters * (raters - 1)));
    category.p = two_sided_p(category.z);
    out.categories.push_back(category);
  }
  return out;
}

daq::Result<AttributeAgreement> attribute_agreement(std::span<const std::vector<std::string>> trials,
                                                    std::span<const std::string> standard, double level) {
  if (!standard.empty() && standard.size() != trials.size()) {
    return daq::Error{fmt::format("{} items and {} standards", trials.size(), standard.size())};
  }
  AttributeAgreement out;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].empty()) return daq::Error{fmt::format("item {} was never rated", i)};
    const auto& right = standard.empty() ? trials[i].front() : standard[i];
    if (std::any_of(trials[i].begin(), trials[i].end(), [&](const auto& r) { return r != right; })) {
      out.disagreeing.push_back(i);
    }
  }
  auto share = proportion(trials.size() - out.disagreeing.size(), trials.size(), level);
  if (!share) return share.error();
  out.share = *share;
  return out;
}

}  // namespace strigil::protocols
