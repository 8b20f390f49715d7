#include "apps/instruments_command.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/json_text.hpp"
#include "rig/free_bar.hpp"
#include "rig/instrument_file.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFolder = "rig/instruments";
constexpr double kMilli = 1e3;

rig::FreeBar bar_of(const rig::Instrument& i) {
  return {i.length_m, i.thickness_m, i.material.density_kg_m3, i.material.youngs_modulus_Pa};
}

/// Of its mass on a stiffness (science.md 1.4 [C]).
double contact_Hz(const rig::Instrument& i, double stiffness_N_m) {
  return std::sqrt(stiffness_N_m / i.mass_kg) / (2 * std::numbers::pi);
}

void print_numbers(const std::vector<rig::SourcedNumber>& numbers) {
  for (const auto& n : numbers)
    fmt::print("  {:24} {:>10g}  {}{}\n", n.key, n.value, n.source, n.assumed() ? "  (assumed)" : "");
}

nlohmann::ordered_json as_json(const rig::Instrument& i) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const auto add = [&](const char* of, const std::vector<rig::SourcedNumber>& from) {
    for (const auto& n : from)
      numbers.push_back(
          {{"of", of}, {"key", n.key}, {"value", n.value}, {"source", n.source}, {"assumed", n.assumed()}});
  };
  add("material", i.material.numbers);
  add("instrument", i.numbers);
  nlohmann::ordered_json modes = nlohmann::ordered_json::array();
  for (const auto& m : i.modes) {
    modes.push_back({{"frequency_Hz", m.frequency_Hz},
                     {"damping_ratio", m.damping_ratio},
                     {"effective_mass_kg", m.effective_mass_kg},
                     {"sensor_gain", m.sensor_gain}});
  }
  return {{"name", i.name},
          {"title", i.title},
          {"material", i.material.name},
          {"edge", rig::name_of(i.edge)},
          {"bevel", rig::name_of(i.bevel)},
          {"mass_kg", i.mass_kg},
          {"modes_measured", i.modes_measured},
          {"modes", modes},
          {"numbers", numbers}};
}

void print(const rig::Instrument& i) {
  fmt::print("{}: {}\n", i.name, i.title);
  fmt::print("edge {}, {}; of {}\n\nfrom its file\n", name_of(i.edge), name_of(i.bevel), i.material.title);
  print_numbers(i.numbers);
  fmt::print("material {}\n", i.material.name);
  print_numbers(i.material.numbers);
  fmt::print("\nderived\n  mass {:.1f} g{}\n", i.mass_kg * kMilli,
             i.mass_kg != rig::bar_mass_kg(i) ? " (measured)" : " (bar times density)");
  fmt::print("  {} bending modes\n", i.modes_measured ? "measured" : "free bar's");
  fmt::print("  {:>4} {:>12} {:>14} {:>14} {:>14}{}\n", "mode", "frequency", "damping ratio", "mass at edge",
             "sensor/edge", i.modes_measured ? "" : "   left out: shear lowers it by about");
  for (std::size_t k = 0; k < i.modes.size(); ++k) {
    const auto& m = i.modes[k];
    fmt::print("  {:>4} {:>9.0f} Hz {:>14.4f} {:>12.1f} g {:>+14.3f}", k + 1, m.frequency_Hz, m.damping_ratio,
               m.effective_mass_kg * kMilli, m.sensor_gain);
    fmt::print("{}\n", i.modes_measured ? "" : fmt::format("   {:.1f} %", 100 * rig::bar_shear_error(bar_of(i), k)));
  }
  fmt::print("  on tissue it bounces at {:.0f} to {:.0f} Hz (0.5 to 3 N/mm)\n", contact_Hz(i, 500),
             contact_Hz(i, 3000));
}

}  // namespace

int instruments_list_command() {
  std::map<std::string, std::string> files;  // the first place that has a name keeps it
  for (const auto& dir : home_dirs()) {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(fs::path(dir) / kFolder, failure)) {
      if (entry.path().extension() == ".toml") files.emplace(entry.path().stem().string(), entry.path().string());
    }
  }
  if (files.empty()) return refuse(fmt::format("there is no folder {} with .toml files in it", kFolder));
  fmt::print("{:20} {:16} {:9} {:8} {:>7} {:>9} {:>9} {:>9}\n", "name", "material", "edge", "bevel", "mass g",
             "radius mm", "f1 Hz", "f2 Hz");
  for (const auto& [name, file] : files) {
    const auto i = rig::load_instrument(file);
    if (!i) return refuse(i.error().message);
    const auto hz = [&](std::size_t k) {
      return k < i->modes.size() ? fmt::format("{:.0f}", i->modes[k].frequency_Hz) : "-";
    };
    fmt::print("{:20} {:16} {:9} {:8} {:>7.0f} {:>9.1f} {:>9} {:>9}\n", name, i->material.name, name_of(i->edge),
               name_of(i->bevel), i->mass_kg * kMilli, i->edge_radius_m * kMilli, hz(0), hz(1));
  }
  return kPass;
}

int instruments_show_command(const std::string& name_or_path, bool json) {
  const auto path = find_toml(name_or_path, kFolder, "instrument");
  if (!path) return refuse(path.error().message);
  const auto instrument = rig::load_instrument(*path);
  if (!instrument) return refuse(instrument.error().message);
  if (json) {
    fmt::print("{}\n", daq::json_text(as_json(*instrument)));
  } else {
    print(*instrument);
  }
  return kPass;
}

}  // namespace strigil::apps
