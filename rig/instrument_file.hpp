// Instrument files: what people write about a tool (rig/instruments/*.toml) and about what tools are made of
// (rig/materials/instrument.toml). Off the loop; unknown keys, wrong types and values out of range are refused with
// file, line and column, and so is a number without a source (rig/sourced_number.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "rig/instrument.hpp"

namespace strigil::rig {

/// Modes that are derived; a file may have as many measured ones.
inline constexpr std::size_t kInstrumentModes = 4;

/// The rows of a table of materials, in its order. Two rows of one name are refused.
daq::Result<std::vector<InstrumentMaterial>> parse_instrument_materials(std::string_view text, const std::string& file);

/// An instrument of one of `materials`, or of its own ([own_material]: then `materials` may be empty). Mass and modes
/// are derived from bar and material where the file has no measured ones.
daq::Result<Instrument> parse_instrument(std::string_view text, const std::string& file,
                                         const std::vector<InstrumentMaterial>& materials);
/// The same with the materials that lie beside it: ../materials/instrument.toml, seen from the folder of `file`.
daq::Result<Instrument> parse_instrument(std::string_view text, const std::string& file);
daq::Result<Instrument> load_instrument(const std::string& path);

/// Length x width x thickness x density (kg).
double bar_mass_kg(const Instrument& instrument) noexcept;
/// The first `count` <= kBarModes bending modes of its bar, free at both ends (rig/free_bar.hpp), excited at place 0,
/// the edge: effective mass at the edge is a quarter of the bar's. Damping ratio is half the sum of the loss factors of
/// material and grip.
std::vector<InstrumentMode> derive_modes(const Instrument& instrument, std::size_t count = kInstrumentModes);

}  // namespace strigil::rig
