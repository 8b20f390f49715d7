// A device on a UDP wire, and what makes it send at its own pace.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "daq/time.hpp"
#include "tests/bench/figures.hpp"

namespace strigil::bench {

/// Bare clock_nanosleep until `at`.
inline void sleep_until(daq::HostTime at) {
  constexpr std::int64_t kSecond_ns = 1'000'000'000;
  const timespec when{at.ns / kSecond_ns, at.ns % kSecond_ns};
  (void)::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

/// Calls `send()` once a period, `n` times.
template <typename Send>
void every(daq::Duration period, std::uint64_t n, const Send& send) {
  auto at = daq::host_now();
  for (std::uint64_t i = 0; i < n; ++i) {
    at = at + period;
    sleep_until(at);
    send();
  }
}

/// The device's end of a UDP wire.
class UdpDevice {
 public:
  UdpDevice() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      give_up("no UDP port can be had");
    }
    uri_ = fmt::format("udp://127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~UdpDevice() { ::close(fd_); }
  UdpDevice(const UdpDevice&) = delete;
  UdpDevice& operator=(const UdpDevice&) = delete;
  [[nodiscard]] const std::string& uri() const { return uri_; }
  /// A host's first word, from its socket `fd`.
  void ask_from(int fd) const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    const char word = '?';
    if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        ::sendto(fd, &word, 1, 0, reinterpret_cast<const sockaddr*>(&address), size) != 1) {
      give_up("a socket of the loopback interface does not send");
    }
  }
  /// Waits for the host's first word and from then on talks to it alone.
  void await_host() {
    std::array<std::byte, 256> request{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    if (::recvfrom(fd_, request.data(), request.size(), 0, reinterpret_cast<sockaddr*>(&from), &size) <= 0 ||
        ::connect(fd_, reinterpret_cast<sockaddr*>(&from), size) != 0) {
      give_up("the rig asked nothing");
    }
  }
  void send(std::span<const std::byte> bytes) {
    if (::send(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) give_up("send failed");
  }

 private:
  int fd_;
  std::string uri_;
};

}  // namespace strigil::bench
