// Rows of the run file's tables, as they lie in memory, and their HDF5 types (docs/run_file.md). Record thread only.
#pragma once

#include <hdf5.h>

#include <cstdint>

namespace strigil::daq::record {

/// /streams/<name>/blocks
struct BlockRow {
  std::uint64_t first_row;  ///< of this block in counts
  std::uint64_t first_sample;
  std::uint64_t ticks;
  std::int64_t received_ns;
  std::int64_t t0_ns;
  std::int64_t bound_ns;
  double period_ns;
  std::uint32_t samples;
  std::uint32_t flags;
  std::uint32_t gap;
};

inline constexpr std::size_t kDetailSize = 44;
inline constexpr std::size_t kNameSize = 40;

/// /events
struct EventRow {
  std::int64_t at_ns;
  std::uint16_t code;
  std::uint8_t severity;
  std::uint16_t source;
  double arguments[4];
  char detail[kDetailSize];
};

/// /ledger
struct LedgerTableRow {
  char hop[kNameSize];
  char stream[kNameSize];
  std::uint64_t count;
  std::uint64_t lost;
};

/// Closes an HDF5 identifier of any kind when it goes out of scope.
class Id {
 public:
  Id() = default;
  explicit Id(hid_t id) : id_(id) {}
  Id(Id&& other) noexcept : id_(other.id_) { other.id_ = -1; }
  Id& operator=(Id&& other) noexcept;
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  ~Id();
  [[nodiscard]] hid_t get() const { return id_; }
  [[nodiscard]] bool ok() const { return id_ >= 0; }
  void close();
  /// Forgets the identifier without closing it (see RunWriter: a file that cannot be written cannot be closed).
  void abandon() { id_ = -1; }

 private:
  hid_t id_ = -1;
};

/// Before any other call of HDF5: errors are values and not lines on stderr, and there is no handler at exit (after a
/// full disk it would crash on what it cannot flush; every file is closed by its owner anyway).
void begin_hdf5();

/// In memory: as the structs above lie there.
Id block_row_type();
Id event_row_type();
Id ledger_row_type();
/// `type` without padding, as it is in files and under the hash: what lies between members in memory is chance.
Id packed(const Id& type);

}  // namespace strigil::daq::record
