// Phantom: the specimen under the instrument as its passport describes it, and so the ground truth of every run on it.
//
// A description and no physics: sim/ makes a plant of it, protocols/ judges detectors by it, apps/ records it with the
// run and never publishes it. SI units. Phantom frame of rig/frames.hpp; x and y are those of the stage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strigil::rig {

/// One layer of many on top of each other; the first is at the surface, the last lies on what does not give.
struct PhantomLayer {
  std::string name;      ///< "skin", "fat", "fascia", "muscle", "bone", or what a person calls it
  std::string material;  ///< a row of rig/materials/*.toml
  double thickness_m = 0;
  double stiffness_factor = 1;  ///< of this specimen against its material's row (labs differ 1.6-2.8x, science.md 2.5)
  std::string source;           ///< where its numbers are from, with the tags of science.md
  bool operator==(const PhantomLayer&) const = default;
};

/// What lies in or on the layers. Nodule, band, adhesion sheet and scar strip may be called targets; vessel and lobule
/// are there to fool detectors. The kind is a name: its physics is in the contrasts alone.
enum class InclusionKind : std::uint8_t { kNodule, kBand, kAdhesionSheet, kScarStrip, kVessel, kLobule, kFasciaEdge };

/// Extents are along its own axes, the first of which lies at `angle_rad` to x. Contrasts are ratios to surroundings;
/// all 1 and `rise_m` 0: it is there on paper only, and no detector may find it.
struct PhantomInclusion {
  std::string name;
  InclusionKind kind = InclusionKind::kNodule;
  bool target = true;  ///< a detector is to find it; false: a confounder
  double x_m = 0;      ///< centre
  double y_m = 0;
  double length_m = 10e-3;
  double width_m = 10e-3;
  double thickness_m = 5e-3;
  double angle_rad = 0;
  double depth_m = 2e-3;  ///< of its top below the surface
  double stiffness_contrast = 1;
  double friction_contrast = 1;   ///< of the surface above it
  double roughness_contrast = 1;  ///< likewise
  double rise_m = 0;              ///< by which the surface stands higher over it
  std::string source;             ///< as a layer's
  bool operator==(const PhantomInclusion&) const = default;
};

/// An unevenness that is no inclusion: a Gaussian hill (or a hollow, below 0), `width_m` its standard deviation.
struct SurfaceBump {
  double x_m = 0;
  double y_m = 0;
  double height_m = 0;
  double width_m = 8e-3;
  bool operator==(const SurfaceBump&) const = default;
};

/// The surface: z = z_m + slope x + amplitude sin(2 pi x / wavelength) - (y - y0)^2 / 2 crown radius + bumps.
struct PhantomSurface {
  double z_m = -30e-3;  ///< stage frame, at x = 0
  double slope = 0;     ///< dz/dx
  double curvature_amplitude_m = 0;
  double curvature_wavelength_m = 200e-3;
  double crown_radius_m = 0;  ///< across the stroke; 0: flat
  std::vector<SurfaceBump> bumps;
  std::string source;
  bool operator==(const PhantomSurface&) const = default;
};

/// Unevenness of the material itself: a random field over x and y for each, drawn from `seed`. Confounders all.
struct PhantomTexture {
  std::uint64_t seed = 1;
  double stiffness_sd = 0;          ///< of ln(stiffness)
  double friction_sd = 0;           ///< of ln(friction)
  double correlation_m = 8e-3;      ///< of both, isotropic
  double fibre_stiffness_sd = 0;    ///< muscle fibres: of ln(stiffness), a wave across `fibre_angle_rad`
  double fibre_wavelength_m = 4e-3;
  double fibre_angle_rad = 0;
  double roughness_rms_m = 2e-6;    ///< micro-topography under the emollient
  double roughness_shortest_m = 0.1e-3;   ///< such that a mode at 200 Hz is driven from 20 mm/s on ...
  double roughness_longest_m = 12.5e-3;  ///< ... and one at 40 Hz up to 250 mm/s
  std::string source;
  bool operator==(const PhantomTexture&) const = default;
};

/// What is spread on it before it is stroked; thins with path and time (science.md 2.7).
struct PhantomEmollient {
  std::string name = "dry";  ///< "dry", "gel", "oil", "lotion": a row of rig/materials/emollients.toml
  double age_s = 0;          ///< since it was applied, when the run begins
  std::string source;
  bool operator==(const PhantomEmollient&) const = default;
};

/// Its condition on the day, and the poke that tells whether it has changed.
struct PhantomPassport {
  std::string serial;
  std::string made_on;         ///< ISO 8601 date; empty: unknown
  double temperature_C = 23;   ///< of the specimen at the run
  double age_days = 0;         ///< since it was made
  std::optional<double> poke_depth_m;  ///< reference poke: to this depth ...
  std::optional<double> poke_force_N;  ///< ... took this force when it was new
  double poke_x_m = 0;
  double poke_y_m = 0;
  double dose_softening = 0;     ///< share of its stiffness that work can take from a place; 0: it does not respond
  double dose_scale_J_m2 = 2e3;  ///< work on a place that takes all but 1/e of that [A]
  std::string source;
  bool operator==(const PhantomPassport&) const = default;
};

/// Immutable once read. Value; any thread.
struct Phantom {
  std::string name;
  std::string title;
  std::string condition;  ///< "achilles_tendinosis" ... "healthy", "confounders"; what a clinician would call it
  std::string protocol;   ///< of protocols/library, that goes with it; may be empty
  std::string source;     ///< of its extent, and of what it is as a whole
  std::string text;       ///< as read: recorded with every run
  double x_min_m = 0;     ///< it is there from here ...
  double x_max_m = 0;
  double y_min_m = 0;
  double y_max_m = 0;
  std::vector<PhantomLayer> layers;
  PhantomSurface surface;
  PhantomTexture texture;
  PhantomEmollient emollient;
  std::vector<PhantomInclusion> inclusions;
  PhantomPassport passport;
  bool operator==(const Phantom&) const = default;
};

/// "nodule", "band", "adhesion_sheet", "scar_strip", "vessel", "lobule", "fascia_edge".
std::string_view name_of(InclusionKind kind) noexcept;
/// Whether a detector may be asked to find it: not a vessel, a lobule or a fascia's edge.
bool may_be_target(InclusionKind kind) noexcept;
/// All layers together, m.
double thickness_m(const std::vector<PhantomLayer>& layers) noexcept;

}  // namespace strigil::rig
