// ATI Net F/T RDT (raw data transfer): the bytes on UDP port 49152. Pure functions, both directions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace strigil::daq {

inline constexpr std::uint16_t kRdtPort = 49152;
inline constexpr std::uint16_t kRdtHeader = 0x1234;
inline constexpr std::size_t kRdtRequestSize = 8;
inline constexpr std::size_t kRdtRecordSize = 36;
inline constexpr std::size_t kRdtAxes = 6;

enum class RdtCommand : std::uint16_t { kStop = 0, kStartRealtime = 2, kStartBuffered = 3, kSetBias = 0x42 };

/// Host to sensor. `samples` 0: until stopped.
struct RdtRequest {
  RdtCommand command = RdtCommand::kStop;
  std::uint32_t samples = 0;
};

/// Sensor to host. Counts in the order Fx Fy Fz Tx Ty Tz.
struct RdtRecord {
  std::uint32_t rdt_sequence = 0;  ///< counts records sent since the start request
  std::uint32_t ft_sequence = 0;   ///< the sensor's internal sample counter: its ticks
  std::uint32_t status = 0;        ///< 0: healthy
  std::array<std::int32_t, kRdtAxes> counts{};
  friend bool operator==(const RdtRecord&, const RdtRecord&) = default;
};

std::array<std::byte, kRdtRequestSize> encode(const RdtRequest& request) noexcept;
std::array<std::byte, kRdtRecordSize> encode(const RdtRecord& record) noexcept;
/// Nothing for a wrong length, header or command.
std::optional<RdtRequest> decode_rdt_request(std::span<const std::byte> bytes) noexcept;
/// Precondition: exactly kRdtRecordSize bytes; every bit pattern is a record.
RdtRecord decode_rdt_record(std::span<const std::byte, kRdtRecordSize> bytes) noexcept;

}  // namespace strigil::daq
