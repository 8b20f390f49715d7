// JSON to and from text, compiled once: each file that instantiates the library's own parser takes six seconds longer
// to compile under a sanitizer, each that writes one and a half.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace strigil::daq {

/// The value that a text says; `is_discarded()` (and of no other type) where it is no JSON. Text from a wire or a file
/// of somebody else's is looked at by nests_too_deep (daq/json_depth.hpp) before. Pure; any thread.
[[nodiscard]] nlohmann::json parse_json(std::string_view text);
/// The same; an object keeps the order of its members.
[[nodiscard]] nlohmann::ordered_json parse_ordered_json(std::string_view text);

/// A value as text: on one line, or by `indent` spaces a level. Bytes that are no UTF-8 become U+FFFD, numbers that are
/// not finite null: it never throws for what it is given. Pure; any thread.
[[nodiscard]] std::string json_text(const nlohmann::json& value, int indent = -1);
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

}  // namespace strigil::daq
