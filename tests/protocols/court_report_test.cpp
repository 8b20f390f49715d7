// The court's report: what its three files say, and that nothing written into it can break them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "daq/json_text.hpp"
#include "protocols/report/court_report_files.hpp"
#include "protocols/report/page_style.hpp"
#include "protocols/report/report_words.hpp"

namespace strigil::protocols {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Metric metric(const char* name, double value, double half, std::optional<double> lower, std::optional<double> upper,
              std::size_t evidence) {
  Metric m;
  m.name = name;
  m.value = value;
  if (half > 0) m.interval = {value - half, value + half, 0.95};
  m.lower_limit = lower;
  m.upper_limit = upper;
  m.evidence = evidence;
  m.status = status_of(m);
  return m;
}

calibration::SvgPlot pod_plot() {
  calibration::SvgPlot p;
  p.title = "Probability of detection over diameter";
  p.x_label = "diameter / mm";
  p.y_label = "POD";
  p.x_log = true;
  p.y_from = 0, p.y_to = 1;
  p.series.resize(2);
  auto& curve = p.series[0];
  auto& seen = p.series[1];
  for (int i = 0; i <= 40; ++i) {
    const double size = std::pow(10, i / 40.0);
    const double pod = 1 / (1 + std::exp(-6 * (std::log(size) - 1.1)));
    curve.x.push_back(size), curve.y.push_back(pod);
    curve.low.push_back(std::max(0.0, pod - 0.1)), curve.high.push_back(std::min(1.0, pod + 0.08));
    if (i % 5 == 0) seen.x.push_back(size), seen.y.push_back(std::round(pod * 12) / 12);
  }
  curve.kind = calibration::SvgKind::kLine;
  curve.name = "fitted, with its 95 % band";
  seen.name = "share found";
  p.marks = {{4.3, true, "a90/95 = 4.3 mm"}, {0.9, false, "0.90"}};
  return p;
}

calibration::SvgPlot froc_plot(double good) {
  calibration::SvgPlot p;
  p.title = "FROC: targets found against false alarms";
  p.x_label = "false alarms per metre";
  p.y_label = "found";
  p.y_from = 0, p.y_to = 1;
  for (int k = 0; k < 3; ++k) {
    auto& s = p.series.emplace_back();
    s.kind = calibration::SvgKind::kSteps;
    s.name = k == 0 ? "soft phantoms" : k == 1 ? "firm phantoms" : "all";
    for (int i = 0; i < 60; ++i) s.x.push_back(0.2 * i), s.y.push_back(1 - std::exp(-good * (0.1 + 0.2 * i) / (1 + k)));
  }
  return p;
}

calibration::SvgPlot histogram() {
  calibration::SvgPlot p;
  p.title = "Localisation error";
  p.x_label = "error / mm";
  p.y_label = "targets";
  auto& s = p.series.emplace_back();
  s.kind = calibration::SvgKind::kBars;
  for (int i = -8; i <= 8; ++i) s.x.push_back(0.25 * i), s.y.push_back(std::round(20 * std::exp(-0.1 * i * i)));
  return p;
}

/// As a campaign of some size fills it.
CourtReport campaign() {
  CourtReport r;
  r.title = "Nine conditions, five detectors";
  r.suite = "nine_conditions";
  r.software = "0.1.0 (abc1234)";
  r.began = "2026-11-30T02:55:50Z";
  r.ended = "2026-11-30T03:01:12Z";
  r.seed = 7;
  r.verdict = Judgement::kFail;
  for (const char* name : {"truth_peeker", "glr", "cfar", "cusum", "band_power"}) {
    const auto d = static_cast<double>(r.detectors.size());
    r.evidence.push_back({fmt::format("{}: all strokes", name), {}});
    const auto ev = r.evidence.size() - 1;
    ReportSection s{name, "in process, version 3; threshold learned on other phantoms"};
    s.metrics = {metric("AUC", 0.98 - 0.06 * d, 0.03, 0.85, {}, ev),
                 metric("found at 1 per metre", 0.93 - 0.1 * d, 0.06, 0.6, {}, ev),
                 metric("false alarms per metre", 0.4 + 0.5 * d, 0.2, {}, 2, ev),
                 metric("localisation median", 0.6 + 0.3 * d, 0.12, {}, 1.5, ev),
                 metric("reaction p95", 0.04 + 0.03 * d, 0, {}, 0.15, ev),
                 metric("a90/95", 4.3 + d, 0, {}, {}, ev),
                 metric("Brier score", 0.08 + 0.03 * d, 0.01, {}, {}, ev)};
    s.metrics[3].unit = s.metrics[5].unit = "mm";
    s.metrics[4].unit = "s";
    s.metrics[0].words = "DeLong, logit interval; 84 targets, 402 others";
    s.plots = {froc_plot(0.9 - 0.15 * d), pod_plot(), histogram()};
    s.verdict = d < 3 ? Judgement::kPass : d < 4 ? Judgement::kInvalid : Judgement::kFail;
    r.detectors.push_back(std::move(s));
  }
  r.reasons = {{Judgement::kFail, "truth_peeker cheats: it asked for ground truth", 0},
               {Judgement::kFail, "band_power: AUC 0.74 is below 0.85", 4},
               {Judgement::kInvalid, "cusum: 0.80 cannot be told from 0.85 with 84 targets"},
               {Judgement::kPass, "3 trials were repeated"}};
  r.flags = {{"truth peeker", "truth_peeker", "opened ground_truth.json 12 times, first 0.3 s after the run began",
              Judgement::kFail, 0}};
  r.baseline_origin = "nine_conditions, 0.1.0 (0ld0ld0), seed 7";
  r.baseline =
      BaselineComparison{{{"glr/auc", 0.93, 0.92, -0.01, {-0.04, 0.02, 0.95}, Change::kNotWorse, "not worse"},
                          {"cfar/auc", 0.93, 0.86, -0.07, {-0.1, -0.04, 0.95}, Change::kWorse, "worse by 0.07"}},
                         true};
  ReportSection compared{"glr against cfar"};
  compared.metrics = {metric("difference of AUC", 0.06, 0.03, {}, {}, 1)};
  r.comparisons = {compared};
  for (std::size_t t = 0; t < 12; ++t) {
    TrialReport trial;
    trial.id = fmt::format("t{:04}", t);
    trial.group = t % 2 == 0 ? "soft" : "firm";
    trial.factors = {{"phantom", trial.group}, {"force_N", t % 3 == 0 ? "4" : "6"}};
    trial.state = t == 11 ? TrialState::kLeft : t == 5 ? TrialState::kInvalid : TrialState::kDone;
    trial.verdict = t == 7 ? Judgement::kFail : Judgement::kPass;
    if (t == 5) trial.reasons = {"the force sensor was stale for 0.3 s"};
    if (t == 7) trial.reasons = {"stroke 2: mean force 6.9 N, wanted 5.5 to 6.5 N"};
    if (t != 11) {
      trial.run = fmt::format("runs/{}.h5", trial.id);
      trial.run_sha256 = std::string(64, 'a');
      trial.duration_s = 12.5;
      trial.attempts = t == 5 ? 2 : 1;
      trial.measures = {metric("mean force", t == 7 ? 6.9 : 6.02, 0.05, 5.5, 6.5, 5 + t)};
      trial.measures.back().unit = "N";
      trial.evidence = 5 + t;
      r.evidence.push_back({"trial " + trial.id, {{trial.run, "force", "Fz", 1000, 1999, "stroke 1"}}});
      for (std::size_t d = 0; d < 5; ++d) r.evidence[d].ranges.push_back({trial.run, "vibration", "ax", 0, 39999, ""});
    }
    r.trials.push_back(std::move(trial));
  }
  return r;
}

TEST(CourtReport, StatusIsWhatTheWholeIntervalSays) {
  EXPECT_EQ(metric("", 0.90, 0.04, 0.85, {}, kNoEvidence).status, MetricStatus::kMet);
  EXPECT_EQ(metric("", 0.87, 0.04, 0.85, {}, kNoEvidence).status, MetricStatus::kUndecided);
  EXPECT_EQ(metric("", 0.80, 0.04, 0.85, {}, kNoEvidence).status, MetricStatus::kMissed);
  EXPECT_EQ(metric("", 0.80, 0, {}, {}, kNoEvidence).status, MetricStatus::kNoLimit);
  EXPECT_EQ(metric("", std::nan(""), 0, 0.85, {}, kNoEvidence).status, MetricStatus::kUnknown);
  auto m = metric("", 6.42, 0, 5.5, 6.5, kNoEvidence);
  EXPECT_EQ(m.status, MetricStatus::kMet);
  m.marginal = 0.1;
  EXPECT_EQ(status_of(m), MetricStatus::kMarginal);
}

TEST(CourtReport, ItsThreeFilesSayTheSame) {
  const auto r = campaign();
  ASSERT_TRUE(check_report(r)) << check_report(r).error().message;
  const auto json = daq::parse_json(to_json(r));
  EXPECT_EQ(json["verdict"], "FAIL");
  EXPECT_EQ(json["counts"]["done"], 10);
  EXPECT_EQ(json["counts"]["invalid"], 1);
  EXPECT_EQ(json["counts"]["left"], 1);
  EXPECT_EQ(json["detectors"][4]["metrics"][0]["status"], "missed");
  EXPECT_EQ(json["evidence"][json["trials"][3]["evidence"].get<std::size_t>()]["ranges"][0]["run"], "runs/t0003.h5");

  const auto junit = to_junit(r);
  // campaign 1, trials 12, detectors 5 verdicts + 5 x 5 limits, one flag, two changes
  EXPECT_THAT(junit, HasSubstr("tests=\"46\""));
  EXPECT_THAT(junit,
              HasSubstr("<testsuite name=\"trials: firm\" tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"1\""));

  const auto html = to_html(r);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_FALSE(std::regex_search(html, std::regex("(src|href)=\"(https?:)?//"))) << "nothing is fetched";
  // Every anchor that is linked to is there.
  const std::regex link("href=\"#([a-z0-9]+)\"");
  std::size_t links = 0;
  for (std::sregex_iterator i(html.begin(), html.end(), link), end; i != end; ++i, ++links) {
    EXPECT_THAT(html, HasSubstr("id=\"" + (*i)[1].str() + "\""));
  }
  EXPECT_GT(links, 50U);
  if (const char* folder = std::getenv("STRIGIL_KEEP_REPORT")) {
    std::ofstream(std::string(folder) + "/report.html") << html;
    std::ofstream(std::string(folder) + "/report.xml") << junit;
    std::ofstream(std::string(folder) + "/report.json") << to_json(r);
  }
}

TEST(CourtReport, HostileStringsStayText) {
  const std::string evil = "<script>alert(1)</script>\"'&\x01\xFF ]]> \xF0\x9F\x98\x80";
  CourtReport r;
  r.title = r.suite = r.software = r.baseline_origin = evil;
  r.reasons = {{Judgement::kFail, evil, kNoEvidence}};
  TrialReport t;
  t.id = t.group = evil;
  t.factors = {{evil, evil}};
  t.state = TrialState::kDone;
  t.run = "javascript:alert(1)//" + evil;
  t.reasons = {evil};
  t.measures = {metric(evil.c_str(), 1, 0, 2, {}, 0)};
  r.trials = {t};
  ReportSection s{evil, evil};
  s.metrics = t.measures;
  s.plots = {pod_plot()};
  s.plots.front().title = s.plots.front().series.front().name = s.plots.front().marks.front().label = evil;
  r.detectors = r.studies = r.comparisons = {s};
  r.flags = {{evil, evil, evil}};
  r.evidence = {{evil, {{t.run, evil, evil, 0, 1, evil}}}};
  const auto html = to_html(r);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("href=\"javascript")));
  EXPECT_THAT(html, HasSubstr("href=\"./javascript%3Aalert"));
  for (const auto& text : {html, to_junit(r)}) {
    EXPECT_THAT(text, Not(HasSubstr("\x01")));
    EXPECT_THAT(text, Not(HasSubstr("\xFF")));
    EXPECT_THAT(text, HasSubstr("\xF0\x9F\x98\x80"));
  }
  EXPECT_THAT(to_junit(r), Not(HasSubstr("<script")));
  EXPECT_EQ(daq::parse_json(to_json(r))["verdict"], "INVALID");
  EXPECT_EQ(address_of("/etc/passwd"), "");
  EXPECT_EQ(address_of("runs/../../x"), "");
}

TEST(CourtReport, WhatDoesNotFitTogetherIsRefused) {
  auto r = campaign();
  r.trials[2].evidence = 999;
  EXPECT_THAT(check_report(r).error().message, HasSubstr("t0002"));
  r = campaign();
  r.detectors[1].metrics[0].lower_limit = 2;
  r.detectors[1].metrics[0].upper_limit = 1;
  EXPECT_THAT(check_report(r).error().message, HasSubstr("AUC"));
  r = campaign();
  r.trials[3].factors.pop_back();
  EXPECT_THAT(check_report(r).error().message, HasSubstr("t0003"));
}

TEST(CourtReport, NumbersHaveTheDecimalsThatTheirIntervalKnows) {
  EXPECT_EQ(value_in_words(metric("", 0.912345, 0.03, {}, {}, kNoEvidence)), "0.912");
  EXPECT_EQ(interval_in_words(metric("", 0.912345, 0.03, {}, {}, kNoEvidence)), "0.882 to 0.942");
  EXPECT_EQ(value_in_words(metric("", 1234.5, 200, {}, {}, kNoEvidence)), "1234");
  EXPECT_EQ(value_in_words(metric("", -0.0001, 0.5, {}, {}, kNoEvidence)), "0.0");
  auto m = metric("AUC", 0.5, 0.1, 0.85, {}, kNoEvidence);
  EXPECT_EQ(metric_in_words(m), "AUC: 0.50, 95 % interval 0.40 to 0.60, at least 0.85: missed");
  m.interval.high = INFINITY;
  EXPECT_EQ(interval_in_words(m), "0.4 to inf");
}

}  // namespace
}  // namespace strigil::protocols
