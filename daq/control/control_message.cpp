#include "daq/control/control_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"

namespace strigil::daq {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kVersionKey = "strigil_control";
constexpr std::size_t kLongestVerb = 32;
constexpr std::size_t kLongestClient = 64;
constexpr std::size_t kLongestToken = 128;
constexpr std::size_t kLongestWords = 4096;

Error refused(const std::string& what) {
  return {fmt::format("Control message refused: {}. See docs/control.md, version {}.", what, kControlVersion)};
}

/// The object in `text`, if it is one of ours; `what` says what was wrong otherwise.
Json parse(std::string_view text, std::string& what) {
  if (text.size() > kMaxControlBytes) {
    what = fmt::format("it is longer than {} bytes", kMaxControlBytes);
    return {};
  }
  if (nests_too_deep(text)) {
    what = "it nests too deep";
    return {};
  }
  auto json = daq::parse_ordered_json(text);
  if (!json.is_object()) {
    what = "it is no JSON object";
    return {};
  }
  const auto version = json.find(kVersionKey);
  if (version == json.end() || !version->is_number_unsigned()) {
    what = fmt::format("\"{}\" is missing or no version number", kVersionKey);
  } else if (version->get<std::uint64_t>() != kControlVersion) {
    what = fmt::format("it is of version {}", version->get<std::uint64_t>());
  }
  return json;
}

/// The string at `key`, "" when it is missing and may be; `what` is set when it is no string or too long.
std::string text_at(const Json& json, const char* key, std::size_t longest, std::string& what) {
  const auto field = json.find(key);
  if (field == json.end()) return {};
  if (!field->is_string() || field->get_ref<const std::string&>().size() > longest) {
    if (what.empty()) what = fmt::format("\"{}\" is no text of at most {} bytes", key, longest);
    return {};
  }
  return field->get<std::string>();
}

std::uint64_t id_of(const Json& json, std::string& what) {
  const auto field = json.find("id");
  if (field != json.end() && field->is_number_unsigned()) return field->get<std::uint64_t>();
  if (what.empty()) what = "\"id\" is missing or no whole number";
  return 0;
}

std::string object_at(const Json& json, const char* key, std::string& what) {
  const auto field = json.find(key);
  if (field == json.end()) return "{}";
  if (field->is_object()) return field->dump(-1, ' ', false, Json::error_handler_t::replace);
  if (what.empty()) what = fmt::format("\"{}\" is no object", key);
  return "{}";
}

bool is_verb(std::string_view verb) {
  return !verb.empty() && verb.size() <= kLongestVerb &&
         std::all_of(verb.begin(), verb.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

Json object_of(const std::string& text) {
  auto json = daq::parse_ordered_json(text);
  return json.is_object() ? json : Json::object();
}

}  // namespace

ControlReply refusal_of(const ControlRequest& request, std::string code, std::string words) {
  return {.id = request.id, .ok = false, .code = std::move(code), .refusal = std::move(words)};
}

ControlReply answer_to(const ControlRequest& request, std::string result_json) {
  return {.id = request.id, .ok = true, .code = {}, .refusal = {}, .result = std::move(result_json)};
}

std::string encode(const ControlRequest& r) {
  Json json;
  json[kVersionKey] = kControlVersion;
  json["id"] = r.id;
  json["verb"] = r.verb;
  json["client"] = r.client;
  if (!r.token.empty()) json["token"] = r.token;
  json["arguments"] = object_of(r.arguments);
  return daq::json_text(json);
}

std::string encode(const ControlReply& r) {
  Json json;
  json[kVersionKey] = kControlVersion;
  json["id"] = r.id;
  json["ok"] = r.ok;
  if (!r.ok) {
    json["code"] = r.code;
    json["refusal"] = r.refusal;
  }
  json["result"] = object_of(r.result);
  auto text = daq::json_text(json);
  if (text.size() <= kMaxControlBytes) return text;
  return encode(ControlReply{.id = r.id,
                             .ok = false,
                             .code = "too_long",
                             .refusal = fmt::format("the answer has {} bytes, and {} are allowed; ask for less",
                                                    text.size(), kMaxControlBytes)});
}

Result<ControlRequest> decode_control_request(std::string_view text) {
  std::string what;
  const auto json = parse(text, what);
  if (!what.empty()) return refused(what);
  ControlRequest r;
  r.id = id_of(json, what);
  r.verb = text_at(json, "verb", kLongestVerb, what);
  r.client = text_at(json, "client", kLongestClient, what);
  r.token = text_at(json, "token", kLongestToken, what);
  r.arguments = object_at(json, "arguments", what);
  if (what.empty() && !is_verb(r.verb)) what = "\"verb\" is not [a-z_]{1,32}";
  if (what.empty() && (r.client.empty() || !is_printable(r.client))) what = "\"client\" says nobody's name";
  if (!what.empty()) return refused(what);
  return r;
}

Result<ControlReply> decode_control_reply(std::string_view text) {
  std::string what;
  const auto json = parse(text, what);
  if (!what.empty()) return refused(what);
  ControlReply r;
  r.id = id_of(json, what);
  const auto ok = json.find("ok");
  if (ok == json.end() || !ok->is_boolean()) {
    what = "\"ok\" is missing or neither true nor false";
  } else {
    r.ok = ok->get<bool>();
  }
  r.code = text_at(json, "code", kLongestWords, what);
  r.refusal = text_at(json, "refusal", kLongestWords, what);
  r.result = object_at(json, "result", what);
  if (!what.empty()) return refused(what);
  return r;
}

}  // namespace strigil::daq
