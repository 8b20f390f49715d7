// CURVE keys for publication beyond this machine: who we are, who may listen. Off the loop only.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daq/result.hpp"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace strigil::daq {

/// Files that make a publisher reachable from other machines (docs/publication.md, Who may listen).
struct CurveServerFiles {
  std::filesystem::path secret_key;  ///< one Z85 key (40 characters); no group or other access, or it is refused
  std::filesystem::path authorised_clients;  ///< public keys (Z85), one a line; a name may follow it
};

/// Loaded and checked keys. `authorised` holds the 32 raw bytes of each client's public key.
struct CurveServerKeys {
  std::string secret_key;  ///< Z85
  std::string public_key;  ///< Z85, derived; what a client needs
  std::vector<std::string> authorised;
  /// True for the 32 raw bytes of a listed client.
  [[nodiscard]] bool admits(std::string_view raw_public_key) const;
};

/// Reads both files. Fails on a missing file, loose permissions, a malformed key or an empty list.
Result<CurveServerKeys> load_curve_server_keys(const CurveServerFiles& files);

/// Makes of `socket`, which is not bound yet, one that only listed clients reach. What is returned asks whom to let in
/// and must be answered (answer_authentication). One guarded socket a context. Throws zmq::error_t.
zmq::socket_t guard_with_curve(zmq::context_t& context, zmq::socket_t& socket, const CurveServerKeys& keys);

/// The guarded side only: answers one request waiting on ZeroMQ's authentication socket (a REP socket's handle, RFC
/// 27), with 200 for a listed client and 400 for everybody else and everything malformed. False when none waits. Never
/// blocks.
bool answer_authentication(void* rep_socket, const CurveServerKeys& keys);

/// A client's key pair and the publisher's public key, all Z85.
struct CurveClientKeys {
  std::string server_public_key;
  std::string public_key;
  std::string secret_key;
};
/// A fresh key pair: {public, secret}, Z85.
Result<std::pair<std::string, std::string>> make_curve_key_pair();

}  // namespace strigil::daq
