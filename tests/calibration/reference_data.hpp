// Where reference data lie that are not in this repository: $STRIGIL_REFERENCE_DATA, else ../shared/data beside the checkout.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace strigil::calibration::tested {

/// Empty where there are none: the test is then skipped with kNoReferenceData.
inline std::filesystem::path reference_data() {
  const char* set = std::getenv("STRIGIL_REFERENCE_DATA");
  const auto folder = set != nullptr ? std::filesystem::path(set)
                                     : std::filesystem::path(STRIGIL_SOURCE_DIR).parent_path() / "shared" / "data";
  return std::filesystem::is_directory(folder) ? folder : std::filesystem::path{};
}
inline constexpr const char* kNoReferenceData = "reference data not found: set STRIGIL_REFERENCE_DATA";

/// A text file as lines of words. Empty where it cannot be read.
inline std::vector<std::vector<std::string>> words_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::vector<std::string>> out;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    out.emplace_back();
    for (std::string word; words >> word;) out.back().push_back(word);
  }
  return out;
}

}  // namespace strigil::calibration::tested

namespace strigil::calibration {

/// A file or folder of the reference data; nothing where there is none: the test is then skipped.
inline std::optional<std::string> reference_data(const std::string& name) {
  const auto path = tested::reference_data() / name;
  if (tested::reference_data().empty() || !std::filesystem::exists(path)) return std::nullopt;
  return path.string();
}

}  // namespace strigil::calibration
