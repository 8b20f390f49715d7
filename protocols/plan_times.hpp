// What the plan and its reckoning of times both go by.
#pragma once

namespace strigil::protocols {

/// What a move over the phantom may take beyond its own time: acceleration, reports, the settling of the stage.
constexpr double kMoveOverhead_s = 0.4;

}  // namespace strigil::protocols
