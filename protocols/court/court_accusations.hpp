// Court accusations: what a detector did that no honest one does. Inside the court.
#pragma once

#include <span>
#include <vector>

#include "protocols/court/court.hpp"
#include "protocols/court/court_cases.hpp"

namespace strigil::protocols {

/// AUC on targets that are on paper alone, or in the air, against the same place elsewhere and against its mirror
/// image; at `level` each.
std::vector<BlankArea> areas_on_blanks(std::span<const CourtStroke> strokes, const CourtOptions& options);
/// From the hearings of one detector and its areas on blanks.
std::vector<Accused> accuse(std::span<const CourtStroke> strokes, std::span<const BlankArea> on_blanks);

}  // namespace strigil::protocols
