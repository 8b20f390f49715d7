// Records, certificates and their signatures through the program's own commands: what holds, and what one byte breaks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "../calibration/record_fixture.hpp"
#include "apps/calibrations_command.hpp"
#include "apps/certificate_command.hpp"
#include "apps/places.hpp"
#include "calibration/record/store.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;
using calibration::force_record;

class CertificateCommand : public calibration::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    store_ = dir_ + "/calibrations";
    key_ = dir_ + "/lab.key";
    ASSERT_TRUE(calibration::keep_record(store_, force_record("FZ-1")).ok());
    ASSERT_EQ(signing_key_command(key_), kPass);
  }
  int issue(const std::string& out, const std::string& key) {
    return certificate_command({"FZ-1", store_, STRIGIL_SOURCE_DIR "/docs/examples/laboratory.toml", out, key, false});
  }
  static void flip(const std::string& path, std::size_t at) {
    auto text = slurp(path);
    text.at(at) = static_cast<char>(text.at(at) ^ 1);
    spill(path, text);
  }
  std::string store_;
  std::string key_;
};

TEST_F(CertificateCommand, WhatIsIssuedVerifiesUntilOneByteIsFlipped) {
  const auto out = dir_ + "/out";
  ASSERT_EQ(issue(out, key_), kPass);
  for (const char* ending : {".html", ".json", ".xml"}) {
    const auto file = out + "/FZ-1" + ending;
    EXPECT_EQ(verify_any_command(file, key_ + ".pub"), kPass) << ending;
    EXPECT_EQ(verify_any_command(file, ""), kPass) << ending;
    for (const auto& victim : {file, file + ".sig"}) {
      const auto good = slurp(victim);
      for (const std::size_t at : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
        flip(victim, at);
        EXPECT_EQ(verify_any_command(file, key_ + ".pub"), kFail) << victim << " byte " << at;
        spill(victim, good);
      }
    }
  }
  EXPECT_EQ(issue(out, key_), kUsage) << "nothing is overwritten";
  ASSERT_EQ(signing_key_command(dir_ + "/other.key"), kPass);
  EXPECT_EQ(verify_any_command(out + "/FZ-1.xml", dir_ + "/other.key.pub"), kFail);
  fs::remove(out + "/FZ-1.xml.sig");
  EXPECT_EQ(verify_any_command(out + "/FZ-1.xml", key_ + ".pub"), kFail);
  EXPECT_EQ(verify_any_command(out + "/FZ-1.xml", ""), kUsage) << "unsigned: nothing can be said";
}

TEST_F(CertificateCommand, RecordsAndStoresVerifyToo) {
  const auto file = calibration::RecordStore::read(store_)->records().at(0).file;
  EXPECT_EQ(verify_any_command(file, ""), kPass);
  EXPECT_EQ(verify_any_command(store_, ""), kPass);
  EXPECT_EQ(sign_command(file, key_), kPass);
  EXPECT_EQ(verify_any_command(file, key_ + ".pub"), kPass);
  flip(file, slurp(file).size() / 2);
  EXPECT_EQ(verify_any_command(file, ""), kFail);
  EXPECT_EQ(verify_any_command(store_, ""), kFail);
  EXPECT_EQ(calibrations_check(store_), kFail);
  EXPECT_EQ(calibrations_list(store_, false), kFail);
}

TEST_F(CertificateCommand, AKeyThatOthersCanReadIsRefused) {
  ASSERT_EQ(::chmod(key_.c_str(), 0644), 0);
  EXPECT_EQ(issue(dir_ + "/out", key_), kUsage);
  EXPECT_FALSE(fs::exists(dir_ + "/out/FZ-1.xml"));
}

TEST_F(CertificateCommand, ADccComesBackAsAReferenceAndIsRevoked) {
  ASSERT_EQ(issue(dir_ + "/out", ""), kPass);
  ASSERT_EQ(calibrations_import({dir_ + "/out/FZ-1.xml", store_, ""}), kPass);
  const auto store = calibration::RecordStore::read(store_).value();
  const auto reference = store.find("REF-FZ-1").value().record;
  EXPECT_EQ(reference.kind, calibration::RecordKind::kReference);
  EXPECT_EQ(reference.traceability.at(0).certificate, "FZ-1");
  EXPECT_EQ(calibrations_import({dir_ + "/out/FZ-1.xml", store_, ""}), kUsage) << "its id is taken";
  EXPECT_EQ(calibrations_import({dir_ + "/out/FZ-1.html", store_, "X"}), kUsage);
  EXPECT_EQ(calibrations_revoke({"FZ-1", store_, "dropped", "me"}), kPass);
  EXPECT_EQ(calibrations_revoke({"FZ-1", store_, "dropped", "me"}), kUsage) << "once is enough";
  EXPECT_EQ(issue(dir_ + "/again", ""), kUsage) << "no certificate of what was revoked";
  EXPECT_EQ(calibrations_check(store_), kPass);
  EXPECT_EQ(calibrations_show("FZ-1", store_, false), kPass);
}

TEST_F(CertificateCommand, ARecordOfAnotherStoreIsImportedWithItsOldHashTold) {
  const auto file = calibration::RecordStore::read(store_)->records().at(0);
  ASSERT_EQ(calibrations_import({file.file, dir_ + "/other", ""}), kPass);
  const auto other = calibration::RecordStore::read(dir_ + "/other").value();
  EXPECT_THAT(other.records().at(0).record.reason, testing::HasSubstr(file.hash));
}

}  // namespace
}  // namespace strigil::apps
