#include "protocols/campaign/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace strigil::protocols {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

struct KnownMeasure {
  std::string_view name;
  double (*of)(const StrokeResult&, const Condition&);
};
constexpr KnownMeasure kMeasures[] = {
    {"force_error_N",
     [](const StrokeResult& s, const Condition& c) { return s.mean_normal_force_N - c.normal_force_N; }},
    {"force_rms_N", [](const StrokeResult& s, const Condition&) { return s.held ? s.force_rms_N : kNothing; }},
    {"force_deviation_N", [](const StrokeResult& s, const Condition&) { return s.deviation_N; }},
    {"peak_force_N", [](const StrokeResult& s, const Condition&) { return s.peak_N; }},
    {"drag_N", [](const StrokeResult& s, const Condition&) { return std::abs(s.mean_tangential_force_N); }},
    {"overshoot_percent",
     [](const StrokeResult& s, const Condition&) { return s.held && s.overshoot >= 0 ? s.overshoot * 100 : kNothing; }},
    {"contact_percent", [](const StrokeResult& s, const Condition&) { return s.contact_fraction * 100; }},
    {"length_mm", [](const StrokeResult& s, const Condition&) { return s.length_m * 1e3; }},
    {"speed_mm_s", [](const StrokeResult& s, const Condition&) { return s.speed_m_s * 1e3; }},
    {"speed_error_mm_s", [](const StrokeResult& s, const Condition& c) { return (s.speed_m_s - c.speed_m_s) * 1e3; }},
    {"vibration_m_s2", [](const StrokeResult& s, const Condition&) { return s.vibration_m_s2; }},
};

struct KnownSignal {
  std::string_view name;
  double (*of)(const ContactSample&, const StrokeSignals&);
};
constexpr KnownSignal kSignals[] = {
    {"normal_force_N", [](const ContactSample& s, const StrokeSignals&) { return s.force_normal_N; }},
    {"force_error_N",
     [](const ContactSample& s, const StrokeSignals& w) { return s.force_normal_N - w.wished_force_N; }},
    {"tangential_force_N", [](const ContactSample& s, const StrokeSignals&) { return s.force_tangential_N; }},
    {"speed_mm_s", [](const ContactSample& s, const StrokeSignals&) { return std::abs(s.speed_mm_s); }},
    {"x_mm", [](const ContactSample& s, const StrokeSignals&) { return s.x_mm; }},
    {"y_mm", [](const ContactSample& s, const StrokeSignals&) { return s.y_mm; }},
    {"z_mm", [](const ContactSample& s, const StrokeSignals&) { return s.z_mm; }},
};

double signal(const std::string& name, const ContactSample& sample, const StrokeSignals& stroke) {
  for (const auto& s : kSignals) {
    if (s.name == name) return s.of(sample, stroke);
  }
  return kNothing;
}

/// How far out of the band, 0 within it; NaN is as far as can be.
double outside(const Band& band, double value) {
  if (std::isnan(value)) return std::numeric_limits<double>::infinity();
  return std::max({band.low - value, value - band.high, 0.0});
}

/// How far inside the limits, below 0 outside.
double inside(const Band& band, double value) { return std::min(value - band.low, band.high - value); }

std::string words_of(const Band& band) {
  if (!std::isfinite(band.low)) return fmt::format("at most {:g}", band.high);
  if (!std::isfinite(band.high)) return fmt::format("at least {:g}", band.low);
  return fmt::format("{:g} to {:g}", band.low, band.high);
}

}  // namespace

std::string_view name_of(Finding finding) noexcept {
  switch (finding) {
    case Finding::kGood:
      return "good";
    case Finding::kMarginal:
      return "marginal";
    case Finding::kBad:
      return "bad";
    case Finding::kUnjudged:
      return "unjudged";
  }
  return "unknown";
}

std::vector<std::string> measure_names() {
  std::vector<std::string> names;
  for (const auto& m : kMeasures) names.emplace_back(m.name);
  return names;
}

std::vector<std::string> signal_names() {
  std::vector<std::string> names;
  for (const auto& s : kSignals) names.emplace_back(s.name);
  return names;
}

MeasureResult evaluate(const MeasureRule& rule, const Plan& plan, const Verdict& verdict) {
  MeasureResult r{
      .name = key_of(rule), .value = kNothing, .finding = Finding::kUnjudged, .fails = rule.fails, .words = {}};
  const auto* known =
      std::find_if(std::begin(kMeasures), std::end(kMeasures), [&](const auto& m) { return m.name == rule.name; });
  double sum = 0;
  std::size_t strokes = 0;
  std::string of;
  for (const auto& stroke : verdict.strokes) {
    const auto& condition = plan.conditions[stroke.condition];
    if (!rule.phase.empty() && condition.phase_name != rule.phase) continue;
    const double value = known == std::end(kMeasures) ? kNothing : known->of(stroke, condition);
    ++strokes;
    sum += value;
    // The first that is no number is the worst there is.
    if (strokes == 1 || (!std::isnan(r.value) && !(inside(rule.limits, value) >= inside(rule.limits, r.value)))) {
      r.value = value;
      of = condition.name();
    }
  }
  if (rule.statistic == Statistic::kMean && strokes > 0) {
    r.value = sum / static_cast<double>(strokes);
    of = fmt::format("mean of {} strokes", strokes);
  }
  if (strokes == 0) {
    r.words = fmt::format("{}: no stroke was measured", r.name);
  } else if (!std::isfinite(r.value)) {
    r.words = fmt::format("{}: not measured ({})", r.name, of);
  } else {
    const double room = inside(rule.limits, r.value);
    r.finding = room < 0 ? Finding::kBad : room < rule.marginal ? Finding::kMarginal : Finding::kGood;
    r.words = fmt::format("{} is {:.4g}, {} ({}); it may be {}", r.name, r.value, name_of(r.finding), of,
                          words_of(rule.limits));
  }
  return r;
}

void DuringWatch::feed(const StrokeSignals& stroke) {
  if (!rule_.phase.empty() && stroke.phase != rule_.phase) return;
  for (std::size_t i = 0; i < stroke.samples.size(); ++i) {
    const auto& sample = stroke.samples[i];
    // A sample stands for the time up to the next one, the last of a stroke for none.
    const double lasts_s = i + 1 < stroke.samples.size() ? stroke.samples[i + 1].at_s - sample.at_s : 0;
    if (!rule_.guard.empty() && !rule_.guard_band.holds(signal(rule_.guard, sample, stroke))) continue;
    ++samples_;
    guarded_s_ += lasts_s;
    const double out = outside(rule_.band, signal(rule_.signal, sample, stroke));
    if (out > 0) {
      held_s_ = 0;
      if (out > worst_) {
        worst_ = out;
        worst_at_s_ = sample.at_s;
      }
      continue;
    }
    held_s_ += lasts_s;
    longest_s_ = std::max(longest_s_, held_s_);
  }
}

MeasureResult DuringWatch::result() const {
  MeasureResult r{.name = rule_.name, .value = longest_s_, .finding = Finding::kUnjudged, .fails = true, .words = {}};
  const auto guard =
      rule_.guard.empty() ? std::string() : fmt::format(" while {} was {}", rule_.guard, words_of(rule_.guard_band));
  const auto what = fmt::format("{}: {} {}{}", rule_.name, rule_.signal, words_of(rule_.band), guard);
  const auto worst =
      worst_ > 0 ? fmt::format("; at {:.3f} s it was {:.3g} outside", worst_at_s_, worst_) : std::string();
  if (samples_ == 0 || guarded_s_ < rule_.for_s) {
    r.words = fmt::format("{}: there were only {:.2f} s to judge by, of {:g} s", what, guarded_s_, rule_.for_s);
    return r;
  }
  const bool met = rule_.for_s > 0 ? longest_s_ >= rule_.for_s : worst_ == 0;
  r.finding = met ? Finding::kGood : Finding::kBad;
  r.words = rule_.for_s > 0
                ? fmt::format("{}: held for {:.2f} s of {:.2f} s, {:g} s are asked for{}", what, longest_s_, guarded_s_,
                              rule_.for_s, met ? std::string() : worst)
                : fmt::format("{}: {} over {:.2f} s{}", what, met ? "held" : "did not hold", guarded_s_, worst);
  return r;
}

}  // namespace strigil::protocols
