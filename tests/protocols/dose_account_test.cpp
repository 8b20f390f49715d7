#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "daq/json_text.hpp"

#include "dose_hand.hpp"

namespace strigil::protocols {
namespace {

using daq::from_seconds;
using daq::HostTime;
using test::Hand;
using test::made;
using test::small_edge;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

static_assert(noexcept(std::declval<DoseAccount&>().add(DoseSample{})));
static_assert(noexcept(std::declval<const DoseAccount&>().ended(0)));
static_assert(noexcept(std::declval<const DoseAccount&>().ended_under(0, 0)));

TEST(DoseAccountTest, RestingPressesOneArea) {
  auto account = made(small_edge());
  Hand hand(account);
  hand.rest(2);
  const auto area = account.area_at(0.005, 0.015);
  EXPECT_EQ(area, 12U);
  const auto& d = account.dose(area);
  EXPECT_NEAR(d.impulse_N_s, 12, 1e-9);
  EXPECT_NEAR(d.time_s, 2, 1e-9);
  EXPECT_EQ(d.work_J, 0);
  EXPECT_NEAR(d.peak_pressure_Pa, 6e6, 1e-3);
  EXPECT_EQ(d.strokes, 1U);
  EXPECT_NEAR(account.total().impulse_N_s, 12, 1e-9);
  EXPECT_EQ(account.dose(account.outside()).time_s, 0);
}

TEST(DoseAccountTest, SlidingGivesEachAreaItsPart) {
  auto account = made(small_edge());
  Hand hand(account);
  hand.slide_to(0.105, 0.015, 0.05);
  for (std::size_t column = 1; column < 10; ++column) {
    const auto& d = account.dose(12 + column);
    EXPECT_NEAR(d.impulse_N_s, 6 * 0.2, 1e-3);    // 10 mm at 50 mm/s
    EXPECT_NEAR(d.work_J, 2 * 0.010, 2e-5);       // 2 N over 10 mm
    EXPECT_NEAR(d.time_s, 0.011 / 0.05, 2.1e-3);  // from when the edge's 1 mm comes until it has gone
    EXPECT_EQ(d.strokes, 1U);
  }
  EXPECT_NEAR(account.total().work_J, 0.2, 1e-9);
  EXPECT_NEAR(account.total().impulse_N_s, 12, 1e-9);
}

TEST(DoseAccountTest, ALongEdgeSharesItsForceAcrossTheRowsUnderIt) {
  auto config = small_edge();
  config.edge = {.length_m = 40e-3, .width_m = 5e-3};
  auto account = made(config);
  Hand hand(account);
  hand.y_m = 0.025;  // covers 5 to 45 mm: half of the first and fifth row, all of those between
  hand.x_m = 0.015;
  hand.rest(1);
  const double parts[] = {0.125, 0.25, 0.25, 0.25, 0.125, 0};
  for (std::size_t row = 0; row < 6; ++row) {
    const auto& d = account.dose(row * 12 + 1);
    EXPECT_NEAR(d.impulse_N_s, 6 * parts[row], 1e-9) << row;
    EXPECT_NEAR(d.time_s, parts[row] > 0 ? 1 : 0, 1e-9) << row;
    EXPECT_NEAR(d.peak_pressure_Pa, parts[row] > 0 ? 6 / (40e-3 * 5e-3) : 0, 1e-6) << row;
  }
  EXPECT_EQ(account.dose(0).time_s, 0);
}

TEST(DoseAccountTest, ForceAndSpeedAlongLinesAreExact) {
  auto account = made(small_edge());
  // Force 2 to 6 N, friction 0 to -3 N, speed 0.1 to 0.5 m/s over 80 ms.
  account.add({.at = {0}, .x_m = 0.005, .y_m = 0.015, .normal_force_N = 2, .tangential_force_N = 0, .speed_m_s = 0.1});
  account.add({.at = {80'000'000},
               .x_m = 0.029,
               .y_m = 0.015,
               .normal_force_N = 6,
               .tangential_force_N = -3,
               .speed_m_s = 0.5});
  EXPECT_NEAR(account.total().impulse_N_s, 4 * 0.08, 1e-12);
  EXPECT_NEAR(account.total().work_J, 0.08 * (3 * 0.1 / 2 + 3 * 0.4 / 3), 1e-12);  // integral of 3 u (0.1 + 0.4 u)
  // The force where the middle area lies: 10 to 20 mm of 5 to 29 mm.
  const double middle = (10.0 - 5 + 20 - 5) / 2 / 24;
  EXPECT_NEAR(account.dose(13).impulse_N_s, (2 + 4 * middle) * 0.08 * 10 / 24, 2e-3);
}

TEST(DoseAccountTest, EachWayIsAStroke) {
  auto account = made(small_edge());
  Hand hand(account);
  for (int i = 0; i < 3; ++i) {
    hand.slide_to(0.085, 0.015);
    hand.slide_to(0.005, 0.015);
  }
  for (std::size_t column = 0; column < 9; ++column) {
    // At the first turning point the last way ends where the next would begin.
    EXPECT_EQ(account.dose(12 + column).strokes, 6U) << column;
  }
  hand.lift();
  hand.slide_to(0.035, 0.015);
  EXPECT_EQ(account.dose(12).strokes, 7U) << "put down again";
  EXPECT_EQ(account.dose(14).strokes, 7U);
  EXPECT_EQ(account.dose(16).strokes, 6U);
}

TEST(DoseAccountTest, TremblingIsNoStroke) {
  auto account = made(small_edge());
  std::mt19937 random(9);
  std::normal_distribution<double> tremble(0, 0.1e-3);
  for (int i = 0; i < 4000; ++i) {
    account.add({.at = {std::int64_t{i} * 1'000'000},
                 .x_m = 0.020 + tremble(random),  // on the border of two areas
                 .y_m = 0.015 + tremble(random),
                 .normal_force_N = 6,
                 .tangential_force_N = 1,
                 .speed_m_s = 0});
  }
  EXPECT_EQ(account.dose(13).strokes, 1U);
  EXPECT_EQ(account.dose(14).strokes, 1U);
}

// Under load a servo that lands softly lets go a few times before it holds: "110 strokes (limit 30)".
TEST(DoseAccountTest, AForceThatTremblesAboutContactIsOneStroke) {
  auto config = small_edge();
  config.limits.max_strokes = 1;
  auto account = made(config);
  Hand hand(account);
  for (int i = 0; i < 100; ++i) {
    hand.rest(0.02);
    hand.lift(0.08);
    EXPECT_EQ(account.ended(12), 0U) << "the passage goes on";
  }
  EXPECT_EQ(account.dose(12).strokes, 1U);
  hand.rest(0.02);
  hand.lift(0.12);
  EXPECT_EQ(account.ended(12), kDoseStrokes);
  hand.rest(0.02);
  EXPECT_EQ(account.dose(12).strokes, 2U);
}

TEST(DoseAccountTest, EachLapOfAFrameIsAStroke) {
  auto account = made(small_edge());
  Hand hand(account);
  constexpr int kLaps = 4;
  for (int lap = 0; lap < kLaps; ++lap) {
    hand.slide_to(0.065, 0.015);
    hand.slide_to(0.065, 0.045);
    hand.slide_to(0.005, 0.045);
    hand.slide_to(0.005, 0.015);
  }
  EXPECT_EQ(account.dose(15).strokes, 4U);          // on the first side
  EXPECT_EQ(account.dose(2 * 12 + 6).strokes, 4U);  // on the second
  EXPECT_EQ(account.dose(4 * 12 + 3).strokes, 4U);  // on the third
  EXPECT_EQ(account.dose(12).strokes, 4U + 1U) << "the corner where it began, and ended";
}

TEST(DoseAccountTest, AHookIsOneStroke) {
  auto account = made(small_edge());
  const auto path = *j_stroke_path(
      {.straight = {.from = {0.015, 0.015}, .length_m = 0.06}, .radius_m = 0.015, .sweep_rad = std::acos(-1.0)});
  const int n = static_cast<int>(path.length_m() / 0.1e-3);
  for (int i = 0; i <= n; ++i) {
    const auto p = path.at(path.length_m() * i / n).position;
    account.add(
        {.at = {std::int64_t{i} * 1'000'000}, .x_m = p.x_m, .y_m = p.y_m, .normal_force_N = 6, .speed_m_s = 0.1});
  }
  std::uint32_t most = 0;
  for (std::size_t area = 0; area < account.areas(); ++area) most = std::max(most, account.dose(area).strokes);
  EXPECT_EQ(most, 1U);
}

TEST(DoseAccountTest, WithoutContactNothingIsCounted) {
  auto account = made(small_edge());
  Hand hand(account);
  hand.normal_force_N = 0.15;
  hand.slide_to(0.105, 0.015);
  EXPECT_EQ(account.total().time_s, 0);
  EXPECT_EQ(account.total().impulse_N_s, 0);
  EXPECT_EQ(account.total().strokes, 0U);
  EXPECT_EQ(account.total().peak_pressure_Pa, 0);
}

TEST(DoseAccountTest, GapsAndNonsenseAreCountedAndNothingElse) {
  auto account = made(small_edge());
  const auto at = [](double s) { return HostTime{} + from_seconds(s); };
  account.add({.at = at(1), .x_m = 0.005, .y_m = 0.005, .normal_force_N = 6});
  account.add({.at = at(2), .x_m = 0.005, .y_m = 0.005, .normal_force_N = 6});
  EXPECT_EQ(account.gaps(), 1U);
  EXPECT_EQ(account.total().time_s, 0);
  account.add({.at = at(1.99), .x_m = 0.005, .y_m = 0.005, .normal_force_N = 6});
  account.add({.at = at(2.01), .x_m = kNaN, .y_m = 0.005, .normal_force_N = 6});
  account.add({.at = at(2.01), .x_m = 0.005, .y_m = 1e300, .normal_force_N = 6});
  account.add({.at = at(2.01), .x_m = 0.005, .y_m = 0.005, .normal_force_N = kInfinity});
  account.add({.at = at(2.01), .x_m = 0.005, .y_m = 0.005, .normal_force_N = 6, .speed_m_s = kNaN});
  EXPECT_EQ(account.refused_samples(), 5U);
  account.add({.at = at(2.05), .x_m = 0.005, .y_m = 0.005, .normal_force_N = 6});
  EXPECT_NEAR(account.total().time_s, 0.05, 1e-9);
  account.interrupt();
  account.add({.at = at(2.10), .x_m = 0.105, .y_m = 0.005, .normal_force_N = 6});
  EXPECT_NEAR(account.total().time_s, 0.05, 1e-9);
  EXPECT_EQ(account.gaps(), 1U);
  account.add({.at = at(2.15), .x_m = 0.105, .y_m = 0.005, .normal_force_N = 6});
  EXPECT_EQ(account.dose(10).strokes, 1U);
}

struct LimitCase {
  const char* name;
  DoseEnd bit;
  void (*set)(DoseLimits&);
  double after_s;  ///< of rest with 6 N: ended at, not before
  const char* words;
};
void PrintTo(const LimitCase& c, std::ostream* out) { *out << c.name; }
class DoseLimitTest : public testing::TestWithParam<LimitCase> {};

TEST_P(DoseLimitTest, EndsTreatmentOfItsAreaOnly) {
  auto config = small_edge();
  GetParam().set(config.limits);
  auto account = made(config);
  Hand hand(account);
  const auto area = account.area_at(hand.x_m, hand.y_m);
  hand.slide_to(0.0051, 0.015, 1e-2);
  hand.rest(GetParam().after_s * 0.95);
  EXPECT_EQ(account.ended(area), 0U);
  EXPECT_THAT(account.reason(area), IsEmpty());
  hand.rest(GetParam().after_s * 0.06);
  EXPECT_EQ(account.ended(area), GetParam().bit);
  EXPECT_EQ(account.ended_under(0.005, 0.015), GetParam().bit);
  EXPECT_EQ(account.ended_under(0.0096, 0.015), GetParam().bit) << "half of the edge is enough";
  EXPECT_EQ(account.ended_under(0.015, 0.015), 0U);
  EXPECT_THAT(account.reason(area), AllOf(HasSubstr(GetParam().words), HasSubstr("x 0 to 10 mm, y 10 to 20 mm")));
  EXPECT_THAT(names_of_dose_ends(account.ended(area)), ElementsAre(GetParam().name));
  hand.lift();
  EXPECT_EQ(account.ended(area), GetParam().bit) << "it does not go away";
}

INSTANTIATE_TEST_SUITE_P(Limits, DoseLimitTest,
                         testing::Values(LimitCase{"time", kDoseTime, [](DoseLimits& l) { l.max_time_s = 3; }, 3,
                                                   "s of contact (limit 3 s)"},
                                         LimitCase{"impulse", kDoseImpulse,
                                                   [](DoseLimits& l) { l.max_impulse_N_s = 12; }, 2,
                                                   "N s of impulse (limit 12 N s)"}),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(DoseAccountTest, WorkEndsTreatment) {
  auto config = small_edge();
  config.limits.max_work_J = 0.05;
  auto account = made(config);
  Hand hand(account);
  hand.slide_to(0.105, 0.015);
  hand.slide_to(0.005, 0.015);
  EXPECT_EQ(account.ended(15), 0U) << "twice 2 N over 10 mm";
  hand.slide_to(0.105, 0.015);
  EXPECT_EQ(account.ended(15), kDoseWork);
  EXPECT_THAT(account.reason(15), HasSubstr("0.06 J of sliding work (limit 0.05 J)"));
}

TEST(DoseAccountTest, TheLastPermittedStrokeMayBeFinished) {
  auto config = small_edge();
  config.limits.max_strokes = 2;
  auto account = made(config);
  Hand hand(account);
  hand.slide_to(0.105, 0.015);
  hand.slide_to(0.105 - 0.06, 0.015);
  const auto area = account.area_at(0.085, 0.015);
  EXPECT_EQ(account.dose(area).strokes, 2U);
  EXPECT_EQ(account.ended(area), 0U) << "its second stroke goes on";
  hand.slide_to(0.005, 0.015);
  hand.slide_to(0.012, 0.015);  // a third way has begun elsewhere
  EXPECT_EQ(account.ended(area), kDoseStrokes);
  EXPECT_THAT(account.reason(area), HasSubstr("2 strokes (limit 2)"));
  EXPECT_EQ(account.ended(account.area_at(0.015, 0.015)), kDoseStrokes) << "one too many has begun";
}

TEST(DoseAccountTest, TheLastStrokeEndsWhenTheInstrumentIsLifted) {
  auto config = small_edge();
  config.limits.max_strokes = 1;
  auto account = made(config);
  Hand hand(account);
  hand.slide_to(0.105, 0.015);
  EXPECT_EQ(account.ended(15), 0U);
  hand.lift();
  EXPECT_EQ(account.ended(15), kDoseStrokes);
  EXPECT_EQ(account.ended(0), 0U) << "never touched";
}

TEST(DoseAccountTest, OneSampleOfTooMuchPressureIsEnough) {
  auto config = small_edge();
  config.edge = {.length_m = 40e-3, .width_m = 7.6e-3};
  config.limits.max_pressure_Pa = DoseLimits{}.max_pressure_Pa;
  auto account = made(config);
  const auto add = [&](std::int64_t ms, double force_N) {
    account.add({.at = {ms * 1'000'000}, .x_m = 0.055, .y_m = 0.025, .normal_force_N = force_N});
  };
  add(0, 9);
  add(1, 30);
  EXPECT_FALSE(account.over_pressure()) << "98.7 kPa";
  add(2, 31);
  EXPECT_TRUE(account.over_pressure()) << "102 kPa";
  add(3, 0);
  EXPECT_TRUE(account.over_pressure()) << "it does not go away";
  EXPECT_EQ(account.ended_under(0.055, 0.025), kDosePressure);
  EXPECT_THAT(account.reason(account.area_at(0.055, 0.025)), HasSubstr("102 kPa (limit 100 kPa)"));

  auto first = made(config);
  first.add({.at = {5}, .x_m = 0.055, .y_m = 0.025, .normal_force_N = 50});
  EXPECT_TRUE(first.over_pressure()) << "the very first";
}

TEST(DoseAccountTest, BeyondTheGridTheLimitsOfOneAreaHold) {
  auto config = small_edge();
  config.limits.max_time_s = 1;
  auto account = made(config);
  Hand hand(account);
  hand.x_m = -0.05;
  hand.rest(0.6);
  hand.x_m = 0.3;
  hand.rest(0.6);
  EXPECT_EQ(account.ended(account.outside()), kDoseTime);
  EXPECT_EQ(account.ended_under(-1, 7), kDoseTime);
  EXPECT_EQ(account.ended_under(kNaN, 0), kDoseTime);
  EXPECT_EQ(account.ended_under(0.05, 0.05), 0U);
  EXPECT_THAT(account.reason(account.outside()), HasSubstr("beyond the grid"));
}

TEST(DoseAccountTest, AGridOverAPathHoldsTheEdgeEverywhere) {
  const EdgeContact edge;
  const auto path = *framing_path({.outline = rectangle_outline({0.1, 0.05}, 0.3, 0.08, 0.03)});
  DoseConfig config;
  config.grid = grid_over(path.box(), edge);
  config.edge = edge;
  auto account = made(config);
  for (int i = 0; i <= 1000; ++i) {
    const auto p = path.at(path.length_m() * i / 1000).position;
    account.add(
        {.at = {std::int64_t{i} * 1'000'000}, .x_m = p.x_m, .y_m = p.y_m, .normal_force_N = 6, .speed_m_s = 0.1});
  }
  EXPECT_LT(account.dose(account.outside()).impulse_N_s, 1e-12);
  EXPECT_GT(account.total().impulse_N_s, 5);
  // No more areas than needed.
  EXPECT_EQ(grid_over({.max_x_m = 0.09, .max_y_m = 0.05}, {.length_m = 0.01, .width_m = 0.01}).columns, 10U);
  EXPECT_EQ(grid_over({.max_x_m = 0.09, .max_y_m = 0.05}, {.length_m = 0.01, .width_m = 0.01}).rows, 6U);
}

TEST(DoseAccountTest, WhatMakesNoAccountIsRefused) {
  const auto refusal = [](const std::function<void(DoseConfig&)>& spoil) {
    auto config = small_edge();
    spoil(config);
    const auto account = DoseAccount::make(config);
    return account ? std::string("made") : account.error().message;
  };
  EXPECT_EQ(refusal([](DoseConfig&) {}), "made");
  EXPECT_THAT(refusal([](DoseConfig& c) { c.grid.columns = 0; }), HasSubstr("0 x 6"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.grid.columns = 70'000; }), HasSubstr("larger"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.grid.columns = c.grid.rows = std::size_t{1} << 33U; }),
              HasSubstr("larger"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.grid.area_side_m = 0; }), HasSubstr("side of an area"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.grid.min_x_m = kNaN; }), HasSubstr("begins"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.edge.width_m = -1; }), HasSubstr("width of the edge"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.edge.length_m = kInfinity; }), HasSubstr("length of the edge"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.limits.max_strokes = 0; }), HasSubstr("strokes"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.limits.max_work_J = kNaN; }), HasSubstr("work"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.contact_force_N = 0; }), HasSubstr("contact"));
  EXPECT_THAT(refusal([](DoseConfig& c) { c.shortest_lift_s = kNaN; }), HasSubstr("shortest lift"));
}

TEST(DoseAccountTest, JsonTellsOfWhatWasTouched) {
  auto config = small_edge();
  config.limits.max_time_s = 1;
  auto account = made(config);
  Hand hand(account);
  hand.rest(1.5);
  const auto json = daq::parse_json(to_json(account));
  ASSERT_EQ(json["areas"].size(), 1U);
  const auto& area = json["areas"][0];
  EXPECT_EQ(area["column"], 0);
  EXPECT_EQ(area["row"], 1);
  EXPECT_NEAR(area["impulse_N_s"], 9, 1e-9);
  EXPECT_EQ(area["strokes"], 1);
  EXPECT_THAT(area["ended"], ElementsAre("time"));
  EXPECT_EQ(json["outside"]["time_s"], 0);
  EXPECT_EQ(json["limits"]["max_time_s"], 1);
  EXPECT_TRUE(json["limits"]["max_work_J"].is_null());
  EXPECT_EQ(json["grid"]["columns"], 12);
  EXPECT_EQ(json["refused_samples"], 0);
}

}  // namespace
}  // namespace strigil::protocols
