// Journal: what a campaign has done, line by line, on the disk before the next thing is done. By it a campaign that was
// killed goes on: nothing is lost and nothing is run twice.
//
// JSON lines (docs/suite_file.md, The campaign's folder), only ever added to. One writer, which holds the folder's
// lock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/campaign/measure.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols {

/// First line: of what campaign it is.
struct JournalHead {
  std::string suite;         ///< name
  std::string suite_sha256;  ///< of its text
  std::string inputs;        ///< fingerprint of all else that the trials are made of
  std::uint64_t trials = 0;
};

struct AttemptReason {
  Judgement weight = Judgement::kInvalid;
  std::string text;
};
/// What came of one attempt at a trial.
struct AttemptOutcome {
  Judgement judgement = Judgement::kInvalid;
  std::vector<AttemptReason> reasons = {};
  std::vector<MeasureResult> measures = {};
  double duration_s = 0;  ///< of the bench's time
  std::uint64_t strokes = 0;
  bool interrupted = false;  ///< by somebody who asked for an end: it counts for nothing, and is not in the journal
};

enum class JournalKind : std::uint8_t { kSession, kBegan, kEnded, kSetAside, kTornDown };
struct JournalEntry {
  JournalKind kind = JournalKind::kSession;
  std::string at = {};          ///< wall time
  std::string software = {};    ///< kSession
  std::string trial = {};       ///< kBegan, kEnded, kSetAside
  int attempt = 0;              ///< likewise, from 1
  std::string run = {};         ///< run file, relative to the folder; kSetAside: where it is now; empty: none was made
  std::string sha256 = {};      ///< kEnded: of it
  AttemptOutcome outcome = {};  ///< kEnded
  std::string words = {};       ///< kTornDown: what went wrong; empty: nothing
};

class Journal {
 public:
  /// Makes the folder, takes its lock, and begins a journal or, where there is one of the same campaign, goes on with
  /// it. `seen` is called for each entry that is there. Errors: somebody else holds the lock; there is a journal and
  /// `resume` is false, or it is another campaign's, or damaged.
  static daq::Result<Journal> open(const std::string& dir, const JournalHead& head, bool resume,
                                   const std::function<void(const JournalEntry&)>& seen);
  ~Journal();
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) = delete;
  /// On the disk when it returns.
  daq::Result<void> add(const JournalEntry& entry);

 private:
  Journal(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_ = -1;
};

/// For who only reads: entry by entry, oldest first. Errors: no journal, damaged.
daq::Result<JournalHead> read_journal(const std::string& dir, const std::function<void(const JournalEntry&)>& seen);

}  // namespace strigil::protocols
