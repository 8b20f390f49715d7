// Specimen: a phantom's description resolved against the tables of materials: what the plant's parts are made from.
#pragma once

#include <vector>

#include "daq/result.hpp"
#include "rig/instrument.hpp"
#include "rig/phantom.hpp"
#include "rig/phantom_material.hpp"
#include "sim/layer_stack.hpp"
#include "sim/relaxation.hpp"

namespace strigil::sim {

/// As it is on the day: temperature and age of its passport are in the moduli.
struct Specimen {
  std::vector<StackLayer> layers;  ///< down to the first that does not give
  EdgeSection edge;
  RelaxationBranches branches;    ///< of the layers, by their share of the depth at a working load
  double impact_damping_s_m = 0;  ///< likewise
  double dry_friction = 0.36;     ///< of the surface against this instrument
  rig::Emollient emollient;       ///< against this instrument; its friction is the dry one's where there is none
};

/// Refuses, in words, what no plant can be made of: no extent, no layers, unknown materials, numbers that are none.
daq::Result<Specimen> resolve(const rig::Phantom& phantom, const rig::Instrument& instrument,
                              const rig::PhantomMaterials& materials = rig::shipped_phantom_materials());

}  // namespace strigil::sim
