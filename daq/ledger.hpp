// Ledger: how many samples of each stream passed each hop of a run, and where the missing ones went.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strigil::daq {

/// One hop of one stream. Rows of a stream stand in the order of travel within its branch (docs/run_file.md):
/// device, wire, chunk ring, codec, intake; then recorder ring, recorder; and publisher ring, publisher, absence
/// of and subscriber for each that announced itself by name.
struct LedgerRow {
  std::string hop;
  std::string stream;
  std::uint64_t count = 0;  ///< samples that left this hop
  std::uint64_t lost = 0;   ///< samples that entered it and did not leave
};

namespace hop {
inline constexpr const char* kDevice = "device";  ///< by the device's own counter
inline constexpr const char* kWire = "wire";
inline constexpr const char* kChunkRing = "chunk ring";
inline constexpr const char* kCodec = "codec";
inline constexpr const char* kIntake = "intake";  ///< counted for itself: the sum of the hops before must come to it
inline constexpr const char* kRecorderRing = "recorder ring";
inline constexpr const char* kRecorder = "recorder";
inline constexpr const char* kPublisherRing = "publisher ring";
inline constexpr const char* kPublisher = "publisher";
inline constexpr std::string_view kAbsence = "absence of ";     ///< NAME: published before the subscriber came
inline constexpr std::string_view kSubscriber = "subscriber ";  ///< NAME: by its acknowledgements
}  // namespace hop

/// What one stream's hops counted.
struct StreamLedger {
  std::string stream = {};
  std::uint64_t device = 0;
  std::uint64_t lost_on_wire = 0;
  std::uint64_t lost_in_chunk_ring = 0;
  std::uint64_t lost_in_codec = 0;
  std::uint64_t intake = 0;
  bool recorded_at_all = true;
  std::uint64_t lost_in_recorder_ring = 0;
  std::uint64_t recorded = 0;
  bool published_at_all = false;
  std::uint64_t lost_in_publisher_ring = 0;
  std::uint64_t published = 0;
  struct Subscriber {
    std::string name;
    std::uint64_t before = 0;    ///< published before it came
    std::uint64_t received = 0;  ///< acknowledged
  };
  std::vector<Subscriber> subscribers = {};  ///< what was published and is in neither, it has lost
};

/// True for a hop at which samples are lost for one subscriber and not for the run: its recording is whole.
[[nodiscard]] inline bool is_subscriber_hop(std::string_view hop) {
  return hop.starts_with(hop::kAbsence) || hop.starts_with(hop::kSubscriber);
}

/// {"run", "final", "rows": [{"hop", "stream", "count", "lost"}], "left_out", "unexplained": [...]}
/// (docs/publication.md). Longer than kMostLedgerText, it is made without the rows of subscribers, and `left_out`
/// counts these: whoever takes many long names must not keep the others from their ledger.
inline constexpr std::size_t kMostLedgerText = 65536;
std::string ledger_json(const std::string& run, bool final, std::span<const LedgerRow> rows);

/// The rows of one stream, in order.
std::vector<LedgerRow> ledger_rows(const StreamLedger& counts);

/// Every place where what left a hop is not what the next one took: samples that nobody can explain. In words; empty:
/// the ledger balances (losses that are attributed to a hop balance too). Rows of other hops are passed over. Pure.
std::vector<std::string> unbalanced(std::span<const LedgerRow> rows);

}  // namespace strigil::daq
