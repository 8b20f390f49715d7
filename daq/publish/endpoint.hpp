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

}  // namespace strigil::daq
