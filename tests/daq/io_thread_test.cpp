// The io thread on pseudo-terminals and loopback UDP: bytes, stamps, refusals, ends, and drops that are counted.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/daq/io_thread_fixture.hpp"

namespace strigil::daq {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(IoThreadTest, SerialBytesComeStampedWithTheirLink) {
  PtyMaster far;
  const auto link = open(far.uri(), 7);
  EXPECT_EQ(link->uri(), far.uri());
  const auto before = host_now();
  far.write("ok\r\n");
  std::string heard;
  while (heard.size() < 4) {
    const auto chunk = next();
    EXPECT_EQ(chunk.link, 7);
    EXPECT_EQ(chunk.kind, ChunkKind::kBytes);
    EXPECT_GE(chunk.received, before);
    EXPECT_LE(chunk.received, host_now());
    heard += text(chunk);
  }
  EXPECT_EQ(heard, "ok\r\n");
}

TEST_F(IoThreadTest, ASerialLinkIsRawBothWays) {
  PtyMaster far;
  const auto link = open(far.uri());
  const auto all = every_byte();
  far.write(all);
  EXPECT_EQ(next_bytes(all.size()), all) << "no line editing, no flow control, no echo";
  ASSERT_TRUE(write(*link, all));
  EXPECT_EQ(far.read(all.size()), all);
  EXPECT_TRUE(far.read(false).empty());
}

TEST_F(IoThreadTest, SerialBytesComeWholeAndInOrder) {
  PtyMaster far;
  const auto link = open(far.uri());
  std::mt19937 random(1);
  std::string sent(300'000, '\0');
  for (auto& c : sent) c = static_cast<char>(random());
  std::thread writer([&] {
    for (std::string_view left(sent); !left.empty();) {
      const auto n = std::min<std::size_t>(left.size(), 1 + left.size() % 3000);
      far.write(left.substr(0, n));
      left.remove_prefix(n);
    }
  });
  EXPECT_TRUE(next_bytes(sent.size()) == sent);
  writer.join();
  EXPECT_EQ(chunks.counts().dropped, 0U);
}

TEST_F(IoThreadTest, TwoLinksKeepTheirBytesApart) {
  PtyMaster a;
  PtyMaster b;
  const auto link_a = open(a.uri(), 1);
  const auto link_b = open(b.uri(), 2);
  a.write("aaaa");
  b.write("bbbb");
  std::string heard_a;
  std::string heard_b;
  while (heard_a.size() + heard_b.size() < 8 && !HasFailure()) {
    const auto chunk = next();
    (chunk.link == 1 ? heard_a : heard_b) += text(chunk);
  }
  EXPECT_EQ(heard_a, "aaaa");
  EXPECT_EQ(heard_b, "bbbb");
}

TEST_F(IoThreadTest, AFarEndThatHangsUpIsToldOnceAndWritesAreRefused) {
  PtyMaster far;
  const auto link = open(far.uri(), 3);
  far.write("last words");
  EXPECT_EQ(next_bytes(10), "last words");
  far.hang_up();
  const auto chunk = next();
  EXPECT_EQ(chunk.kind, ChunkKind::kClosed);
  EXPECT_EQ(chunk.link, 3);
  EXPECT_EQ(chunk.size, 0);
  EXPECT_FALSE(write(*link, "?"));
  EXPECT_EQ(chunks.size(), 0U);
}

TEST_F(IoThreadTest, NoCommandIsTornWhenThePortIsFull) {
  PtyMaster far;
  const auto link = open(far.uri());
  // Nobody reads: at some time a command goes out in part, and the next one is refused whole.
  std::string accepted;
  bool refused = false;
  for (int n = 0; n < 10'000 && !refused; ++n) {
    const auto command = "$J=G53G21X" + std::to_string(n) + std::string(static_cast<std::size_t>(n % 60), '.') + '\n';
    refused = !write(*link, command);
    if (!refused) accepted += command;
  }
  ASSERT_TRUE(refused);
  // Now somebody does. What was accepted comes first, and whole.
  const auto until = host_now() + kPatience;
  std::string heard;
  while (!write(*link, "last\n")) {
    heard += far.read(false);
    ASSERT_LT(host_now(), until);
  }
  accepted += "last\n";
  if (heard.size() < accepted.size()) heard += far.read(accepted.size() - heard.size());
  EXPECT_TRUE(heard == accepted) << heard.size() << " of " << accepted.size();
}

TEST_F(IoThreadTest, ASerialWriteThatCouldBeTornIsRefusedWhole) {
  PtyMaster far;
  const auto link = open(far.uri());
  EXPECT_FALSE(write(*link, std::string(kLongestSerialWrite + 1, 'x')));
  EXPECT_TRUE(write(*link, std::string(kLongestSerialWrite, 'y')));
  EXPECT_EQ(far.read(kLongestSerialWrite), std::string(kLongestSerialWrite, 'y'));
  EXPECT_TRUE(far.read(false).empty());
}

TEST_F(IoThreadTest, MissingPortsAndThingsThatAreNone) {
  EXPECT_THAT(refusal("serial:///dev/strigil-no-such-port"), HasSubstr("there is no port"));
  EXPECT_THAT(refusal("serial:///dev/strigil-no-such-port"), HasSubstr("this computer"));
  EXPECT_THAT(refusal("serial:///dev/null"), HasSubstr("/dev/null"));
  EXPECT_THAT(refusal("serial:///tmp"), HasSubstr("/tmp"));
  EXPECT_THAT(refusal("serial://" STRIGIL_SOURCE_DIR "/README.md"), HasSubstr("README.md"));
  for (const auto& port : list_ports()) EXPECT_FALSE(port.name.empty());
}

TEST_F(IoThreadTest, LinksThatAreNotItsBusinessAreRefusedInWords) {
  EXPECT_THAT(refusal("memory:stage"), HasSubstr("strigil sim"));
  EXPECT_THAT(refusal("replay:run.h5#force"), HasSubstr("there is no run file"));
  EXPECT_THAT(refusal("udp://localhost:1"), HasSubstr("not an IP address"));
  EXPECT_THAT(refusal("nonsense"), HasSubstr("it begins with serial://"));
}

TEST_F(IoThreadTest, ABusyPortIsRefusedUntilItIsFree) {
  PtyMaster far;
  auto link = open(far.uri());
  EXPECT_THAT(refusal(far.uri()), HasSubstr("busy"));
  {
    // Another program would be refused, too.
    ChunkRing other_chunks(4);
    IoThread other(other_chunks);
    const auto again = other.open(far.uri(), 0);
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("busy"));
  }
  far.write("still mine");
  EXPECT_EQ(next_bytes(10), "still mine");
  link.reset();
  link = open(far.uri());
  far.write("mine again");
  EXPECT_EQ(next_bytes(10), "mine again");
}

TEST_F(IoThreadTest, AClosedLinkPutsNothingMore) {
  PtyMaster far;
  UdpPeer peer;
  auto link = open(far.uri());
  const auto udp = open(peer.uri(), 1);
  far.write("before");
  EXPECT_EQ(next_bytes(6), "before");
  link.reset();
  far.write("after");
  // A round trip by the other link: the io thread has been through its events since.
  insist(*udp, "hello");
  EXPECT_EQ(peer.read(), "hello");
  peer.write("world");
  EXPECT_EQ(text(next()), "world");
  EXPECT_EQ(chunks.size(), 0U);
}

TEST_F(IoThreadTest, LinksCloseWhileBytesAreOnTheirWay) {
  // A read that has succeeded may wait for its turn while its link is closed.
  PtyMaster far;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) {
      far.offer("noise ");
      (void)far.read(false);
    }
  });
  for (int n = 0; n < 300; ++n) {
    auto link = open(far.uri());
    if (link == nullptr) break;
    const auto chunk = next();
    EXPECT_EQ(chunk.kind, ChunkKind::kBytes);
    EXPECT_GT(chunk.size, 0U);
    (void)write(*link, "?");
  }
  done = true;
  writer.join();
  Chunk chunk;
  while (chunks.pop(chunk)) EXPECT_EQ(chunk.kind, ChunkKind::kBytes);
}

TEST_F(IoThreadTest, DatagramsKeepTheirBounds) {
  UdpPeer peer;
  const auto link = open(peer.uri(), 5);
  insist(*link, "start");
  EXPECT_EQ(peer.read(), "start");
  for (const std::size_t size : {0U, 1U, 36U, 72U, 1471U, 1472U}) {
    const auto before = host_now();
    peer.write(every_byte(6).substr(0, size));
    const auto chunk = next();
    EXPECT_EQ(chunk.kind, ChunkKind::kDatagram);
    EXPECT_EQ(chunk.link, 5);
    EXPECT_EQ(text(chunk), every_byte(6).substr(0, size));
    EXPECT_GE(chunk.received, before);
    EXPECT_LE(chunk.received, host_now());
  }
}

TEST_F(IoThreadTest, OversizeDatagramsAreCutAndMarked) {
  UdpPeer peer;
  const auto link = open(peer.uri());
  insist(*link, "start");
  (void)peer.read();
  for (const std::size_t size : {1473U, 1474U, 9000U, 60000U}) {
    peer.write(every_byte(256).substr(0, size));
    const auto chunk = next();
    EXPECT_EQ(chunk.kind, ChunkKind::kTruncated) << size;
    EXPECT_EQ(text(chunk), every_byte(6).substr(0, kChunkCapacity));
  }
  peer.write("small");
  EXPECT_EQ(next().kind, ChunkKind::kDatagram) << "and it goes on";
}

TEST_F(IoThreadTest, UdpWritesAreOneDatagramOrNone) {
  UdpPeer peer;
  const auto link = open(peer.uri());
  insist(*link, "one");
  insist(*link, "two");
  EXPECT_EQ(peer.read(), "one");
  EXPECT_EQ(peer.read(), "two");
  EXPECT_FALSE(write(*link, std::string(70'000, 'x'))) << "no datagram is that long";
}

TEST_F(IoThreadTest, OnlyThePeerIsHeard) {
  UdpPeer peer;
  UdpPeer stranger;
  const auto link = open(peer.uri());
  insist(*link, "start");
  (void)peer.read();
  stranger.write("false force", peer.host_port());
  peer.write("true force");
  EXPECT_EQ(text(next()), "true force");
  EXPECT_EQ(chunks.size(), 0U);
}

TEST_F(IoThreadTest, APeerThatIsNotThereYetIsHeardWhenItComes) {
  std::uint16_t port = 0;
  std::unique_ptr<Link> link;
  {
    UdpPeer peer;
    port = peer.port();
    link = open(peer.uri());
  }
  // Nobody listens: the kernel refuses these, and the link lives on.
  for (int n = 0; n < 10; ++n) (void)write(*link, "anybody?");
  UdpPeer peer(port);
  insist(*link, "hello");
  std::string heard;
  do heard = peer.read();
  while (heard == "anybody?");
  EXPECT_EQ(heard, "hello");
  peer.write("here I am");
  const auto chunk = next();
  EXPECT_EQ(chunk.kind, ChunkKind::kDatagram);
  EXPECT_EQ(text(chunk), "here I am");
}

TEST_F(IoThreadTest, WaitWakesForWhatCameAndForNothingElse) {
  UdpPeer peer;
  const auto link = open(peer.uri());
  insist(*link, "start");
  (void)peer.read();
  EXPECT_FALSE(io.wait(1ms));
  peer.write("x");
  EXPECT_TRUE(io.wait(kPatience));
  EXPECT_EQ(chunks.size(), 1U);
  EXPECT_FALSE(io.wait(0ms)) << "that one has been told";
}

TEST(IoThread, AFullRingCountsWhatItRefusesAndKeepsTheOldest) {
  ChunkRing chunks(4);
  IoThread io(chunks);
  UdpPeer peer;
  const auto link = io.open(peer.uri(), 0);
  ASSERT_TRUE(link);
  ASSERT_TRUE((*link)->write(std::as_bytes(std::span("start", 5))));
  (void)peer.read();
  for (char c = '0'; c <= '9'; ++c) peer.write(std::string(1, c));
  const auto until = host_now() + kPatience;
  while (chunks.counts().pushed + chunks.counts().dropped < 10) {
    ASSERT_LT(host_now(), until);
    (void)io.wait(100ms);
  }
  EXPECT_EQ(chunks.counts().pushed, 4U);
  EXPECT_EQ(chunks.counts().dropped, 6U);
  EXPECT_EQ(chunks.counts().high_water, 4U);
  Chunk chunk;
  for (char c = '0'; c <= '3'; ++c) {
    ASSERT_TRUE(chunks.pop(chunk));
    EXPECT_EQ(chunk.bytes[0], static_cast<std::byte>(c));
  }
  // Room again: the next one comes through.
  peer.write("x");
  while (!chunks.pop(chunk)) {
    ASSERT_LT(host_now(), until);
    (void)io.wait(100ms);
  }
  EXPECT_EQ(chunk.bytes[0], std::byte{'x'});
}

TEST(IoThread, BeginsAndEndsManyTimes) {
  ChunkRing chunks(4);
  UdpPeer peer;
  for (int n = 0; n < 100; ++n) {
    IoThread io(chunks);
    const auto link = io.open(peer.uri(), 0);
    ASSERT_TRUE(link);
  }
  EXPECT_EQ(chunks.counts().pushed, 0U);
}

}  // namespace
}  // namespace strigil::daq
