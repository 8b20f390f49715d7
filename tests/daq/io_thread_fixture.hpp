// The io thread with a ring, and the far ends of its wires by plain system calls. For tests.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "daq/link/io_thread.hpp"

namespace strigil::daq {

/// How long a test waits for what must come; only a broken build waits this long.
inline constexpr std::chrono::seconds kPatience{20};

/// The far end of a serial wire: the master of a pseudo-terminal. Its slave is what the link opens.
class PtyMaster {
 public:
  PtyMaster() {
    int slave = -1;
    std::array<char, 128> name{};
    EXPECT_EQ(::openpty(&master_, &slave, name.data(), nullptr, nullptr), 0);
    path_ = name.data();
    ::close(slave);
    // What poll has promised a closing slave may take away again: then a read must not wait for ever.
    EXPECT_EQ(::fcntl(master_, F_SETFL, O_NONBLOCK), 0);
  }
  ~PtyMaster() { hang_up(); }
  PtyMaster(const PtyMaster&) = delete;
  PtyMaster& operator=(const PtyMaster&) = delete;
  [[nodiscard]] std::string uri() const { return "serial://" + path_; }
  void hang_up() {
    if (master_ >= 0) ::close(master_);
    master_ = -1;
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      pollfd p{master_, POLLOUT, 0};
      ASSERT_GT(::poll(&p, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())), 0);
      const auto n = ::write(master_, bytes.data(), bytes.size());
      if (n < 0 && errno == EAGAIN) continue;
      ASSERT_GT(n, 0);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// Writes what there is room for.
  void offer(std::string_view bytes) {
    pollfd p{master_, POLLOUT, 0};
    if (::poll(&p, 1, 0) > 0 && (p.revents & POLLOUT) != 0) (void)!::write(master_, bytes.data(), bytes.size());
  }
  /// What is there now; waits for something unless told not to.
  std::string read(bool wait = true) {
    pollfd p{master_, POLLIN, 0};
    const auto longest = std::chrono::milliseconds(kPatience).count();
    if (::poll(&p, 1, wait ? static_cast<int>(longest) : 0) <= 0) return {};
    std::string bytes(65536, '\0');
    const auto n = ::read(master_, bytes.data(), bytes.size());
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  std::string read(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      const auto piece = read();
      if (piece.empty()) break;
      bytes += piece;
    }
    return bytes;
  }

 private:
  int master_ = -1;
  std::string path_;
};

/// A UDP socket on loopback.
class UdpPeer {
 public:
  /// `port` 0: any free one.
  explicit UdpPeer(std::uint16_t port = 0) : fd_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address = loopback(port);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~UdpPeer() { ::close(fd_); }
  UdpPeer(const UdpPeer&) = delete;
  UdpPeer& operator=(const UdpPeer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string uri() const { return "udp://127.0.0.1:" + std::to_string(port_); }
  /// The next datagram, and remembers who sent it.
  std::string read() {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) return {};
    std::string bytes(65536, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto n = ::recvfrom(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    host_port_ = ntohs(from.sin_port);
    return bytes;
  }
  [[nodiscard]] std::uint16_t host_port() const { return host_port_; }
  void write(std::string_view bytes) { write(bytes, host_port_); }
  void write(std::string_view bytes, std::uint16_t port) {
    const sockaddr_in to = loopback(port);
    ASSERT_EQ(::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  int fd_;
  std::uint16_t port_ = 0;
  std::uint16_t host_port_ = 0;
};

class IoThreadTest : public testing::Test {
 protected:
  std::unique_ptr<Link> open(const std::string& uri, LinkId id = 0) {
    auto link = io.open(uri, id);
    EXPECT_TRUE(link) << (link ? "" : link.error().message);
    return link ? std::move(*link) : nullptr;
  }
  std::string refusal(const std::string& uri) {
    auto link = io.open(uri, 0);
    return link ? "opened" : link.error().message;
  }
  /// The next chunk; the test fails when none comes.
  Chunk next() {
    Chunk chunk;
    const auto until = host_now() + kPatience;
    while (!chunks.pop(chunk)) {
      if (host_now() > until) {
        ADD_FAILURE() << "nothing came";
        return {};
      }
      (void)io.wait(std::chrono::milliseconds(100));
    }
    return chunk;
  }
  /// Bytes of a stream, however they were cut.
  std::string next_bytes(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size && !HasFailure()) bytes += text(next());
    return bytes;
  }
  static std::string text(const Chunk& chunk) {
    return {reinterpret_cast<const char*>(chunk.data().data()), chunk.size};
  }
  static bool write(Link& link, std::string_view bytes) { return link.write(std::as_bytes(std::span(bytes))); }
  /// Writes until the link takes it: a refusal may be the echo of an earlier datagram that nobody wanted.
  static void insist(Link& link, std::string_view bytes) {
    const auto until = host_now() + kPatience;
    while (!write(link, bytes)) ASSERT_LT(host_now(), until);
  }

  ChunkRing chunks{1024};
  IoThread io{chunks};
};

/// Every byte there is, `n` times.
inline std::string every_byte(std::size_t n = 1) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    for (int b = 0; b < 256; ++b) out += static_cast<char>(b);
  }
  return out;
}

}  // namespace strigil::daq
