// Ground truth of a run: what lay under the instrument, as JSON for who judges detectors (docs/run_file.md).
#pragma once

#include <string>

#include "rig/instrument.hpp"
#include "rig/phantom.hpp"

namespace strigil::rig {

/// The box around an inclusion as seen from above, stage frame, m: of an ellipse for a nodule or a lobule, else of a
/// rectangle, turned by its angle.
struct Footprint {
  double x_min_m = 0;
  double x_max_m = 0;
  double y_min_m = 0;
  double y_max_m = 0;
};
Footprint footprint_of(const PhantomInclusion& inclusion) noexcept;

/// Whether it differs in anything from what surrounds it: what does not is there on paper only.
bool differs(const PhantomInclusion& inclusion) noexcept;

/// One object, in mm and degrees. `instrument` may be null: not known. Off the loop.
std::string ground_truth_json(const Phantom& phantom, const Instrument* instrument);

}  // namespace strigil::rig
