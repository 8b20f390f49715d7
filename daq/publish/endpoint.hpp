// Which endpoints a publisher may bind. Pure text plus, for ipc paths, a look at the file system.
#pragma once

#include <string>

#include "daq/result.hpp"

namespace strigil::daq {

/// Checks `endpoint` and returns the form to give to ZeroMQ. Allowed without keys: tcp:// on 127.0.0.0/8, [::1] or
/// localhost, and ipc://. Anything wider (an address, *, an interface) needs `has_curve_keys`; a transport other than
/// tcp and ipc is always refused. An ipc path that is a regular file, or a socket where somebody listens, is refused,
/// because ZeroMQ would delete it without asking.
Result<std::string> checked_bind_endpoint(const std::string& endpoint, bool has_curve_keys);

/// Why ZeroMQ could not bind, in words; `reason` is an errno or a ZeroMQ number.
Error bind_failure(const std::string& endpoint, int reason);
/// Leaves the socket file of a bound ipc:// path to its owner alone (0600); nothing to do for other endpoints.
Result<void> close_to_others(const std::string& bound_endpoint);

}  // namespace strigil::daq
