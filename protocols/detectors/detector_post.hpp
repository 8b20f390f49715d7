// Detector post: a detector's end of the contract (docs/detectors.md): hears a publication and answers to a desk.
#pragma once

#include <optional>
#include <string>

#include "daq/publish/curve.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"
#include "protocols/detectors/detector.hpp"

namespace strigil::protocols {

struct DetectorPostConfig {
  std::string endpoint;  ///< of the publication
  std::string answers;   ///< of the desk
  std::string version = "1";
  std::optional<daq::CurveClientKeys> curve = std::nullopt;  ///< for both
  daq::Duration silence = std::chrono::seconds(60);          ///< of the publication: then it is given up
};
/// Feeds `detector` with one run through a StrokeFeed, until the publication's end. One thread. Errors: nobody
/// welcomes or publishes, nothing came for `silence`, no strokes can be made of the streams.
daq::Result<void> answer_run(const DetectorPostConfig& config, Detector& detector);

}  // namespace strigil::protocols
