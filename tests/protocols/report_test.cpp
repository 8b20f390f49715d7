// The reports are read back by programs that nobody here wrote.
#include "protocols/report.hpp"
#include "daq/json_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fake_bench.hpp"

namespace strigil::protocols {
namespace {

using testing::HasSubstr;

Plan two_strokes() {
  auto p = test::one_stroke();
  p.directions = Directions::kBoth;
  return *expand(p, test::bench_limits());
}

StrokeResult stroke_of(std::size_t condition, Judgement judgement) {
  StrokeResult s;
  s.condition = condition;
  s.judgement = judgement;
  s.mean_normal_force_N = 6;
  s.speed_m_s = std::numeric_limits<double>::quiet_NaN();
  s.duration_s = 0.8;
  return s;
}

/// What Python's own XML reader makes of it, as JSON.
nlohmann::json parsed_by_python(const std::string& xml) {
  const auto file = std::filesystem::temp_directory_path() / ("strigil_junit_" + std::to_string(::getpid()) + ".xml");
  std::ofstream(file, std::ios::binary) << xml;
  const std::string script =
      "import sys, json, xml.etree.ElementTree as e; s = e.parse(sys.argv[1]).getroot()[0];"
      "print(json.dumps({'attributes': s.attrib, 'cases': [{'name': c.get('name'), 'time': c.get('time'), 'inside': "
      "[[i.tag, i.get('message') or i.text] for i in c]} for c in s.iter('testcase')]}))";
  const std::string command = "/usr/bin/python3 -c \"" + script + "\" " + file.string();
  std::string out;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    char buffer[512];
    while (const auto n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
    EXPECT_EQ(::pclose(pipe), 0) << xml;
  }
  std::filesystem::remove(file);
  return daq::parse_json(out);
}

TEST(ReportTest, AFailAndAPassAreReadBackAsSuch) {
  const auto plan = two_strokes();
  Verdict v;
  v.judgement = Judgement::kFail;
  v.strokes = {stroke_of(0, Judgement::kFail), stroke_of(1, Judgement::kPass)};
  v.reasons = {{Judgement::kFail, "the mean was 5 N, <&\"> \x01 caf\xC3\xA9", 0}};
  const auto j = parsed_by_python(to_junit(plan, v, 12.5));
  EXPECT_EQ(j["attributes"]["tests"], "3");
  EXPECT_EQ(j["attributes"]["failures"], "1");
  EXPECT_EQ(j["attributes"]["errors"], "0");
  EXPECT_EQ(j["attributes"]["skipped"], "0");
  ASSERT_EQ(j["cases"].size(), 3U);
  EXPECT_EQ(j["cases"][0]["name"], "the run as a whole");
  EXPECT_EQ(j["cases"][0]["inside"].size(), 0U);
  EXPECT_EQ(j["cases"][1]["name"], "6 N, 100 mm/s, forward, repeat 1");
  EXPECT_EQ(j["cases"][1]["inside"][0][0], "failure");
  EXPECT_EQ(j["cases"][1]["inside"][0][1], "the mean was 5 N, <&\"> ? caf\xC3\xA9");
  EXPECT_EQ(j["cases"][1]["time"], "0.800");
  EXPECT_EQ(j["cases"][2]["inside"][0][0], "system-out");
}

TEST(ReportTest, NothingPassesInAnInvalidRun) {
  const auto plan = two_strokes();
  Verdict v;
  v.judgement = Judgement::kInvalid;
  v.strokes = {stroke_of(0, Judgement::kPass)};
  v.reasons = {{Judgement::kInvalid, "3 samples were lost"}};
  const auto j = parsed_by_python(to_junit(plan, v, 1));
  EXPECT_EQ(j["attributes"]["errors"], "1");
  EXPECT_EQ(j["attributes"]["skipped"], "2");
  EXPECT_EQ(j["cases"][0]["inside"][0][0], "error");
  EXPECT_EQ(j["cases"][1]["inside"][0][0], "skipped");
  EXPECT_EQ(j["cases"][2]["inside"][0][1], "the stroke was not delivered");
}

TEST(ReportTest, BytesThatXmlCannotHoldAreReplaced) {
  const auto plan = two_strokes();
  Verdict v;
  v.reasons = {{Judgement::kInvalid, "file \xFF\xC3 \xE2\x82 \xEF\xBF\xBF \xED\xA0\x80 \xC0\xAF end"}};
  const auto j = parsed_by_python(to_junit(plan, v, 1));
  EXPECT_THAT(j["cases"][0]["inside"][0][1].get<std::string>(), HasSubstr(" end"));
  v.reasons = {{Judgement::kInvalid, "5 \xE2\x82\xAC"}};
  EXPECT_THAT(parsed_by_python(to_junit(plan, v, 1)).dump(-1, ' ', true), HasSubstr("\\u20ac"));
}

TEST(ReportTest, JsonHasNoNumberThatNobodyMeasured) {
  const auto plan = two_strokes();
  Verdict v;
  v.judgement = Judgement::kInvalid;
  v.strokes = {stroke_of(1, Judgement::kInvalid)};
  v.reasons = {{Judgement::kInvalid, "why \xFF", 1}, {Judgement::kInvalid, "whole run"}};
  const auto j = daq::parse_json(to_json(plan, v));
  EXPECT_EQ(j["judgement"], "INVALID");
  EXPECT_TRUE(j["strokes"][0]["speed_m_s"].is_null());
  EXPECT_EQ(j["reasons"][0]["stroke"], "6 N, 100 mm/s, backward, repeat 1");
  EXPECT_FALSE(j["reasons"][1].contains("stroke"));
}

TEST(ReportTest, TheTextEndsWithTheVerdict) {
  const auto plan = two_strokes();
  Verdict v;
  v.judgement = Judgement::kPass;
  v.strokes = {stroke_of(0, Judgement::kPass)};
  const auto text = to_text(plan, v);
  EXPECT_TRUE(text.ends_with("VERDICT: PASS\n"));
  EXPECT_THAT(text, HasSubstr("6 N, 100 mm/s, forward, repeat 1"));
}

}  // namespace
}  // namespace strigil::protocols
