// The codec against bytes that were written from docs/sensor_stream.md alone, and the page against the same bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "daq/codec/sensor_stream.hpp"

namespace strigil::daq::sensor_stream {
namespace {

constexpr std::uint32_t kDevice = 0x57A1C0DE;

std::string contents(const std::string& path) {
  std::ifstream file(std::string(STRIGIL_SOURCE_DIR) + '/' + path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}
std::string golden(const std::string& name) { return contents("tests/daq/golden_sensor_stream/" + name + ".bin"); }

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::vector<std::byte> counts_of(const std::vector<std::int64_t>& values) {
  std::vector<std::byte> out;
  for (const auto v : values) {
    for (unsigned i = 0; i < 4; ++i) out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(v) >> (8 * i)));
  }
  return out;
}

/// What each file must say: the page's example, and the two long ones as make_golden.py describes them.
struct Expected {
  std::vector<std::byte> few = counts_of({1, -1, 2048, 0, -32767, 256});
  std::vector<std::byte> longest;
  std::vector<std::byte> edge;
  std::map<std::string, Packet> packets;
  Expected() {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < 384; ++i) values.push_back((i - 192) * 0x00A9CDEF);
    longest = counts_of(values);
    values.clear();
    for (std::int64_t i = 0; i < 122; ++i) values.push_back(0x11111111 * (1 + i % 7));
    edge = counts_of(values);
    packets = {{"describe", {kAnyDevice, Request{Type::kDescribe}}},
               {"start", {kDevice, Request{Type::kStart}}},
               {"stop", {kDevice, Request{Type::kStop}}},
               {"device", {kDevice, Device{1, "Acme A3", "42"}}},
               {"stream", {kDevice, Stream{0, 3, 6400, 1e6, -32767, 32767, "vibration", "acceleration"}}},
               {"channel", {kDevice, Channel{0, 0, 5.0 / 1024, 0, "ax", "m/s2"}}},
               {"data", {kDevice, Data{0, false, 3, 2, 0xFFFFFF00, 70000, few}}},
               {"data_longest", {kDevice, Data{3, true, 6, 64, 1, 0xFFFFFFFF, longest}}},
               {"data_edge", {kDevice, Data{1, true, 2, 61, 0x01020304, 0x05060708, edge}}},
               {"status", {kDevice, Status{3, "bus error"}}}};
  }
};

struct Same {
  bool operator()(const Request& a, const Request& b) const { return a.type == b.type; }
  bool operator()(const Device& a, const Device& b) const {
    return a.streams == b.streams && a.name == b.name && a.serial == b.serial;
  }
  bool operator()(const Stream& a, const Stream& b) const {
    return a.index == b.index && a.channels == b.channels && a.rate_Hz == b.rate_Hz &&
           a.tick_rate_Hz == b.tick_rate_Hz && a.counts_min == b.counts_min && a.counts_max == b.counts_max &&
           a.name == b.name && a.quantity == b.quantity;
  }
  bool operator()(const Channel& a, const Channel& b) const {
    return a.stream == b.stream && a.channel == b.channel && a.scale == b.scale && a.offset == b.offset &&
           a.name == b.name && a.unit == b.unit;
  }
  bool operator()(const Data& a, const Data& b) const {
    return a.stream == b.stream && a.fault == b.fault && a.channels == b.channels && a.samples == b.samples &&
           a.ticks == b.ticks && a.first_sample == b.first_sample &&
           std::equal(a.counts.begin(), a.counts.end(), b.counts.begin(), b.counts.end());
  }
  bool operator()(const Status& a, const Status& b) const { return a.code == b.code && a.text == b.text; }
  template <typename A, typename B>
  bool operator()(const A&, const B&) const {
    return false;
  }
};
bool same(const Packet& a, const Packet& b) { return a.device == b.device && std::visit(Same{}, a.body, b.body); }

TEST(SensorStreamGolden, EncodesByteForByte) {
  const Expected expected;
  for (const auto& [name, packet] : expected.packets) {
    Frame frame;
    encode(packet, frame);
    EXPECT_EQ(hex({reinterpret_cast<const char*>(frame.bytes.data()), frame.size}), hex(golden(name))) << name;
  }
}

TEST(SensorStreamGolden, Decodes) {
  const Expected expected;
  for (const auto& [name, packet] : expected.packets) {
    const auto bytes = golden(name);
    Unframer unframer;
    auto piece = std::as_bytes(std::span(bytes));
    const auto heard = unframer.next(piece);
    ASSERT_TRUE(heard) << name;
    EXPECT_TRUE(same(*heard, packet)) << name;
    EXPECT_FALSE(unframer.next(piece)) << name;
    EXPECT_EQ(unframer.rejected(), 0U) << name;
  }
}

TEST(SensorStreamGolden, FindsEveryPacketInADamagedConversation) {
  const Expected expected;
  const auto bytes = golden("wire");
  Unframer unframer;
  auto piece = std::as_bytes(std::span(bytes));
  for (const char* name : {"device", "stream", "channel", "data", "data_longest", "data_edge", "status"}) {
    const auto heard = unframer.next(piece);
    ASSERT_TRUE(heard) << name;
    EXPECT_TRUE(same(*heard, expected.packets.at(name))) << name;
  }
  EXPECT_FALSE(unframer.next(piece));
  EXPECT_EQ(unframer.rejected(), 7U) << "what was before the first delimiter, and six bad frames";
}

TEST(SensorStreamGolden, ThePageShowsTheSameBytes) {
  std::istringstream page(contents("docs/sensor_stream.md"));
  std::map<std::string, std::string> shown;
  std::string name;
  for (std::string line; std::getline(page, line);) {
    const auto end = line.find(".bin`:");
    if (line.starts_with('`') && end != std::string::npos) name = line.substr(1, end - 1);
    if (line.starts_with("    ") && !name.empty()) {
      for (const char c : line) {
        if (c != ' ') shown[name] += c;
      }
    }
  }
  EXPECT_EQ(shown.size(), 8U);
  for (const auto& [file, digits] : shown) EXPECT_EQ(digits, hex(golden(file))) << file;
}

TEST(SensorStreamGolden, NoFileIsLeftUnread) {
  const Expected expected;
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(STRIGIL_SOURCE_DIR "/tests/daq/golden_sensor_stream")) {
    if (file.path().extension() != ".bin" || file.path().stem() == "wire") continue;
    ++files;
    EXPECT_TRUE(expected.packets.contains(file.path().stem())) << file.path();
  }
  EXPECT_EQ(files, expected.packets.size());
}

}  // namespace
}  // namespace strigil::daq::sensor_stream
