// Channel delays by taps: runs of a protocol on a bench with [taps], in which all streams see the same instants. Its
// record says how much later than the force each other stream is (metrology.md 2.5; docs/time.md).
#pragma once

#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// Immutable; any thread.
class DelayProcedure final : public Procedure {
 public:
  explicit DelayProcedure(ProcedureRuns runs) : runs_(std::move(runs)) {}
  [[nodiscard]] const std::vector<ProcedureStep>& steps() const override { return none_; }
  [[nodiscard]] std::optional<ProcedureRuns> runs() const override { return runs_; }
  /// The bench as a whole, by its name: delays are of the chains on it, at their rate and filter.
  [[nodiscard]] ProcedureSubject subject(const rig::BenchConfig& bench) const override;
  [[nodiscard]] daq::Result<ProcedureResult> evaluate(const ProcedureData& data,
                                                      const ProcedureSetup& setup) const override;
  /// For vibration and position, from the taps before and after the strokes of every run: the delay against the force
  /// that was reckoned with ([force], [vibration], [stage] latency_ms), and what the taps say beyond it. U = t u, with
  /// u^2 of the scatter of the mean and of the taps' own uncertainty, which does not average away. Errors: no taps, or
  /// they say nothing.
  [[nodiscard]] daq::Result<ProcedureResult> evaluate_runs(const std::vector<TimingCertificate>& runs,
                                                           const ProcedureSetup& setup) const override;

 private:
  ProcedureRuns runs_;
  std::vector<ProcedureStep> none_;
};

}  // namespace strigil::protocols
