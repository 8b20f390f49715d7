// Frame: CPU time of the main thread for one frame of the live page, 1920x1080, all sixteen channels of a 25.6 kHz
// stream on it, spectrum and spectrogram beside them, Dear ImGui with nothing behind it, against an empty Dear ImGui
// frame (one window, one line of text) in turns. The whole history is on the screen; a sixtieth of a second of samples
// comes between two frames, which is the listening thread's time and not the frame's.
#include <cmath>
#include <random>

#include "tests/bench/cpu_clock.hpp"
#include "tests/ui/screen_without_window.hpp"

namespace strigil::bench {
namespace {

constexpr double kRate_Hz = 25'600;
constexpr std::size_t kChannels = 16;
constexpr double kFrame_s = 1.0 / 60;
constexpr double kBar_ms = 8;
/// "Independent of the history's length" is our reading: an hour against ten seconds.
constexpr double kFlat = 1.5;

daq::StreamDescription description() {
  daq::StreamDescription d;
  d.name = "vibration";
  d.quantity = "acceleration";
  d.rate_Hz = kRate_Hz;
  for (std::size_t c = 0; c < kChannels; ++c) d.channels.push_back({"a" + std::to_string(c), "m/s2", 1e-6, 0});
  return d;
}

/// Appends noise to what is on the screen, in blocks as they come from the rig.
class Feed {
 public:
  explicit Feed(ui::Model& model) : model_(model) {
    block_.channels = kChannels;
    block_.samples = static_cast<std::uint16_t>(block_.values.size() / kChannels);
    block_.period_ns = 1e9 / kRate_Hz;
    std::minstd_rand random(1);
    for (auto& v : block_.values) v = static_cast<float>(random() % 2000) * 1e-3F - 1;
  }
  [[nodiscard]] double length_s() const { return static_cast<double>(samples_) / kRate_Hz; }
  void up_to(double length_s) {
    while (this->length_s() < length_s) {
      block_.t0 = daq::HostTime{1'000'000'000 + std::llround(static_cast<double>(samples_) * block_.period_ns)};
      model_.take_block(description_, block_);
      samples_ += block_.samples;
    }
  }

 private:
  ui::Model& model_;
  const daq::StreamDescription description_ = description();
  daq::Block block_;
  std::uint64_t samples_ = 0;
};

double empty_frame_ms() {
  const double began = thread_cpu_s();
  ImGui::NewFrame();
  ImGui::Begin("empty");
  ImGui::TextUnformatted("nothing");
  ImGui::End();
  ImGui::Render();
  return 1e3 * (thread_cpu_s() - began);
}

std::size_t strips_of(const ui::ScreenWithoutWindow& screen) {
  std::size_t strips = 0;
  for (const auto& [name, place] : screen.screen.landmarks().places()) strips += name.starts_with("strip_") ? 1U : 0U;
  return strips;
}

std::string length_words(double length_s) {
  if (length_s >= 3600) return std::to_string(static_cast<int>(length_s / 3600 + 0.5)) + " h";
  if (length_s >= 60) return std::to_string(static_cast<int>(length_s / 60 + 0.5)) + " min";
  return std::to_string(static_cast<int>(length_s + 0.5)) + " s";
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) {
  using namespace strigil;
  using namespace strigil::bench;
  const auto options = parse_options(argc, argv);
  const auto lengths = options.choose<std::vector<double>>({1, 10, 60, 600, 3600}, {1, 10, 600}, {1, 2});
  const int frames = options.choose(1200, 300, 20);

  ui::ScreenWithoutWindow screen(1920, 1080, 1);
  screen.settings.page = ui::Page::kLive;
  screen.model.state.controller_answers = true;
  Feed feed(screen.model);
  for (std::size_t c = 0; c < kChannels; ++c) screen.settings.shown["vibration/" + std::to_string(c)] = true;
  std::vector<Figure> figures;
  double at_ten_seconds = 0;
  for (const double length_s : lengths) {
    feed.up_to(length_s);
    screen.settings.live.span_s = length_s;
    for (int i = 0; i < 10; ++i) (void)screen.frame();
    std::vector<double> ours;
    std::vector<double> empty;
    for (int i = 0; i < frames; ++i) {
      feed.up_to(feed.length_s() + kFrame_s);
      const double began = thread_cpu_s();
      (void)screen.frame();
      ours.push_back(1e3 * (thread_cpu_s() - began));
      empty.push_back(empty_frame_ms());
    }
    if (strips_of(screen) != kChannels) give_up("not all strips were drawn");
    const double p99 = percentile(ours, 0.99);
    if (length_s == lengths[1]) at_ten_seconds = p99;
    Figure f{.name = "frame, 16 channels, history of " + length_words(length_s) + ", p99", .unit = "ms", .ours = p99};
    f.reference = percentile(empty, 0.99);
    f.judged = p99;
    f.at_most = kBar_ms;
    char note[160];
    std::snprintf(note, sizeof note, "p50 %.2f ms, %.0f times an empty frame's %.3f ms; history %.0f MB", median(ours),
                  median(ours) / median(empty), median(empty),
                  1e-6 * static_cast<double>(screen.model.state.streams.at("vibration").history.bytes()));
    f.note = note;
    figures.push_back(f);
    if (length_s == lengths.back()) {
      Figure flat{
          .name = "the longest history against " + length_words(lengths[1]) + ", p99", .unit = "ms", .ours = p99};
      flat.reference = at_ten_seconds;
      flat.judged = p99 / at_ten_seconds;
      flat.at_most = kFlat;
      figures.push_back(flat);
    }
  }
  return report(options, figures);
}
