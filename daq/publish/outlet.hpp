// Outlet: the publisher's sockets and nothing else: binding, admission, subscriptions, sending, closing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "daq/publish/publisher.hpp"
#include "daq/wake.hpp"

namespace strigil::daq {

/// Part of Publisher. One thread at a time, except where said. Handing it to another thread needs a full barrier
/// (starting or joining that thread), as ZeroMQ sockets do.
class Outlet {
 public:
  /// What happens at the sockets, told on the thread that serves.
  struct Watcher {
    std::function<void()> newcomers;  ///< before their subscriptions are counted
    /// Subscriptions under kAcknowledgementRoot, which count as none: true when made, false when taken back.
    std::function<void(std::string_view topic, bool made)> acknowledgement;
  };
  Outlet(const PublisherConfig& config, Watcher watcher);
  /// Closes like close().
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  /// Binds. Errors: keys unreadable; endpoint refused or busy.
  Result<void> open();
  /// Any thread once open() has returned.
  [[nodiscard]] const std::string& bound_endpoint() const;
  [[nodiscard]] const std::string& public_key() const;

  /// Admits clients, counts subscriptions, has the streams described to newcomers. True when there was any request.
  bool serve();
  /// Waits until there is a request, 1 ms at most.
  void wait_briefly();
  /// Waits until there is a request or `wake` rings, 10 ms at most: somebody may push and ring for nobody. The caller
  /// has announced its sleep and found nothing to do.
  void wait(Wake& wake);
  /// Subscriptions that stand now. Any thread.
  [[nodiscard]] std::size_t subscriptions() const noexcept;
  /// Waits until another thread's serve() has counted so many; false after `timeout`. Any thread.
  bool await_subscriptions(std::size_t wanted, Duration timeout);

  /// Hands one multipart message to ZeroMQ. With WhenFull::kDrop this never waits; what a slow subscriber has no room
  /// for is lost for that subscriber alone. False, counted, when ZeroMQ refuses.
  bool send(std::span<const std::string_view> parts);
  /// From here on send() waits for room with the slowest subscriber, Config::linger / 2 at most, and nobody is
  /// described to.
  void begin_end();
  /// After the end message: waits until everybody has unsubscribed or gone, until Config::linger / 2 after begin_end().
  void wait_for_leave();
  /// Closes within Config::linger (Config::linger / 2 after begin_end()). A second call changes nothing.
  void close();

  /// Any thread.
  [[nodiscard]] std::uint64_t refused() const noexcept;
  [[nodiscard]] bool patience_lost() const noexcept;
  /// Why ZeroMQ last refused a message; empty when it never did. Any thread.
  [[nodiscard]] std::string failure() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
