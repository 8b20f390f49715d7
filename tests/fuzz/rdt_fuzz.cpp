// libFuzzer target for RDT. The input is a row of records; what is left over is a datagram that is none. Played record
// by record and in groups, which must make no difference.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "daq/codec/rdt_session.hpp"
#include "session_witness.hpp"

namespace {

using namespace strigil::daq;

constexpr std::size_t kMoment = 16;  // records that come at one instant

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto request = decode_rdt_request(bytes)) {
    require(std::ranges::equal(encode(*request), bytes));
  }
  const std::size_t records = size / kRdtRecordSize;
  std::uint64_t fingerprint = 0;
  SessionCounts counts;
  for (const bool grouped : {false, true}) {
    RdtSession session({});
    SessionWitness witness(0);
    HostTime now{1'000'000'000};
    for (std::size_t moment = 0; moment < records; moment += kMoment) {
      now = now + std::chrono::milliseconds(7);
      const auto end = std::min(moment + kMoment, records);
      for (std::size_t at = moment; at < end;) {
        const auto wanted = grouped ? 1 + std::to_integer<std::size_t>(bytes[at]) % kMoment : 1;
        const auto n = std::min(wanted, end - at);
        const auto piece = bytes.subspan(at * kRdtRecordSize, n * kRdtRecordSize);
        require(std::ranges::equal(encode(decode_rdt_record(piece.first<kRdtRecordSize>())),
                                   piece.first<kRdtRecordSize>()));
        session.on_chunk(chunk_of(piece, now, ChunkKind::kDatagram), now, witness);
        at += n;
      }
      session.on_time(now, witness);
    }
    const auto rest = bytes.subspan(records * kRdtRecordSize);
    session.on_chunk(chunk_of(rest, now, ChunkKind::kDatagram), now, witness);
    now = now + std::chrono::seconds(1);
    session.on_time(now, witness);
    session.stop(now, witness);
    auto c = session.counts();
    require(c.rejected == 1 && c.records == records);
    require(c.samples + c.reordered == records && witness.samples == c.samples);
    if (grouped) {
      require(witness.fingerprint() == fingerprint);
      require_same(c, counts);
    }
    fingerprint = witness.fingerprint();
    counts = c;
  }
  return 0;
}
