// The record that a run's numbers of one kind rest on, or why there was none: what forces, positions and vibrations
// have in common. Pure values.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace strigil::protocols {

struct CalibrationInUse {
  bool calibrated = false;
  std::vector<std::string> reasons;  ///< why not, a sentence each
  std::string id;
  std::string hash;
  std::string grade;        ///< e.g. "ISO 376:2011 class 1 (method based on)"; empty: none
  std::string valid_until;  ///< date; empty: no end
};

/// "calibration 'ID' (hash), class, valid until ...". Precondition: calibrated.
std::string record_words(const CalibrationInUse& calibration);
/// Adds "record", "sha256", "class" and "valid_until". Precondition: calibrated.
void put_record(const CalibrationInUse& calibration, nlohmann::ordered_json& out);

}  // namespace strigil::protocols
