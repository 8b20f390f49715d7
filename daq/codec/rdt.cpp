#include "daq/codec/rdt.hpp"

namespace strigil::daq {
namespace {

void put(std::span<std::byte> out, std::uint32_t value, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
}

std::uint32_t get(std::span<const std::byte> in, std::size_t size) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8U | std::to_integer<std::uint32_t>(in[i]);
  return value;
}

}  // namespace

std::array<std::byte, kRdtRequestSize> encode(const RdtRequest& request) noexcept {
  std::array<std::byte, kRdtRequestSize> out{};
  const std::span bytes(out);
  put(bytes, kRdtHeader, 2);
  put(bytes.subspan(2), static_cast<std::uint16_t>(request.command), 2);
  put(bytes.subspan(4), request.samples, 4);
  return out;
}

std::array<std::byte, kRdtRecordSize> encode(const RdtRecord& record) noexcept {
  std::array<std::byte, kRdtRecordSize> out{};
  const std::span bytes(out);
  put(bytes, record.rdt_sequence, 4);
  put(bytes.subspan(4), record.ft_sequence, 4);
  put(bytes.subspan(8), record.status, 4);
  for (std::size_t a = 0; a < kRdtAxes; ++a) {
    put(bytes.subspan(12 + 4 * a), static_cast<std::uint32_t>(record.counts[a]), 4);
  }
  return out;
}

std::optional<RdtRequest> decode_rdt_request(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() != kRdtRequestSize || get(bytes, 2) != kRdtHeader) return std::nullopt;
  const auto command = static_cast<std::uint16_t>(get(bytes.subspan(2), 2));
  switch (static_cast<RdtCommand>(command)) {
    case RdtCommand::kStop:
    case RdtCommand::kStartRealtime:
    case RdtCommand::kStartBuffered:
    case RdtCommand::kSetBias:
      return RdtRequest{static_cast<RdtCommand>(command), get(bytes.subspan(4), 4)};
  }
  return std::nullopt;
}

RdtRecord decode_rdt_record(std::span<const std::byte, kRdtRecordSize> bytes) noexcept {
  RdtRecord r;
  r.rdt_sequence = get(bytes, 4);
  r.ft_sequence = get(bytes.subspan(4), 4);
  r.status = get(bytes.subspan(8), 4);
  for (std::size_t a = 0; a < kRdtAxes; ++a) {
    r.counts[a] = static_cast<std::int32_t>(get(bytes.subspan(12 + 4 * a), 4));
  }
  return r;
}

}  // namespace strigil::daq
