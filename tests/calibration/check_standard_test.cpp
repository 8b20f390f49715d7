#include "calibration/check_standard.hpp"

#include <gmock/gmock.h>

#include "record_fixture.hpp"

namespace strigil::calibration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckStandardTest : public FolderTest {
 protected:
  CheckPoint check(double value, double tolerance = 0.05) {
    CheckPoint p;
    p.at = {day("2026-11-01").ns + static_cast<std::int64_t>(history_.size()) * 86400LL * 1'000'000'000};
    p.standard = "weight 500 g";
    p.calibration = std::string(64, 'a');
    p.value = value;
    p.unit = "N";
    p.expected = 4.903;
    p.tolerance = tolerance;
    return p;
  }
  std::vector<std::string> add(CheckPoint p) {
    p.failures = judge_check(p, history_);
    history_.push_back(p);
    return p.failures;
  }
  void base() {
    const double off[] = {0.002, -0.001, 0.003, -0.003, 0, 0.001, -0.002, 0.002, -0.001, 0.001};
    for (const double o : off) ASSERT_THAT(add(check(4.903 + o)), IsEmpty());
  }
  std::vector<CheckPoint> history_;
};

TEST_F(CheckStandardTest, InTheBasePeriodTheToleranceCounts) {
  EXPECT_THAT(add(check(4.96)), ElementsAre(HasSubstr("from the expected 4.903; 0.05 are allowed")));
  history_.clear();
  EXPECT_THAT(add(check(4.903, 0)), ElementsAre(HasSubstr("until then a tolerance must be set")));
  EXPECT_THAT(judge_check(check(std::nan("")), {}), ElementsAre(HasSubstr("not a finite number")));
}

TEST_F(CheckStandardTest, AfterItTheChartFindsAStepAndADrift) {
  base();
  EXPECT_THAT(add(check(4.904)), IsEmpty());
  EXPECT_THAT(add(check(4.918)), testing::Contains(HasSubstr("1 beyond 3 sigma")));
  // It stays failed, however good the next one is, until somebody says what was mended.
  EXPECT_THAT(add(check(4.903)), testing::Contains(HasSubstr("Mend that")));
  auto mended = check(4.903);
  mended.mended = "screw of the holder tightened";
  EXPECT_THAT(add(mended), IsEmpty());
  EXPECT_EQ(chart_of(history_, "weight 500 g", std::string(64, 'a')).points.size(), 1U);
}

TEST_F(CheckStandardTest, ADriftIsSeenBeforeAnyPointIsBeyondItsLimits) {
  base();
  const double sigma = chart_of(history_, "weight 500 g", std::string(64, 'a')).limits->sigma;
  std::vector<std::string> failures;
  int points = 0;
  for (; failures.empty() && points < 30; ++points) failures = add(check(4.903 + 0.25 * sigma * (points + 1)));
  ASSERT_FALSE(failures.empty());
  EXPECT_LT(0.25 * points, 3) << "the last point lay within 3 sigma";
  EXPECT_THAT(failures,
              testing::Contains(testing::AnyOf(HasSubstr("drift"), HasSubstr("in a row"), HasSubstr("of 5"))));
}

TEST_F(CheckStandardTest, AnotherCalibrationOrStandardIsAnotherChart) {
  base();
  auto other = check(4.95);
  other.calibration = "";
  EXPECT_THAT(add(other), IsEmpty()) << "0.047 of its tolerance of 0.05, and no chart yet";
  EXPECT_EQ(chart_of(history_, "weight 500 g", "").points.size(), 1U);
}

TEST_F(CheckStandardTest, TheGateInWords) {
  const std::string calibration(64, 'a');
  const auto gate = [&](const std::string& now) {
    return check_gate(history_, "weight 500 g", calibration, 24 * 3600, day(now));
  };
  EXPECT_THAT(gate("2026-11-01"), HasSubstr("has not been measured with this calibration"));
  ASSERT_THAT(add(check(4.903)), IsEmpty());
  EXPECT_EQ(gate("2026-11-01T12:00:00Z"), "");
  EXPECT_THAT(gate("2026-11-02T12:00:00Z"), HasSubstr("is 36.0 h old, and good for 24 h"));
  EXPECT_THAT(gate("2026-10-31"), HasSubstr("of the future"));
  add(check(4.8));
  EXPECT_THAT(gate("2026-11-02T01:00:00Z"), HasSubstr("failed on 2026-11-02"));
}

TEST_F(CheckStandardTest, TheHistoryGrowsByLinesAndNamesABadOne) {
  const auto path = dir_ + "/checks/bench.jsonl";
  EXPECT_TRUE(read_checks(path)->empty());
  base();
  for (const auto& p : history_) ASSERT_TRUE(append_check(path, p).ok());
  const auto read = read_checks(path).value();
  ASSERT_EQ(read.size(), history_.size());
  EXPECT_EQ(to_json(read[3]), to_json(history_[3]));
  const auto text = slurp(path);
  spill(path, text + "{\"at\": \"2026");  // half a line
  EXPECT_EQ(read_checks(path)->size(), history_.size());
  ASSERT_TRUE(append_check(path, history_[0]).ok());
  EXPECT_EQ(read_checks(path)->size(), history_.size() + 1);
  spill(path, text + "{}\n");
  EXPECT_THAT(read_checks(path).error().message, HasSubstr("bench.jsonl:11: no check"));
}

}  // namespace
}  // namespace strigil::calibration
