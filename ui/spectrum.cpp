#include "ui/spectrum.hpp"

#include <kissfft/kiss_fftr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <numbers>

namespace strigil::ui {
namespace {

struct Free {
  void operator()(kiss_fftr_state* state) const { kiss_fft_free(state); }
};

constexpr std::size_t kShortest = 16;

}  // namespace

Spectrum spectrum_of(std::span<const float> values, double rate_Hz) {
  Spectrum out;
  if (values.size() < kShortest || !(rate_Hz > 0)) return out;
  const std::size_t n = std::bit_floor(values.size());
  values = values.last(n);
  double mean = 0;
  for (const float v : values) mean += std::isfinite(v) ? v : 0;
  mean /= static_cast<double>(n);
  std::vector<float> windowed(n);
  double power = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double w = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n));
    power += w * w;
    windowed[i] = std::isfinite(values[i]) ? static_cast<float>(w * (values[i] - mean)) : 0;
  }
  const std::unique_ptr<kiss_fftr_state, Free> plan(kiss_fftr_alloc(static_cast<int>(n), 0, nullptr, nullptr));
  std::vector<kiss_fft_cpx> bins(n / 2 + 1);
  kiss_fftr(plan.get(), windowed.data(), bins.data());
  out.bin_Hz = rate_Hz / static_cast<double>(n);
  out.density.resize(bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const double sides = i == 0 || i + 1 == bins.size() ? 1 : 2;
    const double p = static_cast<double>(bins[i].r) * bins[i].r + static_cast<double>(bins[i].i) * bins[i].i;
    out.density[i] = static_cast<float>(std::sqrt(sides * p / (power * rate_Hz)));
  }
  return out;
}

std::vector<float> spectrogram_of(std::span<const float> values, double rate_Hz, std::size_t columns,
                                  std::size_t rows) {
  std::vector<float> out(columns * rows, 0);
  if (columns == 0 || rows == 0 || values.size() < columns * 2 || values.size() < 2 * kShortest) return out;
  const std::size_t window =
      std::max<std::size_t>(kShortest, std::bit_floor(std::max(2 * rows, values.size() / columns)));
  if (values.size() < window) return out;
  std::vector<float> decibels(columns * rows, -200);
  float top = -200;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t from = columns == 1 ? 0 : (values.size() - window) * c / (columns - 1);
    const auto s = spectrum_of(values.subspan(from, window), rate_Hz);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t low = 1 + r * (s.density.size() - 1) / rows;
      const std::size_t high = std::max(low + 1, 1 + (r + 1) * (s.density.size() - 1) / rows);
      float most = 0;
      for (std::size_t i = low; i < std::min(high, s.density.size()); ++i) most = std::max(most, s.density[i]);
      decibels[c * rows + r] = 20 * std::log10(std::max(most, 1e-10F));
      top = std::max(top, decibels[c * rows + r]);
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::clamp(1 + (decibels[i] - top) / 60, 0.0F, 1.0F);
  return out;
}

}  // namespace strigil::ui
