// Units between this house's SI symbols and D-SI (siunitx names, "\metre\per\second\tothe{2}"). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace strigil::calibration {

/// "N" -> "\newton", "m/s2" -> "\metre\per\second\tothe{2}", "1" and "" -> "\one". A symbol that is not SI comes back
/// with a '|' before it, as D-SI wants it for units of one's own.
std::string dsi_unit(std::string_view symbol);

/// A D-SI unit in base terms.
struct ReadUnit {
  std::string symbol;  ///< e.g. "N", "m/s2"; products and quotients of the units of the text, without prefixes
  double factor = 1;   ///< value in `symbol` = factor * value as written
};
/// Nothing: it is not written in D-SI, or names a unit that is not known here.
std::optional<ReadUnit> read_dsi_unit(std::string_view text);

/// A number as D-SI writes one: finite, to the bit.
std::string dsi_number(double value);
/// Without an exponent, as D-SI wants coverage factors (1 or more) and probabilities.
std::string dsi_plain(double value);

}  // namespace strigil::calibration
