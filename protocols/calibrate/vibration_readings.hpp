// What the samples of one step of a vibration calibration say: sensor against reference, at one frequency or over a
// chirp. Pure.
#pragma once

#include <complex>
#include <vector>

#include "calibration/signal/frequency_response.hpp"
#include "protocols/calibrate/vibration_procedure.hpp"

namespace strigil::protocols {

/// Channels of the stream that holds both.
struct VibrationChannels {
  std::size_t sensor = 0;           ///< the axis that is calibrated
  std::vector<std::size_t> across;  ///< the sensor's other axes
  std::size_t reference = 0;
};
/// Errors: the stream has no such channel, or in another unit than m/s2 (reference: V).
daq::Result<VibrationChannels> vibration_channels(const daq::StreamDescription& stream, std::size_t axis,
                                                  const std::string& reference);

/// One sine.
struct SineReading {
  double frequency_Hz = 0;     ///< of the reference's signal
  double amplitude_m_s2 = 0;   ///< by the reference
  std::complex<double> ratio;  ///< indicated m/s2 by V
  double u_ratio = 0;          ///< relative, from the scatter about both sines
  double resolution = 0;       ///< relative standard uncertainty by the sensor's and the reference's counts
  double distortion = 0;       ///< harmonics 2 to 5 of the reference's signal by its fundamental
  double transverse = 0;       ///< amplitude on the axes across by that on the axis
  double periods = 0;
};
/// Sine fits over a whole number of periods: four parameters for the reference, three for the sensor. `asked` is the
/// step's excitation. Errors in words: no samples, some lost, a converter at its range, another frequency or amplitude
/// than was asked for, nothing that is a sine.
daq::Result<SineReading> read_sine(const StreamWindow& window, const daq::StreamDescription& stream,
                                   const VibrationChannels& channels, const rig::Excitation& asked,
                                   const ReferenceStandard& reference);

/// Sensor over reference (indicated m/s2 by V), Hann windows as long as one period of the chirp. Errors as above.
daq::Result<calibration::FrequencyResponse> read_chirp(const StreamWindow& window, const daq::StreamDescription& stream,
                                                       const VibrationChannels& channels, const rig::Excitation& asked);

}  // namespace strigil::protocols
