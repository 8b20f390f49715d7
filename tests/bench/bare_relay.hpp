// Bare relay: what the kernel alone asks for so that one thread reads every datagram and another is woken for each.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <thread>

#include "tests/bench/cpu_clock.hpp"
#include "tests/bench/udp_device.hpp"

namespace strigil::bench {

/// CPU share of two threads that do nothing else, with `n` datagrams of `size` bytes, one a `period`. The sender's own
/// time does not count.
inline double bare_relay_share(daq::Duration period, std::uint64_t n, std::size_t size) {
  UdpDevice device;
  const int host = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  device.ask_from(host);
  device.await_host();
  std::atomic<bool> over{false};
  double reader_s = 0;
  double woken_s = 0;
  std::thread reader([&] {
    std::array<std::byte, 2048> bytes{};
    const double began_s = thread_cpu_s();
    for (std::uint64_t i = 0; i<n&& ::recv(host, bytes.data(), bytes.size(), 0)> 0; ++i) {
      const std::uint64_t one = 1;
      (void)!::write(wake, &one, sizeof one);
    }
    reader_s = thread_cpu_s() - began_s;
    over.store(true);
  });
  std::thread woken([&] {
    const double began_s = thread_cpu_s();
    while (!over.load(std::memory_order_relaxed)) {
      pollfd p{wake, POLLIN, 0};
      const timespec backstop{0, 2'000'000};
      std::uint64_t wakes = 0;
      if (::ppoll(&p, 1, &backstop, nullptr) > 0) (void)!::read(wake, &wakes, sizeof wakes);
    }
    woken_s = thread_cpu_s() - began_s;
  });
  const std::vector<std::byte> datagram(size, std::byte{1});
  every(period, n, [&] { device.send(datagram); });
  reader.join();
  woken.join();
  ::close(host);
  ::close(wake);
  return (reader_s + woken_s) / (static_cast<double>(n) * daq::seconds(period));
}

}  // namespace strigil::bench
