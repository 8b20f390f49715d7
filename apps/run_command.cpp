#include "apps/run_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/detector_commands.hpp"
#include "apps/places.hpp"
#include "apps/run.hpp"
#include "apps/stop_request.hpp"
#include "apps/stop_test_command.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"
#include "protocols/report.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {
namespace {

/// One line that is written over on a terminal; nothing when piped.
class ProgressLine {
 public:
  explicit ProgressLine(const protocols::Plan& plan, bool wanted) : plan_(plan), wanted_(wanted) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const protocols::Progress& p) {
    if (!wanted_ || p.steps == 0) return;
    if (p.suspension != protocols::Suspension::kNone) {
      fmt::print(stderr, "\r\033[K[{}/{}] suspended: {}  force {:6.2f} N  {} in {:.0f} s", p.step + 1, p.steps,
                 name_of(p.suspension), p.normal_force_N,
                 p.suspension == protocols::Suspension::kHolding ? "lifts" : "ends", p.suspension_left_s);
      std::fflush(stderr);
      shown_ = true;
      return;
    }
    const double left_s = std::max(0.0, p.estimated_s - p.elapsed_s);
    fmt::print(stderr, "\r\033[K[{}/{}] {} ({})  force {:6.2f} N  about {:.0f} s left", p.step + 1, p.steps,
               name_of(p.kind), plan_.belongs_to(plan_.steps[p.step]), p.normal_force_N, left_s);
    std::fflush(stderr);
    shown_ = true;
  }
  void clear() {
    if (shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
  }

 private:
  const protocols::Plan& plan_;
  bool wanted_;
  bool shown_ = false;
};

std::string default_run_file(const std::string& protocol) {
  return fmt::format("runs/{}-{}-{}.h5", daq::file_stamp(daq::wall_now()), protocol, ::getpid());
}

daq::Result<void> make_parent(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code failure;
  if (!parent.empty()) std::filesystem::create_directories(parent, failure);
  if (failure) return daq::Error{fmt::format("the folder '{}' cannot be made: {}", parent.string(), failure.message())};
  return {};
}

void print_json(const Prepared& prepared, const RunOutcome& outcome, const std::string& junit) {
  auto j = daq::parse_ordered_json(protocols::to_json(prepared.plan, outcome.verdict));
  j["run_file"] = outcome.run_file;
  if (!junit.empty()) j["junit"] = junit;
  j["timing"] = daq::parse_ordered_json(protocols::to_json(outcome.timing));
  j["duration_s"] = outcome.duration_s;
  j["wall_duration_s"] = outcome.wall_duration_s;
  fmt::print("{}\n", daq::json_text(j, 1));
}

using Seats = std::vector<std::unique_ptr<DetectorSeat>>;

/// Detectors need a publication: on the loopback, where none is asked for.
daq::Result<Seats> seats_for(const RunArguments& a, RunOptions& options) {
  Seats seats;
  for (const auto& command : a.detector_commands) {
    auto detector = a.detector;
    detector.command = command;
    detector.publication = a.publication;
    auto seat = DetectorSeat::open(detector, !a.virtual_time);
    if (!seat) return seat.error();
    options.detectors.push_back(seat->get());
    seats.push_back(std::move(*seat));
  }
  if (!seats.empty() && options.publication.endpoint.empty()) options.publication.endpoint = "tcp://127.0.0.1:*";
  return seats;
}

daq::Result<void> tell_what_was_heard(const RunArguments& a, const RunOutcome& outcome, const Seats& seats) {
  if (seats.empty()) return {};
  std::vector<RemoteHearing> heard;
  for (const auto& seat : seats) {
    auto one = seat->finish(outcome.run_file);
    if (!one) return one.error();
    heard.push_back(std::move(*one));
  }
  const auto judged = judged_text(heard, kReactionDeadline_s);
  if (!judged) return judged.error();
  if (!a.json) fmt::print("{}", judged->text);
  return a.heard.empty() ? daq::Result<void>{} : write_whole(a.heard, judged->json + '\n');
}

}  // namespace

int refuse(const std::string& message) {
  fmt::print(stderr, "strigil: {}\n", message);
  return kUsage;
}

int exit_code(protocols::Judgement judgement) {
  switch (judgement) {
    case protocols::Judgement::kPass:
      return kPass;
    case protocols::Judgement::kFail:
      return kFail;
    case protocols::Judgement::kInvalid:
      return kInvalid;
  }
  return kInvalid;
}

protocols::PlanLimits limits_of(const rig::BenchConfig& bench) {
  return {.travel_min_m = bench.stage.travel_min_m,
          .travel_max_m = bench.stage.travel_max_m,
          .clear_z_m = bench.stage.clear_z_m,
          .max_speed_m_s = bench.stage.max_speed_m_s,
          .max_force_N = bench.interlock.max_force_N,
          .hold = rig::hold_of(bench),
          .position_rate_Hz = bench.stage.status_rate_Hz,
          .taps = bench.taps,
          .angle_rad = bench.instrument.angle_rad};
}

daq::Result<Prepared> prepare(const std::string& protocol, const std::string& bench,
                              const SpecimenArguments& specimen) {
  const auto bench_path = find_toml(bench, "rig/benches", "bench");
  if (!bench_path) return bench_path.error();
  const auto bench_text = daq::read_text_file(*bench_path);
  if (!bench_text) return bench_text.error();
  const auto protocol_path = find_toml(protocol, "protocols/library", "protocol");
  if (!protocol_path) return protocol_path.error();
  const auto protocol_text = daq::read_text_file(*protocol_path);
  if (!protocol_text) return protocol_text.error();
  return prepare_texts(*bench_text, *bench_path, specimen, *protocol_text, *protocol_path);
}

daq::Result<Prepared> prepare_texts(const std::string& bench_text, const std::string& bench_file,
                                    const SpecimenArguments& specimen, const std::string& protocol_text,
                                    const std::string& protocol_file) {
  auto bench_config = rig::parse_bench(bench_text, bench_file);
  if (!bench_config) return bench_config.error();
  if (auto there = put_on_bench(specimen, *bench_config); !there) return there.error();
  const auto parsed = protocols::parse_protocol(protocol_text, protocol_file);
  if (!parsed) return parsed.error();
  auto plan = protocols::expand(*parsed, limits_of(*bench_config));
  if (!plan) return plan.error();
  return Prepared{std::move(*bench_config), std::move(*plan), protocol_text};
}

int run_command(const RunArguments& a) {
  auto prepared = prepare(a.protocol, a.bench, a.specimen);
  if (!prepared) return refuse(prepared.error().message);
  RunOptions options;
  if (a.temperature_C) prepared->bench.calibration.temperature_C = a.temperature_C;
  options.bench = prepared->bench;
  options.plan = prepared->plan;
  options.protocol_text = prepared->protocol_text;
  options.virtual_time = a.virtual_time;
  options.seed = a.seed;
  options.out = a.out.empty() ? default_run_file(prepared->plan.protocol.name) : a.out;
  options.publication = a.publication;
  if (!a.virtual_time) {
    auto allowed = pass_stop_test_gate(prepared->bench, options.stop_test);
    if (!allowed) return refuse(allowed.error().message);
  }
  if (auto made = make_parent(options.out); !made) return refuse(made.error().message);

  catch_stop_signals();
  const bool talk = !a.json && !a.quiet;
  ProgressLine line(options.plan, talk && ::isatty(STDERR_FILENO) == 1);
  RunWatcher watcher;
  watcher.request = &stop_request();
  watcher.suspend = &suspend_request();
  watcher.progress = [&](const protocols::Progress& p, const rig::Readings&) { line.show(p); };
  if (!a.quiet) {
    watcher.say = [&](const std::string& text) {
      line.clear();
      fmt::print(stderr, "{}\n", text);
    };
  }
  const auto seats = seats_for(a, options);
  if (!seats) return refuse(seats.error().message);
  const auto outcome = run(options, watcher);
  line.clear();
  if (!outcome) return refuse(outcome.error().message);
  if (auto told = tell_what_was_heard(a, *outcome, *seats); !told) return refuse(told.error().message);
  if (!a.junit.empty()) {
    auto written = make_parent(a.junit);
    if (written)
      written = write_whole(a.junit, protocols::to_junit(options.plan, outcome->verdict, outcome->duration_s));
    if (!written) return refuse(written.error().message);
  }
  if (a.json) {
    print_json(*prepared, *outcome, a.junit);
  } else {
    if (talk) {
      fmt::print("{} s of bench time in {:.2f} s ({:.0f}x)\n", fmt::format("{:.2f}", outcome->duration_s),
                 outcome->wall_duration_s, outcome->duration_s / std::max(outcome->wall_duration_s, 1e-9));
    }
    if (talk) fmt::print("{}", protocols::to_text(outcome->timing));
    fmt::print("{}", protocols::to_text(options.plan, outcome->verdict));
    for (const auto& s : outcome->subscribers) {
      std::uint64_t received = 0;
      std::uint64_t lost = 0;
      for (const auto& stream : s.streams) received += stream.received, lost += stream.lost;
      fmt::print("subscriber {}: {} samples received, {} lost{}\n", s.name, received, lost,
                 s.alive ? "" : "; it had gone before the end");
    }
    fmt::print("run file: {}\n", outcome->run_file);
    if (!a.junit.empty()) fmt::print("report: {}\n", a.junit);
  }
  return exit_code(outcome->verdict.judgement);
}

int plan_command(const std::string& protocol, const std::string& bench, bool json) {
  const auto prepared = prepare(protocol, bench);
  if (!prepared) return refuse(prepared.error().message);
  fmt::print("{}\n", json ? protocols::to_json(prepared->plan) : protocols::to_text(prepared->plan));
  return kPass;
}

}  // namespace strigil::apps
