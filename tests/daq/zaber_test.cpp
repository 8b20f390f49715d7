#include "daq/codec/zaber.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace strigil::daq {
namespace {

std::string_view bare(const ZaberLine& line) {
  auto text = line.text();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

TEST(Zaber, TheChecksumMakesTheSumZero) {
  for (const std::string_view text : {"", "1 1 07 move vel 1234", "01 0 00 OK IDLE -- 0"}) {
    unsigned sum = zaber_checksum(text);
    for (const char c : text) sum += static_cast<unsigned char>(c);
    EXPECT_EQ(sum & 0xFFU, 0U) << text;
  }
  EXPECT_EQ(zaber_checksum("1"), 0xCF);
}

TEST(Zaber, CommandsAsTheyStandOnTheWire) {
  // Summed by hand: "1 1 07 stop" is 31 20 31 20 30 37 20 73 74 6F 70, together 2EF, and 100 - EF = 11.
  EXPECT_EQ(encode_zaber(ZaberCommand{.device = 1, .axis = 1, .id = 7, .words = "stop"}).text(), "/1 1 07 stop:11\n");
  const auto c = decode_zaber_command("/1 1 07 stop:11");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->device, 1);
  EXPECT_EQ(c->axis, 1);
  EXPECT_EQ(c->id, 7);
  EXPECT_EQ(c->words, "stop");
  EXPECT_TRUE(c->checked);
}

TEST(Zaber, CommandsMayLeaveOutWhatStandsOnTheRight) {
  const auto all = decode_zaber_command("/home");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->device, 0);
  EXPECT_EQ(all->id, kZaberNoId);
  EXPECT_FALSE(all->checked);
  EXPECT_EQ(all->words, "home");
  const auto device = decode_zaber_command("/2 get pos");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->device, 2);
  EXPECT_EQ(device->axis, 0);
  EXPECT_TRUE(decode_zaber_command("/"));
  EXPECT_FALSE(decode_zaber_command("home"));
  EXPECT_FALSE(decode_zaber_command("/1 1 07 stop:12"));
  EXPECT_FALSE(decode_zaber_command("/1 1 07 stop:1"));
  EXPECT_FALSE(decode_zaber_command("/1 1 07 stop:111"));
}

TEST(Zaber, RepliesAreUnderstood) {
  const auto m = decode_zaber_message("@01 0 42 OK BUSY WR 10 -20 NA");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->kind, ZaberKind::kReply);
  EXPECT_EQ(m->device, 1);
  EXPECT_EQ(m->axis, 0);
  EXPECT_EQ(m->id, 42);
  EXPECT_TRUE(m->ok);
  EXPECT_TRUE(m->busy);
  EXPECT_EQ(m->flag, kZaberNoReference);
  EXPECT_EQ(m->data, "10 -20 NA");
  EXPECT_FALSE(m->checked);
  EXPECT_EQ(zaber_number(zaber_word(m->data, 1)), -20);
  EXPECT_FALSE(zaber_number(zaber_word(m->data, 2)));
  EXPECT_TRUE(zaber_word(m->data, 3).empty());

  const auto refused = decode_zaber_message("@12 3 RJ IDLE -- BADDATA");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->device, 12);
  EXPECT_EQ(refused->id, kZaberNoId);
  EXPECT_FALSE(refused->ok);
  EXPECT_EQ(refused->data, "BADDATA");
}

TEST(Zaber, InfosAndAlertsAreKnownForWhatTheyAre) {
  const auto info = decode_zaber_message("#01 0 07 Visit the manual");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, ZaberKind::kInfo);
  EXPECT_EQ(info->id, 7);
  EXPECT_EQ(info->data, "Visit the manual");
  const auto alert = decode_zaber_message("!01 1 IDLE --");
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->kind, ZaberKind::kAlert);
  EXPECT_EQ(alert->axis, 1);
  EXPECT_FALSE(alert->busy);
}

TEST(Zaber, WhatIsNoMessageIsNone) {
  for (const char* line : {"", "@", "@01", "@01 0", "@01 0 OK", "@01 0 OK IDLE", "@01 0 OK IDLE -",
                           "@01 0 OK idle -- 0", "@01 0 07 MAYBE IDLE -- 0", "@x1 0 OK IDLE -- 0",
                           "@001 0 OK IDLE -- 0", "/1 1 stop", "@01 0 07 OK IDLE -- 0:ZZ", "@01 0 07 OK IDLE -- 0\t"}) {
    EXPECT_FALSE(decode_zaber_message(line)) << line;
  }
}

TEST(Zaber, WhatIsEncodedIsDecoded) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const auto data = std::to_string(static_cast<int>(random())) + " " + std::to_string(static_cast<int>(random()));
    const ZaberMessage m{.kind = random() % 5 == 0 ? ZaberKind::kAlert : ZaberKind::kReply,
                         .device = static_cast<std::uint8_t>(1 + random() % 99),
                         .axis = static_cast<std::uint8_t>(random() % 10),
                         .id = static_cast<std::uint8_t>(random() % 100),
                         .ok = random() % 2 == 0,
                         .busy = random() % 2 == 0,
                         .flag = kZaberStalled,
                         .data = data,
                         .checked = true};
    const auto line = encode_zaber(m);
    const auto back = decode_zaber_message(bare(line));
    ASSERT_TRUE(back) << line.text();
    EXPECT_EQ(back->kind, m.kind);
    EXPECT_EQ(back->device, m.device);
    EXPECT_EQ(back->axis, m.axis);
    EXPECT_EQ(back->busy, m.busy);
    EXPECT_EQ(back->flag, m.flag);
    EXPECT_TRUE(back->checked);
    if (m.kind == ZaberKind::kReply) {
      EXPECT_EQ(back->id, m.id);
      EXPECT_EQ(back->ok, m.ok);
      EXPECT_EQ(back->data, m.data);
    }
  }
}

TEST(Zaber, OneDamagedByteIsAlwaysSeen) {
  const auto line = encode_zaber(ZaberMessage{.device = 1, .id = 7, .data = "1234 -56789 0", .checked = true});
  const std::string sound(bare(line));
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto harmed = sound;
      harmed[at] = static_cast<char>(byte);
      const auto m = decode_zaber_message(harmed);
      if (harmed == sound || !m || !m->checked) continue;
      if (m->kind != ZaberKind::kReply) {
        EXPECT_EQ(at, 0U) << harmed;  // the first character is not summed: it is no answer any more
        continue;
      }
      // The two digits of a checksum may be of either case.
      EXPECT_GE(at, sound.size() - 2) << harmed;
      EXPECT_EQ(m->data, "1234 -56789 0");
    }
    auto shorter = sound;
    shorter.erase(at, 1);
    const auto m = decode_zaber_message(shorter);
    EXPECT_FALSE(m && m->checked) << shorter;
  }
}

TEST(Zaber, WordsThatAreTooLongAreCutNotOverrun) {
  const std::string words(400, 'x');
  const auto line = encode_zaber(ZaberCommand{.device = 1, .axis = 1, .id = 7, .words = words});
  EXPECT_EQ(line.size, kZaberLine + 1);
  EXPECT_TRUE(decode_zaber_command(bare(line)));
  const auto reply = encode_zaber(ZaberMessage{.device = 1, .data = words, .checked = true});
  EXPECT_EQ(reply.size, kZaberLine + 2);
  EXPECT_TRUE(decode_zaber_message(bare(reply)));
}

TEST(Zaber, NumbersAreWholeWords) {
  EXPECT_EQ(zaber_number("-12"), -12);
  EXPECT_EQ(zaber_number("7.38"), 7);
  for (const char* word : {"", "-", "1x", "x1", "7.", "1.x", "1 2", "99999999999999999999"})
    EXPECT_FALSE(zaber_number(word)) << word;
}

std::vector<std::string> lines_of(ZaberReader& reader, std::string_view bytes) {
  std::vector<std::string> lines;
  for (const char c : bytes) {
    if (const auto line = reader.push(static_cast<std::byte>(c))) lines.emplace_back(*line);
  }
  return lines;
}

TEST(Zaber, TheReaderPartsLines) {
  ZaberReader reader("@#!");
  EXPECT_EQ(lines_of(reader, "@01 a\r\n\r\n!b\n@c"), (std::vector<std::string>{"@01 a", "!b"}));
  EXPECT_EQ(lines_of(reader, "d\r\n"), (std::vector<std::string>{"@cd"}));
  EXPECT_EQ(reader.rejected(), 0U);
  // A lost end, and a piece without a beginning.
  EXPECT_EQ(lines_of(reader, "@one@two\nrest\n@three\n"), (std::vector<std::string>{"@two", "@three"}));
  EXPECT_EQ(reader.rejected(), 2U);
  EXPECT_TRUE(lines_of(reader, "@" + std::string(300, 'x') + "\n").empty());
  EXPECT_EQ(reader.rejected(), 3U);
  EXPECT_EQ(lines_of(reader, "@ok\n").size(), 1U);
  (void)lines_of(reader, "@half");
  reader.forget();
  EXPECT_TRUE(lines_of(reader, "\n").empty());
}

TEST(Zaber, FlagsAndReasonsHaveWords) {
  std::set<std::string> all;
  std::set<std::uint32_t> bits;
  for (const auto* name :
       {"FF", "FN", "FZ", "FH", "FV", "FO", "FC", "FM", "FD", "FQ", "FI", "FA", "FR", "FS", "FB", "FP", "FE", "FT"}) {
    const auto flag = zaber_flag(name[0], name[1]);
    const auto bit = zaber_fault_bit(flag);
    EXPECT_NE(bit, 0U) << name;
    EXPECT_STREQ(zaber_fault_words(bit), zaber_flag_words(flag));
    bits.insert(bit);
    all.insert(zaber_flag_words(flag));
  }
  EXPECT_EQ(bits.size(), 18U);
  for (const auto* name :
       {"WL", "WV", "WT", "WS", "WM", "WP", "WR", "WH", "NC", "NI", "ND", "NR", "NT", "NU", "NJ", "NB"}) {
    EXPECT_EQ(zaber_fault_bit(zaber_flag(name[0], name[1])), 0U) << name;
    all.insert(zaber_flag_words(zaber_flag(name[0], name[1])));
  }
  EXPECT_EQ(all.size(), 34U);
  EXPECT_STREQ(zaber_flag_words(kZaberNoFlag), "no warning");
  EXPECT_STREQ(zaber_flag_words(zaber_flag('Q', 'Q')), "unknown");
  EXPECT_STREQ(zaber_fault_words(0), "no fault");
  EXPECT_STREQ(zaber_fault_words(zaber_fault_bit(zaber_flag('F', '9'))), "unknown fault");
  // The gravest of several.
  EXPECT_STREQ(zaber_fault_words(zaber_fault_bit(kZaberStalled) | zaber_fault_bit(kZaberDriverOff)),
               zaber_flag_words(kZaberDriverOff));
  std::set<std::string> reasons;
  for (const auto* reason :
       {"BADAXIS", "BADCOMMAND", "BADDATA", "DEVICEONLY", "DRIVERDISABLED", "STATUSBUSY", "PARKED"})
    reasons.insert(zaber_refusal_words(reason));
  reasons.insert(zaber_refusal_words("SOMETHINGELSE"));
  EXPECT_EQ(reasons.size(), 8U);
}

}  // namespace
}  // namespace strigil::daq
