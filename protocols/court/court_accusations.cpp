#include "protocols/court/court_accusations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

/// Share of a detector's marks that come again, at the same place with the same score, on strokes of other phantoms.
struct Repetition {
  std::size_t asked = 0;
  std::size_t again = 0;
};

Repetition repetition(std::span<const CourtStroke> strokes) {
  constexpr double kSamePlace_mm = 1;
  constexpr double kSameScore = 1e-6;
  constexpr std::size_t kOthers = 20;  // looked at for each stroke
  Repetition out;
  for (std::size_t s = 0; s < strokes.size(); ++s) {
    const auto& h = strokes[s].heard->hearing;
    std::size_t looked = 0;
    for (std::size_t k = 1; k < strokes.size() && looked < kOthers; ++k) {
      const auto& other = strokes[(s + k) % strokes.size()];
      const auto& o = other.heard->hearing;
      if (other.phantom == strokes[s].phantom || o.direction != h.direction) continue;
      ++looked;
      for (const auto& d : h.detections) {
        if (d.position_mm < o.x_from_mm + kSamePlace_mm || d.position_mm > o.x_to_mm - kSamePlace_mm) continue;
        ++out.asked;
        const bool same = std::any_of(o.detections.begin(), o.detections.end(), [&](const Detection& e) {
          return std::abs(e.position_mm - d.position_mm) <= kSamePlace_mm &&
                 std::abs(e.score - d.score) <= kSameScore * std::max(std::abs(d.score), 1.0);
        });
        if (same) ++out.again;
      }
    }
  }
  return out;
}

}  // namespace

std::vector<BlankArea> areas_on_blanks(std::span<const CourtStroke> strokes, const CourtOptions& options) {
  std::vector<BlankArea> out;
  const double level = 1 - (1 - options.blank_level) / 2;  // Bonferroni: there are two
  for (const auto place : {BlankPlace::kOtherPhantoms, BlankPlace::kMirror}) {
    BlankArea blank;
    blank.against =
        place == BlankPlace::kOtherPhantoms ? "the same place on other phantoms" : "the mirror image of the place";
    const auto cases = court_cases(strokes, AskedFor::kPaper, place, false, options.matching.tolerance_mm,
                                   options.blanks_of_target, options.bootstrap.seed);
    if (cases.targets.empty()) return {};
    const auto scores = score_cases(strokes, cases);
    auto area = clustered_roc_area(scores.scores, scores.target_phantom, scores.blank_phantom, level);
    if (area) {
      blank.area = *area;
    } else {
      blank.why = area.error().message;
      // Strokes of one phantom alone: no spread between phantoms is known, that between windows is.
      if (auto plain = roc_area(scores.scores, level); plain) blank.area = *plain;
    }
    out.push_back(std::move(blank));
  }
  return out;
}

std::vector<Accused> accuse(std::span<const CourtStroke> strokes, std::span<const BlankArea> on_blanks) {
  std::vector<Accused> out;
  std::size_t early = 0;
  std::size_t early_strokes = 0;
  std::size_t asked = 0;
  std::size_t marks = 0;
  for (const auto& s : strokes) {
    const auto& h = s.heard->hearing;
    early += h.before_the_data;
    early_strokes += h.before_the_data > 0 ? 1 : 0;
    asked += h.asked_for_truth ? 1 : 0;
    marks += h.detections.size();
  }
  if (early > 0) {
    out.push_back({Accusation::kClairvoyant,
                   fmt::format("{} of its {} answers, on {} of {} strokes, came before the instrument was there", early,
                               marks, early_strokes, strokes.size())});
  }
  if (asked > 0) {
    out.push_back(
        {Accusation::kAskedForTruth,
         fmt::format("it asked for the ground truth in {} of {} strokes, and got nothing", asked, strokes.size())});
  }
  constexpr std::size_t kFewestAsked = 20;
  constexpr double kConstant = 0.9;
  const auto r = repetition(strokes);
  if (r.asked >= kFewestAsked && static_cast<double>(r.again) >= kConstant * static_cast<double>(r.asked)) {
    out.push_back({Accusation::kConstantAnswer,
                   fmt::format("{:.0f} % of its marks come again with the same score at the same place over other "
                               "phantoms: it answers without listening",
                               100 * static_cast<double>(r.again) / static_cast<double>(r.asked))});
  }
  for (const auto& b : on_blanks) {
    if (!b.area || !b.area->interval.known() || !(b.area->interval.low > 0.5)) continue;
    out.push_back({Accusation::kWorksOnNothing,
                   fmt::format("where there is nothing to be felt its AUC is {:.3f} ({:.3f} to {:.3f} at {:.1f} %) "
                               "against {}: it works on something that is not the tissue",
                               b.area->auc, b.area->interval.low, b.area->interval.high, 100 * b.area->interval.level,
                               b.against)});
  }
  return out;
}

}  // namespace strigil::protocols
