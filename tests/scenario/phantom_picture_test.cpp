#include "apps/phantom_picture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "rig/phantom_file.hpp"
#include "rig/phantom_generator.hpp"

namespace strigil::apps {
namespace {

/// Texts and size as Python's own XML reader finds them.
nlohmann::json parsed_by_python(const std::string& svg) {
  const auto file = std::filesystem::temp_directory_path() / ("strigil_picture_" + std::to_string(::getpid()) + ".svg");
  std::ofstream(file, std::ios::binary) << svg;
  const std::string script =
      "import sys, json, xml.etree.ElementTree as e; r = e.parse(sys.argv[1]).getroot(); n = "
      "'{http://www.w3.org/2000/svg}';"
      "print(json.dumps({'width': float(r.get('width')), 'height': float(r.get('height')), 'texts': "
      "[[float(t.get('x')),"
      "float(t.get('y')), t.get('text-anchor'), float(t.get('font-size', 12)), t.text or ''] for t in r.iter(n + "
      "'text')]}))";
  const std::string command = "/usr/bin/python3 -c \"" + script + "\" " + file.string();
  std::string out;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    char buffer[4096];
    while (const auto n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
    EXPECT_EQ(::pclose(pipe), 0) << svg.substr(0, 2000);
  }
  std::filesystem::remove(file);
  return daq::parse_json(out);
}

struct Box {
  double left, right, top, bottom;
  std::string text;
};

/// Where the texts are, taking letters for 0.6 of their height wide: DejaVu Sans is, on average.
std::vector<Box> boxes_of(const nlohmann::json& picture) {
  std::vector<Box> out;
  for (const auto& t : picture["texts"]) {
    const auto text = t[4].get<std::string>();
    const double size = t[3];
    const double wide = 0.6 * size * static_cast<double>(text.size());
    const double x = t[0];
    const double left = t[2] == "end" ? x - wide : t[2] == "middle" ? x - wide / 2 : x;
    out.push_back({left, left + wide, t[1].get<double>() - 0.8 * size, t[1].get<double>(), text});
  }
  return out;
}

void expect_tidy(const rig::Phantom& phantom, const PictureOfWays& ways = {}) {
  const auto picture = parsed_by_python(draw_picture(phantom, ways));
  const auto boxes = boxes_of(picture);
  for (const auto& b : boxes) {
    EXPECT_GE(b.left, 0) << phantom.name << ": '" << b.text << "' is cut off";
    EXPECT_LE(b.right, picture["width"].get<double>()) << phantom.name << ": '" << b.text << "' is cut off";
    EXPECT_GE(b.top, 0) << b.text;
    EXPECT_LE(b.bottom, picture["height"].get<double>()) << b.text;
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t j = i + 1; j < boxes.size(); ++j) {
      const auto& a = boxes[i];
      const auto& b = boxes[j];
      const bool apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
      EXPECT_TRUE(apart) << phantom.name << ": '" << a.text << "' lies on '" << b.text << "'";
    }
  }
}

TEST(PhantomPicture, TheCatalogueIsDrawnWithNoTextCutOffOrOnAnother) {
  for (const auto& entry : std::filesystem::directory_iterator(STRIGIL_SOURCE_DIR "/rig/phantoms"))
    expect_tidy(rig::load_phantom(entry.path().string()).value());
}

TEST(PhantomPicture, SoAreDrawnOnes) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) expect_tidy(rig::draw_phantom({.seed = seed}).value());
}

TEST(PhantomPicture, NamesOfAnyKindAndManyInclusionsAreBorne) {
  auto p = rig::draw_phantom({.seed = 4}).value();
  p.title = "<&\"> \x01 " + std::string(300, 'M');
  p.condition = std::string(64, 'w');
  p.name = std::string(64, 'W');
  while (p.inclusions.size() < rig::kMostInclusions) {
    auto i = p.inclusions.front();
    i.name = std::string(60, 'M') + std::to_string(p.inclusions.size());
    i.x_m = 80e-3;
    p.inclusions.push_back(i);
  }
  p.layers.assign(rig::kMostLayers,
                  {.name = std::string(64, 'M'), .material = "fat", .thickness_m = 0.1e-3, .source = ""});
  const auto picture = parsed_by_python(draw_picture(p, {}));
  int numbers = 0;
  for (const auto& t : picture["texts"]) numbers += t[4] == "64";
  EXPECT_EQ(numbers, 3) << "in the section, on the map, in the table";
}

TEST(PhantomPicture, OddExtentsAreDrawnToo) {
  auto p = rig::draw_phantom({.seed = 4}).value();
  p.inclusions.clear();
  for (const auto& [x_mm, y_mm] : {std::pair(5.0, 400.0), std::pair(2000.0, 3.0), std::pair(30.0, 10.0)}) {
    p.x_max_m = x_mm * 1e-3;
    p.y_min_m = -y_mm * 0.5e-3;
    p.y_max_m = y_mm * 0.5e-3;
    const auto picture = parsed_by_python(draw_picture(p, {}));
    EXPECT_LT(picture["height"].get<double>(), 2500);
    for (const auto& b : boxes_of(picture)) {
      EXPECT_GE(b.left, 0) << b.text;
      EXPECT_LE(b.right, picture["width"].get<double>()) << b.text;
    }
  }
}

}  // namespace
}  // namespace strigil::apps
