// Reference data for the tests of the standards: worked cases and data files where they are, a message where not.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace strigil::calibration {

/// Path of a file of the reference data; empty when it is not at hand.
inline std::string reference_file(const std::string& name) {
  namespace fs = std::filesystem;
  const char* set = std::getenv("STRIGIL_REFERENCE_DATA");
  const fs::path folder = set != nullptr ? fs::path(set) : fs::path(STRIGIL_SOURCE_DIR) / "../shared/data";
  return fs::exists(folder / name) ? (folder / name).string() : "";
}

/// The same, as something that may be missing.
inline std::optional<std::string> reference_data(const std::string& name) {
  auto path = reference_file(name);
  return path.empty() ? std::nullopt : std::optional(std::move(path));
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
