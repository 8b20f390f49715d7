// Calibration procedures: files that are refused, steps that are carried out, and what is made of force windows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibration/record/record.hpp"
#include "protocols/calibrate/exciter_level.hpp"
#include "protocols/calibrate/force_procedure.hpp"
#include "protocols/calibrate/procedure_runner.hpp"
#include "rig/bench.hpp"
#include "sim/noise.hpp"

namespace strigil::protocols {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr const char* kForce = R"(
[procedure]
name = "test"
kind = "force"
[force]
forces_N = [1, 2, 4, 6, 8, 10, 14, 20]
settle_s = 30
creep_s = 300
lateral_N = [2, 4, 6]
degree = 2
[[force.place]]
x_mm = 10
y_mm = 0
z_mm = -1
[[force.place]]
x_mm = 100
y_mm = 0
z_mm = -20
[force.budget]
direction_deg = 0
lateral_percent = 20
)";

ProcedureSetup setup() {
  ProcedureSetup s;
  s.bench = rig::load_bench(STRIGIL_SOURCE_DIR "/rig/benches/sim_real.toml").value();
  s.reference = parse_reference("[reference]\nwhat = \"weights\"\nexpanded_percent = 0.02\n", "reference").value();
  s.temperature_C = 23;
  return s;
}

std::string with(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

std::string why_not(const std::string& text, const ProcedureSetup& s) {
  const auto read = parse_procedure(text, "p.toml", s);
  return read ? "" : read.error().message;
}

TEST(ProcedureFile, WhatCannotBeIsRefusedWithItsPlace) {
  const auto s = setup();
  EXPECT_EQ(why_not(kForce, s), "");
  EXPECT_THAT(why_not(with(kForce, "kind = \"force\"", "kind = \"farce\""), s),
              HasSubstr("p.toml:4:8: there is no kind 'farce'"));
  EXPECT_THAT(why_not(with(kForce, "[1, 2, 4", "[2, 1, 4"), s), HasSubstr("'forces_N' takes 3 to 40 forces that rise"));
  EXPECT_THAT(why_not(with(kForce, "settle_s", "setle_s"), s), HasSubstr("setle_s"));
  EXPECT_THAT(why_not(with(kForce, "direction_deg", "use_y_mm = [0, 50]\ndirection_deg"), s),
              HasSubstr("no two of them differ along y"));
  EXPECT_EQ(why_not(with(kForce, "direction_deg", "use_x_mm = [0, 200]\ndirection_deg"), s), "");
  EXPECT_THAT(why_not(with(kForce, "settle_s = 30", "settle_s = nan"), s), HasSubstr("settle_s"));
  EXPECT_THAT(why_not(with(kForce, "x_mm = 100", "x_mm = 900"), s), HasSubstr("outside the stage's travel"));
  EXPECT_THAT(why_not(with(kForce, "degree = 2", "degree = 3\npositions_deg = [0, 120]"), s), HasSubstr("takes three"));
  EXPECT_THAT(why_not("[procedure]\nname = \"x\"\nkind = \"force\"\n", s), HasSubstr("force"));
  auto turned = s;
  turned.bench.force.normal_axis = "+Tz";
  EXPECT_THAT(why_not(kForce, turned), HasSubstr("are not two of Fx, Fy, Fz"));
}

TEST(ProcedureFile, LoadsArePutTogetherFromTheWeightsThatThereAre) {
  auto s = setup();
  constexpr const char* kWeights =
      "[reference]\nwhat = \"weights\"\n[place]\ngravity_m_s2 = 9.81\nu_gravity_m_s2 = 0\n"
      "[[mass]]\nname = \"100 g\"\nmass_kg = 0.1\nexpanded_kg = 2e-5\n"
      "[[mass]]\nname = \"200 g\"\nmass_kg = 0.2\nexpanded_kg = 2e-5\n"
      "[[mass]]\nname = \"400 g\"\nmass_kg = 0.4\nexpanded_kg = 2e-5\n"
      "[[mass]]\nname = \"800 g\"\nmass_kg = 0.8\nexpanded_kg = 2e-5\n";
  s.reference = parse_reference(kWeights, "w").value();
  auto text = with(kForce, "[1, 2, 4, 6, 8, 10, 14, 20]", "[1, 3, 5, 7, 9, 11, 13, 16]");
  EXPECT_THAT(why_not(text, s), HasSubstr("make no load within 5 % of 16 N; the nearest is 14.7"));
  text = with(text, "13, 16", "13, 14.7");
  const auto read = parse_procedure(text, "p.toml", s);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto& steps = read->procedure->steps();
  const auto seen = std::find_if(steps.begin(), steps.end(), [](const auto& x) { return x.name == "X1 7 N"; });
  ASSERT_NE(seen, steps.end());
  EXPECT_THAT(seen->hands.words, HasSubstr("100 g + 200 g + 400 g"));
  // Conventional masses in air of 1.2 kg/m3: metrology.md 1.6.
  EXPECT_NEAR(seen->hands.load_N[2], 0.7 * 9.81 * (1 - 1.2 / 8000), 1e-6);
  EXPECT_FALSE(parse_reference("[reference]\nwhat = \"x\"\n", "r").ok()) << "how well it is known is not said";
}

/// Turns a runner as a rig would whose stage goes where it is told in a tenth of a second.
class Turned {
 public:
  explicit Turned(const std::vector<ProcedureStep>& steps) : runner(steps, -5e-3) {}
  void tick(double s = 0.001) {
    now = now + daq::from_seconds(s);
    const auto demand = runner.step(readings, now, sink);
    if (demand.kind == rig::DemandKind::kMove && demand.move_id != readings.finished_move) {
      if (moving_since.ns == 0) moving_since = now;
      if (goes && now - moving_since >= daq::from_seconds(0.1)) {
        readings.finished_move = demand.move_id;
        readings.position_m = demand.target_m;
        moving_since = {};
      }
    }
    last = demand;
  }
  void until_waiting_or_over(int most = 2'000'000) {
    while (runner.state() == rig::BehaviourState::kRunning && !runner.waiting() && most-- > 0) tick(0.01);
  }

  struct Sink final : rig::EventSink {
    void event(const daq::Event&) noexcept override {}
  };
  Sink sink;
  ProcedureRunner runner;
  rig::Readings readings;
  daq::HostTime now{1};
  daq::HostTime moving_since;
  rig::Demand last;
  bool goes = true;
};

std::vector<ProcedureStep> some_steps() {
  return {{.kind = ProcedureStepKind::kLift, .name = "lift"},
          {.kind = ProcedureStepKind::kMove, .name = "go", .target_m = {0.1, 0, -0.02}, .speed_m_s = 0.02},
          {.kind = ProcedureStepKind::kHands, .name = "hands"},
          {.kind = ProcedureStepKind::kMeasure, .name = "read", .duration_s = 2}};
}

TEST(ProcedureRunner, CarriesOutItsStepsAndStandsStillWhileHandsAreAskedFor) {
  const auto steps = some_steps();
  Turned t(steps);
  t.readings.position_m = {0, 0, -0.04};
  t.until_waiting_or_over();
  ASSERT_TRUE(t.runner.waiting());
  EXPECT_EQ(t.runner.done()[0].position_m[2], -5e-3);
  EXPECT_EQ(t.runner.done()[1].position_m, steps[1].target_m);
  for (int i = 0; i < 1000; ++i) {
    t.tick();
    ASSERT_EQ(t.last.kind, rig::DemandKind::kHold);
  }
  EXPECT_NEAR(t.runner.left_s(7), 9, 1e-9);
  t.runner.answer({.value = 4.5});
  t.until_waiting_or_over();
  EXPECT_EQ(t.runner.outcome(), ProcedureOutcome::kDone);
  EXPECT_EQ(t.runner.done()[2].answer, 4.5);
  EXPECT_NEAR(daq::seconds(t.runner.done()[3].ended - t.runner.done()[3].began), 2, 0.011);
}

// Exciters of any gain, a little bent and noisy: a level is found or refused, and no limit is ever passed.
TEST(ExciterLevel, IsFoundWhereItCanBeAndRefusedInWordsWhereNot) {
  const LevelLimits limits{0.002, 2, 0.02};
  sim::Noise noise(3);
  int found = 0, too_weak = 0, too_strong = 0;
  for (int i = 0; i < 2000; ++i) {
    const double gain = std::pow(10.0, -1 + 6 * noise.uniform());
    const double wanted_m_s2 = 1 + 49 * noise.uniform();
    ExciterLevel level(limits, wanted_m_s2, noise.uniform() < 0.5 ? 0 : 4 * noise.uniform());
    double there_m_s2 = 0;
    for (int round = 0; round < 20 && !level.reached() && level.refusal().empty(); ++round) {
      ASSERT_GE(level.volts(), limits.min_V);
      ASSERT_LE(level.volts(), limits.max_V);
      there_m_s2 = gain * level.volts() * (1 - 0.1 * level.volts() / limits.max_V);
      level.seen(there_m_s2 + 0.003 * noise.normal(), there_m_s2 > 0.1);
    }
    const bool reachable = 0.9 * gain * limits.max_V > 1.03 * wanted_m_s2;
    const bool gentle = gain * limits.min_V < 0.97 * wanted_m_s2;
    if (level.reached()) {
      ++found;
      EXPECT_NEAR(there_m_s2, wanted_m_s2, 0.03 * wanted_m_s2);
    } else if (level.refusal().find("was not reached") != std::string::npos) {
      ++too_weak;
      EXPECT_FALSE(reachable) << gain << " " << wanted_m_s2 << level.refusal();
    } else {
      ++too_strong;
      EXPECT_THAT(level.refusal(), HasSubstr("Turn the amplifier down"));
      EXPECT_FALSE(gentle) << gain << " " << wanted_m_s2 << level.refusal();
    }
  }
  EXPECT_GT(found, 1000);
  EXPECT_GT(too_weak, 100);
  EXPECT_GT(too_strong, 100);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ExciterLevel lost(limits, 10, nan);
  EXPECT_EQ(lost.volts(), limits.min_V);
  while (lost.refusal().empty()) lost.seen(nan, true);
  EXPECT_THAT(lost.refusal(), HasSubstr("nothing that stands out"));
}

TEST(ProcedureRunner, EndsWhenItIsGivenUpTrippedRefusedOrLate) {
  const auto steps = some_steps();
  Turned given_up(steps);
  given_up.until_waiting_or_over();
  given_up.runner.answer({.given_up = true});
  given_up.tick();
  EXPECT_EQ(given_up.runner.outcome(), ProcedureOutcome::kGivenUp);
  given_up.tick();
  EXPECT_EQ(given_up.last.kind, rig::DemandKind::kStop);

  Turned tripped(steps);
  tripped.until_waiting_or_over();
  tripped.readings.latched_faults = rig::kForceLimit;
  tripped.tick();
  EXPECT_EQ(tripped.runner.outcome(), ProcedureOutcome::kInterlock);

  Turned refused(steps);
  refused.readings.refused_move = 1;
  refused.tick();
  refused.tick();
  EXPECT_EQ(refused.runner.outcome(), ProcedureOutcome::kMoveRefused);

  Turned late(steps);
  late.goes = false;
  late.until_waiting_or_over();
  EXPECT_EQ(late.runner.outcome(), ProcedureOutcome::kMoveTimeout);
}

/// What an ideal, or not quite ideal, sensor would show: signal = M force + zero, in counts of 1e-6 N.
struct Sensor {
  double matrix[3][3] = {{1.01, 0.004, 0.007}, {-0.003, 0.99, 0.002}, {0.012, -0.008, 1.02}};
  double zero_N[3] = {0.3, -0.2, 1.5};
  double gap = 0;            // falling more than rising, of the force
  double zero_by_x_N_m = 0;  // normal channel
};

ProcedureData data_of(const Procedure& procedure, const Sensor& sensor) {
  ProcedureData d;
  daq::StreamDescription force;
  force.name = "force";
  force.rate_Hz = 1000;
  for (const char* name : {"Fx", "Fy", "Fz", "Tx", "Ty", "Tz"})
    force.channels.push_back({name, name[0] == 'F' ? "N" : "N m", 1e-6, 0});
  d.streams = {force};
  const auto& steps = procedure.steps();
  double now_s = 1;
  std::array<double, 3> load{};
  double last_N = 0;
  double x_m = 0;
  bool falling = false;
  for (const auto& step : steps) {
    const double took_s = std::fmax(step.duration_s, 1);
    StepDone done{{static_cast<std::int64_t>(now_s * 1e9)}, {static_cast<std::int64_t>((now_s + took_s) * 1e9)}, {}, 0};
    now_s += took_s;
    if (step.kind == ProcedureStepKind::kMove) x_m = step.target_m[0];
    if (step.kind == ProcedureStepKind::kLift) x_m = 0;
    if (step.hands.task == HandsTask::kLoad && step.kind == ProcedureStepKind::kHands) {
      load = step.hands.load_N;
      falling = load[2] < last_N && load[2] > 0;
      last_N = load[2];
    }
    d.done.push_back(done);
    d.windows.emplace_back();
    if (step.kind != ProcedureStepKind::kMeasure) continue;
    StreamWindow window;
    window.samples = static_cast<std::size_t>(step.duration_s * 1000);
    window.channels.resize(6);
    for (std::size_t i = 0; i < 3; ++i) {
      double signal_N = sensor.zero_N[i];
      for (std::size_t j = 0; j < 3; ++j) signal_N += sensor.matrix[i][j] * load[j];
      if (i == 2 && falling) signal_N += sensor.gap * load[2];
      if (i == 2) signal_N += sensor.zero_by_x_N_m * x_m;
      window.channels[i] = {signal_N * 1e6, 5000};
    }
    d.windows.back() = {window};
  }
  return d;
}

TEST(ForceProcedure, FindsTheMatrixThatUndoesTheSensor) {
  const auto s = setup();
  const auto file = parse_procedure(kForce, "p.toml", s);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const Sensor sensor;
  const auto result = file->procedure->evaluate(data_of(*file->procedure, sensor), s);
  ASSERT_TRUE(result.ok()) << result.error().message;
  const auto& c = result->record.fit.coefficients;
  ASSERT_EQ(c.size(), 12U);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      double product = 0;
      for (int k = 0; k < 3; ++k) product += c[static_cast<std::size_t>(3 * i + k)] * sensor.matrix[k][j];
      EXPECT_NEAR(product, i == j ? 1 : 0, 1e-10) << i << j;
    }
  }
  EXPECT_EQ(result->record.fit.inputs[2].zero_counts, 1'500'000);
  const auto* q = calibration::find_quantity(result->record, "Fz");
  ASSERT_NE(q, nullptr);
  EXPECT_EQ(q->range.low, 1);
  EXPECT_EQ(q->range.high, 20);
  EXPECT_TRUE(result->record.classification.result.starts_with("0.5 from 1 to 20 N"))
      << "a reference of 0.02 % gives no class 00: " << result->record.classification.result;
  EXPECT_EQ(result->record.classification.basis, "method based on");
  // Nothing but the reference: 0.02 % at 20 N (k = 2), and the resolution of two deviations of a mean.
  const double resolution = 2 * 5e-3 / std::sqrt(2000.0) / std::sqrt(12.0);
  EXPECT_NEAR(*calibration::expanded_at(*q, 20), 2 * std::hypot(0.002, resolution), 1e-9);
}

TEST(ForceProcedure, WhatTheSensorDoesWrongIsInTheBudgetAndInTheClass) {
  const auto s = setup();
  const auto file = parse_procedure(kForce, "p.toml", s).value().procedure->steps().size();
  EXPECT_GT(file, 100U);
  const auto procedure = parse_procedure(kForce, "p.toml", s);
  Sensor sensor;
  sensor.gap = 0.002;
  sensor.zero_by_x_N_m = 0.5;
  const auto result = procedure->procedure->evaluate(data_of(*procedure->procedure, sensor), s);
  ASSERT_TRUE(result.ok()) << result.error().message;
  const auto& budget = result->record.budget;
  const auto of = [&](const std::string& name) {
    for (const auto& line : budget) {
      if (line.name.ends_with(": " + name)) return line.standard;
    }
    return -1.0;
  };
  EXPECT_NEAR(of("hysteresis"), 0.002 * 14 / std::sqrt(3.0), 1e-4) << "of the second largest force";
  EXPECT_NEAR(of("zero over the travel"), 0.5 * 0.09 / std::sqrt(3.0), 1e-9);
  const auto travel = calibration::travel_of(result->record);
  ASSERT_TRUE(travel);
  EXPECT_NEAR(travel->span_N, 0.5 * 0.09, 1e-9);
  // Two places along x and z at once: nobody knows along which the zero goes, and no way counts as shorter than all.
  EXPECT_NEAR(calibration::zero_apart_N(*travel, {}), travel->span_N, 1e-12);
  const auto told_apart = parse_procedure(
      with(kForce, "z_mm = -20\n", "z_mm = -20\n[[force.place]]\nx_mm = 100\ny_mm = 0\nz_mm = -1\n"), "p.toml", s);
  const auto apart = told_apart->procedure->evaluate(data_of(*told_apart->procedure, sensor), s);
  ASSERT_TRUE(apart.ok()) << apart.error().message;
  const auto plane = calibration::travel_of(apart->record);
  ASSERT_TRUE(plane);
  EXPECT_NEAR(plane->slope_N_m[0], 0.5, 1e-9);
  EXPECT_NEAR(plane->slope_N_m[2], 0, 1e-9);
  EXPECT_NEAR(calibration::zero_apart_N(*plane, {{{0.02, 0.04}, {0, 0}, {-0.02, 0}}}), 0.5 * 0.02, 1e-9);
  EXPECT_TRUE(result->record.classification.result.starts_with("1 "))
      << "v of 0.2 %: " << result->record.classification.result;

  auto lost = data_of(*procedure->procedure, sensor);
  std::size_t at = lost.windows.size() - 1;
  while (lost.windows[at].empty()) --at;
  lost.windows[at][0].flags = daq::kGapBefore;
  EXPECT_THAT(procedure->procedure->evaluate(lost, s).error().message, HasSubstr("force samples were lost"));
  lost.windows[at][0].flags = 0;
  lost.windows[at][0].samples = 900;
  EXPECT_THAT(procedure->procedure->evaluate(lost, s).error().message, HasSubstr("900 force samples came"));
  Sensor dead;
  for (auto& row : dead.matrix) row[0] = row[1] = row[2] = 0;
  EXPECT_FALSE(procedure->procedure->evaluate(data_of(*procedure->procedure, dead), s).ok());
}

}  // namespace
}  // namespace strigil::protocols
