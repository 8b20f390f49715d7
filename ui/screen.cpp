#include "ui/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/words.hpp"

namespace strigil::ui {
namespace {

constexpr ImGuiWindowFlags kWhole = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                    ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBringToFrontOnFocus;

/// `use` of docs/control.md, for people.
const char* use_words(const std::string& use) {
  if (use == "by_hand") return "by hand";
  if (use == "running") return "running a protocol";
  if (use == "stop_test") return "stop test";
  if (use == "homing") return "homing";
  if (use == "starting") return "starting";
  if (use == "down") return "not up";
  return "unknown";
}

/// Two sentences as such, however the first one ends.
std::string and_then(std::string first, const std::string& second) {
  if (!first.empty() && first.back() != '.') first += '.';
  return first + " " + second;
}

}  // namespace

std::string Landmarks::json() const {
  std::string out = "{";
  for (const auto& [name, p] : places_) {
    out += fmt::format("{}\"{}\": [{:.0f}, {:.0f}, {:.0f}, {:.0f}]", out.size() > 1 ? ", " : "", name, p.low.x, p.low.y,
                       p.high.x - p.low.x, p.high.y - p.low.y);
  }
  return out + "}";
}

std::vector<Wish> Screen::take_wishes() {
  auto out = std::move(wishes_);
  wishes_.clear();
  return out;
}

std::string Screen::take_picture_wish() {
  auto out = std::move(picture_wish_);
  picture_wish_.clear();
  return out;
}

bool Screen::button(const char* label, const char* landmark, ImVec2 size, bool enabled, const char* why_not) {
  if (!enabled) ImGui::BeginDisabled();
  const bool pressed = ImGui::Button(label, size);
  if (!enabled) ImGui::EndDisabled();
  landmarks_.mark(landmark);
  if (!enabled && why_not != nullptr && ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled)) {
    ImGui::SetTooltip("%s", why_not);
  }
  return pressed && enabled;
}

void Screen::held_button(const char* label, const char* landmark, ImVec2 size, bool enabled, const Wish& press) {
  if (!enabled) ImGui::BeginDisabled();
  ImGui::Button(label, size);
  if (!enabled) ImGui::EndDisabled();
  landmarks_.mark(landmark);
  if (!enabled) return;
  if (ImGui::IsItemActivated()) wish(press);
  if (ImGui::IsItemActive()) {
    wish({.kind = Wish::Kind::kHold});
  }
  if (ImGui::IsItemDeactivated()) wish({.kind = Wish::Kind::kRelease});
}

void Screen::keys(const ModelState& s) {
  if (ImGui::IsKeyPressed(key::kEscape, false)) wish({.kind = Wish::Kind::kStop});
  if (ImGui::GetIO().WantTextInput) return;
  constexpr std::array kPages{key::kF1, key::kF2, key::kF3, key::kF4};
  for (std::size_t i = 0; i < kPages.size(); ++i) {
    if (ImGui::IsKeyPressed(kPages[i], false)) settings_.page = static_cast<Page>(i);
  }
  auto& view = settings_.page == Page::kReview ? review_view_ : settings_.live;
  // Where the arrow keys have chosen something, space presses that.
  if (ImGui::IsKeyPressed(key::kSpace, false) && !ImGui::GetIO().NavVisible) view.follow = !view.follow;
  const double about_s = view.follow ? view.to_s : view.middle_s();
  if (ImGui::IsKeyPressed(key::kEqual) || ImGui::IsKeyPressed(key::kPadAdd)) view.zoom(0.8, about_s);
  if (ImGui::IsKeyPressed(key::kMinus) || ImGui::IsKeyPressed(key::kPadSubtract)) view.zoom(1.25, about_s);
  if (ImGui::IsKeyPressed(key::kA, false)) view.a_s = view.middle_s();
  if (ImGui::IsKeyPressed(key::kB, false)) view.b_s = view.middle_s();
  if (ImGui::IsKeyPressed(key::kComma)) view.pan(-view.span_s / 10);
  if (ImGui::IsKeyPressed(key::kPeriod)) view.pan(view.span_s / 10);
  if (ImGui::IsKeyPressed(key::kF9, false)) settings_.tone = settings_.tone == Tone::kDark ? Tone::kLight : Tone::kDark;
  if (ImGui::IsKeyPressed(key::kF10, false)) settings_.engineer = !settings_.engineer;
  if (ImGui::IsKeyPressed(key::kF12, false)) picture_wish_ = "strigil-screen.png";
  if (ImGui::IsKeyPressed(key::kR, false) && ImGui::GetIO().KeyCtrl && s.in_control) wish({.verb = "reset"});
}

void Screen::draw() {
  landmarks_.begin();
  const auto& io = ImGui::GetIO();
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(io.DisplaySize);
  ImGui::Begin("strigil", nullptr, kWhole);
  {
    const std::scoped_lock lock(model_.mutex);
    auto& s = model_.state;
    keys(s);
    top_bar(s);
    trouble(s);
    prompt(s);
    switch (settings_.page) {
      case Page::kLive:
        live(s);
        break;
      case Page::kOperate:
        operate(s);
        break;
      case Page::kHealth:
        health(s);
        break;
      case Page::kReview:
        break;
    }
  }
  if (settings_.page == Page::kReview) review_page();
  ImGui::End();
}

void Screen::top_bar(const ModelState& s) {
  const float em = ImGui::GetFontSize();
  const float stop_wide = em * 9;
  const float tall = em * 2.8F;
  const float from = ImGui::GetCursorPosX();
  const float right = ImGui::GetWindowContentRegionMax().x;
  const float top = ImGui::GetCursorPosY();

  constexpr std::array kNames{"Live", "Operate", "Health", "Review"};
  constexpr std::array kKeys{"F1", "F2", "F3", "F4"};
  const float page_wide = em * 5.2F;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const bool here = settings_.page == static_cast<Page>(i);
    if (here) ImGui::PushStyleColor(ImGuiCol_Button, ImGui::GetStyleColorVec4(ImGuiCol_ButtonActive));
    if (ImGui::Button(fmt::format("{}\n{}", kNames[i], kKeys[i]).c_str(), {page_wide, tall})) {
      settings_.page = static_cast<Page>(i);
    }
    landmarks_.mark(fmt::format("page_{}", kNames[i]));
    if (here) ImGui::PopStyleColor();
    ImGui::SameLine();
  }
  const float words_x = ImGui::GetCursorPosX();
  const float words_wide = right - stop_wide - em - words_x;

  // The stop is always in the same corner, whatever else there is.
  ImGui::SetCursorPos({right - stop_wide, top});
  const bool sent = s.stop_asked && !s.stop_confirmed;
  ImGui::PushStyleColor(ImGuiCol_Button, ImVec4(0.75F, 0.08F, 0.05F, 1));
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, ImVec4(0.9F, 0.15F, 0.1F, 1));
  ImGui::PushStyleColor(ImGuiCol_ButtonActive, ImVec4(1.0F, 0.3F, 0.2F, 1));
  ImGui::PushStyleColor(ImGuiCol_Text, ImVec4(1, 1, 1, 1));
  ImGui::Button(sent ? "STOPPING..." : s.stop_confirmed ? "STOPPED\n(Esc again)" : "STOP\n(Esc)", {stop_wide, tall});
  // At the press and not at the release.
  if (ImGui::IsItemActivated()) wish({.kind = Wish::Kind::kStop});
  landmarks_.mark("stop");
  ImGui::PopStyleColor(4);

  if (words_wide > em * 8) {
    ImGui::SetCursorPos({words_x, top});
    ImGui::BeginChild("state", {words_wide, tall}, false, ImGuiWindowFlags_NoScrollbar | kPanel);
    if (!s.controller_answers) {
      ImGui::TextColored(fault_colour(settings_.tone), "no bench");
      ImGui::SameLine();
      ImGui::TextUnformatted(settings_.engineer ? "" : "waiting for it");
    } else {
      const auto& st = s.status;
      ImGui::TextUnformatted(fmt::format("{}: {}", st.bench, use_words(st.use)).c_str());
      ImGui::SameLine();
      if (st.armed) {
        ImGui::TextColored(good_colour(settings_.tone), "ready to move");
      } else {
        ImGui::TextColored(warning_colour(settings_.tone), "not reset");
      }
      const auto holder = s.in_control        ? std::string("you have control")
                          : st.holder.empty() ? std::string("nobody has control")
                                              : fmt::format("{} has control", st.holder);
      ImGui::TextUnformatted(fmt::format("{}   F {} N   x {}  y {}  z {} mm", holder, figure(st.normal_force_N, 2),
                                         figure(st.x_mm, 1), figure(st.y_mm, 1), figure(st.z_mm, 2))
                                 .c_str());
    }
    ImGui::EndChild();
  }
  ImGui::SetCursorPos({from, top + tall + ImGui::GetStyle().ItemSpacing.y});
  ImGui::Separator();
}

void Screen::prompt(const ModelState& s) {
  const auto& st = s.status;
  if (!s.controller_answers || st.prompt.empty()) return;
  const float em = ImGui::GetFontSize();
  const bool done = !st.prompt_confirmed_by.empty();
  // The button first: words may be long.
  if (button(done ? "Done" : "It is done", "prompt_done", {em * 7, em * 2}, !done)) {
    wish({.verb = "confirm", .arguments = fmt::format("{{\"number\": {}}}", st.prompt_number)});
  }
  ImGui::SameLine();
  const auto who = done ? fmt::format("confirmed by {}", st.prompt_confirmed_by) : fmt::format("{} asks", st.prompt_by);
  ImGui::PushStyleColor(ImGuiCol_Text, done ? good_colour(settings_.tone) : warning_colour(settings_.tone));
  ImGui::TextWrapped("%s: %s", who.c_str(), st.prompt.c_str());
  ImGui::PopStyleColor();
  landmarks_.mark("prompt");
  ImGui::Separator();
}

void Screen::trouble(const ModelState& s) {
  const auto& st = s.status;
  std::string words;
  if (!s.controller_answers) {
    words = s.controller_words;
  } else if (st.use == "down") {
    words = st.words;
  } else if (!st.faults_latched.empty() && st.faults_latched != "not_reset") {
    words = and_then(st.faults_latched, st.advice);
  } else if (!st.fault_before.empty()) {
    words = and_then(st.fault_before, "Reset when it is safe (Operate)");
  } else if (!s.controller_words.empty()) {
    words = fmt::format("refused: {}", s.controller_words);
  }
  if (words.empty()) return;
  ImGui::PushStyleColor(ImGuiCol_Text, fault_colour(settings_.tone));
  ImGui::TextWrapped("! %s", words.c_str());
  ImGui::PopStyleColor();
  landmarks_.mark("trouble");
  ImGui::Separator();
}

}  // namespace strigil::ui
