// What the verification tests of the physics have found, as CSV for docs/figures/plot_physics.py, when
// $STRIGIL_PHYSICS_CSV names a folder; and where the reference data lie.
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace strigil::sim {

class PhysicsCsv {
 public:
  PhysicsCsv(const std::string& name, const std::string& header) {
    if (const char* folder = std::getenv("STRIGIL_PHYSICS_CSV")) {
      file_.open(std::filesystem::path(folder) / (name + ".csv"), std::ios::trunc);
      file_ << header << '\n';
    }
  }
  template <typename... T>
  void row(const T&... values) {
    if (!file_.is_open()) return;
    std::string line;
    ((line += (line.empty() ? "" : ",") + fmt::format("{}", values)), ...);
    file_ << line << '\n';
  }

 private:
  std::ofstream file_;
};

/// The path of a file of the reference data; empty: it is not there.
inline std::string reference_data(const std::string& file) {
  namespace fs = std::filesystem;
  const char* set = std::getenv("STRIGIL_REFERENCE_DATA");
  const fs::path folder = set != nullptr ? fs::path(set) : fs::path(STRIGIL_SOURCE_DIR) / "../shared/data";
  return fs::exists(folder / file) ? (folder / file).string() : "";
}

}  // namespace strigil::sim
