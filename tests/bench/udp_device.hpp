// The device's end of a UDP wire.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string>

#include "tests/bench/figures.hpp"

namespace strigil::bench {

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
