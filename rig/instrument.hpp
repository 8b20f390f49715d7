// Instrument: the treatment tool on the stage, as its catalogue entry (rig/instruments/*.toml) describes it.
//
// A description and no physics: sim/ derives its modes and what its sensors feel. SI units.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rig/sourced_number.hpp"

namespace strigil::rig {

/// How the edge that touches is shaped, seen along the stroke's path on the skin.
enum class EdgeShape : std::uint8_t { kConcave, kConvex, kStraight };
/// How it is ground, seen along the edge.
enum class EdgeBevel : std::uint8_t { kRounded, kSingle, kDouble };

/// A row of rig/materials/instrument.toml (rig/instrument_file.hpp reads it).
struct InstrumentMaterial {
  std::string name;  ///< "stainless_steel", "plastic", "resin", "stone", "jade", "horn"
  std::string title;
  double density_kg_m3 = 0;
  double youngs_modulus_Pa = 0;
  double loss_factor = 0;
  double friction_factor = 1;  ///< of its polished edge against steel's
  std::vector<SourcedNumber> numbers;  ///< all of the above with where they come from
};

/// A bending mode as derived (free-free bar, science.md 1.4 [C]) or as measured by tap and sweep.
struct InstrumentMode {
  double frequency_Hz = 0;
  double damping_ratio = 0;   ///< of critical; grip included
  double effective_mass_kg = 0;  ///< at the edge
  double sensor_gain = 1;     ///< mode shape at the accelerometer against that at the edge
};

/// Immutable once read. Value; any thread.
struct Instrument {
  std::string name;
  std::string title;
  std::string text;  ///< as read: recorded with every run
  InstrumentMaterial material;
  double length_m = 0.15;     ///< of the bar
  double width_m = 0.03;
  double thickness_m = 0.005;
  EdgeShape edge = EdgeShape::kStraight;
  EdgeBevel bevel = EdgeBevel::kRounded;
  double edge_radius_m = 3e-3;   ///< of the rounding that presses
  double edge_length_m = 40e-3;  ///< along the edge
  double edge_sagitta_m = 0;     ///< how far its middle stands out (convex) or back (concave)
  double mass_kg = 0;
  double grip_loss_factor = 0.1;   ///< added by hand or clamp: 0.05-0.3 (science.md 1.4 [M/A])
  double accelerometer_place = 0.5;  ///< along the bar, 0 at the edge's end, 1 at the far one
  double accelerometer_corner_Hz = 3000;  ///< of its mounting (adhesive, wax, stud): a resonance
  std::vector<InstrumentMode> modes;      ///< rising in frequency; derived unless the file has measured ones
  bool modes_measured = false;
  std::vector<SourcedNumber> numbers;  ///< of the file, with where they come from; the material has its own
};

std::string_view name_of(EdgeShape shape) noexcept;
std::string_view name_of(EdgeBevel bevel) noexcept;

}  // namespace strigil::rig
