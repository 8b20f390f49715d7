#include "calibration/record/record.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>

#include "calibration/record/digest.hpp"
#include "record_fixture.hpp"

namespace strigil::calibration {
namespace {

using testing::HasSubstr;

TEST(RecordTest, WhatIsWrittenIsReadBackToTheByte) {
  const auto record = force_record();
  ASSERT_THAT(problems_of(record), testing::IsEmpty());
  const auto text = to_text(record);
  const auto read = parse_record(text);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(to_text(read->record), text);
  EXPECT_EQ(read->hash, hash_of(record));
  EXPECT_EQ(read->record.fit.coefficients, record.fit.coefficients);
  EXPECT_EQ(read->record.valid_until->ns, record.valid_until->ns);
  EXPECT_FALSE(read->record.valid_from.has_value());
}

// docs/calibration_record.md: head -n -2 FILE | sha256sum
TEST(RecordTest, TheHashIsOfAllLinesBeforeTheLastTwo) {
  const auto text = to_text(force_record());
  const auto last = text.rfind('\n', text.rfind('\n', text.size() - 2) - 1);
  EXPECT_EQ(sha256_hex(text.substr(0, last + 1)), hash_of(force_record()));
}

TEST(RecordTest, EveryFlippedBitOfTheFileIsFound) {
  const auto text = to_text(force_record());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 7)));
    EXPECT_FALSE(parse_record(flipped).ok()) << "byte " << i;
  }
  for (std::size_t i = 0; i < text.size(); i += 7) EXPECT_FALSE(parse_record(text.substr(0, i)).ok()) << i;
  EXPECT_FALSE(parse_record(text + " ").ok());
}

TEST(RecordTest, WhatCannotBeBelievedIsRefusedInWords) {
  struct Case {
    std::function<void(Record&)> spoil;
    const char* words;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Case cases[] = {
      {[](Record& r) { r.id = "a/../b"; }, "its id"},
      {[](Record& r) { r.instrument.serial = ""; }, "serial number"},
      {[=](Record& r) { r.fit.coefficients[1] = nan; }, "/fit/coefficients/1 is not a finite number"},
      {[=](Record& r) { r.tables[0].rows[1][2] = INFINITY; }, "not a finite number"},
      {[](Record& r) { r.operator_name = "\xff\xfe"; }, "not UTF-8"},
      {[](Record& r) { r.quantities.clear(); }, "no quantity"},
      {[](Record& r) { r.quantities[0].uncertainty.clear(); }, "no uncertainty"},
      {[](Record& r) { r.quantities[0].uncertainty[1].expanded = 0; }, "not above 0"},
      {[](Record& r) { r.quantities[0].uncertainty[1].value = 0.1; }, "do not rise"},
      {[](Record& r) { r.quantities[0].range.high = 26; }, "does not cover its range"},
      {[](Record& r) { r.fit.coefficients.push_back(1); }, "covariance is not of its coefficients"},
      {[](Record& r) { r.fit.covariance[1] = 5; }, "not symmetric"},
      {[](Record& r) {
         r.fit.covariance = {1e-6, 2e-12, 2e-12, 1e-18};
       },
       "correlates by more than 1"},
      {[](Record& r) { r.fit.inputs[0].per_count = 0; }, "'per_count' is 0"},
      {[](Record& r) { r.fit.kind = FitKind::kMatrix; }, ""},
      {[](Record& r) {
         r.fit.kind = FitKind::kMatrix, r.fit.coefficients = {1, 2, 3};
       },
       "has 2 coefficients"},
      {[](Record& r) { r.coverage_factor = 0.5; }, "coverage factor"},
      {[](Record& r) { r.valid_until = day("2026-11-01"); }, "ends to be valid before it begins"},
      {[](Record& r) { r.issued = day("2026-11-01"); }, "issued before it was performed"},
      {[](Record& r) { r.raw[0].sha256 = "abc"; }, "no SHA-256"},
      {[](Record& r) {
         r.conditions.use_temperature_C = Interval{30, 20};
       },
       "temperature of use"},
      {[](Record& r) { r.tables[0].rows[0].pop_back(); }, "do not fit its columns"},
      {[](Record& r) { r.supersedes = r.id; }, "supersedes or revokes itself"},
      {[](Record& r) { r.kind = RecordKind::kRevocation; }, "revokes no record"},
      {[](Record& r) { r.created = {std::numeric_limits<std::int64_t>::max()}; }, "after 2200"},
  };
  for (const auto& c : cases) {
    auto r = force_record();
    c.spoil(r);
    const auto problems = problems_of(r);
    if (*c.words == '\0') {
      EXPECT_THAT(problems, testing::IsEmpty());
    } else {
      EXPECT_THAT(problems, testing::Contains(HasSubstr(c.words))) << c.words;
    }
  }
}

TEST(RecordTest, UncertaintyGoesAlongStraightLinesAndEndsWithTheRange) {
  const auto r = force_record();
  const auto* q = find_quantity(r, "Fz");
  ASSERT_NE(q, nullptr);
  EXPECT_EQ(find_quantity(r, "Fx"), nullptr);
  EXPECT_DOUBLE_EQ(expanded_at(*q, 0.5).value(), 0.02);
  EXPECT_DOUBLE_EQ(expanded_at(*q, 17.5).value(), 0.04);
  EXPECT_DOUBLE_EQ(expanded_at(*q, 25).value(), 0.05);
  EXPECT_FALSE(expanded_at(*q, 0.49).has_value());
  EXPECT_FALSE(expanded_at(*q, 25.1).has_value());
  EXPECT_FALSE(expanded_at(*q, std::nan("")).has_value());
}

TEST(CalendarTest, InstantsAndWhatIsNone) {
  EXPECT_EQ(daq::iso8601(day("2026-11-23")), "2026-11-23T00:00:00.000Z");
  EXPECT_EQ(daq::iso8601(day("2026-11-23T12:00:00.125+02:30")), "2026-11-23T09:30:00.125Z");
  EXPECT_EQ(daq::iso8601(day("1957-08-13")), "1957-08-13T00:00:00.000Z");
  for (const char* wrong :
       {"", "2026", "2026-13-01", "2026-02-29", "2026-11-23T", "2026-11-23T25:00:00Z", "2026-11-23T12:00:00",
        "2026-11-23T12:00Z", "23.11.2026", "2026-11-23 ", "0001-01-01", "2026-1-1", "2026-11-23Z"}) {
    EXPECT_FALSE(parse_instant(wrong).ok()) << wrong;
  }
  EXPECT_TRUE(parse_instant("2024-02-29").ok());
}

}  // namespace
}  // namespace strigil::calibration
