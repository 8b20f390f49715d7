// Detections on the map: a shape and a colour for each detector, the score beside it where there is room.
#include "ui/screen_detections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ui/screen.hpp"

namespace strigil::ui {
namespace {

constexpr std::size_t kMostDrawn = 1000;
constexpr std::size_t kMostNames = 4;  // that have a line of their own
constexpr double kMilli = 1e3;

/// Not those of the way, of what is to be found and of what is not.
ImU32 detector_colour(std::size_t detector) {
  constexpr std::array<std::size_t, 4> kCurves{6, 3, 4, 5};
  return curve_colour(kCurves[detector % kCurves.size()]);
}

std::string name_line(const Detections& d, std::size_t detector) {
  const auto n =
      std::count_if(d.all.begin(), d.all.end(), [&](const Detection& one) { return one.detector == detector; });
  return fmt::format("{}: {} detection{}{}", d.detectors[detector], n, n == 1 ? "" : "s",
                     d.listening[detector] ? ", listens" : "");
}

bool overlaps(const ImVec4& a, const ImVec4& b) { return a.x < b.z && b.x < a.z && a.y < b.w && b.y < a.w; }

}  // namespace

std::size_t first_drawn(const Detections& d) { return d.all.size() > kMostDrawn ? d.all.size() - kMostDrawn : 0; }

void find_places(Detections& d, const StreamView* stage) {
  if (stage == nullptr) return;
  for (std::size_t i = first_drawn(d); i < d.all.size(); ++i) {
    auto& one = d.all[i];
    if (one.looked_up) continue;
    const double y_mm = static_cast<double>(stage->history.value_at(1, one.at_s)) * kMilli;
    // At or before the instant, and what came before the run is not where the stroke was.
    one.looked_up = std::isfinite(y_mm) && stage->history.last_s() >= one.at_s;
    if (one.looked_up) one.y_mm = y_mm;
  }
}

float names_height(const Detections& d) {
  const auto lines = std::min(d.detectors.size(), kMostNames + 1);
  return static_cast<float>(lines) * ImGui::GetTextLineHeightWithSpacing();
}

void Screen::detection_marks(Plot& plot, const Detections& d, const std::optional<double>& until_s) const {
  const float em = ImGui::GetFontSize();
  std::vector<ImVec4> written;
  const Detection* pointed = nullptr;
  const auto mouse = ImGui::GetIO().MousePos;
  std::vector<std::size_t> drawn;
  for (std::size_t i = first_drawn(d); i < d.all.size(); ++i) {
    if (std::isfinite(d.all[i].y_mm) && !(until_s && d.all[i].known_s > *until_s)) drawn.push_back(i);
  }
  // The larger marks first, so that those of others at the same place are seen within; of one detector the newest
  // first: where there is no room for all scores, theirs stand.
  std::sort(drawn.begin(), drawn.end(), [&](std::size_t a, std::size_t b) {
    const auto nest = [&](std::size_t i) { return d.all[i].detector % kMostNames; };
    return nest(a) != nest(b) ? nest(a) > nest(b) : a > b;
  });
  for (const std::size_t i : drawn) {
    const auto& one = d.all[i];
    const auto colour = detector_colour(one.detector);
    const auto at = plot.mark(one.x_mm, one.y_mm, one.detector, colour);
    if (plot.hovered() && std::hypot(mouse.x - at.x, mouse.y - at.y) < em * 0.6F) pointed = &one;
    const auto text = fmt::format("{:.3g}", one.score);
    const auto size = ImGui::CalcTextSize(text.c_str());
    // Each detector has its own row of scores above the marks.
    const float top = at.y - em * (1.9F + static_cast<float>(one.detector % kMostNames));
    const ImVec4 place{at.x - size.x / 2, top, at.x + size.x / 2, top + size.y};
    if (std::any_of(written.begin(), written.end(), [&](const ImVec4& w) { return overlaps(w, place); })) continue;
    written.push_back(place);
    plot.text({place.x, place.y}, text, settings_.tone == Tone::kDark ? colour : text_colour(settings_.tone));
  }
  if (pointed != nullptr) {
    ImGui::SetTooltip("%s: x %.1f mm, y %.1f mm, score %.4g", d.detectors[pointed->detector].c_str(), pointed->x_mm,
                      pointed->y_mm, pointed->score);
  }
}

void Screen::detection_names(const Detections& d) const {
  const float em = ImGui::GetFontSize();
  for (std::size_t i = 0; i < std::min(d.detectors.size(), kMostNames); ++i) {
    const auto at = ImGui::GetCursorScreenPos();
    draw_mark(*ImGui::GetWindowDrawList(), {at.x + em * 0.7F, at.y + em * 0.55F}, i, detector_colour(i),
              settings_.tone);
    ImGui::Dummy({em * 1.3F, ImGui::GetTextLineHeight()});
    ImGui::SameLine();
    ImGui::TextUnformatted(name_line(d, i).c_str());
  }
  if (d.detectors.size() > kMostNames) ImGui::TextDisabled("and %zu detectors more", d.detectors.size() - kMostNames);
}

}  // namespace strigil::ui
