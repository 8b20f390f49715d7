// The function generator of a bench on its link: its session, and a ring of its own. It is no part of the tick: whoever
// carries out a procedure turns it between two of them.
#pragma once

#include <memory>

#include "daq/codec/scpi_generator.hpp"
#include "daq/link/link.hpp"
#include "rig/bench.hpp"

namespace strigil::rig {

/// Loop thread.
class ExciterGenerator {
 public:
  /// `chunks` takes what comes over `link`; both outlive this.
  ExciterGenerator(const GeneratorConfig& config, daq::Link& link, daq::ChunkRing& chunks);
  /// Says once more that its output is to be off, unless it has said that it is.
  ~ExciterGenerator();
  ExciterGenerator(const ExciterGenerator&) = delete;
  ExciterGenerator& operator=(const ExciterGenerator&) = delete;

  /// What has come, and what is next to be said. Every few milliseconds.
  void turn(daq::HostTime now);
  [[nodiscard]] daq::ScpiGenerator& session() noexcept { return session_; }
  [[nodiscard]] const daq::ScpiGenerator& session() const noexcept { return session_; }

 private:
  daq::Link& link_;
  daq::ChunkRing& chunks_;
  daq::ScpiGenerator session_;
  daq::HostTime now_;
};

}  // namespace strigil::rig
