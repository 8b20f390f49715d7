// Golden envelope: what a good run looks like over time, millimetres or hertz, learned from N reference runs with a
// promised rate of false rejects.
//
// One number judges a run: its greatest studentised deviation over all channels and grid points, so the promise holds
// for all of them together. It is compared with the same number of the references by their rank (conformal prediction,
// Vovk et al. 2005; Lei et al. 2018): if the new run and the references are exchangeable, good runs are rejected at the
// promised rate exactly, for any N and any distribution, over what references chance may bring. No normality is taken.
// Runs are brought to the grid by the caller. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daq/result.hpp"

namespace strigil::protocols {

struct GoldenGrid {
  std::vector<double> at;  ///< ascending
  std::string unit;        ///< "mm", "s", "Hz"
};
struct GoldenChannelName {
  std::string name;       ///< "normal force"
  std::string unit;       ///< "N"
  double resolution = 0;  ///< differences up to here are none: added in quadrature to the spread, >= 0
};
/// `channel[c][i]`: at grid point i.
struct GoldenRun {
  std::vector<std::vector<double>> channel;
};

enum class GoldenMethod : std::uint8_t {
  kFull,   ///< each run against all others, the new one among them: uses all references for everything
  kSplit,  ///< some references make the band, the others say how wide: the band is the same for every run judged
};
struct GoldenOptions {
  double false_reject = 0.05;  ///< asked for; (0, 0.5]
  GoldenMethod method = GoldenMethod::kFull;
  std::uint64_t seed = 1;  ///< of the split
};

struct GoldenEnvelope {
  GoldenGrid grid;
  std::vector<GoldenChannelName> channels;
  GoldenMethod method = GoldenMethod::kFull;
  double asked = 0;
  double promised = 0;  ///< the rank's rate: the greatest multiple of 1 / (n + 1) not above what was asked
  std::size_t references = 0;
  std::size_t calibrating = 0;  ///< references whose ranks judge: all (full) or those not in the band (split)
  double limit = 0;             ///< of the studentised deviation. Full: of the references among themselves, for plots
  std::vector<std::vector<double>> centre;  ///< [channel][point]
  std::vector<std::vector<double>> spread;
  std::vector<std::vector<double>> low;  ///< centre - limit x spread
  std::vector<std::vector<double>> high;
  std::vector<GoldenRun> kept;  ///< full: the references
};
/// Refused: too few references for the rate asked for (says how many), grids or channels that do not fit, NaN, a
/// channel whose references are all the same somewhere without a resolution.
daq::Result<GoldenEnvelope> learn_envelope(const GoldenGrid& grid, std::span<const GoldenChannelName> channels,
                                           std::span<const GoldenRun> references, const GoldenOptions& options = {});
/// References that a rate needs: full 1 / rate - 1 (at least 3); split 3 more, for the band.
std::size_t references_needed(double false_reject, GoldenMethod method);

struct Divergence {
  std::size_t channel = 0;
  std::size_t point = 0;
  double at = 0;
  double value = 0;
  double low = 0;
  double high = 0;
  double beyond = 0;       ///< in the channel's unit: above `high` positive, below `low` negative
  double half_widths = 0;  ///< deviation from the centre over half the envelope's width, > 1
  std::string words;
};
struct GoldenJudgement {
  bool accepted = true;
  double p = 1;                     ///< share of runs as unusual as this one, itself among them
  double deviation = 0;             ///< greatest studentised
  double limit = 0;                 ///< that it was held against
  std::optional<Divergence> first;  ///< lowest grid point; of several channels there the farthest out
  std::optional<Divergence> worst;
  std::vector<double> outside_share;  ///< of the grid points of each channel
};
/// Refused: other channels or grid points than the envelope's, NaN (a run that was not measured cannot be judged).
daq::Result<GoldenJudgement> judge_run(const GoldenEnvelope& envelope, const GoldenRun& run);

}  // namespace strigil::protocols
