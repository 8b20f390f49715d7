// A force that changes along the way, as a protocol file asks for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daq/strict_toml.hpp"
#include "fake_bench.hpp"

namespace strigil::protocols {
namespace {

using testing::HasSubstr;

/// The library's protocol with these lines in its [press] and this speed.
daq::Result<Protocol> with(const std::string& press, const std::string& more = "") {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/protocols/library/force.toml").value();
  const auto at = text.find("rate_N_s = 20");
  text.insert(text.rfind('\n', at) + 1, press + "\n");
  return parse_protocol(text + more, "shaped.toml");
}

PlanLimits limits() {
  auto l = test::bench_limits();
  l.hold = rig::ForceControlConfig{};
  return l;
}

double force_at(const Protocol& p, double fraction) { return ways_of(p, 6).value().front().force.force_N(fraction); }

TEST(ForceShape, EachGoesAsItIsWritten) {
  const auto constant = with("").value();
  EXPECT_EQ(force_at(constant, 0), 6);
  EXPECT_EQ(force_at(constant, 0.7), 6);
  const auto ramp = with("force_profile = \"ramp\"\nedge_percent = 50").value();
  EXPECT_NEAR(force_at(ramp, 0), 3, 1e-12);
  EXPECT_NEAR(force_at(ramp, 0.5), 4.5, 1e-12);
  EXPECT_NEAR(force_at(ramp, 1), 6, 1e-12);
  const auto trapezoid = with("force_profile = \"trapezoid\"\nedge_percent = 40\nrise_percent = 20").value();
  EXPECT_NEAR(force_at(trapezoid, 0), 2.4, 1e-12);
  EXPECT_NEAR(force_at(trapezoid, 0.1), 4.2, 1e-12);
  EXPECT_NEAR(force_at(trapezoid, 0.5), 6, 1e-12);
  EXPECT_NEAR(force_at(trapezoid, 1), 2.4, 1e-12);
  const auto sine = with("force_profile = \"half_sine\"").value();
  EXPECT_NEAR(force_at(sine, 0), 1.8, 1e-12);
  EXPECT_NEAR(force_at(sine, 0.5), 6, 1e-12);
}

TEST(ForceShape, TooSteepForTheSpeedIsRefusedInWords) {
  // 4.2 N over 20 mm: at 100 mm/s 21 N/s, and 20 are allowed.
  const auto steep = with("force_profile = \"trapezoid\"\nedge_percent = 30\nrise_percent = 20").value();
  const auto plan = expand(steep, limits());
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, HasSubstr("changes by up to 21.0 N/s at 100 mm/s; [press] rate_N_s allows 20"));
  EXPECT_TRUE(
      expand(with("force_profile = \"trapezoid\"\nedge_percent = 30\nrise_percent = 22").value(), limits()).ok());
}

TEST(ForceShape, WhatMeansNothingIsRefused) {
  for (const std::string press :
       {"force_profile = \"wavy\"", "edge_percent = 30", "force_profile = \"ramp\"\nrise_percent = 30",
        "force_profile = \"ramp\"\nedge_percent = 0", "force_profile = \"ramp\"\nedge_percent = nan"}) {
    EXPECT_FALSE(with(press).ok()) << press;
  }
  const auto depth = daq::read_text_file(STRIGIL_SOURCE_DIR "/protocols/library/smoke.toml").value();
  auto text = depth;
  text.insert(text.find("tolerance_percent = 4"), "force_profile = \"ramp\"\n");
  const auto refused = parse_protocol(text, "smoke.toml");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("needs [press] hold = \"force\""));
}

}  // namespace
}  // namespace strigil::protocols
