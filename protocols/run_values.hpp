// RunValues: the values of a run file's blocks as the run had them: newtons by the record it was made with, places by
// the stage's error map that was in use. A file holds counts, and a nominal scale where no straight line says more.
#pragma once

#include <optional>

#include "calibration/conversion.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/result.hpp"
#include "rig/stage_map.hpp"

namespace strigil::protocols {

/// One thread. Nothing is changed in a run without calibrations.
class RunValues {
 public:
  /// Errors: calibration.json or stage_calibration.json of the file cannot be read or does not fit its streams.
  static daq::Result<RunValues> of(const daq::RunHeader& header);
  /// Fills block.values anew. The blocks of the position stream must come in their order: from which side an axis
  /// came its backlash remembers.
  void apply(daq::Block& block) noexcept;
  /// Of the force stream; nullptr: its nominal scale holds.
  [[nodiscard]] const calibration::Conversion* force() const noexcept { return force_ ? &*force_ : nullptr; }

 private:
  daq::StreamId force_stream_ = 0;
  daq::StreamId position_stream_ = 0;
  std::optional<calibration::Conversion> force_;
  std::optional<rig::StageMap> map_;
  rig::StageFollower follower_;
};

}  // namespace strigil::protocols
