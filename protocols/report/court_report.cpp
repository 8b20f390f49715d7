#include "protocols/report/court_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strigil::protocols {
namespace {

daq::Result<void> check_evidence(std::size_t index, const CourtReport& report, const std::string& whose) {
  if (index == kNoEvidence || index < report.evidence.size()) return {};
  return daq::Error{fmt::format("{} names evidence {}, and there are {} sets", whose, index, report.evidence.size())};
}

daq::Result<void> check_metric(const Metric& m, const CourtReport& report, const std::string& whose) {
  const auto name = fmt::format("{}, '{}'", whose, m.name);
  if (m.lower_limit && m.upper_limit && !(*m.lower_limit <= *m.upper_limit)) {
    return daq::Error{fmt::format("{}: limits {} and {} are in the wrong order", name, *m.lower_limit, *m.upper_limit)};
  }
  if ((m.lower_limit && std::isnan(*m.lower_limit)) || (m.upper_limit && std::isnan(*m.upper_limit))) {
    return daq::Error{fmt::format("{}: a limit is not a number", name)};
  }
  if (!(m.marginal >= 0)) return daq::Error{fmt::format("{}: a marginal band of {}", name, m.marginal)};
  if (m.interval.known() && std::isnan(m.value)) return daq::Error{fmt::format("{}: an interval of no value", name)};
  return check_evidence(m.evidence, report, name);
}

daq::Result<void> check_section(const ReportSection& s, const CourtReport& report) {
  for (const auto& m : s.metrics) {
    if (auto r = check_metric(m, report, s.name); !r) return r;
  }
  return {};
}

}  // namespace

const char* name_of(MetricStatus status) noexcept {
  switch (status) {
    case MetricStatus::kNoLimit:
      return "no limit";
    case MetricStatus::kMet:
      return "met";
    case MetricStatus::kMarginal:
      return "marginal";
    case MetricStatus::kUndecided:
      return "undecided";
    case MetricStatus::kMissed:
      return "missed";
    case MetricStatus::kUnknown:
      return "not known";
  }
  return "?";
}

const char* name_of(TrialState state) noexcept {
  switch (state) {
    case TrialState::kDone:
      return "done";
    case TrialState::kInvalid:
      return "invalid";
    case TrialState::kLeft:
      return "left";
  }
  return "?";
}

MetricStatus status_of(const Metric& m) noexcept {
  if (std::isnan(m.value)) return MetricStatus::kUnknown;
  if (!m.lower_limit && !m.upper_limit) return MetricStatus::kNoLimit;
  const double low = m.interval.known() ? m.interval.low : m.value;
  const double high = m.interval.known() ? m.interval.high : m.value;
  if ((m.lower_limit && high < *m.lower_limit) || (m.upper_limit && low > *m.upper_limit)) return MetricStatus::kMissed;
  if ((m.lower_limit && low < *m.lower_limit) || (m.upper_limit && high > *m.upper_limit)) {
    return MetricStatus::kUndecided;
  }
  if ((m.lower_limit && low < *m.lower_limit + m.marginal) || (m.upper_limit && high > *m.upper_limit - m.marginal)) {
    return MetricStatus::kMarginal;
  }
  return MetricStatus::kMet;
}

TrialCounts count_trials(const CourtReport& report) noexcept {
  TrialCounts out;
  out.planned = report.trials.size();
  for (const auto& t : report.trials) {
    if (t.state == TrialState::kLeft) {
      ++out.left;
    } else if (t.state == TrialState::kInvalid || t.verdict == Judgement::kInvalid) {
      ++out.invalid;
    } else {
      ++out.done;
      ++(t.verdict == Judgement::kPass ? out.passed : out.failed);
    }
  }
  return out;
}

daq::Result<void> check_report(const CourtReport& report) {
  for (const auto& t : report.trials) {
    const auto& first = report.trials.front().factors;
    const bool alike = std::equal(t.factors.begin(), t.factors.end(), first.begin(), first.end(),
                                  [](const auto& a, const auto& b) { return a.first == b.first; });
    if (!alike) return daq::Error{fmt::format("trial '{}' has other factors than the first", t.id)};
    for (const auto& m : t.measures) {
      if (auto r = check_metric(m, report, "trial " + t.id); !r) return r;
    }
    if (auto r = check_evidence(t.evidence, report, "trial " + t.id); !r) return r;
  }
  for (const auto* sections : {&report.detectors, &report.comparisons, &report.studies}) {
    for (const auto& s : *sections) {
      if (auto r = check_section(s, report); !r) return r;
    }
  }
  for (const auto& f : report.flags) {
    if (auto r = check_evidence(f.evidence, report, "flag " + f.name); !r) return r;
  }
  for (const auto& reason : report.reasons) {
    if (auto r = check_evidence(reason.evidence, report, "reason '" + reason.text + "'"); !r) return r;
  }
  return {};
}

}  // namespace strigil::protocols
