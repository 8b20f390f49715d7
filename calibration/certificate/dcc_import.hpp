// Somebody's digital calibration certificate as a reference that ours are traceable to. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/certificate/dcc_check.hpp"
#include "calibration/record/record.hpp"

namespace strigil::calibration {

/// One column of numbers of a certificate.
struct DccQuantity {
  std::string name;
  std::string ref_type;
  std::string unit;              ///< SI symbol; as written where it is not known here
  std::vector<double> values;    ///< in that unit
  std::vector<double> standard;  ///< standard uncertainty of each; empty: none is given
};

struct ImportedDcc {
  std::string schema_version;
  std::string id;
  std::string laboratory;
  std::string item;
  Identity instrument;
  daq::WallTime performed_from;
  daq::WallTime performed_until;
  daq::WallTime issued;
  std::optional<daq::WallTime> recalibrate_by;
  std::string method;
  std::vector<DccQuantity> quantities;
  std::vector<std::string> passed_over;  ///< what was not read, and why
  std::vector<DccFinding> findings;      ///< of check_dcc()
};

/// DCC 2.x and 3.x with D-SI 1.3 and 2.x: real, list, realList, realListXMLList, hybrid and constant, with standard,
/// expanded and interval uncertainties in old and new form. Errors, with the place: no DCC; another major version; no
/// identifier, laboratory, item or dates; a number that is none; counts that do not fit; nothing with an uncertainty.
daq::Result<ImportedDcc> import_dcc(std::string_view xml);

/// A kReference record of it. `file` and `sha256` are of the certificate.
Record reference_of(const ImportedDcc& dcc, const std::string& file, const std::string& sha256,
                    const std::string& software);

}  // namespace strigil::calibration
