// Plot: axes and curves on Dear ImGui's draw list; there is no plotting library in the house. Main thread, in a frame.
#pragma once

#include <imgui.h>

#include <span>
#include <string>

#include "ui/history.hpp"
#include "ui/theme.hpp"
#include "ui/ticks.hpp"

namespace strigil::ui {

/// The name of an x axis that is the logarithm of a frequency: marked at 1, 10, 100 ...
inline constexpr const char* kHertzByDecades = "Hz";

/// One of four shapes (ring, triangle, square, cross), again from the beginning, with an outline that is seen on
/// anything.
void draw_mark(ImDrawList& draw, ImVec2 at, std::size_t shape, ImU32 colour, Tone tone);

/// A rectangle with an x and a y axis, made at the cursor of the current window.
class Plot {
 public:
  /// `label` names the y axis, with its unit. Takes `size` (0: all the width there is). The id is for the mouse.
  Plot(const char* id, ImVec2 size, Span x, Span y, Tone tone, const std::string& label, const std::string& x_label);
  /// Inner width in pixels, at least 1: how many columns a curve may have.
  [[nodiscard]] std::size_t width() const;
  void curve(std::span<const Column> columns, ImU32 colour);
  void line(std::span<const double> x, std::span<const float> y, ImU32 colour);
  void line(std::span<const float> x, std::span<const float> y, ImU32 colour);
  void dot(double x, double y, ImU32 colour);
  /// As draw_mark, clipped; where on the screen it is.
  ImVec2 mark(double x, double y, std::size_t shape, ImU32 colour);
  void box(double x0, double y0, double x1, double y1, ImU32 colour, bool filled);
  /// Crossed lines through all of it, with a ring where they meet.
  void cross(double x, double y, ImU32 colour);
  /// Words that begin at a place; beside it, above or centred on its height.
  void label(double x, double y, const std::string& text, ImU32 colour, bool centred = false);
  /// Words at a place of the screen, as ImGui has it.
  void text(ImVec2 at, const std::string& words, ImU32 colour);
  /// Bars of heat, column-major, each value 0 to 1; rows from the bottom.
  void heat(std::span<const float> values, std::size_t columns, std::size_t rows);
  void vertical(double x, ImU32 colour, const char* name);
  void horizontal(double y, ImU32 colour, const char* name);
  void words(const char* text);
  [[nodiscard]] bool hovered() const { return hovered_; }
  [[nodiscard]] bool active() const { return active_; }
  [[nodiscard]] double x_at(float pixel) const;
  [[nodiscard]] float px(double x) const;
  [[nodiscard]] float py(double y) const;

 private:
  void axes(const std::string& label, const std::string& x_label);
  ImVec2 low_, high_;  // inner rectangle: upper left, lower right
  Span x_, y_;
  Tone tone_;
  ImDrawList* draw_;
  bool hovered_ = false;
  bool active_ = false;
};

}  // namespace strigil::ui
