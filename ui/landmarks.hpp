// Landmarks: where on the screen the things are that a test (or a tutorial) wants to point at.
#pragma once

#include <imgui.h>

#include <map>
#include <string>

namespace strigil::ui {

/// Made anew in every frame. Main thread.
class Landmarks {
 public:
  void begin() { places_.clear(); }
  /// The item drawn last is called `name` in this frame.
  void mark(const std::string& name) { places_[name] = {ImGui::GetItemRectMin(), ImGui::GetItemRectMax()}; }
  struct Place {
    ImVec2 low, high;
  };
  [[nodiscard]] const std::map<std::string, Place>& places() const { return places_; }
  /// {"stop": [x, y, width, height], ...}
  [[nodiscard]] std::string json() const;

 private:
  std::map<std::string, Place> places_;
};

}  // namespace strigil::ui
