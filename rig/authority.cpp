#include "rig/authority.hpp"

#include <fmt/format.h>

namespace strigil::rig {

daq::Result<std::string> Authority::take(const std::string& client, bool force, const std::string& entropy,
                                         daq::HostTime now) {
  (void)expire(now);
  if (!holder_.empty() && !force) {
    return daq::Error{fmt::format("'{}' holds control; ask them to give it, or take it by force", holder_)};
  }
  holder_ = client;
  token_ = entropy;
  heard_ = now;
  ++changes_;
  return token_;
}

bool Authority::give(const std::string& token) noexcept {
  if (!holds(token)) return false;
  holder_.clear();
  token_.clear();
  ++changes_;
  return true;
}

bool Authority::renew(const std::string& token, daq::HostTime now) noexcept {
  if (!holds(token)) return false;
  heard_ = now;
  return true;
}

bool Authority::expire(daq::HostTime now) noexcept {
  if (holder_.empty() || now - heard_ <= kLease) return false;
  holder_.clear();
  token_.clear();
  ++changes_;
  return true;
}

}  // namespace strigil::rig
