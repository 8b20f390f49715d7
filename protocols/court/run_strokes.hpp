// Run strokes: a run file heard by detectors, with the truth that lay under each stroke.
//
// The truth comes from the file's ground_truth.json (docs/run_file.md) and reaches no detector. Off the loop; one
// thread, which owns HDF5 meanwhile.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/record/run_reader.hpp"
#include "daq/result.hpp"
#include "protocols/court/stroke_feed.hpp"

namespace strigil::protocols {

/// An inclusion as the truth has it, seen from above; stage frame.
struct TruthInclusion {
  std::string name;
  std::string kind;
  bool target = false;
  bool differs = true;  ///< false: on paper only
  double x_mm = 0;
  double y_mm = 0;
  double length_mm = 0;
  double width_mm = 0;
  double angle_deg = 0;
  double depth_mm = 0;
  double stiffness_contrast = 1;
  bool round = false;  ///< an ellipse; else a rectangle
};
struct GroundTruth {
  std::string phantom;
  std::string condition;
  std::string instrument;      ///< empty: not known
  double edge_length_mm = 40;  ///< of the instrument's edge, across the stroke; 40 [A] where the file does not say
  std::vector<TruthInclusion> inclusions;
};
/// Errors: not ground_truth.json of version 1, numbers missing or not finite.
daq::Result<GroundTruth> parse_ground_truth(std::string_view json);

/// A target under a stroke.
struct StrokeTarget {
  TruthTarget where;  ///< x range of what lies within the instrument's width; `entered_s` of this stroke
  std::string name;
  std::string kind;
  double size_mm = 0;  ///< the lesser of length and width
  double depth_mm = 0;
  double contrast = 1;  ///< of stiffness
  bool differs = true;  ///< false: on paper only; judged in no figure but the check on blanks
};
/// Targets whose middle this stroke passed over, by x; those on paper too, marked. Confounders are none.
std::vector<StrokeTarget> targets_under(const StrokeHearing& stroke, const GroundTruth& truth);

struct HeardStroke {
  StrokeHearing hearing;
  std::vector<StrokeTarget> targets;
};
struct HeardRun {
  std::string run_id;
  std::string phantom;     ///< of the ground truth; empty: the file has none
  std::string condition;   ///< likewise
  std::string instrument;  ///< likewise
  bool has_truth = false;
  bool in_air = false;  ///< of its plan: nothing was touched, so all targets are on paper
  std::vector<HeardStroke> strokes;   ///< by stroke, then by detector; broken-off ones are left out
  std::vector<std::string> warnings;  ///< "2 strokes were broken off and do not count"
};
/// Replays a run file into `detectors`, blocks and events in the order of time, as live but with all waits left out.
/// Errors: not a run file of ours (streams, plan.json, bench.toml, calibration.json), or a damaged one.
daq::Result<HeardRun> hear_run(const std::string& run_file, const std::vector<Detector*>& detectors);
/// The same with hearings that somebody else has collected (live over a wire), so that the truth is joined once.
daq::Result<HeardRun> join_truth(const std::string& run_file, std::vector<StrokeHearing> hearings);

/// All hearings of a run file, those of broken-off strokes too, and no truth. Errors: as of hear_run.
daq::Result<std::vector<StrokeHearing>> strokes_of_run(const std::string& run_file,
                                                       const std::vector<Detector*>& detectors);
/// What a feed needs to know of the run in this file: roles from bench.toml, the plan from plan.json.
daq::Result<StrokeFeedConfig> feed_config_of(const daq::RunHeader& header);

}  // namespace strigil::protocols
