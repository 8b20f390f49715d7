// Indentation of a living finger pad by force control (SDAMcIntyre/Indentation_Discrimination): the recorded way of the
// probe goes into the plant, and the force that comes out is compared in shape. One scale is fitted to all
// three records together: probe and pad are not stated there.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/sim/physics_csv.hpp"
#include "tests/sim/tissue_on_bench.hpp"

namespace strigil::sim {
namespace {

using rig::kZ;

struct Record {
  std::string name;
  std::vector<double> depth_m;  ///< 2 kHz, from where it touched lightly
  std::vector<double> force_N;
  std::vector<double> ours_N;
};

/// From 20 ms before the command to its end.
Record read_record(const std::string& name) {
  Record r{name, {}, {}, {}};
  std::ifstream file(reference_data("mcintyre_indent/" + name + ".csv"));
  std::string line;
  std::getline(file, line);
  std::vector<std::array<double, 4>> rows;
  while (std::getline(file, line)) {
    std::array<double, 4> row{};
    if (std::sscanf(line.c_str(), "%lf,%lf,%lf,%lf", &row[0], &row[1], &row[2], &row[3]) == 4) rows.push_back(row);
  }
  std::size_t first = 0;
  while (first < rows.size() && rows[first][3] <= 0) ++first;
  std::size_t last = first;
  double most = 0;
  while (last < rows.size() && rows[last][3] >= most) most = std::max(most, rows[last++][3]);
  constexpr std::size_t kBefore = 40;
  if (first < kBefore || first >= rows.size()) return r;
  const double touched_mm = rows[first - kBefore][1];
  const double zero_mN = rows[first - kBefore][2];
  for (auto i = first - kBefore; i < last; ++i) {
    r.depth_m.push_back(1e-3 * (rows[i][1] - touched_mm));
    r.force_N.push_back(1e-3 * (rows[i][2] - zero_mN));
  }
  return r;
}

/// A finger pad: skin, pulp as fat, bone; a probe of some millimetres. The pulp's thickness is what fitted best of 7,
/// 12 and 20 mm [A].
void press_alike(Record& r) {
  auto pad = tissue();
  pad.layers = {layer("skin", "skin", 1.2e-3), layer("pulp", "fat", 12e-3), layer("bone", "bone", 8e-3)};
  auto probe = bar_of_steel();
  probe.edge_length_m = 6e-3;
  probe.edge_radius_m = 3e-3;
  const auto plant = make_tissue(pad, probe);
  constexpr double kRate_Hz = 2000;
  double before = 0;
  for (std::size_t i = 0; i < r.depth_m.size(); ++i) {
    const double z = plant->surface_m(80e-3, 0) - r.depth_m[i];
    const double v = i == 0 ? 0 : (before - r.depth_m[i]) * kRate_Hz;
    before = r.depth_m[i];
    const daq::HostTime now{static_cast<std::int64_t>(i) * 500'000};
    r.ours_N.push_back(plant->step(now, {80e-3, 0, z}, {0, 0, v}).force_N[kZ]);
  }
}

TEST(TissueIndentation, ShapeIsThatOfALivingFingerPad) {
  if (reference_data("mcintyre_indent/1000_mN_data_file.csv").empty()) {
    GTEST_SKIP() << "reference data not found: set STRIGIL_REFERENCE_DATA";
  }
  PhysicsCsv csv("indentation", "record,time_ms,depth_mm,measured_N,ours_N");
  std::vector<Record> records;
  for (const auto* name : {"100_mN_data_file", "250_mN_data_file", "1000_mN_data_file"}) {
    records.push_back(read_record(name));
    ASSERT_GT(records.back().depth_m.size(), 100U) << name;
    press_alike(records.back());
  }
  double product = 0;
  double square = 0;
  for (const auto& r : records) {
    const double weight = 1 / std::pow(*std::max_element(r.force_N.begin(), r.force_N.end()), 2);
    for (std::size_t i = 0; i < r.force_N.size(); ++i) {
      product += weight * r.force_N[i] * r.ours_N[i];
      square += weight * r.ours_N[i] * r.ours_N[i];
    }
  }
  const double scale = product / square;
  for (const auto& r : records) {
    const double most = *std::max_element(r.force_N.begin(), r.force_N.end());
    double off = 0;
    for (std::size_t i = 0; i < r.force_N.size(); ++i) {
      off += std::pow(r.force_N[i] - scale * r.ours_N[i], 2);
      if (i % 6 == 0)
        csv.row(r.name, 0.5 * static_cast<double>(i), r.depth_m[i] * 1e3, r.force_N[i], scale * r.ours_N[i]);
    }
    off = std::sqrt(off / static_cast<double>(r.force_N.size())) / most;
    std::printf("%s: scale %.2f for all, RMS difference %.1f %% of the most force\n", r.name.c_str(), scale, 100 * off);
    EXPECT_LT(off, 0.08) << r.name;
  }
}

}  // namespace
}  // namespace strigil::sim
