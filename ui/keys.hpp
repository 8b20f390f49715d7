// Keys: the numbers that Dear ImGui 1.86 passes on from the window as they are: those of GLFW. Whoever feeds a screen
// without a window uses the same.
#pragma once

namespace strigil::ui::key {

inline constexpr int kSpace = 32, kComma = 44, kMinus = 45, kPeriod = 46, kEqual = 61, kA = 65, kB = 66, kR = 82;
inline constexpr int kEscape = 256;
inline constexpr int kF1 = 290, kF2 = 291, kF3 = 292, kF4 = 293, kF9 = 298, kF10 = 299, kF12 = 301;
inline constexpr int kPadSubtract = 333, kPadAdd = 334;

}  // namespace strigil::ui::key
