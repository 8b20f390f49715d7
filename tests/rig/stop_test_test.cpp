#include "rig/stop_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "daq/temporary_folder.hpp"
#include "rig/stop_test_history.hpp"

namespace strigil::rig {
namespace {

using daq::from_seconds;
using daq::HostTime;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr daq::WallTime kNoon{1'700'000'000'000'000'000};

daq::WallTime later(double hours) { return {kNoon.ns + static_cast<std::int64_t>(hours * 3600e9)}; }

BenchConfig bench() {
  BenchConfig b;
  b.name = "b";
  b.file = "b.toml";
  b.stage.codec = "tmcl";
  b.stage.status_rate_Hz = 100;
  b.taps = TapConfig{};
  b.stop_test = StopTestConfig{};
  b.stop_test->required = true;
  return b;
}

/// Down at 10 mm/s onto 20 N/mm, felt from 0.1 s on; the rig notices 2 ms after 5 N and z turns 12 ms after it.
std::vector<StopTestRow> trip(double turns_after_s = 0.012) {
  std::vector<StopTestRow> rows;
  constexpr double kSpeed = 0.01;
  const double over_s = 0.1 + 5.0 / 20e3 / kSpeed;
  const double turn_s = over_s + turns_after_s;
  const auto z_at = [&](double t) { return -kSpeed * std::min(t, 2 * turn_s - t); };
  for (int ms = 0; ms < 200; ++ms) {
    const double t = ms * 1e-3;
    StopTestRow r;
    r.at = HostTime{} + from_seconds(t + 0.0005);
    r.force_t0 = HostTime{} + from_seconds(t);
    r.force_N = 20e3 * std::max(0.0, -z_at(t) - kSpeed * 0.1);
    r.position_t0 = HostTime{} + from_seconds(std::floor(t / 0.01) * 0.01);  // a report each 10 ms
    r.position_m = {0.1, 0, z_at(std::floor(t / 0.01) * 0.01)};
    r.stopping = t >= over_s + 0.002;
    rows.push_back(r);
  }
  return rows;
}

TEST(StopTestFigures, AreThoseOfTheMotion) {
  const auto f = stop_test_figures(StopTestKind::kForceTrip, trip(), 5).value();
  EXPECT_NEAR(f.noticed_s, 0.0025, 0.0011);
  EXPECT_NEAR(f.peak_N, 5 + 20e3 * 0.01 * 0.012, 0.25);
  EXPECT_NEAR(f.stopped_s, 0.012, 0.01) << "to one report";
  EXPECT_NEAR(f.travel_m, 0.01 * 0.012, 0.01 * 0.01);
  EXPECT_NEAR(f.released_s, 2 * 0.012 + 0.0125, 0.002) << "2.5 N on the way back";
}

TEST(StopTestFigures, AStageThatTurnsLaterIsSeenToDoSo) {
  const auto early = stop_test_figures(StopTestKind::kForceTrip, trip(0.01), 5).value();
  const auto late = stop_test_figures(StopTestKind::kForceTrip, trip(0.03), 5).value();
  EXPECT_NEAR(late.peak_N - early.peak_N, 20e3 * 0.01 * 0.02, 0.3);
  EXPECT_NEAR(late.travel_m - early.travel_m, 0.01 * 0.02, 0.1e-3);
  EXPECT_NEAR(late.stopped_s - early.stopped_s, 0.02, 0.011);
}

TEST(StopTestFigures, AreRefusedWithoutAnEnd) {
  EXPECT_THAT(stop_test_figures(StopTestKind::kForceTrip, {}, 5).error().message, HasSubstr("never stopped"));
  auto rows = trip();
  for (auto& r : rows) r.force_N = 1;
  EXPECT_THAT(stop_test_figures(StopTestKind::kForceTrip, rows, 5).error().message, HasSubstr("trip_N"));
  rows = trip();
  rows.resize(135);  // it has turned, and still presses
  EXPECT_FALSE(stop_test_figures(StopTestKind::kForceTrip, rows, 5).ok());
}

std::vector<StopTestFigures> stops(double stopped_s = 0.02, double peak_N = 7, double travel_m = 0.1e-3) {
  return {{StopTestKind::kForceTrip, 0.001, stopped_s, 0.05, travel_m, peak_N},
          {StopTestKind::kAbort, 0, 0.05, 0, 2e-3, 0}};
}

StopTestRecord record(const std::vector<StopTestFigures>& measured, daq::WallTime at = kNoon) {
  return {
      .at = at, .bench = "b", .setup = stop_test_setup(bench()), .software = "test", .stops = measured, .failures = {}};
}

TEST(StopTestJudgement, HoldsLimits) {
  EXPECT_THAT(judge_stops(stops(), bench(), {}), IsEmpty());
  EXPECT_THAT(judge_stops(stops(0.4), bench(), {}), ElementsAre(HasSubstr("time to rest was 400.00 ms")));
  EXPECT_THAT(judge_stops(stops(0.02, 21), bench(), {}), ElementsAre(HasSubstr("peak force was 21.00 N")));
  EXPECT_THAT(judge_stops(stops(0.02, 7, 2e-3), bench(), {}), ElementsAre(HasSubstr("travel was 2.00 mm")));
  EXPECT_THAT(judge_stops({stops().front()}, bench(), {}), ElementsAre(HasSubstr("abort: it was not measured")));
  auto nan = stops();
  nan.front().peak_N = std::nan("");
  EXPECT_THAT(judge_stops(nan, bench(), {}), SizeIs(1));
}

TEST(StopTestJudgement, SeesWhatHasWorsenedAgainstTheFirstGoodOnes) {
  std::vector<StopTestRecord> history;
  for (const double s : {0.020, 0.022, 0.018, 0.021, 0.020}) history.push_back(record(stops(s)));
  for (int i = 0; i < 5; ++i) history.push_back(record(stops(0.06)));  // it crept up
  EXPECT_THAT(judge_stops(stops(0.05), bench(), history), IsEmpty()) << "1.5 x 20 ms, two reports and 5 ms: 55 ms";
  EXPECT_THAT(judge_stops(stops(0.06), bench(), history), ElementsAre(HasSubstr("worsened from 20.00 to 60.00 ms")));
  EXPECT_THAT(judge_stops(stops(0.02, 12), bench(), history), ElementsAre(HasSubstr("worsened from 7.00 to 12.00 N")));
  auto other = bench();
  other.stage.acceleration_m_s2 *= 2;
  EXPECT_THAT(judge_stops(stops(0.06), other, history), IsEmpty()) << "those were of another setup";
  for (auto& r : history) r.failures = {"worse"};
  EXPECT_THAT(judge_stops(stops(0.06), bench(), history), IsEmpty()) << "failed ones are no reference";
}

TEST(StopTestGate, RefusesInWords) {
  EXPECT_THAT(stop_test_gate(bench(), {}, kNoon), HasSubstr("no stop test has been made"));
  EXPECT_EQ(stop_test_gate(bench(), {record(stops())}, later(11.9)), "");
  EXPECT_THAT(stop_test_gate(bench(), {record(stops())}, later(12.1)), HasSubstr("12.1 h old, and good for 12 h"));
  EXPECT_THAT(stop_test_gate(bench(), {record(stops())}, later(-1)), HasSubstr("of the future"));
  auto failed = record(stops(), later(1));
  failed.failures = {"abort: the travel has worsened"};
  EXPECT_THAT(stop_test_gate(bench(), {record(stops()), failed}, later(2)), HasSubstr("travel has worsened"));
  EXPECT_EQ(stop_test_gate(bench(), {failed, record(stops(), later(1.5))}, later(2)), "") << "the newest counts";
  auto other = bench();
  other.stop_test->trip_N = 8;
  EXPECT_THAT(stop_test_gate(other, {record(stops())}, later(1)), HasSubstr("another setup"));
  auto free = bench();
  free.stop_test->required = false;
  EXPECT_EQ(stop_test_gate(free, {}, kNoon), "");
}

class StopTestHistory : public testing::Test {
 protected:
  daq::TemporaryFolder folder_ = daq::TemporaryFolder::make("stops").value();
  std::string dir_ = folder_.path();
  std::string path_ = dir_ + "/deep/b.jsonl";
};

TEST_F(StopTestHistory, ReadsBackWhatWasKept) {
  EXPECT_THAT(read_stop_tests(path_).value(), IsEmpty());
  auto second = record(stops(0.03, 9), later(8));
  second.failures = {"one", "two"};
  ASSERT_TRUE(append_stop_test(path_, record(stops())).ok());
  ASSERT_TRUE(append_stop_test(path_, second).ok());
  const auto read = read_stop_tests(path_).value();
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[1].at.ns, second.at.ns);
  EXPECT_EQ(read[1].setup, second.setup);
  EXPECT_THAT(read[1].failures, ElementsAre("one", "two"));
  ASSERT_EQ(read[1].stops.size(), 2U);
  EXPECT_EQ(read[1].stops[1].kind, StopTestKind::kAbort);
  EXPECT_NEAR(read[1].stops[0].stopped_s, 0.03, 1e-12);
  EXPECT_NEAR(read[1].stops[0].peak_N, 9, 1e-12);
}

TEST_F(StopTestHistory, HalfALineIsWrittenOverAndAWrongOneRefused) {
  ASSERT_TRUE(append_stop_test(path_, record(stops())).ok());
  std::ofstream(path_, std::ios::app) << to_json(record(stops())).substr(0, 60);
  EXPECT_EQ(read_stop_tests(path_).value().size(), 1U);
  ASSERT_TRUE(append_stop_test(path_, record(stops(), later(1))).ok());
  EXPECT_EQ(read_stop_tests(path_).value().size(), 2U);
  for (const auto* wrong : {"{}", "[1]", "nonsense", "{\"at_ns\":\"x\"}"}) {
    std::ofstream(path_, std::ios::trunc) << to_json(record(stops())) << '\n' << wrong << '\n';
    const auto read = read_stop_tests(path_);
    ASSERT_FALSE(read.ok()) << wrong;
    EXPECT_THAT(read.error().message, HasSubstr("b.jsonl:2")) << wrong;
  }
}

}  // namespace
}  // namespace strigil::rig
