#include "rig/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strigil::rig {
namespace {

using namespace std::chrono_literals;
constexpr daq::HostTime kStart{1'000'000'000};

TEST(Authority, OneAtATime) {
  Authority a;
  EXPECT_FALSE(a.holds(""));
  const auto anna = a.take("anna", false, "A", kStart);
  ASSERT_TRUE(anna.ok());
  EXPECT_TRUE(a.holds(*anna));
  const auto ben = a.take("ben", false, "B", kStart);
  ASSERT_FALSE(ben.ok());
  EXPECT_THAT(ben.error().message, testing::HasSubstr("'anna'"));
  EXPECT_TRUE(a.holds("A"));
  EXPECT_FALSE(a.holds("B"));
}

TEST(Authority, ByForceTheHolderLosesItAtOnce) {
  Authority a;
  (void)a.take("anna", false, "A", kStart);
  ASSERT_TRUE(a.take("ben", true, "B", kStart).ok());
  EXPECT_FALSE(a.holds("A"));
  EXPECT_FALSE(a.renew("A", kStart));
  EXPECT_FALSE(a.give("A"));
  EXPECT_EQ(a.holder(), "ben");
}

TEST(Authority, WhoIsNotHeardOfLosesIt) {
  Authority a;
  (void)a.take("anna", false, "A", kStart);
  auto now = kStart;
  for (int i = 0; i < 100; ++i) {
    now = now + (Authority::kLease - 1ms);
    EXPECT_FALSE(a.expire(now));
    EXPECT_TRUE(a.renew("A", now));
  }
  EXPECT_FALSE(a.expire(now + Authority::kLease));
  EXPECT_TRUE(a.expire(now + Authority::kLease + 1ns));
  EXPECT_FALSE(a.renew("A", now));
  EXPECT_TRUE(a.holder().empty());
  EXPECT_TRUE(a.take("ben", false, "B", now).ok());
}

TEST(Authority, WhatIsGivenBackIsFree) {
  Authority a;
  (void)a.take("anna", false, "A", kStart);
  EXPECT_FALSE(a.give(""));
  EXPECT_TRUE(a.give("A"));
  EXPECT_FALSE(a.holds("A"));
  EXPECT_EQ(a.changes(), 2U);
}

}  // namespace
}  // namespace strigil::rig
