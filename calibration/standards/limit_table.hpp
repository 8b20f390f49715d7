// LimitTable: what a standard allows, as data. Limits live in calibration/tables/*.toml, never in code; every result
// that rests on one carries the table's identity and hash (metrology.md 9, rule 5).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::calibration {

/// Which table judged. `status` is "method based on" where the standard's own text was not at hand: a certificate must
/// say so. `sha256` is that of the table's text, byte by byte.
struct TableIdentity {
  std::string id;
  std::string standard;
  std::string edition;
  int version = 0;
  std::string status;
  std::string source;
  std::string sha256;

  /// "method based on ISO 376:2011 (table iso376-2011 v1, sha256 0123456789ab)".
  [[nodiscard]] std::string citation() const;
};

/// One class of a table: its name and its limits by key. The unit is in the key.
struct LimitClass {
  std::string name;
  std::map<std::string, double, std::less<>> limits;
  std::map<std::string, std::string, std::less<>> words;

  /// Precondition: the schema the table was read with names `key`.
  [[nodiscard]] double limit(std::string_view key) const;
  [[nodiscard]] const std::string& word(std::string_view key) const;
};

/// What a standard's evaluation needs to find: keys that a table must have, no more and no less.
struct LimitSchema {
  std::vector<std::string> procedure;
  std::vector<std::string> procedure_words;
  std::vector<std::string> of_class;
  std::vector<std::string> class_words;
};

/// A table as read. Classes stand from the best to the worst. A value; any thread.
struct LimitTable {
  TableIdentity identity;
  LimitClass procedure;  // has no name
  std::vector<LimitClass> classes;

  /// Reads a table; refuses unknown, missing or doubled keys and classes, and numbers below zero where none may be
  /// (only keys that end in _degC may be). `file` is for messages.
  [[nodiscard]] static daq::Result<LimitTable> read(std::string_view text, std::string file, const LimitSchema& schema);
};

/// Text of a table that came with the program (tables/<name>.toml), empty when there is none.
[[nodiscard]] std::string_view built_in_table(std::string_view name);
/// Names of all tables that came with the program.
[[nodiscard]] std::vector<std::string> built_in_table_names();
/// A table that came with the program. Asserted to be good (a test reads all).
[[nodiscard]] LimitTable read_built_in_table(std::string_view name, const LimitSchema& schema);

}  // namespace strigil::calibration
