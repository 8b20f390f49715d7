#include "ui/plot.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace strigil::ui {

Plot::Plot(const char* id, ImVec2 size, Span x, Span y, Tone tone, const std::string& label, const std::string& x_label)
    : x_(x), y_(y), tone_(tone), draw_(ImGui::GetWindowDrawList()) {
  const float em = ImGui::GetFontSize();
  if (size.x <= 0) size.x = std::max(em * 8, ImGui::GetContentRegionAvail().x);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  low_ = {at.x + em * 4.4F, at.y + em * 1.3F};
  high_ = {at.x + size.x - em * 0.6F, at.y + size.y - (x_label.empty() ? em * 0.4F : em * 1.5F)};
  high_.x = std::max(high_.x, low_.x + 1);
  high_.y = std::max(high_.y, low_.y + 1);
  ImGui::InvisibleButton(id, size, ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonRight);
  hovered_ = ImGui::IsItemHovered();
  active_ = ImGui::IsItemActive();
  axes(label, x_label);
}

void Plot::axes(const std::string& label, const std::string& x_label) {
  const float em = ImGui::GetFontSize();
  const auto faint = text_colour(tone_, true);
  draw_->AddRect(low_, high_, grid_colour(tone_));
  draw_->AddText({low_.x, low_.y - em * 1.2F}, text_colour(tone_), label.c_str());
  const bool decades = x_label == kHertzByDecades;
  const int across = decades ? std::clamp(static_cast<int>(std::ceil(x_.high - x_.low)), 1, 12)
                             : std::max(2, static_cast<int>((high_.x - low_.x) / (em * 7)));
  auto xs = ticks_between(x_.low, x_.high, across);
  if (decades) std::erase_if(xs, [](double t) { return t != std::round(t); });
  const double x_step = xs.size() > 1 ? xs[1] - xs[0] : 1;
  for (const double t : xs) {
    const float p = px(t);
    draw_->AddLine({p, low_.y}, {p, high_.y}, grid_colour(tone_));
    if (x_label.empty()) continue;
    const auto text = decades ? tick_text(std::pow(10, t), 1) : tick_text(t, x_step);
    const float half = ImGui::CalcTextSize(text.c_str()).x / 2;
    // Room for the axis's own name at its right end.
    const float name = ImGui::CalcTextSize(x_label.c_str()).x + em;
    if (p + half < high_.x - name && p - half > low_.x - em * 0.5F) {
      draw_->AddText({p - half, high_.y + em * 0.15F}, faint, text.c_str());
    }
  }
  if (!x_label.empty()) {
    draw_->AddText({high_.x - ImGui::CalcTextSize(x_label.c_str()).x, high_.y + em * 0.15F}, faint, x_label.c_str());
  }
  const int up = std::max(1, static_cast<int>((high_.y - low_.y) / (em * 2.2F)));
  const auto ys = ticks_between(y_.low, y_.high, up);
  const double y_step = ys.size() > 1 ? ys[1] - ys[0] : 1;
  for (const double t : ys) {
    const float p = py(t);
    draw_->AddLine({low_.x, p}, {high_.x, p}, grid_colour(tone_));
    const auto text = tick_text(t, y_step);
    const float wide = ImGui::CalcTextSize(text.c_str()).x;
    if (p > low_.y + em * 0.3F && p < high_.y + em * 0.2F) {
      draw_->AddText({low_.x - wide - em * 0.4F, p - em * 0.5F}, faint, text.c_str());
    }
  }
}

std::size_t Plot::width() const { return std::max<std::size_t>(1, static_cast<std::size_t>(high_.x - low_.x)); }

float Plot::px(double x) const {
  return low_.x + static_cast<float>((x - x_.low) / (x_.high - x_.low)) * (high_.x - low_.x);
}

float Plot::py(double y) const {
  const double place = std::clamp((y - y_.low) / (y_.high - y_.low), -10.0, 11.0);
  return high_.y - static_cast<float>(place) * (high_.y - low_.y);
}

double Plot::x_at(float pixel) const {
  return x_.low + static_cast<double>((pixel - low_.x) / (high_.x - low_.x)) * (x_.high - x_.low);
}

void Plot::curve(std::span<const Column> columns, ImU32 colour) {
  draw_->PushClipRect(low_, high_, true);
  const float step = (high_.x - low_.x) / static_cast<float>(columns.size());
  bool joined = false;
  ImVec2 before{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& c = columns[i];
    if (std::isnan(c.low)) {
      // Columns without a sample between two that have one are joined: the stream is slower than the screen.
      continue;
    }
    const float at = low_.x + (static_cast<float>(i) + 0.5F) * step;
    const float top = py(c.high);
    const float bottom = py(c.low);
    if (joined) draw_->AddLine(before, {at, (top + bottom) / 2}, colour);
    if (bottom - top > 1) draw_->AddLine({at, top}, {at, bottom}, colour, std::max(1.0F, step));
    before = {at, (top + bottom) / 2};
    joined = true;
  }
  draw_->PopClipRect();
}

void Plot::line(std::span<const double> x, std::span<const float> y, ImU32 colour) {
  draw_->PushClipRect(low_, high_, true);
  for (std::size_t i = 1; i < std::min(x.size(), y.size()); ++i) {
    if (std::isnan(y[i]) || std::isnan(y[i - 1])) continue;
    draw_->AddLine({px(x[i - 1]), py(y[i - 1])}, {px(x[i]), py(y[i])}, colour, 1.5F);
  }
  draw_->PopClipRect();
}

void Plot::line(std::span<const float> x, std::span<const float> y, ImU32 colour) {
  draw_->PushClipRect(low_, high_, true);
  for (std::size_t i = 1; i < std::min(x.size(), y.size()); ++i) {
    const bool gap = std::isnan(x[i]) || std::isnan(y[i]) || std::isnan(x[i - 1]) || std::isnan(y[i - 1]);
    if (gap || (x[i] == x[i - 1] && y[i] == y[i - 1])) continue;
    draw_->AddLine({px(static_cast<double>(x[i - 1])), py(static_cast<double>(y[i - 1]))},
                   {px(static_cast<double>(x[i])), py(static_cast<double>(y[i]))}, colour, 1.5F);
  }
  draw_->PopClipRect();
}

void Plot::dot(double x, double y, ImU32 colour) {
  draw_->AddCircleFilled({px(x), py(y)}, ImGui::GetFontSize() * 0.2F, colour);
}

void draw_mark(ImDrawList& draw, ImVec2 at, std::size_t shape, ImU32 colour, Tone tone) {
  constexpr std::size_t kShapes = 4;
  // Each around the one before: two at the same place are both seen.
  const float r = ImGui::GetFontSize() * (0.28F + 0.2F * static_cast<float>(shape % kShapes));
  const ImU32 edge = tone == Tone::kDark ? IM_COL32(0, 0, 0, 255) : IM_COL32(255, 255, 255, 255);
  // Twice, the first time wider: the edge.
  for (const auto& [line, wide] : {std::pair{edge, 4.5F}, {colour, 2.0F}}) {
    switch (shape % kShapes) {
      case 0:
        draw.AddCircle(at, r, line, 0, wide);
        break;
      case 1:
        draw.AddTriangle({at.x, at.y - r * 1.2F}, {at.x - r * 1.1F, at.y + r * 0.8F},
                         {at.x + r * 1.1F, at.y + r * 0.8F}, line, wide);
        break;
      case 2:
        draw.AddRect({at.x - r * 0.9F, at.y - r * 0.9F}, {at.x + r * 0.9F, at.y + r * 0.9F}, line, 0, 0, wide);
        break;
      default:
        draw.AddLine({at.x - r, at.y - r}, {at.x + r, at.y + r}, line, wide);
        draw.AddLine({at.x - r, at.y + r}, {at.x + r, at.y - r}, line, wide);
    }
  }
}

ImVec2 Plot::mark(double x, double y, std::size_t shape, ImU32 colour) {
  draw_->PushClipRect(low_, high_, true);
  const ImVec2 at{px(x), py(y)};
  draw_mark(*draw_, at, shape, colour, tone_);
  draw_->PopClipRect();
  return at;
}

void Plot::box(double x0, double y0, double x1, double y1, ImU32 colour, bool filled) {
  draw_->PushClipRect(low_, high_, true);
  const ImVec2 a{px(x0), py(y1)};
  const ImVec2 b{px(x1), py(y0)};
  if (filled) {
    draw_->AddRectFilled(a, b, colour);
  } else {
    draw_->AddRect(a, b, colour, 0, 0, 1.5F);
  }
  draw_->PopClipRect();
}

void Plot::cross(double x, double y, ImU32 colour) {
  draw_->PushClipRect(low_, high_, true);
  const ImVec2 at{px(x), py(y)};
  draw_->AddLine({low_.x, at.y}, {high_.x, at.y}, grid_colour(tone_));
  draw_->AddLine({at.x, low_.y}, {at.x, high_.y}, grid_colour(tone_));
  draw_->AddCircle(at, ImGui::GetFontSize() * 0.4F, colour, 0, 2);
  draw_->PopClipRect();
}

void Plot::label(double x, double y, const std::string& text, ImU32 colour, bool centred) {
  draw_->PushClipRect(low_, high_, true);
  const float em = ImGui::GetFontSize();
  draw_->AddText({px(x) + em * 0.2F, py(y) - (centred ? em * 0.5F : em)}, colour, text.c_str());
  draw_->PopClipRect();
}

void Plot::text(ImVec2 at, const std::string& words, ImU32 colour) {
  draw_->PushClipRect(low_, high_, true);
  draw_->AddText(at, colour, words.c_str());
  draw_->PopClipRect();
}

void Plot::heat(std::span<const float> values, std::size_t columns, std::size_t rows) {
  if (columns == 0 || rows == 0 || values.size() < columns * rows) return;
  const float wide = (high_.x - low_.x) / static_cast<float>(columns);
  const float tall = (high_.y - low_.y) / static_cast<float>(rows);
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t r = 0; r < rows; ++r) {
      const float left = low_.x + static_cast<float>(c) * wide;
      const float bottom = high_.y - static_cast<float>(r) * tall;
      draw_->AddRectFilled({left, bottom - tall}, {left + wide, bottom}, heat_colour(values[c * rows + r]));
    }
  }
}

void Plot::vertical(double x, ImU32 colour, const char* name) {
  const float p = px(x);
  if (p < low_.x || p > high_.x) return;
  draw_->AddLine({p, low_.y}, {p, high_.y}, colour, 1.5F);
  draw_->AddText({p + 3, low_.y}, colour, name);
}

void Plot::horizontal(double y, ImU32 colour, const char* name) {
  const float p = py(y);
  if (p < low_.y || p > high_.y) return;
  draw_->AddLine({low_.x, p}, {high_.x, p}, colour, 1.5F);
  draw_->AddText({low_.x + 3, p - ImGui::GetFontSize()}, colour, name);
}

void Plot::words(const char* text) {
  const auto size = ImGui::CalcTextSize(text);
  draw_->AddText({(low_.x + high_.x - size.x) / 2, (low_.y + high_.y - size.y) / 2}, text_colour(tone_, true), text);
}

}  // namespace strigil::ui
