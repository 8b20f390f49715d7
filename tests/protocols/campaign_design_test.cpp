// Designs: what is crossed, nested, drawn, blocked and shuffled, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "protocols/campaign/design.hpp"

namespace strigil::protocols {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<Level> words(std::initializer_list<const char*> texts) {
  std::vector<Level> out;
  for (const char* t : texts) out.emplace_back(std::string(t));
  return out;
}
std::vector<Level> numbers(std::initializer_list<double> values) { return {values.begin(), values.end()}; }

Factor crossed(const std::string& name, std::vector<Level> levels) {
  Factor f;
  f.name = name;
  f.levels = std::move(levels);
  return f;
}
Factor ranged(const std::string& name, double low, double high) {
  Factor f;
  f.name = name;
  f.ranged = true;
  f.low = low;
  f.high = high;
  return f;
}

std::vector<Trial> trials_of(const Design& d) {
  auto trials = expand(d);
  EXPECT_TRUE(trials.ok()) << (trials.ok() ? "" : trials.error().message);
  return trials.ok() ? *trials : std::vector<Trial>{};
}
std::string refusal(const Design& d) {
  const auto trials = expand(d);
  return trials.ok() ? "" : trials.error().message;
}

TEST(Design, CrossesAndNestsEachLevelWithItsOwn) {
  Design d;
  d.factors = {crossed("phantom", words({"a", "b"})), crossed("normal_force_N", numbers({2, 4, 6}))};
  Factor nested;
  nested.name = "instrument";
  nested.nested_in = "phantom";
  nested.levels_within = {{"a", words({"a1", "a2"})}, {"b", words({"b1"})}};
  d.factors.push_back(nested);
  const auto trials = trials_of(d);
  ASSERT_EQ(trials.size(), 3U * (2 + 1));
  std::map<std::string, std::size_t> count;
  std::set<std::string> ids;
  for (const auto& t : trials) {
    const auto inner = text_of(*level_of(d, t, "instrument"));
    EXPECT_EQ(inner.front(), text_of(*level_of(d, t, "phantom")).front()) << "nested under a level that is not its own";
    ++count[inner];
    EXPECT_TRUE(ids.insert(t.id).second);
  }
  for (const auto& [inner, n] : count) EXPECT_EQ(n, 3U) << inner;

  // The id is of what is set: other factors' order and further levels do not change it.
  auto wider = d;
  wider.factors[1].levels.emplace_back(8.0);
  std::swap(wider.factors[0], wider.factors[1]);
  std::set<std::string> wider_ids;
  for (const auto& t : trials_of(wider)) wider_ids.insert(t.id);
  EXPECT_TRUE(std::includes(wider_ids.begin(), wider_ids.end(), ids.begin(), ids.end()));
  EXPECT_EQ(wider_ids.size(), ids.size() + 3);
}

TEST(Design, LatinHypercubeHasOneDrawInEveryStratumOfEveryRange) {
  Design d;
  d.draws = 37;
  d.factors = {ranged("normal_force_N", 1, 8), ranged("speed_mm_s", 25, 400), crossed("phantom", words({"a", "b"}))};
  auto dealt = crossed("instrument", words({"x", "y", "z"}));
  dealt.drawn = true;
  d.factors.push_back(dealt);
  const auto trials = trials_of(d);
  ASSERT_EQ(trials.size(), 74U);
  for (const char* phantom : {"a", "b"}) {
    std::set<std::size_t> force;
    std::set<std::size_t> speed;
    std::map<std::string, std::size_t> instruments;
    std::size_t diagonal = 0;
    for (const auto& t : trials) {
      if (text_of(*level_of(d, t, "phantom")) != phantom) continue;
      const auto stratum = [&](const char* name, double low, double high) {
        const double v = std::get<double>(*level_of(d, t, name));
        EXPECT_GE(v, low);
        EXPECT_LT(v, high);
        return static_cast<std::size_t>((v - low) / (high - low) * 37);
      };
      const auto f = stratum("normal_force_N", 1, 8);
      const auto s = stratum("speed_mm_s", 25, 400);
      force.insert(f);
      speed.insert(s);
      diagonal += f == s ? 1 : 0;
      ++instruments[text_of(*level_of(d, t, "instrument"))];
    }
    EXPECT_EQ(force.size(), 37U);
    EXPECT_EQ(speed.size(), 37U);
    EXPECT_LT(diagonal, 10U) << "the ranges go together";
    for (const auto& [name, n] : instruments) EXPECT_THAT(n, ::testing::AnyOf(12U, 13U)) << name;
  }
  auto other = d;
  other.seed = 2;
  EXPECT_NE(trials_of(other).front().levels, trials.front().levels);
}

TEST(Design, RandomOrderIsAPermutationOfTheSeedAndBlocksStayTogether) {
  Design d;
  d.factors = {crossed("phantom", words({"a", "b", "c", "d"})), crossed("normal_force_N", numbers({1, 2, 3, 4, 5}))};
  const auto written = trials_of(d);
  d.order = TrialOrder::kRandom;
  const auto ids = [](const std::vector<Trial>& trials) {
    std::vector<std::string> out;
    for (const auto& t : trials) out.push_back(t.id);
    return out;
  };
  const auto mixed = ids(trials_of(d));
  EXPECT_EQ(mixed, ids(trials_of(d)));
  EXPECT_NE(mixed, ids(written));
  EXPECT_TRUE(std::is_permutation(mixed.begin(), mixed.end(), ids(written).begin()));
  auto reseeded = d;
  reseeded.seed = 2;
  EXPECT_NE(mixed, ids(trials_of(reseeded)));

  d.blocks = {"phantom"};
  const auto blocked = trials_of(d);
  std::set<std::string> finished;
  std::set<std::vector<Level>> orders_within;
  for (std::size_t i = 0; i < blocked.size(); i += 5) {
    const auto phantom = text_of(blocked[i].levels[0]);
    EXPECT_TRUE(finished.insert(phantom).second) << phantom << " comes back after another";
    std::vector<Level> order;
    for (std::size_t k = i; k < i + 5; ++k) {
      EXPECT_EQ(text_of(blocked[k].levels[0]), phantom);
      EXPECT_EQ(blocked[k].block, i / 5);
      order.push_back(blocked[k].levels[1]);
    }
    orders_within.insert(order);
  }
  EXPECT_GT(orders_within.size(), 1U) << "within blocks the order is to be random too";
}

TEST(Design, RefusesWhatIsNone) {
  EXPECT_THAT(refusal({}), HasSubstr("needs a factor"));
  Design d;
  d.factors = {crossed("phantom", words({"a", "a"}))};
  EXPECT_THAT(refusal(d), HasSubstr("level a twice"));
  d.factors = {crossed("phantom", {})};
  EXPECT_THAT(refusal(d), HasSubstr("no levels"));
  d.factors = {crossed("phantom", words({"a"})), crossed("phantom", words({"b"}))};
  EXPECT_THAT(refusal(d), HasSubstr("there twice"));
  d.factors = {ranged("speed_mm_s", 5, 5)};
  EXPECT_THAT(refusal(d), HasSubstr("lower number"));
  d.factors = {ranged("speed_mm_s", 1, 5)};
  EXPECT_THAT(refusal(d), HasSubstr("how many draws"));
  d.factors = {crossed("normal_force_N", numbers({std::nan("")}))};
  EXPECT_THAT(refusal(d), HasSubstr("no number"));
  d.factors.clear();
  for (int i = 0; i < 3; ++i) d.factors.push_back(crossed(std::string("protocol.x.") + static_cast<char>('a' + i), {}));
  for (auto& f : d.factors) {
    for (int i = 0; i < 60; ++i) f.levels.emplace_back(static_cast<double>(i));
  }
  EXPECT_THAT(refusal(d), HasSubstr("more than 100000 trials"));
  Factor nested;
  nested.name = "instrument";
  nested.nested_in = "phantom";
  nested.levels_within = {{"a", words({"x"})}};
  d.factors = {crossed("phantom", words({"a", "b"})), nested};
  EXPECT_THAT(refusal(d), HasSubstr("no levels within phantom b"));
  std::swap(d.factors[0], d.factors[1]);
  EXPECT_THAT(refusal(d), HasSubstr("no factor before it"));
}

}  // namespace
}  // namespace strigil::protocols
