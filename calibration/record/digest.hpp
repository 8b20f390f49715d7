// SHA-256 as 64 hexadecimal digits. Pure but for the file.
#pragma once

#include <string>
#include <string_view>

#include "daq/result.hpp"

namespace strigil::calibration {

std::string sha256_hex(std::string_view bytes);
/// Of a whole file, whatever its size. Errors: it cannot be read.
daq::Result<std::string> sha256_of_file(const std::string& path);
/// 64 digits, small letters.
bool is_sha256_hex(std::string_view text) noexcept;

}  // namespace strigil::calibration
