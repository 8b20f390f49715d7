// How a report's page looks: light and dark, on paper, for colour-blind people. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocols/verdict.hpp"

namespace strigil::protocols {

/// A whole page: no script, nothing fetched. `title` may hold anything, `body` is HTML.
std::string html_page(std::string_view title, std::string_view body);
/// PASS, FAIL or INVALID with a sign of its own, so that no colour is needed.
std::string verdict_badge(Judgement judgement);
/// Address of a file beside the page, percent-encoded; empty where it could lead elsewhere than to a file below it.
std::string address_of(std::string_view relative_path);

}  // namespace strigil::protocols
