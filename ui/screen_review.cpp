// The review page: a run file, another laid over it, its events, and what to take away of it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/plot.hpp"
#include "ui/screen.hpp"

namespace strigil::ui {
namespace {

struct Extent {
  double from_s = 0;
  double to_s = 0;
};

Extent extent_of(const std::map<std::string, StreamView>& streams) {
  Extent e{INFINITY, -INFINITY};
  for (const auto& [name, v] : streams) {
    if (v.history.samples() == 0 || v.description.quantity == "setpoint") continue;
    e.from_s = std::min(e.from_s, v.history.first_s());
    e.to_s = std::max(e.to_s, v.history.last_s());
  }
  return e;
}

std::string file_name_of(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

void Screen::review_page() {
  const float em = ImGui::GetFontSize();
  ImGui::SetNextItemWidth(ImGui::GetContentRegionAvail().x * 0.34F);
  ImGui::InputTextWithHint("##run", "run file, e.g. runs/x.h5", review_file_.data(), review_file_.size());
  landmarks_.mark("review_file");
  ImGui::SameLine();
  if (button("Open", "review_open", {}, review_file_[0] != '\0', "name a file first")) {
    review_.run = std::make_unique<RunOnScreen>(review_file_.data());
    review_fitted_ = false;
  }
  ImGui::SameLine();
  ImGui::SetNextItemWidth(ImGui::GetContentRegionAvail().x * 0.5F);
  ImGui::InputTextWithHint("##overlay", "another, to lay over it", overlay_file_.data(), overlay_file_.size());
  ImGui::SameLine();
  if (button("Overlay", "review_overlay", {}, overlay_file_[0] != '\0' && review_.run != nullptr, "open a run first")) {
    review_.overlay = std::make_unique<RunOnScreen>(overlay_file_.data());
  }
  if (!review_.run) {
    ImGui::TextWrapped(
        "No run is open. Name a run file above; a run that is still being recorded may be opened too, and is "
        "followed as it grows.");
    return;
  }
  auto& run = *review_.run;
  if (const auto trouble = run.trouble(); !trouble.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, fault_colour(settings_.tone));
    ImGui::TextWrapped("! %s", trouble.c_str());
    ImGui::PopStyleColor();
  }
  const float list = em * 16;
  ImGui::BeginChild("about", {list, 0}, true, kPanel);
  ImGui::TextWrapped("%s", file_name_of(run.path()).c_str());
  if (run.progress() < 1) ImGui::ProgressBar(run.progress(), {-1, em * 1.4F});
  if (run.growing() && run.progress() >= 1) ImGui::TextDisabled("still growing");
  const std::scoped_lock lock(run.model().mutex);
  auto& s = run.model().state;
  const auto whole = extent_of(s.streams);
  const bool any = whole.to_s > whole.from_s;
  const bool asked = any && button("Whole run", "review_whole", {}, true);
  if (any && (asked || !review_fitted_)) {
    review_view_.show(whole.from_s, whole.to_s);
    head_ = {.rate = head_.rate, .at_s = whole.to_s};  // the way is on the map
    review_fitted_ = run.progress() >= 1;              // until then the whole grows
  }
  if (any && button("Save as CSV", "review_csv", {}, true)) {
    for (const auto& [name, v] : s.streams) {
      if (!settings_.shown[fmt::format("{}/0", name)] && name != "force") continue;
      const auto path = fmt::format("{}-{}.csv", file_name_of(run.path()), name);
      const auto written = write_csv(v, review_view_.from_s(), review_view_.to_s, path);
      run.model().state.controller_words = written ? fmt::format("written: {}", path) : written.error().message;
    }
  }
  ImGui::SameLine();
  if (button("Picture", "review_picture", {}, true)) picture_wish_ = file_name_of(run.path()) + ".png";
  if (!s.controller_words.empty() && s.controller_words != "not connected")
    ImGui::TextWrapped("%s", s.controller_words.c_str());
  about_run(s, run.verdict(), whole.from_s);
  ImGui::EndChild();
  ImGui::SameLine();
  const float side = any && ImGui::GetContentRegionAvail().x > em * 50 ? em * 22 : 0;
  ImGui::BeginChild("review strips", {side > 0 ? -side - ImGui::GetStyle().ItemSpacing.x : 0, 0}, false, kPanel);
  if (any) replay_controls(whole.from_s, whole.to_s);
  const float height = ImGui::GetContentRegionAvail().y;
  const float below = review_.overlay ? em * 12 : 0;
  if (any) strips(s.streams, review_view_, "review", height - below);
  if (review_.overlay && any) {
    // By time since each began, in the same stretch: the run above and the other.
    auto& other = *review_.overlay;
    const std::scoped_lock also(other.model().mutex);
    const auto& theirs = other.model().state.streams;
    const auto mine = s.streams.find("force");
    const auto their = theirs.find("force");
    if (!other.trouble().empty()) {
      ImGui::TextWrapped("! %s", other.trouble().c_str());
    } else if (mine != s.streams.end() && their != theirs.end() && mine->second.history.channels() > 2 &&
               their->second.history.channels() > 2) {
      constexpr std::size_t kNormal = 2;
      const double shift = extent_of(theirs).from_s - whole.from_s;
      std::vector<Column> a(static_cast<std::size_t>(std::max(1.0F, ImGui::GetContentRegionAvail().x - em * 5)));
      auto b = a;
      mine->second.history.columns(kNormal, review_view_.from_s(), review_view_.to_s, a);
      their->second.history.columns(kNormal, review_view_.from_s() + shift, review_view_.to_s + shift, b);
      double low = INFINITY;
      double high = -INFINITY;
      for (const auto& columns : {a, b}) {
        for (const auto& c : columns) {
          if (std::isnan(c.low)) continue;
          low = std::min<double>(low, c.low);
          high = std::max<double>(high, c.high);
        }
      }
      Plot plot("overlay", {0, below - ImGui::GetStyle().ItemSpacing.y},
                {review_view_.from_s() - whole.from_s, review_view_.to_s - whole.from_s}, padded(low, high),
                settings_.tone,
                fmt::format("force {} [N]; orange: {}", mine->second.description.channels[kNormal].name,
                            file_name_of(other.path())),
                "s since each began");
      plot.curve(a, curve_colour(0));
      plot.curve(b, curve_colour(1));
    } else {
      ImGui::TextUnformatted("The other run has no force to lay over this one (yet).");
    }
  }
  ImGui::EndChild();
  if (side <= 0) return;
  ImGui::SameLine();
  ImGui::BeginChild("review place", {side, 0}, false, kPanel);
  const auto phantom = run.phantom();
  const float left = ImGui::GetContentRegionAvail().y - 2 * ImGui::GetStyle().ItemSpacing.y;
  map(s.streams, run.dose(), phantom.get(), s.detections, head_.at_s, {0, left * 0.6F});
  section(s.streams, phantom.get(), head_.at_s, {0, left * 0.4F});
  ImGui::EndChild();
}

void Screen::about_run(const ModelState& s, const std::string& verdict, double began_s) {
  if (!ImGui::BeginTabBar("about tabs")) return;
  const bool judged = ImGui::BeginTabItem("Verdict");
  landmarks_.mark("review_verdict");
  if (judged) {
    ImGui::TextWrapped("%s", verdict.empty() ? "none (yet)" : verdict.c_str());
    ImGui::EndTabItem();
  }
  const bool channels = ImGui::BeginTabItem("Channels");
  landmarks_.mark("review_channels");
  if (channels) {
    channel_list(s.streams);
    ImGui::EndTabItem();
  }
  const bool events = ImGui::BeginTabItem("Events");
  landmarks_.mark("review_events");
  if (events) {
    if (s.events.empty()) ImGui::TextDisabled("none");
    for (const auto& e : s.events) {
      ImGui::PushID(&e);
      // What is pressed lies under the words, which may take several lines.
      const auto at = ImGui::GetCursorPos();
      const auto words = fmt::format("{:.2f} s  {}", e.at_s - began_s, e.words);
      const float wide = ImGui::GetContentRegionAvail().x;
      const float tall = ImGui::CalcTextSize(words.c_str(), nullptr, false, wide).y;
      if (ImGui::Selectable("##event", false, 0, {wide, tall})) {
        review_view_.show(e.at_s - 1, e.at_s + 1);
        head_.at_s = e.at_s;
      }
      landmarks_.mark("review_event");
      ImGui::SetCursorPos(at);
      ImGui::TextWrapped("%s", words.c_str());
      ImGui::PopID();
    }
    ImGui::EndTabItem();
  }
  ImGui::EndTabBar();
}

void Screen::replay_controls(double from_s, double to_s) {
  const float em = ImGui::GetFontSize();
  head_.advance(static_cast<double>(ImGui::GetIO().DeltaTime), from_s, to_s);
  if (button(head_.playing ? "Pause" : "Play", "replay_play", {em * 4, 0}, true)) {
    if (head_.playing) {
      head_.playing = false;
    } else {
      head_.play(from_s, to_s);
    }
  }
  ImGui::SameLine();
  ImGui::SetNextItemWidth(em * 6);
  ImGui::SliderFloat("##rate", &head_.rate, 0.1F, 20, "%.2g x", ImGuiSliderFlags_Logarithmic);
  landmarks_.mark("replay_rate");
  ImGui::SameLine();
  ImGui::SetNextItemWidth(-1);
  auto at = static_cast<float>(head_.at_s - from_s);
  if (ImGui::SliderFloat("##seek", &at, 0, static_cast<float>(to_s - from_s), "%.2f s")) {
    head_.at_s = from_s + static_cast<double>(at);
  }
  landmarks_.mark("replay_seek");
  review_view_.head_s = head_.at_s;
  // What is played is on the screen.
  const bool out = head_.at_s < review_view_.from_s() || head_.at_s > review_view_.to_s;
  if (head_.playing && out) review_view_.show(head_.at_s, head_.at_s + review_view_.span_s);
}

}  // namespace strigil::ui
