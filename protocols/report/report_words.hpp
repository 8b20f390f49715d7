// Numbers of a report as people read them. Pure.
#pragma once

#include <string>

#include "protocols/report/court_report.hpp"

namespace strigil::protocols {

/// With as many decimals as the interval gives a meaning to (two digits of its width); four digits without one. "not
/// known" for NaN.
std::string value_in_words(const Metric& metric);
/// "0.881 to 0.941"; empty where there is none.
std::string interval_in_words(const Metric& metric);
/// "at least 0.85", "0.1 to 0.2 N"; empty without a limit.
std::string limits_in_words(const Metric& metric);
/// "AUC: 0.913, 95 % interval 0.881 to 0.941, at least 0.85: met (DeLong)".
std::string metric_in_words(const Metric& metric);

}  // namespace strigil::protocols
