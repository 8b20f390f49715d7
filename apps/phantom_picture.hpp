// A phantom drawn: section through its layers, map from above, its surface, and the ways of a protocol's strokes over
// it.
#pragma once

#include <string>
#include <vector>

#include "protocols/stroke_path.hpp"
#include "rig/phantom.hpp"

namespace strigil::apps {

/// What goes over it.
struct PictureOfWays {
  std::string label;  ///< the protocol's name; empty: nothing goes over it
  std::vector<protocols::StrokePath> paths;
  double edge_length_m = 40e-3;  ///< drawn where a way begins, along y
};

/// As SVG, as high as it needs to be. Section and map are true to scale, the profiles of the surface are not. Pure.
std::string draw_picture(const rig::Phantom& phantom, const PictureOfWays& ways);

}  // namespace strigil::apps
