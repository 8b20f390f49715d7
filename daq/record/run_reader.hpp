// Run reader: what a run file holds, checked. A file is hostile until each size, type and bound has been looked at.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daq/block.hpp"
#include "daq/event.hpp"
#include "daq/record/run_writer.hpp"
#include "daq/result.hpp"

namespace strigil::daq {

/// One thread. Opens finished files, files whose writer died, and files that are still growing (SWMR).
class RunReader {
 public:
  /// Errors: no such file, not a run file, a version we do not know, a damaged structure.
  static Result<std::unique_ptr<RunReader>> open(const std::string& path);
  ~RunReader();
  RunReader(const RunReader&) = delete;
  RunReader& operator=(const RunReader&) = delete;

  /// Everything but config texts is as written; config too.
  [[nodiscard]] const RunHeader& header() const;
  /// Blocks in the table of stream `s`, and rows in its counts.
  [[nodiscard]] std::uint64_t block_count(std::size_t s) const;
  [[nodiscard]] std::uint64_t row_count(std::size_t s) const;
  [[nodiscard]] std::uint64_t event_count() const;
  /// Block `i` of stream `s` with its counts and, from the recorded scale, its values.
  /// Errors: a block that speaks of rows that are not there, or is larger than any block.
  Result<Block> block(std::size_t s, std::uint64_t i);
  /// Row of the counts at which block `i` of stream `s` says that it begins. For verify.
  Result<std::uint64_t> first_row(std::size_t s, std::uint64_t i);
  Result<Event> event(std::uint64_t i);
  /// The end as JSON; nothing when the writer never came to it.
  Result<std::optional<std::string>> end();
  Result<std::vector<LedgerRow>> ledger();
  /// SHA-256 (hex) over name, type, shape and bytes of every dataset under /streams and of /events: two runs in virtual
  /// time with one seed have the same.
  Result<std::string> dataset_hash();

 private:
  class Impl;
  explicit RunReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
