// The stage calibrated through the rig itself: twins with hidden backlash and pitch error, an ISO 230-2 series with a
// displacement reference, the error map applied by the drive, and what is true then.
//
// STRIGIL_STAGE_TWINS=200 STRIGIL_STAGE_TABLE=FILE: the table of docs/calibration_methods.md.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "apps/short_run.hpp"
#include "calibration/stage_record.hpp"
#include "daq/strict_toml.hpp"
#include "protocols/calibrate/kinds.hpp"
#include "protocols/calibrate/procedure_runner.hpp"
#include "protocols/calibrate/stage_procedure.hpp"
#include "protocols/calibrate/window_collector.hpp"
#include "rig/stage_map.hpp"
#include "sim/noise.hpp"
#include "sim/world.hpp"
#include "tests/scenario/tmcl_stage.hpp"

namespace strigil::apps {
namespace {

using calibration::Approach;
using protocols::HandsTask;

/// A stage with a length of x that nobody knows the errors of. Its plant is coarse: nothing shakes here.
struct HiddenStage {
  double backlash_um = 0;
  double scale_ppm = 0;
  double periodic_um = 0;
  double phase_deg = 0;
  double wave_um = 0;
  double wave_mm = 0;
  double lead_mm = 10;
};

HiddenStage random_stage(sim::Noise& noise) {
  HiddenStage h;
  h.backlash_um = 2 + 28 * noise.uniform();
  h.scale_ppm = 400 * (noise.uniform() - 0.5);
  h.periodic_um = 8 * noise.uniform();
  h.phase_deg = 360 * noise.uniform() - 180;
  h.wave_um = 15 * noise.uniform();
  h.wave_mm = 90 + 150 * noise.uniform();
  h.lead_mm = noise.uniform() < 0.5 ? 5 : 10;
  return h;
}

std::string bench_text(const HiddenStage& h) {
  return fmt::format(R"(
[bench]
name = "stage_test"
{}status_rate_Hz = 200
serial = "S1"
[force]
codec = "ati_rdt"
link = "memory:force"
rate_Hz = 500
counts_per_N = 1000000
counts_per_N_m = 1000000
[vibration]
codec = "strigil_stream"
link = "memory:vibration"
[timing]
max_bound_us = 2000
[interlock]
max_force_N = 25
stage_stale_ms = 100
[twin]
plant_rate_Hz = 1000
[twin.vibration]
rate_Hz = 500
[twin.stage]
acceleration_mm_s2 = 5000
link_delay_ms = 0.1
[twin.stage.mechanics]
backlash_um = {}
scale_error_ppm = {}
periodic_error_um = {}
periodic_phase_deg = {}
wave_error_um = {}
wave_mm = {}
lead_mm = {}
ripple_um = 0.2
)",
                     kTmclStage, h.backlash_um, h.scale_ppm, h.periodic_um, h.phase_deg, h.wave_um, h.wave_mm,
                     h.lead_mm);
}

constexpr double kReferenceNoise_m = 0.1e-6;
constexpr double kReferenceExpanded_m = 0.4e-6;  // over the length tested
constexpr double kLength_m = 0.18;

/// A laser along x: the carriage's true place from a zero of its own, a scale that is off by what its certificate
/// allows, and noise.
class Laser {
 public:
  explicit Laser(sim::Noise& noise) : noise_(noise), zero_m_(1e-3 * noise.normal()) {
    scale_ = 1 + kReferenceExpanded_m / 2 / kLength_m * noise.normal();
  }
  double read(double true_m) { return zero_m_ + scale_ * true_m + kReferenceNoise_m * noise_.normal(); }

 private:
  sim::Noise& noise_;
  double zero_m_;
  double scale_ = 1;
};

rig::BenchConfig bench_of(const HiddenStage& hidden) {
  auto bench = rig::parse_bench(bench_text(hidden), "stage_test.toml");
  EXPECT_TRUE(bench.ok()) << bench.error().message;
  return *bench;
}

protocols::ProcedureSetup setup_of(const rig::BenchConfig& bench) {
  protocols::ProcedureSetup setup{bench, {}, 20.0};
  setup.reference.expanded_relative = kReferenceExpanded_m / kLength_m;
  return setup;
}

std::unique_ptr<protocols::Procedure> procedure_of(const std::string& text, const protocols::ProcedureSetup& setup,
                                                   std::string* refused = nullptr) {
  daq::StrictToml document(text, "stage.toml");
  auto procedure = protocols::read_stage_procedure(document.root().table("stage"), setup);
  if (refused != nullptr) *refused = document.error() ? document.error()->message : "accepted";
  if (document.error()) return nullptr;
  return procedure;
}

/// What was measured, and what was true at each step's end.
struct Carried {
  protocols::ProcedureData data;
  std::vector<double> true_m;  ///< x at each step's end
};

Carried carry_out(const protocols::Procedure& procedure, const rig::BenchConfig& bench, Laser& laser) {
  rig::Position there{};
  auto run = ShortRun::bring_up(
      {.bench = bench, .virtual_time = true, .seed = 1, .world = [&](const sim::World& w, daq::HostTime) {
         there = w.stage().position_m();
         return daq::Duration{};
       }});
  EXPECT_TRUE(run.ok()) << run.error().message;
  auto& rig = (*run)->rig();
  const auto& steps = procedure.steps();
  protocols::ProcedureRunner runner(steps, bench.stage.clear_z_m);
  protocols::WindowCollector collector(rig.fanout(), rig.streams(), steps);
  Carried out;
  std::size_t ticks = 0;
  (*run)->perform(runner, [&](const rig::RigState&, daq::HostTime) {
    if (runner.waiting()) runner.answer({.value = laser.read(there[rig::kX])});
    while (out.true_m.size() < runner.at()) out.true_m.push_back(there[rig::kX]);
    if (++ticks % 256 == 0) collector.take(runner.done());
  });
  collector.take(runner.done());
  EXPECT_EQ(runner.outcome(), protocols::ProcedureOutcome::kDone) << protocols::name_of(runner.outcome());
  EXPECT_EQ(collector.lost(), 0U);
  out.data = {rig.streams(), rig.roles(), runner.done(), collector.finish()};
  return out;
}

std::string stage_toml(double lead_mm, bool verifies = false, int targets = 21, int cycles = 5) {
  return fmt::format(
      "[stage]\nverifies = {}\ncycles = {}\nsettle_s = 0.05\nread_s = 0.02\n[[stage.axes]]\naxis = \"x\"\nfrom_mm = "
      "10\n"
      "to_mm = 190\ntargets = {}\noverrun_mm = 1\nspeed_mm_s = 200\nlead_mm = {}\n",
      verifies, cycles, targets, lead_mm);
}

/// Moves to random places from random sides, and what is read back there.
std::vector<protocols::ProcedureStep> random_moves(sim::Noise& noise, int count) {
  std::vector<protocols::ProcedureStep> steps;
  for (int i = 0; i < count; ++i) {
    const double x_m = 12e-3 + 176e-3 * noise.uniform();
    steps.push_back(
        {.kind = protocols::ProcedureStepKind::kMove, .name = "to", .target_m = {x_m, 0, -5e-3}, .speed_m_s = 0.2});
    steps.push_back({.kind = protocols::ProcedureStepKind::kMeasure, .name = "there", .duration_s = 0.05});
  }
  return steps;
}

class Moves final : public protocols::Procedure {
 public:
  explicit Moves(std::vector<protocols::ProcedureStep> steps) : steps_(std::move(steps)) {}
  [[nodiscard]] const std::vector<protocols::ProcedureStep>& steps() const override { return steps_; }
  [[nodiscard]] daq::Result<protocols::ProcedureResult> evaluate(const protocols::ProcedureData&,
                                                                 const protocols::ProcedureSetup&) const override {
    return daq::Error{"these are only moves"};
  }

 private:
  std::vector<protocols::ProcedureStep> steps_;
};

double figure(const calibration::Record& record, std::string_view name) {
  for (const auto& t : record.tables) {
    if (t.name != "iso230_2_x") continue;
    for (std::size_t c = 0; c < t.columns.size(); ++c) {
      if (t.columns[c] == name) return t.rows[0][c];
    }
  }
  ADD_FAILURE() << "no figure " << name;
  return 0;
}

/// One twin, calibrated, verified, and asked at random places.
struct Calibrated {
  double before_A_m = 0, before_E_m = 0, before_B_m = 0;
  double after_A_m = 0, after_E_m = 0, after_B_m = 0;
  double expanded_m = 0;
  std::vector<double> off_m;      ///< read back less true, at random places
  std::vector<double> allowed_m;  ///< U there
};

Calibrated calibrate(const HiddenStage& hidden, std::uint64_t seed, bool verify, int places) {
  sim::Noise noise(seed);
  auto bench = bench_of(hidden);
  Laser laser(noise);
  const auto setup = setup_of(bench);
  const auto procedure = procedure_of(stage_toml(hidden.lead_mm), setup);
  const auto carried = carry_out(*procedure, bench, laser);
  const auto result = procedure->evaluate(carried.data, setup);
  Calibrated out;
  EXPECT_TRUE(result.ok()) << result.error().message;
  if (!result) return out;
  out.before_A_m = figure(result->record, "A");
  out.before_E_m = figure(result->record, "E");
  out.before_B_m = figure(result->record, "B");
  for (const auto& u : result->record.quantities.at(0).uncertainty)
    out.expanded_m = std::max(out.expanded_m, u.expanded);
  // The map's zero is the first target reached rising, as it was counted: what was true there in the mean is its truth.
  const auto& stage = dynamic_cast<const protocols::StageProcedure&>(*procedure);
  const auto stops = *stage.stops_of(0, carried.data);
  double zero_m = 0;
  int zeros = 0;
  for (std::size_t i = 0, stop = 0; i < procedure->steps().size(); ++i) {
    const auto& step = procedure->steps()[i];
    if (step.kind != protocols::ProcedureStepKind::kHands || step.hands.task != HandsTask::kReading) continue;
    if (stops[stop].target_m == stops[0].target_m && stops[stop].approach == Approach::rising) {
      zero_m += carried.true_m[i] - stops[stop].counted_m;
      ++zeros;
    }
    ++stop;
  }
  zero_m /= zeros;

  bench.stage.record = std::make_shared<const calibration::Record>(result->record);
  if (verify) {
    const auto again = setup_of(bench);
    const auto verification = procedure_of(stage_toml(hidden.lead_mm, true), again);
    const auto verified = verification->evaluate(carry_out(*verification, bench, laser).data, again);
    EXPECT_TRUE(verified.ok()) << verified.error().message;
    out.after_A_m = figure(verified->record, "A");
    out.after_E_m = figure(verified->record, "E");
    out.after_B_m = figure(verified->record, "B");
  }
  const Moves moves(random_moves(noise, places));
  const auto there = carry_out(moves, bench, laser);
  for (std::size_t i = 1; i < moves.steps().size(); i += 2) {
    if (i < 3) continue;  // from which side it came the rig knows once it has moved
    out.allowed_m.push_back(
        *calibration::expanded_at(result->record.quantities.at(0), there.data.done[i].position_m[rig::kX]));
    out.off_m.push_back(there.data.done[i].position_m[rig::kX] - (there.true_m[i] - zero_m));
  }
  return out;
}

TEST(StageCalibration, MapsWhatIsHiddenAndTheDriveUndoesIt) {
  const HiddenStage hidden{12, 120, 6, 40, 8, 150, 10};
  const auto c = calibrate(hidden, 7, true, 12);
  fmt::print("A {:.2f} -> {:.2f} um, E {:.2f} -> {:.2f}, B {:.2f} -> {:.2f}; U {:.2f} um\n", c.before_A_m * 1e6,
             c.after_A_m * 1e6, c.before_E_m * 1e6, c.after_E_m * 1e6, c.before_B_m * 1e6, c.after_B_m * 1e6,
             c.expanded_m * 1e6);
  for (const double d : c.off_m) fmt::print("{:.2f} ", d * 1e6);
  fmt::print("\n");
  EXPECT_NEAR(c.before_B_m, 12e-6, 0.6e-6);
  EXPECT_GT(c.before_A_m, 20e-6);
  EXPECT_LT(c.after_A_m, 0.15 * c.before_A_m);
  EXPECT_LT(c.after_B_m, 1.5e-6);
}

// One question to each twin: the first place at which it is asked. 200 twins by STRIGIL_STAGE_TWINS; the few of CI
// bound what chance may do (10 twins: fewer than 7 within has a probability of 1e-4 at 95 %).
TEST(StageCalibration, RandomTwinsStandWhereTheyAreReadBackWithinTheUncertainty) {
  const char* wanted = std::getenv("STRIGIL_STAGE_TWINS");
  const int twins = wanted != nullptr ? std::atoi(wanted) : 10;
  sim::Noise noise(2302);
  int within = 0;
  int places = 0;
  int places_within = 0;
  double worst = 0;
  double mean_ratio = 0;
  std::vector<Calibrated> all;
  for (int i = 0; i < twins; ++i) {
    const auto hidden = random_stage(noise);
    const bool verify = wanted != nullptr || i < 2;
    auto c = calibrate(hidden, 1000 + static_cast<std::uint64_t>(i), verify, 4);
    ASSERT_FALSE(c.off_m.empty());
    ASSERT_GT(c.expanded_m, 0);
    within += std::abs(c.off_m.front()) <= c.allowed_m.front() ? 1 : 0;
    for (std::size_t k = 0; k < c.off_m.size(); ++k) {
      const double ratio = std::abs(c.off_m[k]) / c.allowed_m[k];
      ++places;
      places_within += ratio <= 1 ? 1 : 0;
      worst = std::max(worst, ratio);
      mean_ratio += ratio;
    }
    if (verify) {
      EXPECT_LT(c.after_A_m, std::max(0.5 * c.before_A_m, 5e-6)) << "twin " << i;
      all.push_back(c);
    }
  }
  EXPECT_GE(within, wanted != nullptr ? 0.92 * twins : 7);
  if (const char* file = std::getenv("STRIGIL_STAGE_TABLE")) {
    const auto median = [&](auto member) {
      std::vector<double> v;
      for (const auto& c : all) v.push_back(member(c));
      std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
      return v[v.size() / 2] * 1e6;
    };
    std::ofstream out(file);
    out << fmt::format("| {} random twins | before | after |\n|---|---|---|\n", twins);
    out << fmt::format("| A, median, um | {:.2f} | {:.2f} |\n", median([](const auto& c) { return c.before_A_m; }),
                       median([](const auto& c) { return c.after_A_m; }));
    out << fmt::format("| E, median, um | {:.2f} | {:.2f} |\n", median([](const auto& c) { return c.before_E_m; }),
                       median([](const auto& c) { return c.after_E_m; }));
    out << fmt::format("| B, median, um | {:.2f} | {:.2f} |\n", median([](const auto& c) { return c.before_B_m; }),
                       median([](const auto& c) { return c.after_B_m; }));
    out << fmt::format("| U of a position, median, um | | {:.2f} |\n",
                       median([](const auto& c) { return c.expanded_m; }));
    out << fmt::format("| one place each: within U | | {} of {} ({:.1f} %) |\n", within, twins, 100.0 * within / twins);
    out << fmt::format("| all places: within U | | {} of {} ({:.1f} %) |\n", places_within, places,
                       100.0 * places_within / places);
    out << fmt::format("| error over U, mean and largest | | {:.2f}, {:.2f} |\n", mean_ratio / places, worst);
  }
}

TEST(StageCalibration, ProceduresThatCannotBeCarriedOutAreRefusedInWords) {
  const auto setup = setup_of(bench_of({}));
  const auto words = [&](const std::string& edit_from, const std::string& edit_to) {
    auto text = stage_toml(10);
    if (!edit_from.empty()) text.replace(text.find(edit_from), edit_from.size(), edit_to);
    std::string refused;
    (void)procedure_of(text, setup, &refused);
    return refused;
  };
  using ::testing::HasSubstr;
  EXPECT_EQ(words("", ""), "accepted");
  EXPECT_THAT(words("axis = \"x\"", "axis = \"w\""), HasSubstr("'w' is no axis"));
  EXPECT_THAT(words("to_mm = 190", "to_mm = 200"), HasSubstr("leaves the travel of x"));
  EXPECT_THAT(words("to_mm = 190", "to_mm = 5"), HasSubstr("'to_mm' must lie above 'from_mm'"));
  EXPECT_THAT(words("targets = 21", "targets = 4"), HasSubstr("targets"));
  EXPECT_THAT(words("speed_mm_s = 200", "speed_mm_s = 300"), HasSubstr("max_speed_mm_s"));
  EXPECT_THAT(words("overrun_mm = 1", "overrun_mm = nan"), HasSubstr("overrun_mm"));
  EXPECT_THAT(words("lead_mm = 10", "laed_mm = 10"), HasSubstr("did you mean 'lead_mm'"));
  EXPECT_THAT(words("cycles = 5", "cycles = 1"), HasSubstr("cycles"));
  std::string refused;
  (void)procedure_of("[stage]\ncycles = 5\n", setup, &refused);
  EXPECT_THAT(refused, HasSubstr("[[stage.axes]]"));
  (void)procedure_of(stage_toml(10) + stage_toml(10).substr(stage_toml(10).find("[[stage.axes]]")), setup, &refused);
  EXPECT_THAT(refused, HasSubstr("axis x stands twice"));
}

}  // namespace
}  // namespace strigil::apps
