// Text for XML and HTML, whatever it holds. Pure.
#pragma once

#include <string>
#include <string_view>

namespace strigil::calibration {

/// What no XML can hold (control characters, bytes that are no UTF-8: a path may contain them) becomes '?', byte by
/// byte. For writers that escape themselves.
std::string xml_safe(std::string_view text);
/// xml_safe, and escaped for text and attributes alike.
std::string xml_escaped(std::string_view text);
/// At most `most` characters (not bytes), the last an ellipsis where some had to go. `text` is UTF-8.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace strigil::calibration
