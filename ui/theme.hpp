// Theme: colours and sizes. Colours are those of Okabe and Ito, which colour-blind people tell apart; nothing is told
// by colour alone.
#pragma once

#include <imgui.h>

#include <cstddef>

namespace strigil::ui {

enum class Tone : unsigned char { kDark, kLight };

/// Sets Dear ImGui's style for this tone and a scale of 1 to 2. Main thread, between frames.
void apply_theme(Tone tone, float scale);
/// The colour of the i-th curve; eight, then from the beginning.
ImU32 curve_colour(std::size_t i);
ImU32 grid_colour(Tone tone);
ImU32 text_colour(Tone tone, bool faint = false);
ImVec4 good_colour(Tone tone);
ImVec4 warning_colour(Tone tone);
ImVec4 fault_colour(Tone tone);
/// A colour for a value of 0 to 1, dark to bright, the same order in grey.
ImU32 heat_colour(float value);

}  // namespace strigil::ui
