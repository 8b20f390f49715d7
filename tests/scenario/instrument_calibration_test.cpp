// Instruments calibrated through the rig itself: twins with hidden mass, centre, stiffness, friction, modes and
// transmissibility, and how often the truth lies within the stated U.
//
// STRIGIL_INSTRUMENT_TWINS=200 STRIGIL_INSTRUMENT_TABLE=FILE: the table of docs/calibration_methods.md.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>

#include "apps/calibrate.hpp"
#include "apps/instrument_gate.hpp"
#include "apps/short_run.hpp"
#include "apps/simulated_hands.hpp"
#include "calibration/certificate/certificate.hpp"
#include "calibration/certificate/dcc_check.hpp"
#include "calibration/record/calendar.hpp"
#include "calibration/record/store.hpp"
#include "daq/strict_toml.hpp"
#include "daq/temporary_folder.hpp"
#include "protocols/calibrate/procedure_runner.hpp"
#include "protocols/calibrate/window_collector.hpp"
#include "rig/interlock.hpp"
#include "sim/bench_sim_config.hpp"
#include "sim/generator_twin.hpp"
#include "sim/instrument_bench_plant.hpp"
#include "sim/noise.hpp"
#include "sim/world.hpp"

namespace strigil::apps {
namespace {

using testing::HasSubstr;

std::string source(const std::string& path) {
  const auto text = daq::read_text_file(std::string(STRIGIL_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(text.ok());
  return text.ok() ? *text : std::string();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// What nobody on the bench knows.
struct Hidden {
  rig::Instrument instrument;
  sim::InstrumentBenchConfig bench;
  double force_gain[6] = {};          // errors of the sensor's channels, in parts
  double accelerometer_gain[2] = {};  // edge, grip
};

constexpr double kForceExpanded = 0.005;       // of the reference file below
constexpr double kGainRatioExpanded = 0.01;    // of the procedure's file
constexpr double kRigCompliance_m_N = 2.5e-6;  // likewise
constexpr double kRigExpanded_m_N = 0.2e-6;
constexpr double kTiltZero_rad = 0.2 * 0.017453292519943295;

/// The instrument as drawn; sensors, rig and tilt scale are off by what the files allow them.
Hidden random_instrument(sim::Noise& noise) {
  const auto between = [&](double low, double high) { return low + (high - low) * noise.uniform(); };
  Hidden h;
  auto& i = h.instrument;
  i.name = "drawn";
  i.mass_kg = between(0.03, 0.22);
  i.grip_loss_factor = between(0.05, 0.3);
  double frequency_Hz = between(250, 900);
  for (int m = 0; m < 3; ++m) {
    i.modes.push_back({frequency_Hz, between(0.008, 0.05), i.mass_kg / between(3.5, 5), between(-0.8, -0.2)});
    if (m % 2 == 1) i.modes.back().sensor_gain = between(0.1, 0.6);
    frequency_Hz *= between(2.2, 2.9);
  }
  auto& b = h.bench;
  b.centre_m = {between(-4e-3, 4e-3), between(-4e-3, 4e-3), between(-95e-3, -50e-3)};
  b.edge_stiffness_N_m = between(40e3, 250e3);
  b.rig_stiffness_N_m = 1 / (kRigCompliance_m_N + kRigExpanded_m_N / 2 * noise.normal());
  b.friction = between(0.05, 0.4);
  b.block_z_m = between(-30.3e-3, -29.7e-3);
  b.block_slope = between(-1e-3, 1e-3);
  b.tilt_zero_rad = between(-kTiltZero_rad, kTiltZero_rad);
  for (auto& g : h.force_gain) g = kForceExpanded / 2 * noise.normal();
  for (auto& g : h.accelerometer_gain) g = kGainRatioExpanded / 2 / std::sqrt(2.0) * noise.normal();
  return h;
}

/// The bench file with that twin in it.
std::string bench_text(const Hidden& h, const std::string& store) {
  constexpr double kDegree = 0.017453292519943295;
  auto text = source("rig/benches/sim_instrument.toml");
  text = text.substr(0, text.find("# What the procedure is to find"));
  text = replaced(text, "file = \"plastic_convex\"\n", "");
  text = replaced(
      text, "[twin.force]\n",
      fmt::format("[calibration]\nstore = \"{}\"\ntemperature_C = 23\n[twin.force]\n"
                  "full_scale_N = [200, 200, 200]\nfull_scale_N_m = 10\ngain_error_percent = [{}]\n",
                  store,
                  fmt::join(std::vector<double>{100 * h.force_gain[0], 100 * h.force_gain[1], 100 * h.force_gain[2],
                                                100 * h.force_gain[3], 100 * h.force_gain[4], 100 * h.force_gain[5]},
                            ", ")));
  text = replaced(text, "[twin.vibration]\n",
                  fmt::format("[twin.vibration]\ngain_error_percent = [{}, 0, {}]\n", 100 * h.accelerometer_gain[0],
                              100 * h.accelerometer_gain[1]));
  const auto& b = h.bench;
  return text + fmt::format(
                    "[twin.instrument_bench]\ncentre_mm = [{}, {}, {}]\nedge_stiffness_N_mm = {}\n"
                    "rig_stiffness_N_mm = {}\nfriction = {}\nblock_z_mm = {}\nblock_slope_deg = {}\n"
                    "tilt_zero_deg = {}\ntilt_setting_deg = 0.05\n",
                    1e3 * b.centre_m[0], 1e3 * b.centre_m[1], 1e3 * b.centre_m[2], b.edge_stiffness_N_m / 1e3,
                    b.rig_stiffness_N_m / 1e3, b.friction, 1e3 * b.block_z_m, std::atan(b.block_slope) / kDegree,
                    b.tilt_zero_rad / kDegree);
}

/// The shipped procedure, less patient: nothing drifts here.
std::string quick_procedure() {
  auto text = source("protocols/procedures/instrument.toml");
  text = replaced(text, "settle_s = 2\nread_s = 2", "settle_s = 0.3\nread_s = 0.3");
  text = replaced(text, "above_z_mm = -27", "above_z_mm = -29.4");
  text = replaced(text, "series = 3", "series = 3\nsettle_s = 0.1\nread_s = 0.15");
  text = replaced(text, "taps = 8", "taps = 6\ntap_period_s = 1.5");
  return replaced(text, "sweeps = 8", "sweeps = 6");
}

/// Exciters are set by hand, unless `generator`.
protocols::ProcedureSetup setup_of(const Hidden& h, bool generator = false) {
  auto bench = rig::parse_bench(bench_text(h, "."), "instrument_test.toml");
  EXPECT_TRUE(bench.ok()) << bench.error().message;
  bench->instrument_there = h.instrument;
  if (!generator) bench->generator.reset();
  const auto reference = protocols::parse_reference(source("docs/examples/force_sensor.toml"), "force_sensor.toml");
  EXPECT_TRUE(reference.ok()) << reference.error().message;
  return {*bench, *reference, 23.0};
}

/// Hands that need no time.
daq::Result<protocols::ProcedureResult> calibrate(const Hidden& h, std::uint64_t seed) {
  const auto setup = setup_of(h);
  const auto file = protocols::parse_procedure(quick_procedure(), "instrument.toml", setup);
  if (!file) return file.error();
  const auto& procedure = *file->procedure;
  auto run = ShortRun::bring_up({.bench = setup.bench, .virtual_time = true, .seed = seed});
  if (!run) return run.error();
  auto& rig = (*run)->rig();
  auto* world = (*run)->wires().world();
  protocols::ProcedureRunner runner(procedure.steps(), setup.bench.stage.clear_z_m);
  protocols::WindowCollector collector(rig.fanout(), rig.streams(), procedure.steps());
  std::size_t ticks = 0;
  (*run)->perform(runner, [&](const rig::RigState&, daq::HostTime) {
    if (runner.waiting()) {
      handle_instrument(procedure.steps()[runner.at()].hands, *world->instrument_bench());
      runner.answer({});
    }
    if (++ticks % 256 == 0) collector.take(runner.done());
  });
  collector.take(runner.done());
  if (runner.outcome() != protocols::ProcedureOutcome::kDone) {
    return daq::Error{fmt::format("at '{}': {} ({})",
                                  procedure.steps()[std::min(runner.at(), procedure.steps().size() - 1)].name,
                                  protocols::name_of(runner.outcome()), rig::fault_names(rig.interlock().latched()))};
  }
  EXPECT_EQ(collector.lost(), 0U);
  return procedure.evaluate({rig.streams(), rig.roles(), runner.done(), collector.finish()}, setup);
}

/// What a record should have said.
std::map<std::string, double> truth_of(const Hidden& h) {
  std::map<std::string, double> t{{"mass", h.instrument.mass_kg},       {"centre x", h.bench.centre_m[0]},
                                  {"centre y", h.bench.centre_m[1]},    {"centre z", h.bench.centre_m[2]},
                                  {"edge", h.bench.edge_stiffness_N_m}, {"edge on the block", h.bench.friction}};
  // The procedure looks below 2 kHz.
  for (std::size_t m = 0; m < 2 && h.instrument.modes[m].frequency_Hz < 2000; ++m) {
    t[fmt::format("mode {}", m + 1)] = h.instrument.modes[m].frequency_Hz;
    t[fmt::format("mode {} damping", m + 1)] = h.instrument.modes[m].damping_ratio;
  }
  return t;
}

struct Score {
  int asked = 0, within = 0;
  double worst = 0;     // error over U
  double squares = 0;   // of it
  double relative = 0;  // sum of U over value
  void add(double error, double expanded, double value) {
    ++asked;
    const double ratio = std::abs(error) / expanded;
    within += ratio <= 1 ? 1 : 0;
    worst = std::max(worst, ratio);
    squares += ratio * ratio;
    relative += std::abs(expanded / value);
  }
};

/// A third mode above half the box's rate, which has no filter here, rings near the second or in its place: no
/// procedure can tell, and docs/calibrate.md says so. Such are scored apart.
constexpr double kHalfRate_Hz = 3200;
constexpr const char* kFolded = ", third folded";

/// Scores a record against its twin, quantity by quantity.
void score(const calibration::Record& record, const Hidden& h, std::map<std::string, Score>& out, int twin) {
  const sim::InstrumentBenchPlant plant(h.bench, h.instrument, {}, 1);
  const double step_s = 1 / sim::SimConfig{}.plant_rate_Hz;
  const bool show = std::getenv("STRIGIL_INSTRUMENT_SHOW") != nullptr;
  const auto truth = truth_of(h);
  for (const auto& q : record.quantities) {
    const auto known = truth.find(q.channel);
    if (known == truth.end()) continue;
    if (show)
      fmt::print("{} {} error {:+.3g} U {:.3g}\n", twin, q.channel, q.range.low - known->second,
                 q.uncertainty.front().expanded);
    const bool folded = q.channel.starts_with("mode 2") && h.instrument.modes[2].frequency_Hz > kHalfRate_Hz;
    out[q.channel + (folded ? kFolded : "")].add(q.range.low - known->second, q.uncertainty.front().expanded,
                                                 known->second);
  }
  // Of a band: root mean square over its lines, also those that were left out for their coherence.
  for (const auto& q : record.quantities) {
    double low_Hz = 0, high_Hz = 0;
    if (std::sscanf(q.channel.c_str(), "edge to grip %lf-%lf Hz", &low_Hz, &high_Hz) != 2) continue;
    double squares = 0;
    constexpr int kLines = 400;
    for (int i = 0; i < kLines; ++i)
      squares += std::norm(plant.edge_to_grip(low_Hz + (high_Hz - low_Hz) * (i + 0.5) / kLines, step_s));
    const double true_T = std::sqrt(squares / kLines);
    out["|T| of a band"].add(q.range.low - true_T, q.uncertainty.front().expanded, true_T);
    if (show)
      fmt::print("{} {} {:.4f} truly {:.4f} U {:.4f}\n", twin, q.channel, q.range.low, true_T,
                 q.uncertainty.front().expanded);
  }
  for (const auto& t : record.tables) {
    if (t.name != "transmissibility") continue;
    for (const auto& row : t.rows) {
      const double true_T = std::abs(plant.edge_to_grip(row[0], step_s));
      if (show)
        fmt::print("{} at {:.1f} Hz truly {:.5f}: sweeps {:.5f} U {:.5f} g2 {:.5f}, taps {:.5f} U {:.5f} g2 {:.5f}\n",
                   twin, row[0], true_T, row[1], row[2], row[4], row[5], row[6], row[7]);
      if (row[4] >= 0.95) out["|T| by sweeps"].add(row[1] - true_T, row[2], true_T);
      if (row[7] >= 0.95) out["|T| by taps"].add(row[5] - true_T, row[6], true_T);
    }
  }
}

// 200 twins by STRIGIL_INSTRUMENT_TWINS; the few of CI bound what chance may do: 2 instruments, 9 or 10 values each.
TEST(InstrumentCalibration, RandomTwinsLieWithinTheirUncertainty) {
  const char* wanted = std::getenv("STRIGIL_INSTRUMENT_TWINS");
  const int twins = wanted != nullptr ? std::atoi(wanted) : 2;
  const char* seed = std::getenv("STRIGIL_INSTRUMENT_SEED");
  sim::Noise noise(seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1117);
  std::map<std::string, Score> scores;
  for (int i = 0; i < twins; ++i) {
    const auto hidden = random_instrument(noise);
    const auto done = calibrate(hidden, 500 + static_cast<std::uint64_t>(i));
    ASSERT_TRUE(done.ok()) << "twin " << i << ": " << done.error().message;
    if (i == 0) {
      for (const auto& remark : done->remarks) fmt::print("{}\n", remark);
    }
    score(done->record, hidden, scores, i);
  }
  std::string table = fmt::format(
      "| {} random instruments | values | within U | largest error over U | U, mean |\n"
      "|---|---|---|---|---|\n",
      twins);
  int asked = 0, within = 0;
  for (const auto& [name, s] : scores) {
    table += fmt::format("| {} | {} | {} ({:.1f} %) | {:.2f} | {:.2f} % |\n", name, s.asked, s.within,
                         100.0 * s.within / s.asked, s.worst, 100 * s.relative / s.asked);
    if (name.starts_with("|T|") || name.ends_with(kFolded)) continue;
    asked += s.asked;
    within += s.within;
    EXPECT_GE(s.within, wanted != nullptr ? 0.9 * s.asked : 0) << name;
    EXPECT_LE(s.worst, 3) << name;
  }
  fmt::print("{}", table);
  if (const char* file = std::getenv("STRIGIL_INSTRUMENT_TABLE")) std::ofstream(file) << table;
  // Each twin gives its six static values and two modes with their damping.
  EXPECT_GE(asked, 9 * twins);
  EXPECT_GE(within, static_cast<int>(0.8 * asked));
}

/// Does at once what is asked, and remembers it.
class Witness final : public protocols::Prompter {
 public:
  void ask(const protocols::HandsRequest& request, daq::HostTime) override { asked.push_back(request.task); }
  std::optional<protocols::HandsAnswer> poll(daq::HostTime) override { return protocols::HandsAnswer{}; }
  std::vector<protocols::HandsTask> asked;
};

// The bench's generator makes the sweeps, down again where hands would pause: it is the same transmissibility.
TEST(InstrumentCalibration, AGeneratorSweepsAndNobodyIsAskedTo) {
  sim::Noise noise(41);
  auto hidden = random_instrument(noise);
  for (auto& g : hidden.accelerometer_gain) g = 0;  // common to all lines: one draw would decide of them all
  const auto folder = daq::TemporaryFolder::make("sweeps");
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  auto text = quick_procedure();
  const auto from = text.find("[instrument.weighing]"), to = text.find("[instrument.vibration]");
  text.erase(from, to - from);
  CalibrateOptions o;
  o.setup = setup_of(hidden, true);
  const auto file = protocols::parse_procedure(text, "sweeps.toml", o.setup);
  ASSERT_TRUE(file.ok()) << file.error().message;
  o.procedure = &*file;
  o.records = folder->path();
  o.head.operator_name = "T";
  o.virtual_time = true;
  o.seed = 5;
  bool on = true;
  double most_V = 0;
  o.world = [&](const sim::World& world, daq::HostTime) {
    on = world.generator()->on();
    most_V = world.generator()->most_V();
    return daq::Duration{};
  };
  Witness hands;
  const auto done = carry_out_calibration(o, hands);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(std::count(hands.asked.begin(), hands.asked.end(), protocols::HandsTask::kSweep), 0);
  EXPECT_EQ(std::count(hands.asked.begin(), hands.asked.end(), protocols::HandsTask::kCouple), 1);
  EXPECT_NEAR(most_V, 0.02 * 2.5, 1e-9) << "sweep_force_N by sensitivity_V_N";
  EXPECT_FALSE(on);
  std::map<std::string, Score> scores;
  score(done->kept.record, hidden, scores, 0);
  const auto& sweeps = scores["|T| by sweeps"];
  EXPECT_GT(sweeps.asked, 30);
  EXPECT_GE(sweeps.within, 0.8 * sweeps.asked);
  EXPECT_LT(sweeps.worst, 3);
  EXPECT_LT(sweeps.relative / sweeps.asked, 0.06) << "U says something";
  fmt::print("{} of {} lines within U, worst {:.2f}, U {:.1f} %\n", sweeps.within, sweeps.asked, sweeps.worst,
             100 * sweeps.relative / sweeps.asked);
}

// One calibration, kept as a record: what gates say of it in words, and certificates of it.
TEST(InstrumentCalibration, TheRecordGatesRunsAndMakesCertificates) {
  sim::Noise noise(9);
  const auto hidden = random_instrument(noise);
  auto done = calibrate(hidden, 3);
  ASSERT_TRUE(done.ok()) << done.error().message;
  const auto folder = daq::TemporaryFolder::make("instrument");
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  auto& r = done->record;
  r.id = "INST-1";
  r.software = "test";
  r.procedure = "instrument";
  r.operator_name = "A. Test";
  r.adjustment = "none";
  auto bench = setup_of(hidden).bench;
  r.instrument = {"Maker", "drawn", bench.instrument.serial};
  r.setting = bench.instrument.setting;
  r.traceability = {setup_of(hidden).reference.trace};
  r.performed_from = r.performed_until = r.issued = calibration::parse_instant("2026-11-01").value();
  r.valid_until = calibration::parse_instant("2027-11-01").value();
  const auto kept = calibration::keep_record(folder->path(), r);
  ASSERT_TRUE(kept.ok()) << kept.error().message;

  bench.calibration.store = folder->path();
  bench.instrument.calibration = "INST-1";
  const auto today = calibration::parse_instant("2027-01-01").value();
  const auto words = [&](const rig::BenchConfig& b, daq::WallTime now) {
    const auto gated = pass_instrument_gate(b, now);
    return gated ? std::string("passed") : gated.error().message;
  };
  const auto passed = pass_instrument_gate(bench, today);
  ASSERT_TRUE(passed.ok()) << passed.error().message;
  EXPECT_EQ(passed->text, calibration::to_text(kept->record));
  EXPECT_THAT(passed->remarks, testing::Contains(HasSubstr("mass")));
  EXPECT_THAT(words(bench, calibration::parse_instant("2027-12-01").value()), HasSubstr("it expired on 2027-11-01"));
  auto other = bench;
  other.instrument.serial = "P-0043";
  EXPECT_THAT(words(other, today), HasSubstr("P-0043"));
  other = bench;
  other.instrument.setting.mounting = "leaning, clamp at 90 mm";
  EXPECT_THAT(words(other, today), HasSubstr("it was made with mounting 'upright, clamp at 110 mm'"));
  other.calibration.policy = rig::CalibrationPolicy::kMark;
  const auto marked = pass_instrument_gate(other, today);
  ASSERT_TRUE(marked.ok());
  EXPECT_EQ(marked->reasons.size(), 1U);
  EXPECT_TRUE(marked->text.empty());
  other = bench;
  other.instrument.calibration = "INST-2";
  EXPECT_THAT(words(other, today), HasSubstr("INST-2"));

  const auto head = calibration::parse_certificate_head(source("docs/examples/laboratory.toml"), "laboratory.toml");
  ASSERT_TRUE(head.ok()) << head.error().message;
  const calibration::Certificate c{kept->record, kept->hash, *head};
  for (const auto& o : calibration::omissions_of(c)) ADD_FAILURE() << o.clause << ": " << o.text;
  const auto findings = calibration::check_dcc(calibration::to_dcc(c));
  ASSERT_TRUE(findings.ok()) << findings.error().message;
  for (const auto& f : *findings) EXPECT_FALSE(f.error) << f.where << ": " << f.text;
  EXPECT_THAT(calibration::to_html(c), testing::AllOf(HasSubstr("centre of mass"), HasSubstr("mode 1")));
  if (const char* keep = std::getenv("STRIGIL_KEEP_CERTIFICATE")) {
    std::ofstream(std::string(keep) + "/instrument.html") << calibration::to_html(c);
    std::ofstream(std::string(keep) + "/instrument.xml") << calibration::to_dcc(c);
  }
}

}  // namespace
}  // namespace strigil::apps
