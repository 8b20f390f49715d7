// The table of expected against found for worked cases, as docs/numerics.md has it: made by the tests, compared by one
// of them, and written by it where STRIGIL_UPDATE_DOCS is set.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace strigil::calibration::tested {

/// Rows of (case, quantity, expected, found, tolerance). expect() also judges.
class WorkedTable {
 public:
  /// |found - expected| <= tolerance.
  void expect(const std::string& id, const std::string& quantity, double expected, double found, double tolerance) {
    EXPECT_LE(std::abs(found - expected), tolerance)
        << id << ": " << quantity << ", found " << found << " for " << expected;
    EXPECT_FALSE(std::isnan(found)) << id << ": " << quantity;
    char row[400];
    std::snprintf(row, sizeof row, "| `%s` | %s | %.10g | %.9g | %.2g |\n", id.c_str(), quantity.c_str(), expected,
                  shown(found, tolerance), tolerance);
    text_ += row;
  }
  /// Tolerance in parts of the expected value.
  void expect_relative(const std::string& id, const std::string& quantity, double expected, double found, double part) {
    expect(id, quantity, expected, found, part * std::abs(expected));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  /// To a tenth of the tolerance's first digit, so that the last bits of another compiler do not change the page.
  static double shown(double found, double tolerance) {
    if (!(tolerance > 0) || found == 0) return found;
    const double place = std::pow(10.0, std::floor(std::log10(tolerance)) - 1);
    return place < 1e-9 * std::abs(found) ? found : std::round(found / place) * place;
  }
  std::string text_;
};

/// Compares `text` with what stands in docs/numerics.md (or another page) between the two marks of `name`; or puts it there.
inline void compare_with_docs(const std::string& name, const std::string& text,
                              const std::string& page_name = "numerics.md") {
  const auto file = std::filesystem::path(STRIGIL_SOURCE_DIR) / "docs" / page_name;
  std::stringstream content;
  content << std::ifstream(file).rdbuf();
  const std::string page = content.str(), begin = "<!-- begin " + name + " -->\n", end = "<!-- end " + name + " -->\n";
  const auto from = page.find(begin), to = page.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to)
      << file << " has no marks for " << name;
  const auto first = from + begin.size();
  if (std::getenv("STRIGIL_UPDATE_DOCS") != nullptr) {
    std::ofstream(file) << page.substr(0, first) << text << page.substr(to);
    return;
  }
  EXPECT_EQ(page.substr(first, to - first), text)
      << file << " no longer says what the tests find: run them with STRIGIL_UPDATE_DOCS=1 and look at the change";
}

}  // namespace strigil::calibration::tested
