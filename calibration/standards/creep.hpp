// Creep and its recovery: figures between fixed times, and curves through the whole record. metrology.md 1.1, 1.5, 1.8
// [M].
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/standards/estimate.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Readings after a force was put on (or taken off) and left alone.
struct CreepRecord {
  std::vector<double> time_s;   // rising, from the change of force
  std::vector<double> reading;  // instrument's unit
  double full_deflection = 0;   // at the largest force, same unit: figures are in % of it
};

/// Changes between two times, % of the full deflection; nothing where the record does not reach.
struct CreepFigures {
  std::optional<double> from_30_to_300_s_pct;  // ISO 376
  std::optional<double> from_30_s_to_30_min_pct;
  std::optional<double> from_20_to_30_min_pct;  // OIML R 60
};

enum class CreepKind { one_exponential, two_exponentials, logarithm };

/// y(t) = start + sum a_k (1 - exp(-t/tau_k)), or start + a ln(1 + t/tau). Each parameter with its uncertainty.
struct CreepModel {
  CreepKind kind = CreepKind::one_exponential;
  Estimate start;
  std::vector<Estimate> amplitude;
  std::vector<Estimate> tau_s;
  double residual_sd = 0;
  double aicc = 0;  // the lower the better, among models of one record
  [[nodiscard]] double at(double time_s) const;
  [[nodiscard]] std::string equation() const;
};

/// Figures by linear interpolation between neighbouring readings. Refuses NaN, times that do not rise, no deflection.
[[nodiscard]] daq::Result<CreepFigures> creep_figures(const CreepRecord& record);
/// Fits one model. Start values are searched over log-spaced times, then refined by Gauss-Newton. Refuses what
/// creep_figures refuses, too few readings, and a record that does not tell the model's parameters apart.
[[nodiscard]] daq::Result<CreepModel> fit_creep(const CreepRecord& record, CreepKind kind);
/// All that can be fitted, the best first (AICc). Refuses when none can.
[[nodiscard]] daq::Result<std::vector<CreepModel>> fit_creep_models(const CreepRecord& record);

}  // namespace strigil::calibration
