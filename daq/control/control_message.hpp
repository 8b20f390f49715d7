// What goes over the control channel: docs/control.md, version 1. Pure functions, any thread; no ZeroMQ here.
//
// Who controls asks, the rig answers: one JSON object each. A refusal is an answer too, with a code for programs and
// words for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daq/result.hpp"

namespace strigil::daq {

inline constexpr std::uint64_t kControlVersion = 1;
inline constexpr std::size_t kMaxControlBytes = 65536;  ///< a longer request or reply is refused

/// One request. Texts are UTF-8.
struct ControlRequest {
  std::uint64_t id = 0;          ///< chosen by who asks; comes back in the reply
  std::string verb = {};         ///< [a-z_]{1,32}
  std::string client = {};       ///< who asks, for people: 1 to 64 printable characters
  std::string token = {};        ///< what `take` gave; empty: asks without control
  std::string arguments = "{}";  ///< a JSON object
};

/// The answer to one request.
struct ControlReply {
  std::uint64_t id = 0;
  bool ok = false;
  std::string code = {};      ///< of a refusal, e.g. "not_in_control"; empty when ok
  std::string refusal = {};   ///< in words; empty when ok
  std::string result = "{}";  ///< a JSON object; of a refusal too, where there is more to say
};

/// A reply that refuses `request`.
ControlReply refusal_of(const ControlRequest& request, std::string code, std::string words);
/// A reply that carries `result_json` (an object).
ControlReply answer_to(const ControlRequest& request, std::string result_json = "{}");

std::string encode(const ControlRequest& request);
/// A reply longer than kMaxControlBytes becomes the refusal "too_long".
std::string encode(const ControlReply& reply);
/// Hostile input: size, depth, types and names are checked; an Error says what was wrong.
Result<ControlRequest> decode_control_request(std::string_view text);
Result<ControlReply> decode_control_reply(std::string_view text);

}  // namespace strigil::daq
