// The rig as a testing machine: its indicated force against a reference. ISO 7500-1:2018 and ASTM E4 as recalled
// (metrology.md 1.4 [M]).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibration/standards/limit_table.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// One series of forces: what the machine showed and what the reference said.
struct MachineSeries {
  std::vector<double> indicated_N;
  std::vector<double> reference_N;
};

struct MachineReadings {
  std::vector<MachineSeries> rising;     // the same forces in each, rising
  std::optional<MachineSeries> falling;  // at the same forces, in the order of the rising ones
  std::vector<double> zero_residual_N;   // indicated after unloading, one for each series; may be empty
  double resolution_N = 0;
  std::string reference_class;  // of the reference after ISO 376; empty: not known
};

/// Figures at one force, in % of the reference force.
struct MachineForce {
  double force_N = 0;  // mean of the references
  std::vector<double> q_pct;
  double q_mean_pct = 0;
  double q_worst_pct = 0;        // largest in magnitude, with its sign
  double b_pct = 0;              // largest q minus smallest
  std::optional<double> v_pct;   // falling minus rising (mean of the rising ones)
  double a_pct = 0;              // resolution
  std::string class_by_figures;  // empty when none
  std::string held_by;           // figure that keeps it from the next better class, "" for the best
};

struct MachineAssessment {
  TableIdentity table;
  std::vector<MachineForce> forces;
  double f0_pct = 0;             // largest zero residual, of the largest force
  std::string class_by_figures;  // over all forces, by the numbers alone; empty when none
  std::string awarded_class;     // empty when there is a nonconformity, or the reference is too poor
  double lowest_N = 0;           // range the class holds for
  double highest_N = 0;
  std::vector<std::string> nonconformities;
};

/// Schemas of tables/iso7500_1_*.toml and tables/astm_e4.toml.
[[nodiscard]] LimitSchema iso7500_schema();
[[nodiscard]] LimitSchema astm_e4_schema();
/// Judges by whatever limits the table has. Refuses NaN, lists that do not match, forces that do not rise or are not
/// above zero. Nothing is rounded. Pure.
[[nodiscard]] daq::Result<MachineAssessment> assess_machine(const MachineReadings& readings, const LimitTable& table);

}  // namespace strigil::calibration
