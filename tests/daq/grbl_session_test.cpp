// The host's side of a Grbl stage against a script: handshake, pairing of answers, counting, stops, restarts.
#include "daq/codec/grbl_session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace strigil::daq {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSettings =
    "$13=0\r\n$20=1\r\n$110=12000.000\r\n$111=12000.000\r\n$112=6000.000\r\n$120=1000.000\r\n$121=1000.000\r\n"
    "$122=500.000\r\n$130=200.000\r\n$131=100.000\r\n$132=80.000\r\nok\r\n";
constexpr std::string_view kIdle = "<Idle|MPos:1.000,2.000,-3.000|Bf:15,128|FS:0,0>\r\n";
constexpr std::string_view kCancel = "\x85";

/// Everything a session makes, in words.
class Recorder final : public SessionOutput {
 public:
  void newest(const NewestSample& s) noexcept override { newest_samples.push_back(s); }
  void block(const Block& b) noexcept override { blocks.push_back(b); }
  void event(const Event& e) noexcept override { events.push_back(e); }
  bool send(std::span<const std::byte> bytes) noexcept override {
    if (!link_takes) return false;
    sent.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }
  [[nodiscard]] std::size_t count(EventCode code) const {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](auto& e) { return e.code == code; }));
  }
  [[nodiscard]] std::size_t sent_count(std::string_view text) const {
    return static_cast<std::size_t>(std::count(sent.begin(), sent.end(), text));
  }
  std::vector<NewestSample> newest_samples;
  std::vector<Block> blocks;
  std::vector<Event> events;
  std::vector<std::string> sent;
  bool link_takes = true;
};

struct Host {
  GrblSession session{{.link = 3, .position_stream = 7, .status_rate_Hz = 20, .answer_timeout = 500ms}};
  Recorder out;
  HostTime now{1'000'000'000};

  void hear(std::string_view text) {
    while (!text.empty()) {
      Chunk chunk;
      chunk.received = now;
      chunk.link = 3;
      chunk.size = static_cast<std::uint16_t>(std::min(text.size(), kChunkCapacity));
      std::copy_n(std::as_bytes(std::span(text)).begin(), chunk.size, chunk.bytes.begin());
      session.on_chunk(chunk, now, out);
      text.remove_prefix(chunk.size);
    }
  }
  void pass(Duration d) {
    now = now + d;
    session.on_time(now, out);
  }
  void shake_hands() {
    pass(0ms);
    hear(kIdle);
    pass(1ms);
    hear(kSettings);
    ASSERT_TRUE(session.ready());
    out = {};
  }
  bool jog(double x_mm = 10) { return session.queue_jog({{x_mm, 0, 0}, 600}, now, out); }
};

TEST(GrblSession, ShakesHandsWithAStageThatDoesNotReset) {
  Host h;
  h.pass(0ms);
  EXPECT_EQ(h.out.sent, std::vector<std::string>{"?"});
  h.hear(kIdle);
  EXPECT_FALSE(h.session.ready()) << "settings are still unknown";
  h.pass(1ms);
  EXPECT_EQ(h.out.sent.back(), "$$\n");
  h.hear(kSettings);
  EXPECT_TRUE(h.session.ready());
  EXPECT_EQ(h.session.outstanding_lines(), 0U);
  EXPECT_TRUE(h.session.settings().soft_limits);
  EXPECT_FALSE(h.session.settings().reports_inches);
  EXPECT_EQ(h.session.settings().max_rate_mm_min, (std::array<double, 3>{12000, 12000, 6000}));
  EXPECT_EQ(h.session.settings().acceleration_mm_s2, (std::array<double, 3>{1000, 1000, 500}));
  EXPECT_EQ(h.session.settings().max_travel_mm, (std::array<double, 3>{200, 100, 80}));
}

TEST(GrblSession, ShakesHandsWithAStageThatResetsWhenThePortOpens) {
  Host h;
  h.pass(0ms);  // the poll is lost in the boot loader
  h.pass(100ms);
  h.hear("\r\nGrbl 1.1h ['$' for help]\r\n");
  EXPECT_EQ(h.out.events.front().severity, Severity::kInfo) << "a first greeting is no fault";
  h.pass(1ms);
  EXPECT_EQ(h.out.sent_count("?"), 2U) << "the greeting says that the first one will not be answered";
}

TEST(GrblSession, AStrayOkFromBeforeDoesNotCompleteTheSettings) {
  Host h;
  h.pass(0ms);
  h.hear(kIdle);
  h.pass(1ms);
  h.hear("ok\r\n");
  EXPECT_FALSE(h.session.ready());
  h.hear(kSettings);
  h.pass(600ms);
  EXPECT_EQ(h.out.sent_count("$$\n"), 2U);
  h.hear(kSettings);
  EXPECT_TRUE(h.session.ready());
}

TEST(GrblSession, SettingsThatLoseALineAreAskedForAgain) {
  Host h;
  h.pass(0ms);
  h.hear(kIdle);
  h.pass(1ms);
  h.hear("$13=0\r\n$20=1\r\n$110=12#00.000\r\nok\r\n");
  EXPECT_FALSE(h.session.ready());
  h.pass(600ms);
  h.hear(kSettings);
  EXPECT_TRUE(h.session.ready());
}

TEST(GrblSession, InchesAreKnownAndJogsThenRefused) {
  Host h;
  h.pass(0ms);
  h.hear(kIdle);
  h.pass(1ms);
  std::string settings(kSettings);
  settings[4] = '1';
  h.hear(settings);
  EXPECT_TRUE(h.session.settings().reports_inches);
  EXPECT_FALSE(h.jog());
}

TEST(GrblSession, JogsBeforeTheSettingsAreRefused) {
  Host h;
  EXPECT_FALSE(h.jog());
  EXPECT_TRUE(h.out.sent.empty());
}

TEST(GrblSession, PollsAtItsRateAndNeverTwiceWithoutAnAnswer) {
  Host h;
  h.shake_hands();
  for (int ms = 0; ms < 2000; ++ms) {
    h.pass(1ms);
    if (!h.out.sent.empty() && h.out.sent.back() == "?") {
      h.hear(kIdle);
      h.out.sent.back() = "answered";
    }
  }
  EXPECT_NEAR(static_cast<double>(h.out.sent_count("answered")), 40, 1);
  h.out = {};
  for (int ms = 0; ms < 2000; ++ms) h.pass(1ms);
  EXPECT_LE(h.out.sent_count("?"), 4U) << "silence: one for each time-out";
  EXPECT_GE(h.out.sent_count("?"), 3U);
}

TEST(GrblSession, EachReportIsOneSampleInMicrometres) {
  Host h;
  h.shake_hands();
  h.now = h.now + 5ms;
  h.hear("<Jog|MPos:1.234,-5.678,-80.001|FS:600,0>\r\n");
  ASSERT_EQ(h.out.blocks.size(), 1U);
  const auto& b = h.out.blocks[0];
  EXPECT_EQ(b.stream, 7);
  EXPECT_EQ(b.channels, 3);
  EXPECT_EQ(b.samples, 1);
  EXPECT_EQ(b.flags, kReceiveTimed);
  EXPECT_EQ(b.first_sample, 1U) << "the handshake's report was sample 0";
  EXPECT_EQ(b.received, h.now);
  EXPECT_GT(b.bound, Duration::zero());
  EXPECT_EQ(b.t0, h.now - b.bound) << "half way between question and answer";
  EXPECT_EQ((std::array{b.counts[0], b.counts[1], b.counts[2]}), (std::array{1234, -5678, -80001}));
  ASSERT_EQ(h.out.newest_samples.size(), 1U);
  EXPECT_EQ(h.out.newest_samples[0].counts[2], -80001);
  EXPECT_DOUBLE_EQ(h.session.position_m()[2], -0.080001);
  EXPECT_EQ(h.session.position_received(), h.now);
  EXPECT_EQ(h.session.state(), GrblState::kJog);
  EXPECT_EQ(h.session.description().channels.size(), 3U);
  EXPECT_DOUBLE_EQ(h.session.description().channels[0].scale, 1e-6);
}

TEST(GrblSession, WorkPositionsWaitForTheirOffset) {
  Host h;
  h.hear("<Idle|WPos:1.000,1.000,1.000|FS:0,0>\r\n");
  EXPECT_TRUE(h.out.blocks.empty()) << "without the offset it says nothing";
  h.hear("<Idle|WPos:1.000,1.000,1.000|FS:0,0|WCO:10.000,20.000,-30.000>\r\n");
  h.hear("<Idle|WPos:2.000,1.000,1.000|FS:0,0>\r\n");
  ASSERT_EQ(h.out.blocks.size(), 2U);
  EXPECT_EQ(h.out.blocks[0].counts[0], 11000);
  EXPECT_EQ(h.out.blocks[1].counts[0], 12000);
  EXPECT_EQ(h.out.blocks[1].counts[2], -29000);
}

TEST(GrblSession, CountsCharactersAndPairsAnswersInOrder) {
  Host h;
  h.shake_hands();
  int queued = 0;
  while (h.jog(10 + queued)) ++queued;
  EXPECT_EQ(queued, 3) << "35 bytes each into 128";
  EXPECT_EQ(h.session.queued_jogs(), 3U);
  EXPECT_LE(h.session.outstanding_bytes(), kGrblRxBuffer);
  h.pass(100ms);
  EXPECT_EQ(h.out.sent.back(), "?") << "real-time commands do not count";
  h.hear("ok\r\nerror:15\r\n");
  EXPECT_EQ(h.session.acknowledged_jogs(), 1U);
  EXPECT_EQ(h.session.refused_jogs(), 1U);
  EXPECT_EQ(h.session.last_error(), 15);
  EXPECT_EQ(h.session.queued_jogs(), 1U);
  EXPECT_TRUE(h.jog());
  EXPECT_TRUE(h.jog());
  EXPECT_FALSE(h.jog());
  const auto error =
      std::find_if(h.out.events.begin(), h.out.events.end(), [](auto& e) { return e.code == EventCode::kStageError; });
  ASSERT_NE(error, h.out.events.end());
  EXPECT_EQ(error->arguments[0], 15);
  EXPECT_EQ(error->source, 3);
  EXPECT_NE(std::string_view(error->detail.data()).find("travel"), std::string_view::npos);
}

TEST(GrblSession, AJogThatTheLinkDoesNotTakeIsNotOutstanding) {
  Host h;
  h.shake_hands();
  h.out.link_takes = false;
  EXPECT_FALSE(h.jog());
  EXPECT_EQ(h.session.outstanding_lines(), 0U);
  EXPECT_EQ(h.session.outstanding_bytes(), 0U);
}

TEST(GrblSession, CancelIsRepeatedForEveryJogThatGrblTakesAfterIt) {
  Host h;
  h.shake_hands();
  h.hear("<Jog|MPos:0.000,0.000,0.000|FS:0,0>\r\n");
  ASSERT_TRUE(h.jog() && h.jog());
  EXPECT_TRUE(h.session.cancel_jog(h.out));
  EXPECT_EQ(h.out.sent_count(kCancel), 1U);
  h.hear("ok\r\n");
  EXPECT_EQ(h.out.sent_count(kCancel), 2U);
  h.out.link_takes = false;
  h.hear("ok\r\n");
  h.out.link_takes = true;
  EXPECT_EQ(h.out.sent_count(kCancel), 2U);
  h.pass(1ms);
  EXPECT_EQ(h.out.sent_count(kCancel), 3U) << "what the link did not take is sent at the next tick";
  ASSERT_TRUE(h.jog());
  h.hear("ok\r\n");
  EXPECT_EQ(h.out.sent_count(kCancel), 3U) << "a jog of after the cancel is left alone";
}

TEST(GrblSession, StopCancelsAlsoAJogThatNoReportHasToldOf) {
  Host h;
  h.shake_hands();
  ASSERT_TRUE(h.jog());
  h.session.stop(h.now, h.out);
  EXPECT_EQ(h.out.sent_count(kCancel), 1U);
}

TEST(GrblSession, RealtimeCommandsAndLinesGoOutAsGrblWantsThem) {
  Host h;
  h.shake_hands();
  EXPECT_TRUE(h.session.feed_hold(h.out) && h.session.resume(h.out) && h.session.soft_reset(h.out));
  EXPECT_TRUE(h.session.unlock(h.now, h.out) && h.session.home(h.now, h.out));
  EXPECT_EQ(h.out.sent, (std::vector<std::string>{"!", "~", "\x18", "$X\n", "$H\n"}));
  EXPECT_EQ(h.session.outstanding_lines(), 2U);
  EXPECT_EQ(h.session.outstanding_bytes(), 6U);
  EXPECT_EQ(h.session.queued_jogs(), 0U);
}

TEST(GrblSession, AGreetingInMidRunIsARestart) {
  Host h;
  h.shake_hands();
  ASSERT_TRUE(h.jog() && h.jog());
  h.hear("\r\nGrbl 1.1h ['$' for help]\r\n");
  EXPECT_EQ(h.session.outstanding_lines(), 0U);
  EXPECT_EQ(h.session.outstanding_bytes(), 0U);
  EXPECT_EQ(h.session.queued_jogs(), 0U);
  EXPECT_EQ(h.session.restarts(), 1U);
  EXPECT_FALSE(h.session.ready());
  EXPECT_FALSE(h.jog());
  ASSERT_EQ(h.out.count(EventCode::kStageGreeting), 1U);
  EXPECT_EQ(h.out.events[0].severity, Severity::kFault);
  EXPECT_EQ(h.session.state(), GrblState::kUnknown);
  h.pass(100ms);
  h.hear(kIdle);
  h.hear(kIdle);
  ASSERT_EQ(h.out.blocks.size(), 2U);
  EXPECT_EQ(h.out.blocks[0].flags, kReceiveTimed | kDeviceReset);
  EXPECT_EQ(h.out.blocks[1].flags, kReceiveTimed);
  h.pass(1ms);
  h.hear(kSettings);
  EXPECT_TRUE(h.session.ready());
  EXPECT_TRUE(h.jog());
}

TEST(GrblSession, AlarmsBecomeFaultsInWords) {
  Host h;
  h.shake_hands();
  ASSERT_TRUE(h.jog());
  h.hear("ALARM:1\r\n[MSG:Reset to continue]\r\n");
  EXPECT_EQ(h.session.state(), GrblState::kAlarm);
  EXPECT_EQ(h.session.last_alarm(), 1);
  EXPECT_EQ(h.session.outstanding_lines(), 1U) << "Grbl still holds it";
  ASSERT_EQ(h.out.count(EventCode::kStageAlarm), 1U);
  EXPECT_EQ(h.out.events[0].severity, Severity::kFault);
  EXPECT_NE(std::string_view(h.out.events[0].detail.data()).find("hard limit"), std::string_view::npos);
  EXPECT_EQ(h.out.count(EventCode::kStageState), 1U);
  ASSERT_EQ(h.out.count(EventCode::kStageMessage), 1U);
  EXPECT_STREQ(h.out.events.back().detail.data(), "Reset to continue");
}

TEST(GrblSession, AnswersLostOnTheWireAreGivenUpOnlyWhenIdle) {
  Host h;
  h.shake_hands();
  ASSERT_TRUE(h.jog() && h.jog());
  h.hear("o#k\r\nok\r\n");  // one of the two is damaged
  EXPECT_EQ(h.session.outstanding_lines(), 1U);
  EXPECT_EQ(h.session.counts().rejected, 1U);
  EXPECT_EQ(h.out.count(EventCode::kDecodeError), 1U);
  h.pass(2s);
  h.hear("<Jog|MPos:1.000,2.000,-3.000|FS:600,0>\r\n");
  EXPECT_EQ(h.session.outstanding_lines(), 1U) << "while it moves a line may wait for the planner";
  h.hear(kIdle);
  EXPECT_EQ(h.session.outstanding_lines(), 0U);
  EXPECT_EQ(h.session.lost_answers(), 1U);
  EXPECT_EQ(h.out.count(EventCode::kNoAnswer), 1U);
  ASSERT_TRUE(h.jog());
  h.hear(kIdle);
  EXPECT_EQ(h.session.outstanding_lines(), 1U) << "just sent: not lost yet";
}

/// All that came out, in one text.
std::string told(const Recorder& out) {
  std::string text;
  for (const auto& e : out.events) {
    text += std::string(name_of(e.code)) + ' ' + std::to_string(e.arguments[0]) + ' ' + e.detail.data() + '\n';
  }
  for (const auto& b : out.blocks) {
    text += std::to_string(b.first_sample) + ' ' + std::to_string(b.flags) + ' ' + std::to_string(b.counts[0]) + '\n';
  }
  for (const auto& s : out.sent) text += s + '\n';
  return text;
}

TEST(GrblSession, SameOutputsForAThousandRandomSplittings) {
  const std::string wire =
      std::string("\r\nGrbl 1.1h ['$' for help]\r\n") + std::string(kIdle) + std::string(kSettings) +
      "ok\r\n<Jog|MPos:1.500,0.000,0.000|FS:600,0>\r\nerror:15\r\n<Idle|MPos:2.000,0.0x0,0.000>\r\n" +
      std::string(300, 'q') + "\r\n[MSG:Caution: Unlocked]\r\nALARM:3\r\n\r\nGrbl 1.1h ['$' for help]\r\n" +
      "<Alarm|WPos:1.000,1.000,1.000|WCO:1.000,1.000,1.000>\r\n";
  std::mt19937 random(3);
  const auto play = [&](std::size_t longest) {
    Host h;
    for (std::string_view left = wire; !left.empty();) {
      const auto n = std::min<std::size_t>(left.size(), longest == 0 ? left.size() : 1 + random() % longest);
      h.hear(left.substr(0, n));
      left.remove_prefix(n);
    }
    EXPECT_EQ(h.session.counts().bytes, wire.size());
    // Reports of rejected lines are gathered for each chunk, so only their sum is the same.
    std::erase_if(h.out.events, [](auto& e) { return e.code == EventCode::kDecodeError; });
    return told(h.out) + std::to_string(h.session.counts().rejected) + ' ' + std::to_string(h.session.counts().records);
  };
  const auto whole = play(0);
  EXPECT_NE(whole.find("stage_alarm"), std::string::npos);
  for (int n = 0; n < 1000; ++n) ASSERT_EQ(play(1 + random() % 80), whole);
}

TEST(GrblSession, SurvivesRandomBytesAndThenWorks) {
  std::mt19937 random(4);
  constexpr std::array<std::string_view, 9> kPieces{"ok\r\n",      "error:9\n",   "ALARM:1\r\n",
                                                    "<Idle|MPos:", "1.0,2.0,3.0", ">\r\n",
                                                    "$110=",       "\n",          "Grbl 1.1h ['$' for help]\r\n"};
  Host h;
  for (int n = 0; n < 20000; ++n) {
    if (random() % 2 == 0) {
      h.hear(kPieces[random() % kPieces.size()]);
    } else {
      std::string noise(random() % 64, '\0');
      for (auto& c : noise) c = static_cast<char>(random());
      h.hear(noise);
    }
    h.pass(std::chrono::milliseconds(random() % 30));
    (void)h.jog();
    ASSERT_LE(h.session.outstanding_bytes(), kGrblRxBuffer);
    ASSERT_LE(h.session.queued_jogs(), h.session.outstanding_lines());
  }
  EXPECT_GT(h.session.counts().rejected, 0U);
  h.hear("\r\nGrbl 1.1h ['$' for help]\r\n");
  h.pass(1s);
  h.hear(kIdle);
  h.pass(1s);
  h.hear(kSettings);
  EXPECT_TRUE(h.session.ready());
  EXPECT_TRUE(h.jog());
}

}  // namespace
}  // namespace strigil::daq
