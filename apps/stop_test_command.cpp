#include "apps/stop_test_command.hpp"

#include <fmt/format.h>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "apps/stop_request.hpp"

namespace strigil::apps {
namespace {

using rig::StopTestFigures;
using rig::StopTestKind;

constexpr std::size_t kMostRows = 200'000;

void print(const StopTestFigures& f) {
  const bool trip = f.kind == StopTestKind::kForceTrip;
  fmt::print("{:<12} noticed after {:6.1f} ms, at rest after {:6.1f} ms and {:6.3f} mm", rig::name_of(f.kind),
             f.noticed_s * 1e3, f.stopped_s * 1e3, f.travel_m * 1e3);
  if (trip) fmt::print(", at most {:.2f} N, let go after {:.1f} ms", f.peak_N, f.released_s * 1e3);
  fmt::print("\n");
}

}  // namespace

std::string stop_test_history_of(const rig::BenchConfig& bench) {
  if (bench.stop_test && !bench.stop_test->history.empty()) return bench.stop_test->history;
  return fmt::format("runs/stop_tests/{}.jsonl", bench.name);
}

daq::Result<StopTestFigures> measure_stop(StopTestKind kind, ShortRun& run) {
  rig::StopTest test(kind, run.rig().bench());
  std::vector<rig::StopTestRow> trace;
  trace.reserve(kMostRows);
  run.perform(test, [&](const rig::RigState& state, daq::HostTime now) {
    const auto& r = state.readings;
    if (test.wants_abort()) run.abort();
    if (!test.measuring() || trace.size() == kMostRows) return;
    const bool stopping = state.supervisor != rig::SupervisorState::kRunning;
    trace.push_back({now, r.force_t0, r.untared_normal_force_N, r.position_t0, r.position_m, stopping});
  });
  if (run.stopped()) return daq::Error{"stopped by the operator"};
  if (test.outcome() != rig::StopTestOutcome::kUnderWay) return daq::Error{std::string(rig::name_of(test.outcome()))};
  const auto& interlock = run.rig().interlock();
  const auto expected = kind == StopTestKind::kForceTrip ? rig::kForceLimit : 0U;
  if (interlock.first_cause() != expected) {
    return daq::Error{fmt::format("the interlock tripped over something else: {}. {}",
                                  rig::fault_names(interlock.latched()), rig::fault_advice(interlock.latched()))};
  }
  return rig::stop_test_figures(kind, trace, run.rig().bench().stop_test->trip_N);
}

rig::BenchConfig bench_for(StopTestKind kind, const rig::BenchConfig& bench) {
  auto in_test = bench;
  if (kind == StopTestKind::kForceTrip) in_test.interlock.max_force_N = bench.stop_test->trip_N;
  return in_test;
}

daq::Result<StopTestDone> carry_out_stop_test(const StopTestOptions& o,
                                              const std::function<void(const StopTestFigures&)>& measured) {
  const auto& bench = o.bench;
  const auto file = stop_test_history_of(bench);
  const auto history = rig::read_stop_tests(file);
  if (!history) return history.error();
  StopTestDone done;
  auto& record = done.record;
  record.at = daq::wall_now();
  record.bench = bench.name;
  record.setup = rig::stop_test_setup(bench);
  record.software = version();
  record.simulated = o.virtual_time;
  for (const auto kind : {StopTestKind::kForceTrip, StopTestKind::kAbort}) {
    for (int i = 0; i < bench.stop_test->repeats && done.complete; ++i) {
      auto run = ShortRun::bring_up({.bench = bench_for(kind, bench),
                                     .virtual_time = o.virtual_time,
                                     .seed = o.seed + static_cast<std::uint64_t>(i),
                                     .request = o.request});
      if (!run) return run.error();
      const auto figures = measure_stop(kind, **run);
      done.complete = figures.ok();
      if (!done.complete) {
        record.failures.push_back(fmt::format("{}: {}", rig::name_of(kind), figures.error().message));
        break;
      }
      record.stops.push_back(*figures);
      if (measured) measured(*figures);
    }
  }
  if (done.complete) record.failures = rig::judge_stops(record.stops, bench, *history);
  // A simulation says nothing of the stage that the gate is there for.
  if (!o.virtual_time) {
    if (auto kept = rig::append_stop_test(file, record); !kept) return kept.error();
  }
  return done;
}

daq::Result<void> pass_stop_test_gate(const rig::BenchConfig& bench, std::string& last) {
  if (!bench.stop_test) return {};
  const auto file = stop_test_history_of(bench);
  const auto history = rig::read_stop_tests(file);
  if (!history && bench.stop_test->required) return history.error();
  if (!history) return {};
  if (!history->empty()) last = rig::to_json(history->back());
  const auto reason = rig::stop_test_gate(bench, *history, daq::wall_now());
  if (!reason.empty()) return daq::Error{fmt::format("{} ([stop_test] required; history: {})", reason, file)};
  return {};
}

int stop_test_command(const StopTestArguments& a) {
  const auto path = find_toml(a.bench, "rig/benches", "bench");
  if (!path) return refuse(path.error().message);
  auto bench = rig::load_bench(*path);
  if (!bench) return refuse(bench.error().message);
  if (auto there = put_on_bench({}, *bench); !there) return refuse(there.error().message);
  if (!bench->stop_test) return refuse(fmt::format("the bench file {} has no [stop_test]", *path));
  if (!bench->taps) return refuse(fmt::format("the bench file {} has no [taps]: no hard stop to run onto", *path));
  catch_stop_signals();
  const auto done = carry_out_stop_test({.bench = *bench, .virtual_time = a.virtual_time, .seed = a.seed},
                                        [&](const StopTestFigures& figures) {
                                          if (!a.json) print(figures);
                                        });
  if (!done) return refuse(done.error().message);
  const auto& record = done->record;
  if (a.json) {
    fmt::print("{}\n", rig::to_json(record));
  } else {
    for (const auto& failure : record.failures) fmt::print("worse: {}\n", failure);
    fmt::print("STOP TEST: {}{}\n", record.failures.empty() ? "PASS" : "FAIL",
               a.virtual_time ? " (virtual time: not kept)"
                              : fmt::format(", kept in {}", stop_test_history_of(*bench)));
  }
  if (!done->complete) return kInvalid;
  return record.failures.empty() ? kPass : kFail;
}

}  // namespace strigil::apps
