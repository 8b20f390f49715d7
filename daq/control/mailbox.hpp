// Mailbox: letters of two parts, a topic and a text, between one who binds and those who connect (ROUTER and DEALER).
// Bounded on both ends; nothing in it knows what a letter means.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daq/publish/curve.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

inline constexpr std::size_t kMaxLetterBytes = 65536;  ///< of a letter to a mailbox; longer ones come cut to nothing

struct Letter {
  std::string from;  ///< the connection it came by; the same for all of one sender
  std::string topic;
  std::string text;
  bool well_formed = true;  ///< two parts and neither too long; else both are empty
};

struct MailboxConfig {
  std::string endpoint = "tcp://127.0.0.1:*";            ///< see checked_bind_endpoint
  std::optional<CurveServerFiles> curve = std::nullopt;  ///< needed for anything beyond this machine
};

/// The end that binds. One thread; nothing happens but in receive().
class Mailbox {
 public:
  /// Errors: endpoint refused or busy; keys unreadable.
  static Result<std::unique_ptr<Mailbox>> open(const MailboxConfig& config);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// The next letter; nothing after `longest` (0: what is there).
  std::optional<Letter> receive(Duration longest);
  /// To whom letters came from. Who has gone, or reads nothing, loses it.
  void send(const std::string& to, std::string_view topic, std::string_view text);
  /// With its real port.
  [[nodiscard]] const std::string& bound_endpoint() const;

 private:
  class Impl;
  explicit Mailbox(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The end that connects. One thread.
class Correspondent {
 public:
  /// In the background: a mailbox that is not there yet is no error. Errors: malformed endpoint or keys.
  static Result<std::unique_ptr<Correspondent>> connect(const std::string& endpoint,
                                                        const std::optional<CurveClientKeys>& curve = std::nullopt);
  /// Waits 2 s at most for what was sent to leave.
  ~Correspondent();
  Correspondent(const Correspondent&) = delete;
  Correspondent& operator=(const Correspondent&) = delete;

  std::optional<Letter> receive(Duration longest);
  /// Waits while the other end's queue is full, `patience` at most. False: it was not taken.
  bool send(std::string_view topic, std::string_view text, Duration patience = from_seconds(10));

 private:
  class Impl;
  explicit Correspondent(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
