#include "rig/host_qualification.hpp"
#include "daq/json_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "daq/temporary_folder.hpp"
#include "rig/host_measurement.hpp"

namespace strigil::rig {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double kMs = 1e-3;

/// A computer with nothing wrong.
HostMeasurement excellent() {
  HostMeasurement m;
  m.duration_s = 20;
  m.wake = {20'000, 60e-6, 90e-6, 200e-6, 800e-6};
  m.round_trip = {19'000, 80e-6, 150e-6, 400e-6, 900e-6};
  m.longest_stall_s = 1.9 * kMs;
  m.disk = {80, 3 * kMs, 9 * kMs, 9 * kMs, 9 * kMs};
  m.facts.cpus = 4;
  m.facts.clock_source = "tsc";
  m.facts.cpu_quota = "max 100000";
  m.facts.cpu_governor = "performance";
  m.facts.fifo_permitted = true;
  return m;
}

TEST(LatenessTest, QuantilesOfKnownDistributions) {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 1.0);  // 1 to 1000: the quantile is the rank
  std::shuffle(values.begin(), values.end(), std::mt19937(7));
  const auto l = lateness_of(values);
  EXPECT_EQ(l.count, 1000U);
  EXPECT_EQ(l.p50_s, 500);
  EXPECT_EQ(l.p99_s, 990);
  EXPECT_EQ(l.p999_s, 999);
  EXPECT_EQ(l.max_s, 1000);

  // One outlier in a thousand is beyond p99.9, two are not.
  std::vector<double> quiet(1000, 1.0);
  quiet[3] = 50;
  EXPECT_EQ(lateness_of(quiet).p999_s, 1);
  EXPECT_EQ(lateness_of(quiet).max_s, 50);
  quiet[900] = 40;
  EXPECT_EQ(lateness_of(quiet).p999_s, 40);
}

TEST(LatenessTest, FewValuesAndNone) {
  const auto one = lateness_of({3.0});
  EXPECT_THAT((std::array{one.p50_s, one.p99_s, one.p999_s, one.max_s}), Each(3.0));
  const auto two = lateness_of({2.0, 1.0});
  EXPECT_EQ(two.p50_s, 1);
  EXPECT_EQ(two.p99_s, 2);
  EXPECT_EQ(lateness_of({}).count, 0U);
}

TEST(LatenessTest, AnExponentialDistributionHasItsQuantiles) {
  std::mt19937 random(11);
  std::exponential_distribution<double> wait(1 / 100e-6);
  std::vector<double> values(200'000);
  for (auto& v : values) v = wait(random);
  const auto l = lateness_of(std::move(values));
  EXPECT_NEAR(l.p50_s, 100e-6 * std::log(2.0), 2e-6);
  EXPECT_NEAR(l.p99_s, 100e-6 * std::log(100.0), 10e-6);
  EXPECT_NEAR(l.p999_s, 100e-6 * std::log(1000.0), 40e-6);
}

struct GradeCase {
  const char* name;
  void (*spoil)(HostMeasurement&);
  HostGrade grade;
  const char* reason;  ///< part of the first one; empty: none
};
void PrintTo(const GradeCase& c, std::ostream* out) { *out << c.name; }

class GradeTest : public testing::TestWithParam<GradeCase> {};

TEST_P(GradeTest, IsAsDocumented) {
  auto m = excellent();
  GetParam().spoil(m);
  const auto q = qualify(m);
  EXPECT_EQ(name_of(q.grade), name_of(GetParam().grade));
  if (*GetParam().reason == '\0') {
    EXPECT_THAT(q.reasons, IsEmpty());
  } else {
    ASSERT_THAT(q.reasons, testing::Not(IsEmpty()));
    EXPECT_THAT(q.reasons.front(), HasSubstr(GetParam().reason));
  }
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const GradeCase kGradeCases[] = {
    {"Excellent", [](HostMeasurement&) {}, HostGrade::kA, ""},
    {"ExactlyAtALimit", [](HostMeasurement& m) { m.wake.p999_s = 1 * kMs; }, HostGrade::kA, ""},
    {"WakesOver1ms", [](HostMeasurement& m) { m.wake.p999_s = 1.01 * kMs; }, HostGrade::kB, "wake in a thousand"},
    {"WakesOver10ms", [](HostMeasurement& m) { m.wake.p999_s = 10.1 * kMs; }, HostGrade::kC, "wake in a thousand"},
    {"WakesOver20ms", [](HostMeasurement& m) { m.wake.p999_s = 20.1 * kMs; }, HostGrade::kD, "wake in a thousand"},
    {"StallOf6ms", [](HostMeasurement& m) { m.longest_stall_s = 6.4 * kMs; }, HostGrade::kA, ""},
    {"StallOf7ms", [](HostMeasurement& m) { m.longest_stall_s = 7 * kMs; }, HostGrade::kB, "longest stall"},
    {"StallOf65ms", [](HostMeasurement& m) { m.longest_stall_s = 65 * kMs; }, HostGrade::kC, "longest stall"},
    {"StallOf130ms", [](HostMeasurement& m) { m.longest_stall_s = 130 * kMs; }, HostGrade::kD, "longest stall"},
    {"RoundTripOf2ms", [](HostMeasurement& m) { m.round_trip.p999_s = 2 * kMs; }, HostGrade::kB, "there and back"},
    {"RoundTripOf15ms", [](HostMeasurement& m) { m.round_trip.p999_s = 15 * kMs; }, HostGrade::kC, "there and back"},
    {"RoundTripOf30ms", [](HostMeasurement& m) { m.round_trip.p999_s = 30 * kMs; }, HostGrade::kD, "there and back"},
    {"DiskOf1s", [](HostMeasurement& m) { m.disk.max_s = 1; }, HostGrade::kA, ""},
    {"DiskOver1s", [](HostMeasurement& m) { m.disk.max_s = 1.1; }, HostGrade::kD, "write to the disk"},
    {"NoDisk", [](HostMeasurement& m) { m.disk = {}; }, HostGrade::kD, "writes to the disk"},
    {"LostByte", [](HostMeasurement& m) { m.lost_bytes = 1; }, HostGrade::kD, "did not come back"},
    {"TooFewForForce", [](HostMeasurement& m) { m.wake.count = 9'999; }, HostGrade::kC, "measure longer"},
    {"TooFewTrips", [](HostMeasurement& m) { m.round_trip.count = 9'999; }, HostGrade::kC, "measure longer"},
    {"TooFewForAnything", [](HostMeasurement& m) { m.round_trip.count = 999; }, HostGrade::kD, "measure longer"},
    {"NotANumber", [](HostMeasurement& m) { m.wake.p999_s = kNaN; }, HostGrade::kD, "wake in a thousand"},
    {"NothingMeasured", [](HostMeasurement& m) { m = {}; }, HostGrade::kD, "measure longer"},
};
INSTANTIATE_TEST_SUITE_P(Cases, GradeTest, testing::ValuesIn(kGradeCases),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(HostQualificationTest, TheLimitsFollowFromWhatTheRigBears) {
  const auto a = host_limits(HostGrade::kA);
  const auto b = host_limits(HostGrade::kB);
  const auto c = host_limits(HostGrade::kC);
  EXPECT_NEAR(a.longest_stall_s, 6.42 * kMs, 0.01 * kMs);
  EXPECT_NEAR(b.longest_stall_s, 64.2 * kMs, 0.1 * kMs);
  EXPECT_NEAR(c.longest_stall_s, 128.5 * kMs, 0.1 * kMs);
  EXPECT_LT(a.longest_stall_s, 10 * kMs) << "the rig's longest tick (docs/safety.md)";
  EXPECT_LT(c.longest_stall_s, 160 * kMs) << "Grbl's jogs that lie ahead at the least (docs/safety.md)";
}

/// Nothing that gets worse may make the grade better.
TEST(HostQualificationTest, WorseFiguresNeverMakeABetterGrade) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> exponent(-5, 0.5);
  std::uniform_int_distribution<std::uint64_t> count(500, 20'000);
  const auto any = [&] { return std::pow(10.0, exponent(random)); };
  int seen[4] = {};
  for (int i = 0; i < 20'000; ++i) {
    auto m = excellent();
    m.wake.p999_s = std::min(any(), any());
    m.round_trip.p999_s = std::min(any(), any());
    m.longest_stall_s = std::min(any(), any());
    m.disk.max_s = std::min(any(), any());
    m.wake.count = count(random);
    const auto before = qualify(m).grade;
    ++seen[static_cast<int>(before)];
    m.wake.p999_s *= 1 + any();
    m.round_trip.p999_s *= 1 + any();
    m.longest_stall_s *= 1 + any();
    m.disk.max_s *= 1 + any();
    m.wake.count -= m.wake.count / 3;
    ASSERT_GE(qualify(m).grade, before);
  }
  for (const int n : seen) EXPECT_GT(n, 100) << "every grade occurred";
}

TEST(HostQualificationTest, GradesHaveNames) {
  for (const auto grade : {HostGrade::kA, HostGrade::kB, HostGrade::kC, HostGrade::kD}) {
    EXPECT_EQ(parse_host_grade(name_of(grade)), grade);
  }
  EXPECT_EQ(parse_host_grade("b"), HostGrade::kB);
  for (const auto* no : {"", "E", "AB", "1"}) EXPECT_FALSE(parse_host_grade(no)) << no;
}

TEST(HostQualificationTest, AdviceOnWhatTheSystemSays) {
  EXPECT_THAT(qualify(excellent()).advice, IsEmpty());
  auto m = excellent();
  m.facts.cpus = 1;
  m.facts.cpu_quota = "50000 100000";
  m.facts.clock_source = "hpet";
  m.facts.cpu_governor = "powersave";
  m.facts.fifo_permitted = false;
  EXPECT_THAT(qualify(m).advice, ElementsAre(HasSubstr("one processor"), HasSubstr("50000 100000"), HasSubstr("hpet"),
                                             HasSubstr("powersave"), HasSubstr("SCHED_FIFO")));
  EXPECT_EQ(qualify(m).grade, HostGrade::kA) << "what was measured counts, not what is advised";
}

TEST(HostQualificationTest, JsonAndTextSayTheSame) {
  auto m = excellent();
  m.longest_stall_s = 0.02;
  m.facts.memory_lock_limit_bytes = std::numeric_limits<double>::infinity();
  const auto q = qualify(m);
  const auto json = daq::parse_json(to_json(m, q));
  EXPECT_EQ(json["grade"], "B");
  EXPECT_EQ(json["may_run"], "force control at 100 Hz");
  EXPECT_THAT(json["reasons"], SizeIs(1));
  EXPECT_EQ(json["measured"]["longest_stall_s"], 0.02);
  EXPECT_EQ(json["limits"]["A"]["wake_p999_s"], 1e-3);
  EXPECT_TRUE(json["facts"]["memory_lock_limit_bytes"].is_null());
  const auto text = to_text(m, q);
  EXPECT_THAT(text, HasSubstr(q.reasons.front()));
  EXPECT_THAT(text, testing::EndsWith("grade B: force control at 100 Hz\n"));
}

TEST(HostMeasurementTest, MeasuresAndLeavesNothingBehind) {
  const auto own = daq::TemporaryFolder::make("qualify");
  ASSERT_TRUE(own.ok()) << own.error().message;
  const auto folder = std::filesystem::path(own->path()) / "runs";
  const auto m = measure_host({.seconds = 0.6, .folder = folder.string()});
  ASSERT_TRUE(m) << m.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  // Every tick is counted, also those that a stall swallowed: but for the last stretch, 600.
  EXPECT_GT(m->wake.count, 0U);
  EXPECT_LE(m->wake.count, 601U);
  EXPECT_GT(m->round_trip.count + m->lost_bytes, 0U);
  EXPECT_GT(m->disk.count, 0U);
  for (const auto& l : {m->wake, m->round_trip, m->disk}) {
    EXPECT_LE(l.p50_s, l.p99_s);
    EXPECT_LE(l.p99_s, l.p999_s);
    EXPECT_LE(l.p999_s, l.max_s);
  }
  EXPECT_GT(m->round_trip.p50_s, 0);
  EXPECT_GE(m->longest_stall_s, m->wake.max_s) << "a late wake is a stall";
  EXPECT_GT(m->facts.cpus, 0U);
  EXPECT_GT(m->facts.clock_step_s, 0);
  EXPECT_FALSE(m->facts.kernel.empty());
}

TEST(HostMeasurementTest, AFolderThatCannotBeIsAnError) {
  const auto m = measure_host({.seconds = 0.5, .folder = "/proc/nowhere"});
  ASSERT_FALSE(m);
  EXPECT_THAT(m.error().message, testing::AllOf(HasSubstr("/proc/nowhere"), HasSubstr("--dir")));
}

}  // namespace
}  // namespace strigil::rig
