// A folder of its own that goes with who made it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "daq/result.hpp"

namespace strigil::daq {

/// Below the system's folder for such (TMPDIR, else /tmp), readable by its owner alone; removed with all that is in it
/// on destruction. One owner; off the loop.
class TemporaryFolder {
 public:
  /// "strigil-NAME-" and six letters. Errors: it cannot be made.
  static Result<TemporaryFolder> make(std::string_view name);
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;  ///< empty: moved from
};

}  // namespace strigil::daq
