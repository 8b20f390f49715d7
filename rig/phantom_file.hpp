// The phantom file (docs/phantom_file.md): a Phantom as TOML that people and the generator write.
#pragma once

#include <string>
#include <string_view>

#include "daq/result.hpp"
#include "rig/phantom.hpp"

namespace strigil::rig {

inline constexpr std::size_t kMostLayers = 10;
inline constexpr std::size_t kMostInclusions = 64;
inline constexpr std::size_t kMostBumps = 32;

/// Refuses unknown keys, wrong types, values out of range and what contradicts itself, with file, line and column. Off
/// the loop.
daq::Result<Phantom> parse_phantom(std::string_view text, const std::string& file);
daq::Result<Phantom> load_phantom(const std::string& path);
/// Writes every key. Read again it is the same phantom: to the bit where it was read or drawn; a length that no decimal
/// in millimetres gives (some doubles are between two) may differ by its last bit. `text` is not written.
std::string to_toml(const Phantom& phantom);

}  // namespace strigil::rig
