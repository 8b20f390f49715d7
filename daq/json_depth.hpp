// JSON depth: a look at hostile text before anybody parses it.
#pragma once

#include <string_view>

namespace strigil::daq {

/// True when brackets nest deeper than any message of ours (32): writing such a value back would recurse as deep.
/// Pure; any thread.
bool nests_too_deep(std::string_view text) noexcept;

}  // namespace strigil::daq
