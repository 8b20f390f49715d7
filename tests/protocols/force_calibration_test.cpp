#include "protocols/force_calibration.hpp"
#include "daq/json_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace strigil::protocols {
namespace {

using testing::HasSubstr;

ForceCalibration calibrated() {
  ForceCalibration c;
  c.calibrated = true;
  c.id = "FZ-1";
  c.hash = std::string(64, 'a');
  c.quantity = {"force", "Fz", "N", {1, 11}, {{1, 0.03}, {11, 0.09}}};
  c.coverage_factor = 3;
  return c;
}

TEST(ForceUncertaintyTest, IsOfCalibrationScatterAndZero) {
  const MeanForce f{6, 0.2, 0.85, 500, 0.03};
  const auto u = uncertainty_of(calibrated(), f);
  EXPECT_NEAR(u.calibration_N, 0.06 / 3, 1e-12) << "by the record's own coverage factor";
  EXPECT_NEAR(u.statistics_N, 0.2 / std::sqrt(8), 1e-12) << "eight whole tenths of a second";
  EXPECT_NEAR(u.zero_N, 0.03 / std::sqrt(3), 1e-12);
  EXPECT_NEAR(u.expanded_N, 2 * std::sqrt(0.02 * 0.02 + 0.04 / 8 + 0.0003), 1e-12);
}

// Tared and stroked nearer to each other than the record's box of use is wide: its cables pull less.
TEST(ForceUncertaintyTest, HasTheZeroOfItsOwnWayWhereThatIsKnown) {
  auto c = calibrated();
  c.travel = calibration::ForceTravel{{{{0, 0.2}, {0, 0.1}, {-0.06, 0}}}, {0.1, 0, -0.2}, 0.001, 0.033};
  MeanForce f{6, 0, 1, 500, 0};
  EXPECT_NEAR(uncertainty_of(c, f).calibration_N, 0.02, 1e-12) << "a way that nobody told: anywhere";
  f.way_m = {{{0.05, 0.1}, {0, 0}, {-0.03, -0.01}}};
  const double apart_N = 0.1 * 0.05 + 0.2 * 0.02 + 2 * 0.001;
  EXPECT_NEAR(calibration::zero_apart_N(*c.travel, *f.way_m), apart_N, 1e-12);
  EXPECT_NEAR(uncertainty_of(c, f).calibration_N, std::sqrt(0.02 * 0.02 - (0.033 * 0.033 - apart_N * apart_N) / 3), 1e-12);
  f.way_m = c.travel->use;
  EXPECT_NEAR(uncertainty_of(c, f).calibration_N, 0.02, 1e-12) << "never more than the record says";
}

TEST(ForceUncertaintyTest, NeverMoreThanAllSamplesNorLessThanOne) {
  EXPECT_NEAR(uncertainty_of(calibrated(), {6, 0.2, 100, 4, 0}).statistics_N, 0.1, 1e-12);
  EXPECT_NEAR(uncertainty_of(calibrated(), {6, 0.2, 0.01, 50, 0}).statistics_N, 0.2, 1e-12);
  EXPECT_EQ(uncertainty_of(calibrated(), {6, 0.2, 1, 50, std::nan("")}).zero_N, 0);
}

TEST(ForceUncertaintyTest, NothingIsSaidOutsideTheRangeOrWithoutACalibration) {
  EXPECT_TRUE(std::isnan(uncertainty_of(calibrated(), {0.9, 0.1, 1, 50, 0}).expanded_N));
  EXPECT_TRUE(std::isnan(uncertainty_of(calibrated(), {11.1, 0.1, 1, 50, 0}).expanded_N));
  EXPECT_TRUE(std::isnan(uncertainty_of(calibrated(), {std::nan(""), 0.1, 1, 50, 0}).expanded_N));
  EXPECT_TRUE(std::isnan(uncertainty_of(calibrated(), {6, 0.1, 1, 0, 0}).expanded_N));
  EXPECT_TRUE(std::isnan(uncertainty_of({}, {6, 0.1, 1, 50, 0}).expanded_N));
  auto pulling = calibrated();
  pulling.sign = -1;  // the sensor reads a press as negative
  EXPECT_TRUE(std::isnan(uncertainty_of(pulling, {6, 0.1, 1, 50, 0}).expanded_N));
  pulling.quantity = {"force", "Fz", "N", {-11, -1}, {{-11, 0.09}, {-1, 0.03}}};
  EXPECT_NEAR(uncertainty_of(pulling, {6, 0, 1, 50, 0}).expanded_N, 2 * 0.02, 1e-12);
}

TEST(ForceCalibrationTest, SaysInWordsWhatItIs) {
  EXPECT_THAT(to_text(ForceCalibration{}), HasSubstr("uncalibrated: nominal scale (the bench names no calibration)"));
  ForceCalibration marked;
  marked.reasons = {"it expired", "it is of another serial number"};
  EXPECT_THAT(to_text(marked), HasSubstr("UNCALIBRATED: nominal scale, since it expired; and it is of another"));
  EXPECT_EQ(daq::parse_json(to_json(marked))["state"], "uncalibrated");
  EXPECT_EQ(daq::parse_json(to_json(marked))["reasons"].size(), 2U);
  EXPECT_THAT(to_text(calibrated()), HasSubstr("calibration 'FZ-1' (aaaaaaaaaaaa)"));
  EXPECT_EQ(daq::parse_json(to_json(calibrated()))["state"], "calibrated");
}

}  // namespace
}  // namespace strigil::protocols
