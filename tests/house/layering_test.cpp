// Dependencies point one way (DESIGN.md, Folders): reads every #include of the house.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> kMayUse{
    {"daq", {}},
    {"calibration", {"daq"}},
    {"rig", {"daq", "calibration"}},
    {"protocols", {"daq", "calibration", "rig"}},
    {"ui", {"daq", "calibration", "rig", "protocols"}},
    {"sim", {"daq", "rig"}},
    {"apps", {"daq", "calibration", "rig", "protocols", "ui", "sim"}},
};

std::set<fs::path> sources() {
  std::set<fs::path> out;
  for (const auto& [room, uses] : kMayUse) {
    const auto dir = fs::path(STRIGIL_SOURCE_DIR) / room;
    if (!fs::exists(dir)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(dir)) {
      const auto extension = entry.path().extension();
      if (extension == ".cpp" || extension == ".hpp") out.insert(entry.path());
    }
  }
  return out;
}

TEST(House, IncludesPointOneWay) {
  const std::regex include(R"re(^\s*#\s*include\s*"([a-z_]+)/)re");
  std::size_t arrows = 0;
  for (const auto& file : sources()) {
    const auto room = fs::relative(file, STRIGIL_SOURCE_DIR).begin()->string();
    std::ifstream in(file);
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      ++arrows;
      const auto target = match[1].str();
      EXPECT_TRUE(target == room || kMayUse.at(room).contains(target))
          << file << ":" << number << ": " << room << " may not use " << target;
    }
  }
  EXPECT_GT(arrows, 50U) << "the test must see the includes";
}

TEST(House, FilesCanBeReadInOneSitting) {
  constexpr std::size_t kLongest = 500;
  for (const auto& file : sources()) {
    std::ifstream in(file);
    std::size_t lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    EXPECT_LE(lines, kLongest) << file;
  }
}

TEST(House, NoRoomForOddments) {
  const std::set<std::string> banned{"utils", "util", "helpers", "helper", "common", "manager", "misc"};
  for (const auto& file : sources()) EXPECT_FALSE(banned.contains(file.stem().string())) << file;
}

}  // namespace
