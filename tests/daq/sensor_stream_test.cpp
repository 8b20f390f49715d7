// The sensor stream at the wire: every packet both ways, every bound, damage, and that cuts of the bytes mean nothing.
#include "daq/codec/sensor_stream.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "daq/codec/crc16.hpp"

namespace strigil::daq::sensor_stream {
namespace {

using Bytes = std::vector<std::byte>;

Bytes framed(std::uint32_t device, const Body& body) {
  Frame frame;
  encode({device, body}, frame);
  return {frame.data().begin(), frame.data().end()};
}

/// Any plain bytes with a good CRC, COBS and delimiter: only the bounds can refuse them.
Bytes sealed(Bytes plain) {
  const auto crc = crc16(plain);
  plain.push_back(static_cast<std::byte>(crc));
  plain.push_back(static_cast<std::byte>(crc >> 8U));
  Bytes out(cobs_bound(plain.size()));
  out.resize(cobs_encode(plain, out));
  out.push_back(std::byte{0});
  return out;
}

/// The packet inside a frame, without CRC.
Bytes opened(std::span<const std::byte> frame) {
  Bytes out(kMaxPacket);
  out.resize(cobs_decode(frame.first(frame.size() - 1), out).value());
  out.resize(out.size() - kCrcSize);
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes counts_of(const std::vector<std::int32_t>& values) {
  Bytes out;
  for (const auto v : values) {
    for (unsigned i = 0; i < 4; ++i) out.push_back(static_cast<std::byte>(static_cast<std::uint32_t>(v) >> (8 * i)));
  }
  return out;
}

/// Everything a packet says, in words.
struct Words {
  std::string operator()(const Request& r) const { return fmt::format("request {}", static_cast<int>(r.type)); }
  std::string operator()(const Device& d) const { return fmt::format("device {} {} {}", d.streams, d.name, d.serial); }
  std::string operator()(const Stream& s) const {
    return fmt::format("stream {} x{} {} Hz {} Hz {}..{} {} {}", s.index, s.channels, s.rate_Hz, s.tick_rate_Hz,
                       s.counts_min, s.counts_max, s.name, s.quantity);
  }
  std::string operator()(const Channel& c) const {
    return fmt::format("channel {}.{} {} {} {} {}", c.stream, c.channel, c.scale, c.offset, c.name, c.unit);
  }
  std::string operator()(const Data& d) const {
    auto text =
        fmt::format("data {} {} {}x{} @{} #{}", d.stream, d.fault, d.samples, d.channels, d.ticks, d.first_sample);
    for (std::size_t i = 0; i < d.counts.size() / 4; ++i) text += fmt::format(" {}", d.count_at(i));
    return text;
  }
  std::string operator()(const Status& s) const { return fmt::format("status {} {}", s.code, s.text); }
};
std::string words(std::uint32_t device, const Body& body) {
  return fmt::format("{:08x} {}", device, std::visit(Words{}, body));
}

struct Heard {
  std::vector<std::string> packets;
  std::uint64_t rejected = 0;
  friend bool operator==(const Heard&, const Heard&) = default;
};
Heard hear(std::span<const std::byte> wire, const std::vector<std::size_t>& cuts = {}) {
  Unframer unframer;
  Heard heard;
  std::size_t from = 0;
  const auto take = [&](std::size_t to) {
    auto piece = wire.subspan(from, to - from);
    while (const auto p = unframer.next(piece)) heard.packets.push_back(words(p->device, p->body));
    EXPECT_TRUE(piece.empty());
    from = to;
  };
  for (const auto cut : cuts) take(cut);
  take(wire.size());
  heard.rejected = unframer.rejected();
  return heard;
}

constexpr std::uint32_t kDevice = 0x57A1C0DE;
const Stream kStream{1, 3, 6400, 1e6, -32768, 32767, "vibration", "acceleration"};
const Channel kChannel{1, 2, 4.7884e-3, -0.5, "az", "m/s2"};

Data data_of(const Bytes& counts, std::uint8_t channels) {
  return {2, true, channels, static_cast<std::uint8_t>(counts.size() / 4 / channels), 0xFFFFFFF0, 0xFFFFFFFF, counts};
}

/// One of each packet, and the longest.
std::vector<Body> every_body() {
  static const auto kFew = counts_of(
      {0, -1, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), 256, -65536});
  static const auto kMost = [] {
    std::vector<std::int32_t> values(kMaxBlockValues, 0x01010101);
    return counts_of(values);
  }();
  static const std::string kLong(kMaxText, 'x');
  return {Request{Type::kDescribe},
          Request{Type::kStart},
          Request{Type::kStop},
          Device{4, "Strigil twin accelerometer", "SIM-1"},
          Device{1, "", ""},
          Device{1, kLong, kLong},
          kStream,
          Stream{3, 16, 1e6, 1e9, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(),
                 kLong, kLong},
          kChannel,
          Channel{3, 15, -1e300, 1e-300, kLong, "~"},
          data_of(kFew, 3),
          data_of(kMost, 6),
          Status{0, "ready"},
          Status{255, ""}};
}

TEST(SensorStream, EveryPacketComesBackAsItWasSent) {
  for (const auto& body : every_body()) {
    const auto wire = framed(kDevice, body);
    EXPECT_LE(wire.size(), kMaxFrame);
    EXPECT_EQ(std::count(wire.begin(), wire.end(), std::byte{0}), 1);
    const auto heard = hear(wire);
    EXPECT_EQ(heard.packets, std::vector{words(kDevice, body)});
    EXPECT_EQ(heard.rejected, 0U);
  }
}

TEST(SensorStream, TheLongestPacketIsTheLongest) {
  EXPECT_EQ(opened(framed(kDevice, every_body()[11])).size() + kCrcSize, kMaxPacket);
}

TEST(SensorStream, TextsLongerThanTheirRoomAreCut) {
  const std::string text(kMaxText + 1, 'x');
  EXPECT_EQ(hear(framed(1, Status{1, text})).packets, std::vector{words(1, Status{1, text.substr(0, kMaxText)})});
}

/// A packet of `type` with `body`, sealed: refused or not by its bounds alone.
bool accepted(Type type, const Bytes& body, std::uint8_t version = kVersion) {
  const Bytes head{std::byte{version}, static_cast<std::byte>(type), std::byte{1}, std::byte{0}, std::byte{0},
                   std::byte{0}};
  const auto heard = hear(sealed(head + body));
  EXPECT_EQ(heard.packets.size() + heard.rejected, 1U);
  return heard.rejected == 0;
}
/// `good` with `values` put over its bytes from `at` on.
Bytes with(Bytes good, std::size_t at, const Bytes& values) {
  std::copy(values.begin(), values.end(), good.begin() + static_cast<std::ptrdiff_t>(at));
  return good;
}
Bytes number(std::uint64_t v, std::size_t size) {
  Bytes out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::byte>(v >> (8 * i)));
  return out;
}
Bytes real(double v) { return number(std::bit_cast<std::uint64_t>(v), 8); }
Bytes body_of(const Body& body) {
  auto plain = opened(framed(1, body));
  plain.erase(plain.begin(), plain.begin() + kHeaderSize);
  return plain;
}

TEST(SensorStream, RefusesOtherVersionsAndUnknownTypes) {
  const auto device = body_of(Device{1, "a", "b"});
  EXPECT_TRUE(accepted(Type::kDevice, device));
  EXPECT_FALSE(accepted(Type::kDevice, device, 0));
  EXPECT_FALSE(accepted(Type::kDevice, device, 2));
  const std::vector<int> known{0x01, 0x02, 0x03, 0x81, 0x82, 0x83, 0x84, 0x85};
  for (int type = 0; type < 256; ++type) {
    if (std::find(known.begin(), known.end(), type) == known.end()) {
      EXPECT_FALSE(accepted(static_cast<Type>(type), {})) << type;
    }
  }
}

TEST(SensorStream, RefusesBodiesThatAreTooShortOrTooLong) {
  for (const auto& body : every_body()) {
    const auto plain = opened(framed(1, body));
    EXPECT_EQ(hear(sealed(plain)).rejected, 0U);
    for (std::size_t size = 0; size < plain.size(); ++size) {
      const auto shorter = Bytes(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_EQ(hear(sealed(shorter)).rejected, 1U) << std::visit(Words{}, body) << " cut to " << size;
    }
    EXPECT_EQ(hear(sealed(plain + Bytes{std::byte{7}})).rejected, 1U) << std::visit(Words{}, body);
  }
}

TEST(SensorStream, RefusesDeviceAndTextsOutOfBounds) {
  const auto device = body_of(Device{1, "ab", "c"});
  EXPECT_FALSE(accepted(Type::kDevice, with(device, 0, number(0, 1)))) << "no streams";
  EXPECT_FALSE(accepted(Type::kDevice, with(device, 0, number(5, 1)))) << "five streams";
  EXPECT_FALSE(accepted(Type::kDevice, with(device, 1, number(3, 1)))) << "the name eats the serial's length";
  for (const int c : {0, 0x1F, 0x7F, 0x80, 0xFF}) {
    EXPECT_FALSE(accepted(Type::kDevice, with(device, 2, number(static_cast<unsigned>(c), 1)))) << c;
  }
  const auto text = [](std::size_t size) { return number(1, 1) + number(size, 1) + Bytes(size, std::byte{'x'}); };
  EXPECT_TRUE(accepted(Type::kStatus, text(kMaxText)));
  EXPECT_FALSE(accepted(Type::kStatus, text(kMaxText + 1)));
}

TEST(SensorStream, RefusesStreamsOutOfBounds) {
  const auto stream = body_of(kStream);
  EXPECT_TRUE(accepted(Type::kStream, stream));
  EXPECT_FALSE(accepted(Type::kStream, with(stream, 0, number(4, 1)))) << "index";
  EXPECT_FALSE(accepted(Type::kStream, with(stream, 1, number(0, 1)))) << "no channels";
  EXPECT_FALSE(accepted(Type::kStream, with(stream, 1, number(17, 1)))) << "17 channels";
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double rate_Hz : {0.0, -1.0, 0.999e-3, 1e-300, 1.001e6, nan, HUGE_VAL}) {
    EXPECT_FALSE(accepted(Type::kStream, with(stream, 2, real(rate_Hz)))) << rate_Hz;
  }
  for (const double tick_rate_Hz : {0.0, -1.0, 999.0, 1e-300, 1.001e9, nan, -HUGE_VAL}) {
    EXPECT_FALSE(accepted(Type::kStream, with(stream, 10, real(tick_rate_Hz)))) << tick_rate_Hz;
  }
  EXPECT_TRUE(accepted(Type::kStream, with(stream, 2, real(1e6) + real(1e9))));
  EXPECT_TRUE(accepted(Type::kStream, with(stream, 2, real(1e-3) + real(1e3))));
  EXPECT_FALSE(accepted(Type::kStream, with(stream, 18, number(5, 4) + number(5, 4)))) << "no range";
  EXPECT_FALSE(accepted(Type::kStream, with(stream, 18, number(5, 4) + number(0xFFFFFFFF, 4)))) << "5 .. -1";
}

TEST(SensorStream, RefusesChannelsOutOfBounds) {
  const auto channel = body_of(kChannel);
  EXPECT_TRUE(accepted(Type::kChannel, channel));
  EXPECT_FALSE(accepted(Type::kChannel, with(channel, 0, number(4, 1)))) << "stream";
  EXPECT_FALSE(accepted(Type::kChannel, with(channel, 1, number(16, 1)))) << "channel";
  EXPECT_FALSE(accepted(Type::kChannel, with(channel, 2, real(0)))) << "no scale";
  EXPECT_FALSE(accepted(Type::kChannel, with(channel, 2, real(std::nan(""))))) << "scale";
  EXPECT_FALSE(accepted(Type::kChannel, with(channel, 10, real(HUGE_VAL)))) << "offset";
}

TEST(SensorStream, RefusesDataOutOfBounds) {
  const auto counts = counts_of({1, 2, 3, 4, 5, 6});
  const auto data = body_of(data_of(counts, 3));
  EXPECT_TRUE(accepted(Type::kData, data));
  EXPECT_FALSE(accepted(Type::kData, with(data, 0, number(4, 1)))) << "stream";
  EXPECT_FALSE(accepted(Type::kData, with(data, 2, number(0, 1)))) << "no channels";
  EXPECT_FALSE(accepted(Type::kData, with(data, 3, number(0, 1)))) << "no samples";
  EXPECT_FALSE(accepted(Type::kData, with(data, 2, number(2, 1)))) << "fewer channels than counts";
  EXPECT_FALSE(accepted(Type::kData, with(data, 3, number(3, 1)))) << "more samples than counts";
  EXPECT_TRUE(accepted(Type::kData, with(data, 1, number(0xFE, 1)))) << "unknown flags mean nothing";
  const auto many = [&](std::size_t samples, std::size_t channels) {
    auto head = with(Bytes(data.begin(), data.begin() + kDataHeaderSize), 2, number(channels, 1) + number(samples, 1));
    return accepted(Type::kData, head + Bytes(4 * samples * channels));
  };
  EXPECT_TRUE(many(64, 6));
  EXPECT_TRUE(many(24, 16));
  EXPECT_FALSE(many(65, 1));
  EXPECT_FALSE(many(22, 17));
  EXPECT_FALSE(many(64, 7));
  EXPECT_FALSE(many(25, 16));
}

TEST(SensorStream, EveryFlippedBitIsSeen) {
  for (const auto& body : every_body()) {
    const auto good = framed(kDevice, body);
    const auto as_sent = words(kDevice, body);
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
      auto bad = good;
      bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      // A good packet behind it comes through, unless it was the delimiter between them that broke.
      const auto heard = hear(bad + framed(kDevice, Status{9, "next"}));
      const bool delimited = bit / 8 + 1 != good.size();
      ASSERT_EQ(heard.packets, delimited ? std::vector{words(kDevice, Status{9, "next"})} : std::vector<std::string>{})
          << as_sent << " bit " << bit;
      ASSERT_GE(heard.rejected, 1U);
    }
  }
}

TEST(Unframer, AnOversizeFrameIsDroppedWholeAndTheNextComesThrough) {
  const auto stop = framed(kDevice, Request{Type::kStop});
  for (const std::size_t extra : {std::size_t{0}, std::size_t{1}, std::size_t{100000}}) {
    const Bytes endless(kMaxFrame + extra, std::byte{0x55});
    const auto heard = hear(endless + Bytes{std::byte{0}} + stop);
    EXPECT_EQ(heard.packets.size(), 1U);
    EXPECT_EQ(heard.rejected, 1U);
  }
  // Even when it ends like a good one.
  const auto heard = hear(Bytes(kMaxFrame, std::byte{0x01}) + stop + stop);
  EXPECT_EQ(heard.packets.size(), 1U);
  EXPECT_EQ(heard.rejected, 1U);
}

TEST(Unframer, DelimitersBetweenFramesMeanNothing) {
  const Bytes zeros(7, std::byte{0});
  const auto heard = hear(zeros + framed(1, Request{Type::kStart}) + zeros + framed(1, Request{Type::kStop}) + zeros);
  EXPECT_EQ(heard.packets.size(), 2U);
  EXPECT_EQ(heard.rejected, 0U);
}

TEST(Unframer, AStreamJoinedInTheMiddleIsInStepAtTheNextDelimiter) {
  const auto first = framed(kDevice, every_body()[11]);
  const auto second = framed(kDevice, kStream);
  for (std::size_t from = 1; from < first.size() - 1; ++from) {
    const auto heard = hear(Bytes(first.begin() + static_cast<std::ptrdiff_t>(from), first.end()) + second);
    ASSERT_EQ(heard.packets, std::vector{words(kDevice, kStream)});
    ASSERT_EQ(heard.rejected, 1U);
  }
}

/// Good packets with all sorts of dirt between them.
Bytes dirty_wire(std::mt19937& random) {
  Bytes wire;
  for (int n = 0; n < 3; ++n) {
    for (const auto& body : every_body()) {
      wire = wire + framed(kDevice + static_cast<std::uint32_t>(random() % 3), body);
      switch (random() % 6) {
        case 0: {  // garbage and its end
          for (auto left = random() % 40; left > 0; --left) wire.push_back(static_cast<std::byte>(random()));
          wire.push_back(std::byte{0});
          break;
        }
        case 1:  // one flipped bit somewhere in what was sent so far
          wire[random() % wire.size()] ^= static_cast<std::byte>(1U << random() % 8);
          break;
        case 2:  // bytes lost
          wire.resize(wire.size() - random() % 5);
          break;
        case 3:
          wire = wire + Bytes(kMaxFrame + 5, std::byte{3}) + Bytes{std::byte{0}};
          break;
        default:
          break;
      }
    }
  }
  return wire;
}

class UnframerSplitting : public testing::TestWithParam<unsigned> {};

TEST_P(UnframerSplitting, SamePacketsForAThousandRandomSplittings) {
  std::mt19937 random(GetParam());
  const auto wire = dirty_wire(random);
  const auto whole = hear(wire);
  ASSERT_GT(whole.packets.size(), 10U);
  ASSERT_GT(whole.rejected, 3U);
  for (int n = 0; n < 1000; ++n) {
    std::vector<std::size_t> cuts;
    const auto longest = 1 + random() % (n % 2 == 0 ? 30 : 2000);
    for (std::size_t at = random() % longest; at < wire.size(); at += 1 + random() % longest) cuts.push_back(at);
    ASSERT_EQ(hear(wire, cuts), whole);
  }
}

INSTANTIATE_TEST_SUITE_P(FourWires, UnframerSplitting, testing::Values(1, 2, 3, 4));

TEST(Unframer, SurvivesRandomBytesAndThenWorks) {
  std::mt19937 random(5);
  Unframer unframer;
  for (int n = 0; n < 20000; ++n) {
    Bytes noise(random() % 300);
    for (auto& b : noise) b = static_cast<std::byte>(n % 2 == 0 ? random() : random() % 4);
    std::span<const std::byte> piece(noise);
    while (const auto p = unframer.next(piece)) (void)words(p->device, p->body);
  }
  EXPECT_GT(unframer.rejected(), 10000U);
  const auto rejected = unframer.rejected();
  const auto wire = Bytes{std::byte{0}} + framed(kDevice, kChannel);
  std::span<const std::byte> piece(wire);
  const auto p = unframer.next(piece);
  ASSERT_TRUE(p);
  EXPECT_EQ(words(p->device, p->body), words(kDevice, kChannel));
  EXPECT_LE(unframer.rejected(), rejected + 1);
}

TEST(SensorStream, SurvivesSealedRandomBodies) {
  // The CRC is right, so that random bytes get into the parser of every type.
  std::mt19937 random(6);
  std::size_t accepted_count = 0;
  for (int n = 0; n < 100000; ++n) {
    const auto bodies = every_body();
    auto plain = opened(framed(kDevice, bodies[random() % bodies.size()]));
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      plain[random() % std::min<std::size_t>(plain.size(), 40)] = static_cast<std::byte>(random());
    }
    const auto crc = crc16(plain);
    const auto whole = plain + number(crc, 2);  // the packet points into it
    const auto packet = decode(whole);
    if (!packet) continue;
    ++accepted_count;
    // What is accepted can be said again and means the same.
    ASSERT_EQ(hear(framed(packet->device, packet->body)).packets, std::vector{words(packet->device, packet->body)});
  }
  EXPECT_GT(accepted_count, 1000U);
  EXPECT_LT(accepted_count, 99000U);
}

}  // namespace
}  // namespace strigil::daq::sensor_stream
