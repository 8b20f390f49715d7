// LossWindow against a set that remembers everything.
#include "daq/codec/loss_window.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace strigil::daq {
namespace {

TEST(LossWindow, WhatCameLateWasLostOnce) {
  LossWindow<64> window;
  window.came(0, 10);
  window.lost(10, 5);
  window.came(15, 5);
  EXPECT_EQ(window.came_late(8, 4), 2U);   // 8 and 9 had come
  EXPECT_EQ(window.came_late(10, 5), 3U);  // 10 and 11 have come by now
  EXPECT_EQ(window.came_late(10, 5), 0U);
  window.lost(20, 3);
  window.forget();
  EXPECT_EQ(window.came_late(20, 3), 0U);
}

TEST(LossWindow, AgreesWithASetThatForgetsNothing) {
  std::mt19937 random(1);
  LossWindow<256> window;
  std::set<std::uint64_t> missing;
  std::uint64_t next = ~std::uint64_t{0} - 100'000;  // over the end of 64 bits, where only differences count
  for (int n = 0; n < 50000; ++n) {
    const std::uint64_t count = random() % (random() % 50 == 0 ? 1000 : 40);
    if (random() % 3 == 0) {
      window.lost(next, count);
      for (std::uint64_t i = 0; i < count; ++i) missing.insert(next + i);
    } else {
      window.came(next, count);
    }
    next += count;
    const std::uint64_t back = 1 + random() % 256;
    const std::uint64_t late = 1 + random() % back;
    std::uint64_t expected = 0;
    for (std::uint64_t i = 0; i < late; ++i) expected += missing.erase(next - back + i);
    ASSERT_EQ(window.came_late(next - back, late), expected);
  }
}

}  // namespace
}  // namespace strigil::daq
