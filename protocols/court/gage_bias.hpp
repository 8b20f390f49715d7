// Bias, linearity and type-1 studies: how far a gage reads from references, and whether that changes along its range.
//
// AIAG MSA 4th ed. as metrology.md 5.1 has it. Pure, any thread. Values that are not finite are refused.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/interval.hpp"

namespace strigil::protocols {

/// One reference read n >= 2 times: Student's t.
struct BiasStudy {
  std::size_t n = 0;
  double bias = 0;
  double sd = 0;
  double standard_error = 0;
  double t = 0;
  double p = 1;
  Interval interval;
  bool significant = false;  ///< the interval does not hold 0
};
daq::Result<BiasStudy> bias_study(std::span<const double> readings, double reference, double level = 0.95);

struct LinearityReading {
  double reference = 0;
  double reading = 0;
};
struct LinearityStudy {
  double slope = 0;  ///< of bias = reading - reference against reference
  double intercept = 0;
  double se_slope = 0;
  double se_intercept = 0;
  double t_slope = 0;
  double t_intercept = 0;
  double p_slope = 1;
  double p_intercept = 1;
  double s = 0;  ///< residual standard deviation, n - 2
  double r_squared = 0;
  std::size_t n = 0;
  double mean_reference = 0;
  double spread_of_reference = 0;  ///< sum of squares about the mean
  double level = 0.95;
  struct AtReference {
    double reference = 0;
    BiasStudy bias;  ///< of the readings at this reference alone; NaN spread where there is one
  };
  std::vector<AtReference> at;  ///< ascending
  bool linear = false;          ///< the line of no bias lies within the confidence band at every reference
};
/// At least 3 readings and 2 references.
daq::Result<LinearityStudy> linearity_study(std::span<const LinearityReading> readings, double level = 0.95);
/// Mean bias at a reference by the fitted line, with the confidence band.
struct FittedBias {
  double bias = 0;
  Interval interval;
};
FittedBias fitted_bias(const LinearityStudy& study, double reference);

struct TypeOneOptions {
  double share_pct = 20;   ///< K: of the tolerance that the gage may use
  double study_width = 6;  ///< L: standard deviations
  double capable = 1.33;
  double resolution = 0;  ///< of the gage; 0: not given. More than 5 % of the tolerance is warned of
  double level = 0.95;
};
struct TypeOneStudy {
  BiasStudy bias;
  double cg = 0;                          ///< (K / 100 T) / (L s)
  double cgk = 0;                         ///< (K / 200 T - |bias|) / (L / 2 s)
  Interval cg_interval;                   ///< chi-squared
  double repeatability_pct = 0;           ///< K / Cg
  double repeatability_and_bias_pct = 0;  ///< K / Cgk; infinite at Cgk <= 0
  bool is_capable = false;                ///< both
  std::vector<std::string> warnings;      ///< "25 readings are usual", "resolution", ...
};
/// n >= 2, tolerance > 0, readings not all the same.
daq::Result<TypeOneStudy> type_one_study(std::span<const double> readings, double reference, double tolerance,
                                         const TypeOneOptions& options = {});

}  // namespace strigil::protocols
