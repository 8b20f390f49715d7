// AnalogChannels: from what N sensing elements give to what a converter says: the defects that all sensors share.
//
// At every step of the plant:   y_i = sum_j (1 + e_i on the diagonal, c_ij beside it) (1 + k dT) x_j + z0_i + z_i dT
//                                     + random walk + white noise, through a Butterworth filter, then late
// At every sample:              clipped to the range, rounded to the resolution
// White noise goes through the filter when there is one; else it is drawn at the samples, with their bandwidth. Time
// and temperature begin at power-on. All defects are off in a default configuration.
#pragma once

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <vector>

#include "sim/noise.hpp"
#include "sim/second_order.hpp"
#include "sim/temperature.hpp"

namespace strigil::sim {

/// In the channels' own units (N and N m, or m/s^2). A value.
template <std::size_t N>
struct AnalogConfig {
  using Values = std::array<double, N>;
  Values gain_error{};                ///< relative; what no calibration knows yet
  std::array<Values, N> crosstalk{};  ///< [i][j]: unit of i per unit of j; the diagonal is not used
  Values zero{};                      ///< of the electronics: what they say when nothing is there
  Values zero_per_K{};
  double sensitivity_per_K = 0;  ///< relative
  Values drift{};                ///< random walk: standard deviation after 1 s, growing as sqrt(t)
  Values noise_density{};        ///< unit per sqrt(Hz), one-sided
  double corner_Hz = 0;          ///< of the anti-alias filter (-3 dB); 0: none
  int poles = 2;                 ///< 2 or 4
  double delay_s = 0;            ///< of everything behind the filter: a digital filter's group delay, a slow converter
  Values resolution{};           ///< 0: that of the counts
  Values range{};                ///< it reads no more than +- this; 0: no limit

  bool operator==(const AnalogConfig&) const = default;
};

/// One sensor's electronics. One thread; no allocation after construction. Same seed, same bits.
template <std::size_t N>
class AnalogChannels {
 public:
  using Values = std::array<double, N>;
  /// Stepped `rate_Hz` times a second, asked for samples `sample_rate_Hz` times.
  AnalogChannels(const AnalogConfig<N>& config, const TemperatureCourse& temperature, double rate_Hz,
                 double sample_rate_Hz, std::uint64_t seed)
      : config_(config), temperature_(temperature), dt_s_(1 / rate_Hz), filtered_(config.corner_Hz > 0), noise_(seed) {
    assert(config.poles == 2 || config.poles == 4);
    const double bandwidth_Hz = (filtered_ ? rate_Hz : sample_rate_Hz) / 2;
    for (std::size_t i = 0; i < N; ++i) {
      noise_rms_[i] = config.noise_density[i] * std::sqrt(bandwidth_Hz);
      drift_step_[i] = config.drift[i] * std::sqrt(dt_s_);
      noisy_ = noisy_ || noise_rms_[i] > 0;
      drifts_ = drifts_ || drift_step_[i] > 0;
    }
    // Butterworth: half-angles of the poles.
    constexpr double kTwoPole = 0.70710678118654757;
    constexpr std::array kFourPole{0.92387953251128674, 0.38268343236508978};
    if (filtered_) {
      for (auto& f : first_) f = SecondOrder(config.corner_Hz, config.poles == 2 ? kTwoPole : kFourPole[0]);
      for (auto& f : second_) f = SecondOrder(config.corner_Hz, kFourPole[1]);
    }
    const double behind = config.delay_s * rate_Hz;
    whole_behind_ = static_cast<std::size_t>(behind);
    part_behind_ = behind - static_cast<double>(whole_behind_);
    past_.assign(whole_behind_ + 2, Values{});
  }

  /// A step of the plant passed, and the elements give `elements`: what stands before the converter now.
  const Values& feel(const Values& elements) noexcept {
    ++steps_;
    const double warm_K = temperature_.at(static_cast<double>(steps_) * dt_s_);
    const double sensitivity = 1 + config_.sensitivity_per_K * warm_K;
    Values y;
    for (std::size_t i = 0; i < N; ++i) {
      double sum = (1 + config_.gain_error[i]) * elements[i];
      for (std::size_t j = 0; j < N; ++j) sum += i == j ? 0 : config_.crosstalk[i][j] * elements[j];
      if (drifts_) walked_[i] += drift_step_[i] * noise_.normal();
      y[i] = sensitivity * sum + config_.zero[i] + config_.zero_per_K[i] * warm_K + walked_[i];
      if (!filtered_) continue;
      if (noisy_) y[i] += noise_rms_[i] * noise_.normal();
      first_[i].step(dt_s_, y[i]);
      y[i] = first_[i].place();
      if (config_.poles == 2) continue;
      second_[i].step(dt_s_, y[i]);
      y[i] = second_[i].place();
    }
    return delayed(y);
  }

  /// What the converter makes of `value`, which may lie between two steps.
  [[nodiscard]] Values convert(Values value) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      if (!filtered_ && noisy_) value[i] += noise_rms_[i] * noise_.normal();
      if (config_.range[i] > 0) value[i] = std::fmin(std::fmax(value[i], -config_.range[i]), config_.range[i]);
      if (config_.resolution[i] > 0)
        value[i] = std::nearbyint(value[i] / config_.resolution[i]) * config_.resolution[i];
    }
    return value;
  }

 private:
  const Values& delayed(const Values& y) noexcept {
    if (config_.delay_s <= 0) return now_ = y;
    newest_ = (newest_ + 1) % past_.size();
    past_[newest_] = y;
    const auto& later = past_[(newest_ + past_.size() - whole_behind_) % past_.size()];
    const auto& earlier = past_[(newest_ + past_.size() - whole_behind_ - 1) % past_.size()];
    for (std::size_t i = 0; i < N; ++i) now_[i] = later[i] + part_behind_ * (earlier[i] - later[i]);
    return now_;
  }

  AnalogConfig<N> config_;
  TemperatureCourse temperature_;
  double dt_s_;
  bool filtered_;
  bool noisy_ = false;
  bool drifts_ = false;
  Noise noise_;
  std::uint64_t steps_ = 0;
  Values noise_rms_{};
  Values drift_step_{};
  Values walked_{};
  std::array<SecondOrder, N> first_;
  std::array<SecondOrder, N> second_;
  std::vector<Values> past_;
  std::size_t newest_ = 0;
  std::size_t whole_behind_ = 0;
  double part_behind_ = 0;
  Values now_{};
};

}  // namespace strigil::sim
