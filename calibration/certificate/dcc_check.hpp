// The rules of the PTB's Schematron for DCC 3.3.0, and of D-SI's number formats, looked at natively. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/certificate/dcc_document.hpp"

namespace strigil::calibration {

struct DccFinding {
  bool error = false;  ///< otherwise a warning
  std::string rule;    ///< short: "methods", "conditions", "references", ...
  std::string where;   ///< path of the element
  std::string text;
};

/// Everything that is found, errors and warnings. Empty: none.
std::vector<DccFinding> check_dcc(const DccDocument& document);
/// The same of a text. Errors: it is no DCC at all.
daq::Result<std::vector<DccFinding>> check_dcc(std::string_view xml);

/// The entries of an XML list, however blanks stand between them.
std::vector<std::string> list_entries(std::string_view text);
/// A number as D-SI allows one (NaN comes back as NaN). Nothing: it is none.
std::optional<double> read_dsi_number(std::string_view text);

}  // namespace strigil::calibration
