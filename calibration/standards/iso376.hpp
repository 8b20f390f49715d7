// Calibration of a force-proving instrument: relative errors, classes force by force, interpolation, uncertainty.
// Method of ISO 376:2011 and its Annex C / EURAMET cg-4 as recalled (metrology.md 1.1 [M], [S+M] for most limits).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibration/fit/polynomial_fit.hpp"
#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One series. Values are readings of the instrument in its own unit (mV/V, counts, N), one for each force; `falling`
/// may be empty and is in the order of the forces, not of time.
struct Iso376Series {
  double position_deg = 0;
  std::vector<double> rising;
  std::vector<double> falling;
  double zero_before = 0;
  double zero_after = 0;
};

/// A complete calibration: X1 and X2 in one position, X3 (with X4 falling) and X5 (with X6) in two others.
struct Iso376Readings {
  std::vector<double> force_N;      // rising, > 0
  Iso376Series x1, x2, x3, x5;      // x3.falling is X4, x5.falling is X6
  bool zero_is_subtracted = false;  // values are deflections already; else zero_before of the series is taken off
  double resolution = 0;            // or half the fluctuation if larger; in the reading's unit
  std::vector<double> calibration_force_pct;    // expanded uncertainty (k = 2): one for all forces, or one for each
  std::optional<double> creep_30s, creep_300s;  // readings after F_N was applied or removed
  double temperature_coefficient_pct_K = 0;     // of the sensitivity
  double temperature_range_K = 0;               // full range during the calibration
  std::optional<double> temperature_degC;       // mean
};

struct Iso376Options {
  int degree = 3;  // 1..3
  bool through_zero = true;
};

/// Errors at one force, %. v only with falling series.
struct Iso376Force {
  double force_N = 0;
  double deflection = 0;    // mean of X1, X3, X5
  double interpolated = 0;  // from the curve
  double b_pct = 0;
  double b_prime_pct = 0;
  double fc_pct = 0;
  std::optional<double> v_pct, v1_pct, v2_pct;
  double calibration_force_pct = 0;
  // Relative standard uncertainties, %: calibration force, reproducibility, repeatability, resolution, creep, zero,
  // temperature, interpolation; their root sum of squares and W = 2 w_c.
  double w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0, w8 = 0;
  double w_c_pct = 0;
  double W_pct = 0;
};

/// What the instrument is used for (ISO 376 clause of classification, as recalled).
enum class Iso376Case { A, B, C, D };  // A, B: single forces; C, D: interpolation; B, D: with falling forces

/// Where a class holds: from F_N down to `lowest_N`.
struct Iso376Range {
  std::string class_name;
  double lowest_N = 0;
  double highest_N = 0;
};

/// Classes of one case. Per force they are by figures alone (b, b', fc, f0, v, c); a range is awarded only where also
/// the calibration force, the resolution and the reach down to 50 % of F_N allow it.
struct Iso376Classes {
  bool judged = false;  // false: a figure that the case needs was not measured; `why_not` says which
  std::string why_not;
  std::vector<std::string> per_force;  // best class by figures, "" when none
  std::vector<Iso376Range> ranges;     // awarded, best class first; a worse class appears where it reaches further down
  std::vector<std::string> refused;    // why a class was not awarded, in words
};

/// W(F) in % at or above every point: a + b F, or a + b / F (F in newton), whichever is nearer to the points.
struct Iso376Curve {
  double a = 0;
  double b = 0;
  bool inverse = false;
  [[nodiscard]] double at(double force_N) const { return inverse ? a + b / force_N : a + b * force_N; }
  [[nodiscard]] std::string equation() const;
};

struct Iso376Assessment {
  TableIdentity table;
  std::vector<Iso376Force> forces;
  double f0_pct = 0;  // largest of the series, in magnitude
  std::optional<double> creep_pct;
  PolynomialFit deflection_of_force;  // X(F)
  PolynomialFit force_of_deflection;  // F(X), N: its own fit with its own residuals
  Iso376Classes a, b, c, d;
  Iso376Curve expanded_uncertainty;
  double validity_months = 0;  // at the most; sooner after an overload or a repair
  std::vector<std::string> nonconformities;  // no class is awarded while there is any

  [[nodiscard]] const Iso376Classes& classes(Iso376Case which) const;
};

/// Schema of tables/iso376_*.toml.
[[nodiscard]] LimitSchema iso376_schema();
/// Evaluates. Refuses NaN, lists that do not match, forces that do not rise, deflections of zero or mixed sign, only
/// one of the two falling series, and a degree the points do not carry. Nothing is rounded before a limit. Pure.
[[nodiscard]] daq::Result<Iso376Assessment> assess_iso376(const Iso376Readings& readings, const Iso376Options& options,
                                                          const LimitTable& table);
/// The same with the table that came with the program.
[[nodiscard]] daq::Result<Iso376Assessment> assess_iso376(const Iso376Readings& readings,
                                                          const Iso376Options& options = {});

/// Force for a deflection with its expanded relative uncertainty; refuses outside the calibrated range (metrology.md 9,
/// rule 9).
struct ForceInUse {
  double force_N = 0;
  double W_pct = 0;  // k = 2
};
/// What use adds to a calibration (cg-4 section 7), full or half ranges as named, %.
struct Iso376Use {
  double drift_half_range_pct = 0;           // between calibrations, rectangular
  double temperature_offset_K = 0;           // use minus calibration
  double temperature_coefficient_pct_K = 0;  // not corrected for: rectangular
  bool falling = false;                      // then reversibility counts: v/sqrt(3), the largest of the range
  double other_standard_pct = 0;             // root sum of squares of anything else
};
[[nodiscard]] daq::Result<ForceInUse> iso376_in_use(const Iso376Assessment& calibration, double deflection,
                                                    const Iso376Use& use = {});

}  // namespace strigil::calibration
