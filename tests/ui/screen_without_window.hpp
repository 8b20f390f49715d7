// A screen without a window: Dear ImGui with nothing behind it, so that frames can be drawn, pressed and measured
// anywhere.
#pragma once

#include <imgui.h>

#include <filesystem>

#include "ui/screen.hpp"

namespace strigil::ui {

class ScreenWithoutWindow {
 public:
  ScreenWithoutWindow(float wide, float tall, float scale) {
    ImGui::CreateContext();
    auto& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.DisplaySize = {wide, tall};
    io.DeltaTime = 1.0F / 60;
    io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;
    constexpr const char* kFont = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
    if (std::filesystem::exists(kFont)) {
      io.Fonts->AddFontFromFileTTF(kFont, 16 * scale);
    } else {
      io.FontGlobalScale = scale;
    }
    unsigned char* pixels = nullptr;
    int w = 0;
    int h = 0;
    io.Fonts->GetTexDataAsRGBA32(&pixels, &w, &h);
    settings.scale = scale;
    apply_theme(settings.tone, scale);
  }
  ~ScreenWithoutWindow() { ImGui::DestroyContext(); }
  ScreenWithoutWindow(const ScreenWithoutWindow&) = delete;
  ScreenWithoutWindow& operator=(const ScreenWithoutWindow&) = delete;

  std::vector<Wish> frame() {
    ImGui::NewFrame();
    screen.draw();
    ImGui::Render();
    return screen.take_wishes();
  }
  /// Moves the mouse to the middle of a landmark; it must be there.
  void point_at(const std::string& landmark) {
    const auto& p = screen.landmarks().places().at(landmark);
    ImGui::GetIO().MousePos = {(p.low.x + p.high.x) / 2, (p.low.y + p.high.y) / 2};
  }
  void mouse(bool down) { ImGui::GetIO().MouseDown[0] = down; }
  /// Points at it, presses and lets go; what was wished from the press to the release.
  std::vector<Wish> click(const std::string& landmark) {
    point_at(landmark);
    (void)frame();
    mouse(true);
    auto wishes = frame();
    mouse(false);
    for (auto& w : frame()) wishes.push_back(std::move(w));
    return wishes;
  }
  std::vector<Wish> press_key(int key) {
    ImGui::GetIO().KeysDown[key] = true;
    auto wishes = frame();
    ImGui::GetIO().KeysDown[key] = false;
    (void)frame();
    return wishes;
  }

  Model model;
  ScreenSettings settings;
  Screen screen{model, settings};
};

}  // namespace strigil::ui
