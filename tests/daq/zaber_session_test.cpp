// ZaberSession alone: what it sends when, and which answers it believes.
#include "daq/codec/zaber_session.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace strigil::daq {
namespace {

using std::chrono::milliseconds;

/// The host's end, answered by hand.
class Hand final : public SessionOutput {
 public:
  explicit Hand(const ZaberSessionConfig& config = {}) : session(config) {}
  void newest(const NewestSample& s) noexcept override { samples.push_back(s); }
  void block(const Block& b) noexcept override { bounds.push_back(b.bound); }
  void event(const Event& e) noexcept override { events.push_back(e); }
  bool send(std::span<const std::byte> bytes) noexcept override {
    std::string text;
    for (const auto b : bytes) text += static_cast<char>(b);
    sent.push_back(text);
    return true;
  }
  void tick(Duration d = milliseconds(1)) {
    now = now + d;
    session.on_time(now, *this);
  }
  /// The last command, understood.
  [[nodiscard]] ZaberCommand last() {
    line_ = sent.empty() ? "" : sent.back();
    std::erase(line_, '\n');
    return decode_zaber_command(line_).value_or(ZaberCommand{});
  }
  void hear(std::string_view text) {
    Chunk chunk;
    chunk.received = now;
    chunk.size = static_cast<std::uint16_t>(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) chunk.bytes[i] = static_cast<std::byte>(text[i]);
    session.on_chunk(chunk, now, *this);
  }
  /// Answers the last command.
  void answer(std::string_view data = "0", bool busy = false, ZaberFlag flag = kZaberNoFlag, bool ok = true) {
    const auto c = last();
    const auto line = encode_zaber(ZaberMessage{.device = c.device,
                                                .axis = c.axis,
                                                .id = c.id,
                                                .ok = ok,
                                                .busy = busy,
                                                .flag = flag,
                                                .data = data,
                                                .checked = true});
    answered_ = sent.size();
    hear(line.text());
  }
  [[nodiscard]] bool open() const { return sent.size() > answered_; }
  /// What a controller would say to the last command.
  void obey() {
    if (!open()) return;
    const std::string words(last().words);
    if (words == "get version") return answer("7.38");
    if (words == "get user.vdata.1") return answer(std::to_string(kZaberMarkerValue));
    if (words == "get user.vdata.0") return answer("20");
    if (words == "warnings") return answer("00");
    if (words == "get pos") return answer("1000 2000 3000");
    answer();
  }
  bool get_ready() {
    for (int i = 0; i < 200 && !session.ready(); ++i) {
      tick();
      obey();
    }
    return session.ready();
  }
  /// Obeys until a command with these words is outstanding.
  bool until(std::string_view words) {
    for (int i = 0; i < 100; ++i) {
      if (open() && last().words == words) return true;
      obey();
      tick();
    }
    return false;
  }

  HostTime now{1'000'000'000};
  ZaberSession session;
  std::vector<std::string> sent;
  std::vector<NewestSample> samples;
  std::vector<Duration> bounds;
  std::vector<Event> events;

 private:
  std::string line_;
  std::size_t answered_ = 0;  // commands
};

std::size_t count_of(const std::vector<std::string>& sent, std::string_view words) {
  return static_cast<std::size_t>(std::count_if(
      sent.begin(), sent.end(), [&](const std::string& s) { return s.find(words) != std::string::npos; }));
}

TEST(ZaberSession, SetsTheControllerUpInItsOwnUnits) {
  ZaberSessionConfig c;
  c.axes[0].microsteps_per_m = 2e6;
  c.axes[0].max_speed_m_s = 0.05;
  c.axes[0].acceleration_m_s2 = 0.5;
  c.axes[2].microsteps_per_m = -1e6;
  Hand h(c);
  EXPECT_FALSE(h.session.set_velocity(0, 0.01, h.now, h));
  ASSERT_TRUE(h.get_ready());
  EXPECT_EQ(count_of(h.sent, "set comm.checksum 1:"), 1U);
  EXPECT_EQ(count_of(h.sent, "/1 1"), 3U);                  // speed, acceleration, warnings
  EXPECT_EQ(count_of(h.sent, "set maxspeed 163840:"), 3U);  // 1e5 microsteps/s x 1.6384, of every axis
  EXPECT_EQ(count_of(h.sent, "set accel 164:"), 3U);        // 1e6 microsteps/s^2 x 1.6384e-4
  EXPECT_EQ(count_of(h.sent, "trigger 2 action b 3 move vel -32768:"), 1U);
  EXPECT_EQ(h.session.refused(), 0U);
}

TEST(ZaberSession, NoChecksumIsOfDigitsOnly) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  for (int i = 0; i < 300; ++i) {
    (void)h.session.set_velocity(0, 1e-4 * (i % 100), h.now, h);
    h.obey();
    h.tick();
  }
  ASSERT_GT(h.sent.size(), 200U);
  for (const auto& s : h.sent) {
    const auto sum = s.substr(s.find(':') + 1, 2);
    EXPECT_TRUE(std::any_of(sum.begin(), sum.end(), [](char c) { return c >= 'A'; })) << s;
  }
}

TEST(ZaberSession, OldFirmwareIsRefused) {
  Hand h;
  h.tick();
  ASSERT_TRUE(h.until("get version"));
  h.answer("6.28");
  EXPECT_EQ(h.events.back().code, EventCode::kStageError);
  EXPECT_FALSE(h.session.ready());
  const auto n = h.sent.size();
  for (int i = 0; i < 900; ++i) h.tick();
  EXPECT_EQ(h.sent.size(), n);  // tried again after a second
}

TEST(ZaberSession, PositionsAreTheMiddleOfTheirExchange) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  const auto asked = h.now;
  h.now = h.now + milliseconds(8);
  h.answer("900 2100 3000");
  EXPECT_EQ(h.samples.back().t0, asked + milliseconds(4));
  EXPECT_EQ(h.bounds.back(), milliseconds(4));
  EXPECT_EQ(h.samples.back().counts[0], 900);
  EXPECT_NEAR(h.session.axis(1).position_m, 2.1e-3, 1e-12);
  EXPECT_EQ(h.session.axis(1).acquired, asked + milliseconds(4));
}

TEST(ZaberSession, OnlyAnAnswerThatFitsIsTaken) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  const auto c = h.last();
  const auto samples = h.samples.size();
  const auto say = [&](std::uint8_t device, std::uint8_t axis, std::uint8_t id, bool checked) {
    h.hear(encode_zaber(
               ZaberMessage{.device = device, .axis = axis, .id = id, .data = "1001 2001 3001", .checked = checked})
               .text());
  };
  say(2, c.axis, c.id, true);
  say(c.device, 1, c.id, true);
  say(c.device, c.axis, static_cast<std::uint8_t>((c.id + 1) % kZaberIds), true);
  say(c.device, c.axis, kZaberNoId, true);
  say(c.device, c.axis, c.id, false);
  h.hear("!01 0 IDLE --\r\n#01 0 nothing\r\n");
  EXPECT_EQ(h.samples.size(), samples);
  say(c.device, c.axis, c.id, true);
  EXPECT_EQ(h.samples.size(), samples + 1);
  say(c.device, c.axis, c.id, true);  // once
  EXPECT_EQ(h.samples.size(), samples + 1);
}

TEST(ZaberSession, TheNewestWishOfEachAxisIsSent) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(h.session.set_velocity(0, 1e-3 * i, h.now, h));
  ASSERT_TRUE(h.session.set_velocity(1, -1e-3, h.now, h));
  EXPECT_EQ(h.session.pending(), 2U);
  for (int i = 0; i < 6; ++i) {
    h.obey();
    h.tick();
  }
  EXPECT_EQ(count_of(h.sent, "move vel 8192:"), 1U);
  EXPECT_EQ(count_of(h.sent, "move vel -1638:"), 1U);
  EXPECT_EQ(count_of(h.sent, "/1 1 "), count_of(h.sent, "move vel 8192:") + 3);
  EXPECT_EQ(h.session.pending(), 0U);
}

TEST(ZaberSession, AStopDoesNotWait) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  ASSERT_TRUE(h.session.set_velocity(0, 1e-3, h.now, h));
  const auto old = h.last();
  const auto n = h.sent.size();
  ASSERT_TRUE(h.session.stop_axes(h.now, h));
  ASSERT_EQ(h.sent.size(), n + 1);
  EXPECT_EQ(h.last().words, "stop");
  EXPECT_EQ(h.last().axis, 0);
  // The answer to what was given up is nobody's.
  const auto samples = h.samples.size();
  h.hear(encode_zaber(ZaberMessage{.device = 1, .id = old.id, .data = "9 9 9", .checked = true}).text());
  EXPECT_EQ(h.samples.size(), samples);
  EXPECT_EQ(h.session.pending(), 1U);
  h.answer();
  EXPECT_EQ(h.session.pending(), 0U);
  for (int i = 0; i < 10; ++i) {
    h.obey();
    h.tick();
  }
  EXPECT_EQ(count_of(h.sent, "move vel 1638:"), 0U);
  ASSERT_TRUE(h.session.stop_hard(h.now, h));
  EXPECT_EQ(h.last().words, "estop");
}

TEST(ZaberSession, EveryControllerIsStoppedAtOnce) {
  ZaberSessionConfig c;
  c.axes[2].device = 2;
  c.axes[2].axis = 1;
  Hand h(c);
  h.tick();
  const auto n = h.sent.size();
  ASSERT_TRUE(h.session.stop_axes(h.now, h));
  ASSERT_EQ(h.sent.size(), n + 2);
  EXPECT_EQ(h.sent[n].substr(0, 3), "/1 ");
  EXPECT_EQ(h.sent[n + 1].substr(0, 3), "/2 ");
  EXPECT_EQ(h.session.pending(), 2U);
  h.answer();
  EXPECT_EQ(h.session.pending(), 1U);
  h.tick();
  EXPECT_EQ(h.last().device, 1);
  h.answer();
  EXPECT_EQ(h.session.pending(), 0U);
}

TEST(ZaberSession, ALostAnswerIsCountedAndTheWishSentAgain) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  ASSERT_TRUE(h.session.set_velocity(0, 1e-3, h.now, h));
  h.obey();
  ASSERT_EQ(h.last().words, "move vel 1638");
  const auto id = h.last().id;
  h.tick(milliseconds(31));
  EXPECT_EQ(h.session.lost_answers(), 1U);
  ASSERT_TRUE(h.until("move vel 1638"));
  EXPECT_NE(h.last().id, id);
  EXPECT_EQ(h.session.pending(), 1U);
}

TEST(ZaberSession, AWishThatCannotBeSentIsDropped) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  ASSERT_TRUE(h.session.set_velocity(0, 1e-3, h.now, h));
  for (int i = 0; i < 400; ++i) h.tick();
  const auto lost = h.session.lost_answers();
  h.obey();
  for (int i = 0; i < 10; ++i) {
    h.tick();
    h.obey();
  }
  EXPECT_EQ(h.session.pending(), 0U);
  EXPECT_EQ(h.session.lost_answers(), lost + 1);
}

TEST(ZaberSession, APlaceThatCannotBeIsCheckedFirst) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  h.answer("151000 2000 3000");  // 150 mm within 10 ms
  h.tick();
  EXPECT_NEAR(h.session.axis(0).position_m, 1e-3, 1e-9);
  EXPECT_EQ(h.last().words, "get user.vdata.1");
  h.obey();
  h.tick();
  ASSERT_TRUE(h.until("get pos"));
  h.answer("151000 2000 3000");
  EXPECT_NEAR(h.session.axis(0).position_m, 0.151, 1e-9);
  EXPECT_EQ(h.session.restarts(), 0U);
}

TEST(ZaberSession, AMarkerThatIsGoneTwiceIsARestart) {
  Hand h;
  ASSERT_TRUE(h.get_ready());
  ASSERT_TRUE(h.until("get pos"));
  h.answer("0 0 0", false, kZaberNoReference);
  h.tick();
  ASSERT_EQ(h.last().words, "get user.vdata.1");
  h.answer("0");
  EXPECT_EQ(h.session.restarts(), 0U);
  h.tick();
  ASSERT_EQ(h.last().words, "get user.vdata.1");
  h.answer("0");
  EXPECT_EQ(h.session.restarts(), 1U);
  EXPECT_FALSE(h.session.ready());
  EXPECT_FALSE(h.session.axis(0).homed);
  EXPECT_NEAR(h.session.axis(0).position_m, 1e-3, 1e-9);
}

TEST(ZaberSession, TheCountdownIsSetAnewThreeTimesInItsTime) {
  ZaberSessionConfig c;
  c.host_silence_s = 0.3;
  Hand h(c);
  ASSERT_TRUE(h.get_ready());
  const auto before = count_of(h.sent, "set user.vdata.0 31:");
  for (int i = 0; i < 3000; ++i) {
    h.tick();
    h.obey();
  }
  const auto times = count_of(h.sent, "set user.vdata.0 31:") - before;
  EXPECT_GE(times, 28U);
  EXPECT_LE(times, 31U);
  EXPECT_EQ(count_of(h.sent, "get user.vdata.0:"), 0U);
}

TEST(ZaberSession, WithoutTriggersNoneAreTouched) {
  ZaberSessionConfig c;
  c.host_silence = ZaberHostSilence::kNothing;
  c.axes[1].present = false;
  Hand h(c);
  ASSERT_TRUE(h.get_ready());
  EXPECT_EQ(count_of(h.sent, "trigger"), 0U);
  EXPECT_EQ(count_of(h.sent, "user.vdata.0"), 0U);
  EXPECT_EQ(count_of(h.sent, "/1 2 "), 0U);
  EXPECT_FALSE(h.session.set_velocity(1, 0.01, h.now, h));
  EXPECT_EQ(h.session.axis(1).condition, AxisCondition::kIdle);
}

}  // namespace
}  // namespace strigil::daq
