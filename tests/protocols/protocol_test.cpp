#include "protocols/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "daq/strict_toml.hpp"
#include "fake_bench.hpp"

namespace strigil::protocols {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kGood = R"([protocol]
name = "p"
[approach]
start_x_mm = 30
start_z_mm = -25
deepest_z_mm = -55
[press]
normal_force_N = [3, 6]
[stroke]
length_mm = 60
speed_mm_s = 100
[limits]
max_force_N = 12
[verdict]
force_tolerance_percent = 10
)";

std::string with(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  const auto p = parse_protocol(text, "p.toml");
  EXPECT_FALSE(p.ok()) << text;
  return p.ok() ? "" : p.error().message;
}

TEST(ProtocolTest, IsReadInSi) {
  const auto p = parse_protocol(kGood, "p.toml");
  ASSERT_TRUE(p.ok()) << p.error().message;
  EXPECT_EQ(p->name, "p");
  EXPECT_DOUBLE_EQ(p->start_x_m, 0.03);
  EXPECT_DOUBLE_EQ(p->deepest_z_m, -0.055);
  EXPECT_THAT(p->normal_force_N, ElementsAre(3, 6));
  EXPECT_THAT(p->stroke_speed_m_s, ElementsAre(0.1));
  EXPECT_DOUBLE_EQ(p->force_tolerance, 0.1);
  EXPECT_EQ(p->directions, Directions::kForward);
  EXPECT_EQ(p->repeats, 1);
}

TEST(ProtocolTest, AWrongUnitIsToldWithTheRightOneAndItsPlace) {
  const auto e = error_of(with("normal_force_N = [3, 6]", "normal_force_kg = 0.6"));
  EXPECT_THAT(e, StartsWith("p.toml:8:1: "));
  EXPECT_THAT(e, HasSubstr("normal_force_kg"));
  EXPECT_THAT(e, HasSubstr("did you mean 'normal_force_N'"));
  EXPECT_THAT(error_of(with("speed_mm_s = 100", "speed_m_s = 0.1")), HasSubstr("did you mean 'speed_mm_s'"));
}

TEST(ProtocolTest, EachKindOfMistakeIsRefusedAtItsPlace) {
  struct Case {
    const char *from, *to, *says;
  };
  const Case cases[] = {
      {"length_mm = 60", "length_mm = 60\nlenth_mm = 1", "unknown key 'stroke.lenth_mm'"},
      {"[limits]", "[limts]", "unknown key 'limts'"},
      {"length_mm = 60", "length_mm = \"60\"", "'stroke.length_mm' must be a number"},
      {"length_mm = 60", "length_mm = true", "'stroke.length_mm' must be a number"},
      {"length_mm = 60", "length_mm = [60, 70]", "takes one number"},
      {"length_mm = 60", "length_mm = nan", "must be a number"},
      {"speed_mm_s = 100", "speed_mm_s = []", "empty list"},
      {"speed_mm_s = 100", "speed_mm_s = 100000", "it must lie between"},
      {"normal_force_N = [3, 6]", "normal_force_N = [3, -6]", "'press.normal_force_N' is -6"},
      {"speed_mm_s = 100", "speed_mm_s = 100\ndirections = \"sideways\"", "\"forward\" or \"both\""},
      {"speed_mm_s = 100", "speed_mm_s = 100\nrepeats = 1.5", "whole number"},
      {"speed_mm_s = 100", "speed_mm_s = 100\nrepeats = 0", "it must lie between"},
      {"deepest_z_mm = -55", "deepest_z_mm = -20", "must lie below"},
      {"name = \"p\"", "name = 7", "text in quotes"},
      {"name = \"p\"", "name = \"../../p\"", "part of file names"},
      {"name = \"p\"", "name = \"\"", "part of file names"},
      {"max_force_N = 12", "", "'limits.max_force_N' is required"},
      {"length_mm = 60", "length_mm = = 60", "p.toml:10:"},
      {"length_mm = 60", "length_mm = 60\nlength_mm = 60", "p.toml:11:"},
  };
  for (const auto& c : cases) {
    const auto e = error_of(with(c.from, c.to));
    EXPECT_THAT(e, HasSubstr(c.says)) << c.to;
    EXPECT_THAT(e, StartsWith("p.toml:")) << c.to;
  }
  EXPECT_THAT(error_of(""), HasSubstr("'protocol' is required"));
  EXPECT_THAT(error_of("protocol = 3"), HasSubstr("must be a table"));
}

TEST(ProtocolTest, EveryProtocolOfTheLibraryFitsTheBenchAndItsTime) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(STRIGIL_SOURCE_DIR "/protocols/library")) {
    const auto text = daq::read_text_file(entry.path().string());
    ASSERT_TRUE(text.ok());
    const auto p = parse_protocol(*text, entry.path().string());
    ASSERT_TRUE(p.ok()) << p.error().message;
    EXPECT_EQ(p->name, entry.path().stem().string());
    auto limits = test::bench_limits();
    if (p->hold == Hold::kForce) limits.hold.emplace();  // of a stage that takes velocities
    const auto plan = expand(*p, limits);
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    // Treatments are planned for 15 strokes each way, and end before that by their dose.
    const double most_s = !p->phases.empty() ? 400 : p->hold == Hold::kForce ? 60 : p->name == "demo" ? 40 : 10;
    EXPECT_LT(plan->estimated_duration_s(), most_s) << p->name;
    ++read;
  }
  EXPECT_GE(read, 2);
}

}  // namespace
}  // namespace strigil::protocols
