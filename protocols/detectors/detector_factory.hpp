// Detector factory: the detectors we ship, by name, with defaults for the benches and phantoms we ship.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/detectors/detector.hpp"

namespace strigil::protocols {

/// "glr", "cusum", "cfar", "band_power" and each with "+fusion": all strokes of a lane together.
[[nodiscard]] std::vector<std::string> shipped_detectors();
/// A detector with its defaults; its name() is `name`. Errors: no such name; the list is in the message.
daq::Result<std::unique_ptr<Detector>> make_detector(std::string_view name);

}  // namespace strigil::protocols
