// Where the instrument is: the phantom from above with the way it went and the dose it gave, and the layers from the
// side. The phantom is known only where somebody chose its file here, or a run file holds it: no bench tells it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "rig/ground_truth.hpp"
#include "rig/phantom_file.hpp"
#include "ui/plot.hpp"
#include "ui/screen.hpp"
#include "ui/screen_detections.hpp"

namespace strigil::ui {
namespace {

constexpr double kMilli = 1e3;
constexpr std::size_t kTrail = 4000;  // reports of the stage that are drawn at the most ...
constexpr double kTrail_s = 20;       // ... of so long, where a replay is

/// Place of the stage, mm; NaN where nothing is known.
struct StagePlace {
  std::vector<float> x, y, z;  ///< the way there, oldest first
  double x_mm = NAN, y_mm = NAN, z_mm = NAN;
};

/// The channel of that name in the stream that tells where the stage is.
const StreamView* stage_stream(const std::map<std::string, StreamView>& streams) {
  for (const auto& [name, v] : streams) {
    if (v.description.quantity == "position" && v.description.channels.size() >= 3) return &v;
  }
  return nullptr;
}

StagePlace place_at(const std::map<std::string, StreamView>& streams, const std::optional<double>& at_s) {
  StagePlace p;
  const auto* v = stage_stream(streams);
  if (v == nullptr) return p;
  std::vector<double> times;
  for (std::size_t c = 0; c < 3; ++c) {
    auto& way = c == 0 ? p.x : c == 1 ? p.y : p.z;
    if (at_s) {
      v->history.samples(c, *at_s - kTrail_s, kTrail, times, way);
      way.resize(static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), *at_s) - times.begin()));
    } else {
      v->history.newest(c, kTrail, times, way);
    }
    for (auto& value : way) value *= static_cast<float>(kMilli);
    double& here = c == 0 ? p.x_mm : c == 1 ? p.y_mm : p.z_mm;
    const auto newest = std::find_if(way.rbegin(), way.rend(), [](float value) { return !std::isnan(value); });
    if (newest != way.rend()) here = static_cast<double>(*newest);
  }
  return p;
}

struct Box {
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  void add(double x, double y) {
    if (!std::isfinite(x) || !std::isfinite(y)) return;
    x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
  }
  /// Wider where a millimetre would else not be as long both ways; the inner size of a plot is `wide` by `tall`.
  void fit(double wide, double tall) {
    if (x0 > x1) *this = {0, 100, -50, 50};
    const double pad = std::max(2.0, 0.05 * std::max(x1 - x0, y1 - y0));
    x0 -= pad, x1 += pad, y0 -= pad, y1 += pad;
    const double per = std::max((x1 - x0) / wide, (y1 - y0) / tall);
    const double more_x = (per * wide - (x1 - x0)) / 2;
    const double more_y = (per * tall - (y1 - y0)) / 2;
    x0 -= more_x, x1 += more_x, y0 -= more_y, y1 += more_y;
  }
};

double surface_mm(const rig::PhantomSurface& s, double x_mm) {
  const double x = x_mm / kMilli;
  const double wave =
      s.curvature_wavelength_m > 0 ? s.curvature_amplitude_m * std::sin(2 * M_PI * x / s.curvature_wavelength_m) : 0;
  return kMilli * (s.z_m + s.slope * x + wave);
}

/// Places for words of which none lies over another: each goes down, line by line, until it is free.
class FreePlaces {
 public:
  ImVec2 place(ImVec2 at, const std::string& words) {
    const auto size = ImGui::CalcTextSize(words.c_str());
    const auto over = [&](const ImVec4& other) {
      return at.x < other.z && at.x + size.x > other.x && at.y < other.w && at.y + size.y > other.y;
    };
    while (std::any_of(taken_.begin(), taken_.end(), over)) at.y += size.y;
    taken_.emplace_back(at.x, at.y, at.x + size.x, at.y + size.y);
    return at;
  }

 private:
  std::vector<ImVec4> taken_;  // left, top, right, bottom
};

}  // namespace

void Screen::choose_phantom() {
  ImGui::SetNextItemWidth(-ImGui::GetFontSize() * 4);
  ImGui::InputTextWithHint("##phantom", "phantom file (.toml)", phantom_file_.data(), phantom_file_.size());
  landmarks_.mark("phantom_file");
  ImGui::SameLine();
  if (button("Load", "phantom_load", {}, phantom_file_[0] != '\0', "name a phantom's file first")) {
    load_phantom(phantom_file_.data());
  }
  if (!phantom_trouble_.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, fault_colour(settings_.tone));
    ImGui::TextWrapped("! %s", phantom_trouble_.c_str());
    ImGui::PopStyleColor();
  }
}

void Screen::load_phantom(const std::string& path) {
  phantom_trouble_.clear();
  phantom_.reset();
  auto read = rig::load_phantom(path);
  if (read) {
    phantom_ = std::make_shared<const rig::Phantom>(std::move(*read));
  } else {
    phantom_trouble_ = read.error().message;
  }
}

void Screen::map(const std::map<std::string, StreamView>& streams, const DoseMap& dose, const rig::Phantom* phantom,
                 Detections& detections, const std::optional<double>& at_s, ImVec2 size) {
  const float em = ImGui::GetFontSize();
  const auto stage = place_at(streams, at_s);
  find_places(detections, stage_stream(streams));
  size.y -= names_height(detections);
  Box box;
  for (std::size_t i = first_drawn(detections); i < detections.all.size(); ++i) {
    if (std::isfinite(detections.all[i].y_mm)) box.add(detections.all[i].x_mm, detections.all[i].y_mm);
  }
  for (std::size_t i = 0; i < std::min(stage.x.size(), stage.y.size()); ++i) {
    box.add(static_cast<double>(stage.x[i]), static_cast<double>(stage.y[i]));
  }
  if (phantom != nullptr) {
    box.add(phantom->x_min_m * kMilli, phantom->y_min_m * kMilli);
    box.add(phantom->x_max_m * kMilli, phantom->y_max_m * kMilli);
  }
  const std::size_t rows = dose.columns == 0 ? 0 : (dose.used.size() + dose.columns - 1) / dose.columns;
  if (rows > 0) {
    box.add(dose.x_min_mm, dose.y_min_mm);
    box.add(dose.x_min_mm + dose.side_mm * static_cast<double>(dose.columns),
            dose.y_min_mm + dose.side_mm * static_cast<double>(rows));
  }
  const float wide = ImGui::GetContentRegionAvail().x - em * 5;
  box.fit(std::max(1.0, static_cast<double>(wide)), std::max(1.0, static_cast<double>(size.y - em * 2.8F)));
  float most = 0;
  for (const float used : dose.used) most = std::max(most, used);
  const auto dose_words = rows > 0 ? fmt::format("; dose {:.0f} %", 100 * most) : std::string();
  Plot plot("map", size, {box.x0, box.x1}, {box.y0, box.y1}, settings_.tone, "from above, y [mm]" + dose_words, "x mm");
  landmarks_.mark("map");
  for (std::size_t i = 0; rows > 0 && i < dose.used.size(); ++i) {
    if (dose.used[i] <= 0) continue;
    const double x = dose.x_min_mm + dose.side_mm * static_cast<double>(i % dose.columns);
    const double y = dose.y_min_mm + dose.side_mm * static_cast<double>(i / dose.columns);
    plot.box(x, y, x + dose.side_mm, y + dose.side_mm, heat_colour(std::min(1.0F, dose.used[i])), true);
  }
  if (phantom != nullptr) {
    plot.box(phantom->x_min_m * kMilli, phantom->y_min_m * kMilli, phantom->x_max_m * kMilli, phantom->y_max_m * kMilli,
             text_colour(settings_.tone, true), false);
    FreePlaces names;
    for (const auto& inclusion : phantom->inclusions) {
      const auto f = rig::footprint_of(inclusion);
      // Told by words too: what is to be found has its kind beside it, what is not is in brackets.
      const auto colour = curve_colour(inclusion.target ? 1 : 2);
      plot.box(f.x_min_m * kMilli, f.y_min_m * kMilli, f.x_max_m * kMilli, f.y_max_m * kMilli, colour, false);
      const std::string kind(rig::name_of(inclusion.kind));
      const auto words = inclusion.target ? kind : "(" + kind + ")";
      plot.text(names.place({plot.px(f.x_min_m * kMilli) + em * 0.2F, plot.py(f.y_min_m * kMilli)}, words), words,
                colour);
    }
  }
  plot.line(stage.x, stage.y, curve_colour(0));
  if (std::isfinite(stage.x_mm)) {
    plot.cross(stage.x_mm, stage.y_mm, text_colour(settings_.tone));
  } else {
    plot.words("no stage is heard of");
  }
  detection_marks(plot, detections, at_s);
  detection_names(detections);
}

void Screen::section(const std::map<std::string, StreamView>& streams, const rig::Phantom* phantom,
                     const std::optional<double>& at_s, ImVec2 size) {
  const auto stage = place_at(streams, at_s);
  Box box;
  for (std::size_t i = 0; i < std::min(stage.x.size(), stage.z.size()); ++i) {
    box.add(static_cast<double>(stage.x[i]), static_cast<double>(stage.z[i]));
  }
  const double thick_mm = phantom == nullptr ? 0 : kMilli * rig::thickness_m(phantom->layers);
  if (phantom != nullptr) {
    box.add(phantom->x_min_m * kMilli, surface_mm(phantom->surface, phantom->x_min_m * kMilli));
    box.add(phantom->x_max_m * kMilli, surface_mm(phantom->surface, phantom->x_max_m * kMilli) - thick_mm);
  }
  if (box.x0 > box.x1) box = {0, 100, -50, 0};
  if (box.x1 - box.x0 < 1) box.x0 -= 1, box.x1 += 1;  // a stage at rest: no micrometres for axes
  if (box.y1 - box.y0 < 1) box.y0 -= 1, box.y1 += 1;
  Plot plot("section", size, padded(box.x0, box.x1), padded(box.y0, box.y1), settings_.tone, "from the side, z [mm]",
            "x mm");
  landmarks_.mark("section");
  if (phantom != nullptr) {
    constexpr int kPoints = 64;
    double below_mm = 0;
    for (std::size_t l = 0; l <= phantom->layers.size(); ++l) {
      std::vector<float> x;
      std::vector<float> z;
      for (int i = 0; i <= kPoints; ++i) {
        const double at = kMilli * (phantom->x_min_m + (phantom->x_max_m - phantom->x_min_m) * i / kPoints);
        x.push_back(static_cast<float>(at));
        z.push_back(static_cast<float>(surface_mm(phantom->surface, at) - below_mm));
      }
      plot.line(x, z, text_colour(settings_.tone, l > 0));
      if (l == phantom->layers.size()) break;
      const double thickness_mm = kMilli * phantom->layers[l].thickness_m;
      const double middle = surface_mm(phantom->surface, phantom->x_min_m * kMilli) - below_mm - thickness_mm / 2;
      // A layer thinner than a line of text keeps its name to itself.
      if (std::abs(plot.py(middle - thickness_mm / 2) - plot.py(middle + thickness_mm / 2)) > ImGui::GetFontSize()) {
        plot.label(phantom->x_min_m * kMilli, middle, phantom->layers[l].name, text_colour(settings_.tone, true), true);
      }
      below_mm += thickness_mm;
    }
  }
  plot.line(stage.x, stage.z, curve_colour(0));
  if (std::isfinite(stage.x_mm)) plot.cross(stage.x_mm, stage.z_mm, text_colour(settings_.tone));
  if (!std::isfinite(stage.x_mm) && phantom == nullptr) plot.words("no stage is heard of");
}

}  // namespace strigil::ui
