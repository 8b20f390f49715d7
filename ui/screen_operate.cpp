// The operate page: control, the stage by hand, protocols, what went wrong and how to go on.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/screen.hpp"

namespace strigil::ui {
namespace {

constexpr const char* kNeedsControl = "take control first";

}  // namespace

void Screen::operate(const ModelState& s) {
  const float each = (ImGui::GetContentRegionAvail().x - 2 * ImGui::GetStyle().ItemSpacing.x) / 3;
  ImGui::BeginChild("control", {each, 0}, true, kPanel);
  control_buttons(s, ImGui::GetContentRegionAvail().x);
  ImGui::EndChild();
  ImGui::SameLine();
  ImGui::BeginChild("hand", {each, 0}, true, kPanel);
  jog_pad(s);
  ImGui::EndChild();
  ImGui::SameLine();
  ImGui::BeginChild("protocols", {0, 0}, true, kPanel);
  running(s);
  ImGui::Separator();
  ImGui::BeginChild("protocol list", {0, ImGui::GetContentRegionAvail().y * 0.55F}, false, kPanel);
  protocols(s);
  ImGui::EndChild();
  ImGui::Separator();
  ImGui::BeginChild("last run", {0, 0}, false, kPanel);
  last_run(s);
  ImGui::EndChild();
  ImGui::EndChild();
}

/// What the rig saw when it tripped, and the way to the charts of that instant.
void Screen::evidence(const ModelState& s) {
  const auto trip = std::find_if(s.events.rbegin(), s.events.rend(),
                                 [](const EventLine& e) { return e.code == daq::EventCode::kInterlockTrip; });
  if (trip == s.events.rend()) return;
  ImGui::TextWrapped("Evidence: %s", trip->words.c_str());
  if (!button("See it on the charts", "see_trip", {ImGui::GetContentRegionAvail().x, 0}, true)) return;
  constexpr double kBefore_s = 4;
  constexpr double kAfter_s = 1;
  settings_.live.show(trip->at_s - kBefore_s, trip->at_s + kAfter_s);
  settings_.live.a_s = trip->at_s;
  settings_.page = Page::kLive;
}

void Screen::control_buttons(const ModelState& s, float wide) {
  const float em = ImGui::GetFontSize();
  const float tall = settings_.engineer ? em * 2 : em * 3;
  const auto& st = s.status;
  const ImVec2 whole{wide, tall};
  const bool idle = st.use == "by_hand" || st.use == "starting" || st.use == "down";
  ImGui::TextUnformatted("Control");
  if (s.in_control) {
    if (button("Give control", "give", whole, true)) wish({.verb = "give"});
  } else if (st.holder.empty()) {
    if (button("Take control", "take", whole, s.controller_answers, "no bench answers")) wish({.verb = "take"});
  } else {
    const auto label = fmt::format("Take control from {}", st.holder);
    if (button(label.c_str(), "take", whole, s.controller_answers)) ImGui::OpenPopup("force");
  }
  if (ImGui::BeginPopup("force")) {
    ImGui::TextUnformatted(fmt::format("{} has control. Take it all the same?", st.holder).c_str());
    if (button("Take it", "take_force", {em * 8, tall}, true)) {
      wish({.verb = "take", .arguments = R"({"force": true})"});
      ImGui::CloseCurrentPopup();
    }
    ImGui::SameLine();
    if (ImGui::Button("Leave it", {em * 8, tall})) ImGui::CloseCurrentPopup();
    ImGui::EndPopup();
  }
  ImGui::Separator();
  ImGui::TextUnformatted("Safety");
  ImGui::TextWrapped("State: %s%s", st.supervisor.empty() ? "-" : st.supervisor.c_str(),
                     st.emergency ? ", emergency stop pressed" : "");
  if (!st.faults_now.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, fault_colour(settings_.tone));
    ImGui::TextWrapped("Now: %s", st.faults_now.c_str());
    ImGui::PopStyleColor();
  }
  if (!st.faults_latched.empty() && st.faults_latched != "not_reset") {
    ImGui::PushStyleColor(ImGuiCol_Text, fault_colour(settings_.tone));
    ImGui::TextWrapped("Latched: %s", st.faults_latched.c_str());
    ImGui::PopStyleColor();
    ImGui::TextWrapped("%s", st.advice.c_str());
  }
  if (!st.fault_before.empty()) {
    ImGui::TextWrapped("Why it is not reset: %s", st.fault_before.c_str());
  }
  if (!st.armed) evidence(s);
  if (!st.armed) {
    ImGui::TextWrapped("To go on: 1. clear the cause; 2. look that nobody is at the stage; 3. take control; 4. reset.");
  }
  if (button("Reset  (Ctrl+R)", "reset", whole, s.in_control && idle && !st.armed,
             s.in_control ? "it is reset, or something runs" : kNeedsControl)) {
    wish({.verb = "reset"});
  }
  ImGui::Separator();
  ImGui::TextUnformatted("The shift begins");
  if (button("Home the stage", "home", whole, s.in_control && idle, s.in_control ? "something runs" : kNeedsControl)) {
    wish({.verb = "home"});
  }
  if (button("Stop test", "stop_test", whole, s.in_control && idle, s.in_control ? "something runs" : kNeedsControl)) {
    wish({.verb = "stop_test"});
  }
  if (!st.stop_test.empty()) ImGui::TextWrapped("%s", st.stop_test.c_str());
}

void Screen::jog_pad(const ModelState& s) {
  const float em = ImGui::GetFontSize();
  const auto& st = s.status;
  const bool may = s.in_control && st.use == "by_hand" && st.armed;
  ImGui::TextUnformatted("By hand: it moves while a button is held down");
  if (!may) {
    ImGui::TextColored(warning_colour(settings_.tone), "%s",
                       !s.in_control ? kNeedsControl
                       : !st.armed   ? "reset first"
                                     : "not while something runs");
  }
  ImGui::SetNextItemWidth(-em * 6);
  ImGui::SliderFloat("mm/s", &jog_speed_mm_s_, 0.1F, 100, "%.3g", ImGuiSliderFlags_Logarithmic);
  landmarks_.mark("jog_speed");
  const float side = std::min(em * 5.5F, (ImGui::GetContentRegionAvail().x - 3 * ImGui::GetStyle().ItemSpacing.x) / 4);
  const ImVec2 key{side, side * 0.8F};
  const auto jog = [&](const char* label, const char* landmark, const char* axis, float sign) {
    // Down onto something is never fast by hand: science.md 4.2 [M], 5-10 mm/s.
    const bool down = axis[0] == 'z' && sign < 0;
    const float speed = sign * (down ? std::min(jog_speed_mm_s_, 5.0F) : jog_speed_mm_s_);
    held_button(
        label, landmark, key, may,
        {.kind = Wish::Kind::kPress, .verb = "jog", .arguments = fmt::format("{{\"v{}_mm_s\": {}}}", axis, speed)});
  };
  const ImVec2 gap{side, side * 0.8F};
  ImGui::Dummy(gap);
  ImGui::SameLine();
  jog("y +", "jog_y_plus", "y", 1);
  ImGui::SameLine();
  ImGui::Dummy(gap);
  ImGui::SameLine();
  jog("z up", "jog_z_up", "z", 1);
  jog("x -", "jog_x_minus", "x", -1);
  ImGui::SameLine();
  ImGui::Dummy(gap);
  ImGui::SameLine();
  jog("x +", "jog_x_plus", "x", 1);
  ImGui::SameLine();
  ImGui::Dummy(gap);
  ImGui::Dummy(gap);
  ImGui::SameLine();
  jog("y -", "jog_y_minus", "y", -1);
  ImGui::SameLine();
  ImGui::Dummy(gap);
  ImGui::SameLine();
  jog("z down", "jog_z_down", "z", -1);
  ImGui::Separator();
  ImGui::TextUnformatted("Approach: down at 5 mm/s to the first touch");
  ImGui::SetNextItemWidth(-em * 6);
  ImGui::SliderFloat("N##touch", &approach_N_, 0.1F, 2, "%.2g");
  held_button(
      "Hold to approach", "approach", {ImGui::GetContentRegionAvail().x, em * 2.4F}, may,
      {.kind = Wish::Kind::kPress, .verb = "approach", .arguments = fmt::format("{{\"force_N\": {}}}", approach_N_)});
  ImGui::Separator();
  ImGui::TextUnformatted("Go to a place (mm)");
  ImGui::SetNextItemWidth(-1);
  ImGui::InputFloat3("##goto", go_to_mm_.data(), "%.2f");
  if (ImGui::SmallButton("here") && std::isfinite(st.x_mm)) {
    go_to_mm_ = {static_cast<float>(st.x_mm), static_cast<float>(st.y_mm), static_cast<float>(st.z_mm)};
  }
  held_button("Hold to go there", "go_to", {ImGui::GetContentRegionAvail().x, em * 2.4F}, may,
              {.kind = Wish::Kind::kPress,
               .verb = "move",
               .arguments = fmt::format("{{\"x_mm\": {}, \"y_mm\": {}, \"z_mm\": {}, \"speed_mm_s\": {}}}",
                                        go_to_mm_[0], go_to_mm_[1], go_to_mm_[2], jog_speed_mm_s_)});
}

/// What runs and how far it is, and the ways to hold or end it: never out of sight.
void Screen::running(const ModelState& s) {
  const float em = ImGui::GetFontSize();
  const auto& st = s.status;
  if (st.use == "running" && !st.suite.empty()) {
    ImGui::TextUnformatted(fmt::format("Running suite {}", st.suite).c_str());
    const double done = st.suite_trials > 0 ? (std::max(1.0, st.suite_trial) - 1) / st.suite_trials : 0;
    ImGui::ProgressBar(static_cast<float>(done), {-1, em * 1.6F},
                       (st.suite_trials > 0 ? fmt::format("trial {:.0f} of {:.0f}", st.suite_trial, st.suite_trials)
                                            : std::string("begins"))
                           .c_str());
    landmarks_.mark("suite_progress");
    ImGui::TextWrapped("%s", st.suite_words.c_str());
    ImGui::TextUnformatted(
        std::isfinite(st.suite_left_s)
            ? fmt::format("{:.0f} s gone, about {:.0f} s left", st.suite_elapsed_s, st.suite_left_s).c_str()
            : fmt::format("{:.0f} s gone", st.suite_elapsed_s).c_str());
  } else if (st.use == "running") {
    ImGui::TextUnformatted(fmt::format("Running {}", st.protocol).c_str());
    const float part = st.steps > 0 ? static_cast<float>((st.step - 1) / st.steps) : 0;
    ImGui::ProgressBar(
        part, {-1, em * 1.6F},
        (st.steps > 0 ? fmt::format("step {:.0f} of {:.0f}", st.step, st.steps) : std::string("begins")).c_str());
    ImGui::TextUnformatted(
        fmt::format("{}, {:.0f} s gone, about {:.0f} s left", st.step_kind, st.elapsed_s, st.left_s).c_str());
  } else {
    ImGui::TextUnformatted("Protocols");
  }
  const bool suspended = !st.suspended.empty() && st.suspended != "no";
  if (st.use == "running" && suspended) {
    ImGui::TextColored(warning_colour(settings_.tone), "suspended: %s", st.suspended.c_str());
    if (button("Go on", "resume", {ImGui::GetContentRegionAvail().x, em * 2.4F}, s.in_control, kNeedsControl)) {
      wish({.verb = "resume"});
    }
  } else if (button("Suspend", "suspend", {ImGui::GetContentRegionAvail().x, em * 2.4F}, st.use == "running",
                    "no protocol runs")) {
    wish({.verb = "suspend"});
  }
  if (button("Abort: lift and end", "abort", {ImGui::GetContentRegionAvail().x, em * 2.4F},
             st.use == "running" || st.use == "homing" || st.use == "stop_test", "nothing runs")) {
    wish({.verb = "abort"});
  }
}

void Screen::protocols(const ModelState& s) {
  const float em = ImGui::GetFontSize();
  const auto& st = s.status;
  if (s.protocols.empty()) ImGui::TextWrapped("The bench has told of no protocols yet.");
  const bool may = s.in_control && st.armed && st.use == "by_hand";
  const char* why_not = !s.in_control ? kNeedsControl : st.armed ? "something runs" : "reset first";
  const auto library = [&](const std::vector<std::string>& names, const char* verb, const char* key) {
    ImGui::PushID(verb);
    for (const auto& name : names) {
      ImGui::PushID(name.c_str());
      if (button("Run", fmt::format("{}_{}", verb, name).c_str(), {em * 4, 0}, may, why_not)) {
        wish({.verb = verb, .arguments = fmt::format("{{\"{}\": \"{}\"}}", key, name)});
      }
      ImGui::SameLine();
      ImGui::TextUnformatted(name.c_str());
      ImGui::PopID();
    }
    ImGui::PopID();
  };
  library(s.protocols, "run", "protocol");
  if (s.suites.empty()) return;
  ImGui::Separator();
  ImGui::TextUnformatted("Suites");
  library(s.suites, "suite", "suite");
}

void Screen::last_run(const ModelState& s) {
  ImGui::TextUnformatted("Last run");
  if (!s.status.last_run) {
    ImGui::TextDisabled("none since the bench came up");
    return;
  }
  const auto& run = *s.status.last_run;
  const auto colour = run.judgement == "PASS"   ? good_colour(settings_.tone)
                      : run.judgement == "FAIL" ? warning_colour(settings_.tone)
                                                : fault_colour(settings_.tone);
  ImGui::TextColored(colour, "%s", run.judgement.empty() ? "no verdict" : run.judgement.c_str());
  landmarks_.mark("judgement");
  ImGui::SameLine();
  ImGui::TextUnformatted(run.protocol.c_str());
  if (!run.file.empty() && button("Review it", "review_last", {ImGui::GetFontSize() * 8, 0}, true)) {
    review_.overlay.reset();
    review_.run = std::make_unique<RunOnScreen>(run.file);
    review_fitted_ = false;
    settings_.page = Page::kReview;
  }
  if (!run.file.empty()) ImGui::TextWrapped("%s", run.file.c_str());
  for (const auto& reason : run.reasons) ImGui::TextWrapped("- %s", reason.c_str());
}

}  // namespace strigil::ui
