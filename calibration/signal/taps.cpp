#include "calibration/signal/taps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "calibration/standards/readings_check.hpp"

namespace strigil::calibration {
namespace {

double quantile(std::vector<double> v, double part) {
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(v.size() - 1));
  std::nth_element(v.begin(), v.begin() + at, v.end());
  return v[static_cast<std::size_t>(at)];
}

double largest(std::span<const double> y, double middle) {
  double out = 0;
  for (const double v : y) out = std::max(out, std::abs(v - middle));
  return out;
}

}  // namespace

daq::Result<FoundTaps> find_taps(std::span<const double> y, double rate_Hz, const TapOptions& o) {
  if (auto error = not_finite("taps", y)) return *error;
  if (!(rate_Hz > 0) || !(o.before_s > 0) || !(o.after_s > 0)) return daq::Error{"rate and times of taps are above 0"};
  const auto before = static_cast<std::size_t>(o.before_s * rate_Hz);
  const auto after = static_cast<std::size_t>(o.after_s * rate_Hz);
  if (before < 8 || y.size() < 2 * (before + after))
    return daq::Error{fmt::format("{} samples are too few for two taps", y.size())};
  FoundTaps out;
  const double middle = quantile({y.begin(), y.end()}, 0.5);
  std::vector<double> off(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) off[i] = std::abs(y[i] - middle);
  // Half of |y - middle| of normal noise lies within 0.6745 of its deviation; ringing is rare enough to count little.
  constexpr double kQuartile = 0.6745;
  out.noise_sd = std::max(quantile(off, 0.5) / kQuartile, 1e-12);
  constexpr double kOnset = 8;
  const double threshold = kOnset * out.noise_sd;
  std::size_t quiet = 0;
  std::size_t number = 0;
  for (std::size_t i = 0; i < y.size();) {
    if (off[i] <= threshold) {
      ++quiet;
      ++i;
      continue;
    }
    const bool clean = quiet >= before;
    quiet = 0;
    if (!clean) {
      ++i;
      continue;
    }
    ++number;
    const auto refuse = [&](const char* why) { out.refused.push_back(fmt::format("tap {}: {}", number, why)); };
    if (i + after > y.size()) {
      refuse("it is cut by the end of the record");
      break;
    }
    const auto tap = y.subspan(i, after);
    // Twice the beat of two close modes may let a later part exceed the one before, not the one before that.
    constexpr std::size_t kParts = 12;
    std::array<double, kParts> peak{};
    for (std::size_t k = 0; k < kParts; ++k) peak[k] = largest(tap.subspan(k * after / kParts, after / kParts), middle);
    bool twice = false;
    for (std::size_t k = 2; k < kParts; ++k) twice = twice || peak[k] > std::max(peak[k - 2], threshold);
    if (o.saturated > 0 && largest(tap, 0) >= o.saturated) {
      refuse("the converter was at its end");
    } else if (twice) {
      refuse("the edge was hit twice");
    } else {
      out.onsets.push_back(i);
    }
    i += after;
  }
  if (out.onsets.size() < 2) {
    return daq::Error{fmt::format("{} good taps, and two are the least{}{}", out.onsets.size(),
                                  out.refused.empty() ? "" : ": ", out.refused.empty() ? "" : out.refused.front())};
  }
  return out;
}

}  // namespace strigil::calibration
