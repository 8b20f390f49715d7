#include "rig/phantom_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <set>

#include "daq/strict_toml.hpp"

namespace strigil::rig {
namespace {

using daq::Range;
using daq::StrictTable;

constexpr double kMillimetre = 1e-3;
constexpr double kMicrometre = 1e-6;
constexpr double kPercent = 1e-2;
constexpr double kDegree = std::numbers::pi / 180;
constexpr double kAsItIs = 1;
constexpr Range kAnywhere_mm{-2000, 2000};
constexpr Range kAngle_deg{-180, 180};
constexpr Range kSpread{0, 2};  // of a logarithm
constexpr std::array kKinds{InclusionKind::kNodule,    InclusionKind::kBand,   InclusionKind::kAdhesionSheet,
                            InclusionKind::kScarStrip, InclusionKind::kVessel, InclusionKind::kLobule,
                            InclusionKind::kFasciaEdge};

enum class Key : std::uint8_t { kRequired, kOptional };

// What a file says of each part, once: for the reader and for the writer. A key left out leaves the field as it was.

template <typename Visit, typename Part>
void visit_layer(Visit& v, Part& layer) {
  v.text("name", layer.name, Key::kRequired);
  v.text("material", layer.material, Key::kRequired);
  v.number("thickness_mm", layer.thickness_m, kMillimetre, {0.01, 200}, Key::kRequired);
  v.number("stiffness_factor", layer.stiffness_factor, kAsItIs, {0.01, 100}, Key::kOptional);
  v.text("source", layer.source, Key::kOptional);
}

template <typename Visit, typename Part>
void visit_inclusion(Visit& v, Part& i) {
  v.text("name", i.name, Key::kRequired);
  v.kind("kind", i.kind);
  v.target("target", i.target, i.kind);
  v.number("x_mm", i.x_m, kMillimetre, kAnywhere_mm, Key::kRequired);
  v.number("y_mm", i.y_m, kMillimetre, kAnywhere_mm, Key::kOptional);
  v.number("length_mm", i.length_m, kMillimetre, {0.1, 1000}, Key::kRequired);
  v.number("width_mm", i.width_m, kMillimetre, {0.1, 1000}, Key::kRequired);
  v.number("thickness_mm", i.thickness_m, kMillimetre, {0.01, 200}, Key::kRequired);
  v.number("angle_deg", i.angle_rad, kDegree, kAngle_deg, Key::kOptional);
  v.number("depth_mm", i.depth_m, kMillimetre, {0, 200}, Key::kRequired);
  v.number("stiffness_contrast", i.stiffness_contrast, kAsItIs, {0.01, 1000}, Key::kOptional);
  v.number("friction_contrast", i.friction_contrast, kAsItIs, {0.01, 100}, Key::kOptional);
  v.number("roughness_contrast", i.roughness_contrast, kAsItIs, {0.01, 100}, Key::kOptional);
  v.number("rise_mm", i.rise_m, kMillimetre, {-20, 20}, Key::kOptional);
  v.text("source", i.source, Key::kOptional);
}

template <typename Visit, typename Part>
void visit_bump(Visit& v, Part& bump) {
  v.number("x_mm", bump.x_m, kMillimetre, kAnywhere_mm, Key::kRequired);
  v.number("y_mm", bump.y_m, kMillimetre, kAnywhere_mm, Key::kOptional);
  v.number("height_mm", bump.height_m, kMillimetre, {-20, 20}, Key::kRequired);
  v.number("width_mm", bump.width_m, kMillimetre, {0.5, 200}, Key::kRequired);
}

template <typename Visit, typename Part>
void visit_surface(Visit& v, Part& s) {
  v.number("z_mm", s.z_m, kMillimetre, kAnywhere_mm, Key::kRequired);
  v.number("slope_percent", s.slope, kPercent, {-100, 100}, Key::kOptional);
  v.number("curvature_amplitude_mm", s.curvature_amplitude_m, kMillimetre, {0, 50}, Key::kOptional);
  v.number("curvature_wavelength_mm", s.curvature_wavelength_m, kMillimetre, {5, 5000}, Key::kOptional);
  v.number("crown_radius_mm", s.crown_radius_m, kMillimetre, {0, 1e5}, Key::kOptional);
  v.text("source", s.source, Key::kOptional);
}

template <typename Visit, typename Part>
void visit_texture(Visit& v, Part& t) {
  v.seed("seed", t.seed);
  v.number("stiffness_sd", t.stiffness_sd, kAsItIs, kSpread, Key::kOptional);
  v.number("friction_sd", t.friction_sd, kAsItIs, kSpread, Key::kOptional);
  v.number("correlation_mm", t.correlation_m, kMillimetre, {0.5, 200}, Key::kOptional);
  v.number("fibre_stiffness_sd", t.fibre_stiffness_sd, kAsItIs, kSpread, Key::kOptional);
  v.number("fibre_wavelength_mm", t.fibre_wavelength_m, kMillimetre, {0.2, 200}, Key::kOptional);
  v.number("fibre_angle_deg", t.fibre_angle_rad, kDegree, kAngle_deg, Key::kOptional);
  v.number("roughness_rms_um", t.roughness_rms_m, kMicrometre, {0, 1000}, Key::kOptional);
  v.number("roughness_shortest_mm", t.roughness_shortest_m, kMillimetre, {0.01, 50}, Key::kOptional);
  v.number("roughness_longest_mm", t.roughness_longest_m, kMillimetre, {0.01, 200}, Key::kOptional);
  v.text("source", t.source, Key::kOptional);
}

template <typename Visit, typename Part>
void visit_emollient(Visit& v, Part& e) {
  v.text("name", e.name, Key::kOptional);
  v.number("age_s", e.age_s, kAsItIs, {0, 1e6}, Key::kOptional);
  v.text("source", e.source, Key::kOptional);
}

template <typename Visit, typename Part>
void visit_passport(Visit& v, Part& p) {
  v.text("serial", p.serial, Key::kOptional);
  v.text("made_on", p.made_on, Key::kOptional);
  v.number("temperature_C", p.temperature_C, kAsItIs, {-20, 60}, Key::kOptional);
  v.number("age_days", p.age_days, kAsItIs, {0, 1e5}, Key::kOptional);
  v.number("poke_depth_mm", p.poke_depth_m, kMillimetre, {0.01, 50});
  v.number("poke_force_N", p.poke_force_N, kAsItIs, {0.001, 200});
  v.number("poke_x_mm", p.poke_x_m, kMillimetre, kAnywhere_mm, Key::kOptional);
  v.number("poke_y_mm", p.poke_y_m, kMillimetre, kAnywhere_mm, Key::kOptional);
  v.number("dose_softening", p.dose_softening, kAsItIs, {0, 0.95}, Key::kOptional);
  v.number("dose_scale_J_m2", p.dose_scale_J_m2, kAsItIs, {1, 1e9}, Key::kOptional);
  v.text("source", p.source, Key::kOptional);
}

template <typename Visit, typename Part>
void visit_head(Visit& v, Part& p) {
  v.text("name", p.name, Key::kRequired);
  v.text("title", p.title, Key::kOptional);
  v.text("condition", p.condition, Key::kRequired);
  v.text("protocol", p.protocol, Key::kOptional);
  v.extent("x_mm", p.x_min_m, p.x_max_m);
  v.extent("y_mm", p.y_min_m, p.y_max_m);
  v.text("source", p.source, Key::kOptional);
}

bool made_of(const std::string& word, std::string_view may) {
  constexpr std::size_t kLongest = 64;
  return !word.empty() && word.size() <= kLongest && word.find_first_not_of(may) == std::string::npos;
}

bool is_word(const std::string& word) { return made_of(word, "abcdefghijklmnopqrstuvwxyz0123456789_"); }

bool is_name(const std::string& name) {
  return made_of(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
}

bool is_date(const std::string& date) {
  constexpr std::array kDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (date.size() != 10 || date[4] != '-' || date[7] != '-') return false;
  for (const std::size_t i : {0U, 1U, 2U, 3U, 5U, 6U, 8U, 9U}) {
    if (date[i] < '0' || date[i] > '9') return false;
  }
  const int year = std::atoi(date.substr(0, 4).c_str());
  const int month = std::atoi(date.substr(5, 2).c_str());
  const int day = std::atoi(date.substr(8, 2).c_str());
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month < 1 || month > 12 || day < 1 || day > kDays[static_cast<std::size_t>(month - 1)]) return false;
  return month != 2 || day < 29 || leap;
}

class Reading {
 public:
  explicit Reading(StrictTable& table) : t_(table) {}

  void number(std::string_view key, double& field, double unit, Range range, Key need) {
    if (!left_out(key, need)) field = t_.number(key, range) * unit;
  }
  void number(std::string_view key, std::optional<double>& field, double unit, Range range) {
    if (!left_out(key, Key::kOptional)) field = t_.number(key, range) * unit;
  }
  void text(std::string_view key, std::string& field, Key need) {
    if (!left_out(key, need)) field = t_.text(key);
  }
  void seed(std::string_view key, std::uint64_t& field) {
    constexpr Range kSeed{0, 9e15};  // what a double and TOML's integer both hold
    if (!left_out(key, Key::kOptional)) field = static_cast<std::uint64_t>(t_.integer(key, kSeed));
  }
  void extent(std::string_view key, double& low, double& high) {
    const auto pair = t_.numbers(key, kAnywhere_mm);
    if (pair.size() == 2 && pair[0] < pair[1]) {
      low = pair[0] * kMillimetre;
      high = pair[1] * kMillimetre;
    } else if (t_.has(key)) {
      t_.refuse(key, fmt::format("'{}' takes [lowest, highest] in mm", key));
    }
  }
  void kind(std::string_view key, InclusionKind& field) {
    const auto word = t_.text(key);
    if (!t_.has(key)) return;
    const auto* found = std::find_if(kKinds.begin(), kKinds.end(), [&](auto k) { return name_of(k) == word; });
    if (found != kKinds.end()) {
      field = *found;
      return;
    }
    std::string all;
    for (const auto k : kKinds) all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", name_of(k));
    t_.refuse(key, fmt::format("the kind '{}' is not known; there is {}", word, all));
  }
  void target(std::string_view key, bool& field, InclusionKind kind) {
    field = t_.boolean(key, may_be_target(kind));
    if (field && !may_be_target(kind))
      t_.refuse(key, fmt::format("a {} is a confounder: it cannot be a target", name_of(kind)));
  }

 private:
  bool left_out(std::string_view key, Key need) {
    if (need == Key::kRequired || t_.has(key)) return false;
    t_.pass_over(key);
    return true;
  }
  StrictTable& t_;
};

void check_inclusion(StrictTable& t, const PhantomInclusion& i, const Phantom& p, std::set<std::string>& names) {
  if (t.has("name") && !is_name(i.name))
    t.refuse("name", "an inclusion's 'name' is 1 to 64 of a-z, A-Z, 0-9, '_' and '-'");
  if (!names.insert(i.name).second) t.refuse("name", fmt::format("two inclusions are called '{}'", i.name));
  if (i.x_m < p.x_min_m || i.x_m > p.x_max_m) t.refuse("x_mm", "its centre lies outside the phantom's 'x_mm'");
  if (i.y_m < p.y_min_m || i.y_m > p.y_max_m) t.refuse("y_mm", "its centre lies outside the phantom's 'y_mm'");
  if (i.depth_m >= thickness_m(p.layers)) {
    t.refuse("depth_mm", fmt::format("its top lies {:g} mm deep, below all layers, which are {:g} mm thick",
                                     i.depth_m / kMillimetre, thickness_m(p.layers) / kMillimetre));
  }
  if (i.target && (p.condition == "healthy" || p.condition == "confounders"))
    t.refuse("kind", fmt::format("a phantom whose condition is '{}' has no target", p.condition));
}

void check_passport(StrictTable& t, const PhantomPassport& p) {
  if (!p.made_on.empty() && !is_date(p.made_on)) t.refuse("made_on", "'made_on' is a date such as \"2026-11-30\"");
  if (p.poke_depth_m.has_value() != p.poke_force_N.has_value()) {
    t.refuse(p.poke_depth_m ? "poke_depth_mm" : "poke_force_N",
             "'poke_depth_mm' and 'poke_force_N' belong together: to this depth, the poke took this force");
  }
}

void read_head(StrictTable t, Phantom& p) {
  Reading reading(t);
  visit_head(reading, p);
  if (t.has("name") && !is_name(p.name)) t.refuse("name", "'name' is 1 to 64 of a-z, A-Z, 0-9, '_' and '-'");
  if (t.has("condition") && !is_word(p.condition))
    t.refuse("condition", "'condition' is 1 to 64 of a-z, 0-9 and '_', such as \"achilles_tendinosis\"");
  if (!p.protocol.empty() && !is_name(p.protocol))
    t.refuse("protocol", "'protocol' is the name of one in protocols/library");
  t.finish();
}

/// As many as there may be, each read by `read`.
template <typename Part, typename Read>
void read_each(StrictTable& t, std::string_view key, std::size_t most, std::vector<Part>& parts, const Read& read) {
  auto tables = t.tables(key);
  if (tables.size() > most) t.refuse(key, fmt::format("at most {} of '{}'; there are {}", most, key, tables.size()));
  for (auto& entry : tables) {
    Part part;
    read(entry, part);
    entry.finish();
    parts.push_back(std::move(part));
  }
}

void read_layers(StrictTable& root, Phantom& p) {
  read_each(root, "layers", kMostLayers, p.layers, [](StrictTable& t, PhantomLayer& layer) {
    Reading reading(t);
    visit_layer(reading, layer);
    if (t.has("name") && !is_name(layer.name))
      t.refuse("name", "a layer's 'name' is 1 to 64 of a-z, A-Z, 0-9, '_' and '-'");
    if (t.has("material") && !is_word(layer.material))
      t.refuse("material", "'material' is a row of rig/materials, such as \"skin\" or \"ecoflex_00_30\"");
  });
  if (p.layers.empty()) root.refuse("layers", "a phantom has at least one of [[layers]]");
}

void read_surface(StrictTable t, PhantomSurface& s) {
  Reading reading(t);
  visit_surface(reading, s);
  read_each(t, "bumps", kMostBumps, s.bumps, [](StrictTable& entry, SurfaceBump& bump) {
    Reading of_bump(entry);
    visit_bump(of_bump, bump);
  });
  t.finish();
}

void read_texture(StrictTable t, PhantomTexture& texture) {
  Reading reading(t);
  visit_texture(reading, texture);
  if (texture.roughness_longest_m <= texture.roughness_shortest_m)
    t.refuse("roughness_longest_mm", "'roughness_longest_mm' must be more than 'roughness_shortest_mm'");
  t.finish();
}

void read_emollient(StrictTable t, PhantomEmollient& e) {
  Reading reading(t);
  visit_emollient(reading, e);
  if (!is_word(e.name)) t.refuse("name", "'name' is that of an emollient, such as \"dry\" or \"gel\"");
  t.finish();
}

void read_passport(StrictTable t, PhantomPassport& passport) {
  Reading reading(t);
  visit_passport(reading, passport);
  check_passport(t, passport);
  t.finish();
}

/// A decimal that the reader turns into just this, the shortest there is.
std::string decimal(double value, double unit) {
  constexpr int kMostDigits = 17;
  const double in_unit = value / unit;
  for (const double near : {in_unit, std::nextafter(in_unit, -HUGE_VAL), std::nextafter(in_unit, HUGE_VAL)}) {
    for (int digits = 1; digits <= kMostDigits; ++digits) {
      const double rounded = std::strtod(fmt::format("{:.{}g}", near, digits).c_str(), nullptr);
      if (rounded * unit == value) return fmt::format("{}", rounded);
    }
  }
  return fmt::format("{:.{}g}", in_unit, kMostDigits);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

class Writing {
 public:
  void table(std::string_view header) { out_ += fmt::format("{}{}\n", out_.empty() ? "" : "\n", header); }
  void number(std::string_view key, double field, double unit, Range, Key) { line(key, decimal(field, unit)); }
  void number(std::string_view key, const std::optional<double>& field, double unit, Range) {
    if (field) line(key, decimal(*field, unit));
  }
  void text(std::string_view key, const std::string& field, Key need) {
    if (need == Key::kRequired || !field.empty()) line(key, quoted(field));
  }
  void seed(std::string_view key, std::uint64_t field) { line(key, fmt::format("{}", field)); }
  void extent(std::string_view key, double low, double high) {
    line(key, fmt::format("[{}, {}]", decimal(low, kMillimetre), decimal(high, kMillimetre)));
  }
  void kind(std::string_view key, InclusionKind field) { line(key, fmt::format("\"{}\"", name_of(field))); }
  void target(std::string_view key, bool field, InclusionKind) { line(key, field ? "true" : "false"); }
  std::string take() { return std::move(out_); }

 private:
  void line(std::string_view key, const std::string& value) { out_ += fmt::format("{} = {}\n", key, value); }
  std::string out_;
};

}  // namespace

daq::Result<Phantom> parse_phantom(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  Phantom p;
  p.text = std::string(text);
  read_head(root.table("phantom", true), p);
  read_layers(root, p);
  read_surface(root.table("surface", true), p.surface);
  read_texture(root.table("texture"), p.texture);
  read_emollient(root.table("emollient"), p.emollient);
  read_passport(root.table("passport"), p.passport);
  std::set<std::string> names;
  read_each(root, "inclusions", kMostInclusions, p.inclusions, [&](StrictTable& t, PhantomInclusion& inclusion) {
    Reading reading(t);
    visit_inclusion(reading, inclusion);
    if (!document.error()) check_inclusion(t, inclusion, p, names);
  });
  root.finish();
  if (document.error()) return *document.error();
  return p;
}

daq::Result<Phantom> load_phantom(const std::string& path) {
  auto text = daq::read_text_file(path);
  if (!text) return daq::Error{"phantom file: " + text.error().message};
  return parse_phantom(*text, path);
}

std::string to_toml(const Phantom& p) {
  Writing w;
  w.table("[phantom]");
  visit_head(w, p);
  for (const auto& layer : p.layers) {
    w.table("[[layers]]");
    visit_layer(w, layer);
  }
  w.table("[surface]");
  visit_surface(w, p.surface);
  for (const auto& bump : p.surface.bumps) {
    w.table("[[surface.bumps]]");
    visit_bump(w, bump);
  }
  w.table("[texture]");
  visit_texture(w, p.texture);
  w.table("[emollient]");
  visit_emollient(w, p.emollient);
  w.table("[passport]");
  visit_passport(w, p.passport);
  for (const auto& inclusion : p.inclusions) {
    w.table("[[inclusions]]");
    visit_inclusion(w, inclusion);
  }
  return w.take();
}

}  // namespace strigil::rig
