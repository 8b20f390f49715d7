// The live page: strip charts, frequencies, force over millimetres.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/plot.hpp"
#include "ui/screen.hpp"
#include "ui/spectrum.hpp"

namespace strigil::ui {
namespace {

std::string key_of(const std::string& stream, std::size_t channel) { return fmt::format("{}/{}", stream, channel); }

/// What one wants to see first: the normal force, one axis of vibration, where the stage is.
bool shown_at_first(const StreamView& v, std::size_t channel) {
  const auto& q = v.description.quantity;
  if (q == "setpoint") return false;
  const auto& name = v.description.channels[channel].name;
  return name == "Fz" || name == "az" || name == "x" || name == "z" || v.description.channels.size() == 1;
}

double newest_of(const std::map<std::string, StreamView>& streams) {
  double newest = 0;
  for (const auto& [name, v] : streams) {
    if (v.description.quantity != "setpoint" && v.history.samples() > 0) newest = std::max(newest, v.history.last_s());
  }
  return newest;
}

/// Metres are for code; people read millimetres.
struct Shown {
  float factor = 1;
  std::string unit;
};
Shown shown_unit(const std::string& unit) {
  if (unit == "m") return {1e3F, "mm"};
  if (unit == "m/s") return {1e3F, "mm/s"};
  return {1, unit};
}

/// Of the force's channels the normal one; where none is called so, all.
bool is_shown(const Pass& p, bool normal_known) { return p.stream == "force" && (!normal_known || p.channel == "Fz"); }

/// The lowest and highest of what is drawn.
Span range_of(std::span<const Column> columns) {
  double low = INFINITY;
  double high = -INFINITY;
  for (const auto& c : columns) {
    if (std::isnan(c.low)) continue;
    low = std::min<double>(low, c.low);
    high = std::max<double>(high, c.high);
  }
  return padded(low, high);
}

}  // namespace

void Screen::choose_at_first(const std::map<std::string, StreamView>& streams) {
  for (const auto& [name, v] : streams) {
    for (std::size_t c = 0; c < v.description.channels.size(); ++c) {
      const auto [at, fresh] = settings_.shown.try_emplace(key_of(name, c), false);
      if (fresh) at->second = shown_at_first(v, c);
    }
  }
}

void Screen::channel_list(const std::map<std::string, StreamView>& streams) {
  choose_at_first(streams);
  for (const auto& [name, v] : streams) {
    const bool setpoint = v.description.quantity == "setpoint";
    if (!ImGui::TreeNodeEx(name.c_str(), setpoint ? 0 : ImGuiTreeNodeFlags_DefaultOpen)) continue;
    for (std::size_t c = 0; c < v.description.channels.size(); ++c) {
      const auto key = key_of(name, c);
      const auto& channel = v.description.channels[c];
      ImGui::Checkbox(fmt::format("{} [{}]##{}", channel.name, shown_unit(channel.unit).unit, key).c_str(),
                      &settings_.shown[key]);
    }
    ImGui::TreePop();
  }
}

void Screen::strips(std::map<std::string, StreamView>& streams, TimeView& view, const char* id, float height) {
  const float em = ImGui::GetFontSize();
  choose_at_first(streams);
  std::size_t count = 0;
  for (auto& [name, v] : streams) {
    for (std::size_t c = 0; c < v.description.channels.size(); ++c) count += settings_.shown[key_of(name, c)] ? 1U : 0U;
  }
  if (count == 0) {
    ImGui::TextUnformatted(streams.empty() ? "No streams yet." : "Tick a channel on the left.");
    return;
  }
  view.advance(newest_of(streams));
  const float spacing = ImGui::GetStyle().ItemSpacing.y;
  const float each = std::max(em * 5, (height - em * 1.6F) / static_cast<float>(count) - spacing);
  std::vector<Column> columns;
  std::size_t i = 0;
  for (auto& [name, v] : streams) {
    for (std::size_t c = 0; c < v.description.channels.size(); ++c) {
      if (!settings_.shown[key_of(name, c)]) continue;
      const bool last = i + 1 == count;
      const auto& channel = v.description.channels[c];
      const Span x{view.from_s(), view.to_s};
      columns.resize(std::max<std::size_t>(
          1, static_cast<std::size_t>(std::max(1.0F, ImGui::GetContentRegionAvail().x - em * 5))));
      v.history.columns(c, x.low, x.high, columns);
      const auto unit = shown_unit(channel.unit);
      for (auto& column : columns) column.low *= unit.factor, column.high *= unit.factor;
      const Span y = range_of(columns);
      std::string label = fmt::format("{} {} [{}]", name, channel.name, unit.unit);
      for (const auto& [cursor, letter] : {std::pair{view.a_s, 'A'}, {view.b_s, 'B'}}) {
        if (cursor) label += fmt::format("   {}: {:.5g}", letter, unit.factor * v.history.value_at(c, *cursor));
      }
      Plot plot(fmt::format("{}{}", id, key_of(name, c)).c_str(), {0, each + (last ? em * 1.1F : 0)}, x, y,
                settings_.tone, label, last ? "s" : "");
      landmarks_.mark(fmt::format("strip_{}", key_of(name, c)));
      plot.curve(columns, curve_colour(i));
      if (v.history.samples() == 0) plot.words("nothing came yet");
      if (view.a_s) plot.vertical(*view.a_s, text_colour(settings_.tone), "A");
      if (view.b_s) plot.vertical(*view.b_s, text_colour(settings_.tone), "B");
      if (view.head_s) plot.vertical(*view.head_s, curve_colour(6), "");
      const auto& io = ImGui::GetIO();
      if (plot.hovered()) {
        const double at = plot.x_at(io.MousePos.x);
        if (io.MouseWheel != 0) view.zoom(std::pow(0.85, io.MouseWheel), at);
        if (ImGui::IsMouseClicked(ImGuiMouseButton_Right)) (io.KeyShift ? view.b_s : view.a_s) = at;
        if (ImGui::IsKeyPressed(key::kA, false)) view.a_s = at;
        if (ImGui::IsKeyPressed(key::kB, false)) view.b_s = at;
      }
      if (plot.active() && ImGui::IsMouseDragging(ImGuiMouseButton_Left)) {
        view.pan(-io.MouseDelta.x * view.span_s / static_cast<double>(plot.width()));
      }
      ++i;
    }
  }
}

void Screen::live(ModelState& s) {
  const float em = ImGui::GetFontSize();
  const float list = em * 11;
  const float side = ImGui::GetContentRegionAvail().x > em * 60 ? em * 24 : 0;
  ImGui::BeginChild("channels", {list, 0}, true, kPanel);
  ImGui::Checkbox("follow (space)", &settings_.live.follow);
  landmarks_.mark("follow");
  ImGui::SetNextItemWidth(-1);
  float span = static_cast<float>(settings_.live.span_s);
  if (ImGui::SliderFloat("##span", &span, 0.01F, 3600, "%.4g s", ImGuiSliderFlags_Logarithmic))
    settings_.live.span_s = span;
  trigger(s.streams);
  watch_trigger(s.streams);
  if (settings_.live.a_s && settings_.live.b_s) {
    ImGui::TextUnformatted(fmt::format("B - A {:.6g} s", *settings_.live.b_s - *settings_.live.a_s).c_str());
  }
  if ((settings_.live.a_s || settings_.live.b_s) && ImGui::SmallButton("clear cursors"))
    settings_.live.a_s.reset(), settings_.live.b_s.reset();
  ImGui::Separator();
  channel_list(s.streams);
  ImGui::Separator();
  ImGui::TextDisabled("right click: A\nshift right: B\nwheel: zoom\ndrag: pan");
  ImGui::EndChild();
  ImGui::SameLine();
  ImGui::BeginChild("strips", {side > 0 ? -side - ImGui::GetStyle().ItemSpacing.x : 0, 0}, false, kPanel);
  if (s.streams.empty()) {
    ImGui::TextWrapped("%s", s.controller_answers ? "The bench publishes nothing yet." : "No bench is connected.");
  } else {
    strips(s.streams, settings_.live, "live", ImGui::GetContentRegionAvail().y);
  }
  ImGui::EndChild();
  if (side <= 0) return;
  ImGui::SameLine();
  ImGui::BeginChild("beside", {side, 0}, false, kPanel);
  beside(s);
  ImGui::EndChild();
}

void Screen::beside(ModelState& s) {
  if (!ImGui::BeginTabBar("beside tabs")) return;
  const bool signal = ImGui::BeginTabItem("Signal");
  landmarks_.mark("tab_signal");
  if (signal) {
    const float each = ImGui::GetContentRegionAvail().y / 3 - ImGui::GetStyle().ItemSpacing.y;
    frequency(s, {0, each});
    over_position(s, {0, each});
    ImGui::EndTabItem();
  }
  const bool place = ImGui::BeginTabItem("Place");
  landmarks_.mark("tab_place");
  if (place) {
    choose_phantom();
    const float left = ImGui::GetContentRegionAvail().y - 2 * ImGui::GetStyle().ItemSpacing.y;
    map(s.streams, s.health.dose, phantom_.get(), s.detections, std::nullopt, {0, left * 0.6F});
    section(s.streams, phantom_.get(), std::nullopt, {0, left * 0.4F});
    ImGui::EndTabItem();
  }
  ImGui::EndTabBar();
}

void Screen::trigger(const std::map<std::string, StreamView>& streams) {
  if (!ImGui::TreeNode("trigger")) return;
  ImGui::SetNextItemWidth(-1);
  if (ImGui::BeginCombo("##trigger", trigger_.of.empty() ? "of" : trigger_.of.c_str())) {
    for (const auto& [name, v] : streams) {
      for (std::size_t c = 0; c < v.description.channels.size(); ++c) {
        const auto key = key_of(name, c);
        const auto label = fmt::format("{} {}##{}", name, v.description.channels[c].name, key);
        if (ImGui::Selectable(label.c_str(), key == trigger_.of)) trigger_.of = key;
      }
    }
    ImGui::EndCombo();
  }
  ImGui::SetNextItemWidth(ImGui::GetFontSize() * 4);
  ImGui::InputFloat("##level", &trigger_.level, 0, 0, "%.4g");
  ImGui::SameLine();
  if (ImGui::Button(trigger_.rising ? "rising" : "falling")) trigger_.rising = !trigger_.rising;
  if (button(trigger_.armed ? "waiting" : "Arm", "trigger_arm", {-1, 0}, !trigger_.of.empty(),
             "choose a channel first")) {
    trigger_.armed = !trigger_.armed;
    trigger_.looked_s = newest_of(streams);
    if (trigger_.armed) settings_.live.follow = true;
  }
  ImGui::TreePop();
}

void Screen::watch_trigger(const std::map<std::string, StreamView>& streams) {
  if (!trigger_.armed) return;
  const auto slash = trigger_.of.find('/');
  const auto stream = streams.find(trigger_.of.substr(0, slash));
  const std::size_t channel = std::strtoul(trigger_.of.c_str() + slash + 1, nullptr, 10);
  if (slash == std::string::npos || stream == streams.end() || channel >= stream->second.history.channels()) return;
  // More than comes between two frames of a busy computer; what is more waits for the next one.
  constexpr std::size_t kAtOnce = 65'536;
  std::vector<double> times;
  std::vector<float> values;
  stream->second.history.samples(channel, trigger_.looked_s, kAtOnce, times, values);
  if (times.empty()) return;
  const float factor = shown_unit(stream->second.description.channels[channel].unit).factor;
  for (auto& v : values) v *= factor;
  trigger_.looked_s = times.back();
  const auto at = first_crossing(times, values, trigger_.level, trigger_.rising);
  if (!at) return;
  trigger_.armed = false;
  auto& view = settings_.live;
  view.show(*at - view.span_s / 2, *at + view.span_s / 2);
  view.a_s = *at;
}

void Screen::frequency(const ModelState& s, ImVec2 size) {
  const auto slash = spectrum_of_.find('/');
  const auto stream = s.streams.find(spectrum_of_.substr(0, slash));
  ImGui::SetNextItemWidth(-1);
  if (ImGui::BeginCombo("##spectrum", spectrum_of_.c_str())) {
    for (const auto& [name, v] : s.streams) {
      if (v.description.rate_Hz <= 0 && v.rate_Hz <= 0) continue;
      for (std::size_t c = 0; c < v.description.channels.size(); ++c) {
        const auto key = key_of(name, c);
        if (ImGui::Selectable(fmt::format("{} {}##{}", name, v.description.channels[c].name, key).c_str(),
                              key == spectrum_of_)) {
          spectrum_of_ = key;
        }
      }
    }
    ImGui::EndCombo();
  }
  const float each = size.y - ImGui::GetFrameHeightWithSpacing() / 2;
  const std::size_t channel =
      slash == std::string::npos ? 0 : std::strtoul(spectrum_of_.c_str() + slash + 1, nullptr, 10);
  std::vector<double> times;
  std::vector<float> values;
  double rate = 0;
  std::string unit = "-";
  if (stream != s.streams.end() && channel < stream->second.history.channels()) {
    constexpr std::size_t kSamples = 16384;
    const auto& v = stream->second;
    rate = v.description.rate_Hz > 0 ? v.description.rate_Hz : v.rate_Hz;
    unit = v.description.channels[channel].unit;
    if (settings_.live.follow) {
      v.history.newest(channel, kSamples, times, values);
    } else {
      v.history.samples(channel, settings_.live.from_s(), kSamples, times, values);
    }
  }
  const auto spectrum = spectrum_of(values, rate);
  std::vector<double> hertz;
  std::vector<float> decibels;
  for (std::size_t i = 1; i < spectrum.density.size(); ++i) {
    hertz.push_back(std::log10(static_cast<double>(i) * spectrum.bin_Hz));
    decibels.push_back(20 * std::log10(std::max(spectrum.density[i], 1e-10F)));
  }
  // Not more points than the plot has pixels: of each group the highest.
  constexpr std::size_t kPoints = 512;
  if (hertz.size() > 2 * kPoints) {
    std::vector<double> x;
    std::vector<float> y;
    const double low = hertz.front();
    const double step = (hertz.back() - low) / kPoints;
    for (std::size_t i = 0; i < hertz.size();) {
      const double end = low + step * (std::floor((hertz[i] - low) / step) + 1);
      float most = -1e9F;
      const double at = hertz[i];
      for (; i < hertz.size() && hertz[i] < end; ++i) most = std::max(most, decibels[i]);
      if (most < -1e8F) most = decibels[i], ++i;
      x.push_back(at);
      y.push_back(most);
    }
    hertz = std::move(x);
    decibels = std::move(y);
  }
  float top = decibels.empty() ? 0 : *std::max_element(decibels.begin(), decibels.end());
  {
    Plot plot("spectrum", {0, each}, {hertz.empty() ? 0 : hertz.front(), hertz.empty() ? 4 : hertz.back()},
              {top - 80.0, top + 5.0}, settings_.tone, fmt::format("density [dB re 1 {}/rtHz]", unit), kHertzByDecades);
    plot.line(hertz, decibels, curve_colour(0));
    if (decibels.empty()) plot.words("nothing to analyse yet");
  }
  constexpr std::size_t kColumns = 80;
  constexpr std::size_t kRows = 48;
  const double now = ImGui::GetTime();
  if (now - heat_made_s_ > 0.25) {
    heat_ = spectrogram_of(values, rate, kColumns, kRows);
    heat_made_s_ = now;
  }
  const double from = times.empty() ? 0 : times.front();
  const double to = times.empty() ? 1 : times.back();
  Plot plot("spectrogram", {0, each}, {from, std::max(to, from + 1e-6)}, {0, std::max(rate / 2, 1.0)}, settings_.tone,
            "spectrogram [Hz], 60 dB", "s");
  if (!values.empty()) plot.heat(heat_, kColumns, kRows);
}

void Screen::over_position(const ModelState& s, ImVec2 size) {
  const bool normal_known =
      std::any_of(s.passes.begin(), s.passes.end(), [](const Pass& p) { return is_shown(p, true); });
  double low = INFINITY;
  double high = -INFINITY;
  double x_low = INFINITY;
  double x_high = -INFINITY;
  std::string unit = "N";
  std::size_t first = 0;
  std::size_t count = 0;
  for (const auto& p : s.passes) {
    if (!is_shown(p, normal_known)) continue;
    ++count;
    unit = p.unit;
    x_low = std::min(x_low, p.first_mm);
    x_high = std::max(x_high, p.first_mm + p.bin_mm * static_cast<double>(p.mean.size() - 1));
    for (const float m : p.mean) {
      if (std::isnan(m)) continue;
      low = std::min<double>(low, m);
      high = std::max<double>(high, m);
    }
  }
  Plot plot("passes", size, count > 0 ? padded(x_low, x_high) : Span{0, 100}, padded(low, high), settings_.tone,
            fmt::format("{} over the way [{}], {} passes", normal_known ? "Fz" : "force", unit, count), "mm");
  for (const auto& p : s.passes) {
    if (!is_shown(p, normal_known)) continue;
    std::vector<double> x(p.mean.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = p.first_mm + p.bin_mm * static_cast<double>(i);
    plot.line(x, p.mean, curve_colour(first++));
  }
  if (count == 0) plot.words("no pass yet: they come as strokes end");
}

}  // namespace strigil::ui
