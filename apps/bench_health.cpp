#include "apps/bench_health.hpp"

#include <cmath>

#include "apps/calibration_gate.hpp"
#include "apps/stop_test_command.hpp"

namespace strigil::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kStopTestsTold = 20;

double rounded(double value, double to) { return std::round(value / to) * to; }

Json dose_json(const protocols::DosePicture& dose) {
  constexpr double kMilli = 1e3;
  Json j{{"x_min_mm", dose.grid.min_x_m * kMilli},
         {"y_min_mm", dose.grid.min_y_m * kMilli},
         {"side_mm", dose.grid.area_side_m * kMilli},
         {"columns", dose.grid.columns},
         {"left_out", dose.left_out}};
  auto used = Json::array();
  auto time_s = Json::array();
  for (std::size_t i = 0; i < dose.areas; ++i) {
    used.push_back(rounded(static_cast<double>(dose.used[i]), 1e-3));
    time_s.push_back(rounded(static_cast<double>(dose.time_s[i]), 1e-2));
  }
  j["used"] = used;
  j["time_s"] = time_s;
  return j;
}

Json worst_json(rig::StopTestKind kind, const rig::StopTestRecord& record) {
  const auto worst = rig::worst_of(kind, record.stops);
  return {{"stopped_ms", worst.stopped_s * 1e3}, {"travel_mm", worst.travel_m * 1e3}, {"peak_N", worst.peak_N}};
}

}  // namespace

RigHealth health_of(const rig::Loop& loop, const std::vector<std::shared_ptr<daq::SinkRings>>& sinks,
                    const daq::ChunkRing& chunks) {
  RigHealth h;
  const auto state = loop.state();
  h.supervisor = state.supervisor;
  h.ticks = state.ticks;
  h.overruns = loop.overruns();
  h.intervals = loop.intervals();
  h.rings.push_back({"chunks from the wires", chunks.size(), chunks.counts()});
  for (const auto& sink : sinks) {
    h.rings.push_back({sink->name + " blocks", sink->blocks.size(), sink->blocks.counts()});
    h.rings.push_back({sink->name + " events", sink->events.size(), sink->events.counts()});
  }
  return h;
}

Json health_json(const RigHealth& h) {
  Json j;
  Json below = Json::array();
  for (std::size_t i = 0; i + 1 < h.intervals.size(); ++i) below.push_back(rig::TickIntervals::kFirst_us << i);
  j["loop"] = {{"ticks", h.ticks}, {"overruns", h.overruns}, {"interval_below_us", below}, {"counts", h.intervals}};
  j["rings"] = Json::array();
  for (const auto& r : h.rings) {
    j["rings"].push_back({{"name", r.name},
                          {"waiting", r.waiting},
                          {"most", r.counts.high_water},
                          {"capacity", r.counts.capacity},
                          {"dropped", r.counts.dropped}});
  }
  if (h.dose.areas > 0) j["dose"] = dose_json(h.dose);
  return j;
}

Json calibration_json(const rig::BenchConfig& bench) {
  const auto standing = calibration_standing(bench, daq::wall_now());
  return {{"record", standing.id},
          {"serial", standing.serial},
          {"valid_until", standing.valid_until},
          {"reasons", standing.reasons}};
}

Json stop_tests_json(const rig::BenchConfig& bench) {
  Json j = Json::array();
  const auto history = rig::read_stop_tests(stop_test_history_of(bench));
  if (!history) return j;  // the gate of a run says why
  const std::size_t first = history->size() > kStopTestsTold ? history->size() - kStopTestsTold : 0;
  for (std::size_t i = first; i < history->size(); ++i) {
    const auto& record = (*history)[i];
    j.push_back({{"at", daq::iso8601(record.at)},
                 {"passed", record.failures.empty()},
                 {"force_trip", worst_json(rig::StopTestKind::kForceTrip, record)},
                 {"abort", worst_json(rig::StopTestKind::kAbort, record)}});
  }
  return j;
}

}  // namespace strigil::apps
