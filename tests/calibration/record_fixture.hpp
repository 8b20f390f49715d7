// A record as a force calibration would make one, and a folder that goes away.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "calibration/record/calendar.hpp"
#include "calibration/record/record.hpp"

namespace strigil::calibration {

inline daq::WallTime day(const std::string& text) { return parse_instant(text).value(); }

/// Force on Fz: 0.5 to 25 N, in counts, U = 0.02 N at the low end and 0.05 N at the high one.
inline Record force_record(const std::string& id = "FZ-2026-001") {
  Record r;
  r.id = id;
  r.number = 1;
  r.previous = kNoRecordBefore;
  r.created = day("2026-11-02T10:00:00.000Z");
  r.software = "0.1.0";
  r.instrument = {"ATI", "Nano17", "FT12345"};
  r.setting.rate_Hz = 1000;
  r.setting.filter = "none";
  r.quantities = {{"force", "Fz", "N", {0.5, 25}, {{0.5, 0.02}, {10, 0.03}, {25, 0.05}}}};
  r.conditions.temperature_C = Interval{21.5, 22.5};
  r.conditions.use_temperature_C = Interval{18, 28};
  r.conditions.humidity_percent = Interval{40, 55};
  r.fit.kind = FitKind::kPolynomial;
  r.fit.inputs = {{"Fz", "1", 1, 0}};
  r.fit.coefficients = {0.001, 1.02e-6};
  r.fit.covariance = {1e-6, -1e-13, -1e-13, 1e-18};
  r.fit.residual_sd = 0.004;
  r.fit.degrees_of_freedom = 28;
  r.budget = {{"reference force", "normal", 0.005, "N", 1, 0},
              {"repeatability", "normal", 0.004, "N", 1, 28},
              {"resolution", "triangular", 1e-6, "N", 1, 0},
              {"temperature", "rectangular", 0.3, "K", 0.002, 0}};
  r.tables = {{"points",
               {"reference", "indication", "fitted", "expanded_uncertainty"},
               {"N", "1", "N", "N"},
               {{0.5, 489200, 0.4999840, 0.02}, {10, 9802900, 9.999958, 0.03}, {25, 24508800, 24.999976, 0.05}}}};
  r.classification = {"ISO 376",           "2011", "method based on", "1", "iso376-2011", std::string(64, 'a'),
                      "simple acceptance", "pass"};
  r.traceability = {{"dead weights 0.5 to 25 N", "W-77", "D-K-15192-0042", std::string(64, 'b'), "Some laboratory", "",
                     day("2027-06-01"), "U = 0.01 % (k = 2)"}};
  r.procedure = "force, ISO 376 series with rotations";
  r.operator_name = "A. Operator";
  r.adjustment = "none";
  r.performed_from = day("2026-11-02T08:00:00Z");
  r.performed_until = day("2026-11-02T09:30:00Z");
  r.issued = day("2026-11-02T10:00:00Z");
  r.valid_until = day("2028-01-02");
  r.raw = {{"runs/20261102T080000Z-iso376-1.h5", std::string(64, 'c')}};
  return r;
}

class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-calibration-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  static std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void spill(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  std::string dir_;
};

}  // namespace strigil::calibration
