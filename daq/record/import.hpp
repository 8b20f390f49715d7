// Import: a CSV file and a small mapping (TOML) become a run file of kind "import" (docs/run_file.md, Import).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daq/result.hpp"

namespace strigil::daq {

/// What only the caller knows of an import.
struct ImportOptions {
  std::string created;   ///< ISO 8601, UTC
  std::string software;  ///< version
};

/// One imported channel and what its counts are worth.
struct ImportedChannel {
  std::string name;
  std::string unit;
  double scale = 1;      ///< unit per count; the largest error is half of it
  bool lossless = true;  ///< the counts are the file's own digits: nothing was rounded
};

/// One imported stream. rows of the CSV = samples + missing.
struct ImportedStream {
  std::string name;
  std::uint64_t samples = 0;      ///< recorded
  std::uint64_t missing = 0;      ///< rows with an empty or not-a-number cell: gaps
  std::uint64_t gap_samples = 0;  ///< missing by the clock of the time column, beyond missing rows
  double rate_Hz = 0;             ///< 0: irregular
  std::vector<ImportedChannel> channels;
};

struct ImportReport {
  std::string out;
  std::uint64_t rows = 0;  ///< data rows of the CSV
  double duration_s = 0;
  std::string source_sha256;
  std::vector<ImportedStream> streams;
};

/// Reads `csv` as `map` says and writes the run file `out` (which must not exist). Off the loop; owns HDF5 meanwhile.
/// Errors name file, line and column; on an error no file is left behind.
Result<ImportReport> import_csv(const std::string& csv, const std::string& map, const std::string& out,
                                const ImportOptions& options);

}  // namespace strigil::daq
