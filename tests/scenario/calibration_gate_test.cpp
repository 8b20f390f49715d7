// The gates of a calibration through whole runs: refused in words, or made and marked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "calibration/check_standard.hpp"
#include "calibration/force_record.hpp"
#include "calibration/record/calendar.hpp"
#include "calibration/record/store.hpp"
#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/strict_toml.hpp"
#include "daq/temporary_folder.hpp"
#include "protocols/report.hpp"

namespace strigil::apps {
namespace {

using calibration::Record;
using protocols::Judgement;
using testing::AllOf;
using testing::HasSubstr;

class CalibrationGate : public testing::Test {
 protected:
  static daq::WallTime day(const std::string& text) { return calibration::parse_instant(text).value(); }

  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    store_ = dir_ + "/calibrations";
    keep(record("FZ-1"));
  }

  /// Of the simulated sensor, which has 1e6 counts to a newton.
  static Record record(const std::string& id, double gain = 1) {
    Record r;
    r.id = id;
    r.software = "0.1.0";
    r.instrument = {"ATI", "Nano17", "FT12345"};
    r.setting.rate_Hz = 1000;
    r.setting.counts_per_unit = 1e6;
    r.quantities = {{"force", "Fz", "N", {0.5, 12}, {{0.5, 0.02}, {12, 0.05}}}};
    r.conditions.use_temperature_C = calibration::Interval{18, 28};
    r.fit.inputs = {{"Fz", "N", 1e-6, 0}};
    r.fit.coefficients = {0, gain};
    r.performed_from = r.performed_until = r.issued = day("2026-11-01");
    r.valid_until = day("2028-01-01");
    return r;
  }
  void keep(const Record& r) {
    const auto kept = calibration::keep_record(store_, r);
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    hash_ = kept->hash;
  }

  /// The simulated bench with that calibration; `edit` is put into [calibration].
  std::string bench(const std::string& edit = "", const std::string& force = "serial = \"FT12345\"") {
    auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value();
    const std::string at = "counts_per_N = 1000000\n";
    text.insert(text.find(at), "calibration = \"" + name_ + "\"\n" + force + "\n");
    text +=
        "\n[calibration]\nstore = \"" + store_ + "\"\ncheck_history = \"" + dir_ + "/checks.jsonl\"\n" + edit + "\n";
    const auto path = dir_ + "/bench.toml";
    std::ofstream(path) << text;
    return path;
  }

  daq::Result<RunOutcome> go(const std::string& bench_file, const std::string& today = "2026-11-29",
                             std::optional<double> temperature_C = 22) {
    auto prepared = prepare("smoke", bench_file);
    if (!prepared) return prepared.error();
    plan_ = prepared->plan;
    RunOptions o;
    o.bench = prepared->bench;
    o.bench.calibration.temperature_C = temperature_C;
    o.plan = prepared->plan;
    o.protocol_text = prepared->protocol_text;
    o.virtual_time = true;
    o.out = dir_ + "/run" + std::to_string(runs_++) + ".h5";
    o.today = day(today);
    return run(o, {});
  }

  /// Refused in words, with nothing made; and with policy "mark" a run whose every report says it.
  void expect_gate(const std::string& words, const std::string& today = "2026-11-29",
                   std::optional<double> temperature_C = 22, const std::string& extra = "",
                   const std::string& force = "serial = \"FT12345\"") {
    const auto refused = go(bench(extra, force), today, temperature_C);
    ASSERT_FALSE(refused.ok()) << words;
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr(words), HasSubstr("Nothing was moved")));
    EXPECT_FALSE(std::filesystem::exists(dir_ + "/run" + std::to_string(runs_ - 1) + ".h5"));
    const auto marked = go(bench("policy = \"mark\"\n" + extra, force), today, temperature_C);
    ASSERT_TRUE(marked.ok()) << marked.error().message;
    EXPECT_EQ(marked->verdict.judgement, Judgement::kPass);
    EXPECT_TRUE(std::isnan(marked->verdict.strokes.at(0).force_uncertainty.expanded_N));
    const auto text = protocols::to_text(plan_, marked->verdict);
    EXPECT_THAT(text, AllOf(HasSubstr("UNCALIBRATED: nominal scale"), HasSubstr(words)));
    const auto json = daq::parse_json(protocols::to_json(plan_, marked->verdict));
    EXPECT_EQ(json["calibration"]["state"], "uncalibrated");
    EXPECT_THAT(daq::json_text(json["calibration"]["reasons"]),
                HasSubstr(daq::json_text(nlohmann::json(words)).substr(1, words.size())));
    EXPECT_TRUE(json["strokes"][0]["force_uncertainty_N"].is_null());
    EXPECT_THAT(protocols::to_junit(plan_, marked->verdict, 1),
                AllOf(HasSubstr("UNCALIBRATED"), HasSubstr("N (uncalibrated)")));
    auto reader = daq::RunReader::open(marked->run_file);
    ASSERT_TRUE(reader.ok());
    EXPECT_THAT((*reader)->end()->value(), HasSubstr("\"uncalibrated\""));
  }

  daq::TemporaryFolder folder_ = daq::TemporaryFolder::make("gate").value();
  std::string dir_ = folder_.path();
  std::string store_;
  std::string name_ = "FZ-1";
  std::string hash_;
  protocols::Plan plan_;
  int runs_ = 0;
};

TEST_F(CalibrationGate, AGoodRecordGivesItsScaleAndAnUncertaintyToEveryForce) {
  const auto nominal = go(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml");
  ASSERT_TRUE(nominal.ok()) << nominal.error().message;
  EXPECT_THAT(protocols::to_text(plan_, nominal->verdict), HasSubstr("uncalibrated: nominal scale"));
  const auto outcome = go(bench());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->verdict.judgement, Judgement::kPass);
  const auto& stroke = outcome->verdict.strokes.at(0);
  EXPECT_EQ(stroke.mean_normal_force_N, nominal->verdict.strokes.at(0).mean_normal_force_N) << "a gain of 1";
  const auto& u = stroke.force_uncertainty;
  EXPECT_NEAR(u.calibration_N, 0.5 * (0.02 + 0.03 * (stroke.mean_normal_force_N - 0.5) / 11.5), 1e-12);
  EXPECT_GT(u.statistics_N, 0);
  EXPECT_NEAR(u.expanded_N, 2 * std::hypot(u.calibration_N, u.statistics_N, u.zero_N), 1e-12);
  EXPECT_THAT(protocols::to_text(plan_, outcome->verdict), HasSubstr("forces: calibration 'FZ-1'"));
  EXPECT_THAT(protocols::to_junit(plan_, outcome->verdict, 1), HasSubstr(" N (k = 2)"));
  const auto json = daq::parse_json(protocols::to_json(plan_, outcome->verdict));
  EXPECT_EQ(json["calibration"]["state"], "calibrated");
  EXPECT_EQ(json["calibration"]["sha256"], hash_);
  EXPECT_GT(json["strokes"][0]["force_uncertainty_N"], 0.02);
  auto reader = daq::RunReader::open(outcome->run_file);
  ASSERT_TRUE(reader.ok());
  const auto& config = (*reader)->header().config;
  ASSERT_TRUE(config.contains("calibration.json"));
  EXPECT_EQ(calibration::parse_record(config.at("calibration.json"))->hash, hash_) << "the record goes with the run";
}

// The phantom is pressed by what the rig believes: where a count is worth twice as much, half the counts are pressed.
TEST_F(CalibrationGate, TheRecordsFitIsWhatTheRigPressesBy) {
  keep(record("FZ-2", 2));
  double most_counts[2] = {0, 0};
  const char* names[2] = {"FZ-1", "FZ-2"};
  for (const int i : {0, 1}) {
    name_ = names[i];
    const auto outcome = go(bench());
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_NEAR(outcome->verdict.strokes.at(0).mean_normal_force_N, 4, 0.48) << names[i];
    auto reader = daq::RunReader::open(outcome->run_file);
    ASSERT_TRUE(reader.ok());
    EXPECT_DOUBLE_EQ((*reader)->header().streams.at(0).channels.at(2).scale, (i + 1) * 1e-6);
    for (std::uint64_t b = 0; b < (*reader)->block_count(0); ++b) {
      const auto block = (*reader)->block(0, b);
      ASSERT_TRUE(block.ok());
      for (std::size_t s = 0; s < block->samples; ++s) {
        const double counts = std::abs(static_cast<double>(block->counts[s * block->channels + 2]));
        most_counts[i] = std::max(most_counts[i], counts);
      }
    }
  }
  EXPECT_LT(most_counts[1], 0.8 * most_counts[0]) << "half, and what the stage overshoots";
  EXPECT_GT(most_counts[1], 0.35 * most_counts[0]);
}

TEST_F(CalibrationGate, Expired) { expect_gate("calibration 'FZ-1': it expired on 2028-01-01", "2028-03-01"); }
TEST_F(CalibrationGate, NotYetValid) { expect_gate("it is valid from 2026-11-01", "2026-10-01"); }
TEST_F(CalibrationGate, Revoked) {
  Record r;
  r.kind = calibration::RecordKind::kRevocation;
  r.id = "REV-1";
  r.software = "0.1.0";
  r.revokes = "FZ-1";
  r.reason = "the sensor was dropped";
  r.performed_from = r.performed_until = r.issued = day("2026-11-20");
  keep(r);
  expect_gate("it was revoked: the sensor was dropped");
}
TEST_F(CalibrationGate, Superseded) {
  auto r = record("FZ-2");
  r.supersedes = "FZ-1";
  keep(r);
  expect_gate("it was superseded by 'FZ-2'");
}
TEST_F(CalibrationGate, WrongSerial) {
  expect_gate("it is of serial number 'FT12345' and the bench has 'FT777'", "2026-11-29", 22, "", "serial = \"FT777\"");
}
TEST_F(CalibrationGate, WrongConfiguration) {
  auto r = record("FZ-2");
  r.setting.filter = "none";
  keep(r);
  name_ = "FZ-2";
  expect_gate("it was made with filter 'none' and the bench has '73 Hz'", "2026-11-29", 22, "",
              "serial = \"FT12345\"\nconfiguration = { filter = \"73 Hz\" }");
  r = record("FZ-3");
  r.setting.rate_Hz = 7000;
  keep(r);
  name_ = "FZ-3";
  expect_gate("it was made with a rate of 7000 and the bench has 1000");
}
TEST_F(CalibrationGate, OutOfRange) {
  auto r = record("FZ-2");
  r.quantities[0].range = {5, 12};
  keep(r);
  name_ = "FZ-2";
  expect_gate("4 to 4 N are wanted of 'Fz' and it is calibrated from 5 to 12");
}
// Cables pull on a sensor by where the stage stands: beyond where its zero was looked at a record says nothing.
TEST_F(CalibrationGate, OutsideTheTravel) {
  auto r = record("FZ-X");
  r.tables.push_back(calibration::travel_table({{{{0, 0.05}, {0, 0.1}, {-0.06, 0}}}}));
  keep(r);
  name_ = "FZ-X";
  expect_gate("its zero was looked at from x 0 to 50 mm, and the run strokes from 40 to 70 mm");
  // How deep it gets is known when it has been there.
  r.id = name_ = "FZ-Z";
  r.tables[0] = calibration::travel_table({{{{0, 0.2}, {0, 0.1}, {-0.02, 0}}}});
  keep(r);
  const auto deep = go(bench());
  ASSERT_TRUE(deep.ok()) << deep.error().message;
  EXPECT_EQ(deep->verdict.judgement, Judgement::kInvalid);
  EXPECT_THAT(protocols::to_text(plan_, deep->verdict), HasSubstr("calibration 'FZ-Z' looked at the zero of the force"));
  EXPECT_TRUE(std::isnan(deep->verdict.strokes.at(0).force_uncertainty.expanded_N));
  r.id = name_ = "FZ-ALL";
  // The zero goes as far in 0.1 m as over the whole use; the run goes 30 mm along x, and about as deep.
  const double record_N = *calibration::expanded_at(r.quantities[0], 4) / r.coverage_factor;
  const double span_N = record_N;
  const double slope_N_m = span_N / 0.1;
  r.tables[0] = calibration::travel_table(
      {{{{0, 0.2}, {0, 0.1}, {-0.06, 0}}}, {slope_N_m, 0, slope_N_m}, 0, span_N});
  keep(r);
  const auto good = go(bench());
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_EQ(good->verdict.judgement, Judgement::kPass);
  const auto own_N = good->verdict.strokes.at(0).force_uncertainty.calibration_N;
  const auto over = [&](double way_m) {
    return std::sqrt(record_N * record_N + (std::pow(slope_N_m * way_m, 2) - span_N * span_N) / 3);
  };
  EXPECT_GT(own_N, over(0.04)) << "tared clear of the phantom";
  EXPECT_LT(own_N, over(0.09));
}

TEST_F(CalibrationGate, Temperature) {
  expect_gate("it holds from 18 to 28 degrees C and the bench is at 31", "2026-11-29", 31);
  expect_gate("nobody said how warm the bench is", "2026-11-29", std::nullopt);
}
TEST_F(CalibrationGate, ARecordThatIsNotThere) {
  name_ = "FZ-9";
  expect_gate("there is no record 'FZ-9'");
}
TEST_F(CalibrationGate, ABrokenStore) {
  for (const auto& entry : std::filesystem::directory_iterator(store_)) {
    if (entry.path().extension() != ".json") continue;
    auto text = daq::read_text_file(entry.path().string()).value();
    text[text.find("FT12345")] = 'G';
    std::ofstream(entry.path()) << text;
  }
  expect_gate("its hash does not fit its content: it was changed after it was written");
}

TEST_F(CalibrationGate, CheckStandardMissingOldFailedAndGood) {
  const std::string asked = "check_standard = \"weight 500 g\"\n";
  expect_gate("check standard 'weight 500 g' has not been measured with this calibration", "2026-11-29", 22, asked);
  calibration::CheckPoint p;
  p.at = day("2026-11-28T20:00:00Z");
  p.standard = "weight 500 g";
  p.calibration = hash_;
  p.value = p.expected = 4.903;
  p.tolerance = 0.05;
  p.unit = "N";
  ASSERT_TRUE(calibration::append_check(dir_ + "/checks.jsonl", p).ok());
  const auto good = go(bench(asked));
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_TRUE(good->verdict.calibration.calibrated);
  expect_gate("the last check of 'weight 500 g' is 28.0 h old", "2026-11-30", 22, asked);
  p.value = 5;
  p.failures = calibration::judge_check(p, {});
  ASSERT_TRUE(calibration::append_check(dir_ + "/checks.jsonl", p).ok());
  expect_gate("check standard 'weight 500 g' failed on 2026-11-28", "2026-11-29", 22, asked);
}

/// The same gates for the stage's error map.
class StageGate : public CalibrationGate {
 protected:
  static Record stage_record(const std::string& id) {
    Record r;
    r.id = id;
    r.software = "0.1.0";
    r.instrument = {"", "", "ST7"};
    r.quantities = {{"position", "x", "m", {0, 0.2}, {{0, 2e-6}, {0.2, 3e-6}}}};
    r.conditions.use_temperature_C = calibration::Interval{18, 28};
    r.fit.kind = calibration::FitKind::kTable;
    r.tables = {{"error_map_x",
                 {"command", "rising", "falling", "expanded_uncertainty"},
                 {"m", "m", "m", "m"},
                 {{0, -60e-6, -40e-6, 2e-6}, {0.2, 60e-6, 80e-6, 3e-6}}}};
    r.performed_from = r.performed_until = r.issued = day("2026-11-01");
    r.valid_until = day("2028-01-01");
    return r;
  }
  std::string stage_bench(const std::string& edit = "", const std::string& stage = "serial = \"ST7\"") {
    auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim.toml").value();
    const std::string at = "codec = \"grbl\"\n";
    text.insert(text.find(at) + at.size(), "calibration = \"" + name_ + "\"\n" + stage + "\n");
    text +=
        "\n[calibration]\nstore = \"" + store_ + "\"\ncheck_history = \"" + dir_ + "/checks.jsonl\"\n" + edit + "\n";
    const auto path = dir_ + "/bench.toml";
    std::ofstream(path) << text;
    return path;
  }
  void expect_refused(const std::string& bench_file, const std::string& words, const std::string& today = "2026-11-29",
                      std::optional<double> temperature_C = 22) {
    const auto refused = go(bench_file, today, temperature_C);
    ASSERT_FALSE(refused.ok()) << words;
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr(words), HasSubstr("the stage is not calibrated for this run"),
                                               HasSubstr("Nothing was moved")));
  }
};

TEST_F(StageGate, EveryGateRefusesInWords) {
  keep(stage_record("ST-1"));
  name_ = "ST-1";
  expect_refused(stage_bench(), "calibration 'ST-1': it expired on 2028-01-01", "2028-03-01");
  expect_refused(stage_bench(), "it is valid from 2026-11-01", "2026-10-01");
  expect_refused(stage_bench(), "it holds from 18 to 28 degrees C and the bench is at 31", "2026-11-29", 31);
  expect_refused(stage_bench("", "serial = \"ST8\""), "it is of serial number 'ST7' and the bench has 'ST8'");
  expect_refused(stage_bench("", ""), "the bench does not say which it has");
  const std::string asked = "stage_check_standard = \"gauge block 50 mm\"\n";
  expect_refused(stage_bench(asked), "check standard 'gauge block 50 mm' has not been measured with this calibration");
  calibration::CheckPoint p;
  p.at = day("2026-11-28T20:00:00Z");
  p.standard = "gauge block 50 mm";
  p.calibration = hash_;
  p.value = p.expected = 0.05;
  p.tolerance = 5e-6;
  p.unit = "m";
  ASSERT_TRUE(calibration::append_check(dir_ + "/checks.jsonl", p).ok());
  expect_refused(stage_bench(asked), "the last check of 'gauge block 50 mm' is 28.0 h old", "2026-11-30");
  p.value = 0.0501;
  p.failures = calibration::judge_check(p, {});
  ASSERT_TRUE(calibration::append_check(dir_ + "/checks.jsonl", p).ok());
  expect_refused(stage_bench(asked), "check standard 'gauge block 50 mm' failed on 2026-11-28");

  const auto other = [&](const std::string& id, const std::function<void(Record&)>& edit) {
    auto r = stage_record(id);
    edit(r);
    keep(r);
    name_ = id;
  };
  other("ST-2", [](Record& r) {
    r.quantities[0].range = {0.15, 0.19}, r.quantities[0].uncertainty = {{0.15, 2e-6}, {0.19, 2e-6}};
  });
  expect_refused(stage_bench(), "m are wanted of 'x' and it is calibrated from 0.15 to 0.19; nothing is said outside");
  other("ST-3", [](Record& r) { r.setting.mounting = "upright"; });
  expect_refused(stage_bench("", "serial = \"ST7\"\nconfiguration = { mounting = \"lying\" }"),
                 "it was made with mounting 'upright' and the bench has 'lying'");
  other("ST-4", [](Record& r) { r.setting.counts_per_unit = 1e6; });
  expect_refused(stage_bench(), "a sensitivity in counts of 1e+06");
  other("ST-5", [](Record& r) { r.tables[0].rows[1][1] = -0.3; });
  expect_refused(stage_bench(), "no axis that moves forward does that");
  other("ST-6", [](Record& r) { r.tables[0].rows[1][1] = 0.7e-3; });
  expect_refused(stage_bench(), "more than [interlock] travel_margin_mm");
  other("ST-7", [](Record& r) { r.supersedes = "ST-6"; });
  name_ = "ST-6";
  expect_refused(stage_bench(), "it was superseded by 'ST-7'");
  name_ = "ST-99";
  expect_refused(stage_bench(), "there is no record 'ST-99'");
  Record revocation;
  revocation.kind = calibration::RecordKind::kRevocation;
  revocation.id = "REV-1";
  revocation.software = "0.1.0";
  revocation.revokes = "ST-7";
  revocation.reason = "the nut was changed";
  revocation.performed_from = revocation.performed_until = revocation.issued = day("2026-11-20");
  keep(revocation);
  name_ = "ST-7";
  expect_refused(stage_bench(), "it was revoked: the nut was changed");
}

TEST_F(StageGate, AGoodMapGoesWithTheRunAndABadOneMarksIt) {
  keep(stage_record("ST-1"));
  name_ = "ST-1";
  const auto good = go(stage_bench());
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_EQ(good->verdict.judgement, Judgement::kPass);
  EXPECT_THAT(protocols::to_text(plan_, good->verdict), HasSubstr("positions: calibration 'ST-1'"));
  const auto json = daq::parse_json(protocols::to_json(plan_, good->verdict));
  EXPECT_EQ(json["stage_calibration"]["state"], "calibrated");
  EXPECT_NEAR(json["strokes"][0]["length_uncertainty_m"].get<double>(), 3e-6 * std::sqrt(2.0), 1e-12);
  auto reader = daq::RunReader::open(good->run_file);
  ASSERT_TRUE(reader.ok());
  const auto& config = (*reader)->header().config;
  ASSERT_TRUE(config.contains("stage_calibration.json"));
  EXPECT_EQ(calibration::parse_record(config.at("stage_calibration.json"))->hash, hash_);

  const auto marked = go(stage_bench("policy = \"mark\"", "serial = \"ST8\""));
  ASSERT_TRUE(marked.ok()) << marked.error().message;
  EXPECT_THAT(protocols::to_text(plan_, marked->verdict),
              AllOf(HasSubstr("positions UNCALIBRATED"), HasSubstr("serial number 'ST7'")));
  EXPECT_THAT(protocols::to_junit(plan_, marked->verdict, 1), HasSubstr("positions UNCALIBRATED"));
  const auto marks = daq::parse_json(protocols::to_json(plan_, marked->verdict));
  EXPECT_EQ(marks["stage_calibration"]["state"], "uncalibrated");
  EXPECT_TRUE(marks["strokes"][0]["length_uncertainty_m"].is_null());
}

}  // namespace
}  // namespace strigil::apps
