#include "rig/stage_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/stage_record.hpp"

namespace strigil::rig {
namespace {

using calibration::Approach;

constexpr std::array kNames{"x", "y", "z"};
/// The slope is taken over twice this way: shorter than a screw's turn, longer than the steps of any table.
constexpr double kSlopeOver_m = 0.1e-3;
/// A target nearer than this to where the axis stands does not say from which side it comes.
constexpr double kNoWay_m = 0.05e-6;

double deviation(const calibration::PitchNode& node, Approach approach) noexcept {
  return approach == Approach::rising ? node.rising_m : node.falling_m;
}

}  // namespace

double AxisMap::position(double counted_m, Approach approach) const noexcept {
  if (!known()) return counted_m;
  if (const auto p = table_.position(counted_m, approach)) return *p;
  const auto nodes = table_.nodes();
  return counted_m + deviation(counted_m < nodes.front().command_m ? nodes.front() : nodes.back(), approach);
}

double AxisMap::counted(double position_m, Approach approach) const noexcept {
  if (!known()) return position_m;
  if (const auto c = table_.command(position_m, approach)) return *c;
  const auto nodes = table_.nodes();
  return position_m - deviation(position_m < table_.lowest_m(approach) ? nodes.front() : nodes.back(), approach);
}

double AxisMap::slope(double position_m, Approach approach) const noexcept {
  if (!known()) return 1;
  return (counted(position_m + kSlopeOver_m, approach) - counted(position_m - kSlopeOver_m, approach)) /
         (2 * kSlopeOver_m);
}

double AxisMap::play(double position_m) const noexcept {
  return std::max(0.0, counted(position_m, Approach::rising) - counted(position_m, Approach::falling));
}

daq::Result<StageMap> StageMap::make(const calibration::Record& record, const BenchConfig& bench) {
  StageMap map;
  map.travel_min_m_ = bench.stage.travel_min_m;
  map.travel_max_m_ = bench.stage.travel_max_m;
  bool any = false;
  for (std::size_t a = 0; a < kAxes; ++a) {
    if (calibration::find_quantity(record, kNames[a]) == nullptr) continue;
    const auto table = calibration::error_map_of(record, kNames[a]);
    if (!table) return table.error();
    double largest_m = 0;
    for (const auto& n : table->nodes()) largest_m = std::max({largest_m, std::abs(n.rising_m), std::abs(n.falling_m)});
    if (largest_m > bench.interlock.travel_margin_m) {
      return daq::Error{
          fmt::format("calibration '{}': its error map moves axis {} by {:.3f} mm, more than [interlock] "
                      "travel_margin_mm of {:.3f}: "
                      "such a stage is to be mended, not mapped; if its zero has moved, home it and calibrate again",
                      record.id, kNames[a], largest_m * 1e3, bench.interlock.travel_margin_m * 1e3)};
    }
    map.axes_[a] = AxisMap(*table);
    any = true;
  }
  if (!any) return daq::Error{fmt::format("calibration '{}' has no error map of an axis x, y or z", record.id)};
  return map;
}

Position StageFollower::follow(const StageMap& map, const Position& counted_m) noexcept {
  Position out = counted_m;
  for (std::size_t a = 0; a < kAxes; ++a) {
    const auto& axis = map.axis(a);
    if (!axis.known()) continue;
    auto& s = seen_[a];
    const double rising = axis.position(counted_m[a], Approach::rising);
    const double falling = axis.position(counted_m[a], Approach::falling);
    if (!s.known) {
      s.position_m = (rising + falling) / 2;
    } else if (rising <= falling) {
      s.position_m = std::clamp(s.position_m, rising, falling);
    } else if (counted_m[a] != s.counted_m) {
      s.position_m = counted_m[a] > s.counted_m ? rising : falling;
    }
    s.known = true;
    s.counted_m = counted_m[a];
    out[a] = s.position_m;
  }
  return out;
}

void StageCorrection::aim(const StageMap& map, const Demand& demand, const Readings& r) noexcept {
  move_id_ = demand.move_id;
  const auto counted_m = r.counted_m();
  for (std::size_t a = 0; a < kAxes; ++a) {
    const double wished_m = demand.target_m[a];
    const double way_m = wished_m - r.position_m[a];
    target_m_[a] = counted_m[a];  // an axis that is to stay stays, wherever in its play it stands
    if (!map.axis(a).known()) {
      target_m_[a] = wished_m;
    } else if (!(std::abs(way_m) <= kNoWay_m)) {
      approach_[a] = way_m > 0 ? Approach::rising : Approach::falling;
      target_m_[a] = map.axis(a).counted(wished_m, approach_[a]);
    }
    // Whoever is at the end of the travel is not sent beyond it by what the map corrects. What was wished for beyond is
    // for the interlock to refuse.
    const double corrected_m = std::abs(target_m_[a] - wished_m) + kNoWay_m;
    if (map.axis(a).known() && wished_m >= map.travel_min_m(a) - corrected_m &&
        wished_m <= map.travel_max_m(a) + corrected_m) {
      target_m_[a] = std::clamp(target_m_[a], map.travel_min_m(a), map.travel_max_m(a));
    }
  }
}

double StageCorrection::velocity(const StageMap& map, std::size_t a, double wished_m_s, const Readings& r, double dt,
                                 bool pressed) noexcept {
  const auto& axis = map.axis(a);
  if (!axis.known() || !std::isfinite(wished_m_s)) return wished_m_s;
  if (wished_m_s != 0) approach_[a] = wished_m_s > 0 ? Approach::rising : Approach::falling;
  double v = wished_m_s * axis.slope(r.position_m[a], approach_[a]);
  if (wished_m_s == 0 || (pressed && a == kZ) || !(dt > 0)) return v;
  const double play_m = axis.play(r.position_m[a]);
  wound_m_[a] = std::clamp(wound_m_[a], 0.0, play_m);
  const double left_m = (wished_m_s > 0 ? play_m : 0.0) - wound_m_[a];
  const double more_m = std::copysign(std::min(std::abs(left_m), std::abs(wished_m_s) * dt), left_m);
  wound_m_[a] += more_m;
  v += more_m / dt;
  return v;
}

Demand StageCorrection::apply(const StageMap& map, const Demand& demand, const Readings& r, daq::HostTime now,
                              bool pressed) noexcept {
  Demand out = demand;
  const bool streams = demand.kind == DemandKind::kVelocity;
  if (streams && !streaming_) {
    streamed_ = now;
    const auto counted_m = r.counted_m();
    for (std::size_t a = 0; a < kAxes; ++a)
      wound_m_[a] = counted_m[a] - map.axis(a).counted(r.position_m[a], Approach::falling);
  }
  streaming_ = streams;
  if (streams) {
    const double dt = daq::seconds(now - streamed_);
    streamed_ = now;
    for (std::size_t a = 0; a < kAxes; ++a)
      out.velocity_m_s[a] = velocity(map, a, demand.velocity_m_s[a], r, dt, pressed);
  } else if (demand.kind == DemandKind::kMove) {
    if (demand.move_id != move_id_) aim(map, demand, r);
    out.target_m = target_m_;
  }
  return out;
}

}  // namespace strigil::rig
