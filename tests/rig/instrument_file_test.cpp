// Instruments as people write them, and what is derived of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "daq/strict_toml.hpp"
#include "rig/free_bar.hpp"
#include "rig/instrument_file.hpp"

namespace strigil::rig {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string folder(const char* name) { return std::string(STRIGIL_SOURCE_DIR) + "/rig/" + name; }

std::vector<fs::path> catalogue() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder("instruments"))) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<InstrumentMaterial> shipped_materials() {
  const auto file = folder("materials") + "/instrument.toml";
  const auto text = daq::read_text_file(file);
  EXPECT_TRUE(text) << text.error().message;
  auto rows = parse_instrument_materials(*text, file);
  EXPECT_TRUE(rows) << rows.error().message;
  return *rows;
}

constexpr const char* kTool = R"(name = "mine"
material = "stainless_steel"
[bar]
length_mm = { value = 150, source = "calliper [S]" }
width_mm = { value = 30, source = "calliper [S]" }
thickness_mm = { value = 5, source = "calliper [S]" }
[edge]
shape = "convex"
bevel = "rounded"
radius_mm = { value = 3, source = "[M]" }
length_mm = { value = 60, source = "[M]" }
sagitta_mm = { value = 6, source = "[A]" }
)";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string refusal(const std::string& text) {
  const auto instrument = parse_instrument(text, "tool.toml", shipped_materials());
  return instrument ? "accepted" : instrument.error().message;
}

TEST(InstrumentCatalogue, EveryFileReadsIsNamedAsItsFileAndSaysWhereEveryNumberComesFrom) {
  const auto files = catalogue();
  EXPECT_GE(files.size(), 10U);
  std::set<std::string> materials;
  std::set<std::pair<EdgeShape, EdgeBevel>> edges;
  std::size_t assumed = 0;
  std::size_t numbers = 0;
  for (const auto& file : files) {
    const auto i = load_instrument(file.string());
    ASSERT_TRUE(i) << i.error().message;
    EXPECT_EQ(i->name, file.stem().string());
    EXPECT_EQ(i->modes.size(), kInstrumentModes) << i->name;
    materials.insert(i->material.name);
    edges.insert({i->edge, i->bevel});
    for (const auto& n : i->numbers) {
      EXPECT_TRUE(has_source_tag(n.source)) << i->name << ": " << n.key;
      ++numbers;
      assumed += n.assumed() ? 1 : 0;
    }
  }
  EXPECT_EQ(materials, (std::set<std::string>{"horn", "jade", "plastic", "resin", "stainless_steel", "stone"}));
  EXPECT_GE(edges.size(), 4U);  // concave, convex, single and double bevel
  RecordProperty("assumed", std::to_string(assumed) + " of " + std::to_string(numbers));
}

TEST(InstrumentMaterials, ThoseThatAreAssumptionsAreListed) {
  // science.md 1.4 is handbook knowledge [M] from end to end: only what is so by definition is not.
  std::vector<std::string> relied_on;
  for (const auto& m : shipped_materials()) {
    for (const auto& n : m.numbers) {
      EXPECT_TRUE(has_source_tag(n.source)) << m.name << ": " << n.key;
      if (!n.assumed()) relied_on.push_back(m.name + "." + n.key);
    }
  }
  EXPECT_THAT(relied_on, ::testing::ElementsAre("stainless_steel.friction_factor"));
}

// science.md 1.4, column [C]: half of the last digit that it prints. The masses are in its last column.
struct Row {
  const char* name;
  double f1_Hz;
  double rounding_Hz;
  double mass_g;
};
TEST(InstrumentCatalogue, FirstModesAndMassesAreThoseOfTheScienceBase) {
  for (const Row& row :
       {Row{"steel_convex", 1120, 5, 180}, Row{"steel_scanner", 505, 0.5, 192}, Row{"plastic_convex", 390, 5, 44},
        Row{"resin_concave", 435, 0.5, 37}, Row{"jade_convex", 5900, 50, 94}, Row{"horn_convex", 1100, 50, 38}}) {
    const auto i = load_instrument(folder("instruments/") + row.name + ".toml");
    ASSERT_TRUE(i) << i.error().message;
    EXPECT_NEAR(i->modes[0].frequency_Hz, row.f1_Hz, row.rounding_Hz) << row.name;
    EXPECT_NEAR(i->mass_kg * 1e3, row.mass_g, 0.5) << row.name;
  }
}

TEST(FreeBar, RootsSolveTheirEquationAndShapesAreOrthogonalWithMeanSquareOne) {
  constexpr int kPoints = 4000;
  for (std::size_t k = 0; k < kBarModes; ++k) {
    EXPECT_NEAR(std::cos(bar_root(k)), 1 / std::cosh(bar_root(k)), 1e-12) << k;
    EXPECT_NEAR(std::abs(bar_shape(k, 0)), 2, 1e-9) << k;
    EXPECT_NEAR(std::abs(bar_shape(k, 1)), 2, 1e-9) << k;
    for (std::size_t l = 0; l <= k; ++l) {
      double sum = 0;  // Simpson
      for (int p = 0; p <= kPoints; ++p) {
        const double x = static_cast<double>(p) / kPoints;
        sum += (p == 0 || p == kPoints ? 1 : p % 2 == 1 ? 4 : 2) * bar_shape(k, x) * bar_shape(l, x);
      }
      EXPECT_NEAR(sum / (3 * kPoints), k == l ? 1 : 0, 1e-7) << k << " " << l;
    }
    // Free ends: no moment, no shear; and it hangs on nothing: its centre stays where it is.
    double mean = 0;
    for (int p = 0; p < kPoints; ++p) mean += bar_shape(k, (p + 0.5) / kPoints) / kPoints;
    EXPECT_NEAR(mean, 0, 1e-5) << k;
  }
  EXPECT_NEAR(bar_shape(0, 0.2241575), 0, 1e-5);  // the nodes that bars are laid on
}

TEST(FreeBar, HigherModesRiseAsTheSquaresOfTheRootsAndScaleWithSize) {
  const FreeBar bar{0.15, 0.005, 8000, 193e9};
  EXPECT_NEAR(bar_frequency_Hz(bar, 1) / bar_frequency_Hz(bar, 0), 2.7565, 1e-3);
  EXPECT_NEAR(bar_frequency_Hz(bar, 2) / bar_frequency_Hz(bar, 0), 5.4039, 1e-3);
  const FreeBar longer{0.30, 0.005, 8000, 193e9};
  EXPECT_NEAR(bar_frequency_Hz(longer, 0), bar_frequency_Hz(bar, 0) / 4, 1e-9);
  // ASTM E1876 for a first mode [M]: f_EB / f = sqrt(T1), T1 - 1 = 6.585 (1 + 0.0752 nu + 0.8109 nu^2) (h/L)^2 when
  // thin.
  const double e1876 = 6.585 * (1 + 0.0752 * 0.3 + 0.8109 * 0.09) / 2 * std::pow(0.005 / 0.15, 2);
  EXPECT_NEAR(bar_shear_error(bar, 0), e1876, 0.1 * e1876);
}

TEST(InstrumentFile, ReadsATool) {
  const auto i = parse_instrument(kTool, "tool.toml", shipped_materials());
  ASSERT_TRUE(i) << i.error().message;
  EXPECT_EQ(i->name, "mine");
  EXPECT_EQ(i->text, kTool);
  EXPECT_EQ(i->material.youngs_modulus_Pa, 193e9);
  EXPECT_EQ(i->edge, EdgeShape::kConvex);
  EXPECT_NEAR(i->mass_kg, 0.18, 1e-12);
  EXPECT_NEAR(i->modes[0].damping_ratio, (5e-4 + 0.1) / 2, 1e-12);
  EXPECT_NEAR(i->modes[0].effective_mass_kg, 0.045, 1e-9);
  EXPECT_NEAR(i->modes[0].sensor_gain, bar_shape(0, 0.5) / 2, 1e-12);
  EXPECT_FALSE(i->modes_measured);
}

TEST(InstrumentFile, MeasuredMassAndModesAreTakenInPlaceOfDerivedOnes) {
  const std::string measured = std::string(R"(mass_g = { value = 171, source = "scales [S]" }
)") + kTool + R"([[modes]]
frequency_Hz = { value = 1043, source = "tap test [S]" }
damping_ratio = { value = 0.02, source = "tap test [S]" }
effective_mass_g = { value = 50, source = "tap test [S]" }
sensor_gain = { value = -0.5, source = "tap test [S]" }
)";
  const auto i = parse_instrument(measured, "tool.toml", shipped_materials());
  ASSERT_TRUE(i) << i.error().message;
  EXPECT_NEAR(i->mass_kg, 0.171, 1e-12);
  ASSERT_EQ(i->modes.size(), 1U);
  EXPECT_TRUE(i->modes_measured);
  EXPECT_EQ(i->modes[0].frequency_Hz, 1043);
  EXPECT_EQ(i->modes[0].sensor_gain, -0.5);
}

TEST(InstrumentFile, TakesAMaterialOfItsOwn) {
  const auto own = replaced(kTool, "material = \"stainless_steel\"\n", "") + R"([own_material]
name = "titanium"
density_kg_m3 = { value = 4500, source = "maker [S]" }
youngs_modulus_GPa = { value = 110, source = "maker [S]" }
loss_factor = { value = 0.001, source = "[A]" }
friction_factor = { value = 1, source = "[A]" }
)";
  const auto i = parse_instrument(own, "tool.toml", {});
  ASSERT_TRUE(i) << i.error().message;
  EXPECT_EQ(i->material.name, "titanium");
  EXPECT_THAT(refusal(own.substr(0, 14) + "material = \"jade\"\n" + own.substr(14)), HasSubstr("exclude each other"));
}

TEST(InstrumentFile, RefusesInWordsWithThePlace) {
  EXPECT_THAT(refusal(replaced(kTool, "stainless_steel", "mithril")),
              HasSubstr("tool.toml:2:12: there is no material"));
  EXPECT_THAT(refusal(replaced(kTool, "value = 150, source = \"calliper [S]\"", "value = 150")),
              HasSubstr("'bar.length_mm.source' is required"));
  EXPECT_THAT(refusal(replaced(kTool, "{ value = 30, source = \"calliper [S]\" }", "30")),
              HasSubstr("must be a table"));
  EXPECT_THAT(refusal(replaced(kTool, "calliper [S]", "calliper")), HasSubstr("needs a tag"));
  EXPECT_THAT(refusal(replaced(kTool, "calliper [S]", "calliper [X]")), HasSubstr("needs a tag"));
  EXPECT_THAT(refusal(replaced(kTool, "value = 5,", "value = nan,")), HasSubstr("must be a number"));
  EXPECT_THAT(refusal(replaced(kTool, "value = 5,", "value = 40,")), HasSubstr("too thick"));
  EXPECT_THAT(refusal(replaced(kTool, "value = 5,", "value = -5,")), HasSubstr("must lie between"));
  EXPECT_THAT(refusal(replaced(kTool, "\"convex\"", "\"wavy\"")),
              HasSubstr("must be one of: concave, convex, straight"));
  EXPECT_THAT(refusal(replaced(kTool, "\"convex\"", "\"straight\"")), HasSubstr("no sagitta"));
  EXPECT_THAT(refusal(replaced(kTool, "value = 6,", "value = 31,")), HasSubstr("half"));
  EXPECT_THAT(refusal(replaced(kTool, "sagitta_mm", "sagita_mm")),
              HasSubstr("tool.toml:12:1: unknown key 'edge.sagita_mm'; did you mean 'sagitta_mm'?"));
  EXPECT_THAT(refusal(replaced(kTool, "name = \"mine\"", "name = \"\"")), HasSubstr("needs a name"));
  EXPECT_THAT(refusal(""), HasSubstr("required and missing"));
  EXPECT_THAT(parse_instrument_materials("", "m.toml").error().message, HasSubstr("no [[material]]"));
  EXPECT_THAT(load_instrument("/nowhere/tool.toml").error().message, HasSubstr("no such file"));
  EXPECT_THAT(parse_instrument(kTool, "/nowhere/instruments/tool.toml").error().message,
              HasSubstr("/nowhere/materials/instrument.toml"));
}

TEST(SourcedNumber, TagsAreThoseOfTheScienceBase) {
  for (const char* good : {"science.md 1.4 [M]", "[A]", "two [M/A]", "a [note] and a tag [S]"}) {
    EXPECT_TRUE(has_source_tag(good)) << good;
  }
  for (const char* bad : {"", "science.md 1.4", "[]", "[M/]", "[/M]", "[MA]", "[Q]", "[M"}) {
    EXPECT_FALSE(has_source_tag(bad)) << bad;
  }
  EXPECT_FALSE((SourcedNumber{"x_mm", 1, "drawing [S]"}.assumed()));
  EXPECT_TRUE((SourcedNumber{"x_mm", 1, "found [S], that it holds for this [A]"}.assumed()));
  EXPECT_TRUE((SourcedNumber{"x_mm", 1, "[S/M]"}.assumed()));
}

}  // namespace
}  // namespace strigil::rig
