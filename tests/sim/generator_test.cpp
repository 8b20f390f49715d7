// A function generator over its wire: the session of daq/codec/scpi_generator.hpp against the twin, and against a
// device that wishes it ill.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "daq/codec/scpi_generator.hpp"
#include "sim/generator_twin.hpp"
#include "sim/noise.hpp"

namespace strigil::sim {
namespace {

using daq::GeneratorSignal;
using daq::GeneratorWave;
using testing::HasSubstr;

constexpr double kRate_Hz = 12800;

daq::ScpiGeneratorConfig host_config(int channel) {
  daq::ScpiGeneratorConfig c;
  c.make = "STRIGIL";
  c.serial = "SG-0001";
  c.channel = channel;
  c.max_V = 2;
  c.answer_timeout = std::chrono::milliseconds(300);
  return c;
}

GeneratorSignal sine(double frequency_Hz, double peak_V) {
  return {.wave = GeneratorWave::kSine, .frequency_Hz = frequency_Hz, .peak_V = peak_V};
}

/// Host and twin, time between them, and all that was said.
class Desk final : public TwinOutput {
 public:
  explicit Desk(const GeneratorTwinConfig& twin, int channel = 1)
      : host(host_config(channel)), device(twin, kRate_Hz) {}

  void send(std::span<const std::byte> bytes, daq::HostTime at) override {
    if (plugged) host.on_bytes(bytes, at);
  }
  void plug(bool in, daq::HostTime at) override {
    plugged = in;
    if (!in) host.on_closed(at);
  }
  void pass(double s) {
    for (const auto end = now + daq::from_seconds(s); now < end;) {
      now = now + daq::from_seconds(1 / kRate_Hz);
      device.step(now, {}, *this);
      loudest_V = std::fmax(loudest_V, device.output_V().amplitude);
      host.on_time(now, [&](std::span<const std::byte> bytes) {
        if (!plugged) return false;
        said.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        device.receive(bytes, now, *this);
        return true;
      });
    }
  }
  /// Until what was set stands.
  void set(const GeneratorSignal& s) {
    ASSERT_TRUE(host.set(s));
    for (int i = 0; i < 100 && !host.settled() && host.failure().empty(); ++i) pass(0.01);
    ASSERT_TRUE(host.settled()) << host.failure();
  }

  daq::ScpiGenerator host;
  GeneratorTwin device;
  daq::HostTime now;
  bool plugged = true;
  double loudest_V = 0;
  std::string said;
};

TEST(Generator, IsAskedWhoItIsThenSetUpAndNeverTurnedOnByThat) {
  for (const int channel : {0, 1}) {
    Desk desk({}, channel);
    desk.pass(0.3);
    ASSERT_TRUE(desk.host.ready()) << desk.host.failure();
    EXPECT_EQ(desk.said.substr(0, 7), "\n*IDN?\n");
    EXPECT_EQ(desk.host.identity(), "Strigil,SG-1,SG-0001,1.00-sim");
    EXPECT_EQ(desk.loudest_V, 0);
    desk.set(sine(160, 0.5));
    EXPECT_TRUE(desk.device.on());
    EXPECT_NEAR(desk.device.output_V().amplitude, 0.5, 1e-9);
    // From one sine to the next it is never louder than either.
    desk.set(sine(40, 0.1));
    desk.loudest_V = 0;
    desk.set(sine(1000, 1.5));
    EXPECT_NEAR(desk.loudest_V, 1.5, 1e-9);
    desk.loudest_V = 0;
    desk.set(sine(20, 0.02));
    EXPECT_NEAR(desk.loudest_V, 1.5, 1e-9);
    desk.set({});
    EXPECT_FALSE(desk.device.on());
    desk.set(
        {.wave = GeneratorWave::kSweep, .frequency_Hz = 50, .to_Hz = 200, .up_s = 0.3, .back_s = 0.2, .peak_V = 1});
    // Turns of one period, wherever it is begun: linear both ways, half a second at 125 Hz in the mean.
    double turned = 0, was = desk.device.output_V().phase_rad;
    for (int i = 0; i < static_cast<int>(kRate_Hz / 2); ++i) {
      desk.pass(1 / kRate_Hz);
      const double is = desk.device.output_V().phase_rad;
      turned += std::fmod(is - was + 4 * M_PI, 2 * M_PI);
      was = is;
    }
    EXPECT_NEAR(turned / (2 * M_PI), 62.5, 0.1);
    desk.host.close();
    desk.pass(0.1);
    EXPECT_TRUE(desk.host.over() && desk.host.known_off());
    EXPECT_FALSE(desk.device.on());
    EXPECT_FALSE(desk.host.set(sine(100, 0.1)));
  }
}

TEST(Generator, WhatIsNoSignalIsRefusedAndChangesNothing) {
  Desk desk({});
  desk.pass(0.3);
  desk.set(sine(160, 0.5));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& s :
       {sine(160, 2.001), sine(160, nan), sine(nan, 1), sine(-1, 1), sine(0, 1), sine(160, 0),
        GeneratorSignal{
            .wave = GeneratorWave::kSweep, .frequency_Hz = 10, .to_Hz = 20, .up_s = 1, .back_s = nan, .peak_V = 1}}) {
    EXPECT_FALSE(desk.host.set(s));
  }
  desk.pass(0.1);
  EXPECT_NEAR(desk.device.output_V().amplitude, 0.5, 1e-9);
  EXPECT_LE(desk.loudest_V, 0.5 + 1e-9);
}

TEST(Generator, EveryFailureIsToldAndItsOutputIsOff) {
  struct Case {
    GeneratorTwinConfig twin;
    const char* words;
    bool known_off, on;
  };
  const auto with = [](GeneratorFault fault, std::uint64_t after) {
    GeneratorTwinConfig c;
    c.fault = fault;
    c.fault_after = after;
    return c;
  };
  GeneratorTwinConfig other;
  other.serial = "SG-0002";
  const Case cases[] = {
      {with(GeneratorFault::kSilent, 0), "did not answer '*IDN?'", false, false},
      {with(GeneratorFault::kSilent, 30), "did not answer 'SYST:ERR?' after '", false, false},
      {with(GeneratorFault::kDead, 30), "did not answer", false, false},
      {with(GeneratorFault::kErrors, 30), "refuses 'SOUR1:FREQ 160': -221,\"Settings conflict\"", true, false},
      {with(GeneratorFault::kGarbage, 30), "sends bytes that are no text", false, false},
      {with(GeneratorFault::kUnplugged, 30), "closed its line", false, true},
      {with(GeneratorFault::kTripped, 30), "says that its output is off", true, false},
      {other, "serial = \"SG-0001\". It was told nothing", true, false},
  };
  for (const auto& c : cases) {
    Desk desk(c.twin);
    for (int i = 0; i < 80; ++i) {  // the output goes on and is changed for as long as it lets us
      if (desk.host.ready()) (void)desk.host.set(sine(i % 2 == 0 ? 160 : 80, 1));
      desk.pass(0.1);
    }
    EXPECT_THAT(desk.host.failure(), HasSubstr(c.words));
    EXPECT_TRUE(desk.host.over()) << c.words;
    EXPECT_EQ(desk.host.known_off(), c.known_off) << c.words;
    EXPECT_EQ(desk.device.on(), c.on) << c.words;
    if (c.twin.serial == "SG-0002") {
      EXPECT_EQ(desk.said, "\n*IDN?\n");
    }
  }
}

// Lines cut anywhere, lines of others, noise: it fails in words or goes on, and never believes more than was said.
TEST(Generator, AHostileDeviceGetsNothingButOff) {
  Noise noise(7);
  constexpr const char* kLines[] = {"0",     "1",     "+0,\"No error\"", "-100,\"Command error\"", "nan",
                                    "1e999", "ON",    "A,B,C,D",         "Strigil,SG-1,SG-0001,1", ",,,",
                                    "",      "3.2E+2"};
  int ready = 0, failed = 0;
  for (int round = 0; round < 400; ++round) {
    daq::ScpiGenerator host(host_config(1));
    daq::HostTime now{1};
    for (int i = 0; i < 300; ++i) {
      now = now + std::chrono::milliseconds(20);
      std::string said;
      host.on_time(now, [&](std::span<const std::byte> bytes) {
        said.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return noise.uniform() < 0.9;
      });
      (void)host.set(sine(1 + 1000 * noise.uniform(), 3 * noise.uniform()));
      if (said.find("VOLT ") != std::string::npos) {
        EXPECT_LE(std::stod(said.substr(said.find("VOLT ") + 5)), 4) << said;
      }
      std::string bytes;
      if (said.find("*IDN?") != std::string::npos && noise.uniform() < 0.9) {
        bytes = "Strigil,SG-1,SG-0001,1\n";
      } else if (said.find("SYST:ERR?") != std::string::npos && noise.uniform() < 0.98) {
        bytes = "0,\"No error\"\n";
      } else if (noise.uniform() < 0.05) {
        bytes = std::string(kLines[static_cast<std::size_t>(noise.uniform() * std::size(kLines))]) + "\n";
      } else if (noise.uniform() < 0.002) {
        for (int k = 0; k < 700; ++k) bytes += static_cast<char>(noise.uniform() < 0.5 ? 'x' : 256 * noise.uniform());
      } else if (said.find("OUTP1?") != std::string::npos) {
        bytes = host.ready() ? "1\n" : "0\n";
      }
      const auto cut = static_cast<std::size_t>(noise.uniform() * static_cast<double>(bytes.size()));
      host.on_bytes(std::as_bytes(std::span(bytes).first(cut)), now);
      host.on_bytes(std::as_bytes(std::span(bytes).subspan(cut)), now);
      ASSERT_LT(host.failure().size(), 400U);
    }
    ready += host.ready() ? 1 : 0;
    failed += host.failure().empty() ? 0 : 1;
    EXPECT_TRUE(host.failure().empty() || host.over());
  }
  EXPECT_GT(ready, 20);
  EXPECT_GT(failed, 300);
}

}  // namespace
}  // namespace strigil::sim
