#include "rig/instrument_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "daq/strict_toml.hpp"
#include "rig/free_bar.hpp"

namespace strigil::rig {
namespace {

using daq::Range;
using daq::StrictTable;

constexpr double kMilli = 1e-3;
constexpr double kGiga = 1e9;
constexpr std::size_t kMostMaterials = 64;
/// Thicker than this part of its length it is no bar that the theory knows: f1 would be 9 % too high.
constexpr double kThickest = 0.15;

constexpr std::array<std::string_view, 3> kShapes{"concave", "convex", "straight"};
constexpr std::array<std::string_view, 3> kBevels{"rounded", "single", "double"};

/// Numbers read from `first` on are of the table `of`: there are two lengths.
void name_table(std::vector<SourcedNumber>& numbers, std::size_t first, std::string_view of) {
  for (; first < numbers.size(); ++first) numbers[first].key = fmt::format("{}.{}", of, numbers[first].key);
}

template <typename Enum>
Enum choice(StrictTable& t, std::string_view key, const std::array<std::string_view, 3>& names) {
  const auto word = t.text(key);
  const auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  if (t.has(key)) t.refuse(key, fmt::format("'{}' must be one of: {}", key, fmt::join(names, ", ")));
  return Enum{};
}

InstrumentMaterial read_material(StrictTable t) {
  InstrumentMaterial m;
  m.name = t.text("name");
  m.title = t.text("title", m.name);
  if (m.name.empty() && t.has("name")) t.refuse("name", "a material needs a name");
  m.density_kg_m3 = sourced_number(t, "density_kg_m3", {100, 25000}, m.numbers);
  m.youngs_modulus_Pa = sourced_number(t, "youngs_modulus_GPa", {0.01, 1200}, m.numbers) * kGiga;
  m.loss_factor = sourced_number(t, "loss_factor", {0, 1}, m.numbers);
  m.friction_factor = sourced_number(t, "friction_factor", {0.05, 5}, m.numbers);
  t.finish();
  return m;
}

void read_bar(StrictTable t, Instrument& i) {
  const auto first = i.numbers.size();
  const auto millimetres = [&](std::string_view key, Range range_mm) {
    return sourced_number(t, key, range_mm, i.numbers) * kMilli;
  };
  i.length_m = millimetres("length_mm", {20, 500});
  i.width_m = millimetres("width_mm", {3, 200});
  i.thickness_m = millimetres("thickness_mm", {0.5, 50});
  if (i.thickness_m > kThickest * i.length_m) {
    t.refuse("thickness_mm",
             fmt::format("a bar {:g} mm thick and {:g} mm long is too thick for its bending modes to be "
                         "derived; 'thickness_mm' may be {:g} of 'length_mm'",
                         i.thickness_m / kMilli, i.length_m / kMilli, kThickest));
  }
  t.finish();
  name_table(i.numbers, first, "bar");
}

void read_edge(StrictTable t, Instrument& i) {
  const auto first = i.numbers.size();
  i.edge = choice<EdgeShape>(t, "shape", kShapes);
  i.bevel = choice<EdgeBevel>(t, "bevel", kBevels);
  i.edge_radius_m = sourced_number(t, "radius_mm", {0.05, 50}, i.numbers) * kMilli;
  i.edge_length_m = sourced_number(t, "length_mm", {1, 300}, i.numbers) * kMilli;
  const bool straight = i.edge == EdgeShape::kStraight;
  i.edge_sagitta_m =
      sourced_number(t, "sagitta_mm", {0, 100}, i.numbers, straight ? std::optional(0.0) : std::nullopt) * kMilli;
  if (straight && i.edge_sagitta_m != 0) t.refuse("sagitta_mm", "a straight edge has no sagitta");
  if (!straight && t.has("sagitta_mm") && i.edge_sagitta_m == 0)
    t.refuse("sagitta_mm", "an edge without sagitta is straight: say so, or give it one");
  if (i.edge_sagitta_m > i.edge_length_m / 2)
    t.refuse("sagitta_mm", "'sagitta_mm' is more than half of the edge's 'length_mm': that is more than a half circle");
  t.finish();
  name_table(i.numbers, first, "edge");
}

void read_measured_modes(StrictTable& root, Instrument& i) {
  auto tables = root.tables("modes");
  if (tables.size() > kInstrumentModes)
    root.refuse("modes", fmt::format("at most {} modes; there are {}", kInstrumentModes, tables.size()));
  double before_Hz = 0;
  for (auto& t : tables) {
    const auto first = i.numbers.size();
    InstrumentMode m;
    m.frequency_Hz = sourced_number(t, "frequency_Hz", {1, 100000}, i.numbers);
    m.damping_ratio = sourced_number(t, "damping_ratio", {1e-5, 1}, i.numbers);
    m.effective_mass_kg = sourced_number(t, "effective_mass_g", {0.01, 100000}, i.numbers) * kMilli;
    m.sensor_gain = sourced_number(t, "sensor_gain", {-100, 100}, i.numbers);
    t.finish();
    if (m.frequency_Hz <= before_Hz) t.refuse("frequency_Hz", "modes must rise in frequency");
    before_Hz = m.frequency_Hz;
    i.modes.push_back(m);
    name_table(i.numbers, first, fmt::format("modes[{}]", i.modes.size() - 1));
  }
  i.modes_measured = !i.modes.empty();
}

void choose_material(StrictTable& root, Instrument& i, const std::vector<InstrumentMaterial>& materials) {
  if (root.has("own_material")) {
    i.material = read_material(root.table("own_material"));
    if (root.has("material")) root.refuse("material", "'material' and [own_material] exclude each other");
    root.pass_over("material");
    return;
  }
  root.pass_over("own_material");
  const auto name = root.text("material");
  const auto row = std::find_if(materials.begin(), materials.end(), [&](const auto& m) { return m.name == name; });
  if (row != materials.end()) {
    i.material = *row;
  } else if (root.has("material")) {
    std::string known;
    for (const auto& m : materials) known += (known.empty() ? "" : ", ") + m.name;
    root.refuse("material", fmt::format("there is no material '{}'; the table has: {}. [own_material] takes another",
                                        name, known.empty() ? "(nothing)" : known));
  }
}

}  // namespace

std::string_view name_of(EdgeShape shape) noexcept { return kShapes[static_cast<std::size_t>(shape)]; }
std::string_view name_of(EdgeBevel bevel) noexcept { return kBevels[static_cast<std::size_t>(bevel)]; }

double bar_mass_kg(const Instrument& i) noexcept {
  return i.length_m * i.width_m * i.thickness_m * i.material.density_kg_m3;
}

std::vector<InstrumentMode> derive_modes(const Instrument& i, std::size_t count) {
  const FreeBar bar{i.length_m, i.thickness_m, i.material.density_kg_m3, i.material.youngs_modulus_Pa};
  std::vector<InstrumentMode> modes;
  for (std::size_t k = 0; k < count; ++k) {
    const double at_edge = bar_shape(k, 0);
    modes.push_back({.frequency_Hz = bar_frequency_Hz(bar, k),
                     .damping_ratio = (i.material.loss_factor + i.grip_loss_factor) / 2,
                     .effective_mass_kg = bar_mass_kg(i) / (at_edge * at_edge),
                     .sensor_gain = bar_shape(k, i.accelerometer_place) / at_edge});
  }
  return modes;
}

daq::Result<std::vector<InstrumentMaterial>> parse_instrument_materials(std::string_view text,
                                                                        const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  auto tables = root.tables("material");
  root.finish();
  if (tables.size() > kMostMaterials)
    root.refuse("material", fmt::format("at most {} materials; there are {}", kMostMaterials, tables.size()));
  std::vector<InstrumentMaterial> rows;
  for (auto& t : tables) {
    auto row = read_material(t);
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.name == row.name; });
    if (same != rows.end()) t.refuse("name", fmt::format("there are two materials named '{}'", row.name));
    rows.push_back(std::move(row));
  }
  if (document.error()) return *document.error();
  if (rows.empty()) return daq::Error{fmt::format("{}: there is no [[material]] in it", file)};
  return rows;
}

daq::Result<Instrument> parse_instrument(std::string_view text, const std::string& file,
                                         const std::vector<InstrumentMaterial>& materials) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  Instrument i;
  i.text = text;
  i.name = root.text("name");
  if (i.name.empty() && root.has("name")) root.refuse("name", "an instrument needs a name");
  i.title = root.text("title", i.name);
  choose_material(root, i, materials);
  read_bar(root.table("bar", true), i);
  read_edge(root.table("edge", true), i);
  auto first = i.numbers.size();
  auto grip = root.table("grip");
  i.grip_loss_factor = sourced_number(grip, "loss_factor", {0, 1}, i.numbers, i.grip_loss_factor);
  grip.finish();
  name_table(i.numbers, first, "grip");
  first = i.numbers.size();
  auto accelerometer = root.table("accelerometer");
  i.accelerometer_place = sourced_number(accelerometer, "place", {0, 1}, i.numbers, i.accelerometer_place);
  i.accelerometer_corner_Hz =
      sourced_number(accelerometer, "corner_Hz", {50, 100000}, i.numbers, i.accelerometer_corner_Hz);
  accelerometer.finish();
  name_table(i.numbers, first, "accelerometer");
  constexpr double kDerived = -1;
  const double mass_kg = sourced_number(root, "mass_g", {1, 5000}, i.numbers, kDerived) * kMilli;
  read_measured_modes(root, i);
  root.finish();
  if (document.error()) return *document.error();
  i.mass_kg = mass_kg > 0 ? mass_kg : bar_mass_kg(i);
  if (!i.modes_measured) i.modes = derive_modes(i);
  return i;
}

daq::Result<Instrument> parse_instrument(std::string_view text, const std::string& file) {
  const auto beside = std::filesystem::path(file).parent_path() / ".." / "materials" / "instrument.toml";
  const auto table = daq::read_text_file(beside.lexically_normal().string());
  if (!table) return table.error();
  const auto materials = parse_instrument_materials(*table, beside.lexically_normal().string());
  if (!materials) return materials.error();
  return parse_instrument(text, file, *materials);
}

daq::Result<Instrument> load_instrument(const std::string& path) {
  const auto text = daq::read_text_file(path);
  if (!text) return text.error();
  return parse_instrument(*text, path);
}

}  // namespace strigil::rig
