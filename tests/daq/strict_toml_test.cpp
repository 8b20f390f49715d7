#include "daq/strict_toml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strigil::daq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr Range kAny{-1e9, 1e9};

TEST(StrictTomlTest, ReadsWhatIsThere) {
  StrictToml doc("a = 1.5\nb = [1, 2]\nc = \"x\"\nd = true\n[t]\ne = 7\n[[u]]\nf = 1\n[[u]]\nf = 2\n", "f.toml");
  auto root = doc.root();
  EXPECT_EQ(root.number("a", kAny), 1.5);
  EXPECT_THAT(root.numbers("b", kAny), ElementsAre(1, 2));
  EXPECT_EQ(root.text("c"), "x");
  EXPECT_TRUE(root.boolean("d"));
  auto t = root.table("t", true);
  EXPECT_EQ(t.integer("e", kAny), 7);
  EXPECT_EQ(t.number("absent", kAny, 3.0), 3.0);
  t.finish();
  const auto us = root.tables("u");
  ASSERT_EQ(us.size(), 2U);
  root.finish();
  EXPECT_FALSE(doc.error()) << doc.error()->message;
}

TEST(StrictTomlTest, SyntaxErrorsHaveLineAndColumn) {
  StrictToml doc("a = 1\nb = = 2\n", "f.toml");
  ASSERT_TRUE(doc.error());
  EXPECT_THAT(doc.error()->message, StartsWith("f.toml:2:"));
}

TEST(StrictTomlTest, AWrongUnitIsToldBeforeTheMissingKeyItCauses) {
  StrictToml doc("[press]\nnormal_force_kg = 1\n", "f.toml");
  auto press = doc.root().table("press", true);
  (void)press.number("normal_force_N", kAny);
  press.finish();
  ASSERT_TRUE(doc.error());
  EXPECT_THAT(doc.error()->message, HasSubstr("f.toml:2:1: unknown key 'press.normal_force_kg'"));
  EXPECT_THAT(doc.error()->message, HasSubstr("did you mean 'normal_force_N'"));
}

TEST(StrictTomlTest, NumbersMustBeFiniteAndInRange) {
  for (const char* text : {"a = nan", "a = inf", "a = 11", "a = -1", "a = true", "a = \"3\"", "a = []", "a = [1, 2]"}) {
    StrictToml doc(text, "f.toml");
    (void)doc.root().number("a", {0, 10});
    EXPECT_TRUE(doc.error()) << text;
  }
}

TEST(StrictTomlTest, WrongTypesAreRefused) {
  StrictToml doc("a = 1\n", "f.toml");
  auto root = doc.root();
  (void)root.table("a");
  ASSERT_TRUE(doc.error());
  EXPECT_THAT(doc.error()->message, HasSubstr("must be a table"));
}

TEST(StrictTomlTest, WhatEndsTheParserIsAnErrorWithItsPlace) {
  // toml++ asserts that a key follows '[' or a dot, whatever the file says.
  for (const auto& [text, place] :
       std::vector<std::pair<std::string, std::string>>{{"[:]", "f.toml:1:2:"},
                                                        {"a = 1\n[[ =]]\n", "f.toml:2:4:"},
                                                        {"# \u00B5\n\n[ , 2.5]\nb = 2\n", "f.toml:3:3:"}}) {
    const StrictToml doc(text, "f.toml");
    ASSERT_TRUE(doc.error()) << text;
    EXPECT_TRUE(doc.error()->message.starts_with(place)) << doc.error()->message;
    EXPECT_THAT(doc.error()->message, HasSubstr("not TOML"));
  }
}

TEST(StrictTomlTest, LettersBeyondAsciiStandInQuotesAndCommentsOnly) {
  StrictToml good("# \u26A0\uFE0F \u00B5\nname = \"\u00B5m \uFEFC\"  # \uFE0F\n", "f.toml");
  EXPECT_EQ(good.root().text("name"), "\u00B5m \uFEFC");
  EXPECT_FALSE(good.error());
  for (const char* text : {"\u00B5 = 1", "a = \uFE0F", "a = 1 \uFEFC", "[\u00E9]", "\u2C6E", "a\u0301 = 1"}) {
    const StrictToml bad(text, "f.toml");
    ASSERT_TRUE(bad.error()) << text;
    EXPECT_TRUE(bad.error()->message.starts_with("f.toml:1:")) << bad.error()->message;
  }
}

TEST(StrictTomlTest, AFileThatIsMissingOrTooLargeIsRefused) {
  constexpr auto kThere = STRIGIL_SOURCE_DIR "/tests/daq/strict_toml_test.cpp";  // __FILE__ may be relative
  EXPECT_FALSE(read_text_file("/nowhere/at/all.toml").ok());
  EXPECT_FALSE(read_text_file("/proc/self").ok());
  EXPECT_FALSE(read_text_file(kThere, 10).ok());
  EXPECT_TRUE(read_text_file(kThere).ok());
}

}  // namespace
}  // namespace strigil::daq
