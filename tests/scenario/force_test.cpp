// The force held on phantoms that nobody described, by the whole rig (wires, sessions, tick, interlock, force control)
// on the simulated bench. Judged by what the phantom really felt, not by what the rig says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "daq/strict_toml.hpp"
#include "protocols/runner.hpp"
#include "rig/rig.hpp"
#include "sim/virtual_world.hpp"
#include "tests/scenario/random_phantom.hpp"

namespace strigil::apps::test {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kPhantoms = 20;
#else
constexpr std::uint64_t kPhantoms = 500;
#endif

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

/// What the phantom felt.
struct Felt {
  std::string failure;       ///< why the run did not come to its end; empty: it did
  double overshoot = 0;      ///< highest force of touch and press, over the force wished
  double survey_rms_N = 0;   ///< of the surveys, each while it moved: the worst
  double stroke_rms_N = 0;   ///< of the strokes
  double stroke_peak_N = 0;  ///< largest difference from the wish in any
  std::uint32_t losses = 0;  ///< of contact, by the rig's count
  double learned_N_m = 0;
  double expected_N = 0;  ///< what the rig expected of its strokes' RMS error, before it made them
};

struct Setting {
  std::string bench;  ///< name of the bench file
  double speed_m_s = 0.1;
  double survey_m_s = 25e-3;
  double force_N = 6;
};

class SquareError {
 public:
  void add(double error) {
    sum_ += error * error;
    ++count_;
  }
  [[nodiscard]] double rms() const { return count_ > 0 ? std::sqrt(sum_ / static_cast<double>(count_)) : 0; }

 private:
  double sum_ = 0;
  std::uint64_t count_ = 0;
};

std::string protocol_text(const Setting& s) {
  return fmt::format(R"([protocol]
name = "held"
[approach]
start_x_mm = 30
start_z_mm = -30
deepest_z_mm = -140
speed_mm_s = 8
[press]
normal_force_N = {}
hold = "force"
timeout_s = 60
[stroke]
length_mm = 65
speed_mm_s = {}
survey_speed_mm_s = {}
acceleration_mm_s2 = 1000
directions = "both"
dwell_ms = 100
[limits]
max_force_N = 24
[verdict]
force_tolerance_percent = 100
)",
                     s.force_N, s.speed_m_s * 1e3, s.survey_m_s * 1e3);
}

/// The bench file with room below and no taps.
std::string bench_text(const std::string& name) {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/" + name).value();
  const auto replace = [&](std::string_view key, std::string_view value) {
    const auto at = text.find(key);
    text.replace(at, text.find('\n', at) - at, value);
  };
  replace("travel_z_mm", "travel_z_mm = [-150, 0]");
  const auto taps = text.find("[taps]");
  text.erase(taps, text.find("[twin", taps) - taps);
  const auto anvil = text.find("[twin.anvil]");
  text.erase(anvil, text.find("[twin", anvil + 1) - anvil);
  return text;
}

Felt press_and_stroke(const Setting& setting, std::uint64_t seed) {
  const auto text = bench_text(setting.bench);
  const auto bench = rig::parse_bench(text, setting.bench).value();
  auto config = sim::parse_sim_config(text, setting.bench).value();
  config.seed = seed;
  config.phantom = random_phantom(seed, {});
  const auto protocol = protocols::parse_protocol(protocol_text(setting), "held.toml").value();
  const auto plan = protocols::expand(protocol, {.travel_min_m = bench.stage.travel_min_m,
                                                 .travel_max_m = bench.stage.travel_max_m,
                                                 .clear_z_m = bench.stage.clear_z_m,
                                                 .max_speed_m_s = bench.stage.max_speed_m_s,
                                                 .max_force_N = bench.interlock.max_force_N,
                                                 .hold = rig::hold_of(bench),
                                                 .position_rate_Hz = bench.stage.status_rate_Hz})
                        .value();
  daq::ChunkRing chunks(4096);
  sim::VirtualWorld world(config, chunks);
  WorldPacer pacer(world);
  Felt felt;
  auto assembled =
      rig::Rig::assemble(bench, chunks, [&](const std::string& uri, daq::LinkId id) { return world.open(uri, id); });
  auto& rig = **assembled;
  if (auto up = rig.bring_up(pacer); !up) {
    felt.failure = up.error().message;
    return felt;
  }
  protocols::Runner runner(plan);
  rig.begin();
  auto& loop = rig.loop_with(runner);
  std::vector<SquareError> moving(plan.steps.size());
  double peak_N = 0;
  double last_x_m = 0;
  while (!loop.over()) {
    if (rig.supervisor().state() == rig::SupervisorState::kFaulted) {
      (void)loop.request(rig::Command::kReset);
      (void)loop.request(rig::Command::kStart);
    }
    loop.tick(pacer.next());
    const auto& truth = world.world().plant();
    const double force_N = truth.force_N[2];
    const auto step = runner.progress().step;
    const auto kind = runner.progress().kind;
    if (kind == protocols::StepKind::kPress) peak_N = std::max(peak_N, force_N);
    const bool moves = std::abs(truth.velocity_m_s[rig::kX]) > 1e-3;
    if (moves && (kind == protocols::StepKind::kStroke || kind == protocols::StepKind::kSurvey)) {
      moving[step].add(force_N - setting.force_N);
      felt.stroke_peak_N = std::max(felt.stroke_peak_N, std::abs(force_N - setting.force_N));
    }
    last_x_m = truth.position_m[rig::kX];
    felt.losses = std::max(felt.losses, loop.state().readings.contact.losses);
  }
  felt.overshoot = peak_N / setting.force_N - 1;
  for (const auto& result : runner.results()) {
    const double rms_N = moving[result.step].rms();
    if (result.kind == protocols::StepKind::kPress) felt.learned_N_m = result.stiffness_N_m;
    if (result.kind == protocols::StepKind::kSurvey) felt.survey_rms_N = std::max(felt.survey_rms_N, rms_N);
    felt.expected_N = std::max(felt.expected_N, result.expected_error_N);
    if (result.kind == protocols::StepKind::kStroke) felt.stroke_rms_N = std::max(felt.stroke_rms_N, rms_N);
  }
  if (runner.state() != rig::BehaviourState::kDone) {
    const auto& last = runner.results().back();
    felt.failure =
        fmt::format("{}: {} at x {:.1f} mm, faults {}", protocols::name_of(last.kind), protocols::name_of(last.outcome),
                    last_x_m * 1e3, rig::fault_names(rig.interlock().latched()));
  }
  return felt;
}

double percentile(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(percent / 100 * static_cast<double>(values.size() - 1))];
}

struct Summary {
  std::vector<std::string> worse_than_expected;
  double worst_overshoot = 0;
  double worst_stroke_rms_N = 0;
  std::vector<std::string> failures;
};

/// Over all phantoms; a line of the table in docs/force_control.md, and each phantom to $STRIGIL_FORCE_TABLE if set.
Summary over_all(const Setting& setting, std::uint64_t phantoms) {
  std::vector<double> overshoot;
  std::vector<double> survey;
  std::vector<double> stroke;
  Summary summary;
  std::ofstream table;
  if (const char* path = std::getenv("STRIGIL_FORCE_TABLE")) table.open(path, std::ios::app);
  for (std::uint64_t seed = 1; seed <= phantoms; ++seed) {
    const auto felt = press_and_stroke(setting, seed);
    const auto phantom = random_phantom(seed, {});
    table << fmt::format("{},{},{:.0f},{:.0f},{:.4f},{:.4f},{:.4f},{:.3f},{},{}\n", setting.bench,
                         setting.speed_m_s * 1e3, phantom.stiffness_N_m, felt.learned_N_m, felt.overshoot,
                         felt.survey_rms_N, felt.stroke_rms_N, felt.stroke_peak_N, felt.losses, felt.failure);
    if (!felt.failure.empty()) {
      summary.failures.push_back(
          fmt::format("phantom {} of {:.2f} N/mm: {}", seed, phantom.stiffness_N_m * 1e-3, felt.failure));
      continue;
    }
    constexpr double kMargin = 1.25;
    constexpr double kNoise_N = 0.02;
    if (felt.stroke_rms_N > kMargin * felt.expected_N + kNoise_N) {
      summary.worse_than_expected.push_back(
          fmt::format("phantom {} of {:.2f} N/mm: {:.3f} N RMS where {:.3f} N were expected", seed,
                      phantom.stiffness_N_m * 1e-3, felt.stroke_rms_N, felt.expected_N));
    }
    overshoot.push_back(100 * felt.overshoot);
    survey.push_back(felt.survey_rms_N);
    stroke.push_back(felt.stroke_rms_N);
  }
  if (!stroke.empty()) {
    summary.worst_overshoot = percentile(overshoot, 100);
    summary.worst_stroke_rms_N = percentile(stroke, 100);
    fmt::print(
        "{}, {:g} N, {:g} mm/s: {} of {} phantoms; overshoot % median {:.1f} p99 {:.1f} max {:.1f}; survey RMS N max "
        "{:.3f}; stroke RMS N median {:.3f} p99 {:.3f} max {:.3f}\n",
        setting.bench, setting.force_N, setting.speed_m_s * 1e3, stroke.size(), phantoms, percentile(overshoot, 50),
        percentile(overshoot, 99), summary.worst_overshoot, percentile(survey, 100), percentile(stroke, 50),
        percentile(stroke, 99), summary.worst_stroke_rms_N);
  }
  return summary;
}

/// What the rig says of itself before a stroke is what it refuses by: it must be true.
void expect_honest(const Summary& summary) {
  for (const auto& failure : summary.failures) ADD_FAILURE() << failure;
  for (const auto& surprise : summary.worse_than_expected) ADD_FAILURE() << surprise;
  EXPECT_LE(summary.worst_overshoot, 10) << "% of 6 N";
}

TEST(ForceHeld, FiveHundredPhantomsThatNobodyDescribed) {
  const auto summary = over_all({.bench = "sim_tmcl.toml"}, kPhantoms);
  expect_honest(summary);
  EXPECT_LE(summary.worst_stroke_rms_N, 0.3);
}

// Grbl, by jogs of 25 ms: slower, and true about it.
TEST(ForceHeld, ASlowStageHoldsWhatItSaysItCan) {
  expect_honest(over_all({.bench = "sim.toml", .speed_m_s = 25e-3, .survey_m_s = 10e-3}, kPhantoms / 5));
}

// Zaber, by 100 velocities a second at best over a line that positions share.
TEST(ForceHeld, AStageOnASlowLineHoldsWhatItSaysItCan) {
  expect_honest(over_all({.bench = "sim_zaber.toml", .speed_m_s = 25e-3, .survey_m_s = 10e-3}, kPhantoms / 5));
}

// Not a test: the table of docs/force_control.md, some minutes long. --gtest_also_run_disabled_tests makes it.
TEST(ForceHeld, DISABLED_TheTable) {
  constexpr std::uint64_t kEach = 200;
  for (const double speed_mm_s : {25.0, 50.0}) {
    (void)over_all({.bench = "sim_zaber.toml", .speed_m_s = speed_mm_s * 1e-3, .survey_m_s = 10e-3}, kEach / 2);
  }
  for (const double force_N : {1.0, 6.0}) {
    for (const double speed_mm_s : {25.0, 50.0, 100.0, 180.0}) {
      (void)over_all({.bench = "sim_tmcl.toml", .speed_m_s = speed_mm_s * 1e-3, .force_N = force_N}, kEach);
    }
  }
  (void)over_all({.bench = "sim_tmcl.toml", .survey_m_s = 0}, kEach);
  for (const double speed_mm_s : {10.0, 25.0, 50.0}) {
    (void)over_all({.bench = "sim.toml", .speed_m_s = speed_mm_s * 1e-3, .survey_m_s = 10e-3}, kEach / 2);
  }
}

}  // namespace
}  // namespace strigil::apps::test
