#include "daq/publish/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

namespace strigil::daq {
namespace {

Error refused(const std::string& endpoint, const std::string& why) {
  return {fmt::format("Cannot publish on \"{}\": {}. See docs/publication.md, \"Endpoints\".", endpoint, why)};
}

bool valid_port(std::string_view port) {
  if (port == "*") return true;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  return error == std::errc{} && end == port.data() + port.size() && value <= 65535;
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return false;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6) != 0;
}

Result<std::string> checked_tcp(const std::string& endpoint, const std::string& address, bool has_curve_keys) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || !valid_port(std::string_view(address).substr(colon + 1))) {
    return refused(endpoint, "it is not tcp://HOST:PORT with a port of 0 to 65535 or *");
  }
  auto host = address.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";  // ZeroMQ resolves no names when binding
  if (!is_loopback(host) && !has_curve_keys) {
    return refused(endpoint,
                   "anybody on the network could listen; bind to 127.0.0.1 or ipc://, or configure CURVE keys");
  }
  return "tcp://" + host + address.substr(colon);
}

Result<std::string> checked_ipc(const std::string& endpoint, const std::string& path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return refused(endpoint, fmt::format("the path must have 1 to {} characters", sizeof(address.sun_path) - 1));
  }
  // Abstract names: the kernel itself refuses a second listener. "*": ZeroMQ makes a fresh path.
  if (path.front() == '@' || path == "*") return endpoint;
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return endpoint;  // a missing folder is reported by the bind
    return refused(endpoint, fmt::format("cannot look at the path ({})", std::strerror(errno)));
  }
  if (!S_ISSOCK(status.st_mode)) return refused(endpoint, "there is a file of that name which is not a socket");
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return refused(endpoint, fmt::format("no socket to probe it with ({})", std::strerror(errno)));
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  const bool answered = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  const int reason = errno;
  close(probe);
  // Only a refused connection proves that the socket is a dead one's remains; anything else may be a living run.
  if (!answered && reason == ECONNREFUSED) return endpoint;
  return refused(endpoint, "another program is publishing there already; stop it or choose another endpoint");
}

}  // namespace

Result<std::string> checked_bind_endpoint(const std::string& endpoint, bool has_curve_keys) {
  // ZeroMQ takes C strings and ';' in tcp addresses means a source address: neither may pass unseen.
  const bool printable = std::all_of(endpoint.begin(), endpoint.end(),
                                     [](char c) { return std::isprint(static_cast<unsigned char>(c)) != 0; });
  if (!printable || endpoint.find(';') != std::string::npos) {
    return refused("(unprintable)", "the endpoint has characters that do not belong there");
  }
  constexpr std::string_view kTcp = "tcp://";
  constexpr std::string_view kIpc = "ipc://";
  if (endpoint.starts_with(kTcp)) return checked_tcp(endpoint, endpoint.substr(kTcp.size()), has_curve_keys);
  if (endpoint.starts_with(kIpc)) return checked_ipc(endpoint, endpoint.substr(kIpc.size()));
  return refused(endpoint, "it must begin with tcp:// or ipc://");
}

Error bind_failure(const std::string& endpoint, int reason) {
  if (reason == EADDRINUSE) {
    return refused(endpoint, "another program is publishing there already; stop it or choose another endpoint");
  }
  if (reason == EADDRNOTAVAIL) return refused(endpoint, "this machine has no such address");
  return refused(endpoint, zmq_strerror(reason));
}

Result<void> close_to_others(const std::string& bound_endpoint) {
  if (!bound_endpoint.starts_with("ipc://") || bound_endpoint.starts_with("ipc://@")) return {};
  if (chmod(bound_endpoint.c_str() + std::strlen("ipc://"), S_IRUSR | S_IWUSR) == 0) return {};
  return refused(bound_endpoint, fmt::format("cannot close it to other users ({})", std::strerror(errno)));
}

}  // namespace strigil::daq
