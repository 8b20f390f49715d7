#include "daq/temporary_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace strigil::daq {

Result<TemporaryFolder> TemporaryFolder::make(std::string_view name) {
  std::error_code failure;
  const auto parent = std::filesystem::temp_directory_path(failure);
  auto path = (parent / fmt::format("strigil-{}-XXXXXX", name)).string();
  if (failure || ::mkdtemp(path.data()) == nullptr)
    return Error{fmt::format("no temporary folder can be made as '{}'; is TMPDIR there, and writable?", path)};
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // what is left behind there harms nobody
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace strigil::daq
