#include "rig/phantom.hpp"

namespace strigil::rig {

std::string_view name_of(InclusionKind kind) noexcept {
  switch (kind) {
    case InclusionKind::kNodule:
      return "nodule";
    case InclusionKind::kBand:
      return "band";
    case InclusionKind::kAdhesionSheet:
      return "adhesion_sheet";
    case InclusionKind::kScarStrip:
      return "scar_strip";
    case InclusionKind::kVessel:
      return "vessel";
    case InclusionKind::kLobule:
      return "lobule";
    case InclusionKind::kFasciaEdge:
      return "fascia_edge";
  }
  return "unknown";
}

bool may_be_target(InclusionKind kind) noexcept {
  return kind == InclusionKind::kNodule || kind == InclusionKind::kBand || kind == InclusionKind::kAdhesionSheet ||
         kind == InclusionKind::kScarStrip;
}

double thickness_m(const std::vector<PhantomLayer>& layers) noexcept {
  double sum = 0;
  for (const auto& layer : layers) sum += layer.thickness_m;
  return sum;
}

}  // namespace strigil::rig
