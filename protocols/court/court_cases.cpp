#include "protocols/court/court_cases.hpp"

#include <algorithm>
#include <cmath>

#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

bool overlap(double a_from, double a_to, double b_from, double b_to) { return a_from < b_to && b_from < a_to; }

/// Whether a blank window may lie there: no target of any kind that is asked for, none that differs, and within the
/// stroke as a target's would be.
bool is_free(const CourtStroke& stroke, const Window& w, AskedFor asked, double tolerance_mm) {
  const auto& h = stroke.heard->hearing;
  const double centre_mm = (w.from_mm + w.to_mm) / 2;
  if (!(centre_mm >= h.x_from_mm && centre_mm <= h.x_to_mm)) return false;
  return std::none_of(stroke.heard->targets.begin(), stroke.heard->targets.end(), [&](const StrokeTarget& t) {
    const bool matters = is_asked_for(stroke, t, asked) || is_asked_for(stroke, t, AskedFor::kTargets);
    return matters && overlap(w.from_mm, w.to_mm, t.where.from_mm - tolerance_mm, t.where.to_mm + tolerance_mm);
  });
}

/// Windows as long as `window` on its own stroke, side by side with it and no nearer to an end: there detectors are
/// silent, and that must not count for the target.
std::size_t blanks_beside(const CourtStroke& stroke, const Window& window, AskedFor asked, double tolerance_mm,
                          std::size_t most, std::vector<Window>& out) {
  const auto& h = stroke.heard->hearing;
  const double length_mm = window.to_mm - window.from_mm;
  const double margin_mm = std::min(window.from_mm - h.x_from_mm, h.x_to_mm - window.to_mm);
  if (!(length_mm > 0)) return 0;
  std::size_t found = 0;
  const auto windows = static_cast<int>(std::min((h.x_to_mm - h.x_from_mm) / length_mm, 1e6));
  for (int k = 1; k <= windows; ++k) {
    for (const double shift_mm : {k * length_mm, -k * length_mm}) {
      const Window beside{window.stroke, window.from_mm + shift_mm, window.to_mm + shift_mm};
      if (found == most || beside.from_mm < h.x_from_mm + margin_mm || beside.to_mm > h.x_to_mm - margin_mm) continue;
      if (!is_free(stroke, beside, asked, tolerance_mm)) continue;
      out.push_back(beside);
      ++found;
    }
  }
  return found;
}

bool alike(const CourtStroke& a, const CourtStroke& b) {
  const auto& p = a.heard->hearing.planned;
  const auto& q = b.heard->hearing.planned;
  return a.air == b.air && a.instrument == b.instrument && a.heard->hearing.direction == b.heard->hearing.direction &&
         p.phase == q.phase && p.force_N == q.force_N && p.speed_mm_s == q.speed_mm_s;
}

}  // namespace

bool is_asked_for(const CourtStroke& stroke, const StrokeTarget& target, AskedFor asked) noexcept {
  const bool there = target.differs && !stroke.air;
  return there == (asked == AskedFor::kTargets);
}

CourtCases court_cases(std::span<const CourtStroke> strokes, AskedFor asked, BlankPlace place, bool or_same_stroke,
                       double tolerance_mm, std::size_t blanks_of_target, std::uint64_t seed) {
  CourtCases out;
  for (std::size_t s = 0; s < strokes.size(); ++s) {
    for (const auto& t : strokes[s].heard->targets) {
      if (!is_asked_for(strokes[s], t, asked)) continue;
      Window window{s, t.where.from_mm - tolerance_mm, t.where.to_mm + tolerance_mm};
      // On paper beside a thing that is there, that thing would be what is heard.
      if (asked == AskedFor::kPaper && !is_free(strokes[s], window, AskedFor::kTargets, tolerance_mm)) continue;
      out.targets.push_back(window);
      std::size_t found = 0;
      if (place == BlankPlace::kOtherPhantoms) {
        Draws draws(seed, out.targets.size());
        const auto first = static_cast<std::size_t>(draws.uniform() * static_cast<double>(strokes.size()));
        for (std::size_t k = 0; k < strokes.size() && found < blanks_of_target; ++k) {
          const auto other = (first + k) % strokes.size();
          if (strokes[other].phantom == strokes[s].phantom || !alike(strokes[other], strokes[s])) continue;
          const Window there{other, window.from_mm, window.to_mm};
          if (!is_free(strokes[other], there, asked, tolerance_mm)) continue;
          out.blanks.push_back(there);
          ++found;
        }
      }
      if (found == 0 && (place == BlankPlace::kSameStroke || or_same_stroke)) {
        found = blanks_beside(strokes[s], window, asked, tolerance_mm, blanks_of_target, out.blanks);
        out.stand_ins += found;
      }
      if (found == 0) ++out.without_blank;
    }
  }
  return out;
}

double highest_within(const StrokeHearing& hearing, double from_mm, double to_mm) noexcept {
  double best = -std::numeric_limits<double>::infinity();
  for (const auto& d : hearing.detections) {
    if (d.position_mm >= from_mm && d.position_mm <= to_mm) best = std::max(best, d.score);
  }
  return best;
}

CaseScores score_cases(std::span<const CourtStroke> strokes, const CourtCases& cases) {
  CaseScores out;
  const auto put = [&](const std::vector<Window>& windows, std::vector<double>& scores,
                       std::vector<std::size_t>& phantoms) {
    for (const auto& w : windows) {
      scores.push_back(highest_within(strokes[w.stroke].heard->hearing, w.from_mm, w.to_mm));
      phantoms.push_back(strokes[w.stroke].phantom);
    }
  };
  put(cases.targets, out.scores.targets, out.target_phantom);
  put(cases.blanks, out.scores.others, out.blank_phantom);
  return out;
}

PhantomAuc::PhantomAuc(const CaseScores& cases, std::size_t phantoms)
    : phantoms_(phantoms), wins_(phantoms * phantoms), targets_(phantoms), blanks_(phantoms) {
  std::vector<std::vector<double>> blanks(phantoms);
  for (std::size_t i = 0; i < cases.scores.others.size(); ++i)
    blanks[cases.blank_phantom[i]].push_back(cases.scores.others[i]);
  for (std::size_t p = 0; p < phantoms; ++p) {
    std::sort(blanks[p].begin(), blanks[p].end());
    blanks_[p] = static_cast<double>(blanks[p].size());
  }
  for (std::size_t i = 0; i < cases.scores.targets.size(); ++i) {
    const double score = cases.scores.targets[i];
    const auto row = cases.target_phantom[i];
    targets_[row] += 1;
    for (std::size_t p = 0; p < phantoms; ++p) {
      const auto [low, high] = std::equal_range(blanks[p].begin(), blanks[p].end(), score);
      wins_[row * phantoms + p] += static_cast<double>(low - blanks[p].begin()) + 0.5 * static_cast<double>(high - low);
    }
  }
}

double PhantomAuc::of(std::span<const std::size_t> phantoms) const {
  std::vector<double> times(phantoms_);
  for (const auto p : phantoms) times[p] += 1;
  double targets = 0;
  double blanks = 0;
  double wins = 0;
  for (std::size_t i = 0; i < phantoms_; ++i) {
    targets += times[i] * targets_[i];
    blanks += times[i] * blanks_[i];
    if (times[i] == 0 || targets_[i] == 0) continue;
    double row = 0;
    for (std::size_t k = 0; k < phantoms_; ++k) row += times[k] * wins_[i * phantoms_ + k];
    wins += times[i] * row;
  }
  return targets > 0 && blanks > 0 ? wins / (targets * blanks) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace strigil::protocols
