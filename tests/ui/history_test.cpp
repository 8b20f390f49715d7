#include "ui/history.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace strigil::ui {
namespace {

constexpr std::size_t kSmall = 1000;

TEST(History, AnEmptyOneDrawsNothing) {
  const History h(2);
  std::vector<Column> columns(10);
  h.columns(0, 0, 1, columns);
  for (const auto& c : columns) EXPECT_TRUE(std::isnan(c.low) && std::isnan(c.high));
  EXPECT_TRUE(std::isnan(h.value_at(0, 0)));
}

/// What a plot should show, from all samples there ever were.
std::vector<Column> by_hand(const std::vector<double>& t, const std::vector<float>& v, double from, double to,
                            std::size_t count) {
  std::vector<Column> out(count, {std::nanf(""), std::nanf("")});
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (t[i] < from || t[i] >= to) continue;
    auto& c =
        out[std::min(count - 1, static_cast<std::size_t>((t[i] - from) / (to - from) * static_cast<double>(count)))];
    c.low = std::isnan(c.low) ? v[i] : std::min(c.low, v[i]);
    c.high = std::isnan(c.high) ? v[i] : std::max(c.high, v[i]);
  }
  return out;
}

TEST(History, AtTheFinestLevelEveryColumnIsExact) {
  History h(1, kSmall);
  std::mt19937 random(1);
  std::vector<double> t;
  std::vector<float> v;
  double now = 0;
  for (int i = 0; i < 900; ++i) {
    now += 1e-3 * static_cast<double>(1 + random() % 5);
    t.push_back(now);
    v.push_back(static_cast<float>(random() % 1000));
    h.append(now, std::span(&v.back(), 1));
  }
  std::vector<Column> columns(100);
  for (const auto& [from, to] : {std::pair{0.0, now + 1}, {0.5, 1.0}, {1.0, 1.01}}) {
    h.columns(0, from, to, columns);
    const auto expected = by_hand(t, v, from, to, columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      EXPECT_EQ(std::isnan(columns[i].low), std::isnan(expected[i].low)) << i;
      if (!std::isnan(expected[i].low)) {
        EXPECT_EQ(columns[i].low, expected[i].low) << i;
        EXPECT_EQ(columns[i].high, expected[i].high) << i;
      }
    }
  }
}

TEST(History, NoSpikeIsLostHoweverFarOneLooksBack) {
  History h(2, kSmall);
  std::mt19937 random(2);
  constexpr int kSamples = 500'000;  // five hundred times what is kept of each level
  for (int i = 0; i < kSamples; ++i) {
    const float quiet = static_cast<float>(random() % 100) / 100;
    const bool spike = i == kSamples - 200'000;
    const std::array<float, 2> values{spike ? 50.0F : quiet, spike ? -50.0F : quiet};
    h.append(i * 1e-3, values);
  }
  std::vector<Column> columns(50);
  h.columns(0, 0, 500, columns);
  const auto top = std::max_element(columns.begin(), columns.end(), [](auto& a, auto& b) {
    return (std::isnan(a.high) ? -1 : a.high) < (std::isnan(b.high) ? -1 : b.high);
  });
  EXPECT_EQ(top->high, 50.0F);
  EXPECT_NEAR(static_cast<double>(top - columns.begin()), 30, 1);
  h.columns(1, 0, 500, columns);
  EXPECT_TRUE(std::any_of(columns.begin(), columns.end(), [](auto& c) { return c.low == -50.0F; }));
}

TEST(History, TheNewestSampleIsAlwaysInThePlot) {
  History h(1, kSmall);
  for (int i = 0; i < 30'000; ++i) {
    const float v = static_cast<float>(i);
    h.append(i * 1e-3, std::span(&v, 1));
    if (i % 997 != 0) continue;
    std::vector<Column> columns(5);
    h.columns(0, 0, i * 1e-3 + 1e-9, columns);
    const auto newest = std::find_if(columns.rbegin(), columns.rend(), [](auto& c) { return !std::isnan(c.high); });
    ASSERT_NE(newest, columns.rend());
    EXPECT_EQ(newest->high, v);
  }
}

TEST(History, MemoryIsBounded) {
  History h(3, kSmall);
  const std::array<float, 3> values{1, 2, 3};
  for (int i = 0; i < 2'000; ++i) h.append(i, values);
  for (int i = 0; i < 20'000'000 / 16; ++i) h.append(3000 + i, values);
  // Vectors may have grown to twice what they hold.
  EXPECT_LE(h.bytes(), 2 * (48 * kSmall + 44 * kSmall * 3));
}

TEST(History, AGapIsNotDrawnAndLateSamplesDoNotGoBack) {
  History h(1, kSmall);
  const float one = 1;
  h.append(1, std::span(&one, 1));
  h.gap();
  h.append(2, std::span(&one, 1));
  h.append(1.5, std::span(&one, 1));
  EXPECT_EQ(h.last_s(), 2);
  std::vector<double> t;
  std::vector<float> v;
  h.newest(0, 10, t, v);
  ASSERT_EQ(v.size(), 4U);
  EXPECT_TRUE(std::isnan(v[1]));
  EXPECT_TRUE(std::is_sorted(t.begin(), t.end()));
  std::vector<Column> columns(4);
  h.columns(0, 0, 4, columns);
  EXPECT_EQ(columns[1].low, 1);
}

TEST(History, ValueAtIsTheSampleBefore) {
  History h(1, kSmall);
  for (int i = 0; i < 5000; ++i) {
    const float v = static_cast<float>(i);
    h.append(i, std::span(&v, 1));
  }
  EXPECT_EQ(h.value_at(0, 4500), 4500);
  EXPECT_EQ(h.value_at(0, 4500.7), 4500);
  EXPECT_EQ(h.value_at(0, 1e9), 4999);
  EXPECT_TRUE(std::isnan(h.value_at(0, 5)));  // no longer kept sample by sample
}

TEST(History, NonsenseIsAskedForInVain) {
  History h(1, kSmall);
  const float one = 1;
  h.append(std::nan(""), std::span(&one, 1));
  h.append(1, std::span(&one, 1));
  std::vector<Column> columns(4);
  h.columns(7, 0, 1, columns);
  h.columns(0, 1, 0, columns);
  h.columns(0, std::nan(""), 1, columns);
  h.columns(0, 0, 1, {});
  for (const auto& c : columns) EXPECT_TRUE(std::isnan(c.low));
}

}  // namespace
}  // namespace strigil::ui
