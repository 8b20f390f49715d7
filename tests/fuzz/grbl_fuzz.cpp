// libFuzzer target for both ends of Grbl: the bytes go to the host's session as chunks of the lengths they name, and
// to the twin. Neither may break its own counting, whatever comes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daq/codec/grbl_session.hpp"
#include "sim/grbl_twin.hpp"

namespace {

using namespace strigil;

class Nowhere final : public daq::SessionOutput, public sim::TwinOutput {
 public:
  void newest(const daq::NewestSample&) noexcept override {}
  void block(const daq::Block& block) noexcept override {
    if (block.samples != 1 || block.channels != daq::kGrblAxes) std::abort();
  }
  void event(const daq::Event& event) noexcept override {
    if (event.detail.back() != '\0') std::abort();
  }
  bool send(std::span<const std::byte>) noexcept override { return true; }
  void send(std::span<const std::byte>, daq::HostTime) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Nowhere nowhere;
  daq::GrblSession session({.status_rate_Hz = 50});
  daq::HostTime now{0};
  sim::GrblTwin twin({}, now);
  for (std::size_t at = 0; at < size;) {
    const std::size_t n = std::min<std::size_t>(data[at], size - at - 1);
    ++at;
    const auto piece = std::as_bytes(std::span(data + at, n));
    at += n;
    now = now + std::chrono::milliseconds(20);
    daq::Chunk chunk;
    chunk.received = now;
    chunk.size = static_cast<std::uint16_t>(n);
    std::copy(piece.begin(), piece.end(), chunk.bytes.begin());
    session.on_chunk(chunk, now, nowhere);
    (void)session.queue_jog({{1, 2, 3}, 600}, now, nowhere);
    session.on_time(now, nowhere);
    if (session.outstanding_bytes() > daq::kGrblRxBuffer) std::abort();
    if (session.queued_jogs() > session.outstanding_lines()) std::abort();
    twin.receive(piece, now, nowhere);
    twin.step(now, {}, nowhere);
    if (twin.buffered() > daq::kGrblRxBuffer) std::abort();
    const auto& p = twin.position_m();
    constexpr double kSlack_m = 1e-8;
    if (!(p[0] >= -kSlack_m && p[0] <= 0.2 + kSlack_m && p[2] >= -0.08 - kSlack_m && p[2] <= kSlack_m)) std::abort();
  }
  return 0;
}
