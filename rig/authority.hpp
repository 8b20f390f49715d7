// Authority: who controls the rig. One at a time, for as long as it is heard of. Pure: `now` comes in.
#pragma once

#include <cstdint>
#include <string>

#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::rig {

/// Anybody may look, and anybody may stop; only who holds control may move anything. A holder that is not heard of for
/// kLease has lost it. One thread.
class Authority {
 public:
  static constexpr daq::Duration kLease = std::chrono::seconds(5);

  /// Gives control to `client` and returns its token. Errors, with the holder's name: somebody else holds it and
  /// `force` was not asked for. With `force` the holder loses it at once. `entropy` makes the token one that nobody
  /// guesses (32 hexadecimal digits or so, new each time).
  daq::Result<std::string> take(const std::string& client, bool force, const std::string& entropy, daq::HostTime now);
  /// False when `token` is not the holder's.
  bool give(const std::string& token) noexcept;
  /// The holder was heard of. False when `token` is not the holder's (any more).
  bool renew(const std::string& token, daq::HostTime now) noexcept;
  /// True when a lease has run out just now; nobody holds control from then on.
  bool expire(daq::HostTime now) noexcept;
  /// Who holds it; empty: nobody.
  [[nodiscard]] const std::string& holder() const noexcept { return holder_; }
  [[nodiscard]] bool holds(const std::string& token) const noexcept { return !token.empty() && token == token_; }
  /// Times that control has changed hands.
  [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }

 private:
  std::string holder_;
  std::string token_;
  daq::HostTime heard_;
  std::uint64_t changes_ = 0;
};

}  // namespace strigil::rig
