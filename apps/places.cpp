#include "apps/places.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "commit.hpp"  // made by the build (commit.cmake)

namespace strigil::apps {
namespace fs = std::filesystem;

std::string version() {
  const std::string commit = STRIGIL_COMMIT;
  return commit.empty() ? STRIGIL_VERSION : fmt::format("{} ({})", STRIGIL_VERSION, commit);
}

std::vector<std::string> home_dirs() {
  std::vector<std::string> dirs;
  if (const char* home = std::getenv("STRIGIL_HOME"); home != nullptr && *home != '\0') dirs.emplace_back(home);
  std::error_code failure;
  const auto program = fs::read_symlink("/proc/self/exe", failure);
  if (!failure) {
    // build/release/strigil: the checkout is two folders up from the program's.
    dirs.push_back(program.parent_path().parent_path().parent_path().string());
  }
  dirs.emplace_back(STRIGIL_SOURCE_DIR);
  return dirs;
}

daq::Result<std::string> find_toml(const std::string& name_or_path, const std::string& folder,
                                   const std::string& what) {
  const bool is_path = name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml");
  std::error_code failure;
  if (is_path) {
    if (fs::is_regular_file(name_or_path, failure)) return name_or_path;
    return daq::Error{fmt::format("there is no {} file '{}'", what, name_or_path)};
  }
  std::set<std::string> names;
  for (const auto& dir : home_dirs()) {
    const auto place = fs::path(dir) / folder;
    if (auto file = place / (name_or_path + ".toml"); fs::is_regular_file(file, failure)) return file.string();
    for (const auto& entry : fs::directory_iterator(place, failure)) {
      if (entry.path().extension() == ".toml") names.insert(entry.path().stem().string());
    }
  }
  std::string known;
  for (const auto& n : names) known += (known.empty() ? "" : ", ") + n;
  return daq::Error{fmt::format("there is no {} named '{}'; the library has: {}. A path to a .toml file works too",
                                what, name_or_path, known.empty() ? "(nothing)" : known)};
}

daq::Result<void> write_new(const std::string& path, mode_t mode, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return daq::Error{fmt::format("'{}' cannot be made: {}", path, std::strerror(errno))};
  bool written = true;
  while (written && !text.empty()) {
    const auto count = ::write(file, text.data(), text.size());
    written = count > 0;
    if (written) text.remove_prefix(static_cast<std::size_t>(count));
  }
  const bool closed = ::close(file) == 0;
  if (!written || !closed) return daq::Error{fmt::format("'{}' cannot be written: {}", path, std::strerror(errno))};
  return {};
}

daq::Result<void> write_whole(const std::string& path, std::string_view text) {
  const auto beside = path + ".new";
  const auto refused = [&] { return daq::Error{fmt::format("'{}' cannot be written; check the path and its permissions", path)}; };
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return refused();
  if (std::rename(beside.c_str(), path.c_str()) != 0) return refused();
  return {};
}

}  // namespace strigil::apps
