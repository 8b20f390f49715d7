// Link URIs: the one thing that differs between a real device and its double.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daq/result.hpp"

namespace strigil::daq {

enum class LinkScheme : std::uint8_t { kSerial, kUdp, kMemory, kReplay };

struct LinkUri {
  LinkScheme scheme = LinkScheme::kMemory;
  std::string path;        ///< serial: device file; memory: name; replay: run file
  int baud = 115200;       ///< serial
  std::string host;        ///< udp: numeric address
  std::uint16_t port = 0;  ///< udp
  std::string stream;      ///< replay: stream name
};

/// "serial:///dev/ttyACM0?baud=115200", "udp://127.0.0.1:49152", "memory:stage", "replay:run.h5#force".
/// Errors say which part is wrong and show an example. Pure.
Result<LinkUri> parse_link_uri(std::string_view text);

}  // namespace strigil::daq
