// Suspended and let go on, by the whole rig on three simulated stages; judged by what the phantom felt and by where the
// instrument really was.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/record/verify.hpp"
#include "daq/strict_toml.hpp"
#include "protocols/runner.hpp"
#include "rig/rig.hpp"
#include "sim/virtual_world.hpp"

namespace strigil::apps {
namespace {

using protocols::Judgement;
using protocols::StepKind;
using protocols::StepOutcome;
using protocols::Suspension;
using testing::HasSubstr;

struct Case {
  std::string bench;
  std::string protocol;
  StepKind kind = StepKind::kStroke;  ///< in which it is suspended
  int which = 1;                      ///< of that kind, from 1
  double after_s = 0.3;               ///< since it began
  double lasts_s = 8;
  bool taps = false;
  std::string extra = "";   ///< TOML behind the bench's
  double max_time_s = 600;  ///< of the dose: a stage as slow as Grbl presses for half a minute until it knows what on
};

/// What really happened.
struct Seen {
  std::string refused;
  rig::BehaviourState end = rig::BehaviourState::kRunning;
  rig::SupervisorState state = rig::SupervisorState::kFaulted;
  std::vector<protocols::StepResult> steps;
  std::size_t strokes_planned = 0;
  double peak_N = 0;          ///< of the whole run
  double held_least_N = 1e9;  ///< while held, from half a second after on
  double held_most_N = 0;
  double moved_m = 0;         ///< x and y while held, from half a second after on
  double braking_m = 0;       ///< x and y from the wish to rest
  double force_at_end_N = 0;  ///< of the suspension
  double longest_dose_s = 0;  ///< that any area of the phantom received, by the run's account
  double height_at_end_m = 0;
  std::vector<Suspension> was;
  [[nodiscard]] std::ptrdiff_t count(StepKind kind, StepOutcome outcome) const {
    return std::count_if(steps.begin(), steps.end(),
                         [&](const auto& s) { return s.kind == kind && s.outcome == outcome; });
  }
  [[nodiscard]] bool did(Suspension what) const { return std::find(was.begin(), was.end(), what) != was.end(); }
};

class WorldPacer final : public rig::Pacer {
 public:
  explicit WorldPacer(sim::VirtualWorld& world) : world_(world) {}
  daq::HostTime next() override {
    world_.advance_to_arrival(world_.now() + std::chrono::milliseconds(2));
    return world_.now();
  }

 private:
  sim::VirtualWorld& world_;
};

/// `then` is asked for at the end of the suspension.
Seen suspend(const Case& c, rig::Command then = rig::Command::kResume, bool emergency = false) {
  Seen seen;
  const auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/" + c.bench + ".toml").value() + c.extra;
  const auto bench = rig::parse_bench(text, c.bench).value();
  auto config = sim::parse_sim_config(text, c.bench).value();
  const auto protocol_text =
      daq::read_text_file(STRIGIL_SOURCE_DIR "/protocols/library/" + c.protocol + ".toml").value();
  auto protocol = protocols::parse_protocol(protocol_text, c.protocol).value();
  if (protocol.hold == protocols::Hold::kForce) {
    protocol.stroke_speed_m_s = {c.bench == "sim_tmcl" ? 0.1 : 0.025};
    protocol.stroke_length_m = 40e-3;
    *protocol.dose = {c.max_time_s, 1000, 1e5, 1e4, protocol.dose->max_pressure_Pa};
  }
  const auto plan = protocols::expand(protocol, {.travel_min_m = bench.stage.travel_min_m,
                                                 .travel_max_m = bench.stage.travel_max_m,
                                                 .clear_z_m = bench.stage.clear_z_m,
                                                 .max_speed_m_s = bench.stage.max_speed_m_s,
                                                 .max_force_N = bench.interlock.max_force_N,
                                                 .hold = rig::hold_of(bench),
                                                 .position_rate_Hz = bench.stage.status_rate_Hz,
                                                 .taps = c.taps ? bench.taps : std::nullopt})
                        .value();
  seen.strokes_planned = plan.conditions.size();
  daq::ChunkRing chunks(4096);
  sim::VirtualWorld world(config, chunks);
  WorldPacer pacer(world);
  auto assembled =
      rig::Rig::assemble(bench, chunks, [&](const std::string& uri, daq::LinkId id) { return world.open(uri, id); });
  auto& rig = **assembled;
  if (auto up = rig.bring_up(pacer); !up) {
    seen.refused = up.error().message;
    return seen;
  }
  protocols::Runner runner(plan);
  rig.begin();
  auto& loop = rig.loop_with(runner);
  int which = 0;
  std::size_t steps = 0;
  daq::HostTime step_began;
  std::optional<daq::HostTime> suspended;
  bool resumed = false;
  std::array<double, 2> asked_m{};
  std::array<double, 2> last_m{};
  while (!loop.over()) {
    const auto now = pacer.next();
    if (rig.supervisor().state() == rig::SupervisorState::kFaulted) {
      (void)loop.request(rig::Command::kReset);
      (void)loop.request(rig::Command::kStart);
    }
    if (runner.results().size() != steps) {
      steps = runner.results().size();
      step_began = now;
      const auto& begun = runner.results().back();
      if (begun.kind == c.kind && plan.steps[begun.step].timing == c.taps) ++which;
    }
    const auto& truth = world.world().plant();
    const std::array<double, 2> at_m{truth.position_m[0], truth.position_m[1]};
    if (!suspended && which == c.which && daq::seconds(now - step_began) >= c.after_s) {
      suspended = now;
      asked_m = last_m = at_m;
      EXPECT_TRUE(loop.request(rig::Command::kSuspend));
    }
    if (suspended && !resumed && daq::seconds(now - *suspended) >= c.lasts_s) {
      resumed = true;
      seen.force_at_end_N = truth.force_N[2];
      seen.height_at_end_m = truth.position_m[2];
      if (emergency) rig.supervisor().emergency_stop();
      EXPECT_TRUE(emergency || loop.request(then));
    }
    loop.tick(now);
    seen.peak_N = std::max(seen.peak_N, truth.force_N[2]);
    if (!suspended || resumed) continue;
    const auto doing = runner.progress().suspension;
    if (seen.was.empty() || seen.was.back() != doing) seen.was.push_back(doing);
    const double way_m = std::hypot(at_m[0] - last_m[0], at_m[1] - last_m[1]);
    constexpr double kAtRest_s = 0.5;
    if (doing == Suspension::kHolding && daq::seconds(now - *suspended) > kAtRest_s) {
      seen.held_least_N = std::min(seen.held_least_N, truth.force_N[2]);
      seen.held_most_N = std::max(seen.held_most_N, truth.force_N[2]);
      seen.moved_m += way_m;
    } else if (doing == Suspension::kHolding) {
      seen.braking_m = std::hypot(at_m[0] - asked_m[0], at_m[1] - asked_m[1]);
    }
    last_m = at_m;
  }
  seen.end = runner.state();
  seen.state = rig.supervisor().state();
  seen.steps = runner.results();
  if (runner.dose() != nullptr) seen.longest_dose_s = runner.dose()->total().time_s;
  return seen;
}

void expect_finished(const Seen& seen, const std::string& what) {
  ASSERT_EQ(seen.refused, "") << what;
  std::string steps;
  for (const auto& s : seen.steps) {
    steps += fmt::format("{} {} {}; ", s.step, protocols::name_of(s.kind), protocols::name_of(s.outcome));
  }
  EXPECT_EQ(seen.state, rig::SupervisorState::kFinished) << what << "\n" << steps;
  EXPECT_EQ(seen.count(StepKind::kStroke, StepOutcome::kDone), static_cast<std::ptrdiff_t>(seen.strokes_planned))
      << what << ": each stroke once\n"
      << steps;
}

TEST(Suspend, AStrokeUnderForceComesToRestIsHeldThenLiftedAndDoneAgain) {
  for (const std::string bench : {"sim_tmcl", "sim_zaber", "sim"}) {
    for (const int which : {1, 2}) {
      if (bench == "sim" && which == 1) continue;  // half a minute of every press is Grbl's
      const auto what = fmt::format("{}, stroke {}", bench, which);
      const auto seen = suspend({.bench = bench, .protocol = "force", .which = which, .after_s = 0.2, .lasts_s = 8});
      expect_finished(seen, what);
      EXPECT_EQ(seen.count(StepKind::kStroke, StepOutcome::kInterrupted), 1) << what;
      EXPECT_EQ(seen.count(StepKind::kSurvey, StepOutcome::kDone), 2) << what << ": the surface is known already";
      EXPECT_EQ(seen.was, (std::vector{Suspension::kHolding, Suspension::kLifting, Suspension::kClear})) << what;
      EXPECT_GT(seen.braking_m, 0.1e-3) << what << ": it was on its way";
      EXPECT_LT(seen.braking_m, 15e-3) << what;
      EXPECT_LT(seen.moved_m, 0.5e-3) << what << ": at rest while it is held";
      EXPECT_NEAR(seen.held_least_N, 6, 0.3) << what;
      EXPECT_NEAR(seen.held_most_N, 6, 0.3) << what;
      EXPECT_EQ(seen.force_at_end_N, 0) << what << ": clear of the phantom";
      EXPECT_NEAR(seen.height_at_end_m, -5e-3, 0.2e-3) << what;
      EXPECT_LT(seen.peak_N, 6 * 1.1) << what;
    }
  }
}

TEST(Suspend, LetGoOnWhileItIsHeldItStillBeginsTheStrokeAnew) {
  const auto seen = suspend({.bench = "sim_tmcl", .protocol = "force", .which = 2, .after_s = 0.2, .lasts_s = 2});
  expect_finished(seen, "held for 2 s");
  EXPECT_EQ(seen.was, std::vector{Suspension::kHolding});
  EXPECT_NEAR(seen.force_at_end_N, 6, 0.3);
  EXPECT_EQ(seen.count(StepKind::kStroke, StepOutcome::kInterrupted), 1);
}

TEST(Suspend, EveryStepOfEveryStage) {
  struct Kind {
    StepKind kind;
    int which;
    double after_s;
  };
  std::size_t turn = 0;
  for (const std::string bench : {"sim_tmcl", "sim_zaber", "sim"}) {
    ++turn;  // each step, and for each step each of three lengths
    for (const auto& [kind, which, after_s] :
         {Kind{StepKind::kGoTo, 1, 0.1}, Kind{StepKind::kGoTo, 2, 0.05}, Kind{StepKind::kTare, 1, 0.2},
          Kind{StepKind::kPress, 1, 0.3}, Kind{StepKind::kPress, 1, 1.5}, Kind{StepKind::kDwell, 1, 0.1},
          Kind{StepKind::kSurvey, 1, 1.0}, Kind{StepKind::kSurvey, 2, 1.0}, Kind{StepKind::kRetract, 1, 0.1}}) {
      const double lasts_s = std::array{0.02, 1.0, 8.0}[turn++ % 3];
      if (bench == "sim" && kind != StepKind::kPress && kind != StepKind::kSurvey) continue;
      const auto what = fmt::format("{}, {} {}, {} s", bench, protocols::name_of(kind), which, lasts_s);
      const auto seen = suspend(
          {.bench = bench, .protocol = "force", .kind = kind, .which = which, .after_s = after_s, .lasts_s = lasts_s});
      expect_finished(seen, what);
      EXPECT_LT(seen.peak_N, 6 * 1.1) << what;
    }
  }
}

TEST(Suspend, AtDepthToo) {
  for (const auto kind : {StepKind::kApproach, StepKind::kPress, StepKind::kDwell, StepKind::kStroke}) {
    for (const double lasts_s : {1.0, 8.0}) {
      const auto what = fmt::format("{}, {} s", protocols::name_of(kind), lasts_s);
      const auto seen =
          suspend({.bench = "sim", .protocol = "smoke", .kind = kind, .after_s = 0.15, .lasts_s = lasts_s});
      expect_finished(seen, what);
    }
  }
}

TEST(Suspend, TapsAreMadeAgainWithTheirApproach) {
  for (const auto kind : {StepKind::kPress, StepKind::kTap}) {
    const auto what = std::string(protocols::name_of(kind));
    const auto seen =
        suspend({.bench = "sim_tmcl", .protocol = "force", .kind = kind, .after_s = 0.05, .lasts_s = 2, .taps = true});
    expect_finished(seen, what);
    EXPECT_FALSE(seen.did(Suspension::kHolding)) << what << ": a stop is no phantom";
    EXPECT_EQ(seen.force_at_end_N, 0) << what;
  }
}

TEST(Suspend, WhatItIsHeldForIsDose) {
  Case c{.bench = "sim_tmcl", .protocol = "force", .kind = StepKind::kDwell, .after_s = 0.1, .lasts_s = 0.02};
  const auto shortly = suspend(c);
  expect_finished(shortly, "suspended for a moment");
  c.lasts_s = 4;
  const auto longer = suspend(c);
  expect_finished(longer, "held for 4 s");
  EXPECT_NEAR(longer.longest_dose_s - shortly.longest_dose_s, 4, 0.1) << "on the area under the edge";
  c.max_time_s = shortly.longest_dose_s + 2;
  const auto ended = suspend(c);
  EXPECT_EQ(ended.state, rig::SupervisorState::kSafe);
  ASSERT_FALSE(ended.steps.empty());
  EXPECT_EQ(ended.steps.back().outcome, StepOutcome::kDose);
  EXPECT_TRUE(ended.steps.back().while_suspended);
}

TEST(Suspend, AbortAndEmergencyStopWin) {
  for (const double lasts_s : {0.1, 2.0, 5.2, 8.0}) {  // braking, held, on its way up, clear
    const Case c{.bench = "sim_tmcl", .protocol = "force", .after_s = 0.2, .lasts_s = lasts_s};
    const auto aborted = suspend(c, rig::Command::kAbort);
    EXPECT_EQ(aborted.state, rig::SupervisorState::kSafe) << lasts_s;
    EXPECT_LT(aborted.peak_N, 6.6) << lasts_s;
    const auto stopped = suspend(c, rig::Command::kResume, true);
    EXPECT_EQ(stopped.state, rig::SupervisorState::kEmergencyStopped) << lasts_s;
    EXPECT_LT(stopped.peak_N, 6.6) << lasts_s;
  }
}

TEST(Suspend, FaultsTripAsEver) {
  const auto probe = suspend({.bench = "sim_tmcl", .protocol = "force", .after_s = 0.2, .lasts_s = 0.5});
  const auto stroke = std::find_if(probe.steps.begin(), probe.steps.end(),
                                   [](const auto& s) { return s.outcome == StepOutcome::kInterrupted; });
  ASSERT_NE(stroke, probe.steps.end());
  double after_s = 0;
  for (const std::string kind :
       {"kind = \"silence_force\"", "kind = \"freeze_force\"", "kind = \"silence_stage\"",
        "kind = \"silence_vibration\"", "kind = \"drop_force\"\ncount = 3", "kind = \"spike_force\"\nforce_N = 60",
        "kind = \"unplug_stage\"", "kind = \"reboot_stage\""}) {
    after_s = after_s > 5 ? 1.0 : 6.5;  // of the suspension: held, clear
    const double at_s = daq::seconds(stroke->ended - daq::HostTime{}) + after_s;
    const auto seen = suspend({.bench = "sim_tmcl",
                               .protocol = "force",
                               .after_s = 0.2,
                               .lasts_s = 60,
                               .extra = fmt::format("\n[[twin.faults]]\n{}\nat_s = {}\n", kind, at_s)});
    EXPECT_EQ(seen.state, rig::SupervisorState::kSafe) << kind << " " << after_s;
    ASSERT_FALSE(seen.steps.empty());
    EXPECT_EQ(seen.steps.back().outcome, StepOutcome::kInterlock) << kind << " " << after_s;
    EXPECT_TRUE(seen.steps.back().while_suspended);
    EXPECT_LT(seen.peak_N, 25) << "[interlock] max_force_N";
  }
}

/// By the very code of the program: a signal's counter in, verdict and run file out.
class SuspendedRun : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-suspend-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// Suspended in the first stroke; let go on after `lasts_s`, if ever.
  daq::Result<RunOutcome> go(const std::string& protocol, const std::string& bench, double lasts_s) {
    auto prepared = prepare(protocol, bench);
    if (!prepared) return prepared.error();
    RunOptions o;
    o.bench = prepared->bench;
    o.plan = prepared->plan;
    o.protocol_text = prepared->protocol_text;
    o.virtual_time = true;
    o.out = dir_ + "/run.h5";
    std::atomic<int> asked{0};
    std::optional<double> since_s;
    RunWatcher watcher;
    watcher.suspend = &asked;
    watcher.say = [&](const std::string& line) { said_ += line + "\n"; };
    watcher.progress = [&](const protocols::Progress& p, const rig::Readings&) {
      if (asked == 0 && p.kind == StepKind::kStroke) asked = 1, since_s = p.elapsed_s;
      if (asked == 1 && since_s && p.elapsed_s - *since_s > lasts_s) asked = 2;
    };
    return run(o, watcher);
  }
  static std::string reasons(const protocols::Verdict& v) {
    std::string out;
    for (const auto& r : v.reasons) out += r.text + "\n";
    return out;
  }
  std::string dir_;
  std::string said_;
};

TEST_F(SuspendedRun, PassesAndSaysWhatWasBrokenOff) {
  for (const std::string bench : {"sim_tmcl", "sim"}) {
    const auto outcome = go(bench == "sim" ? "demo" : "force", bench, 8);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_EQ(outcome->verdict.judgement, Judgement::kPass) << reasons(outcome->verdict);
    EXPECT_THAT(reasons(outcome->verdict), HasSubstr("the run was suspended 1 time, for 8."));
    EXPECT_THAT(reasons(outcome->verdict), HasSubstr("was broken off by a suspension at x = "));
    ASSERT_FALSE(outcome->verdict.strokes.empty());
    EXPECT_EQ(outcome->verdict.strokes[0].interrupted, 1U);
    EXPECT_THAT(said_, HasSubstr("the instrument is lifted"));
    EXPECT_THAT(said_, HasSubstr("the run goes on"));
    const auto report = daq::verify(outcome->run_file);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->problems.empty());
    auto reader = daq::RunReader::open(outcome->run_file);
    ASSERT_TRUE(reader.ok());
    const auto end = daq::parse_json((*reader)->end()->value());
    EXPECT_EQ(end["suspended"]["times"], 1);
    EXPECT_NEAR(end["suspended"]["duration_s"].get<double>(), 8, 0.5);
    EXPECT_EQ(end["verdict"]["strokes"][0]["interrupted"], 1);
    std::filesystem::remove(outcome->run_file);
  }
}

TEST_F(SuspendedRun, ThatNobodyLetsGoOnIsInvalidAndLeavesThePhantom) {
  const auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/protocols/library/force.toml").value();
  const auto path = dir_ + "/impatient.toml";
  std::ofstream(path) << text << "\n[suspend]\nhold_s = 1\nlongest_s = 12\n";
  const auto outcome = go(path, "sim_tmcl", 1e9);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(reasons(outcome->verdict), HasSubstr("suspended for longer than [suspend] longest_s of 12 s"));
  EXPECT_THAT(reasons(outcome->verdict), testing::Not(HasSubstr("not seen to come clear")));
}

}  // namespace
}  // namespace strigil::apps
