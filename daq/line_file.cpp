#include "daq/line_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace strigil::daq {

Result<std::vector<std::string>> read_lines(const std::string& path, const std::string& what, std::size_t limit_bytes) {
  std::vector<std::string> lines;
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return lines;
  if (std::filesystem::file_size(path, failure) > limit_bytes) {
    return Error{fmt::format("'{}' is too long to be {}", path, what)};
  }
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return Error{fmt::format("'{}' cannot be read", path)};
  for (std::string line; std::getline(text, line);) {
    if (text.eof()) break;  // no end: whoever wrote it died over it
    lines.push_back(line);
  }
  return lines;
}

Result<void> append_line(const std::string& path, std::string_view line) {
  const auto fail = [&](const char* what) {
    return Error{fmt::format("'{}' cannot be {}: {}", path, what, std::strerror(errno))};
  };
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code ignored;  // opening says what is wrong
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return fail("opened");
  // Half a line that somebody left is cut off.
  auto end = ::lseek(fd, 0, SEEK_END);
  for (char last = 0; end > 0; --end) {
    if (::pread(fd, &last, 1, end - 1) != 1 || last == '\n') break;
  }
  const auto whole = std::string(line) + '\n';
  const bool written = ::ftruncate(fd, end) == 0 &&
                       ::pwrite(fd, whole.data(), whole.size(), end) == static_cast<ssize_t>(whole.size()) &&
                       ::fsync(fd) == 0;
  const auto result = written ? Result<void>{} : Result<void>{fail("written")};
  (void)::close(fd);
  return result;
}

}  // namespace strigil::daq
