#include "protocols/calibrate/exciter_level.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::protocols {
namespace {

/// Of one step upwards. What is read at a low level is noisier, and an exciter is not quite linear.
constexpr double kMostGrowth = 8;
/// Where nothing is to be told from noise.
constexpr double kGrope = 4;
/// From a thousandth of the limit, with a margin.
constexpr int kMostRounds = 16;

}  // namespace

ExciterLevel::ExciterLevel(const LevelLimits& limits, double wanted_m_s2, double first_V)
    : limits_(limits),
      wanted_m_s2_(wanted_m_s2),
      volts_(std::clamp(std::isfinite(first_V) ? first_V : limits.min_V, limits.min_V, limits.max_V)) {}

void ExciterLevel::seen(double amplitude_m_s2, bool told) {
  const bool heard = told && std::isfinite(amplitude_m_s2) && amplitude_m_s2 > 0;
  if (++rounds_ > kMostRounds) {
    refusal_ = fmt::format("the level of {:g} m/s2 does not come to rest: {:g} V made {:.3g} m/s2 last of all",
                           wanted_m_s2_, volts_, amplitude_m_s2);
    return;
  }
  if (!heard) return go_to(volts_ * kGrope, 0);
  const double ratio = wanted_m_s2_ / amplitude_m_s2;
  if (std::abs(1 / ratio - 1) <= limits_.tolerance) {
    reached_ = true;
    return;
  }
  go_to(volts_ * std::min(ratio, kMostGrowth), amplitude_m_s2);
}

void ExciterLevel::go_to(double volts, double amplitude_m_s2) {
  const double next = std::clamp(volts, limits_.min_V, limits_.max_V);
  if (next != volts_) {
    volts_ = next;
    return;
  }
  if (volts_ == limits_.max_V && volts >= volts_) {
    refusal_ = fmt::format(
        "the level of {:g} m/s2 was not reached: at 'max_V' = {:g} V the reference shows {}. Is the amplifier on and "
        "turned up, the exciter free, and the reference's amplifier on?",
        wanted_m_s2_, volts_,
        amplitude_m_s2 > 0 ? fmt::format("{:.3g} m/s2", amplitude_m_s2) : "nothing that stands out from noise");
    return;
  }
  refusal_ = fmt::format(
      "the level of {:g} m/s2 is passed by {:g} V ('min_V') already, which make {:.3g} m/s2. Turn the amplifier down",
      wanted_m_s2_, volts_, amplitude_m_s2);
}

double ExciterSensitivity::at(double frequency_Hz) const {
  double nearest = std::numeric_limits<double>::infinity();
  double found = first_V_m_s2_;
  for (const auto& [f, V_m_s2] : learned_) {
    const double away = std::abs(std::log(f / frequency_Hz));
    if (away >= nearest) continue;
    nearest = away;
    found = V_m_s2;
  }
  return found;
}

}  // namespace strigil::protocols
