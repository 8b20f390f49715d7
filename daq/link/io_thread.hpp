// The io thread: the one thread that reads serial ports, pseudo-terminals and sockets, and stamps what it reads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daq/link/link.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

/// A serial port of this computer.
struct PortDescription {
  std::string name;         ///< e.g. "/dev/ttyACM0"
  std::string description;  ///< as the system tells it
  std::string serial_number;
};
/// The serial ports there are. Off the loop.
std::vector<PortDescription> list_ports();

/// Owns an event loop (Boost.Asio) on its own thread, the only producer of the chunk ring. Links are opened by the
/// thread that made it, before the ticks begin, and must be destroyed before it.
class IoThread {
 public:
  explicit IoThread(ChunkRing& chunks);
  /// Stops reading and joins.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// "serial:///dev/ttyACM0?baud=115200" (also a pseudo-terminal) "udp://127.0.0.1:49152" or
  /// "replay:run.h5#force" (a recorded device, at its recorded pace). Errors: malformed, no
  /// such port (with those that there are), busy, no permission.
  Result<std::unique_ptr<Link>> open(const std::string& uri, LinkId id);
  /// Loop thread: sleeps until something has been put into the ring since the last wait, at most `longest`. True when
  /// something has.
  bool wait(Duration longest) noexcept;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
