// The writers of a court report. Pure: the same report gives the same bytes. Precondition: check_report() is content.
#pragma once

#include <string>

#include "protocols/report/court_report.hpp"

namespace strigil::protocols {

/// Groups of trials, detectors and the campaign itself as test suites; a FAIL is a <failure>, an INVALID an <error>,
/// what was not done is <skipped>.
std::string to_junit(const CourtReport& report);
/// Format 1 (docs/reports.md). What is not a number is null.
std::string to_json(const CourtReport& report);
/// One file: no script, nothing fetched, plots inside, prints as it looks.
std::string to_html(const CourtReport& report);

}  // namespace strigil::protocols
