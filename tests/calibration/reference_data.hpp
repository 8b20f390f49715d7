// Where the reference data lies: $STRIGIL_REFERENCE_DATA, else ../shared/data beside the checkout.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace strigil::calibration {

/// A file or folder of the reference data; nothing where there is none: the test is then skipped.
inline std::optional<std::string> reference_data(const std::string& name) {
  const char* named = std::getenv("STRIGIL_REFERENCE_DATA");
  const auto root = named != nullptr ? std::filesystem::path(named)
                                     : std::filesystem::path(STRIGIL_SOURCE_DIR).parent_path() / "shared" / "data";
  const auto path = root / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path.string();
}

}  // namespace strigil::calibration
