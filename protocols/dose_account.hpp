// Dose account: what each area of the phantom has received, and when an area has had enough. Real treatment lasts under
// a minute an area, and over-treatment bruises.
//
// The marks [S] [M] [C] [A] and the row numbers are those of the project's science base (../shared/science.md): found
// in a source, handbook knowledge, computed, assumed here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"
#include "protocols/stroke_path.hpp"

namespace strigil::protocols {

/// Areas: `columns` along x, `rows` along y, from the corner with the smallest x and y. Number of an area: row *
/// columns
/// + column. All that lies beyond is one area more, so that nothing is lost.
struct DoseGrid {
  double min_x_m = 0;
  double min_y_m = 0;
  std::size_t columns = 1;
  std::size_t rows = 1;
  double area_side_m = 10e-3;  ///< [A]
};

/// The edge of the instrument where it touches: its length lies along y, its width along x, around the position. The
/// force is taken as spread evenly over it [A]: the true pressure in the middle of the width is higher (4/pi of it for
/// a line contact after Hertz, which science.md 2.6 finds out of its range on soft tissue).
struct EdgeContact {
  double length_m = 40e-3;  ///< [M] treatment edge 20 to 120 mm, science.md 1.4; 40 mm in 1.2 and 2.6
  double width_m = 7.6e-3;  ///< [C] 2 a, science.md 2.6: E 30 kPa, R 3 mm, 6 N
};

/// The smallest grid that holds the edge wherever it goes along a path with this box. Pure.
DoseGrid grid_over(const PathBox& box, const EdgeContact& edge, double area_side_m = DoseGrid{}.area_side_m);

/// What an area may receive. Infinite: no limit.
struct DoseLimits {
  /// [S] science.md 1.2, time per lesion or area: 30 to 60 s.
  double max_time_s = 60;
  /// [S] science.md 1.2, NCT06612983: 15 strokes in each direction with one tool.
  std::uint32_t max_strokes = 30;
  /// [C] 60 s of 8.1 N, the highest mean force of a clinician (Baker, science.md 1.1 [S]), all of it on one area.
  double max_impulse_N_s = 486;
  /// [C] that force for 60 s with friction 0.5 (dry skin, science.md 2.7 [S]) at 100 mm/s (1.2 [A]).
  double max_work_J = 24.3;
  /// [A] over twice the greatest clinical mean (14 to 42 kPa, science.md 1.2 [C]). Hard: one sample is enough.
  double max_pressure_Pa = 100e3;
};

struct DoseConfig {
  DoseGrid grid{};
  EdgeContact edge{};
  DoseLimits limits{};
  /// Less force is no contact. [M] science.md 4.2: guarded at 0.2 to 0.5 N.
  double contact_force_N = 0.2;
  /// Between samples that are further apart nothing is known, and nothing is counted but the gap. [A]
  double longest_gap_s = 0.1;
  /// The edge has turned back when it has gone this far the other way: less is noise. [A]
  double turn_back_m = 1e-3;
  /// The edge has been lifted when it was without contact for so long: a force that trembles about contact_force_N puts
  /// it down once. [A]
  double shortest_lift_s = 0.1;
};

/// One look at the contact. Signs of tangential force and speed do not matter: friction only takes.
struct DoseSample {
  daq::HostTime at;
  double x_m = 0;  ///< middle of the edge
  double y_m = 0;
  double normal_force_N = 0;
  double tangential_force_N = 0;
  double speed_m_s = 0;  ///< of sliding
};

/// What one area has received. Impulse and work are the area's share of the edge's; time and pressure are whole
/// wherever any of the edge lies on it.
struct AreaDose {
  double impulse_N_s = 0;
  double work_J = 0;
  double peak_pressure_Pa = 0;
  double time_s = 0;
  std::uint32_t strokes = 0;  ///< passages of the edge that have begun; putting it down after a lift begins one
};

/// Why treatment of an area has ended; or-ed together.
enum DoseEnd : std::uint32_t {
  kDoseTime = 1U << 0,
  kDoseStrokes = 1U << 1,
  kDoseImpulse = 1U << 2,
  kDoseWork = 1U << 3,
  kDosePressure = 1U << 4,
};

/// "time", "strokes", "impulse", "work", "pressure": those of the bits.
std::vector<std::string> names_of_dose_ends(std::uint32_t bits);

/// add() and all that asks about areas: loop thread, noexcept, no allocation, cost bounded by kMostPieces times the
/// areas under the edge. make() and the texts: off the loop (the texts while the loop rests, or on a copy).
///
/// Between two samples in contact (mean force at least contact_force_N) everything goes along straight lines: place,
/// normal force, amount of tangential force, speed. Impulse and work of such an interval are exact; they are given to
/// the areas in pieces of at most an eighth of an area's side. So over all areas and outside() together, impulse is the
/// integral of the normal force while in contact, and work that of tangential force times speed.
class DoseAccount {
 public:
  static constexpr std::size_t kMostAreas = 65'536;
  static constexpr int kMostPieces = 64;

  /// Errors: no areas or more than kMostAreas, sizes, forces or limits that are negative or none.
  static daq::Result<DoseAccount> make(const DoseConfig& config);

  /// Samples in the order of time. One with a number that is none or a place that no stage reaches, or from before the
  /// last one, is refused and counted.
  void add(const DoseSample& sample) noexcept;
  /// What comes next is not connected with what came before (a new run, another place): no interval lies between.
  void interrupt() noexcept { seen_ = in_contact_ = false; }

  /// Without the outside.
  [[nodiscard]] std::size_t areas() const noexcept { return cells_.size() - 1; }
  /// Number of what lies beyond the grid. The limits hold for it as if it were one area, which is on the safe side:
  /// grid_over() leaves nothing there.
  [[nodiscard]] std::size_t outside() const noexcept { return cells_.size() - 1; }
  [[nodiscard]] std::size_t area_at(double x_m, double y_m) const noexcept;
  /// Precondition: area <= outside().
  [[nodiscard]] const AreaDose& dose(std::size_t area) const noexcept { return cells_[area].dose; }
  /// DoseEnd bits; 0: treatment may go on. Never loses a bit. The last permitted stroke may be finished: kDoseStrokes
  /// comes when it has ended, or when one too many begins.
  [[nodiscard]] std::uint32_t ended(std::size_t area) const noexcept;
  /// All bits of all areas that the edge would touch at this place: what to ask before and during a stroke.
  [[nodiscard]] std::uint32_t ended_under(double x_m, double y_m) const noexcept;
  /// The hard limit was passed somewhere, by one sample: whoever presses must lift. Also on the sample just added.
  [[nodiscard]] bool over_pressure() const noexcept { return over_pressure_; }
  /// The greatest part of any limit but the pressure's that any area has received; 0 where there are no limits.
  [[nodiscard]] double used() const noexcept;
  /// The same of one area. Precondition: area <= outside().
  [[nodiscard]] double used(std::size_t area) const noexcept;
  /// Sum of impulse and work over all, outside too; longest time, highest pressure and most strokes of any.
  [[nodiscard]] AreaDose total() const noexcept;
  [[nodiscard]] std::uint64_t gaps() const noexcept { return gaps_; }
  [[nodiscard]] std::uint64_t refused_samples() const noexcept { return refused_; }
  [[nodiscard]] const DoseConfig& config() const noexcept { return config_; }

  /// Why treatment of an area has ended, for a person: figures, limits, place. Empty while it may go on.
  [[nodiscard]] std::string reason(std::size_t area) const;

 private:
  struct Cell {
    AreaDose dose;
    std::uint64_t pass = 0;  ///< last that touched it; passes are numbered from 1
    double way_m = 0;        ///< gone in contact when it was last touched
  };
  /// Areas under the edge with their parts of it, the outside included; parts add up to 1.
  template <typename Visit>
  void for_each_under(double x_m, double y_m, Visit&& visit) const noexcept;
  void note_pressure(const DoseSample& sample) noexcept;
  void count_interval(const DoseSample& from, const DoseSample& to, double duration_s) noexcept;
  void watch_direction(double x_m, double y_m) noexcept;

  explicit DoseAccount(const DoseConfig& config);
  DoseConfig config_;
  std::vector<Cell> cells_;  ///< the last one is the outside
  bool seen_ = false;
  DoseSample last_;
  bool in_contact_ = false;  ///< or lifted for so short a time that the passage goes on
  double lifted_s_ = 0;
  std::uint64_t pass_ = 0;
  double way_m_ = 0;
  double anchor_x_m_ = 0;  ///< from here the direction is looked at
  double anchor_y_m_ = 0;
  double direction_x_ = 0;
  double direction_y_ = 0;
  bool over_pressure_ = false;
  std::uint64_t gaps_ = 0;
  std::uint64_t refused_ = 0;
};

/// {"grid": ..., "edge": ..., "limits": ..., "areas": [those that received anything], "outside": ..., "total": ...}
std::string to_json(const DoseAccount& account);

}  // namespace strigil::protocols
