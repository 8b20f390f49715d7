// strigil-ui: the console in a window. A client of the published interface and nothing else: killing it disturbs no
// rig.
#include <GLFW/glfw3.h>
#include <fmt/format.h>
#include <imgui.h>
#include <imgui/backends/imgui_impl_glfw.h>
#include <imgui/backends/imgui_impl_opengl3.h>
#include <unistd.h>

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"
#include "ui/bench_link.hpp"
#include "ui/screen.hpp"

namespace {

using namespace strigil;

constexpr const char* kFont = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";  // Debian: fonts-dejavu-core
constexpr float kFontPixels = 16;

std::string layout_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  const std::string dir = config != nullptr && *config != '\0' ? config
                          : home != nullptr                    ? std::string(home) + "/.config"
                                                               : ".";
  return dir + "/strigil/ui.json";
}

/// What was kept; what cannot be read is as if it had never been kept.
ui::ScreenSettings load_settings(const std::string& path) {
  ui::ScreenSettings s;
  const auto text = daq::read_text_file(path);
  if (!text) return s;
  const auto j = daq::parse_json(*text);
  if (!j.is_object()) return s;
  if (const auto at = j.find("light"); at != j.end() && at->is_boolean() && at->get<bool>()) s.tone = ui::Tone::kLight;
  if (const auto at = j.find("engineer"); at != j.end() && at->is_boolean()) s.engineer = at->get<bool>();
  if (const auto at = j.find("scale"); at != j.end() && at->is_number()) s.scale = at->get<float>();
  if (const auto at = j.find("page"); at != j.end() && at->is_number_integer()) {
    s.page = static_cast<ui::Page>(std::clamp(at->get<int>(), 0, 3));
  }
  if (const auto at = j.find("span_s"); at != j.end() && at->is_number()) {
    s.live.span_s = std::clamp(at->get<double>(), ui::TimeView::kShortest_s, ui::TimeView::kLongest_s);
  }
  if (const auto at = j.find("shown"); at != j.end() && at->is_object()) {
    for (const auto& [channel, shown] : at->items()) {
      if (shown.is_boolean()) s.shown[channel] = shown.get<bool>();
    }
  }
  return s;
}

/// `kept`: what was written last; the same is not written again.
void save_settings(const std::string& path, const ui::ScreenSettings& s, std::string& kept) {
  const auto text = nlohmann::json{{"light", s.tone == ui::Tone::kLight}, {"engineer", s.engineer},  {"scale", s.scale},
                                   {"page", static_cast<int>(s.page)},    {"span_s", s.live.span_s}, {"shown", s.shown}}
                        .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text == kept) return;
  kept = text;
  std::error_code failure;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
  std::ofstream out(path);
  out << text;
  if (!out.flush()) fmt::print(stderr, "strigil-ui: the settings cannot be kept in {}\n", path);
}

void save_picture(GLFWwindow* window, const std::string& path) {
  int wide = 0;
  int tall = 0;
  glfwGetFramebufferSize(window, &wide, &tall);
  std::vector<unsigned char> pixels(static_cast<std::size_t>(wide) * static_cast<std::size_t>(tall) * 3);
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, wide, tall, GL_RGB, GL_UNSIGNED_BYTE, pixels.data());
  stbi_flip_vertically_on_write(1);
  if (stbi_write_png(path.c_str(), wide, tall, 3, pixels.data(), wide * 3) == 0) {
    fmt::print(stderr, "strigil-ui: '{}' cannot be written\n", path);
  }
}

/// Frames come at the most so often, also where the driver waits for no screen (a virtual one, a hidden window).
class FramePace {
 public:
  /// Before Dear ImGui takes the window's callbacks: it calls on those that were there.
  explicit FramePace(GLFWwindow* window) {
    glfwSetKeyCallback(window, [](GLFWwindow*, int key, int, int action, int) {
      urgent() = true;
      // Not left to Dear ImGui: of a key that goes down and up while one frame is drawn it sees nothing.
      if (key == ui::key::kEscape && action == GLFW_PRESS) stop_pressed() = true;
    });
    glfwSetMouseButtonCallback(window, [](GLFWwindow*, int, int, int) { urgent() = true; });
  }
  /// Takes the window's events until the next frame is due. A key or a button is not kept waiting: it may be a stop.
  /// True: the key that stops was pressed.
  [[nodiscard]] bool wait() {
    glfwPollEvents();
    for (double left = next_s_ - glfwGetTime(); left > 0 && !urgent(); left = next_s_ - glfwGetTime()) {
      glfwWaitEventsTimeout(left);
    }
    urgent() = false;
    next_s_ = glfwGetTime() + kFrame_s;
    return std::exchange(stop_pressed(), false);
  }

 private:
  static constexpr double kFrame_s = 1.0 / 60;
  static bool& urgent() {
    static bool flag = false;  // GLFW's callbacks carry no pointer of ours
    return flag;
  }
  static bool& stop_pressed() {
    static bool flag = false;
    return flag;
  }
  double next_s_ = 0;
};

void carry_out(ui::BenchLink* link, const std::vector<ui::Wish>& wishes) {
  if (link == nullptr) return;
  for (const auto& w : wishes) {
    switch (w.kind) {
      case ui::Wish::Kind::kAsk:
        link->ask(w.verb, w.arguments);
        break;
      case ui::Wish::Kind::kPress:
        link->press(w.verb, w.arguments);
        break;
      case ui::Wish::Kind::kHold:
        link->hold();
        break;
      case ui::Wish::Kind::kRelease:
        link->release();
        break;
      case ui::Wish::Kind::kStop:
        link->stop();
        break;
    }
  }
}

struct Arguments {
  std::string control = "tcp://127.0.0.1:5560";
  std::string client;
  std::string server_key;
  std::string secret_key;
  std::string review;
  std::string phantom;
  bool review_again = false;
  std::string size = "1280x720";
  float scale = 0;
  bool light = false;
  std::string settings = layout_file();
  std::string landmarks;
  std::string picture;
  double picture_after_s = 0;
};

int run(const Arguments& a) {
  int wide = 0;
  int tall = 0;
  if (std::sscanf(a.size.c_str(), "%dx%d", &wide, &tall) != 2 || wide < 320 || tall < 240 || wide > 16384 ||
      tall > 16384) {
    fmt::print(stderr, "strigil-ui: '{}' is no size such as 1280x720\n", a.size);
    return 3;
  }
  std::optional<daq::CurveClientKeys> curve;
  if (!a.server_key.empty()) {
    const auto secret = daq::read_text_file(a.secret_key);
    const auto open_key = daq::read_text_file(a.secret_key + ".pub");
    if (!secret || !open_key) {
      fmt::print(stderr, "strigil-ui: --server-key needs --curve-secret-key FILE with FILE.pub beside it\n");
      return 3;
    }
    const auto line = [](const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); };
    curve = daq::CurveClientKeys{a.server_key, line(*open_key), line(*secret)};
  }
  auto settings = load_settings(a.settings);
  if (a.light) settings.tone = ui::Tone::kLight;
  if (a.scale > 0) settings.scale = a.scale;
  settings.scale = std::clamp(settings.scale, 1.0F, 2.0F);

  glfwSetErrorCallback([](int, const char* words) { fmt::print(stderr, "strigil-ui: {}\n", words); });
  if (glfwInit() == GLFW_FALSE) return 3;
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 0);
  GLFWwindow* window = glfwCreateWindow(wide, tall, "Strigil", nullptr, nullptr);
  if (window == nullptr) return 3;
  glfwMakeContextCurrent(window);
  glfwSwapInterval(1);
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  auto& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
  if (std::filesystem::exists(kFont)) {
    io.Fonts->AddFontFromFileTTF(kFont, kFontPixels * settings.scale);
  } else {
    fmt::print(stderr, "strigil-ui: {} is not there; letters will be coarse\n", kFont);
    io.FontGlobalScale = settings.scale;
  }
  FramePace pace(window);
  ImGui_ImplGlfw_InitForOpenGL(window, true);
  ImGui_ImplOpenGL3_Init("#version 130");

  ui::Model model;
  std::unique_ptr<ui::BenchLink> link;
  if (!a.control.empty()) {
    const char* user = std::getenv("USER");
    const std::string who = user != nullptr && *user != '\0' ? user : "screen";
    link = std::make_unique<ui::BenchLink>(
        model, ui::BenchLinkConfig{a.control, a.client.empty() ? who + " at the screen" : a.client, curve});
  }
  std::string kept;
  if (!link) model.state.controller_words.clear();  // nobody is waited for
  {
    ui::Screen screen(model, settings);
    if (!a.review.empty()) {
      screen.review().run = std::make_unique<ui::RunOnScreen>(a.review);
      settings.page = ui::Page::kReview;
    }
    if (!a.phantom.empty()) screen.load_phantom(a.phantom);
    auto drawn = settings;
    ui::apply_theme(settings.tone, settings.scale);
    double told_landmarks_s = 0;
    constexpr double kKeepSettings_s = 2;
    double looked_at_settings_s = 0;
    while (glfwWindowShouldClose(window) == GLFW_FALSE) {
      if (pace.wait() && link) link->stop();
      if (a.review_again && !screen.review().run->growing()) {
        screen.review().run = std::make_unique<ui::RunOnScreen>(a.review);
      }
      if (drawn.tone != settings.tone) ui::apply_theme(settings.tone, settings.scale);
      drawn = settings;
      ImGui_ImplOpenGL3_NewFrame();
      ImGui_ImplGlfw_NewFrame();
      ImGui::NewFrame();
      screen.draw();
      // Before anything else that takes time: a stop does not wait for pixels.
      carry_out(link.get(), screen.take_wishes());
      ImGui::Render();
      int frame_wide = 0;
      int frame_tall = 0;
      glfwGetFramebufferSize(window, &frame_wide, &frame_tall);
      glViewport(0, 0, frame_wide, frame_tall);
      glClear(GL_COLOR_BUFFER_BIT);
      ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
      const bool due = !a.picture.empty() && glfwGetTime() >= a.picture_after_s;
      if (due) save_picture(window, a.picture);
      if (const auto wish = screen.take_picture_wish(); !wish.empty()) save_picture(window, wish);
      glfwSwapBuffers(window);
      if (!a.landmarks.empty() && glfwGetTime() - told_landmarks_s > 0.03) {
        told_landmarks_s = glfwGetTime();
        const auto fresh = a.landmarks + ".new";
        std::ofstream(fresh) << screen.landmarks().json();
        std::filesystem::rename(fresh, a.landmarks);
      }
      // As they are changed: a console that is killed comes back as it was.
      if (glfwGetTime() - looked_at_settings_s > kKeepSettings_s) {
        looked_at_settings_s = glfwGetTime();
        save_settings(a.settings, settings, kept);
      }
      if (due) break;
    }
  }
  link.reset();
  save_settings(a.settings, settings, kept);
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImGui::DestroyContext();
  glfwDestroyWindow(window);
  glfwTerminate();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The bench on a screen: what it measures, and its controls. A client of `strigil serve`; it disturbs no rig when "
      "it "
      "is killed.\nKeys: Esc STOP, F1-F4 pages, space follow, + and - zoom, F9 dark or light, F10 engineer, F12 "
      "picture.",
      "strigil-ui");
  Arguments a;
  app.add_option("--control", a.control, "Where the bench is served; empty: none")->capture_default_str();
  app.add_option("--as", a.client, "Who sits here, for others to see");
  app.add_option("--server-key", a.server_key, "Public key of a rig beyond this computer");
  app.add_option("--curve-secret-key", a.secret_key, "Our secret key, with its .pub beside it");
  app.add_option("--review", a.review, "Begin with this run file");
  app.add_option("--phantom", a.phantom, "File of the phantom that lies there, for the map; no bench tells it");
  app.add_flag("--review-again", a.review_again, "For tests: read it over and over")->needs("--review");
  app.add_option("--size", a.size, "Of the window")->capture_default_str();
  app.add_option("--scale", a.scale, "Of everything, 1 to 2")->check(CLI::Range(1.0, 2.0));
  app.add_flag("--light", a.light, "Light instead of dark");
  app.add_option("--settings", a.settings, "Where they are kept")->capture_default_str();
  app.add_option("--picture", a.picture, "Make a PNG of the screen and end");
  app.add_option("--picture-after", a.picture_after_s, "Seconds before that");
  app.add_option("--landmarks", a.landmarks, "For tests: keep the places of the buttons in this file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 3;
  }
  return run(a);
}
