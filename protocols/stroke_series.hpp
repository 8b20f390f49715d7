// Stroke series: what the strokes of a run file felt, sample by sample, with where the stage stood at each.
//
// Made from the raw data: counts by the run's own calibration, less the tare that stood, in the edge frame
// (rig/frames.hpp); positions on straight lines between the reports. Off the loop; the thread that owns HDF5.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "daq/record/run_reader.hpp"
#include "daq/result.hpp"
#include "rig/intake.hpp"

namespace strigil::protocols {

/// One channel's samples of a stroke. All vectors have one size.
struct StrokeSamples {
  std::vector<double> t_s;  ///< since the step began
  std::vector<double> x_m;  ///< along the stroke, stage frame; NaN where the stage was not heard
  std::vector<double> value;
  std::uint64_t first_row = 0;  ///< of the stream's counts
};
struct StrokeSeries {
  std::size_t step = 0;  ///< index into the plan's steps
  daq::HostTime began;
  daq::HostTime ended;
  double from_m = 0;  ///< first and last position heard within it
  double to_m = 0;
  StrokeSamples normal_N;
  StrokeSamples tangential_N;
  StrokeSamples vibration_m_s2;  ///< empty: the run has no accelerometer
  double vibration_rate_Hz = 0;
};
struct RunSeries {
  std::string run_id;
  std::string plan_sha256;     ///< of plan.json: runs of one plan can be held against each other
  std::string normal_channel;  ///< "Fz"
  std::string tangential_channel;
  std::string vibration_channel;
  std::vector<StrokeSeries> strokes;  ///< that were done, in their order; broken-off ones are left out
};
/// Errors: not a run file, a damaged one, one without bench.toml (an import: nobody knows what its streams are).
daq::Result<RunSeries> read_stroke_series(daq::RunReader& reader);

/// Mean value in each of `bins` bins of `width` from `first` on, by where the samples belong; NaN where none fell.
std::vector<double> binned(std::span<const double> place, std::span<const double> value, double first, double width,
                           std::size_t bins);
/// mm from `from_m` on, towards greater x when `forward`.
std::vector<double> way_mm(const StrokeSamples& samples, double from_m, bool forward);

/// The bench's roles in this file's streams. Errors as above.
daq::Result<rig::StreamRoles> roles_in(const daq::RunHeader& header);

}  // namespace strigil::protocols
