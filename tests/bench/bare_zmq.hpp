// Bare libzmq, the reference of what is published: a socket that sends parts, and a receiver used for both sides alike.
#pragma once

#include <zmq.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daq/time.hpp"
#include "tests/bench/figures.hpp"

namespace strigil::bench {

inline constexpr int kMessagesQueued = 8192;  // PublisherConfig's own
inline constexpr std::size_t kBlockParts = 4;

inline void must(int rc, const char* what) {
  if (rc < 0) give_up(std::string(what) + ": " + zmq_strerror(zmq_errno()));
}

/// A context with one socket.
class BareSocket {
 public:
  explicit BareSocket(int type) : context_(zmq_ctx_new()), socket_(zmq_socket(context_, type)) {
    set(ZMQ_LINGER, 0);
    set(ZMQ_SNDHWM, kMessagesQueued);
    set(ZMQ_RCVHWM, kMessagesQueued);
  }
  ~BareSocket() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  BareSocket(const BareSocket&) = delete;
  BareSocket& operator=(const BareSocket&) = delete;
  void set(int option, int value) { must(zmq_setsockopt(socket_, option, &value, sizeof value), "zmq_setsockopt"); }
  [[nodiscard]] void* get() const { return socket_; }

 private:
  void* context_;
  void* socket_;
};

/// The reference publisher: XPUB (PUB that says when somebody has subscribed) that waits for the slowest subscriber.
class BarePublisher {
 public:
  BarePublisher() : socket_(ZMQ_XPUB) {
    socket_.set(ZMQ_XPUB_NODROP, 1);
    must(zmq_bind(socket_.get(), "tcp://127.0.0.1:*"), "zmq_bind");
    std::array<char, 128> name{};
    std::size_t size = name.size();
    must(zmq_getsockopt(socket_.get(), ZMQ_LAST_ENDPOINT, name.data(), &size), "zmq_getsockopt");
    endpoint_ = name.data();
  }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  void await_subscriber() {
    std::array<char, 64> request{};
    must(zmq_recv(socket_.get(), request.data(), request.size(), 0), "zmq_recv");
  }
  void send(std::span<const std::string_view> parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      must(zmq_send(socket_.get(), parts[i].data(), parts[i].size(), i + 1 < parts.size() ? ZMQ_SNDMORE : 0),
           "zmq_send");
    }
  }

 private:
  BareSocket socket_;
  std::string endpoint_;
};

/// Receives everything on a thread of its own and counts block messages (those of four parts).
class Receiver {
 public:
  /// `arrived` is called on the receiving thread with the header (second part) of every block message, at `at`.
  using Arrived = std::function<void(std::string_view header, daq::HostTime at)>;
  explicit Receiver(const std::string& endpoint, Arrived arrived = {})
      : socket_(ZMQ_SUB), arrived_(std::move(arrived)) {
    socket_.set(ZMQ_RCVTIMEO, 100);
    must(zmq_setsockopt(socket_.get(), ZMQ_SUBSCRIBE, "", 0), "zmq_setsockopt");
    must(zmq_connect(socket_.get(), endpoint.c_str()), "zmq_connect");
    thread_ = std::thread([this] { work(); });
  }
  ~Receiver() {
    stop_.store(true);
    thread_.join();
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// Waits until `blocks` block messages have come since the beginning; the instant at which the last of them did.
  daq::HostTime await(std::uint64_t blocks) {
    const auto patience = daq::host_now() + daq::from_seconds(60);
    while (blocks_.load(std::memory_order_acquire) < blocks) {
      if (daq::host_now() > patience) {
        give_up("only " + std::to_string(blocks_.load()) + " of " + std::to_string(blocks) + " messages came in 60 s");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {newest_ns_.load(std::memory_order_acquire)};
  }
  [[nodiscard]] std::uint64_t blocks() const { return blocks_.load(std::memory_order_acquire); }
  /// Bytes of all parts of block messages.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_acquire); }

 private:
  void work() {
    std::array<zmq_msg_t, kBlockParts> parts;
    for (auto& part : parts) zmq_msg_init(&part);
    while (!stop_.load(std::memory_order_relaxed)) {
      std::size_t n = 0;
      std::uint64_t size = 0;
      bool more = true;
      while (more) {
        auto& part = parts[std::min(n, kBlockParts - 1)];
        const int rc = zmq_msg_recv(&part, socket_.get(), 0);
        if (rc < 0) break;
        size += static_cast<std::uint64_t>(rc);
        more = zmq_msg_more(&part) != 0;
        ++n;
      }
      if (n != kBlockParts) continue;
      const auto now = daq::host_now();
      if (arrived_) arrived_({static_cast<const char*>(zmq_msg_data(&parts[1])), zmq_msg_size(&parts[1])}, now);
      bytes_.fetch_add(size, std::memory_order_relaxed);
      newest_ns_.store(now.ns, std::memory_order_release);
      blocks_.fetch_add(1, std::memory_order_release);
    }
    for (auto& part : parts) zmq_msg_close(&part);
  }

  BareSocket socket_;
  Arrived arrived_;
  std::atomic<std::uint64_t> blocks_{0}, bytes_{0};
  std::atomic<std::int64_t> newest_ns_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace strigil::bench
