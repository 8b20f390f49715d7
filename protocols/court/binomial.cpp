#include "protocols/court/binomial.hpp"

#include <fmt/format.h>

#include <cmath>

#include "protocols/court/distributions.hpp"

namespace strigil::protocols {
namespace {

constexpr std::uint64_t kMostTrials = 1'000'000'000'000;

double lower(double k, double n, double alpha) { return k <= 0 ? 0 : beta_quantile(alpha, k, n - k + 1); }
double upper(double k, double n, double alpha) { return k >= n ? 1 : beta_quantile(1 - alpha, k + 1, n - k); }

daq::Result<void> checked(std::uint64_t hits, std::uint64_t trials, double level) {
  if (trials == 0) return daq::Error{"a proportion of no trials says nothing: give at least one"};
  if (hits > trials) return daq::Error{fmt::format("{} hits of {} trials cannot be", hits, trials)};
  if (trials > kMostTrials) return daq::Error{fmt::format("{} trials are more than {}", trials, kMostTrials)};
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  return {};
}

}  // namespace

daq::Result<Proportion> proportion(std::uint64_t hits, std::uint64_t trials, double level, ProportionMethod method) {
  if (auto good = checked(hits, trials, level); !good) return good.error();
  const auto k = static_cast<double>(hits);
  const auto n = static_cast<double>(trials);
  const double alpha = (1 - level) / 2;
  Proportion out{hits, trials, k / n, {0, 1, level}};
  switch (method) {
    case ProportionMethod::kClopperPearson:
      out.interval.low = lower(k, n, alpha);
      out.interval.high = upper(k, n, alpha);
      break;
    case ProportionMethod::kWilson: {
      const double z = two_sided_z(level);
      const double centre = (k + z * z / 2) / (n + z * z);
      const double half = z / (n + z * z) * std::sqrt(k * (n - k) / n + z * z / 4);
      out.interval.low = k <= 0 ? 0 : centre - half;
      out.interval.high = k >= n ? 1 : centre + half;
      break;
    }
    case ProportionMethod::kJeffreys:
      out.interval.low = k <= 0 ? 0 : beta_quantile(alpha, k + 0.5, n - k + 0.5);
      out.interval.high = k >= n ? 1 : beta_quantile(1 - alpha, k + 0.5, n - k + 0.5);
      break;
  }
  return out;
}

daq::Result<double> proportion_lower_bound(std::uint64_t hits, std::uint64_t trials, double confidence) {
  if (auto good = checked(hits, trials, confidence); !good) return good.error();
  return lower(static_cast<double>(hits), static_cast<double>(trials), 1 - confidence);
}

daq::Result<double> proportion_upper_bound(std::uint64_t hits, std::uint64_t trials, double confidence) {
  if (auto good = checked(hits, trials, confidence); !good) return good.error();
  return upper(static_cast<double>(hits), static_cast<double>(trials), 1 - confidence);
}

daq::Result<Rate> poisson_rate(std::uint64_t events, double exposure, double level) {
  if (!(exposure > 0) || std::isinf(exposure)) {
    return daq::Error{fmt::format("a rate needs an exposure above 0, not {}", exposure)};
  }
  if (!(level > 0 && level < 1)) return daq::Error{fmt::format("level {} is not between 0 and 1", level)};
  if (events > kMostTrials) return daq::Error{fmt::format("{} events are more than {}", events, kMostTrials)};
  const auto k = static_cast<double>(events);
  const double alpha = (1 - level) / 2;
  Rate out{events, exposure, k / exposure, {0, 0, level}};
  if (events > 0) out.interval.low = chi_squared_quantile(alpha, 2 * k) / 2 / exposure;
  out.interval.high = chi_squared_quantile(1 - alpha, 2 * k + 2) / 2 / exposure;
  return out;
}

daq::Result<std::vector<Demonstration>> demonstration_table(double pod, double confidence, std::uint64_t most_misses) {
  if (!(pod > 0 && pod < 1)) return daq::Error{fmt::format("POD {} is not between 0 and 1", pod)};
  if (!(confidence > 0 && confidence < 1)) {
    return daq::Error{fmt::format("confidence {} is not between 0 and 1", confidence)};
  }
  constexpr std::uint64_t kMostMisses = 1'000;
  if (most_misses > kMostMisses) {
    return daq::Error{fmt::format("{} misses are more than a table's {}", most_misses, kMostMisses)};
  }
  // P(misses <= m | n, pod) <= 1 - confidence is the same claim as the lower bound >= pod, and falls with n.
  const auto shown = [&](std::uint64_t n, std::uint64_t m) {
    return binomial_cdf(static_cast<double>(m), static_cast<double>(n), 1 - pod) <= 1 - confidence;
  };
  std::vector<Demonstration> rows;
  std::uint64_t n = 1;
  for (std::uint64_t m = 0; m <= most_misses; ++m) {
    std::uint64_t high = n + m + 1;
    while (!shown(high, m)) {
      high *= 2;
      if (high > kMostTrials) return daq::Error{fmt::format("POD {} cannot be shown in {} trials", pod, kMostTrials)};
    }
    std::uint64_t low = m;  // never shown: all missed
    while (high - low > 1) {
      const auto middle = low + (high - low) / 2;
      (shown(middle, m) ? high : low) = middle;
    }
    n = high;
    rows.push_back({m, n, *proportion_lower_bound(n - m, n, confidence)});
  }
  return rows;
}

double demonstration_power(const Demonstration& row, double pod) {
  return binomial_cdf(static_cast<double>(row.misses), static_cast<double>(row.trials), 1 - pod);
}

}  // namespace strigil::protocols
