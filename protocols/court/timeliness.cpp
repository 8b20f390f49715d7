#include "protocols/court/timeliness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::protocols {

daq::Result<SpreadOfErrors> spread_of_errors(std::span<const StrokeErrors> strokes, const BootstrapOptions& options) {
  std::vector<std::size_t> phantoms;
  SpreadOfErrors out;
  for (const auto& s : strokes) {
    phantoms.push_back(s.phantom);
    out.count += s.errors.size();
    for (const double e : s.errors) {
      if (!std::isfinite(e)) return daq::Error{fmt::format("{} is no error of a place", e)};
    }
  }
  if (out.count == 0) return daq::Error{"nothing was found, so nothing was misplaced"};
  std::vector<double> pooled;
  const auto over = [&](auto&& value) {
    return bootstrap(
        phantoms,
        [&](std::span<const std::size_t> drawn) {
          pooled.clear();
          for (const auto i : drawn) pooled.insert(pooled.end(), strokes[i].errors.begin(), strokes[i].errors.end());
          return pooled.empty() ? std::nan("") : value(pooled);
        },
        options);
  };
  const auto of_size = [](double p) {
    return [p](std::vector<double>& v) {
      for (double& e : v) e = std::abs(e);
      std::sort(v.begin(), v.end());
      return quantile_of_sorted(v, p);
    };
  };
  auto median = over(of_size(0.5));
  if (!median) return median.error();
  auto p95 = over(of_size(0.95));
  if (!p95) return p95.error();
  auto mean = over([](std::vector<double>& v) {
    double sum = 0;
    for (const double e : v) sum += e;
    return sum / static_cast<double>(v.size());
  });
  if (!mean) return mean.error();
  out.median = std::move(*median);
  out.p95 = std::move(*p95);
  out.mean_signed = std::move(*mean);
  return out;
}

daq::Result<Reaction> reaction(std::span<const Matching> strokes, double deadline_s, double level) {
  if (!(deadline_s > 0)) return daq::Error{fmt::format("a deadline of {} s cannot be kept", deadline_s)};
  Reaction out;
  std::vector<double> times;
  std::uint64_t in_time = 0;
  for (const auto& stroke : strokes) {
    for (const auto& t : stroke.targets) {
      if (!t.detection) continue;
      if (!std::isfinite(t.reaction_s)) {
        ++out.unknown;
        continue;
      }
      times.push_back(t.reaction_s);
      out.before_the_data += t.reaction_s < 0 ? 1 : 0;
      in_time += t.reaction_s >= 0 && t.reaction_s <= deadline_s ? 1 : 0;
    }
  }
  if (times.empty()) return daq::Error{"no reaction time is known: nothing was found, or no answer says when it came"};
  std::sort(times.begin(), times.end());
  out.count = times.size();
  out.median_s = quantile_of_sorted(times, 0.5);
  out.p95_s = quantile_of_sorted(times, 0.95);
  out.earliest_s = times.front();
  out.latest_s = times.back();
  auto share = proportion(in_time, times.size(), level);
  if (!share) return share.error();
  out.in_time = *share;
  return out;
}

}  // namespace strigil::protocols
