// Worked cases and data files for the tests of the standards.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/calibration/reference_data.hpp"

namespace strigil::calibration {

/// Path of a file of the reference data; empty when it is not at hand.
inline std::string reference_file(const std::string& name) {
  const auto folder = testing::reference_data();
  return !folder.empty() && std::filesystem::exists(folder / name) ? (folder / name).string() : "";
}

/// All worked cases; null when they are not at hand.
inline nlohmann::json worked_cases() {
  const auto path = reference_file("worked_cases.json");
  if (path.empty()) return nullptr;
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

inline nlohmann::json worked_case(const std::string& id) {
  for (const auto& one : worked_cases()) {
    if (one.at("id") == id) return one;
  }
  return nullptr;
}

inline std::vector<double> list(const nlohmann::json& j) { return j.get<std::vector<double>>(); }

/// Within the tolerance of the case, relative to the expected value, or absolute where it is smaller than 1.
inline void expect_within(double found, const nlohmann::json& expected, double tolerance, const std::string& what) {
  const double e = expected.get<double>();
  EXPECT_LE(std::abs(found - e), tolerance * std::max(std::abs(e), 1e-300) + tolerance * 1e-3)
      << what << ": expected " << e << ", found " << found;
}

}  // namespace strigil::calibration
