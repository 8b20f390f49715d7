// Block, Chunk, Event and StreamDescription: what crosses threads by value, and the words that go into files.
#include "daq/block.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <type_traits>

#include "daq/chunk.hpp"
#include "daq/event.hpp"
#include "daq/json_text.hpp"

namespace strigil::daq {
namespace {

static_assert(std::is_trivially_copyable_v<Block>);
static_assert(std::is_trivially_copyable_v<Chunk>);
static_assert(std::is_trivially_copyable_v<Event>);
static_assert(sizeof(Event) == 96, "as its comment says");
static_assert(kMaxBlockSamples * 6 <= kMaxBlockValues, "a full block of the force sensor fits");
static_assert(kMaxChannels * 24 <= kMaxBlockValues, "so do 24 samples of the widest stream");

TEST(Block, CountsItsValues) {
  Block b{};
  EXPECT_EQ(b.value_count(), 0U);
  b.samples = 64;
  b.channels = 6;
  EXPECT_EQ(b.value_count(), kMaxBlockValues);
  b.samples = 0xFFFF;
  b.channels = 0xFFFF;
  EXPECT_EQ(b.value_count(), 0xFFFFULL * 0xFFFFULL) << "no overflow on the way to a bounds check";
}

TEST(Block, FlagsAreSingleBitsAsTheFormatSays) {
  // docs/publication.md numbers them; files and subscribers depend on it.
  EXPECT_EQ(kGapBefore, 1U << 0);
  EXPECT_EQ(kSaturated, 1U << 1);
  EXPECT_EQ(kDeviceFault, 1U << 2);
  EXPECT_EQ(kClockUnlocked, 1U << 3);
  EXPECT_EQ(kReceiveTimed, 1U << 4);
  EXPECT_EQ(kReordered, 1U << 5);
  EXPECT_EQ(kDeviceReset, 1U << 6);
}

TEST(Chunk, ShowsOnlyWhatItHolds) {
  Chunk c;
  EXPECT_TRUE(c.data().empty());
  c.bytes[0] = std::byte{7};
  c.size = 1;
  EXPECT_EQ(c.data().size(), 1U);
  EXPECT_EQ(c.data()[0], std::byte{7});
  c.size = kChunkCapacity;
  EXPECT_EQ(c.data().size(), c.bytes.size());
}

TEST(Event, DetailIsCutToFitAndAlwaysEnds) {
  Event e;
  e.detail.fill('x');
  set_detail(e, "");
  EXPECT_STREQ(e.detail.data(), "");
  set_detail(e, "limit switch");
  EXPECT_STREQ(e.detail.data(), "limit switch");
  set_detail(e, std::string(43, 'y'));
  EXPECT_EQ(std::string(e.detail.data()), std::string(43, 'y'));
  set_detail(e, std::string(1000, 'z'));
  EXPECT_EQ(std::string(e.detail.data()), std::string(43, 'z'));
}

TEST(Event, EveryCodeHasItsOwnNameAndUnknownOnesAreSaidToBe) {
  std::set<std::string_view> names;
  std::size_t known = 0;
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const auto name = name_of(static_cast<EventCode>(code));
    if (name == "unknown") continue;
    ++known;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), known);
  EXPECT_GE(known, 22U);
  EXPECT_EQ(name_of(EventCode::kInterlockTrip), "interlock_trip");
  EXPECT_EQ(name_of(static_cast<Severity>(9)), "unknown");
}

TEST(Event, IsDescribedInOneLine) {
  Event e{.at = {1'500'000'000},
          .code = EventCode::kSamplesLost,
          .severity = Severity::kWarning,
          .source = 2,
          .arguments = {7, 3}};
  set_detail(e, "force");
  EXPECT_EQ(describe(e), "1.500000 s warning samples_lost source 2 (7, 3, 0, 0) force");
}

TEST(Stream, NamesAreSafeAsLinksTopicsAndKeys) {
  for (const char* good : {"force", "a", "0", "vibration_2", "abcdefghijklmnopqrstuvwxyz_01234"}) {
    EXPECT_TRUE(valid_stream_name(good)) << good;
  }
  for (const char* bad :
       {"", "Force", "a b", "a/b", "a.b", "..", "a-b", "\xC3\xA4", "abcdefghijklmnopqrstuvwxyz_012345"}) {
    EXPECT_FALSE(valid_stream_name(bad)) << bad;
  }
  EXPECT_FALSE(valid_stream_name(std::string("a\0b", 3)));
}

TEST(Stream, DescriptionAsJson) {
  StreamDescription s;
  s.id = 3;
  s.name = "force";
  s.device = "a \"quoted\" device \xFF";  // no UTF-8: replaced, never thrown at the caller
  s.quantity = "force";
  s.channels = {{"Fz", "N", 1e-6, -0.25}};
  s.rate_Hz = 7000;
  const auto json = daq::parse_json(to_json(s));
  EXPECT_EQ(json["id"], 3);
  EXPECT_EQ(json["device"], "a \"quoted\" device \xEF\xBF\xBD");
  EXPECT_EQ(json["channels"][0]["scale"], 1e-6);
  EXPECT_EQ(json["counts_min"], std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(json["tick_rate_Hz"], 0);
}

}  // namespace
}  // namespace strigil::daq
