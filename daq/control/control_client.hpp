// Control client: the asking end of the control channel (docs/control.md). One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daq/control/control_message.hpp"
#include "daq/publish/curve.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

struct ControlClientConfig {
  std::string endpoint;
  std::string client;  ///< who asks, for people
  std::optional<CurveClientKeys> curve = std::nullopt;
};

class ControlClient {
 public:
  /// Connects in the background: a rig that is not there yet is no error. Errors: malformed endpoint, key or name.
  static Result<std::unique_ptr<ControlClient>> connect(const ControlClientConfig& config);
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  /// Asks and waits. An Error: no answer within `timeout` (what was asked may still be done), or one that is no
  /// reply. A refusal is no error: look at ControlReply::ok. An answer to an earlier request is passed over.
  Result<ControlReply> ask(const std::string& verb, const std::string& arguments_json, Duration timeout);
  /// What `take` gave; goes with every request from then on. Empty: no control.
  void set_token(std::string token);
  [[nodiscard]] const std::string& token() const noexcept;

 private:
  class Impl;
  explicit ControlClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
