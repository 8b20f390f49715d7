// Exciter level: how many volts make an exciter shake as much as is wanted. Set low, read, scale, check. Pure.
#pragma once

#include <map>
#include <string>

namespace strigil::protocols {

/// What a level may be sought within. Volts are peak.
struct LevelLimits {
  double min_V = 0;
  double max_V = 0;
  double tolerance = 0.02;  ///< relative
};

/// The search for one level.
class ExciterLevel {
 public:
  /// Preconditions: wanted_m_s2 > 0, 0 < min_V <= max_V. `first_V` is brought within the limits.
  ExciterLevel(const LevelLimits& limits, double wanted_m_s2, double first_V);

  /// What is to be set now; within the limits, always.
  [[nodiscard]] double volts() const noexcept { return volts_; }
  /// Volts that are set have made it shake like this. `told`: it stands out from noise. Not to be called again once
  /// reached() or refused.
  void seen(double amplitude_m_s2, bool told);
  [[nodiscard]] bool reached() const noexcept { return reached_; }
  /// Why it cannot be reached, a sentence without its end; empty: it may.
  [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }

 private:
  void go_to(double volts, double amplitude_m_s2);

  LevelLimits limits_;
  double wanted_m_s2_;
  double volts_;
  int rounds_ = 0;
  bool reached_ = false;
  std::string refusal_;
};

/// What earlier levels taught of amplifier and exciter: volts for each m/s2, by frequency.
class ExciterSensitivity {
 public:
  /// `first_V_m_s2`: before anything was learned; 0: not known.
  explicit ExciterSensitivity(double first_V_m_s2) : first_V_m_s2_(first_V_m_s2) {}
  void learn(double frequency_Hz, double V_m_s2) { learned_[frequency_Hz] = V_m_s2; }
  /// Of the nearest frequency, as a ratio; 0: nothing is known. Precondition: frequency_Hz > 0.
  [[nodiscard]] double at(double frequency_Hz) const;

 private:
  double first_V_m_s2_;
  std::map<double, double> learned_;
};

}  // namespace strigil::protocols
