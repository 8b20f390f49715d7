#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "protocols/court/distributions.hpp"
#include "protocols/court/gage_table.hpp"

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double real(std::size_t n) { return static_cast<double>(n); }

/// Sums of squares about means, two passes: no difference of great numbers.
void squares(const GageTable& t, GageStudy& s) {
  const std::size_t p = t.parts.size();
  const std::size_t a = t.appraisers.size();
  std::vector<double> cell(p * a, 0);
  std::vector<double> part(p, 0);
  std::vector<double> appraiser(a, 0);
  double all = 0;
  for (std::size_t i = 0; i < p; ++i) {
    for (std::size_t j = 0; j < a; ++j) {
      for (const double v : t.cell(i, j)) cell[i * a + j] += v / real(t.trials);
      part[i] += cell[i * a + j] / real(a);
      appraiser[j] += cell[i * a + j] / real(p);
    }
    all += part[i] / real(p);
  }
  for (std::size_t i = 0; i < p; ++i) {
    s.part.sum_of_squares += real(a * t.trials) * (part[i] - all) * (part[i] - all);
    for (std::size_t j = 0; j < a; ++j) {
      const double d = cell[i * a + j] - part[i] - appraiser[j] + all;
      s.interaction.sum_of_squares += real(t.trials) * d * d;
      for (const double v : t.cell(i, j)) {
        s.repeatability.sum_of_squares += (v - cell[i * a + j]) * (v - cell[i * a + j]);
        s.total.sum_of_squares += (v - all) * (v - all);
      }
    }
  }
  for (const double m : appraiser) s.appraiser.sum_of_squares += real(p * t.trials) * (m - all) * (m - all);
  s.part.dof = real(p - 1);
  s.appraiser.dof = real(a - 1);
  s.interaction.dof = real((p - 1) * (a - 1));
  s.repeatability.dof = real(p * a * (t.trials - 1));
  s.total.dof = real(p * a * t.trials - 1);
  for (auto* line : {&s.part, &s.appraiser, &s.interaction, &s.repeatability, &s.total}) {
    line->mean_square = line->dof > 0 ? line->sum_of_squares / line->dof : kUnknown;
    line->f = line->p = kUnknown;
  }
}

void test(AnovaLine& line, const MeanSquare& against) {
  if (!(line.dof > 0)) return;
  line.f = line.mean_square / against.value;
  line.p = std::isnan(line.f) ? kUnknown : fisher_survival(line.f, line.dof, against.dof);
}

}  // namespace

daq::Result<GageStudy> gage_anova(std::span<const GageReading> readings, const GageOptions& o) {
  if (auto good = checked(o); !good) return good.error();
  const auto table = gage_table(readings);
  if (!table) return table.error();
  GageStudy s;
  s.parts = table->parts.size();
  s.appraisers = table->appraisers.size();
  s.trials = table->trials;
  squares(*table, s);
  const double p = real(s.parts);
  const double a = real(s.appraisers);
  const double r = real(s.trials);
  const bool crossed = s.appraisers > 1;
  test(s.interaction, {s.repeatability.mean_square, s.repeatability.dof});
  s.pooled = crossed && (o.interaction == Interaction::kPool ||
                         (o.interaction == Interaction::kPoolIfWeak && s.interaction.p > o.pool_above));

  MeanSquare error{s.repeatability.mean_square, s.repeatability.dof};
  if (s.pooled) {
    error.dof += s.interaction.dof;
    error.value = (s.repeatability.sum_of_squares + s.interaction.sum_of_squares) / error.dof;
  }
  const MeanSquare parts{s.part.mean_square, s.part.dof};
  const MeanSquare appraisers{s.appraiser.mean_square, s.appraiser.dof};
  const MeanSquare inter{s.interaction.mean_square, s.interaction.dof};
  const bool with_interaction = crossed && !s.pooled;
  const MeanSquare& below = with_interaction ? inter : error;
  test(s.part, below);
  test(s.appraiser, below);

  const auto component = [&](std::vector<MeanSquareTerm> terms) { return variance_component(terms, o.level); };
  s.equipment.component = component({{1, error}});
  s.parts_variation.component = component({{1 / (a * r), parts}, {-1 / (a * r), below}});
  VarianceComponent none;
  none.estimable = false;
  s.appraisers_variation.component = none;
  s.interaction_variation.component = none;
  if (crossed) s.appraisers_variation.component = component({{1 / (p * r), appraisers}, {-1 / (p * r), below}});
  if (with_interaction) s.interaction_variation.component = component({{1 / r, inter}, {-1 / r, error}});

  // GRR as a sum of mean squares, for its interval; its estimate from the components as clamped.
  if (with_interaction) {
    s.gage.component = component({{1 / (p * r), appraisers}, {(p - 1) / (p * r), inter}, {(r - 1) / r, error}});
  } else if (crossed) {
    s.gage.component = component({{1 / (p * r), appraisers}, {1 - 1 / (p * r), error}});
  } else {
    s.gage.component = s.equipment.component;
  }
  s.gage.component.variance = s.equipment.component.variance + s.appraisers_variation.component.variance +
                              s.interaction_variation.component.variance;
  auto& total = s.total_variation.component;
  total.variance = total.estimate = s.gage.component.variance + s.parts_variation.component.variance;

  // Of ratios, and of the total: generalised intervals. Components are clamped in each draw as in the estimate.
  std::vector<MeanSquare> all{parts, error};
  if (crossed) all.push_back(appraisers);
  if (with_interaction) all.push_back(inter);
  const auto variances = [&](std::span<const double> ms) {
    const double lower = with_interaction ? ms[3] : ms[1];
    const double of_parts = std::max(0.0, (ms[0] - lower) / (a * r));
    double of_gage = ms[1];
    if (crossed) of_gage += std::max(0.0, (ms[2] - lower) / (p * r));
    if (with_interaction) of_gage += std::max(0.0, (ms[3] - ms[1]) / r);
    return std::pair{of_gage, of_parts};
  };
  const auto interval = [&](auto&& of) {
    return generalised_interval(
        all,
        [&](std::span<const double> ms) {
          const auto [gage, part] = variances(ms);
          return of(gage, part);
        },
        o.level, 4'000, o.seed);
  };
  total.mls = interval([](double gage, double part) { return gage + part; });
  s.gage_study_pct = interval([](double gage, double part) { return 100 * std::sqrt(gage / (gage + part)); });
  s.ndc_interval = interval([](double gage, double part) { return 1.41 * std::sqrt(part / gage); });

  for (auto* line : {&s.equipment, &s.appraisers_variation, &s.interaction_variation, &s.gage, &s.parts_variation,
                     &s.total_variation}) {
    line->contribution_pct = 100 * line->component.variance / total.variance;
    line->study_pct = 100 * line->component.sd() / total.sd();
    if (o.tolerance) line->tolerance_pct = 100 * o.study_width * line->component.sd() / *o.tolerance;
  }
  s.ndc_unrounded = 1.41 * s.parts_variation.component.sd() / s.gage.component.sd();
  constexpr double kMostCategories = 1e9;
  s.ndc = static_cast<std::uint64_t>(std::clamp(std::floor(s.ndc_unrounded), 1.0, kMostCategories));
  s.verdict = gage_verdict(s.gage.study_pct);
  s.decided = s.gage_study_pct.known() && gage_verdict(s.gage_study_pct.low) == gage_verdict(s.gage_study_pct.high);

  const auto flag = [&](const GageLine& line, const char* name) {
    if (!line.component.clamped) return;
    s.warnings.push_back(
        fmt::format("the variance of {} came out as {:.6g} and was set to 0", name, line.component.estimate));
  };
  flag(s.appraisers_variation, "appraisers");
  flag(s.interaction_variation, "parts x appraisers");
  flag(s.parts_variation, "parts");
  if (!crossed) s.warnings.emplace_back("one appraiser: what appraisers differ by is not in this study");
  if (s.repeatability.sum_of_squares == 0) {
    s.warnings.emplace_back("all trials repeat exactly: the gage's resolution hides its repeatability");
  }
  if (s.ndc < 5) s.warnings.push_back(fmt::format("{} distinct categories are fewer than 5", s.ndc));
  return s;
}

}  // namespace strigil::protocols
