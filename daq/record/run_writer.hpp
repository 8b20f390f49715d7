// Run writer: one run, one HDF5 file (docs/run_file.md). The record thread owns all of HDF5.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daq/block.hpp"
#include "daq/event.hpp"
#include "daq/ledger.hpp"
#include "daq/result.hpp"
#include "daq/stream.hpp"

namespace strigil::daq {

/// What a run file says of itself from the start.
struct RunHeader {
  std::string run_id;
  std::string kind = "run";  ///< "run" or "import"
  std::string created;       ///< ISO 8601, UTC
  std::string software;      ///< version
  bool virtual_time = false;
  std::uint64_t seed = 0;
  std::vector<StreamDescription> streams;     ///< ids 0..n-1 in order
  std::map<std::string, std::string> config;  ///< name -> text as read: bench.toml, protocol.toml, plan.json ...
};

/// Appends; readers may open the file meanwhile (SWMR). After an error every later call fails with the same message.
/// One thread. Rows are gathered in memory and written in large pieces: by flush(), and when enough have gathered.
class RunWriter {
 public:
  /// Makes the file; refuses one that exists. Errors: path, permissions, disk, invalid stream names.
  static Result<std::unique_ptr<RunWriter>> create(const std::string& path, const RunHeader& header);
  /// Closes the file; without finish() it says of itself that it is incomplete.
  ~RunWriter();
  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;

  Result<void> append(const Block& block);
  Result<void> append(const Event& event);
  /// Everything appended so far is given to the kernel and visible to readers: a killed process loses none of it.
  Result<void> flush();
  /// Writes the end (JSON text) and the ledger, and flushes. Once.
  Result<void> finish(const std::string& end_json, const std::vector<LedgerRow>& ledger);

  /// Samples appended, by stream.
  [[nodiscard]] const std::vector<std::uint64_t>& samples() const;
  [[nodiscard]] const std::string& path() const;

 private:
  class Impl;
  explicit RunWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
