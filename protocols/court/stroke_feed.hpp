// Stroke feed: a run's blocks and events become strokes that detectors are fed with, live or from a file.
//
// Each sample of force and vibration is placed by interpolating the position readback at the instant it was made
// (readback_line.hpp), so it waits until a later position is known. What a detector is fed with, call by call, depends
// on the content of the streams alone: one call for each stretch between two position reports in which the stage moved
// along the stroke, with the samples made within it. Not on how blocks were cut, nor on how streams and events were
// interleaved, as long as each comes in its own order and none is more than kSlack of data behind the others.
// Normal force is the calibrated value minus the tare that stood when the stroke began.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daq/block.hpp"
#include "daq/event.hpp"
#include "daq/result.hpp"
#include "daq/stream.hpp"
#include "protocols/detectors/cheats.hpp"
#include "protocols/detectors/detector.hpp"
#include "protocols/readback_line.hpp"
#include "rig/intake.hpp"

namespace strigil::protocols {

/// A stroke as the plan has it.
struct PlannedStroke {
  std::size_t step = 0;
  std::size_t condition = 0;
  std::string phase;
  double force_N = 0;
  double speed_mm_s = 0;
  std::size_t lane = 0;    ///< strokes of one phase, force, speed and way over the phantom share a lane
  std::size_t number = 0;  ///< within the lane, from 0, in the plan's order
  std::size_t of = 1;
};
/// By step, of plan.json as a run records it. Errors: not such a text.
daq::Result<std::map<std::size_t, PlannedStroke>> planned_strokes(const std::string& plan_json);

/// Whether that plan's strokes are in the air. False also of what is no such text.
bool planned_in_air(const std::string& plan_json);

struct TrackPoint {
  double at_s = 0;
  double x_mm = 0;
};

/// What one detector answered to one stroke. Times are host time in seconds, as in the samples.
struct StrokeHearing {
  PlannedStroke planned;  ///< without a plan: only `step`
  int direction = 1;      ///< as the stage moved
  double lane_y_mm = 0;   ///< mean y
  daq::HostTime began;    ///< of the step
  daq::HostTime ended;
  /// False: broken off by a suspension or a fault, or the run ended in it, or nothing moved. Whoever judges drops it.
  bool counts = true;
  double length_m = 0;  ///< that samples were fed from
  double x_from_mm = 0;
  double x_to_mm = 0;
  std::vector<TrackPoint> track;  ///< where it was when, half a millimetre or more apart

  std::string detector;   ///< empty: the feed had none
  bool per_lane = false;  ///< answers once for the lane, with its last stroke: the others are silent by design
  std::vector<Detection> detections;
  /// Answers whose place or time was not yet reached when they came, beyond `early_mm`: no honest detector has any.
  std::size_t before_the_data = 0;
  bool asked_for_truth = false;

  /// When the instrument came to x; NaN: it did not. At its first point: when that was.
  [[nodiscard]] double reached_s(double x_mm) const noexcept;
};

struct StrokeFeedConfig {
  rig::StreamRoles roles;                     ///< channels and signs; streams are found by their quantity
  std::size_t vibration_channel = 2;          ///< of the accelerometer; the last one where it has fewer
  double least_speed_m_s = 1e-3;              ///< along x; slower is standing
  double early_mm = 2;                        ///< an answer further ahead of the instrument came before its data
  std::map<std::size_t, PlannedStroke> plan;  ///< may be empty
};

/// One thread. Detectors must outlive it and are fed with every stroke, each with a truth door that tells nothing.
class StrokeFeed {
 public:
  /// Of data, by which streams and events may be behind each other; what waits longer is left out.
  static constexpr daq::Duration kSlack = std::chrono::seconds(2);

  /// Errors: no position stream with that axis, or no force stream with those channels.
  static daq::Result<StrokeFeed> make(const std::vector<daq::StreamDescription>& streams, StrokeFeedConfig config,
                                      std::vector<Detector*> detectors);
  void take(const daq::Event& event);
  void take(const daq::Block& block);
  /// No more will come.
  void finish();
  /// Of strokes that have ended since the last call, in their order: one for each detector, or one where there is none.
  std::vector<StrokeHearing> hearings();
  /// What the detectors have answered since the last call, by detector, the newest kMostFresh of it. For who answers
  /// live; the hearings hold the same once more.
  std::vector<std::vector<Detection>> fresh();
  static constexpr std::size_t kMostFresh = 4'096;

 private:
  struct Sample {
    daq::HostTime at;
    double first = 0;   // normal force, or acceleration
    double second = 0;  // tangential force
  };
  struct Stream {
    bool there = false;
    daq::StreamId id = 0;
    std::deque<Sample> waiting;
    daq::HostTime known_until{std::numeric_limits<std::int64_t>::min()};  // nothing earlier is still to come
  };
  struct Stroke {
    daq::HostTime began;
    daq::HostTime ended{std::numeric_limits<std::int64_t>::max()};
    std::size_t step = 0;
    bool closed = false;
    bool broken_off = false;
    double zero_normal_N = 0;
    double zero_tangential_N = 0;
    int direction = 0;  // 0: has not moved yet
    double sum_y_m = 0;
    double sum_s = 0;
    double length_m = 0;
    std::vector<TrackPoint> track;
    TrackPoint last;
    std::vector<TruthTrap> traps;  // by detector
    double x_from_mm = 0;
    double x_to_mm = 0;
    std::vector<StrokeHearing> answers;  // by detector
  };
  struct Piece {
    ReadbackStretch stretch;
    std::vector<ContactSample> contact;
    std::vector<VibrationSample> vibration;
  };

  StrokeFeed(StrokeFeedConfig config, std::vector<Detector*> detectors);
  void cut_stretches();
  [[nodiscard]] bool complete(const Stream& stream, daq::HostTime until) const noexcept;
  void feed_pieces();
  bool place(Piece& piece);
  void feed(Stroke& stroke, Piece& piece);
  void begin(Stroke& stroke, const ReadbackStretch& first);
  void end_strokes();
  void collect(Stroke& stroke, std::size_t detector, std::size_t had, double earliest_s, const TrackPoint& now);

  StrokeFeedConfig config_;
  std::vector<Detector*> detectors_;
  daq::StreamId position_ = 0;
  Stream force_;
  Stream vibration_;
  ReadbackLine line_;
  std::deque<ReadbackStretch> stretches_;  // whose samples are not all there yet
  std::deque<Piece> pieces_;               // moving, and not yet known to which stroke they belong
  std::deque<Stroke> strokes_;
  daq::HostTime cut_until_{std::numeric_limits<std::int64_t>::min()};  // stretches up to here have become pieces
  double zero_normal_N_ = 0;
  double zero_tangential_N_ = 0;
  bool finished_ = false;
  std::vector<StrokeHearing> done_;
  std::vector<std::vector<Detection>> fresh_;
};

}  // namespace strigil::protocols
