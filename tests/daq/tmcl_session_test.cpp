// TmclSession alone: which bytes it sends when, and which answers it believes. The module is this test.
#include "daq/codec/tmcl_session.hpp"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "session_recorder.hpp"

namespace strigil::daq {
namespace {

using namespace std::chrono_literals;

TmclSessionConfig config() {
  TmclSessionConfig c;
  c.link = 3;
  c.position_stream = 7;
  c.axes[0].pulses_per_m = 100'000;
  c.axes[1].pulses_per_m = -200'000;
  c.axes[2].pulses_per_m = 400'000;
  c.host_silence_s = 0.4;
  return c;
}

/// Answers by hand, so that each test says what the module does.
struct Desk {
  explicit Desk(const TmclSessionConfig& c = config()) : session(c) {}

  /// The requests sent since the last call.
  std::vector<TmclRequest> requests() {
    std::vector<TmclRequest> all;
    for (; seen < out.sent.size(); ++seen) {
      auto bytes = std::as_bytes(std::span(out.sent[seen]));
      for (; bytes.size() >= kTmclBytes; bytes = bytes.subspan(kTmclBytes)) {
        const auto r = decode_tmcl_request(bytes.first<kTmclBytes>());
        EXPECT_TRUE(r);
        if (r) all.push_back(*r);
      }
      EXPECT_TRUE(bytes.empty());
    }
    return all;
  }
  void hear(std::span<const std::byte> bytes) { session.on_chunk(chunk_of(bytes, now, 3), now, out); }
  void hear(const TmclReply& reply) { hear(encode_tmcl(reply)); }
  void wait(Duration d) {
    now = now + d;
    session.on_time(now, out);
  }
  /// What a sound module says to it.
  TmclReply answer_to(const TmclRequest& r) {
    TmclReply reply{.command = r.command, .value = r.value};
    if (r.command == TmclCommand::kSetGlobal) globals[{r.motor, r.type}] = r.value;
    if (r.command == TmclCommand::kGetGlobal) reply.value = globals[{r.motor, r.type}];
    if (r.command == TmclCommand::kGetAxis) {
      const auto parameter = static_cast<TmclAxis>(r.type);
      reply.value = parameter == TmclAxis::kActualPosition ? pulses[r.motor] : parameter == TmclAxis::kUnitMode ? 1 : 0;
    }
    return reply;
  }
  /// Answers what is outstanding, 1 ms after it was sent. False when nothing is.
  bool answer() {
    const auto all = requests();
    if (all.empty()) return false;
    EXPECT_EQ(all.size(), 1U) << "one request at a time";
    last = all.back();
    now = now + 1ms;
    hear(answer_to(last));
    return true;
  }
  void run(int answers) {
    for (int i = 0; i < answers; ++i) {
      if (!answer()) wait(1ms);
    }
  }
  void get_ready() {
    for (int i = 0; i < 200 && !session.ready(); ++i) {
      if (!answer()) wait(1ms);
    }
    ASSERT_TRUE(session.ready());
  }
  /// Answers until a request is outstanding that `wanted` likes; that one is not answered yet.
  template <typename Wanted>
  TmclRequest until(Wanted wanted) {
    for (int i = 0; i < 400; ++i) {
      const auto all = requests();
      if (all.empty()) {
        wait(1ms);
        continue;
      }
      EXPECT_EQ(all.size(), 1U);
      if (wanted(all.back())) return all.back();
      now = now + 1ms;
      hear(answer_to(all.back()));
    }
    ADD_FAILURE() << "never sent";
    return {};
  }
  TmclRequest until_position_of(std::uint8_t motor) {
    return until([motor](const TmclRequest& r) {
      return r.command == TmclCommand::kGetAxis && r.type == 1 && r.motor == motor;
    });
  }

  HostTime now{5'000'000'000};
  SessionRecorder out;
  TmclSession session;
  std::map<std::pair<int, int>, std::int32_t> globals{{{kTmclModuleBank, kTmclApplicationStatus}, 1}};
  std::array<std::int32_t, 3> pulses{1000, 2000, 3000};
  TmclRequest last;
  std::size_t seen = 0;
};

TEST(TmclSession, ListensBeforeItSpeaks) {
  Desk d;
  d.session.on_time(d.now, d.out);
  d.wait(1ms);
  const std::array noise{std::byte{1}, std::byte{2}};
  d.hear(noise);
  d.wait(5ms);
  const auto before = d.requests();
  d.wait(1ms);
  const auto r = d.requests();
  ASSERT_EQ(before.size() + r.size(), 1U);
  const auto& first = before.empty() ? r.front() : before.front();
  EXPECT_EQ(first.command, TmclCommand::kGetGlobal);
  EXPECT_FALSE(d.session.ready());
}

TEST(TmclSession, SetsTheModuleUpInItsOwnUnits) {
  Desk d;
  std::vector<TmclRequest> all;
  while (!d.session.ready() && all.size() < 100) {
    const auto r = d.requests();
    if (r.empty()) {
      d.wait(1ms);
      continue;
    }
    all.push_back(r.back());
    d.now = d.now + 1ms;
    d.hear(d.answer_to(r.back()));
  }
  ASSERT_TRUE(d.session.ready());
  const auto sent = [&](TmclAxis parameter, std::uint8_t motor, std::int32_t value) {
    return std::count(all.begin(), all.end(),
                      TmclRequest{1, TmclCommand::kSetAxis, static_cast<std::uint8_t>(parameter), motor, value});
  };
  EXPECT_EQ(sent(TmclAxis::kMaxAcceleration, 0, 100'000), 1) << "1 m/s2";
  EXPECT_EQ(sent(TmclAxis::kMaxAcceleration, 1, 200'000), 1);
  EXPECT_EQ(sent(TmclAxis::kMaxSpeed, 2, 40'000), 1) << "0.1 m/s";
  EXPECT_EQ((d.globals[{kTmclUserBank, kTmclMarkerVariable}]), kTmclMarker);
  EXPECT_EQ(d.session.refused(), 0U);
}

TEST(TmclSession, PositionsAreMetresAtTheMiddleOfTheirRequest) {
  Desk d;
  d.get_ready();
  d.run(20);
  d.until_position_of(1);
  const auto sent = d.now;
  d.now = d.now + 4ms;
  d.hear(TmclReply{.command = TmclCommand::kGetAxis, .value = 2004});
  const auto& r = d.session.axis(1);
  EXPECT_DOUBLE_EQ(r.position_m, -0.01002);
  EXPECT_EQ(r.acquired, sent + 2ms);
  EXPECT_EQ(r.received, d.now);
  d.run(4);
  ASSERT_FALSE(d.out.blocks.empty());
  const auto& b = d.out.blocks.back();
  EXPECT_EQ(b.stream, 7);
  EXPECT_EQ(b.channels, kStageAxes);
  EXPECT_EQ(b.counts[0], 10'000);
  EXPECT_EQ(b.counts[2], 7'500);
  EXPECT_EQ(b.t0, d.session.axis(0).acquired) << "when the first axis was read";
  EXPECT_EQ(b.bound, 500us) << "half of that exchange";
  EXPECT_EQ(d.out.blocks.size(), d.out.newest_samples.size());
  EXPECT_EQ(d.session.counts().samples, d.out.blocks.size());
}

TEST(AxisLine, StandsBetweenItsLastTwoReadingsAndNowhereElse) {
  const HostTime began{1'000'000'000};
  AxisLine line;
  line.add(1e-3, began);
  EXPECT_EQ(line.at(began - 1ms), 1e-3) << "one reading is no line";
  line.add(3e-3, began + 10ms);
  EXPECT_NEAR(line.at(began + 4ms), 1.8e-3, 1e-12);
  EXPECT_EQ(line.at(began + 10ms), 3e-3);
  EXPECT_EQ(line.at(began + 20ms), 3e-3) << "nothing is foretold";
  EXPECT_EQ(line.at(began - 1ms), 3e-3);
  line.add(5e-3, began + 10ms + AxisLine::kLongest + 1ns);
  EXPECT_EQ(line.at(began + 20ms), 5e-3) << "it was silent";
  line.forget();
  line.add(7e-3, began + 300ms);
  EXPECT_EQ(line.at(began + 299ms), 7e-3);
}

TEST(TmclSession, VelocityWishesBecomeRorRolAndMst) {
  Desk d;
  d.get_ready();
  const auto motion_of = [&](std::size_t axis, double v) {
    EXPECT_TRUE(d.session.set_velocity(axis, v, d.now, d.out));
    const auto r = d.until([](const TmclRequest& x) {
      return x.command == TmclCommand::kRotateRight || x.command == TmclCommand::kRotateLeft ||
             x.command == TmclCommand::kMotorStop;
    });
    d.now = d.now + 1ms;
    d.hear(d.answer_to(r));
    return r;
  };
  EXPECT_EQ(motion_of(0, 0.05), (TmclRequest{1, TmclCommand::kRotateRight, 0, 0, 5000}));
  EXPECT_EQ(motion_of(1, 0.05), (TmclRequest{1, TmclCommand::kRotateLeft, 0, 1, 10'000})) << "it runs the other way";
  EXPECT_EQ(motion_of(1, -0.05), (TmclRequest{1, TmclCommand::kRotateRight, 0, 1, 10'000}));
  EXPECT_EQ(motion_of(2, 0), (TmclRequest{1, TmclCommand::kMotorStop, 0, 2, 0}));
  EXPECT_EQ(d.session.pending(), 0U);
}

TEST(TmclSession, OnlyTheNewestWishIsSent) {
  Desk d;
  d.get_ready();
  d.until_position_of(0);  // outstanding: wishes wait
  for (int i = 1; i <= 50; ++i) ASSERT_TRUE(d.session.set_velocity(0, i * 0.001, d.now, d.out));
  EXPECT_EQ(d.session.pending(), 1U);
  EXPECT_TRUE(d.requests().empty()) << "one request at a time";
  d.hear(TmclReply{.command = TmclCommand::kGetAxis, .value = 1000});
  const auto r = d.until([](const TmclRequest& x) { return x.command == TmclCommand::kRotateRight; });
  EXPECT_EQ(r.value, 5000);
  // A newer one while that is on its way is sent after it.
  ASSERT_TRUE(d.session.set_velocity(0, 0.01, d.now, d.out));
  d.hear(d.answer_to(r));
  EXPECT_EQ(d.session.pending(), 1U);
  EXPECT_EQ(d.until([](const TmclRequest& x) { return x.command == TmclCommand::kRotateRight; }).value, 1000);
}

TEST(TmclSession, AStopIsNextWhateverWaits) {
  Desk d;
  d.get_ready();
  for (int n = 0; n < 30; ++n) {
    d.run(n % 7);
    for (std::size_t a = 0; a < kStageAxes; ++a) ASSERT_TRUE(d.session.set_velocity(a, 0.05, d.now, d.out));
    auto open = d.requests();
    ASSERT_TRUE(d.session.stop_axes(d.now, d.out));
    if (!open.empty()) d.hear(d.answer_to(open.back()));
    for (std::uint8_t motor = 0; motor < 3; ++motor) {
      ASSERT_TRUE(d.answer());
      EXPECT_EQ(d.last, (TmclRequest{1, TmclCommand::kMotorStop, 0, motor, 0}));
    }
    EXPECT_EQ(d.session.pending(), 0U) << "the wishes are gone";
  }
}

TEST(TmclSession, ARefusedCommandIsCountedAndNotRepeated) {
  Desk d;
  d.get_ready();
  ASSERT_TRUE(d.session.set_velocity(0, 0.05, d.now, d.out));
  auto r = d.until([](const TmclRequest& x) { return x.command == TmclCommand::kRotateRight; });
  d.hear(TmclReply{.status = TmclStatus::kInvalidValue, .command = r.command});
  EXPECT_EQ(d.session.refused(), 1U);
  EXPECT_EQ(d.session.pending(), 0U);
  EXPECT_EQ(d.out.count(EventCode::kStageError), 1U);
  EXPECT_EQ(d.out.events.back().arguments[0], 4);
  d.run(50);
  EXPECT_EQ(d.session.refused(), 1U);
}

TEST(TmclSession, AnAnswerAfterTheTimeOutIsNobodys) {
  Desk d;
  d.get_ready();
  d.run(12);
  d.until_position_of(0);
  const auto reports = d.session.axis(0).reports;
  d.wait(20ms);
  EXPECT_EQ(d.session.lost_answers(), 1U);
  // The step is asked for; then the late answer comes: x's position while y's would be next.
  auto asked = d.requests();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked.back().command, TmclCommand::kGetGlobal);
  d.now = d.now + 1ms;
  d.hear(TmclReply{.command = TmclCommand::kGetAxis, .value = 1001});
  EXPECT_EQ(d.session.axis(0).reports, reports);
  d.hear(d.answer_to(asked.back()));
  EXPECT_TRUE(d.requests().empty()) << "not before the line has been quiet";
  d.wait(5ms);
  EXPECT_TRUE(d.requests().empty());
  d.run(10);
  EXPECT_GT(d.session.axis(0).reports, reports);
  EXPECT_NEAR(d.session.axis(0).position_m, 0.01, 1e-12);
  EXPECT_NEAR(d.session.axis(1).position_m, -0.01, 1e-12);
}

TEST(TmclSession, AnOldAnswerThatLooksLikeTheStepLosesItAgain) {
  Desk d;
  d.get_ready();
  // A marker request times out, the step is asked for by the same command, and the old answer is taken for it.
  const auto marker = d.until([](const TmclRequest& r) { return r.command == TmclCommand::kGetGlobal; });
  d.wait(20ms);
  auto asked = d.requests();
  ASSERT_EQ(asked.size(), 1U);
  ASSERT_EQ(asked.back().command, TmclCommand::kGetGlobal);
  const std::array before{d.session.axis(0).reports, d.session.axis(1).reports, d.session.axis(2).reports};
  d.hear(d.answer_to(marker));
  asked = d.requests();
  ASSERT_EQ(asked.size(), 1U);
  d.hear(d.answer_to(marker));  // that of the second
  EXPECT_TRUE(asked.back().command == TmclCommand::kGetGlobal || d.requests().empty()) << "out of step again";
  d.hear(TmclReply{.command = TmclCommand::kGetAxis, .value = 9999});
  for (std::size_t a = 0; a < kStageAxes; ++a) EXPECT_EQ(d.session.axis(a).reports, before[a]);
}

TEST(TmclSession, AByteTooManyMakesAReplyWorthless) {
  for (const bool at_once : {true, false}) {
    Desk d;
    d.get_ready();
    d.run(12);
    d.until_position_of(2);
    const auto reports = d.session.axis(2).reports;
    const auto rejected = d.session.counts().rejected;
    const auto reply = encode_tmcl(TmclReply{.command = TmclCommand::kGetAxis, .value = 3001});
    std::vector<std::byte> bytes{std::byte{0}};
    bytes.insert(bytes.end(), reply.begin(), reply.end());
    if (at_once) {
      d.hear(bytes);
    } else {
      for (const auto b : bytes) d.hear(std::span(&b, 1));
    }
    EXPECT_EQ(d.session.axis(2).reports, reports);
    EXPECT_EQ(d.session.counts().rejected, rejected + 1);
    EXPECT_GE(d.out.count(EventCode::kDecodeError), 1U);
  }
}

TEST(TmclSession, RepliesMayComeInPieces) {
  Desk d;
  d.get_ready();
  d.run(12);
  for (std::size_t cut = 1; cut < kTmclBytes; ++cut) {
    d.until_position_of(0);
    const auto reports = d.session.axis(0).reports;
    const auto reply =
        encode_tmcl(TmclReply{.command = TmclCommand::kGetAxis, .value = static_cast<std::int32_t>(1000 + cut)});
    d.hear(std::span(reply).first(cut));
    EXPECT_EQ(d.session.axis(0).reports, reports);
    d.now = d.now + 1ms;
    d.hear(std::span(reply).subspan(cut));
    EXPECT_EQ(d.session.axis(0).reports, reports + 1);
  }
}

TEST(TmclSession, BytesLostOnOurSideLoseTheStep) {
  Desk d;
  d.get_ready();
  d.run(12);
  d.until_position_of(0);
  const auto reports = d.session.axis(0).reports;
  auto chunk = chunk_of(encode_tmcl(TmclReply{.command = TmclCommand::kGetAxis, .value = 1001}), d.now, 3);
  chunk.refused_before = 1;
  d.session.on_chunk(chunk, d.now, d.out);
  EXPECT_EQ(d.session.axis(0).reports, reports);
}

TEST(TmclSession, APlaceThatCannotBeIsAskedForAgain) {
  Desk d;
  d.get_ready();
  d.run(12);
  d.until_position_of(0);
  const auto reports = d.session.axis(0).reports;
  d.hear(TmclReply{.command = TmclCommand::kGetAxis, .value = 500'000});  // 5 m away
  EXPECT_EQ(d.session.axis(0).reports, reports);
  auto next = d.requests();
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next.back().type, kTmclMarkerVariable) << "has it been reset?";
  d.hear(d.answer_to(next.back()));
  d.run(10);
  EXPECT_NEAR(d.session.axis(0).position_m, 0.01, 1e-12);
  EXPECT_EQ(d.session.restarts(), 0U);
  // When it stays there, and there was no reset, then so it is: a reference search puts the zero elsewhere.
  d.pulses[0] = 500'000;
  d.run(40);
  EXPECT_NEAR(d.session.axis(0).position_m, 5, 1e-12);
}

TEST(TmclSession, AMarkerThatIsGoneIsARestart) {
  Desk d;
  d.get_ready();
  ASSERT_TRUE(d.session.set_velocity(0, 0.05, d.now, d.out));
  d.globals[{kTmclUserBank, kTmclMarkerVariable}] = 0;
  for (int i = 0; i < 300 && d.session.restarts() == 0; ++i) {
    if (!d.answer()) d.wait(1ms);
  }
  EXPECT_EQ(d.session.restarts(), 1U);
  EXPECT_FALSE(d.session.ready());
  EXPECT_EQ(d.session.axis(0).condition, AxisCondition::kUnknown);
  EXPECT_FALSE(d.session.set_velocity(0, 0.05, d.now, d.out));
  const auto blocks = d.out.blocks.size();
  d.get_ready();
  ASSERT_GT(d.out.blocks.size(), blocks);
  EXPECT_NE(d.out.blocks[blocks].flags & kDeviceReset, 0U);
  EXPECT_EQ(d.session.restarts(), 1U);
}

TEST(TmclSession, HeartbeatsComeFourTimesInTheSilenceThatIsAllowed) {
  Desk d;
  d.get_ready();
  HostTime last = d.now;
  Duration longest{};
  int beats = 0;
  for (int i = 0; i < 3000; ++i) {
    for (std::size_t a = 0; a < kStageAxes; ++a) (void)d.session.set_velocity(a, 0.001 * (i % 50), d.now, d.out);
    if (!d.answer()) {
      d.wait(1ms);
      continue;
    }
    if (d.last.command != TmclCommand::kSetGlobal || d.last.type != kTmclHeartbeatVariable) continue;
    EXPECT_EQ(d.last.value, 40) << "ticks of 10 ms";
    longest = std::max(longest, d.now - last);
    last = d.now;
    ++beats;
  }
  EXPECT_GE(beats, 25);
  EXPECT_LT(longest, 110ms);
}

TEST(TmclSession, NothingOfAnUnreadyModuleIsTaken) {
  Desk d;
  EXPECT_FALSE(d.session.set_velocity(0, 0.05, d.now, d.out));
  EXPECT_FALSE(d.session.move_to(0, 0.05, 0.01, d.now, d.out));
  EXPECT_FALSE(d.session.home(0, d.now, d.out));
  EXPECT_FALSE(d.session.clear_faults(d.now, d.out));
  EXPECT_TRUE(d.requests().empty());
  EXPECT_TRUE(d.session.stop_axes(d.now, d.out)) << "a stop is";
  EXPECT_EQ(d.requests().size(), 3U);
}

TEST(TmclSession, WrongOrUnknownUnitsAreRefused) {
  for (const int what : {0, 1, 2}) {
    auto c = config();
    c.unit_parameter = what != 2;
    Desk d(c);
    for (int i = 0; i < 100; ++i) {
      const auto all = d.requests();
      d.now = d.now + 1ms;
      if (all.empty()) {
        d.wait(1ms);
        continue;
      }
      auto reply = d.answer_to(all.back());
      if (all.back().command == TmclCommand::kGetAxis && all.back().type == 255) {
        reply.value = 0;
        if (what != 0) reply.status = TmclStatus::kWrongType;
      }
      d.hear(reply);
    }
    EXPECT_EQ(d.session.ready(), what == 2) << "the bench says that it knows nothing else";
    EXPECT_EQ(d.out.count(EventCode::kStageError) > 0, what != 2);
  }
}

}  // namespace
}  // namespace strigil::daq
