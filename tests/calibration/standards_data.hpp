// Worked cases and data files for the tests of the standards.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"
#include "tests/calibration/reference_data.hpp"
#include "tests/calibration/worked_table.hpp"

namespace strigil::calibration {

/// Path of a file of the reference data; empty when it is not at hand.
inline std::string reference_file(const std::string& name) {
  const auto folder = tested::reference_data();
  return !folder.empty() && std::filesystem::exists(folder / name) ? (folder / name).string() : "";
}

/// All worked cases; null when they are not at hand.
inline nlohmann::json worked_cases() {
  const auto path = reference_file("worked_cases.json");
  if (path.empty()) return nullptr;
  return daq::parse_json(daq::read_text_file(path, 1U << 26U).value());
}

inline nlohmann::json worked_case(const std::string& id) {
  for (const auto& one : worked_cases()) {
    if (one.at("id") == id) return one;
  }
  return nullptr;
}

inline std::vector<double> list(const nlohmann::json& j) { return j.get<std::vector<double>>(); }

/// Table of expected against found of one case, judged by its tolerance (relative), and at the end held against
/// docs/calibration_methods.md.
class CaseTable {
 public:
  CaseTable(std::string id, const nlohmann::json& tolerance)
      : id_(std::move(id)), tolerance_(tolerance.get<double>()) {}
  ~CaseTable() {
    tested::compare_with_docs(
        id_, "| case | quantity | expected | found | tolerance |\n|---|---|---|---|---|\n" + table_.text(),
        "calibration_methods.md");
  }
  CaseTable(const CaseTable&) = delete;
  CaseTable& operator=(const CaseTable&) = delete;
  void check(double found, const nlohmann::json& expected, const std::string& quantity, double looser = 1) {
    const double e = expected.get<double>();
    // Near zero a relative tolerance has no meaning: there it is of a thousandth.
    table_.expect(id_, quantity, e, found, looser * tolerance_ * std::max(std::abs(e), 1e-3));
  }

 private:
  std::string id_;
  double tolerance_;
  tested::WorkedTable table_;
};

}  // namespace strigil::calibration
