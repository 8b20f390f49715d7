// Gage section: the readings of a suite's [gage] as a balanced study, and what a report says of it. Pure, any thread.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "protocols/campaign/suite_file.hpp"
#include "protocols/court/gage_study.hpp"
#include "protocols/report/court_report.hpp"

namespace strigil::protocols {

/// Of the trials' values (nothing: no valid reading) of [gage]'s measure: as many of each part by each appraiser as the
/// cell with the fewest has, the earliest ones. So a study that is not complete, or has lost a trial, is judged by what
/// is balanced of it. Precondition: suite.gage.
std::vector<GageReading> gage_readings(const Suite& suite, const std::vector<Trial>& trials,
                                       std::span<const std::optional<double>> values);

/// With its ANOVA table, components, and a plot of the readings; `evidence` is what they rest on.
ReportSection gage_section(const GageRule& rule, const GageStudy& study, std::span<const GageReading> readings,
                           std::size_t evidence);

}  // namespace strigil::protocols
