// The twins on real pseudo-terminals and UDP, spoken to with plain system calls: no code of our links is in between.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "daq/codec/rdt.hpp"
#include "daq/codec/sensor_stream.hpp"
#include "daq/strict_toml.hpp"
#include "rig/bench.hpp"
#include "sim/generator_twin.hpp"
#include "sim/real_time_world.hpp"

namespace strigil::sim {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A world that runs in a thread of its own on wires in a folder of its own.
class RealTime : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "strigil-world-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override {
    finish();
    world_.reset();
    EXPECT_FALSE(fs::exists(fs::symlink_status(dir_ / "stage")));
    EXPECT_FALSE(fs::exists(fs::symlink_status(dir_ / "vibration")));
    fs::remove_all(dir_);
  }
  void begin(const SimConfig& config = {}) {
    auto world = RealTimeWorld::start(config, dir_);
    ASSERT_TRUE(world) << world.error().message;
    world_ = std::move(*world);
    runner_ = std::thread([this] { world_->run(stop_); });
  }
  void finish() {
    stop_ = true;
    if (runner_.joinable()) runner_.join();
  }
  DeviceTotals totals(DeviceName device) { return world_->totals()[static_cast<std::size_t>(device)]; }

  fs::path dir_;
  std::unique_ptr<RealTimeWorld> world_;
  std::atomic<bool> stop_ = false;
  std::thread runner_;
};

void put(int fd, std::span<const std::byte> bytes) {
  ASSERT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}
void put(int fd, std::string_view text) { put(fd, std::as_bytes(std::span(text))); }

/// One read when something comes within `patience`, else nothing.
std::vector<std::byte> get(int fd, std::chrono::milliseconds patience) {
  pollfd state{fd, POLLIN, 0};
  if (::poll(&state, 1, static_cast<int>(patience.count())) <= 0) return {};
  std::vector<std::byte> bytes(4096);
  const auto n = ::read(fd, bytes.data(), bytes.size());
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return bytes;
}

std::string hear(int fd, std::string_view until) {
  std::string heard;
  while (heard.find(until) == std::string::npos) {
    const auto bytes = get(fd, 5000ms);
    if (bytes.empty()) break;
    heard.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return heard;
}

int open_port(const fs::path& path) { return ::open(path.c_str(), O_RDWR | O_NOCTTY); }

TEST_F(RealTime, StageGreetsAnswersAndMoves) {
  begin();
  const int fd = open_port(dir_ / "stage");
  ASSERT_GE(fd, 0);
  EXPECT_THAT(hear(fd, "help]\r\n"), HasSubstr("Grbl 1.1"));
  put(fd, "?");
  EXPECT_THAT(hear(fd, ">"), HasSubstr("<Idle|MPos:0.000,0.000,0.000"));
  put(fd, "$J=G91 G21 Z-2 F2400\n");
  EXPECT_THAT(hear(fd, "ok"), HasSubstr("ok"));
  std::string report;
  for (int i = 0; i < 200 && report.find("<Idle|MPos:0.000,0.000,-2.000") == std::string::npos; ++i) {
    put(fd, "?");
    report = hear(fd, ">");
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_THAT(report, HasSubstr("<Idle|MPos:0.000,0.000,-2.000"));
  ::close(fd);
}

TEST_F(RealTime, AGeneratorIsThereWhereTheBenchHasOne) {
  SimConfig config;
  config.generator.emplace();
  begin(config);
  EXPECT_THAT(world_->bench_on_these_wires("[generator]\nlink = \"memory:generator\"\n"),
              HasSubstr("link = \"serial://" + (dir_ / "generator").string() + "\""));
  const int fd = open_port(dir_ / "generator");
  ASSERT_GE(fd, 0);
  put(fd, "\n*IDN?\n");
  EXPECT_EQ(hear(fd, "\n"), "Strigil,SG-1,SG-0001,1.00-sim\n");
  put(fd, "SOUR1:FREQ 160\nOUTP1 ON\nOUTP1?\n");
  EXPECT_EQ(hear(fd, "\n"), "1\n");
  ::close(fd);
  finish();
  EXPECT_TRUE(world_->world().generator()->on());
}

TEST_F(RealTime, ForceComesByUdpAndTheCountsBalance) {
  begin();
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  ASSERT_GE(fd, 0);
  const auto& uri = world_->links()[static_cast<std::size_t>(DeviceName::kForce)];
  ASSERT_THAT(uri, StartsWith("udp://127.0.0.1:"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(uri.substr(uri.rfind(':') + 1))));
  ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  put(fd, daq::encode(daq::RdtRequest{daq::RdtCommand::kStartRealtime, 300}));
  std::uint32_t got = 0;
  while (got < 300) {
    const auto bytes = get(fd, 5000ms);
    ASSERT_EQ(bytes.size(), daq::kRdtRecordSize);
    const auto record = daq::decode_rdt_record(std::span(bytes).first<daq::kRdtRecordSize>());
    ASSERT_EQ(record.rdt_sequence, ++got);
  }
  EXPECT_TRUE(get(fd, 20ms).empty());
  finish();
  EXPECT_EQ(totals(DeviceName::kForce).samples, 300U);
  EXPECT_EQ(totals(DeviceName::kForce).lost_bytes, 0U);
  ::close(fd);
}

TEST_F(RealTime, VibrationComesBySerialAndTheCountsBalance) {
  begin();
  const int fd = open_port(dir_ / "vibration");
  ASSERT_GE(fd, 0);
  daq::sensor_stream::Frame frame;
  const auto ask = [&](daq::sensor_stream::Type type) {
    encode({daq::sensor_stream::kAnyDevice, daq::sensor_stream::Request{type}}, frame);
    put(fd, frame.data());
  };
  daq::sensor_stream::Unframer unframer;
  std::uint64_t samples = 0;
  const auto listen = [&](std::chrono::milliseconds patience) {
    const auto bytes = get(fd, patience);
    std::span<const std::byte> rest(bytes);
    while (const auto packet = unframer.next(rest)) {
      if (const auto* data = std::get_if<daq::sensor_stream::Data>(&packet->body)) samples += data->samples;
    }
    return !bytes.empty();
  };
  ask(daq::sensor_stream::Type::kStart);
  while (samples < 3200) ASSERT_TRUE(listen(5000ms));
  ask(daq::sensor_stream::Type::kStop);
  while (listen(200ms)) {
  }
  finish();
  EXPECT_EQ(unframer.rejected(), 0U);
  EXPECT_EQ(totals(DeviceName::kVibration).samples, samples);
  EXPECT_EQ(totals(DeviceName::kVibration).lost_bytes, 0U);
  ::close(fd);
}

TEST_F(RealTime, AHostThatLeftGetsNoOldBytesWhenItComesBack) {
  begin();
  int fd = open_port(dir_ / "vibration");
  ASSERT_GE(fd, 0);
  daq::sensor_stream::Frame frame;
  encode({daq::sensor_stream::kAnyDevice, daq::sensor_stream::Request{daq::sensor_stream::Type::kStart}}, frame);
  put(fd, frame.data());
  ASSERT_FALSE(get(fd, 5000ms).empty());
  ::close(fd);
  std::this_thread::sleep_for(300ms);  // a host that is gone for long enough to notice, some 24 kB of samples
  fd = open_port(dir_ / "vibration");
  ASSERT_GE(fd, 0);
  daq::sensor_stream::Unframer unframer;
  std::vector<std::uint32_t> first_samples;
  while (first_samples.size() < 40) {
    const auto bytes = get(fd, 5000ms);
    ASSERT_FALSE(bytes.empty());
    std::span<const std::byte> rest(bytes);
    while (const auto packet = unframer.next(rest)) {
      if (const auto* data = std::get_if<daq::sensor_stream::Data>(&packet->body))
        first_samples.push_back(data->first_sample);
    }
  }
  ::close(fd);
  finish();
  EXPECT_GT(first_samples.front(), 1000U);  // it was away until about 1920; before it left, it had about 32
  for (std::size_t i = 1; i < first_samples.size(); ++i) ASSERT_EQ(first_samples[i], first_samples[i - 1] + 32);
  EXPECT_GT(totals(DeviceName::kVibration).lost_bytes, 10'000U);
}

TEST_F(RealTime, BenchOnTheseWiresIsTheSameBenchElsewhere) {
  begin();
  auto text = daq::read_text_file(std::string(STRIGIL_SOURCE_DIR) + "/rig/benches/sim.toml");
  ASSERT_TRUE(text) << text.error().message;
  auto bench = rig::parse_bench(world_->bench_on_these_wires(*text), "bench.toml");
  ASSERT_TRUE(bench) << bench.error().message;
  EXPECT_EQ(bench->stage.link, "serial://" + (dir_ / "stage").string());
  EXPECT_EQ(bench->vibration.link, "serial://" + (dir_ / "vibration").string());
  EXPECT_THAT(bench->force.link, StartsWith("udp://127.0.0.1:"));
}

TEST_F(RealTime, RefusesAFolderWhereItCannotMakeItsLinks) {
  std::ofstream(dir_ / "stage") << "somebody's file";
  auto refused = RealTimeWorld::start({}, dir_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("a file of that name is there"));
  EXPECT_TRUE(fs::is_regular_file(dir_ / "stage"));
  fs::remove(dir_ / "stage");
  auto below_a_file = RealTimeWorld::start({}, "/dev/null/x");
  ASSERT_FALSE(below_a_file);
  EXPECT_THAT(below_a_file.error().message, HasSubstr("/dev/null/x"));
  EXPECT_FALSE(RealTimeWorld::start({}, dir_ / "a\"b").ok());
  fs::remove_all(dir_ / "a\"b");
}

TEST_F(RealTime, ReplacesALinkThatAKilledRunLeft) {
  fs::create_symlink("/dev/pts/none", dir_ / "stage");
  begin();
  const int fd = open_port(dir_ / "stage");
  ASSERT_GE(fd, 0);
  EXPECT_THAT(hear(fd, "help]"), HasSubstr("Grbl"));
  ::close(fd);
}

}  // namespace
}  // namespace strigil::sim
