#include "rig/sourced_number.hpp"

#include <fmt/format.h>

namespace strigil::rig {
namespace {

/// The letters of all tags; empty: there is none.
std::string tags_of(std::string_view source) {
  std::string all;
  for (auto open = source.find('['); open != std::string_view::npos; open = source.find('[', open + 1)) {
    std::string letters;
    bool letter_next = true;
    for (const char c : source.substr(open + 1)) {
      if (c == ']' && !letter_next) {
        all += letters;
        break;
      }
      const bool fits = letter_next ? std::string_view("SDCMA").find(c) != std::string_view::npos : c == '/';
      if (!fits) break;
      if (letter_next) letters += c;
      letter_next = !letter_next;
    }
  }
  return all;
}

}  // namespace

bool has_source_tag(std::string_view source) { return !tags_of(source).empty(); }

bool SourcedNumber::assumed() const { return tags_of(source).find_first_of("MA") != std::string::npos; }

double sourced_number(daq::StrictTable& t, std::string_view key, daq::Range range, std::vector<SourcedNumber>& seen,
                      std::optional<double> otherwise) {
  if (!t.has(key) && otherwise) {
    (void)t.table(key);
    return *otherwise;
  }
  auto entry = t.table(key, true);
  if (!entry.present()) return range.low;
  SourcedNumber number{std::string(key), entry.number("value", range), entry.text("source")};
  entry.finish();
  if (entry.has("source") && !has_source_tag(number.source)) {
    t.refuse(key, fmt::format("the source of '{}' needs a tag: [S] found, [D] derived from data, [C] computed, [M] "
                              "handbook, [A] assumed",
                              key));
  }
  seen.push_back(number);
  return number.value;
}

}  // namespace strigil::rig
