#include "protocols/protocol.hpp"

#include <fmt/format.h>

#include "daq/strict_toml.hpp"

namespace strigil::protocols {
namespace {

using daq::Range;
using daq::StrictTable;

constexpr double kMillimetre = 1e-3;
constexpr double kMillisecond = 1e-3;
constexpr double kPercent = 1e-2;
constexpr Range kAnywhere_mm{-2000, 2000};
// science.md 1.1: clinical strokes are 0.3-125 N (Everingham 2019); 1.2: 25-400 mm/s, here with room below for tests.
constexpr Range kForce_N{0.2, 125};
constexpr Range kSpeed_mm_s{1, 400};

bool valid_name(const std::string& name) {
  constexpr std::size_t kLongestName = 64;
  constexpr std::string_view kMay = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.size() <= kLongestName && name.find_first_not_of(kMay) == std::string::npos;
}

void read_approach(StrictTable t, Protocol& p) {
  p.start_x_m = t.number("start_x_mm", kAnywhere_mm) * kMillimetre;
  p.start_y_m = t.number("start_y_mm", kAnywhere_mm, 0.0) * kMillimetre;
  p.start_z_m = t.number("start_z_mm", kAnywhere_mm) * kMillimetre;
  p.deepest_z_m = t.number("deepest_z_mm", kAnywhere_mm) * kMillimetre;
  if (t.has("start_z_mm") && t.has("deepest_z_mm") && p.deepest_z_m >= p.start_z_m)
    t.refuse("deepest_z_mm", "'deepest_z_mm' must lie below 'start_z_mm'");
  p.approach_speed_m_s = t.number("speed_mm_s", {0.1, 10}, 5.0) * kMillimetre;  // science.md 4.2
  p.contact_force_N = t.number("contact_force_N", {0.05, 5}, 0.3);              // science.md 4.2
  t.finish();
}

void read_press(StrictTable t, Protocol& p) {
  p.normal_force_N = t.numbers("normal_force_N", kForce_N);
  p.press_tolerance = t.number("tolerance_percent", {0.5, 50}, 5.0) * kPercent;
  p.press_timeout_s = t.number("timeout_s", {1, 120}, 20.0);
  t.finish();
}

void read_stroke(StrictTable t, Protocol& p) {
  p.stroke_length_m = t.number("length_mm", {1, 1000}) * kMillimetre;
  for (const double v : t.numbers("speed_mm_s", kSpeed_mm_s)) p.stroke_speed_m_s.push_back(v * kMillimetre);
  const auto directions = t.text("directions", "forward");
  if (directions == "both") {
    p.directions = Directions::kBoth;
  } else if (directions != "forward") {
    t.refuse("directions", "'directions' is \"forward\" or \"both\"");
  }
  p.repeats = static_cast<int>(t.integer("repeats", {1, 1000}, 1));
  p.dwell_s = t.number("dwell_ms", {0, 60000}, 200.0) * kMillisecond;
  t.finish();
}

}  // namespace

daq::Result<Protocol> parse_protocol(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  Protocol p;
  p.file = file;
  auto head = root.table("protocol", true);
  p.name = head.text("name");
  p.title = head.text("title", "");
  p.description = head.text("description", "");
  p.version = head.text("version", "");
  if (head.has("name") && !valid_name(p.name))
    head.refuse("name", "'protocol.name' is 1 to 64 of a-z, A-Z, 0-9, '_' and '-': it becomes part of file names");
  head.finish();
  read_approach(root.table("approach", true), p);
  read_press(root.table("press", true), p);
  read_stroke(root.table("stroke", true), p);
  auto limits = root.table("limits", true);
  p.max_force_N = limits.number("max_force_N", kForce_N);
  limits.finish();
  auto verdict = root.table("verdict", true);
  p.force_tolerance = verdict.number("force_tolerance_percent", {0.5, 100}) * kPercent;
  p.min_contact_fraction = verdict.number("min_contact_percent", {1, 100}, 95.0) * kPercent;
  p.max_position_error_m = verdict.number("max_position_error_mm", {0.01, 50}, 0.5) * kMillimetre;
  p.speed_tolerance = verdict.number("speed_tolerance_percent", {1, 100}, 10.0) * kPercent;
  p.min_vibration_m_s2 = verdict.number("min_vibration_m_s2", {0, 1000}, 0.02);
  verdict.finish();
  root.finish();
  if (document.error()) return *document.error();
  return p;
}

}  // namespace strigil::protocols
