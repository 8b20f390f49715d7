#include "rig/stop_test.hpp"

#include <algorithm>
#include <cmath>

namespace strigil::rig {
namespace {

constexpr daq::Duration kTimeout = std::chrono::seconds(60);
constexpr daq::Duration kSettleTime = std::chrono::milliseconds(500);
/// A stage this near to its farthest place has stopped.
constexpr double kThere_m = 20e-6;
/// Part of the travel along x that is left out at each end.
constexpr double kEnds = 0.1;

struct Seen {
  daq::HostTime at;
  double place_m;
};

/// Where the axis was at `at`, by a straight line between two reports; outside them the nearest.
double place_at(const std::vector<Seen>& reports, daq::HostTime at) {
  const auto after = std::find_if(reports.begin(), reports.end(), [&](const Seen& s) { return s.at >= at; });
  if (after == reports.begin()) return reports.front().place_m;
  if (after == reports.end()) return reports.back().place_m;
  const auto& b = *after;
  const auto& a = *(after - 1);
  const double part = daq::seconds(at - a.at) / daq::seconds(b.at - a.at);
  return a.place_m + part * (b.place_m - a.place_m);
}

}  // namespace

std::string_view name_of(StopTestKind kind) noexcept {
  return kind == StopTestKind::kForceTrip ? "force_trip" : "abort";
}

std::string_view name_of(StopTestOutcome outcome) noexcept {
  switch (outcome) {
    case StopTestOutcome::kUnderWay:
      return "under way";
    case StopTestOutcome::kMoveRefused:
      return "the interlock or the stage refused a move";
    case StopTestOutcome::kLoadedBefore:
      return "the force sensor was loaded before anything was touched: its zero is off, or something hangs on it";
    case StopTestOutcome::kNeverTripped:
      return "nobody stopped the stage before the end of its way: the hard stop is not where [taps] says, or the force "
             "is not felt";
    case StopTestOutcome::kTimeout:
      return "the stage did not come to where the test begins";
  }
  return "unknown";
}

StopTest::StopTest(StopTestKind kind, const BenchConfig& bench) : kind_(kind), bench_(bench) {}

BehaviourState StopTest::state() const noexcept {
  return outcome_ == StopTestOutcome::kUnderWay ? BehaviourState::kRunning : BehaviourState::kFailed;
}

Position StopTest::target(const Readings& r) const noexcept {
  const auto& stage = bench_.stage;
  const auto& taps = *bench_.taps;
  const double end_m = kEnds * (stage.travel_max_m[kX] - stage.travel_min_m[kX]);
  const bool trip = kind_ == StopTestKind::kForceTrip;
  switch (at_) {
    case kLift:
      return {r.position_m[kX], r.position_m[kY], std::max(r.position_m[kZ], stage.clear_z_m)};
    case kTraverse:
      return {trip ? taps.x_m : stage.travel_min_m[kX] + end_m, taps.y_m, stage.clear_z_m};
    case kStart:
    case kSettle:
      return trip ? Position{taps.x_m, taps.y_m, taps.start_z_m} : target_m_;
    default:
      return trip ? Position{taps.x_m, taps.y_m, taps.deepest_z_m}
                  : Position{stage.travel_max_m[kX] - end_m, taps.y_m, stage.clear_z_m};
  }
}

double StopTest::speed_m_s() const noexcept {
  if (at_ != kMeasured) return bench_.stage.retract_speed_m_s;
  return kind_ == StopTestKind::kForceTrip ? bench_.stop_test->speed_m_s : bench_.stop_test->abort_speed_m_s;
}

Demand StopTest::step(const Readings& r, daq::HostTime now, EventSink&) noexcept {
  const auto begin = [&] {
    target_m_ = target(r);
    began_ = now;
    if (at_ != kSettle) ++move_;
  };
  if (outcome_ != StopTestOutcome::kUnderWay) return {.kind = DemandKind::kRetract};
  if (move_ == 0) begin();
  const bool done = at_ == kSettle ? now - began_ > kSettleTime : r.finished_move == move_;
  if (r.refused_move == move_) {
    outcome_ = StopTestOutcome::kMoveRefused;
  } else if (now - began_ > kTimeout) {
    outcome_ = StopTestOutcome::kTimeout;
  } else if (done && at_ == kMeasured) {
    outcome_ = StopTestOutcome::kNeverTripped;
  } else if (done && at_ == kSettle && std::abs(r.untared_normal_force_N) > bench_.stop_test->trip_N / 2) {
    outcome_ = StopTestOutcome::kLoadedBefore;
  } else if (done) {
    ++at_;
    begin();
  }
  if (outcome_ != StopTestOutcome::kUnderWay) return {.kind = DemandKind::kRetract};
  const double middle_m = (bench_.stage.travel_min_m[kX] + bench_.stage.travel_max_m[kX]) / 2;
  wants_abort_ = kind_ == StopTestKind::kAbort && at_ == kMeasured && r.position_m[kX] > middle_m;
  if (at_ == kSettle) return {.kind = DemandKind::kHold};
  return {.kind = DemandKind::kMove, .move_id = move_, .target_m = target_m_, .speed_m_s = speed_m_s()};
}

daq::Result<StopTestFigures> stop_test_figures(StopTestKind kind, const std::vector<StopTestRow>& trace,
                                               double trip_N) {
  const bool trip = kind == StopTestKind::kForceTrip;
  const auto stopping = std::find_if(trace.begin(), trace.end(), [](const StopTestRow& r) { return r.stopping; });
  const auto over =
      std::find_if(trace.begin(), trace.end(), [&](const StopTestRow& r) { return std::abs(r.force_N) > trip_N; });
  if (stopping == trace.end()) return daq::Error{"the rig never stopped"};
  if (trip && over == trace.end()) return daq::Error{"the force never came to trip_N"};
  const auto event = trip ? over->force_t0 : stopping->at;
  StopTestFigures f;
  f.kind = kind;
  f.noticed_s = daq::seconds(stopping->at - event);

  // Downwards, or along x: what grows is the way.
  std::vector<Seen> reports;
  for (const auto& r : trace) {
    if (!reports.empty() && r.position_t0 <= reports.back().at) continue;
    reports.push_back({r.position_t0, trip ? -r.position_m[kZ] : r.position_m[kX]});
  }
  const auto farther = [](const Seen& a, const Seen& b) { return a.place_m < b.place_m; };
  const auto farthest = std::max_element(reports.begin(), reports.end(), farther);
  if (farthest == reports.end() || farthest + 1 == reports.end()) {
    return daq::Error{"the stage was not seen to come to rest"};
  }
  const double farthest_m = farthest->place_m;
  const auto there = std::find_if(reports.begin(), reports.end(),
                                  [&](const Seen& s) { return s.at >= event && s.place_m >= farthest_m - kThere_m; });
  if (there != reports.end()) f.stopped_s = daq::seconds(there->at - event);
  f.travel_m = std::max(0.0, farthest_m - place_at(reports, event));
  if (!trip) return f;
  for (auto r = over; r != trace.end(); ++r) f.peak_N = std::max(f.peak_N, std::abs(r->force_N));
  const auto last_loaded = std::find_if(trace.rbegin(), trace.rend(),
                                        [&](const StopTestRow& r) { return std::abs(r.force_N) >= trip_N / 2; });
  if (last_loaded == trace.rbegin()) return daq::Error{"the force was still there at the end"};
  f.released_s = daq::seconds((last_loaded - 1)->force_t0 - event);
  return f;
}

}  // namespace strigil::rig
