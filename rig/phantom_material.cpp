#include "rig/phantom_material.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace strigil::rig {
namespace {

using daq::StrictTable;

constexpr double kKilo = 1e3;
constexpr double kMillimetre = 1e-3;

template <typename Row>
const Row* row_named(const std::vector<Row>& rows, std::string_view name) noexcept {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

PhantomMaterial read_material(StrictTable& t) {
  PhantomMaterial m;
  m.name = t.text("name");
  m.title = t.text("title");
  const auto number = [&](std::string_view key, double low, double high) {
    return sourced_number(t, key, {low, high}, m.numbers);
  };
  m.youngs_modulus_Pa = number("youngs_modulus_kPa", 0.1, 1e9) * kKilo;
  m.poisson_ratio = number("poisson_ratio", 0, 0.4999);
  m.stiffening_at_half = number("stiffening_at_half", 2.01, 20);
  constexpr std::array<std::string_view, kRelaxingShares> kNames{"fast", "middle", "slow"};
  double relaxing = 0;
  for (std::size_t i = 0; i < kRelaxingShares; ++i) {
    m.relaxing[i].share = number(fmt::format("{}_share", kNames[i]), 0, 0.95);
    m.relaxing[i].time_s = number(fmt::format("{}_time_s", kNames[i]), 1e-4, 1e4);
    relaxing += m.relaxing[i].share;
  }
  if (relaxing > 0.95) t.refuse("slow_share", fmt::format("the relaxing shares sum to {:g}; at most 0.95", relaxing));
  m.impact_damping_s_m = number("impact_damping_s_m", 0, 20);
  m.dry_friction = number("dry_friction", 0, 3);
  m.modulus_per_degree = number("modulus_per_degree", -0.2, 0.2);
  m.modulus_per_decade_of_days = number("modulus_per_decade_of_days", -1, 1);
  t.finish();
  return m;
}

Emollient read_emollient(StrictTable& t) {
  Emollient e;
  e.name = t.text("name");
  e.title = t.text("title");
  const auto number = [&](std::string_view key, double low, double high) {
    return sourced_number(t, key, {low, high}, e.numbers);
  };
  e.friction = number("friction", 0, 3);
  e.static_ratio = number("static_ratio", 1, 5);
  e.stribeck_speed_m_s = number("stribeck_speed_mm_s", 0.01, 1000) * kMillimetre;
  e.viscous_s_m = number("viscous_s_m", 0, 10);
  e.path_m = number("path_m", 1e-3, 1e4);
  e.time_s = number("time_s", 1, 1e7);
  t.finish();
  return e;
}

template <typename Row>
void add(StrictTable& t, Row row, std::vector<Row>& rows) {
  if (row.name.empty()) {
    t.refuse("name", "a row needs a name");
  } else if (row_named(rows, row.name) != nullptr) {
    t.refuse("name", fmt::format("there are two rows named '{}'", row.name));
  }
  rows.push_back(std::move(row));
}

}  // namespace

const PhantomMaterial* PhantomMaterials::material(std::string_view name) const noexcept {
  return row_named(materials, name);
}
const Emollient* PhantomMaterials::emollient(std::string_view name) const noexcept {
  return row_named(emollients, name);
}

daq::Result<void> read_phantom_materials(std::string_view text, const std::string& file, PhantomMaterials& into) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  PhantomMaterials all = into;
  for (auto& t : root.tables("material")) add(t, read_material(t), all.materials);
  for (auto& t : root.tables("emollient")) add(t, read_emollient(t), all.emollients);
  root.finish();
  if (document.error()) return *document.error();
  into = std::move(all);
  return {};
}

const PhantomMaterials& shipped_phantom_materials() {
  static const PhantomMaterials kShipped = [] {
    PhantomMaterials all;
    for (const auto& file : shipped_material_files()) {
      [[maybe_unused]] const auto read = read_phantom_materials(file.text, std::string(file.name), all);
      assert(read.ok());
    }
    return all;
  }();
  return kShipped;
}

}  // namespace strigil::rig
