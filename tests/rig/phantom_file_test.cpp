#include "rig/phantom_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "daq/strict_toml.hpp"

namespace strigil::rig {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

constexpr const char* kCatalogue = STRIGIL_SOURCE_DIR "/rig/phantoms";

std::vector<std::filesystem::path> catalogue() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kCatalogue)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string achilles() { return daq::read_text_file(std::string(kCatalogue) + "/achilles_tendinosis.toml").value(); }

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

/// Without what it was read from.
Phantom content(Phantom p) {
  p.text.clear();
  return p;
}

TEST(PhantomFile, ReadsInSI) {
  const auto p = parse_phantom(achilles(), "achilles.toml");
  ASSERT_TRUE(p.ok()) << p.error().message;
  EXPECT_EQ(p->name, "achilles_tendinosis");
  EXPECT_EQ(p->text, achilles());
  EXPECT_DOUBLE_EQ(p->x_max_m, 0.165);
  ASSERT_EQ(p->layers.size(), 5U);
  EXPECT_EQ(p->layers[2].material, "fascia");
  EXPECT_DOUBLE_EQ(p->layers[2].thickness_m, 6e-3);
  EXPECT_DOUBLE_EQ(p->layers[2].stiffness_factor, 2);
  EXPECT_DOUBLE_EQ(thickness_m(p->layers), 32.5e-3);
  EXPECT_DOUBLE_EQ(p->surface.slope, 0.01);
  EXPECT_DOUBLE_EQ(p->surface.crown_radius_m, 0.04);
  EXPECT_DOUBLE_EQ(p->texture.roughness_rms_m, 2e-6);
  EXPECT_EQ(p->emollient.name, "gel");
  ASSERT_EQ(p->inclusions.size(), 3U);
  EXPECT_TRUE(p->inclusions[0].target);
  EXPECT_DOUBLE_EQ(p->inclusions[0].stiffness_contrast, 0.7);
  EXPECT_DOUBLE_EQ(p->inclusions[0].friction_contrast, 1) << "left out: as its surroundings";
  EXPECT_EQ(p->inclusions[2].kind, InclusionKind::kVessel);
  EXPECT_FALSE(p->inclusions[2].target) << "a vessel is a confounder unasked";
  EXPECT_NEAR(p->inclusions[2].angle_rad, 0.349066, 1e-6);
  EXPECT_FALSE(p->passport.poke_force_N.has_value());
}

TEST(PhantomFile, TheCatalogueReadsAndSurvivesTheRoundTripToTheBit) {
  const auto files = catalogue();
  ASSERT_GE(files.size(), 12U);
  for (const auto& file : files) {
    const auto p = load_phantom(file.string());
    ASSERT_TRUE(p.ok()) << p.error().message;
    EXPECT_EQ(p->name, file.stem().string());
    const auto text = to_toml(*p);
    const auto again = parse_phantom(text, "again.toml");
    ASSERT_TRUE(again.ok()) << again.error().message << "\n" << text;
    EXPECT_EQ(content(*again), content(*p)) << file;
    EXPECT_EQ(to_toml(*again), text) << file;
  }
}

TEST(PhantomFile, TheCatalogueHasAllConditionsAndItsControlsHaveNoTarget) {
  std::set<std::string> conditions;
  for (const auto& file : catalogue()) {
    const auto p = load_phantom(file.string());
    ASSERT_TRUE(p.ok()) << p.error().message;
    conditions.insert(p->condition);
    const auto targets =
        std::count_if(p->inclusions.begin(), p->inclusions.end(), [](const auto& i) { return i.target; });
    const bool control = p->condition == "healthy" || p->condition == "confounders";
    EXPECT_EQ(targets == 0, control) << file;
  }
  for (const char* condition :
       {"achilles_tendinosis", "plantar_fasciitis", "lateral_epicondylitis", "iliotibial_band_syndrome",
        "myofascial_pain", "post_surgical_scar", "chronic_muscle_strain", "ligament_sprain", "carpal_tunnel_syndrome",
        "healthy", "confounders", "reference"}) {
    EXPECT_TRUE(conditions.contains(condition)) << condition;
  }
}

/// science.md's tags: in a source, derived, computed, handbook, assumed.
bool tagged(const std::string& text) {
  return std::regex_search(text, std::regex(R"(\[[SDCMA](/[SDCMA])?[ \]]|\d\.\d)"));
}

TEST(PhantomFile, EveryNumberOfTheCatalogueSaysWhereItIsFrom) {
  const std::regex number(R"(^\s*\w+ = (\[?[-+.\d]).*)");
  const std::regex with_tag(R"(^[^#]*#.*\[[SDCMA](/[SDCMA])?\].*)");
  for (const auto& file : catalogue()) {
    std::ifstream in(file);
    std::size_t line_number = 0;
    for (std::string line; std::getline(in, line);) {
      ++line_number;
      if (!std::regex_match(line, number) || line.starts_with("seed =")) continue;  // a seed is no measure
      EXPECT_TRUE(std::regex_match(line, with_tag)) << file << ":" << line_number << ": " << line;
    }
    const auto p = load_phantom(file.string()).value();
    for (const auto& layer : p.layers) EXPECT_TRUE(tagged(layer.source)) << file << " " << layer.name;
    for (const auto& i : p.inclusions) EXPECT_TRUE(tagged(i.source)) << file << " " << i.name;
    for (const auto* source :
         {&p.source, &p.surface.source, &p.texture.source, &p.emollient.source, &p.passport.source})
      EXPECT_TRUE(tagged(*source)) << file << " '" << *source << "'";
  }
}

TEST(PhantomFile, BadInputIsRefusedWithLineAndColumnAndWhatWouldBeRight) {
  struct Case {
    const char* from;
    const char* to;
    const char* message;
  };
  const Case cases[] = {
      {"thickness_mm = 1.5", "thickness_cm = 0.15", "did you mean 'thickness_mm'?"},
      {"thickness_mm = 1.5", "thickness_mm = \"1.5\"", "must be a number"},
      {"thickness_mm = 1.5", "thickness_mm = nan", "must be a number"},
      {"thickness_mm = 1.5", "thickness_mm = 0", "must lie between 0.01 and 200"},
      {"thickness_mm = 1.5", "", "'layers[0].thickness_mm' is required and missing"},
      {"material = \"skin\"", "material = \"Skin 1\"", "a row of rig/materials"},
      {"x_mm = [0, 165]", "x_mm = [165, 0]", "takes [lowest, highest]"},
      {"x_mm = [0, 165]", "x_mm = 165", "takes [lowest, highest]"},
      {"kind = \"nodule\"", "kind = \"lump\"", "the kind 'lump' is not known"},
      {"kind = \"vessel\"", "kind = \"vessel\"\ntarget = true", "a vessel is a confounder"},
      {"x_mm = 75 ", "x_mm = 175 ", "outside the phantom's 'x_mm'"},
      {"y_mm = 8 ", "y_mm = 80 ", "outside the phantom's 'y_mm'"},
      {"depth_mm = 4.5 ", "depth_mm = 32.5 ", "below all layers"},
      {"name = \"paratenon\"", "name = \"nodule\"", "two inclusions are called 'nodule'"},
      {"name = \"paratenon\"", "name = \"a b\"", "1 to 64 of"},
      {"condition = \"achilles_tendinosis\"", "condition = \"healthy\"", "has no target"},
      {"condition = \"achilles_tendinosis\"", "condition = \"Achilles\"", "'condition' is 1 to 64"},
      {"stiffness_contrast = 0.7", "stiffness_contrast = -0.7", "must lie between 0.01 and 1000"},
      {"temperature_C = 32", "temperature_K = 305", "did you mean 'temperature_C'?"},
      {"temperature_C = 32", "poke_depth_mm = 3", "belong together"},
      {"temperature_C = 32", "made_on = \"2026-02-29\"", "is a date"},
      {"roughness_rms_um = 2", "roughness_longest_mm = 0.1", "must be more than 'roughness_shortest_mm'"},
      {"seed = 101", "seed = -1", "must lie between 0"},
      {"[surface]", "[surfaces]", "unknown key 'surfaces'"},
      {"[texture]", "[texture", "achilles.toml:"},
  };
  for (const auto& c : cases) {
    const auto p = parse_phantom(with(achilles(), c.from, c.to), "achilles.toml");
    ASSERT_FALSE(p.ok()) << c.to;
    EXPECT_THAT(p.error().message, HasSubstr(c.message));
    EXPECT_THAT(p.error().message, MatchesRegex("achilles\\.toml:[0-9]+:[0-9]+: (.|\n)*"));
  }
}

TEST(PhantomFile, AMistakeIsFoundWhereItStands) {
  const auto text = with(achilles(), "depth_mm = 4.5 ", "depth_mm = 450 ");
  const auto before = text.substr(0, text.find("depth_mm = 450"));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto p = parse_phantom(text, "f");
  ASSERT_FALSE(p.ok());
  EXPECT_THAT(p.error().message, testing::StartsWith("f:" + std::to_string(line) + ":12: "));
}

TEST(PhantomFile, NoLayerTooManyLayersAndTooManyInclusionsAreRefused) {
  EXPECT_THAT(parse_phantom("[phantom]\nname='a'\ncondition='b'\nx_mm=[0,1]\ny_mm=[0,1]\n[surface]\nz_mm=0\n", "f")
                  .error()
                  .message,
              HasSubstr("at least one"));
  std::string layers;
  for (std::size_t i = 0; i <= kMostLayers; ++i)
    layers += "\n[[layers]]\nname = \"a\"\nmaterial = \"skin\"\nthickness_mm = 1\n";
  EXPECT_THAT(parse_phantom(achilles() + layers, "f").error().message, HasSubstr("at most 10 of 'layers'"));
  std::string inclusions;
  for (std::size_t i = 0; i < kMostInclusions; ++i) {
    inclusions += "\n[[inclusions]]\nname = \"n" + std::to_string(i) +
                  "\"\nkind = \"nodule\"\nx_mm = 1\nlength_mm = 1\nwidth_mm = 1\nthickness_mm = 1\ndepth_mm = 1\n";
  }
  EXPECT_THAT(parse_phantom(achilles() + inclusions, "f").error().message, HasSubstr("at most 64 of 'inclusions'"));
}

TEST(PhantomFile, TextOfAnyKindSurvivesTheRoundTrip) {
  auto p = parse_phantom(achilles(), "f").value();
  p.title = "a \"quoted\" \\ title\twith\x01 control\x7f and \xc3\xa4";
  p.passport.made_on = "2024-02-29";
  p.passport.poke_depth_m = 3e-3;
  p.passport.poke_force_N = 1.25;
  p.surface.bumps.push_back({0.05, -0.01, -0.5e-3, 7e-3});
  const auto again = parse_phantom(to_toml(p), "again");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->title, p.title);
  EXPECT_EQ(again->passport, p.passport);
  EXPECT_EQ(again->surface, p.surface);
}

}  // namespace
}  // namespace strigil::rig
