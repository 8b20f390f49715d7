// A file that grows by whole lines: histories that are never edited. One writer at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::daq {

/// All whole lines, oldest first; none where there is no file. Who wrote half a line and died has left one at the end:
/// it is passed over. Errors: it cannot be read, or is longer than `limit_bytes`; `what` says what it is.
Result<std::vector<std::string>> read_lines(const std::string& path, const std::string& what,
                                            std::size_t limit_bytes = 16U << 20U);

/// Adds a line (without its end), and sees it on the disk; half a line that somebody left is cut off. Makes the folder.
/// Errors: the file.
Result<void> append_line(const std::string& path, std::string_view line);

}  // namespace strigil::daq
