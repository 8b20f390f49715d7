// Materials of phantoms and what is spread on them: the tables rig/materials/{tissue,silicone,gel,emollients}.toml.
//
// Every number carries where it comes from (rig/sourced_number.hpp). The shipped tables are part of the program, so
// that a simulation does not depend on the folder it is run from. Off the loop; any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "rig/sourced_number.hpp"

namespace strigil::rig {

/// A branch of relaxation: the share of the instantaneous modulus that is gone after some `time_s`.
struct RelaxingShare {
  double share = 0;
  double time_s = 1;
};
/// Fast, middle, slow.
inline constexpr std::size_t kRelaxingShares = 3;

/// A row of the tables. What the keys mean stands at the head of rig/materials/tissue.toml.
struct PhantomMaterial {
  std::string name;
  std::string title;
  double youngs_modulus_Pa = 0;  ///< quasi-static, compressive, at small strain and 23 degrees C
  double poisson_ratio = 0.49;
  double stiffening_at_half = 6;  ///< tangent modulus when compressed to half, against that at rest
  std::array<RelaxingShare, kRelaxingShares> relaxing;
  double impact_damping_s_m = 1;          ///< lambda / K of Hunt and Crossley
  double dry_friction = 0.36;             ///< kinetic, against polished steel
  double modulus_per_degree = 0;          ///< change of ln E
  double modulus_per_decade_of_days = 0;  ///< likewise, by log10(1 + days)
  std::vector<SourcedNumber> numbers;     ///< all of the above, with where they come from
};

struct Emollient {
  std::string name;
  std::string title;
  double friction = 0.1;             ///< kinetic, fresh, against polished steel
  double static_ratio = 1.3;         ///< friction at rest against that when sliding
  double stribeck_speed_m_s = 0.05;  ///< over which it falls from the one to the other
  double viscous_s_m = 0;            ///< drag per normal force and speed
  double path_m = 0.5;               ///< stroked over a place, after which all but 1/e is gone there
  double time_s = 600;               ///< likewise, everywhere
  std::vector<SourcedNumber> numbers;
};

struct PhantomMaterials {
  std::vector<PhantomMaterial> materials;
  std::vector<Emollient> emollients;

  /// The row of that name; null: there is none.
  [[nodiscard]] const PhantomMaterial* material(std::string_view name) const noexcept;
  [[nodiscard]] const Emollient* emollient(std::string_view name) const noexcept;
};

/// Adds the rows of one file ([[material]], [[emollient]]) to `into`. Refuses unknown keys, numbers out of range or
/// without a source, and a name that is there already.
daq::Result<void> read_phantom_materials(std::string_view text, const std::string& file, PhantomMaterials& into);

/// What the program was built with. Never fails: a test reads every shipped file.
const PhantomMaterials& shipped_phantom_materials();

/// A file that was built in.
struct ShippedFile {
  std::string_view name;
  std::string_view text;
};
const std::vector<ShippedFile>& shipped_material_files();

}  // namespace strigil::rig
