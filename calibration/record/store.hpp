// Record store: a folder of record files, each with the hash of the one before. It only grows. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/record/record.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// A record where it lies.
struct KeptRecord {
  std::string file;  ///< path
  std::string hash;
  Record record;
};

/// What later records say of an earlier one.
struct Standing {
  std::string revoked;        ///< why; empty: it is not
  std::string superseded_by;  ///< id; empty: it is not
};

/// A store as it was read. Value.
class RecordStore {
 public:
  /// Reads every record and follows the chain. A folder that does not exist is an empty store. Errors: the folder
  /// cannot be read. A chain that is broken is no error here: see broken().
  static daq::Result<RecordStore> read(const std::string& folder);

  /// The first record that is not as it was kept, and what is wrong with it; empty: the chain holds. Records from there
  /// on are not in records().
  [[nodiscard]] const std::string& broken() const { return broken_; }
  [[nodiscard]] const std::vector<KeptRecord>& records() const { return records_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// By id, file or the first 8 digits or more of its hash. Errors: none is called so, or several are.
  [[nodiscard]] daq::Result<KeptRecord> find(const std::string& name) const;
  /// What records after it say of it.
  [[nodiscard]] Standing standing(const std::string& id) const;
  /// Hash of the last record: with it the whole store is pinned.
  [[nodiscard]] std::string last_hash() const;

 private:
  std::string folder_;
  std::string broken_;
  std::vector<KeptRecord> records_;
};

/// Puts a record at the end of a store: number, previous and created are given to it, and times are cut to
/// milliseconds. The file is on the disk when this returns; two processes take turns. Errors: the store is broken; the
/// id is taken; what it supersedes or revokes is not there; problems_of(); the disk.
daq::Result<KeptRecord> keep_record(const std::string& folder, Record record);

}  // namespace strigil::calibration
