// A TOML document that is changed before it is read: what a campaign alters of a protocol or a bench for one trial.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "daq/result.hpp"

namespace strigil::daq {

/// Knows no keys of its own: whoever reads text() refuses what is wrong in it. Comments are lost. One thread.
class TomlDraft {
 public:
  /// Errors: no TOML, with file, line and column.
  static Result<TomlDraft> parse(std::string_view text, const std::string& file);
  ~TomlDraft();
  TomlDraft(TomlDraft&&) noexcept;
  TomlDraft& operator=(TomlDraft&&) noexcept;

  /// "press.normal_force_N": tables on the way are made; an array of tables on the way means each of them.
  /// Errors: something on the way is no table.
  Result<void> set(std::string_view path, double value);
  Result<void> set(std::string_view path, const std::string& value);
  /// Lays another document over this one: tables key by key, all else as a whole. Errors: as of parse().
  Result<void> overlay(std::string_view text, const std::string& file);
  /// Of the array of tables `array`, keeps those whose `key` is one of `values`, in their order. How many are left.
  std::size_t keep_tables(std::string_view array, std::string_view key, std::span<const std::string> values);
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] std::string text() const;

 private:
  struct Document;
  explicit TomlDraft(std::unique_ptr<Document> document);
  std::unique_ptr<Document> document_;
};

}  // namespace strigil::daq
