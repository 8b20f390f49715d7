// The Grbl codec: what each line says, what is refused, and that nothing depends on how bytes are cut or on locale.
#include "daq/codec/grbl.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <locale>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace strigil::daq {
namespace {

template <typename T>
T parsed(std::string_view line) {
  const auto result = parse_grbl_line(line);
  EXPECT_TRUE(result && std::holds_alternative<T>(*result)) << line;
  return result && std::holds_alternative<T>(*result) ? std::get<T>(*result) : T{};
}

std::string encoded(const GrblJog& jog) {
  std::array<char, kGrblLongestLine> out{};
  return {out.data(), encode_grbl_jog(jog, out)};
}

std::vector<std::string> lines_of(std::string_view text, const std::vector<std::size_t>& cuts) {
  GrblLineSplitter splitter;
  std::vector<std::string> lines;
  std::size_t from = 0;
  const auto take = [&](std::size_t to) {
    auto bytes = std::as_bytes(std::span(text.substr(from, to - from)));
    while (const auto line = splitter.next(bytes)) lines.emplace_back(*line);
    from = to;
  };
  for (const auto cut : cuts) take(cut);
  take(text.size());
  return lines;
}

TEST(Grbl, ReadsEveryKindOfLine) {
  parsed<GrblOk>("ok");
  EXPECT_EQ(parsed<GrblError>("error:15").number, 15);
  EXPECT_EQ(parsed<GrblAlarm>("ALARM:3").number, 3);
  EXPECT_EQ(parsed<GrblGreeting>("Grbl 1.1h ['$' for help]").text, "Grbl 1.1h ['$' for help]");
  parsed<GrblGreeting>("GrblHAL 1.1f ['$' or '$HELP' for help]");
  EXPECT_EQ(parsed<GrblMessage>("[MSG:Caution: Unlocked]").text, "Caution: Unlocked");
  parsed<GrblOther>("[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]");
  parsed<GrblOther>("$N0=G54");
  const auto setting = parsed<GrblSetting>("$110=500.000");
  EXPECT_EQ(setting.number, 110);
  EXPECT_DOUBLE_EQ(setting.value, 500);
  EXPECT_DOUBLE_EQ(parsed<GrblSetting>("$13=0 (report inches, bool)").value, 0);
}

TEST(Grbl, AGreetingIsSeenBehindTheNoiseOfAResettingAdapter) {
  EXPECT_EQ(parsed<GrblGreeting>("\xF0\x81~Grbl 1.1h ['$' for help]").text, "Grbl 1.1h ['$' for help]");
}

TEST(Grbl, ReadsAWholeStatusReport) {
  const auto s =
      parsed<GrblStatus>("<Hold:1|MPos:1.500,-2.250,-80.000|Bf:15,128|FS:500,0|Pn:XZ|WCO:1.000,2.000,3.000>");
  EXPECT_EQ(s.state, GrblState::kHold);
  EXPECT_EQ(s.substate, 1);
  EXPECT_TRUE(s.machine);
  EXPECT_EQ(s.position_mm, (std::array<double, 3>{1.5, -2.25, -80}));
  ASSERT_TRUE(s.offset_mm);
  EXPECT_EQ(*s.offset_mm, (std::array<double, 3>{1, 2, 3}));
  EXPECT_EQ(s.free, (std::array{15, 128}));
  EXPECT_EQ(s.feed_mm_min, 500);
  EXPECT_EQ(s.pins, "XZ");
  EXPECT_FALSE(s.overrides_percent);
}

TEST(Grbl, ReadsWorkPositionsOverridesAndEveryState) {
  const auto s = parsed<GrblStatus>("<Jog|WPos:1.000,2.000,3.000|F:12.5|Ov:100,50,25>");
  EXPECT_FALSE(s.machine);
  EXPECT_EQ(s.feed_mm_min, 12.5);
  EXPECT_EQ(s.overrides_percent, (std::array{100, 50, 25}));
  for (const char* name : {"Idle", "Run", "Hold", "Jog", "Alarm", "Door", "Check", "Home", "Sleep"}) {
    EXPECT_EQ(name_of(parsed<GrblStatus>("<" + std::string(name) + "|MPos:0,0,0>").state), name);
  }
  EXPECT_EQ(parsed<GrblStatus>("<Idle|MPos:0,0,0|New:field>").state, GrblState::kIdle) << "later versions add fields";
}

TEST(Grbl, DamagedLinesAreRefused) {
  for (const char* line : {"",
                           "o",
                           "OK",
                           "okk",
                           "error:",
                           "error:x",
                           "error:15x",
                           "error:99999999999",
                           "ALARM:",
                           "<>",
                           "<Idle>",
                           "<Idle|MPos:1,2>",
                           "<Idle|MPos:1,2,3,4>",
                           "<Idle|MPos:1,2,nan>",
                           "<Idle|MPos:1,2,inf>",
                           "<Idle|MPos:1e9,0,0>",
                           "<Idle|MPos:1,2,3",
                           "<Idel|MPos:1,2,3>",
                           "<Hold:x|MPos:1,2,3>",
                           "<Idle|MPos:1,2,3|WCO:1,2>",
                           "<Idle|MPos:1,2,3|Bf:1>",
                           "<Idle|MPos:1,2,3|",
                           "<Idle|MPos:1,2,3|rubbish>",
                           "<Idle|WCO:1,2,3>",
                           "$110=",
                           "$110=nan",
                           "$110=inf",
                           "$110=5x",
                           "[MSG:cut off",
                           "Grb 1.1h",
                           "1.1h ['$' for help]"}) {
    EXPECT_FALSE(parse_grbl_line(line)) << line;
  }
}

TEST(Grbl, EncodesJogs) {
  EXPECT_EQ(encoded({{1.5, -2.25, 0}, 600}), "$J=G53G21X1.500Y-2.250Z0.000F600.0\n");
  EXPECT_EQ(encoded({{0, 0, -0.1}, 60, true}), "$J=G91G21X0.000Y0.000Z-0.100F60.0\n");
  EXPECT_EQ(encoded({{std::nan(""), 0, 0}, 60}), "");
  EXPECT_EQ(encoded({{HUGE_VAL, 0, 0}, 60}), "");
  EXPECT_EQ(encoded({{1e300, 0, 0}, 60}), "");
  EXPECT_LT(encoded({{-999999.999, -999999.999, -999999.999}, 999999.9}).size(), kGrblLongestLine);
  EXPECT_NE(encoded({{-999999.999, -999999.999, -999999.999}, 999999.9}), "");
}

struct DecimalComma : std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
};

TEST(Grbl, NumbersDoNotDependOnTheLocale) {
  // C++'s locale for streams; C's, for printf and strtod, where the machine has one with a decimal comma.
  const auto before = std::locale::global(std::locale(std::locale::classic(), new DecimalComma));
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"}) {
    if (std::setlocale(LC_NUMERIC, name) != nullptr) break;
  }
  std::ostringstream probe;
  probe << 1.5;
  const auto text = encoded({{1.5, 0, 0}, 60});
  const auto status = parse_grbl_line("<Idle|MPos:1.500,0.000,0.000>");
  std::locale::global(before);
  std::setlocale(LC_NUMERIC, "C");
  ASSERT_EQ(probe.str(), "1,5") << "the locale must bite for this test to mean anything";
  EXPECT_EQ(text, "$J=G53G21X1.500Y0.000Z0.000F60.0\n");
  ASSERT_TRUE(status);
  EXPECT_DOUBLE_EQ(std::get<GrblStatus>(*status).position_mm[0], 1.5);
}

TEST(Grbl, WordsNameTheProblemAndFitIntoAnEvent) {
  EXPECT_NE(grbl_error_words(15).find("travel"), std::string_view::npos);
  EXPECT_NE(grbl_error_words(22).find("feed"), std::string_view::npos);
  EXPECT_NE(grbl_alarm_words(1).find("limit"), std::string_view::npos);
  EXPECT_NE(grbl_alarm_words(3).find("home"), std::string_view::npos);
  constexpr std::size_t kDetail = 43;
  for (int n = -1; n < 100; ++n) {
    EXPECT_FALSE(grbl_error_words(n).empty());
    EXPECT_LE(grbl_error_words(n).size(), kDetail) << grbl_error_words(n);
    EXPECT_FALSE(grbl_alarm_words(n).empty());
    EXPECT_LE(grbl_alarm_words(n).size(), kDetail) << grbl_alarm_words(n);
  }
}

TEST(GrblLineSplitter, DropsAnOverlongLineWholeAndGoesOn) {
  GrblLineSplitter splitter;
  const std::string text = "ok\r\n" + std::string(GrblLineSplitter::kLongest + 1, 'x') + "\nok\n" +
                           std::string(GrblLineSplitter::kLongest, 'y') + "\n";
  auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(splitter.next(bytes), "ok");
  EXPECT_EQ(splitter.next(bytes), "ok");
  EXPECT_EQ(splitter.next(bytes), std::string(GrblLineSplitter::kLongest, 'y'));
  EXPECT_EQ(splitter.next(bytes), std::nullopt);
  EXPECT_EQ(splitter.dropped(), 1U);
}

TEST(GrblLineSplitter, SameLinesForAThousandRandomSplittings) {
  const std::string text =
      "\r\nGrbl 1.1h ['$' for help]\r\nok\r\n\r\n<Idle|MPos:0.000,1.000,-2.000|FS:0,0>\r\nerror:9\nALARM:1\r\n"
      "[MSG:Reset to continue]\r\n$110=500.000\r\n" +
      std::string(500, 'z') + "\nok\n";
  const auto whole = lines_of(text, {});
  ASSERT_EQ(whole.size(), 8U);
  std::mt19937 random(1);
  for (int n = 0; n < 1000; ++n) {
    std::vector<std::size_t> cuts;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (random() % (1 + random() % 60) == 0) cuts.push_back(i);
    }
    ASSERT_EQ(lines_of(text, cuts), whole);
  }
}

TEST(Grbl, SurvivesRandomLines) {
  // Letters that matter, so that many lines get far into the parser.
  constexpr std::string_view kAlphabet = "<>|:,.-0123456789MPosWCOIdleJogHFSBfn$=[]GrblALARMerok \xFF";
  std::mt19937 random(2);
  std::size_t accepted = 0;
  for (int n = 0; n < 200000; ++n) {
    std::string line = n % 3 == 0 ? "<Idle|MPos:" : n % 3 == 1 ? "$" : "";
    for (auto left = random() % 24; left > 0; --left) line += kAlphabet[random() % kAlphabet.size()];
    if (const auto p = parse_grbl_line(line)) {
      ++accepted;
      if (const auto* s = std::get_if<GrblStatus>(&*p)) {
        for (const double v : s->position_mm) ASSERT_LT(std::abs(v), 1e6);
      }
    }
  }
  EXPECT_GT(accepted, 0U);
}

}  // namespace
}  // namespace strigil::daq
