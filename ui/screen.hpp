// Screen: the whole console, drawn once a frame from a model. Knows no sockets: what the operator wants goes into
// Wishes, which the owner carries out after the frame.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "ui/keys.hpp"
#include "ui/landmarks.hpp"
#include "ui/model.hpp"
#include "ui/plot.hpp"
#include "ui/replay_head.hpp"
#include "ui/review.hpp"
#include "ui/theme.hpp"
#include "ui/time_view.hpp"
#include "ui/trigger.hpp"

namespace strigil::ui {

/// Of every panel: the arrow keys go from one to the next. Esc, which else leaves a panel, stops the rig.
inline constexpr ImGuiWindowFlags kPanel = ImGuiWindowFlags_NavFlattened;

/// One thing the operator wants of the bench.
struct Wish {
  enum class Kind : unsigned char { kAsk, kPress, kHold, kRelease, kStop };
  Kind kind = Kind::kAsk;
  std::string verb = {};
  std::string arguments = "{}";
};

enum class Page : unsigned char { kLive, kOperate, kHealth, kReview };

/// What is kept from one start to the next.
struct ScreenSettings {
  Tone tone = Tone::kDark;
  float scale = 1;
  bool engineer = false;  ///< more figures; an operator has larger buttons instead
  Page page = Page::kLive;
  TimeView live;                      ///< what stretch of time the live page shows
  std::map<std::string, bool> shown;  ///< "stream/channel": which have a strip
};

/// Main thread only.
class Screen {
 public:
  Screen(Model& model, ScreenSettings& settings) : model_(model), settings_(settings) {}
  /// One frame, between ImGui::NewFrame() and Render(). Locks the model for as long as it draws from it.
  void draw();
  /// What was wished in the last frame.
  [[nodiscard]] std::vector<Wish> take_wishes();
  [[nodiscard]] const Landmarks& landmarks() const { return landmarks_; }
  [[nodiscard]] Review& review() { return review_; }
  /// Shows this phantom on the live page's map; says there why it cannot.
  void load_phantom(const std::string& path);
  /// A file that the operator asked to have a picture of the screen in; empty: none.
  [[nodiscard]] std::string take_picture_wish();

 private:
  void keys(const ModelState& s);
  void top_bar(const ModelState& s);
  void trouble(const ModelState& s);
  void live(ModelState& s);
  void strips(std::map<std::string, StreamView>& streams, TimeView& view, const char* id, float height);
  /// Channels that nobody has chosen or left out yet.
  void choose_at_first(const std::map<std::string, StreamView>& streams);
  void channel_list(const std::map<std::string, StreamView>& streams);
  void frequency(const ModelState& s, ImVec2 size);
  void over_position(const ModelState& s, ImVec2 size);
  void trigger(const std::map<std::string, StreamView>& streams);
  void watch_trigger(const std::map<std::string, StreamView>& streams);
  void beside(ModelState& s);
  void choose_phantom();
  /// Takes as much height as `size` says, with the detectors' names below.
  void map(const std::map<std::string, StreamView>& streams, const DoseMap& dose, const rig::Phantom* phantom,
           Detections& detections, const std::optional<double>& at_s, ImVec2 size);
  void detection_marks(Plot& plot, const Detections& d, const std::optional<double>& until_s) const;
  void detection_names(const Detections& d) const;
  void section(const std::map<std::string, StreamView>& streams, const rig::Phantom* phantom,
               const std::optional<double>& at_s, ImVec2 size);
  void prompt(const ModelState& s);
  void operate(const ModelState& s);
  void evidence(const ModelState& s);
  void control_buttons(const ModelState& s, float wide);
  void jog_pad(const ModelState& s);
  void running(const ModelState& s);
  void protocols(const ModelState& s);
  void last_run(const ModelState& s);
  void health(const ModelState& s);
  void health_flow(const ModelState& s);
  void health_rig(const ModelState& s);
  void health_trust(const ModelState& s);
  void stop_test_trend(const Health& h);
  void replay_controls(double from_s, double to_s);
  void review_page();
  void about_run(const ModelState& s, const std::string& verdict, double began_s);
  bool button(const char* label, const char* landmark, ImVec2 size, bool enabled, const char* why_not = nullptr);
  /// True while it is held down; begins the press at its first frame.
  void held_button(const char* label, const char* landmark, ImVec2 size, bool enabled, const Wish& press);
  void wish(Wish w) { wishes_.push_back(std::move(w)); }

  Model& model_;
  ScreenSettings& settings_;
  Review review_;
  Landmarks landmarks_;
  std::vector<Wish> wishes_;
  TimeView review_view_;
  ReplayHead head_;
  Trigger trigger_;
  std::shared_ptr<const rig::Phantom> phantom_;  // chosen here, for the live page
  std::string phantom_trouble_;
  std::array<char, 512> phantom_file_{};
  bool review_fitted_ = false;  // the view has shown the whole run once
  std::string spectrum_of_ = "vibration/0";
  std::vector<float> heat_;
  double heat_made_s_ = -1;
  float jog_speed_mm_s_ = 10;
  float approach_N_ = 0.3F;
  std::array<float, 3> go_to_mm_{};
  std::string picture_wish_;
  std::array<char, 512> review_file_{};
  std::array<char, 512> overlay_file_{};
};

}  // namespace strigil::ui
