#include "daq/codec/tmcl.hpp"

namespace strigil::daq {
namespace {

/// The 8-bit sum of all bytes but the last.
std::byte checksum_of(std::span<const std::byte, kTmclBytes> bytes) noexcept {
  unsigned sum = 0;
  for (const auto b : bytes.first<kTmclBytes - 1>()) sum += std::to_integer<unsigned>(b);
  return static_cast<std::byte>(sum & 0xFFU);
}

TmclBytes encode(const std::array<std::uint8_t, 4>& head, std::int32_t value) noexcept {
  TmclBytes bytes{};
  for (std::size_t i = 0; i < head.size(); ++i) bytes[i] = static_cast<std::byte>(head[i]);
  const auto bits = static_cast<std::uint32_t>(value);
  for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<std::byte>(bits >> (24 - 8 * i) & 0xFFU);
  bytes.back() = checksum_of(bytes);
  return bytes;
}

std::uint8_t byte_at(std::span<const std::byte, kTmclBytes> bytes, std::size_t i) noexcept {
  return std::to_integer<std::uint8_t>(bytes[i]);
}

std::int32_t value_of(std::span<const std::byte, kTmclBytes> bytes) noexcept {
  std::uint32_t bits = 0;
  for (std::size_t i = 4; i < 8; ++i) bits = bits << 8U | byte_at(bytes, i);
  return static_cast<std::int32_t>(bits);
}

}  // namespace

TmclBytes encode_tmcl(const TmclRequest& r) noexcept {
  return encode({r.address, static_cast<std::uint8_t>(r.command), r.type, r.motor}, r.value);
}

TmclBytes encode_tmcl(const TmclReply& r) noexcept {
  return encode({r.reply_address, r.address, static_cast<std::uint8_t>(r.status), static_cast<std::uint8_t>(r.command)},
                r.value);
}

std::optional<TmclRequest> decode_tmcl_request(std::span<const std::byte, kTmclBytes> bytes) noexcept {
  if (checksum_of(bytes) != bytes.back()) return std::nullopt;
  return TmclRequest{byte_at(bytes, 0), static_cast<TmclCommand>(byte_at(bytes, 1)), byte_at(bytes, 2),
                     byte_at(bytes, 3), value_of(bytes)};
}

std::optional<TmclReply> decode_tmcl_reply(std::span<const std::byte, kTmclBytes> bytes) noexcept {
  if (checksum_of(bytes) != bytes.back()) return std::nullopt;
  return TmclReply{byte_at(bytes, 0), byte_at(bytes, 1), static_cast<TmclStatus>(byte_at(bytes, 2)),
                   static_cast<TmclCommand>(byte_at(bytes, 3)), value_of(bytes)};
}

std::uint32_t tmcl_faults_of_errors(std::int32_t error_flags) noexcept {
  return static_cast<std::uint32_t>(error_flags) & (kTmclStall | kTmclDeviation);
}

std::uint32_t tmcl_faults_of_driver(std::int32_t driver_flags) noexcept {
  const auto bits = static_cast<std::uint32_t>(driver_flags);
  return ((bits & 1U << 1U) != 0 ? kTmclTooHot : 0U) | ((bits & 1U << 3U) != 0 ? kTmclShortA : 0U) |
         ((bits & 1U << 4U) != 0 ? kTmclShortB : 0U);
}

std::string_view tmcl_status_words(TmclStatus status) noexcept {
  switch (status) {
    case TmclStatus::kWrongChecksum:
      return "wrong checksum: damaged on its way";
    case TmclStatus::kInvalidCommand:
      return "unknown command: check the module's type";
    case TmclStatus::kWrongType:
      return "unknown parameter: check the module's type";
    case TmclStatus::kInvalidValue:
      return "value out of range: check speed, scale";
    case TmclStatus::kLocked:
      return "its EEPROM is locked";
    case TmclStatus::kNotAvailable:
      return "command not available here";
    case TmclStatus::kOk:
      return "ok";
    case TmclStatus::kLoaded:
      return "loaded into program memory";
  }
  return "unknown";
}

const char* tmcl_fault_words(std::uint32_t fault) noexcept {
  if ((fault & kTmclShortA) != 0) return "short circuit in motor coil A: check motor and cable";
  if ((fault & kTmclShortB) != 0) return "short circuit in motor coil B: check motor and cable";
  if ((fault & kTmclTooHot) != 0) return "power stage switched off: too hot. Check current and cooling";
  if ((fault & kTmclStall) != 0) return "motor stalled and was stopped: steps are lost, home the axis";
  if ((fault & kTmclDeviation) != 0) return "encoder and motor disagree: steps are lost, home the axis";
  return fault == 0 ? "no fault" : "unknown fault";
}

}  // namespace strigil::daq
