#include "daq/link/uri.hpp"

#include <fmt/format.h>

#include <charconv>

namespace strigil::daq {
namespace {

constexpr std::size_t kLongest = 1024;
constexpr int kSlowestBaud = 300;
constexpr int kFastestBaud = 12'000'000;

Error refuse(std::string_view text, std::string_view why, std::string_view example) {
  return {fmt::format("link '{}': {}; for example {}", text.substr(0, kLongest), why, example)};
}

template <typename Number>
bool parse_number(std::string_view text, Number& out) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
  return r.ec == std::errc{} && r.ptr == text.data() + text.size();
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Result<LinkUri> parse_serial(std::string_view whole, std::string_view rest) {
  constexpr std::string_view kExample = "serial:///dev/ttyACM0?baud=115200";
  LinkUri uri;
  uri.scheme = LinkScheme::kSerial;
  const auto question = rest.find('?');
  uri.path = rest.substr(0, question);
  if (!uri.path.starts_with('/')) return refuse(whole, "the device file must be an absolute path", kExample);
  if (question != std::string_view::npos) {
    auto query = rest.substr(question + 1);
    if (!take_prefix(query, "baud=") || !parse_number(query, uri.baud) || uri.baud < kSlowestBaud ||
        uri.baud > kFastestBaud) {
      return refuse(whole, fmt::format("after '?' comes baud={}..{}", kSlowestBaud, kFastestBaud), kExample);
    }
  }
  return uri;
}

Result<LinkUri> parse_udp(std::string_view whole, std::string_view rest) {
  constexpr std::string_view kExample = "udp://192.168.1.1:49152";
  LinkUri uri;
  uri.scheme = LinkScheme::kUdp;
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || !parse_number(rest.substr(colon + 1), uri.port) || uri.port == 0) {
    return refuse(whole, "a port from 1 to 65535 must follow the address", kExample);
  }
  auto host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  uri.host = host;
  if (uri.host.empty()) return refuse(whole, "the address is missing", kExample);
  return uri;
}

}  // namespace

Result<LinkUri> parse_link_uri(std::string_view text) {
  if (text.size() > kLongest) return refuse(text, "it is too long", "memory:stage");
  if (text.find('\0') != std::string_view::npos) return refuse("?", "it holds a NUL byte", "memory:stage");
  auto rest = text;
  if (take_prefix(rest, "serial://")) return parse_serial(text, rest);
  if (take_prefix(rest, "udp://")) return parse_udp(text, rest);
  LinkUri uri;
  if (take_prefix(rest, "memory:")) {
    uri.scheme = LinkScheme::kMemory;
    uri.path = rest;
    if (uri.path.empty()) return refuse(text, "the name is missing", "memory:stage");
    return uri;
  }
  if (take_prefix(rest, "replay:")) {
    uri.scheme = LinkScheme::kReplay;
    const auto hash = rest.rfind('#');
    uri.path = rest.substr(0, hash);
    if (hash == std::string_view::npos || uri.path.empty() || hash + 1 == rest.size()) {
      return refuse(text, "a run file and #stream are needed", "replay:run.h5#force");
    }
    uri.stream = rest.substr(hash + 1);
    return uri;
  }
  return refuse(text, "it begins with serial://, udp://, memory: or replay:", "serial:///dev/ttyACM0?baud=115200");
}

}  // namespace strigil::daq
