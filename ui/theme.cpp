#include "ui/theme.hpp"

#include <algorithm>
#include <array>

namespace strigil::ui {

void apply_theme(Tone tone, float scale) {
  ImGuiStyle style;
  if (tone == Tone::kDark) {
    ImGui::StyleColorsDark(&style);
  } else {
    ImGui::StyleColorsLight(&style);
    style.Colors[ImGuiCol_WindowBg] = {0.97F, 0.97F, 0.97F, 1};
  }
  style.WindowRounding = 0;
  style.FrameRounding = 4;
  style.FramePadding = {8, 5};
  style.ItemSpacing = {8, 6};
  style.WindowPadding = {10, 8};
  style.ScrollbarSize = 16;
  style.ScaleAllSizes(scale);
  // Under text of the tone's own colour.
  style.Colors[ImGuiCol_PlotHistogram] =
      tone == Tone::kDark ? ImVec4(0.0F, 0.42F, 0.65F, 1) : ImVec4(0.5F, 0.75F, 0.95F, 1);
  ImGui::GetStyle() = style;
}

ImU32 curve_colour(std::size_t i) {
  constexpr std::array kColours{IM_COL32(86, 180, 233, 255),  IM_COL32(230, 159, 0, 255),  IM_COL32(0, 158, 115, 255),
                                IM_COL32(204, 121, 167, 255), IM_COL32(213, 94, 0, 255),   IM_COL32(0, 114, 178, 255),
                                IM_COL32(190, 178, 40, 255),  IM_COL32(140, 140, 140, 255)};
  return kColours[i % kColours.size()];
}

ImU32 grid_colour(Tone tone) { return tone == Tone::kDark ? IM_COL32(255, 255, 255, 34) : IM_COL32(0, 0, 0, 34); }

ImU32 text_colour(Tone tone, bool faint) {
  const int alpha = faint ? 160 : 255;
  return tone == Tone::kDark ? IM_COL32(235, 235, 235, alpha) : IM_COL32(20, 20, 20, alpha);
}

ImVec4 good_colour(Tone tone) {
  return tone == Tone::kDark ? ImVec4(0.35F, 0.80F, 0.65F, 1) : ImVec4(0.0F, 0.42F, 0.30F, 1);
}
ImVec4 warning_colour(Tone tone) {
  return tone == Tone::kDark ? ImVec4(0.95F, 0.72F, 0.25F, 1) : ImVec4(0.55F, 0.36F, 0.0F, 1);
}
ImVec4 fault_colour(Tone tone) {
  return tone == Tone::kDark ? ImVec4(1.0F, 0.50F, 0.30F, 1) : ImVec4(0.70F, 0.20F, 0.0F, 1);
}

ImU32 heat_colour(float value) {
  // Black, blue, purple, orange, white: brightness rises all the way.
  struct Stop {
    float r, g, b;
  };
  constexpr std::array<Stop, 5> kStops{{{8, 8, 20}, {40, 40, 140}, {170, 60, 140}, {245, 150, 60}, {255, 250, 215}}};
  const float place = std::clamp(value, 0.0F, 1.0F) * (kStops.size() - 1);
  const auto at = std::min(static_cast<std::size_t>(place), kStops.size() - 2);
  const float part = place - static_cast<float>(at);
  const auto mix = [&](float a, float b) { return static_cast<int>(a + part * (b - a)); };
  const auto& a = kStops[at];
  const auto& b = kStops[at + 1];
  return IM_COL32(mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b), 255);
}

}  // namespace strigil::ui
