// The tables of phantom materials: every number has a source, and which of them are assumptions.
#include "rig/phantom_material.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <filesystem>
#include <set>

namespace strigil::rig {
namespace {

using testing::HasSubstr;

TEST(PhantomMaterials, EveryTableThatLiesThereIsBuiltInAndReads) {
  std::set<std::string> built_in;
  PhantomMaterials all;
  for (const auto& file : shipped_material_files()) {
    built_in.insert(std::string(file.name));
    const auto read = read_phantom_materials(file.text, std::string(file.name), all);
    ASSERT_TRUE(read.ok()) << read.error().message;
    const auto path = std::string(STRIGIL_SOURCE_DIR) + "/rig/materials/" + std::string(file.name);
    EXPECT_EQ(daq::read_text_file(path).value(), file.text);
  }
  EXPECT_EQ(built_in, (std::set<std::string>{"tissue.toml", "silicone.toml", "gel.toml", "emollients.toml"}));
  EXPECT_EQ(all.materials.size(), shipped_phantom_materials().materials.size());
  for (const auto* name :
       {"skin",          "fat",           "fascia",         "muscle",         "bone",           "ecoflex_00_10",
        "ecoflex_00_30", "ecoflex_00_50", "dragon_skin_10", "dragon_skin_20", "dragon_skin_30", "dragon_skin_fx_pro",
        "gelatin_5",     "gelatin_10",    "gelatin_15",     "agar_1",         "agar_2",         "agar_3",
        "pva_c",         "plastisol"}) {
    EXPECT_NE(all.material(name), nullptr) << name;
  }
  for (const auto* name : {"dry", "gel", "oil", "lotion"}) EXPECT_NE(all.emollient(name), nullptr) << name;
}

/// What a person must check before relying on a result: printed, and counted, so that none comes or goes unseen.
TEST(PhantomMaterials, AssumptionsAreKnownByNumber) {
  std::size_t numbers = 0;
  std::size_t assumed = 0;
  std::set<std::string> without_any;
  const auto look = [&](const std::string& row, const std::vector<SourcedNumber>& of) {
    std::size_t here = 0;
    for (const auto& n : of) {
      EXPECT_TRUE(has_source_tag(n.source)) << row << "." << n.key;
      ++numbers;
      if (!n.assumed()) continue;
      ++here;
      std::printf("assumed: %s.%s = %g: %s\n", row.c_str(), n.key.c_str(), n.value, n.source.c_str());
    }
    if (here == 0) without_any.insert(row);
    assumed += here;
  };
  for (const auto& m : shipped_phantom_materials().materials) look(m.name, m.numbers);
  for (const auto& e : shipped_phantom_materials().emollients) look(e.name, e.numbers);
  std::printf("%zu numbers, %zu of them assumed, if only in part\n", numbers, assumed);
  EXPECT_EQ(numbers,
            shipped_phantom_materials().materials.size() * 13 + shipped_phantom_materials().emollients.size() * 6);
  EXPECT_GT(assumed, 0U);
  EXPECT_TRUE(without_any.empty()) << "a row without one assumption would be news";
  const auto& muscle = shipped_phantom_materials().material("muscle")->numbers;
  const auto tau = std::find_if(muscle.begin(), muscle.end(), [](const auto& n) { return n.key == "slow_time_s"; });
  ASSERT_NE(tau, muscle.end());
  EXPECT_FALSE(tau->assumed()) << "derived from data";
}

std::string refusal(std::string_view text) {
  PhantomMaterials all;
  const auto read = read_phantom_materials(text, "m.toml", all);
  EXPECT_TRUE(all.materials.empty() && all.emollients.empty()) << "half a file was taken";
  return read.ok() ? "" : read.error().message;
}

std::string emollient(const std::string& friction) {
  return "[[emollient]]\nname = \"x\"\ntitle = \"x\"\nfriction = " + friction +
         "\nstatic_ratio = { value = 1.2, source = \"[A]\" }\nstribeck_speed_mm_s = { value = 40, source = \"[A]\" }\n"
         "viscous_s_m = { value = 0, source = \"[A]\" }\npath_m = { value = 1, source = \"[A]\" }\n"
         "time_s = { value = 60, source = \"[A]\" }\n";
}

TEST(PhantomMaterials, ANumberWithoutASourceIsRefusedAndSoIsWhatIsNotThere) {
  EXPECT_EQ(refusal(""), "");
  PhantomMaterials all;
  EXPECT_TRUE(read_phantom_materials(emollient("{ value = 0.1, source = \"seen [M]\" }"), "m.toml", all).ok());
  EXPECT_THAT(refusal(emollient("{ value = 0.1, source = \"seen\" }")), HasSubstr("needs a tag"));
  EXPECT_THAT(refusal(emollient("{ value = 0.1, source = \"seen [Q]\" }")), HasSubstr("needs a tag"));
  EXPECT_NE(refusal(emollient("{ value = 0.1 }")), "");
  EXPECT_NE(refusal(emollient("0.1")), "");
  EXPECT_THAT(refusal(emollient("{ value = 7, source = \"[A]\" }")), HasSubstr("between 0 and 3"));
  EXPECT_NE(refusal(emollient("{ value = nan, source = \"[A]\" }")), "");
  EXPECT_THAT(refusal("[[materiel]]\nname = \"x\"\n"), HasSubstr("did you mean 'material'"));
  EXPECT_NE(refusal("[[material]]\nname = \"x\"\n"), "");
  EXPECT_THAT(refusal(emollient("{ value = 0.1, source = \"[A]\" }") + emollient("{ value = 0.1, source = \"[A]\" }")),
              HasSubstr("two rows named 'x'"));
}

TEST(PhantomMaterials, LayersStiffenAsTheIndentationOfTissueDoes) {
  for (const auto& m : shipped_phantom_materials().materials) {
    EXPECT_GE(m.stiffening_at_half, 4) << m.name << ": science.md 2.6, 4-10 by 50 %";
    EXPECT_LE(m.stiffening_at_half, 10) << m.name;
  }
}

}  // namespace
}  // namespace strigil::rig
