// Link URIs: what they say, and that what is wrong is named with an example of what would be right.
#include "daq/link/uri.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace strigil::daq {
namespace {

using testing::HasSubstr;

LinkUri parsed(std::string_view text) {
  const auto uri = parse_link_uri(text);
  EXPECT_TRUE(uri) << text << ": " << (uri ? "" : uri.error().message);
  return uri ? *uri : LinkUri{};
}

std::string refusal(std::string_view text) {
  const auto uri = parse_link_uri(text);
  return uri ? "accepted" : uri.error().message;
}

TEST(LinkUri, Serial) {
  const auto plain = parsed("serial:///dev/ttyACM0");
  EXPECT_EQ(plain.scheme, LinkScheme::kSerial);
  EXPECT_EQ(plain.path, "/dev/ttyACM0");
  EXPECT_EQ(plain.baud, 115200);
  EXPECT_EQ(parsed("serial:///dev/serial/by-id/usb-x y?baud=921600").baud, 921600);
  EXPECT_EQ(parsed("serial:///dev/serial/by-id/usb-x y?baud=921600").path, "/dev/serial/by-id/usb-x y");
  EXPECT_EQ(parsed("serial:///dev/a?baud=300").baud, 300);
  EXPECT_EQ(parsed("serial:///dev/a?baud=12000000").baud, 12'000'000);
}

TEST(LinkUri, SerialRefusals) {
  EXPECT_THAT(refusal("serial://ttyACM0"), HasSubstr("absolute path"));
  EXPECT_THAT(refusal("serial://"), HasSubstr("absolute path"));
  for (const char* query : {"?", "?baud=", "?baud=299", "?baud=12000001", "?baud=-9600", "?baud=9600x", "?baud= 9600",
                            "?baud=99999999999999999999", "?parity=even", "?baud=9600&baud=9600", "?baud=9600?"}) {
    EXPECT_THAT(refusal(std::string("serial:///dev/a") + query), HasSubstr("baud=300..12000000")) << query;
  }
  EXPECT_THAT(refusal("serial://ttyACM0"), HasSubstr("for example serial:///dev/ttyACM0?baud=115200"));
}

TEST(LinkUri, Udp) {
  const auto four = parsed("udp://192.168.1.1:49152");
  EXPECT_EQ(four.scheme, LinkScheme::kUdp);
  EXPECT_EQ(four.host, "192.168.1.1");
  EXPECT_EQ(four.port, 49152);
  const auto six = parsed("udp://[::1]:65535");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 65535);
}

TEST(LinkUri, UdpRefusals) {
  for (const char* text :
       {"udp://", "udp://127.0.0.1", "udp://127.0.0.1:", "udp://127.0.0.1:0", "udp://127.0.0.1:65536",
        "udp://127.0.0.1:-1", "udp://127.0.0.1:80x", "udp://127.0.0.1:80/"}) {
    EXPECT_THAT(refusal(text), HasSubstr("a port from 1 to 65535")) << text;
  }
  EXPECT_THAT(refusal("udp://:49152"), HasSubstr("address is missing"));
}

TEST(LinkUri, MemoryAndReplay) {
  EXPECT_EQ(parsed("memory:stage").scheme, LinkScheme::kMemory);
  EXPECT_EQ(parsed("memory:stage").path, "stage");
  EXPECT_THAT(refusal("memory:"), HasSubstr("name is missing"));
  const auto replay = parsed("replay:runs/a#b.h5#force");
  EXPECT_EQ(replay.scheme, LinkScheme::kReplay);
  EXPECT_EQ(replay.path, "runs/a#b.h5") << "the last # divides";
  EXPECT_EQ(replay.stream, "force");
  for (const char* text : {"replay:", "replay:run.h5", "replay:run.h5#", "replay:#force"}) {
    EXPECT_THAT(refusal(text), HasSubstr("run file and #stream")) << text;
  }
}

TEST(LinkUri, OtherRefusals) {
  for (const char* text : {"", "tcp://127.0.0.1:1", "/dev/ttyACM0", "SERIAL:///dev/a", "serial:/dev/a", " memory:a"}) {
    EXPECT_THAT(refusal(text), HasSubstr("it begins with serial://, udp://, memory: or replay:")) << text;
  }
  EXPECT_THAT(refusal(std::string_view("memory:a\0b", 10)), HasSubstr("NUL"));
  EXPECT_EQ(refusal("memory:" + std::string(1017, 'x')), "accepted");
  const auto message = refusal("memory:" + std::string(5000, 'x'));
  EXPECT_THAT(message, HasSubstr("too long"));
  EXPECT_LT(message.size(), 1200U) << "and it is not all repeated";
}

TEST(LinkUri, SurvivesRandomText) {
  std::mt19937 random(1);
  const std::array<std::string_view, 12> pieces{"serial://", "udp://", "memory:", "replay:", "?baud=", "#",
                                                ":",         "[",      "]",       "/dev/",   "9600",   "127.0.0.1"};
  std::size_t accepted = 0;
  for (int n = 0; n < 100'000; ++n) {
    std::string text;
    for (auto left = random() % 6; left > 0; --left) {
      text += random() % 4 == 0 ? std::string(1, static_cast<char>(random())) : pieces[random() % pieces.size()];
    }
    const auto uri = parse_link_uri(text);
    if (!uri) {
      ASSERT_FALSE(uri.error().message.empty());
      continue;
    }
    ++accepted;
    ASSERT_TRUE(uri->scheme != LinkScheme::kSerial || (uri->path.starts_with('/') && uri->baud >= 300));
    ASSERT_TRUE(uri->scheme != LinkScheme::kUdp || (!uri->host.empty() && uri->port != 0));
  }
  EXPECT_GT(accepted, 100U);
}

}  // namespace
}  // namespace strigil::daq
