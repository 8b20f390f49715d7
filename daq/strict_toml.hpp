// Strict reading of TOML that people write: every key known, typed, in range, with line and column when it is not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::daq {

/// Closed interval a number must lie in.
struct Range {
  double low;
  double high;
};

class StrictToml;

/// One table while it is read. Every getter marks its key as known; the first error of the whole document is kept by
/// the StrictToml and later calls go on harmlessly, so that a reader needs one check at the end. Off the loop only.
class StrictTable {
 public:
  /// False when the table is missing (getters then give their defaults, or report a required key).
  [[nodiscard]] bool present() const;
  [[nodiscard]] bool has(std::string_view key) const;
  double number(std::string_view key, Range range, std::optional<double> otherwise = std::nullopt);
  std::int64_t integer(std::string_view key, Range range, std::optional<std::int64_t> otherwise = std::nullopt);
  bool boolean(std::string_view key, std::optional<bool> otherwise = std::nullopt);
  std::string text(std::string_view key, std::optional<std::string> otherwise = std::nullopt);
  /// A number or an array of numbers; never empty unless `otherwise` is.
  std::vector<double> numbers(std::string_view key, Range range,
                              std::optional<std::vector<double>> otherwise = std::nullopt);
  /// A text or an array of texts; never empty unless `otherwise` is.
  std::vector<std::string> texts(std::string_view key,
                                 std::optional<std::vector<std::string>> otherwise = std::nullopt);
  /// A sub-table; a missing one is an error when `required`.
  StrictTable table(std::string_view key, bool required = false);
  /// An array of tables; empty when missing.
  std::vector<StrictTable> tables(std::string_view key);
  /// Accepts `key` with whatever it holds (somebody else reads it).
  void pass_over(std::string_view key);
  /// Every key that is there, sorted; they are not known by that.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// All of it as TOML, for who reads it again by rules of its own; empty when missing.
  [[nodiscard]] std::string as_toml() const;
  /// Refuses a value with words of the caller's own, at the key's line and column.
  void refuse(std::string_view key, const std::string& why);
  /// Refuses every key that nobody asked for, naming the nearest one that exists. Call last.
  void finish();

 private:
  friend class StrictToml;
  struct State;
  explicit StrictTable(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// A parsed document.
class StrictToml {
 public:
  /// `file` is used in messages only. A syntax error is reported by error().
  StrictToml(std::string_view text, std::string file);
  ~StrictToml();
  StrictToml(const StrictToml&) = delete;
  StrictToml& operator=(const StrictToml&) = delete;
  StrictTable root();
  /// The first error as "file:line:column: what; what is allowed", if any.
  [[nodiscard]] const std::optional<Error>& error() const;

 private:
  friend class StrictTable;
  struct Document;
  std::shared_ptr<Document> document_;
};

/// The whole of a text file; refuses what is missing, unreadable or larger than `limit_bytes`.
Result<std::string> read_text_file(const std::string& path, std::size_t limit_bytes = 1U << 20U);

}  // namespace strigil::daq
