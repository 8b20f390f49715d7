// Control server: the rig's end of the control channel (docs/control.md): a ROUTER socket on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daq/control/control_message.hpp"
#include "daq/publish/curve.hpp"
#include "daq/result.hpp"

namespace strigil::daq {

struct ControlServerConfig {
  std::string endpoint = "tcp://127.0.0.1:*";            ///< see checked_bind_endpoint
  std::optional<CurveServerFiles> curve = std::nullopt;  ///< needed for anything beyond this machine
};

/// Answers every request in the order of its coming, one at a time, on its own thread. What is no request is answered
/// with the refusal "malformed" (id 0); a client that does not read its answers loses them and holds up nobody.
class ControlServer {
 public:
  /// On the control thread; must not wait for anything.
  using Handler = std::function<ControlReply(const ControlRequest&)>;
  /// On the control thread, at least every 20 ms: for leases that run out.
  using Idle = std::function<void()>;

  /// Binds and begins to answer. Errors: endpoint refused or busy; keys unreadable.
  static Result<std::unique_ptr<ControlServer>> start(const ControlServerConfig& config, Handler handler, Idle idle);
  /// Answers what is being asked, and closes.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// With its real port. Any thread.
  [[nodiscard]] const std::string& bound_endpoint() const;
  /// With CURVE, the key that clients need (Z85); otherwise empty. Any thread.
  [[nodiscard]] const std::string& public_key() const;
  /// Requests that were none, so far. Any thread.
  [[nodiscard]] std::uint64_t malformed() const noexcept;

 private:
  class Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
