// Golden strokes: what a run's strokes look like over millimetres, seconds and hertz when all is well, learned from
// reference runs, and where another run first leaves that.
//
// All strokes, channels and domains are one envelope (court/golden_envelope.hpp), so the promised rate of false rejects
// holds for the run as a whole and not for each of its curves. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/certificate/svg_plot.hpp"
#include "daq/result.hpp"
#include "protocols/stroke_series.hpp"

namespace strigil::protocols {

enum class GoldenDomain : std::uint8_t {
  kSpace,      ///< mean over a bin of the way
  kTime,       ///< mean over a bin since the stroke began
  kFrequency,  ///< level of a third-octave band, dB re 1 (m/s2)^2/Hz
};

/// One curve of one stroke.
struct GoldenSection {
  std::size_t stroke = 0;  ///< from 0, in the order in which they were done
  GoldenDomain domain = GoldenDomain::kSpace;
  std::string channel;  ///< "normal force"
  std::string unit;
  double resolution = 0;   ///< differences up to here are none
  std::vector<double> at;  ///< middles of the bins: mm from where the stroke began, s, or Hz
  double from_m = 0;       ///< kSpace: the beginning, in the stage's frame
  bool forward = true;
};

struct GoldenStrokes {
  std::string plan_sha256;  ///< of the plan.json that all the runs have
  double false_reject = 0.05;
  double bin_mm = 1;
  double bin_s = 0.02;
  std::vector<GoldenSection> sections;
  std::vector<std::string> runs;                ///< ids of the references
  std::vector<std::vector<double>> references;  ///< [run]: values of all sections, one after the other
};

struct GoldenStrokesOptions {
  double false_reject = 0.05;  ///< in (0, 0.5]; needs 1 / rate - 1 references
  double bin_mm = 1;
  double bin_s = 0.02;
};
/// Refused: too few runs for the rate, other plans, a run without the strokes of the others, strokes too short for a
/// bin.
daq::Result<GoldenStrokes> learn_golden(std::span<const RunSeries> runs, const GoldenStrokesOptions& options = {});

struct GoldenFinding {
  std::size_t section = 0;
  double at = 0;
  double value = 0;  ///< NaN: nothing was measured there
  double low = 0;
  double high = 0;
};
struct GoldenCheck {
  bool accepted = false;
  double p = 0;         ///< share of runs as unusual as this one, itself among them
  double promised = 0;  ///< rate at which good runs are rejected
  std::optional<GoldenFinding> first;
  std::string words;  ///< "normal force leaves the envelope at 37.5 mm of stroke 3: 6.9 N, allowed 5.6 to 6.4 N"
  std::vector<calibration::SvgPlot> plots;  ///< the stroke where it diverges first; accepted: the first stroke
};
/// Refused: a run of another plan.
daq::Result<GoldenCheck> check_golden(const GoldenStrokes& golden, const RunSeries& run);

/// Format 1 (docs/reports.md), numbers to the bit.
std::string to_json(const GoldenStrokes& golden);
/// Errors: not such a file, sizes that do not fit, numbers that are not finite.
daq::Result<GoldenStrokes> parse_golden(std::string_view json);

}  // namespace strigil::protocols
