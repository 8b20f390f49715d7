// The Zaber controller's double alone, spoken to in lines.
#include "sim/zaber_twin.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace strigil::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Talk final : public TwinOutput {
 public:
  explicit Talk(const ZaberTwinConfig& config) : twin(config, now) {}
  /// Says a line and gives the answer to it, without its end; empty when there was none.
  std::string say(std::string_view line) {
    heard_.clear();
    std::string text(line);
    text += '\n';
    twin.receive(std::as_bytes(std::span(text)), now, *this);
    pass(milliseconds(1));
    while (!heard_.empty() && (heard_.back() == '\n' || heard_.back() == '\r')) heard_.pop_back();
    return heard_;
  }
  void pass(daq::Duration d) {
    for (const auto end = now + d; now < end;) {
      now = now + std::chrono::microseconds(100);
      twin.step(now, {}, *this);
    }
  }
  void send(std::span<const std::byte> bytes, daq::HostTime) override {
    for (const auto b : bytes) heard_ += static_cast<char>(b);
  }
  [[nodiscard]] double x() const { return twin.position_m()[0]; }

  daq::HostTime now{1'000'000'000};
  ZaberTwin twin;

 private:
  std::string heard_;
};

ZaberTwinConfig known() {
  ZaberTwinConfig c;
  c.start_m = {0.05, 0.02, -0.03};
  c.start_known = true;
  return c;
}

TEST(ZaberTwin, AnswersInTheProtocolsForm) {
  Talk t(known());
  EXPECT_EQ(t.say("/1 1 07 get pos"), "@01 1 07 OK IDLE -- 50000");
  EXPECT_EQ(t.say("/1 get pos"), "@01 0 OK IDLE -- 50000 20000 30000");
  EXPECT_EQ(t.say("/1 0 08 get version"), "@01 0 08 OK IDLE -- 7.38");
  EXPECT_EQ(t.say("/"), "@01 0 OK IDLE -- 0");
  EXPECT_EQ(t.say("/1 0 09 set comm.checksum 1"), "@01 0 09 OK IDLE -- 0:04");
  EXPECT_EQ(t.say("/1 1 07 stop:11").substr(0, 18), "@01 1 07 OK IDLE -");
  EXPECT_EQ(t.say("/1 1 07 stop:12"), "");  // harmed on its way
  EXPECT_EQ(t.say("/2 1 stop"), "");        // another's
  EXPECT_EQ(t.say("stop"), "");
}

TEST(ZaberTwin, RefusesWithAReason) {
  Talk t(known());
  EXPECT_EQ(t.say("/1 1 07 fly"), "@01 1 07 RJ IDLE -- BADCOMMAND");
  EXPECT_EQ(t.say("/1 7 07 stop"), "@01 7 07 RJ IDLE -- BADAXIS");
  EXPECT_EQ(t.say("/1 1 07 move abs 300000"), "@01 1 07 RJ IDLE -- BADDATA");
  EXPECT_EQ(t.say("/1 1 07 move rel x"), "@01 1 07 RJ IDLE -- BADDATA");
  EXPECT_EQ(t.say("/1 1 07 move over 1"), "@01 1 07 RJ IDLE -- BADCOMMAND");
  EXPECT_EQ(t.say("/1 1 07 set maxspeed 0"), "@01 1 07 RJ IDLE -- BADDATA");
  EXPECT_EQ(t.say("/1 1 07 set comm.checksum 1"), "@01 1 07 RJ IDLE -- DEVICEONLY");
  EXPECT_EQ(t.say("/1 0 07 trigger 7 enable"), "@01 0 07 RJ IDLE -- BADDATA");
  EXPECT_TRUE(t.twin.motion(0).at_rest());
}

TEST(ZaberTwin, VelocitiesAreNativeUnits) {
  Talk t(known());
  EXPECT_EQ(t.say("/1 1 07 move vel 16384"), "@01 1 07 OK BUSY -- 0");  // 10 mm/s
  t.pass(milliseconds(200));
  EXPECT_NEAR(t.twin.velocity_m_s()[0], 0.01, 1e-9);
  EXPECT_EQ(t.say("/1 0 07 get pos").substr(0, 20), "@01 0 07 OK BUSY -- ");
  EXPECT_EQ(t.say("/1 2 07 stop"), "@01 2 07 OK IDLE -- 0");  // another axis
  t.say("/1 0 07 stop");
  t.pass(milliseconds(50));
  EXPECT_TRUE(t.twin.motion(0).at_rest());
  EXPECT_EQ(t.say("/1 1 07 get maxspeed"), "@01 1 07 OK IDLE NI 163840");
  t.say("/1 3 07 move vel 16384");  // z counts downwards
  t.pass(milliseconds(100));
  EXPECT_NEAR(t.twin.velocity_m_s()[2], -0.01, 1e-9);
}

TEST(ZaberTwin, StopsByItsRampAndEstopAtOnce) {
  Talk t(known());
  t.say("/1 1 07 move vel 163840");
  t.pass(milliseconds(200));
  t.say("/1 1 07 stop");
  EXPECT_GT(t.twin.velocity_m_s()[0], 0.09);
  t.pass(milliseconds(110));
  EXPECT_TRUE(t.twin.motion(0).at_rest());
  t.say("/1 1 07 move vel 163840");
  t.pass(milliseconds(200));
  t.say("/1 1 07 estop");
  EXPECT_TRUE(t.twin.motion(0).at_rest());
}

TEST(ZaberTwin, RunsToItsLimitAndRests) {
  Talk t(known());
  t.say("/1 1 07 move vel -163840");
  t.pass(seconds(2));
  EXPECT_TRUE(t.twin.motion(0).at_rest());
  EXPECT_NEAR(t.x(), 0, 1e-9);
  EXPECT_EQ(t.say("/1 1 07 warnings"), "@01 1 07 OK IDLE -- 00");
  t.say("/1 1 07 move max");
  t.pass(seconds(4));
  EXPECT_NEAR(t.x(), 0.2, 1e-9);
}

TEST(ZaberTwin, AStopWhileItSlowsDownBeforeItsLimitStaysWithin) {
  for (int step = 0; step < 1000; ++step) {
    auto c = known();
    c.start_m[0] = 0.19;
    Talk t(c);
    t.say("/1 1 07 move vel 163840");
    t.pass(milliseconds(95) + std::chrono::microseconds(100 * step));
    t.say("/1 1 07 stop");
    t.pass(milliseconds(110));
    ASSERT_LE(t.x(), 0.2) << step;
    ASSERT_TRUE(t.twin.motion(0).at_rest());
  }
}

TEST(ZaberTwin, HomingFindsTheEndAndTheReference) {
  auto c = known();
  c.start_known = false;
  Talk t(c);
  EXPECT_EQ(t.say("/1 3 07 warnings"), "@01 3 07 OK IDLE WR 01 WR");
  EXPECT_EQ(t.say("/1 3 07 get pos"), "@01 3 07 OK IDLE WR 0");
  EXPECT_EQ(t.say("/1 3 07 home"), "@01 3 07 OK BUSY WR 0");
  t.pass(seconds(3));
  EXPECT_TRUE(t.twin.has_reference(2));
  EXPECT_NEAR(t.twin.position_m()[2], 0, 1e-9);
  EXPECT_EQ(t.say("/1 3 07 get pos"), "@01 3 07 OK IDLE -- 0");
  t.say("/1 1 07 move vel -163840");  // without one, its sensor stops it dead
  t.pass(seconds(2));
  EXPECT_EQ(t.say("/1 1 07 warnings"), "@01 1 07 OK IDLE WL 02 WL WR");
}

TEST(ZaberTwin, HomingBegunAtTheOtherEndStaysOnTheRails) {
  auto c = known();
  c.start_m = {0.1995, 0.02, -0.03};
  c.start_known = false;  // it does not know the end
  Talk t(c);
  t.say("/1 1 07 set accel 16");  // 1e5 microsteps/s^2
  t.say("/1 1 07 move vel 16384");
  double farthest = 0;
  for (int i = 0; i < 95; ++i) {
    t.pass(milliseconds(1));
    farthest = std::max(farthest, t.x());
  }
  t.say("/1 1 07 home");
  for (int i = 0; i < 9500; ++i) {
    t.pass(milliseconds(1));
    farthest = std::max(farthest, t.x());
  }
  EXPECT_LE(farthest, 0.2);
  EXPECT_TRUE(t.twin.has_reference(0));
  EXPECT_NEAR(t.x(), 0, 1e-9);
}

TEST(ZaberTwin, FaultsAreFlagsUntilTheyAreCleared) {
  Talk t(known());
  t.say("/1 1 07 move vel 16384");
  t.twin.stall(0);
  EXPECT_EQ(t.say("/1 1 07 get pos").substr(0, 19), "@01 1 07 OK IDLE FS");
  EXPECT_EQ(t.say("/1 0 07 get version").substr(0, 19), "@01 0 07 OK IDLE FS");
  EXPECT_EQ(t.say("/1 2 07 get version").substr(0, 19), "@01 2 07 OK IDLE --");
  EXPECT_EQ(t.say("/1 1 07 warnings clear"), "@01 1 07 OK IDLE -- 01 FS");
  t.twin.switch_driver_off(0);
  EXPECT_EQ(t.say("/1 1 07 move vel 1"), "@01 1 07 RJ IDLE FV DRIVERDISABLED");
  t.say("/1 1 07 warnings clear");
  EXPECT_EQ(t.say("/1 1 07 warnings"), "@01 1 07 OK IDLE FV 01 FV");
  t.say("/1 1 07 driver enable");
  EXPECT_EQ(t.say("/1 1 07 warnings"), "@01 1 07 OK IDLE -- 00");
}

TEST(ZaberTwin, ATriggerFiresWhenItsConditionComesToHold) {
  Talk t(known());
  t.say("/1 0 07 trigger 1 when time 10");
  t.say("/1 0 07 trigger 1 action a user.vdata.0 += 1");
  t.say("/1 0 07 trigger 2 when user.vdata.0 == 5");
  t.say("/1 0 07 trigger 2 action a 1 move vel 16384");
  t.say("/1 0 07 trigger 2 enable");
  t.say("/1 0 07 trigger 1 enable");
  t.pass(milliseconds(45));
  EXPECT_TRUE(t.twin.motion(0).at_rest());
  t.pass(milliseconds(30));
  EXPECT_NEAR(t.twin.velocity_m_s()[0], 0.01, 1e-9);
  EXPECT_EQ(t.twin.silences(), 1U);
  t.pass(milliseconds(200));
  EXPECT_EQ(t.twin.silences(), 1U);
  t.say("/1 0 07 trigger 1 disable");
  t.say("/1 0 07 set user.vdata.0 5");
  t.pass(milliseconds(5));
  EXPECT_EQ(t.twin.silences(), 2U);
  t.say("/1 0 07 trigger 2 enable");  // it holds already
  t.pass(milliseconds(5));
  EXPECT_EQ(t.twin.silences(), 3U);
  t.say("/1 0 07 trigger 2 enable 1");
  t.pass(milliseconds(5));
  t.say("/1 0 07 set user.vdata.0 0");
  t.pass(milliseconds(5));
  t.say("/1 0 07 set user.vdata.0 5");
  t.pass(milliseconds(5));
  EXPECT_EQ(t.twin.silences(), 4U);
}

TEST(ZaberTwin, AResetForgetsWhatIsVolatile) {
  auto c = known();
  c.start_known = false;
  Talk t(c);
  t.say("/1 0 07 set user.vdata.1 77");
  t.say("/1 0 07 set user.vdata.0 50");
  t.say("/1 0 07 trigger 1 when time 10");
  t.say("/1 0 07 trigger 1 action a user.vdata.0 -= 1");
  t.say("/1 0 07 trigger 1 enable");
  t.say("/1 1 07 move rel 10000");
  t.pass(seconds(1));
  EXPECT_EQ(t.say("/1 1 07 get pos"), "@01 1 07 OK IDLE WR 10000");
  t.twin.reboot();
  EXPECT_EQ(t.say("/1 1 07 get pos"), "@01 1 07 OK IDLE WR 0");
  EXPECT_EQ(t.say("/1 1 07 get user.vdata.1"), "@01 1 07 OK IDLE WR 0");
  t.pass(milliseconds(100));  // triggers go on
  EXPECT_EQ(t.say("/1 1 07 get user.vdata.0").substr(0, 20), "@01 1 07 OK IDLE WR ");
  EXPECT_NE(t.say("/1 1 07 get user.vdata.0"), "@01 1 07 OK IDLE WR 0");
  t.twin.set_power(false);
  EXPECT_EQ(t.say("/1 1 07 get pos"), "");
}

TEST(ZaberTwin, AStalledStageSaysYesAndStands) {
  Talk t(known());
  t.twin.set_stalled(true);
  EXPECT_EQ(t.say("/1 1 07 move vel 16384"), "@01 1 07 OK IDLE -- 0");
  t.pass(milliseconds(100));
  EXPECT_EQ(t.twin.microsteps(0), 50000);
  t.twin.set_silent(true);
  EXPECT_EQ(t.say("/1 1 07 get pos"), "");
}

TEST(ZaberTwin, SurvivesRandomWords) {
  std::mt19937 random(11);
  Talk t(known());
  const std::array words{
      "move", "abs",         "rel",      "vel",   "home",   "stop",   "get",  "set",          "pos", "trigger",
      "1",    "when",        "action",   "a",     "none",   "enable", "time", "user.vdata.0", "==",  "-= 1",
      "-5",   "99999999999", "warnings", "clear", "driver", "",       "7",    "accel",        ":00", "maxspeed"};
  for (int i = 0; i < 5000; ++i) {
    std::string line = "/1 " + std::to_string(random() % 5);
    for (auto n = random() % 6; n > 0; --n) line += std::string(" ") + words[random() % words.size()];
    t.say(line);
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      const double at = t.twin.position_m()[a];
      ASSERT_GE(at, ZaberTwinConfig{}.travel_min_m[a]) << line;
      ASSERT_LE(at, ZaberTwinConfig{}.travel_max_m[a]) << line;
    }
  }
}

}  // namespace
}  // namespace strigil::sim
