// The TMCL module's double: what it answers, how it moves, and the host's session against it over a serial line.
#include "sim/tmcl_twin.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/sim/tmcl_bench.hpp"

namespace strigil::sim {
namespace {

using namespace std::chrono_literals;
using daq::AxisCondition;
using daq::TmclAxis;
using daq::TmclCommand;
using daq::TmclStatus;

constexpr daq::HostTime kStart{1'000'000'000};

// --- twin alone ------------------------------------------------------------------------------------------------------

class Replies final : public TwinOutput {
 public:
  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte> all;
};

struct Bare {
  explicit Bare(TmclTwinConfig config = {}) : twin(at_once(config), kStart) {}
  static TmclTwinConfig at_once(TmclTwinConfig config) {
    config.answer_latency = 0ms;
    return config;
  }
  TmclTwin twin;
  Replies out;
  daq::HostTime now = kStart;

  void pass(daq::Duration d) {
    for (const auto end = now + d; now < end;) {
      now = now + 1ms;
      twin.step(now, {}, out);
    }
  }
  daq::TmclReply ask(const daq::TmclRequest& request) {
    out.all.clear();
    twin.receive(daq::encode_tmcl(request), now, out);
    EXPECT_EQ(out.all.size(), daq::kTmclBytes);
    if (out.all.size() != daq::kTmclBytes) return {};
    const auto reply = daq::decode_tmcl_reply(std::span(out.all).first<daq::kTmclBytes>());
    EXPECT_TRUE(reply);
    return reply.value_or(daq::TmclReply{});
  }
  daq::TmclReply ask(TmclCommand command, std::uint8_t type, std::uint8_t motor, std::int32_t value = 0) {
    return ask({1, command, type, motor, value});
  }
  std::int32_t get(TmclAxis parameter, std::uint8_t motor) {
    return ask(TmclCommand::kGetAxis, static_cast<std::uint8_t>(parameter), motor).value;
  }
  TmclStatus set(TmclAxis parameter, std::uint8_t motor, std::int32_t value) {
    return ask(TmclCommand::kSetAxis, static_cast<std::uint8_t>(parameter), motor, value).status;
  }
};

TEST(TmclTwin, MovesAsItIsTold) {
  Bare b;
  EXPECT_EQ(b.ask(TmclCommand::kRotateRight, 0, 0, 50'000).status, TmclStatus::kOk);
  b.pass(100ms);
  EXPECT_EQ(b.get(TmclAxis::kActualSpeed, 0), 50'000);
  EXPECT_EQ(b.get(TmclAxis::kTargetSpeed, 0), 50'000);
  EXPECT_EQ(b.get(TmclAxis::kActualPosition, 0), 3750) << "1.25 mm of ramp at 1 m/s2, 50 ms at speed";
  b.ask(TmclCommand::kMotorStop, 0, 0);
  b.pass(50ms);
  EXPECT_EQ(b.get(TmclAxis::kActualSpeed, 0), 0);
  EXPECT_EQ(b.get(TmclAxis::kActualPosition, 0), 5000);
  b.set(TmclAxis::kMaxSpeed, 0, 10'000);
  b.ask(TmclCommand::kMoveTo, daq::kTmclAbsolute, 0, 1000);
  b.pass(200ms);
  EXPECT_EQ(b.get(TmclAxis::kActualSpeed, 0), -10'000);
  EXPECT_EQ(b.get(TmclAxis::kPositionReached, 0), 0);
  b.pass(1s);
  EXPECT_EQ(b.get(TmclAxis::kActualPosition, 0), 1000);
  EXPECT_EQ(b.get(TmclAxis::kPositionReached, 0), 1);
  EXPECT_EQ(b.twin.position_m()[1], 0) << "the others stand";
}

TEST(TmclTwin, RefusesWithTmclsNumbers) {
  Bare b;
  EXPECT_EQ(b.ask(static_cast<TmclCommand>(200), 0, 0).status, TmclStatus::kInvalidCommand);
  EXPECT_EQ(b.ask(TmclCommand::kGetAxis, 77, 0).status, TmclStatus::kWrongType);
  EXPECT_EQ(b.ask(TmclCommand::kRotateRight, 0, 3, 1).status, TmclStatus::kInvalidValue) << "no such motor";
  EXPECT_EQ(b.ask(TmclCommand::kRotateRight, 0, 0, 8'000'000).status, TmclStatus::kInvalidValue);
  EXPECT_EQ(b.set(TmclAxis::kMaxSpeed, 0, 0), TmclStatus::kInvalidValue);
  EXPECT_EQ(b.ask(TmclCommand::kMoveTo, 1, 0).status, TmclStatus::kWrongType);
  EXPECT_EQ(b.ask(TmclCommand::kGetVersion, 1, 0).value >> 16, 6214);
  auto damaged = daq::encode_tmcl({1, TmclCommand::kRotateRight, 0, 0, 50'000});
  damaged[7] ^= std::byte{1};
  b.out.all.clear();
  b.twin.receive(damaged, b.now, b.out);
  ASSERT_EQ(b.out.all.size(), daq::kTmclBytes);
  EXPECT_EQ(b.out.all[2], std::byte{1}) << "wrong checksum";
  EXPECT_EQ(b.get(TmclAxis::kTargetSpeed, 0), 0);
  b.out.all.clear();
  b.twin.receive(daq::encode_tmcl({2, TmclCommand::kRotateRight, 0, 0, 50'000}), b.now, b.out);
  EXPECT_TRUE(b.out.all.empty()) << "another module's";
}

TEST(TmclTwin, HalfARequestIsForgotten) {
  Bare b;
  const auto request = daq::encode_tmcl({1, TmclCommand::kGetAxis, 1, 0, 0});
  b.twin.receive(std::span(request).first(4), b.now, b.out);
  b.pass(4ms);
  b.twin.receive(std::span(request).subspan(4), b.now, b.out);
  EXPECT_EQ(b.out.all.size(), daq::kTmclBytes);
  b.twin.receive(std::span(request).first(4), b.now, b.out);
  b.pass(5ms);
  EXPECT_EQ(b.ask({1, TmclCommand::kGetAxis, 1, 0, 0}).status, TmclStatus::kOk);
}

TEST(TmclTwin, LimitSwitchesStopTheMotorAndLetItBack) {
  Bare b;
  b.ask(TmclCommand::kRotateRight, 0, 1, 90'000);
  b.pass(3s);
  EXPECT_EQ(b.twin.position_m()[1], 0.1);
  EXPECT_EQ(b.get(TmclAxis::kActualSpeed, 1), 0);
  EXPECT_EQ(b.get(TmclAxis::kRightLimit, 1), 1);
  EXPECT_EQ(b.get(TmclAxis::kLeftLimit, 1), 0);
  b.ask(TmclCommand::kRotateLeft, 0, 1, 90'000);
  b.pass(500ms);
  EXPECT_LT(b.twin.position_m()[1], 0.07);
  EXPECT_EQ(b.get(TmclAxis::kRightLimit, 1), 0);
}

TEST(TmclTwin, AReferenceSearchFindsTheLeftSwitch) {
  TmclTwinConfig config;
  config.start_m = {0.05, 0.02, -0.03};
  Bare b(config);
  EXPECT_EQ(b.get(TmclAxis::kActualPosition, 2), 0) << "it counts from where it woke";
  b.ask(TmclCommand::kReference, daq::kTmclReferenceStart, 2);
  b.pass(100ms);
  EXPECT_NE(b.ask(TmclCommand::kReference, daq::kTmclReferenceStatus, 2).value, 0);
  b.ask(TmclCommand::kMotorStop, 0, 2);
  b.pass(100ms);
  EXPECT_TRUE(b.twin.searching(2)) << "MST is not enough";
  b.pass(4s);
  EXPECT_EQ(b.ask(TmclCommand::kReference, daq::kTmclReferenceStatus, 2).value, 0);
  EXPECT_EQ(b.get(TmclAxis::kActualPosition, 2), 0);
  EXPECT_EQ(b.twin.position_m()[2], 0) << "z's is at the top";
  EXPECT_EQ(b.get(TmclAxis::kLeftLimit, 2), 1);
  b.ask(TmclCommand::kReference, daq::kTmclReferenceStart, 0);
  b.pass(100ms);
  b.ask(TmclCommand::kReference, daq::kTmclReferenceStop, 0);
  b.pass(200ms);
  EXPECT_EQ(b.ask(TmclCommand::kReference, daq::kTmclReferenceStatus, 0).value, 0);
  EXPECT_GT(b.twin.position_m()[0], 0.04);
  EXPECT_TRUE(b.twin.motion(0).at_rest());
}

TEST(TmclTwin, ErrorFlagsAreClearedByReading) {
  Bare b;
  b.ask(TmclCommand::kRotateRight, 0, 0, 50'000);
  b.pass(100ms);
  b.twin.stall(0);
  EXPECT_TRUE(b.twin.motion(0).at_rest());
  EXPECT_EQ(b.get(TmclAxis::kErrorFlags, 0), 1);
  EXPECT_EQ(b.get(TmclAxis::kErrorFlags, 0), 0);
}

TEST(TmclTwin, AResetForgetsPlaceParametersAndVolatileVariables) {
  Bare b;
  b.ask(TmclCommand::kSetGlobal, 55, daq::kTmclUserBank, 7);
  b.ask(TmclCommand::kSetGlobal, 56, daq::kTmclUserBank, 8);
  b.set(TmclAxis::kMaxSpeed, 0, 123);
  b.ask(TmclCommand::kRotateRight, 0, 0, 50'000);
  b.pass(1s);
  const double there = b.twin.position_m()[0];
  b.twin.reboot();
  b.pass(1s);
  EXPECT_EQ(b.twin.position_m()[0], there);
  EXPECT_EQ(b.get(TmclAxis::kActualPosition, 0), 0);
  EXPECT_EQ(b.get(TmclAxis::kMaxSpeed, 0), 100'000);
  EXPECT_EQ(b.ask(TmclCommand::kGetGlobal, 55, daq::kTmclUserBank).value, 7);
  EXPECT_EQ(b.ask(TmclCommand::kGetGlobal, 56, daq::kTmclUserBank).value, 0);
}

TEST(TmclTwin, TheProgramStopsAndLiftsWhenTheHeartbeatEnds) {
  TmclTwinConfig config;
  config.start_m[2] = -0.05;
  Bare b(config);
  b.ask(TmclCommand::kRotateRight, 0, 0, 50'000);
  b.ask(TmclCommand::kRotateRight, 0, 2, 10'000);  // down
  b.pass(1s);
  EXPECT_GT(b.twin.motion(0).velocity_m_s(), 0.049) << "not armed before the first heartbeat";
  for (int i = 0; i < 10; ++i) {
    b.ask(TmclCommand::kSetGlobal, daq::kTmclHeartbeatVariable, daq::kTmclUserBank, 20);
    b.pass(100ms);
  }
  EXPECT_EQ(b.twin.silences(), 0U);
  const double z = b.twin.position_m()[2];
  b.pass(120ms);
  EXPECT_EQ(b.twin.silences(), 1U);
  b.pass(3s);
  EXPECT_TRUE(b.twin.motion(0).at_rest());
  EXPECT_TRUE(b.twin.motion(2).at_rest());
  EXPECT_NEAR(b.twin.position_m()[2], z + 0.02, 0.0015) << "it went on down for 0.1 s and a ramp";
  EXPECT_EQ(b.ask(TmclCommand::kGetGlobal, daq::kTmclMarkerVariable, daq::kTmclUserBank).value,
            daq::kTmclMarkerStopped);
}

TEST(TmclTwin, TheSerialHeartbeatOfTheFirmwareStops) {
  TmclTwinConfig config;
  config.watchdog_program = false;
  Bare b(config);
  b.ask(TmclCommand::kRotateRight, 0, 0, 50'000);
  EXPECT_EQ(b.ask(TmclCommand::kSetGlobal, daq::kTmclSerialHeartbeat, 0, 200).status, TmclStatus::kOk);
  for (int i = 0; i < 10; ++i) {
    b.pass(150ms);
    b.get(TmclAxis::kActualPosition, 1);
  }
  EXPECT_GT(b.twin.motion(0).velocity_m_s(), 0.049);
  b.pass(300ms);
  EXPECT_TRUE(b.twin.motion(0).at_rest());
}

TEST(TmclTwin, SurvivesRandomBytesAndRequests) {
  std::mt19937 random(6);
  Bare b;
  for (int n = 0; n < 50000; ++n) {
    if (random() % 4 == 0) {
      std::vector<std::byte> bytes(random() % 20);
      for (auto& x : bytes) x = static_cast<std::byte>(random());
      b.twin.receive(bytes, b.now, b.out);
    } else {
      const auto value = static_cast<std::int32_t>(random()) >> random() % 32;
      const auto command = static_cast<TmclCommand>(random() % 15);
      const auto type = static_cast<std::uint8_t>(random() % 3 == 0 ? random() % 256 : random() % 12);
      b.twin.receive(daq::encode_tmcl({1, command, type, static_cast<std::uint8_t>(random() % 4), value}), b.now,
                     b.out);
    }
    b.pass(daq::Duration(1ms) * static_cast<int>(random() % 8));
    b.out.all.clear();
    const TmclTwinConfig limits;
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      ASSERT_GE(b.twin.position_m()[a], limits.travel_min_m[a]);
      ASSERT_LE(b.twin.position_m()[a], limits.travel_max_m[a]);
    }
  }
  b.pass(10ms);
  EXPECT_EQ(b.ask(TmclCommand::kGetVersion, 1, 0).status, TmclStatus::kOk);
}

}  // namespace
}  // namespace strigil::sim
