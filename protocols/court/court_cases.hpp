// Court cases: of strokes with targets, the windows that ROC compares. Inside the court.
//
// A target's case is the highest mark within its window: from its beginning to its end and the matching's tolerance on
// both sides. Its blank cases are windows as long, at the same place of the stage, on strokes of the same direction,
// instrument, force and speed over other phantoms, where no target reaches into them. So a detector that hears the
// machine, or that says nothing near the ends of a stroke, has no advantage: all that differs is the tissue. Where no
// other phantom has that place free, windows as long on its own stroke stand in, no nearer to an end of it.
// docs/court_statistics.md.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocols/court/court.hpp"

namespace strigil::protocols {

/// A stroke as one detector heard it.
struct CourtStroke {
  const HeardStroke* heard = nullptr;
  std::size_t run = 0;
  std::size_t phantom = 0;
  bool air = false;
  std::string_view instrument = {};
};

struct Window {
  std::size_t stroke = 0;  ///< index into the strokes given
  double from_mm = 0;
  double to_mm = 0;
};
enum class BlankPlace : std::uint8_t { kOtherPhantoms, kSameStroke };
/// Targets that differ are what is asked for, or those on paper (and all of strokes in the air).
enum class AskedFor : std::uint8_t { kTargets, kPaper };

struct CourtCases {
  std::vector<Window> targets;
  std::vector<Window> blanks;
  std::size_t without_blank = 0;  ///< targets
  std::size_t stand_ins = 0;      ///< blanks on the target's own stroke
};
bool is_asked_for(const CourtStroke& stroke, const StrokeTarget& target, AskedFor asked) noexcept;
/// With `or_same_stroke`, that where `place` gives none. Draws of phantoms come from `seed`.
CourtCases court_cases(std::span<const CourtStroke> strokes, AskedFor asked, BlankPlace place, bool or_same_stroke,
                       double tolerance_mm, std::size_t blanks_of_target, std::uint64_t seed);

/// Highest score of a detection within; -inf: none.
double highest_within(const StrokeHearing& hearing, double from_mm, double to_mm) noexcept;

/// Scores of the cases with the phantom of each.
struct CaseScores {
  LabelledScores scores;
  std::vector<std::size_t> target_phantom;
  std::vector<std::size_t> blank_phantom;
};
CaseScores score_cases(std::span<const CourtStroke> strokes, const CourtCases& cases);

/// AUC of phantoms drawn with replacement, from how often targets of one beat blanks of another: exact, and quick
/// enough to be drawn by the thousand.
class PhantomAuc {
 public:
  PhantomAuc(const CaseScores& cases, std::size_t phantoms);
  /// Of phantoms, some of them more than once. NaN: no target or no blank.
  [[nodiscard]] double of(std::span<const std::size_t> phantoms) const;

 private:
  std::size_t phantoms_;
  std::vector<double> wins_;  // row: phantom of targets, column: phantom of blanks
  std::vector<double> targets_;
  std::vector<double> blanks_;
};

}  // namespace strigil::protocols
