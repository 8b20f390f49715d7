#include "protocols/calibration_in_use.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace strigil::protocols {

std::string record_words(const CalibrationInUse& c) {
  return fmt::format("calibration '{}' ({:.12}){}{}", c.id, c.hash, c.grade.empty() ? "" : ", " + c.grade,
                     c.valid_until.empty() ? "" : ", valid until " + c.valid_until);
}

void put_record(const CalibrationInUse& c, nlohmann::ordered_json& out) {
  out["record"] = c.id;
  out["sha256"] = c.hash;
  out["class"] = c.grade;
  out["valid_until"] = c.valid_until.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(c.valid_until);
}

}  // namespace strigil::protocols
