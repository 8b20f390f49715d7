#include "daq/publish/curve.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <zmq.hpp>

namespace strigil::daq {
namespace {

constexpr std::size_t kZ85Key = 40;
constexpr std::size_t kRawKey = 32;
constexpr std::size_t kMaxClients = 4096;

Error refused(const std::filesystem::path& file, const std::string& why) {
  return {fmt::format("CURVE key file {}: {}. See docs/publication.md, \"Who may listen\".", file.string(), why)};
}

std::optional<std::string> raw_key(const std::string& z85) {
  if (z85.size() != kZ85Key) return std::nullopt;
  std::array<std::uint8_t, kRawKey> raw{};
  if (zmq_z85_decode(raw.data(), z85.c_str()) == nullptr) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
}

std::string trimmed(const std::string& line) {
  constexpr auto kBlank = " \t\r\n";
  const auto first = line.find_first_not_of(kBlank);
  return first == std::string::npos ? std::string() : line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

bool CurveServerKeys::admits(std::string_view raw_public_key) const {
  return raw_public_key.size() == kRawKey &&
         std::find(authorised.begin(), authorised.end(), raw_public_key) != authorised.end();
}

Result<CurveServerKeys> load_curve_server_keys(const CurveServerFiles& files) {
  if (zmq_has("curve") == 0) return Error{"This ZeroMQ was built without CURVE: publish on 127.0.0.1 or ipc:// only."};
  struct stat status {};
  if (stat(files.secret_key.c_str(), &status) != 0) return refused(files.secret_key, std::strerror(errno));
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return refused(files.secret_key, "others can read the secret key; chmod 600 it");
  }
  CurveServerKeys keys;
  std::string line;
  std::ifstream secret(files.secret_key);
  std::getline(secret, line);
  keys.secret_key = trimmed(line);
  std::array<char, kZ85Key + 1> public_key{};
  if (!raw_key(keys.secret_key) || zmq_curve_public(public_key.data(), keys.secret_key.c_str()) != 0) {
    return refused(files.secret_key, "the first line is not a Z85 key of 40 characters");
  }
  keys.public_key = public_key.data();
  std::ifstream clients(files.authorised_clients);
  if (!clients) return refused(files.authorised_clients, "cannot be read");
  for (int number = 1; std::getline(clients, line); ++number) {
    // '#' is also a Z85 digit: a comment is a line that begins with '#' and is no key.
    const auto entry = trimmed(line);
    const auto raw = raw_key(entry.substr(0, entry.find_first_of(" \t")));
    if (entry.empty() || (!raw && entry.front() == '#')) continue;
    if (!raw)
      return refused(files.authorised_clients, fmt::format("line {} is not a Z85 key of 40 characters", number));
    if (keys.authorised.size() == kMaxClients) return refused(files.authorised_clients, "too many keys");
    keys.authorised.push_back(*raw);
  }
  if (keys.authorised.empty()) return refused(files.authorised_clients, "lists no client, so nobody could listen");
  return keys;
}

zmq::socket_t guard_with_curve(zmq::context_t& context, zmq::socket_t& socket, const CurveServerKeys& keys) {
  zmq::socket_t authentication(context, zmq::socket_type::rep);
  authentication.set(zmq::sockopt::linger, 0);
  authentication.bind("inproc://zeromq.zap.01");  // RFC 27
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, keys.secret_key);
  socket.set(zmq::sockopt::zap_domain, "strigil");
  return authentication;
}

bool answer_authentication(void* rep_socket, const CurveServerKeys& keys) {
  std::vector<std::string> frames;
  bool more = true;
  while (more) {
    zmq::message_t frame;
    if (zmq_msg_recv(frame.handle(), rep_socket, ZMQ_DONTWAIT) < 0) return false;
    more = frame.more();
    frames.push_back(frame.to_string());
  }
  // version, request id, domain, address, identity, mechanism, client's public key
  const bool admitted = frames.size() == 7 && frames[0] == "1.0" && frames[5] == "CURVE" && keys.admits(frames[6]);
  const std::array<std::string, 6> reply = {"1.0",
                                            frames.size() > 1 ? frames[1] : "",
                                            admitted ? "200" : "400",
                                            admitted ? "OK" : "not an authorised client",
                                            "",
                                            ""};
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const int flags = ZMQ_DONTWAIT | (i + 1 < reply.size() ? ZMQ_SNDMORE : 0);
    // ZeroMQ's own thread waits for this reply; should it be gone, its connection is gone too: nobody is admitted.
    if (zmq_send(rep_socket, reply[i].data(), reply[i].size(), flags) < 0) return false;
  }
  return true;
}

Result<std::pair<std::string, std::string>> make_curve_key_pair() {
  std::array<char, kZ85Key + 1> public_key{};
  std::array<char, kZ85Key + 1> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    return Error{"This ZeroMQ was built without CURVE: no keys can be made."};
  }
  return std::pair<std::string, std::string>(public_key.data(), secret_key.data());
}

}  // namespace strigil::daq
