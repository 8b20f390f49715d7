// Agreement of ratings: Cohen's kappa of two raters, Fleiss' kappa of many.
//
// Cohen 1960 with the standard errors of Fleiss, Cohen & Everitt 1969; Fleiss 1971 with those of Fleiss, Nee & Landis
// 1979. Categories are whatever strings the raters say. Pure, any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "protocols/court/binomial.hpp"

namespace strigil::protocols {

struct Kappa {
  double kappa = 0;
  double agreement = 0;            ///< share observed
  double by_chance = 0;            ///< share expected
  double standard_error = 0;       ///< of the estimate
  double null_standard_error = 0;  ///< where kappa is 0
  double z = 0;                    ///< kappa / null_standard_error
  double p = 1;                    ///< two-sided
  Interval interval;
};
/// Same items in the same order, at least 2. Refused where both raters say the same one word throughout: chance then
/// agrees as well, and kappa is 0/0.
daq::Result<Kappa> cohen_kappa(std::span<const std::string> first, std::span<const std::string> second,
                               double level = 0.95);

struct FleissKappa {
  Kappa overall;  ///< standard error by leaving out one item after the other
  struct Category {
    std::string name;
    double kappa = 0;
    double z = 0;
    double p = 1;
  };
  std::vector<Category> categories;  ///< in alphabetical order
};
/// `ratings[item]`: as many ratings, >= 2, for each of at least 2 items.
daq::Result<FleissKappa> fleiss_kappa(std::span<const std::vector<std::string>> ratings, double level = 0.95);

/// Items on which a rater agrees with a standard, or with himself in all trials.
struct AttributeAgreement {
  Proportion share;                      ///< Clopper-Pearson
  std::vector<std::size_t> disagreeing;  ///< items
};
/// `trials[item]`: what one rater said each time. `standard`: empty (with himself), or one word for each item.
daq::Result<AttributeAgreement> attribute_agreement(std::span<const std::vector<std::string>> trials,
                                                    std::span<const std::string> standard, double level = 0.95);

}  // namespace strigil::protocols
