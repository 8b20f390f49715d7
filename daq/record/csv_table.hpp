// A CSV file in memory: columns of numbers, and where in the file each row stands. Inside daq/record only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::daq::record {

/// How the file is written.
struct CsvFormat {
  char separator = ',';
  char decimal = '.';
  char comment = '#';
  std::size_t header_rows = 1;  // the last of them names the columns; 0: they have only numbers
};

/// One CSV in memory: the columns' names and, row by row, numbers (NaN where there is none).
class Csv {
 public:
  /// Errors name file, line and column.
  static Result<Csv> read(const std::string& path, const CsvFormat& format);

  /// Index of a column by its name, or by "#N" (0-based) where no column is named so.
  [[nodiscard]] std::optional<std::size_t> column(const std::string& name) const;
  /// All names, for messages.
  [[nodiscard]] std::string names() const;
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] std::size_t rows() const { return values_.size() / names_.size(); }
  /// Line of the file in which row `row` stands, 1-based.
  [[nodiscard]] std::size_t line(std::size_t row) const { return lines_[row]; }
  /// Most digits after the point in a column.
  [[nodiscard]] int decimals(std::size_t column) const { return decimals_[column]; }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const { return values_[row * names_.size() + column]; }

 private:
  Result<void> take(std::string_view line, const CsvFormat& format, const std::string& path, std::size_t line_number);

  std::string sha256_;
  std::vector<std::string> names_;
  std::vector<double> values_;
  std::vector<int> decimals_;
  std::vector<std::size_t> lines_;
};

}  // namespace strigil::daq::record
