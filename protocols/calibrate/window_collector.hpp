// WindowCollector: from a sink of the fanout, the mean counts of every stream in every measuring step of a procedure.
#pragma once

#include <memory>
#include <vector>

#include "daq/fanout.hpp"
#include "protocols/calibrate/procedure.hpp"

namespace strigil::protocols {

/// Samples belong to the step in which they were acquired, whenever they arrive. One thread, between two ticks.
class WindowCollector {
 public:
  /// Adds its sink to `fanout`. `steps` must outlive this.
  WindowCollector(daq::Fanout& fanout, const std::vector<daq::StreamDescription>& streams,
                  const std::vector<ProcedureStep>& steps);
  /// Takes what waits. `done`: of the runner, now. At least once in two seconds.
  void take(const std::vector<StepDone>& done);
  /// [step][stream]; after the last take().
  [[nodiscard]] std::vector<std::vector<StreamWindow>> finish();
  /// Blocks that found the sink full.
  [[nodiscard]] std::uint64_t lost() const;

 private:
  struct Sums {
    double first = 0;  // shifted by the first sample: what is summed stays small
    double sum = 0;
    double squares = 0;
  };
  void take(const daq::Block& block, const std::vector<StepDone>& done);

  const std::vector<daq::StreamDescription>& streams_;
  const std::vector<ProcedureStep>& steps_;
  std::shared_ptr<daq::SinkRings> rings_;
  std::vector<std::vector<StreamWindow>> windows_;
  std::vector<std::vector<std::vector<Sums>>> sums_;  // [step][stream][channel]
  std::size_t oldest_ = 0;                            // step before which no sample is waited for any more
};

}  // namespace strigil::protocols
