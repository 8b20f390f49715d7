#include "calibration/record/store.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "calibration/record/gate.hpp"
#include "record_fixture.hpp"

namespace strigil::calibration {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RecordStoreTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    store_ = dir_ + "/calibrations";
  }
  KeptRecord keep(const std::string& id) {
    auto kept = keep_record(store_, force_record(id));
    EXPECT_TRUE(kept.ok()) << kept.error().message;
    return *kept;
  }
  [[nodiscard]] RecordStore read() const { return RecordStore::read(store_).value(); }
  std::string store_;
};

TEST_F(RecordStoreTest, EachRecordHoldsTheHashOfTheOneBefore) {
  EXPECT_TRUE(read().records().empty());
  const auto a = keep("A");
  const auto b = keep("B");
  const auto c = keep("C");
  EXPECT_EQ(a.record.previous, kNoRecordBefore);
  EXPECT_EQ(b.record.previous, a.hash);
  EXPECT_EQ(c.record.previous, b.hash);
  const auto store = read();
  EXPECT_EQ(store.broken(), "");
  ASSERT_EQ(store.records().size(), 3U);
  EXPECT_EQ(store.last_hash(), c.hash);
  EXPECT_EQ(store.find("B")->hash, b.hash);
  EXPECT_EQ(store.find(b.hash.substr(0, 8))->record.id, "B");
  EXPECT_EQ(store.find(fs::path(c.file).filename().string())->record.id, "C");
  EXPECT_FALSE(store.find("D").ok());
  EXPECT_FALSE(store.find(b.hash.substr(0, 7)).ok());
}

TEST_F(RecordStoreTest, TheFirstBrokenRecordIsNamedAndNothingIsAddedAfterIt) {
  keep("A");
  const auto b = keep("B");
  keep("C");
  auto text = slurp(b.file);
  const auto at = text.find("1.02e-06");
  ASSERT_NE(at, std::string::npos);
  text[at + 3] = '3';
  spill(b.file, text);
  const auto store = read();
  EXPECT_THAT(store.broken(), HasSubstr(fs::path(b.file).filename().string()));
  EXPECT_THAT(store.broken(), HasSubstr("changed after it was written"));
  EXPECT_EQ(store.records().size(), 1U);
  const auto more = keep_record(store_, force_record("D"));
  ASSERT_FALSE(more.ok());
  EXPECT_THAT(more.error().message, HasSubstr("is broken"));
}

// Whoever changes a record and makes its hash anew breaks the next one, or HEAD.
TEST_F(RecordStoreTest, ARecordMadeAnewBreaksTheChain) {
  const auto a = keep("A");
  const auto b = keep("B");
  for (const auto& k : {a, b}) {
    auto forged = k.record;
    forged.fit.coefficients[1] *= 1.1;
    fs::remove(k.file);
    const auto name = (forged.number == 1 ? "/0001-" : "/0002-") + hash_of(forged).substr(0, 12) + ".json";
    spill(store_ + name, to_text(forged));
    EXPECT_THAT(read().broken(), HasSubstr(k.record.number == 1 ? "another record than the one before" : "HEAD"))
        << k.record.id;
    fs::remove(store_ + name);
    spill(k.file, to_text(k.record));
    EXPECT_EQ(read().broken(), "");
  }
}

TEST_F(RecordStoreTest, MissingRecordsAreMissed) {
  const auto a = keep("A");
  const auto b = keep("B");
  const auto c = keep("C");
  const auto without = [&](const KeptRecord& k) {
    fs::rename(k.file, dir_ + "/away");
    const auto broken = read().broken();
    fs::rename(dir_ + "/away", k.file);
    return broken;
  };
  EXPECT_THAT(without(a), HasSubstr("a record is missing"));
  EXPECT_THAT(without(b), HasSubstr("a record is missing"));
  EXPECT_THAT(without(c), HasSubstr("the last 1 of 3 records are missing"));
  fs::rename(store_ + "/HEAD", dir_ + "/HEAD");
  EXPECT_THAT(read().broken(), HasSubstr("HEAD"));
}

TEST_F(RecordStoreTest, AWriterThatDiedBetweenRecordAndHeadIsForgiven) {
  keep("A");
  const auto head = slurp(store_ + "/HEAD");
  keep("B");
  spill(store_ + "/HEAD", head);
  EXPECT_EQ(read().broken(), "");
  keep("C");
  EXPECT_EQ(read().records().size(), 3U);
}

TEST_F(RecordStoreTest, SupersededAndRevokedByLaterRecords) {
  keep("A");
  auto b = force_record("B");
  b.supersedes = "A";
  ASSERT_TRUE(keep_record(store_, b).ok());
  Record revocation;
  revocation.kind = RecordKind::kRevocation;
  revocation.id = "R-1";
  revocation.software = "0.1.0";
  revocation.revokes = "B";
  revocation.reason = "the weights were mixed up";
  revocation.issued = revocation.performed_from = revocation.performed_until = day("2026-11-20");
  ASSERT_TRUE(keep_record(store_, revocation).ok());
  const auto store = read();
  EXPECT_EQ(store.standing("A").superseded_by, "B");
  EXPECT_EQ(store.standing("B").revoked, "the weights were mixed up");
  EXPECT_EQ(store.standing("A").revoked, "");
  revocation.id = "R-2", revocation.revokes = "Z";
  EXPECT_THAT(keep_record(store_, revocation).error().message, HasSubstr("not in the store"));
  EXPECT_THAT(keep_record(store_, force_record("A")).error().message, HasSubstr("is taken"));
}

TEST_F(RecordStoreTest, TwoWritersTakeTurns) {
  constexpr int kEach = 8;
  const auto write = [&](const std::string& who) {
    for (int i = 0; i < kEach; ++i) {
      const auto kept = keep_record(store_, force_record(who + std::to_string(i)));
      EXPECT_TRUE(kept.ok()) << kept.error().message;
    }
  };
  std::thread one([&] { write("X"); });
  std::thread other([&] { write("Y"); });
  one.join();
  other.join();
  EXPECT_EQ(read().broken(), "");
  EXPECT_EQ(read().records().size(), 2U * kEach);
}

GateQuestion good_question() {
  GateQuestion q;
  q.now = day("2026-11-29");
  q.serial = "FT12345";
  q.setting.rate_Hz = 1000;
  q.setting.filter = "none";
  q.channel = "Fz";
  q.unit = "N";
  q.range = Interval{2, 12};
  q.temperature_C = 22;
  return q;
}

TEST(GateTest, AGoodRecordPasses) { EXPECT_THAT(gate(force_record(), {}, good_question()), testing::IsEmpty()); }

TEST(GateTest, EachReasonInWords) {
  struct Case {
    std::function<void(Record&, Standing&, GateQuestion&)> spoil;
    const char* words;
  };
  const Case cases[] = {
      {[](auto&, auto&, auto& q) { q.now = day("2028-01-02"); }, "it expired on 2028-01-02"},
      {[](auto&, auto&, auto& q) { q.now = day("2026-11-01"); }, "it is valid from 2026-11-02 and today is 2026-11-01"},
      {[](auto&, auto& s, auto&) { s.revoked = "dropped"; }, "it was revoked: dropped"},
      {[](auto&, auto& s, auto&) { s.superseded_by = "B"; }, "it was superseded by 'B'"},
      {[](auto&, auto&, auto& q) { q.serial = "FT99"; }, "it is of serial number 'FT12345' and the bench has 'FT99'"},
      {[](auto&, auto&, auto& q) { q.serial = ""; }, "the bench does not say which it has"},
      {[](auto&, auto&, auto& q) { q.setting.rate_Hz = 2000; },
       "it was made with a rate of 1000 and the bench has 2000"},
      {[](auto&, auto&, auto& q) { q.setting.filter = "73 Hz"; }, "made with filter 'none' and the bench has '73 Hz'"},
      {[](auto& r, auto&, auto&) { r.setting.gain = "2"; }, "made with gain '2' and the bench does not say"},
      {[](auto&, auto&, auto& q) {
         q.range = Interval{0.2, 12};
       },
       "0.2 to 12 N are wanted of 'Fz'"},
      {[](auto&, auto&, auto& q) {
         q.range = Interval{2, 26};
       },
       "calibrated from 0.5 to 25"},
      {[](auto&, auto&, auto& q) { q.channel = "Fx"; }, "nothing of channel 'Fx'"},
      {[](auto&, auto&, auto& q) { q.unit = "kN"; }, "in N where kN is wanted"},
      {[](auto&, auto&, auto& q) { q.temperature_C = 29; }, "holds from 18 to 28 degrees C and the bench is at 29"},
      {[](auto&, auto&, auto& q) { q.temperature_C.reset(); }, "nobody said how warm the bench is"},
      {[](auto& r, auto&, auto&) { r.classification.conformity = "fail"; }, "the instrument failed this calibration"},
      {[](auto& r, auto&, auto&) { r.adjustment = "as found"; }, "before it was adjusted"},
      {[](auto& r, auto&, auto&) { r.kind = RecordKind::kReference; }, "it is a reference, not a calibration"},
  };
  for (const auto& c : cases) {
    auto r = force_record();
    Standing s;
    auto q = good_question();
    c.spoil(r, s, q);
    const auto reasons = gate(r, s, q);
    ASSERT_EQ(reasons.size(), 1U) << c.words;
    EXPECT_THAT(reasons.front(), HasSubstr(c.words));
  }
}

}  // namespace
}  // namespace strigil::calibration
