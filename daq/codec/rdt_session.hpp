// The host's side of ATI Net F/T RDT: asks for records, counts what is lost, makes blocks.
#pragma once

#include <string>

#include "daq/clock_fit.hpp"
#include "daq/codec/loss_window.hpp"
#include "daq/codec/loss_witness.hpp"
#include "daq/codec/rdt.hpp"
#include "daq/session.hpp"
#include "daq/stream.hpp"

namespace strigil::daq {

struct RdtSessionConfig {
  LinkId link = 0;
  StreamId stream = 0;
  std::string name = "force";
  double rate_Hz = 1000;  ///< the sensor's RDT output rate; ft_sequence counts at this rate
  double counts_per_N = 1e6;
  double counts_per_N_m = 1e6;
  double latency_s = 0;                                 ///< as ClockFitConfig
  double lock_bound_s = ClockFitConfig{}.lock_bound_s;  ///< as ClockFitConfig
};

/// Lost and reordered records are counted by rdt_sequence; ft_sequence is the tick counter. A late record has both
/// behind the newest; an rdt_sequence that steps back while ft_sequence does not is a restarted count. A record with a
/// non-zero status is put out and flagged kDeviceFault. ready() once records have come for long enough to trust their
/// times.
class RdtSession final : public Session {
 public:
  explicit RdtSession(const RdtSessionConfig& config);
  void on_chunk(const Chunk& chunk, HostTime now, SessionOutput& out) noexcept override;
  void on_time(HostTime now, SessionOutput& out) noexcept override;
  void stop(HostTime now, SessionOutput& out) noexcept override;
  [[nodiscard]] bool ready() const noexcept override { return clock_.locked(); }
  [[nodiscard]] const SessionCounts& counts() const noexcept override { return counts_; }
  [[nodiscard]] const StreamDescription& description() const noexcept { return description_; }

 private:
  void take(const RdtRecord& record, const Chunk& chunk, SessionOutput& out) noexcept;
  [[nodiscard]] bool place(const RdtRecord& record, const Chunk& chunk, SessionOutput& out) noexcept;
  void flush(SessionOutput& out) noexcept;

  RdtSessionConfig config_;
  StreamDescription description_;
  ClockFit clock_;
  SessionCounts counts_;
  bool wanted_ = true;
  HostTime asked_;
  bool asked_once_ = false;
  HostTime heard_;
  bool synchronised_ = false;      // a first record has set the counters below
  std::uint64_t next_sample_ = 0;  // rdt_sequence extended
  std::uint64_t ticks_ = 0;        // ft_sequence extended
  std::uint32_t last_ft_ = 0;
  LossWitness witness_;
  LossWindow<1024> window_;  // not less than what still counts as late
  std::uint32_t last_status_ = 0;
  std::uint32_t pending_gap_ = 0;
  std::uint32_t pending_flags_ = 0;
  Block block_{};
};

}  // namespace strigil::daq
