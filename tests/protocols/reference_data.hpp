// Reference data outside the repository: $STRIGIL_REFERENCE_DATA, else ../shared/data beside the checkout. Never copied
// here.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::protocols {

inline std::string reference_file(const std::string& name) {
  namespace fs = std::filesystem;
  const char* set = std::getenv("STRIGIL_REFERENCE_DATA");
  const fs::path folder = set != nullptr ? fs::path(set) : fs::path(STRIGIL_SOURCE_DIR) / "../shared/data";
  return fs::exists(folder / name) ? (folder / name).string() : "";
}

/// Rows by column name, quotes taken off; separated by commas, or by blanks where `blanks`.
inline std::vector<std::map<std::string, std::string>> reference_rows(const std::string& name, bool blanks = false) {
  std::ifstream in(reference_file(name));
  std::vector<std::map<std::string, std::string>> out;
  std::vector<std::string> header;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell;
         blanks ? static_cast<bool>(stream >> cell) : static_cast<bool>(std::getline(stream, cell, ','));) {
      std::erase(cell, '"');
      std::erase(cell, '\r');
      cells.push_back(cell);
    }
    if (header.empty()) {
      header = cells;
      continue;
    }
    auto& row = out.emplace_back();
    for (std::size_t i = 0; i < header.size() && i < cells.size(); ++i) row[header[i]] = cells[i];
  }
  return out;
}

/// The case of that id in worked_cases.json; null where there is none.
inline nlohmann::json worked_case(const std::string& id) {
  for (const auto& one : daq::parse_json(daq::read_text_file(reference_file("worked_cases.json"), 1U << 26U).value())) {
    if (one["id"] == id) return one;
  }
  return nullptr;
}

}  // namespace strigil::protocols

#define STRIGIL_NEEDS_REFERENCE(file)                     \
  if (::strigil::protocols::reference_file(file).empty()) \
  GTEST_SKIP() << file << " not found: set STRIGIL_REFERENCE_DATA"
