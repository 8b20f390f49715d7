// Timing certificate: what a run says of its own timeline, and whether the taps bear it out (docs/time.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocols/timing_trace.hpp"

namespace strigil::protocols {

/// One stream. Times in s; NaN: not known.
struct StreamTiming {
  std::string stream;
  std::uint64_t samples = 0;
  std::uint64_t unlocked_samples = 0;
  std::uint64_t breaks = 0;
  double bound_p50_s = 0;
  double bound_p95_s = 0;
  double bound_max_s = 0;
  double drift_ppm = 0;
  double delay_s = 0;   ///< mean time from acquisition to arrival
  bool tapped = false;  ///< it feels taps, and there were taps: the offsets below were looked for
  TapOffset before;     ///< against the reference stream
  TapOffset after;
  /// How far before or after may lie from 0 for the bounds to be borne out: both streams' and the taps' own.
  double allowed_s = 0;
  std::vector<std::string> problems;  ///< for a person; none: borne out
};

struct TimingCertificate {
  std::string reference;  ///< stream against which taps are told: the force
  bool tapped = false;    ///< the run had taps
  std::vector<StreamTiming> streams;
};

/// Looks at what the trace gathered. `lost_blocks`: that the trace did not get, which is a problem of every stream.
TimingCertificate certify(const TimingTrace& trace, std::uint64_t lost_blocks);
std::string to_text(const TimingCertificate& certificate);
std::string to_json(const TimingCertificate& certificate);

}  // namespace strigil::protocols
