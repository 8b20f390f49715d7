// The twins' ends of real wires: a pseudo-terminal that looks like a serial port, and a UDP port. Nothing blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "sim/twin.hpp"

namespace strigil::sim {

/// One wire as the device sees it. One thread; closed when destroyed.
class RealWire : public TwinOutput {
 public:
  /// What the host sent, at most room.size() bytes (a datagram: one, cut to fit); 0 when there is nothing now.
  virtual std::size_t take(std::span<std::byte> room) = 0;
  /// Carries on with bytes that the wire could not take at once. Call every turn.
  virtual void flush() = 0;
  /// The URI under which the host opens it.
  [[nodiscard]] virtual const std::string& uri() const = 0;
  /// Bytes that found no taker: nobody had the port open, or did not read for too long.
  [[nodiscard]] virtual std::uint64_t lost_bytes() const = 0;
};

/// A pseudo-terminal in raw mode, reachable through the symbolic link `path` (an older link there is replaced, any
/// other file is an error; the link goes when the wire goes). Before a host opens it, up to 64 KiB wait for it, as the
/// greeting of a stage must; after a host has left, bytes are lost until the next one comes.
daq::Result<std::unique_ptr<RealWire>> open_pty_wire(const std::string& path);

/// A UDP port of the loopback interface, chosen by the system. It answers whoever asked last.
daq::Result<std::unique_ptr<RealWire>> open_udp_wire();

}  // namespace strigil::sim
