// libFuzzer target for the strict reading of TOML. A document is read with the keys of a bench and of a protocol; what
// is accepted must be within its bounds, what is refused must say where.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daq/strict_toml.hpp"

namespace {

using namespace strigil::daq;

void require(bool held) {
  if (!held) std::abort();
}

constexpr Range kRange{-5, 50};

/// Reads every kind of value, three tables deep.
void read(StrictTable table, const StrictToml& document, int depth) {
  const auto good = [&] { return !document.error(); };
  const double number = table.number("normal_force_N", kRange, 1.0);
  const auto numbers = table.numbers("speed_mm_s", kRange, std::vector<double>{1.0});
  const auto integer = table.integer("repeats", {1, 10}, 1);
  const auto text = table.text("name", "");
  (void)table.boolean("home", false);
  (void)table.has("version");
  table.pass_over("simulation");
  if (good()) {
    require(number >= kRange.low && number <= kRange.high);
    require(!numbers.empty());
    for (const double v : numbers) require(std::isfinite(v) && v >= kRange.low && v <= kRange.high);
    require(integer >= 1 && integer <= 10);
  }
  if (depth > 0) {
    for (const char* key : {"stage", "force", "stroke"}) {
      auto child = table.table(key, false);
      require(child.present() || !table.has(key) || !good());
      read(child, document, depth - 1);
    }
    for (auto& step : table.tables("step")) read(step, document, depth - 1);
  }
  if (text == "refuse me") table.refuse("name", "that name is not allowed");
  table.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  StrictToml document(text, "fuzz.toml");
  const bool parsed = !document.error();
  read(document.root(), document, 2);
  if (document.error()) {
    // file:line:column: what
    const std::string_view message = document.error()->message;
    require(message.starts_with("fuzz.toml:"));
    const auto line = message.substr(10);
    require(!line.empty() && line[0] >= '0' && line[0] <= '9');
    require(line.find(": ") != std::string_view::npos);
  } else {
    require(parsed);
  }
  // Once more: what was said does not depend on anything but the text.
  StrictToml again(text, "fuzz.toml");
  read(again.root(), again, 2);
  require(document.error().has_value() == again.error().has_value());
  if (document.error()) require(document.error()->message == again.error()->message);
  return 0;
}
