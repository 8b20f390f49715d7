// Verify and recover: does a run file hold together, and what can be saved of one whose writer died.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daq/record/run_reader.hpp"
#include "daq/result.hpp"

namespace strigil::daq {

struct StreamCheck {
  std::string name;
  std::uint64_t samples = 0;
  std::uint64_t blocks = 0;
  std::uint64_t gap_samples = 0;  ///< missing by the device's counter
  HostTime first_t0;
  HostTime last_received;
};

struct VerifyReport {
  std::vector<StreamCheck> streams;
  std::uint64_t events = 0;
  bool finished = false;              ///< the writer came to its end
  std::vector<std::string> problems;  ///< in words; empty: the file holds together
  std::string dataset_hash;
};

/// Looks at every block: rows contiguous, sample counters rising by what blocks and gaps say, ledger equal to what is
/// stored, end present and not made up by `recover`. Errors only where the file cannot be opened.
Result<VerifyReport> verify(const std::string& path);

struct RecoverReport {
  std::string out;
  std::vector<StreamCheck> streams;      ///< of what was saved
  std::uint64_t rows_without_block = 0;  ///< counts that no readable block speaks of: left out
  std::vector<std::string> left_out;     ///< what was left out and why, in words; also in the copy's /end
  std::string dataset_hash;
};

/// Copies what is whole in `path` (of each stream all before its first unreadable block) to the new file `out`, reads
/// that back and compares it block by block. The original is only read. The copy's /end says `recovered`, and its
/// ledger has a hop "recovered" beside what the original's had.
Result<RecoverReport> recover(const std::string& path, const std::string& out);

}  // namespace strigil::daq
