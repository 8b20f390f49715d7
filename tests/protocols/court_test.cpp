// From a run's streams to a judgement: the feed gives detectors the same whatever the interleaving, the court ranks
// known detectors in the known order and names every cheat.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "protocols/court/court.hpp"
#include "protocols/court/draws.hpp"
#include "protocols/detectors/cheats.hpp"
#include "protocols/detectors/detector_factory.hpp"
#include "protocols/plan.hpp"
#include "protocols/runner.hpp"

namespace strigil::protocols {
namespace {

using daq::HostTime;
using testing::HasSubstr;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr daq::StreamId kForce = 0, kPosition = 1, kVibration = 2;

daq::StreamDescription stream(daq::StreamId id, const std::string& quantity, const std::array<const char*, 3>& channels,
                              const char* unit, double rate_Hz) {
  daq::StreamDescription out;
  out.id = id;
  out.name = out.quantity = quantity;
  for (const char* c : channels) out.channels.push_back({c, unit});
  out.rate_Hz = rate_Hz;
  return out;
}

std::vector<daq::StreamDescription> streams() {
  return {stream(kForce, "force", {"Fx", "Fy", "Fz"}, "N", 1'000),
          stream(kPosition, "position", {"x", "y", "z"}, "m", 0),
          stream(kVibration, "acceleration", {"ax", "ay", "az"}, "m/s2", 3'200)};
}

/// A run in memory: each source in its own order.
struct Tape {
  struct Sample {
    HostTime at;
    std::array<float, 3> values{};
  };
  std::array<std::vector<Sample>, 3> samples;
  std::vector<daq::Event> events;
};

struct Ground {
  std::vector<double> bumps_mm;  ///< where F + k z rises
  double height_mm = 0.3;
  bool air = false;
};

/// Strokes there and back; each entry: whether it is broken off half-way and done again.
Tape tape(std::uint64_t seed, const Ground& ground, const std::vector<bool>& broken = {false, false}) {
  Draws draws(seed);
  Tape out;
  constexpr double kSpeed_mm_s = 60, kFrom_mm = 30, kTo_mm = 140;
  struct Leg {
    double from_s, to_s, from_mm, to_mm;
  };
  std::vector<Leg> legs;
  double now_s = 0.5;
  const auto event = [&](daq::EventCode code, double at_s, double a, double b) {
    daq::Event e;
    e.at = {std::llround(at_s * 1e9)};
    e.code = code;
    e.arguments = {a, b, 0, 0};
    out.events.push_back(e);
  };
  const auto leg = [&](double from_mm, double to_mm) {
    legs.push_back({now_s, now_s + std::abs(to_mm - from_mm) / kSpeed_mm_s, from_mm, to_mm});
    now_s = legs.back().to_s;
  };
  event(daq::EventCode::kTare, 0.1, 0.5, 0.1);
  const auto stroke_kind = static_cast<double>(StepKind::kStroke);
  for (std::size_t k = 0; k < broken.size(); ++k) {
    const double from = k % 2 == 0 ? kFrom_mm : kTo_mm;
    const double to = k % 2 == 0 ? kTo_mm : kFrom_mm;
    if (broken[k]) {
      event(daq::EventCode::kStepBegan, now_s - 0.01, static_cast<double>(k), stroke_kind);
      leg(from, (from + to) / 2);
      event(daq::EventCode::kStepEnded, now_s + 0.05, static_cast<double>(k),
            static_cast<double>(StepOutcome::kInterrupted));
      now_s += 0.4;
      leg((from + to) / 2, from);  // lifted and carried back: no stroke
      now_s += 0.3;
    }
    event(daq::EventCode::kStepBegan, now_s - 0.01, static_cast<double>(k), stroke_kind);
    leg(from, to);
    event(daq::EventCode::kStepEnded, now_s + 0.05, static_cast<double>(k), static_cast<double>(StepOutcome::kDone));
    now_s += 0.5;
  }
  const auto x_at = [&](double t) {
    double x = kFrom_mm;
    for (const auto& l : legs) {
      if (t >= l.from_s)
        x = l.from_mm + (l.to_mm - l.from_mm) * std::clamp((t - l.from_s) / (l.to_s - l.from_s), 0.0, 1.0);
    }
    return x;
  };
  const auto hill = [&](double x) {
    double z = 0.4 * std::sin(x / 25 + static_cast<double>(seed));
    for (const double b : ground.bumps_mm) {
      const double u = (x - b) / 14;
      if (std::abs(u) < 0.5) z += ground.height_mm * 0.5 * (1 + std::cos(2 * M_PI * u));
    }
    return ground.air ? 0.0 : z;
  };
  const auto end_ns = std::llround((now_s + 1) * 1e9);
  for (std::int64_t t = 0; t < end_ns; t += kMillisecond) {
    const auto x = x_at(static_cast<double>(t) * 1e-9);
    const auto noise = 0.02 * draws.normal();
    out.samples[kForce].push_back(
        {{t},
         {static_cast<float>(0.1 + noise), 0.0F, static_cast<float>((ground.air ? 0 : 2) + 0.5 + noise + 0.0 * x)}});
  }
  for (std::int64_t t = 3 * kMillisecond; t < end_ns; t += 10 * kMillisecond) {
    const auto x = x_at(static_cast<double>(t) * 1e-9);
    out.samples[kPosition].push_back(
        {{t}, {static_cast<float>(x * 1e-3), 0.05F, static_cast<float>((hill(x) + 0.01 * draws.normal()) * 1e-3)}});
  }
  for (std::int64_t t = 0; t < end_ns; t += 312'500)
    out.samples[kVibration].push_back({{t}, {0, 0, static_cast<float>(0.1 * draws.normal())}});
  return out;
}

/// Plays a tape in one of the ways in which it may arrive: blocks of any length, each source up to `most_behind` behind
/// the others.
void play(const Tape& tape, StrokeFeed& feed, std::uint64_t seed, daq::Duration most_behind) {
  Draws draws(seed);
  constexpr std::size_t kSources = 4;
  std::array<std::size_t, kSources> next{};
  const auto size = [&](std::size_t s) { return s < 3 ? tape.samples[s].size() : tape.events.size(); };
  const auto at = [&](std::size_t s) { return s < 3 ? tape.samples[s][next[s]].at : tape.events[next[s]].at; };
  for (;;) {
    std::vector<std::size_t> left;
    HostTime slowest{std::numeric_limits<std::int64_t>::max()};
    for (std::size_t s = 0; s < kSources; ++s) {
      if (next[s] < size(s)) left.push_back(s), slowest = std::min(slowest, at(s));
    }
    if (left.empty()) return;
    std::erase_if(left, [&](std::size_t s) { return at(s) - slowest > most_behind; });
    const auto s = left[static_cast<std::size_t>(draws.uniform() * static_cast<double>(left.size()))];
    if (s == 3) {
      feed.take(tape.events[next[3]++]);
      continue;
    }
    daq::Block block;
    block.stream = static_cast<daq::StreamId>(s);
    block.channels = 3;
    const auto most = s == kPosition ? 1 : 1 + static_cast<std::size_t>(draws.uniform() * 64);
    block.t0 = at(s);
    block.period_ns = s == kForce ? 1e6 : s == kVibration ? 312'500 : 0;
    for (; block.samples < most && next[s] < size(s); ++next[s], ++block.samples) {
      const auto& values = tape.samples[s][next[s]].values;
      std::copy(values.begin(), values.end(), block.values.begin() + std::ptrdiff_t{3} * block.samples);
    }
    feed.take(block);
  }
}

/// Writes down every call with every bit of its samples.
class Witness final : public Detector {
 public:
  [[nodiscard]] std::string name() const override { return "witness"; }
  void begin(const StrokeStart& s, std::vector<Detection>&) override {
    note(s.number), note(s.of), note(s.direction), ++calls;
  }
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>&) override {
    ++calls;
    samples += contact.size() + vibration.size();
    for (const auto& c : contact) {
      for (const double v : {c.at_s, c.x_mm, c.y_mm, c.z_mm, c.speed_mm_s, c.force_normal_N, c.force_tangential_N})
        note(v);
      if (std::abs(c.x_mm - 85) < 20) middle_N.push_back(c.force_normal_N);
    }
    note('|');
    for (const auto& v : vibration) {
      for (const double x : {v.at_s, v.x_mm, v.y_mm, v.speed_mm_s, v.acceleration_m_s2}) note(x);
    }
  }
  void end(std::vector<Detection>&) override { note('.'), ++calls; }
  std::size_t calls = 0, samples = 0;
  std::vector<double> middle_N;
  std::string heard;

 private:
  template <typename T>
  void note(T v) {
    heard.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
};

std::vector<StrokeHearing> hear(const Tape& t, const std::vector<Detector*>& detectors, std::uint64_t seed = 1,
                                daq::Duration most_behind = {}) {
  StrokeFeedConfig config;
  for (std::size_t k = 0; k < 2; ++k) {
    PlannedStroke p;
    p.step = k;
    p.number = k;
    p.of = 2;
    config.plan[k] = p;
  }
  auto feed = StrokeFeed::make(streams(), config, detectors);
  EXPECT_TRUE(feed.ok()) << feed.error().message;
  play(t, *feed, seed, most_behind);
  feed->finish();
  return feed->hearings();
}

TEST(StrokeFeed, EveryInterleavingGivesTheSameCallsToTheBit) {
  const auto t = tape(3, {{70, 110}}, {true, false});
  Witness first;
  auto glr = make_detector("glr").value();
  const auto hearings = hear(t, {&first, glr.get()});
  ASSERT_EQ(hearings.size(), 6U) << "one broken off and two done, by two detectors";
  EXPECT_FALSE(hearings[0].counts) << "broken off";
  EXPECT_TRUE(hearings[2].counts);
  EXPECT_EQ(hearings[2].direction, 1);
  EXPECT_EQ(hearings[4].direction, -1);
  EXPECT_EQ(hearings[4].planned.number, 1U);
  EXPECT_NEAR(hearings[4].lane_y_mm, 50, 1e-3);
  EXPECT_NEAR(hearings[2].length_m, 0.11, 1e-4);
  EXPECT_NEAR(hearings[2].x_from_mm, 30, 1e-3);
  EXPECT_NEAR(hearings[2].x_to_mm, 140, 1e-3);
  EXPECT_NEAR(hearings[2].reached_s(85) - hearings[2].reached_s(30), 55 / 60.0, 0.02);
  EXPECT_TRUE(std::isnan(hearings[2].reached_s(150)));
  EXPECT_NEAR(static_cast<double>(first.samples), (1'000 + 3'200) * (55 + 110 + 110) / 60.0, 200);
  double mean_N = 0;
  for (const double f : first.middle_N) mean_N += f / static_cast<double>(first.middle_N.size());
  EXPECT_NEAR(mean_N, 2, 0.01) << "tared";
  EXPECT_GE(hearings[3].detections.size(), 2U);
  for (std::uint64_t seed = 2; seed < 12; ++seed) {
    Witness other;
    auto again = make_detector("glr").value();
    const auto same = hear(t, {&other, again.get()}, seed, std::chrono::milliseconds(150 * seed));
    ASSERT_TRUE(other.heard == first.heard) << seed << ": " << other.calls << " calls for " << first.calls;
    ASSERT_EQ(same.size(), hearings.size());
    for (std::size_t h = 0; h < same.size(); ++h) {
      ASSERT_EQ(same[h].detections.size(), hearings[h].detections.size());
      for (std::size_t d = 0; d < same[h].detections.size(); ++d)
        EXPECT_EQ(std::memcmp(&same[h].detections[d], &hearings[h].detections[d], sizeof(Detection)), 0);
    }
  }
}

TEST(StrokeFeed, WhatIsMissingIsLeftOutAndTheRestGoesOn) {
  auto t = tape(5, {{85}});
  // The accelerometer dies in the middle of the first stroke; the stage is silent for 0.4 s of the second.
  std::erase_if(t.samples[kVibration], [](const auto& s) { return s.at.ns > 1'000 * kMillisecond; });
  std::erase_if(t.samples[kPosition],
                [](const auto& s) { return s.at.ns > 3'300 * kMillisecond && s.at.ns < 3'700 * kMillisecond; });
  Witness witness;
  const auto hearings = hear(t, {&witness});
  ASSERT_EQ(hearings.size(), 2U);
  EXPECT_TRUE(hearings[0].counts && hearings[1].counts);
  EXPECT_NEAR(hearings[0].length_m, 0.11, 1e-3) << "the force goes on";
  EXPECT_NEAR(hearings[1].length_m, 0.11 - 0.4 * 0.06, 2e-3) << "where it was then nobody knows";
  auto cut = tape(5, {{85}});
  cut.events.pop_back();
  EXPECT_FALSE(hear(cut, {&witness})[1].counts) << "the run ended in it";
  EXPECT_THAT(StrokeFeed::make({}, {}, {}).error().message, HasSubstr("no stream of positions"));
  EXPECT_FALSE(planned_strokes("[]").ok());
  EXPECT_FALSE(planned_strokes(R"({"steps":[{"kind":"stroke","condition":3}],"conditions":[]})").ok());
}

std::string truth_of(const std::vector<double>& places_mm, bool differs, const std::string& phantom) {
  auto list = nlohmann::json::array();
  for (const double x : places_mm) {
    auto one = daq::parse_json(R"({"kind":"nodule","target":true,"y_mm":50,"length_mm":12,"width_mm":10,
                                         "angle_deg":0,"depth_mm":2})");
    one["name"] = "t" + std::to_string(list.size());
    one["differs"] = differs;
    one["x_mm"] = x;
    one["stiffness_contrast"] = differs ? 2.5 : 1.0;
    list.push_back(one);
  }
  auto root = daq::parse_json(R"({"format":"strigil-ground-truth","format_version":"1.0","condition":"drawn",
                                        "instrument":{"name":"i","edge_length_mm":40}})");
  root["phantom"] = phantom;
  root["inclusions"] = list;
  return daq::json_text(root);
}

TEST(GroundTruth, TargetsAreWhatLiesUnderTheEdgeOfTheStroke) {
  const auto t = tape(5, {{85}});
  const auto hearing = hear(t, {}).at(1);  // on the way back
  auto truth = parse_ground_truth(truth_of({85, 136, 20}, true, "p")).value();
  auto& lump = truth.inclusions[0];
  auto under = targets_under(hearing, truth);
  ASSERT_EQ(under.size(), 2U) << "20 mm lies before the stroke";
  EXPECT_NEAR(under[0].where.from_mm, 79, 1e-6);
  EXPECT_NEAR(under[0].where.to_mm, 91, 1e-6);
  EXPECT_EQ(under[0].size_mm, 10);
  EXPECT_NEAR(under[0].where.entered_s, hearing.reached_s(91), 1e-9) << "from the far side";
  lump.y_mm = 50 + 20 + 5.1;
  EXPECT_EQ(targets_under(hearing, truth).size(), 1U) << "beside the edge";
  // A band across the lane at 45 degrees: only what lies under the edge counts, not its box.
  lump.y_mm = 50;
  lump.round = false, lump.length_mm = 100, lump.width_mm = 2, lump.angle_deg = 45;
  under = targets_under(hearing, truth);
  EXPECT_NEAR(under[0].where.to_mm - under[0].where.from_mm, 40 + 2 * std::sqrt(2), 1e-6);
  truth.inclusions[1].target = false;
  EXPECT_EQ(targets_under(hearing, truth).size(), 1U) << "a confounder is no target";
  for (const char* hostile :
       {"", "[]", "{}", R"({"format":"strigil-ground-truth","format_version":"2.0"})",
        R"({"format":"strigil-ground-truth","format_version":"1.0","inclusions":[{"name":"a"}]})"})
    EXPECT_FALSE(parse_ground_truth(hostile).ok()) << hostile;
}

CourtRun run_of(std::uint64_t seed, const Ground& ground, bool differs, const std::vector<Detector*>& detectors,
                const std::string& phantom) {
  CourtRun run;
  run.ground = ground.air ? RunGround::kAir : RunGround::kTissue;
  run.heard.run_id = "run-" + std::to_string(seed);
  run.heard.phantom = phantom;
  run.heard.has_truth = true;
  const auto truth = parse_ground_truth(truth_of(ground.bumps_mm, differs, phantom)).value();
  auto felt = ground;
  if (!differs) felt.bumps_mm.clear();
  for (auto& h : hear(tape(seed, felt), detectors)) {
    auto targets = targets_under(h, truth);
    run.heard.strokes.push_back({std::move(h), std::move(targets)});
  }
  return run;
}

TEST(Court, NamesEveryCheatAndNoHonestDetector) {
  ConstantAnswer constant;
  const std::vector<double> learned{60, 105};
  Clairvoyant clairvoyant(learned);
  TruthPeeker peeker;
  StageNoiseLearner learner(learned);
  std::vector<std::unique_ptr<Detector>> honest;
  std::vector<Detector*> detectors{&constant, &clairvoyant, &peeker, &learner};
  for (const char* name : {"glr", "glr+fusion", "cusum"}) {
    honest.push_back(make_detector(name).value());
    detectors.push_back(honest.back().get());
  }
  std::vector<CourtRun> runs;
  // Targets where they always lie, a few healthy phantoms, some on paper only, and the air.
  for (std::uint64_t k = 0; k < 24; ++k) {
    const auto phantom = "p" + std::to_string(k);
    if (k < 12) {
      runs.push_back(run_of(k, {learned}, true, detectors, phantom));
    } else if (k < 18) {
      Draws draws(77, k);
      runs.push_back(run_of(k, {{45 + 40 * draws.uniform(), 95 + 30 * draws.uniform()}}, false, detectors, phantom));
    } else {
      runs.push_back(run_of(k, {learned, 0, true}, true, detectors, phantom));
    }
  }
  CourtOptions options;
  options.bootstrap.resamples = 200;
  const auto judged = judge_detectors(runs, options);
  ASSERT_TRUE(judged.ok()) << judged.error().message;
  ASSERT_EQ(judged->detectors.size(), 7U);
  std::map<std::string, std::vector<Accusation>> accused;
  for (const auto& d : judged->detectors) {
    auto& list = accused[d.detector];
    for (const auto& a : d.accused) list.push_back(a.of);
  }
  EXPECT_THAT(accused["constant answer"], testing::Contains(Accusation::kConstantAnswer));
  EXPECT_THAT(accused["clairvoyant"], testing::Contains(Accusation::kClairvoyant));
  EXPECT_THAT(accused["truth peeker"], testing::ElementsAre(Accusation::kAskedForTruth));
  EXPECT_THAT(accused["stage-noise learner"], testing::Contains(Accusation::kWorksOnNothing));
  for (const char* name : {"glr", "glr+fusion", "cusum"}) EXPECT_THAT(accused[name], testing::IsEmpty()) << name;

  const auto& best = judged->detectors.front();
  EXPECT_TRUE(best.detector.starts_with("glr")) << best.detector;
  EXPECT_GT(best.roc->auc, 0.95);
  EXPECT_EQ(best.phantoms, 18U) << "the air is no phantom";
  const auto find = [&](const std::string& name) {
    return *std::find_if(judged->detectors.begin(), judged->detectors.end(),
                         [&](const auto& d) { return d.detector == name; });
  };
  const auto glr = find("glr");
  EXPECT_EQ(glr.strokes, 36U);
  EXPECT_EQ(glr.targets, 48U);
  EXPECT_EQ(find("glr+fusion").strokes, 18U) << "a lane is one case";
  EXPECT_EQ(find("constant answer").roc->auc, 0.5);
  ASSERT_TRUE(glr.localisation_mm.has_value());
  EXPECT_LT(glr.localisation_mm->median.value, 2);
  ASSERT_TRUE(glr.reaction.has_value());
  EXPECT_EQ(glr.reaction->before_the_data, 0U);
  EXPECT_GT(glr.reaction->median_s, 0);
  ASSERT_EQ(glr.operating.size(), 3U);
  EXPECT_GT(glr.operating[1].found.value, 0.9);
  EXPECT_EQ(judged->comparisons.size(), 21U);
  const auto json = daq::parse_json(to_json(*judged));
  EXPECT_EQ(json["detectors"].size(), 7U);
  EXPECT_EQ(json["detectors"][0]["roc"]["auc"], best.roc->auc);
}

/// Marks at every 10 mm, normal; those over a target are `d_prime` higher. AUC of one mark against another: Phi(d'/sqrt
/// 2).
StrokeHearing normal_marks(const std::string& name, double d_prime, const std::vector<StrokeTarget>& targets,
                           Draws& draws) {
  StrokeHearing h;
  h.detector = name;
  h.length_m = 0.11, h.x_from_mm = 30, h.x_to_mm = 140;
  for (double x = 35; x < 140; x += 10) {
    Detection d{x, 0, 0, draws.normal()};
    for (const auto& t : targets) {
      if (std::abs(t.where.centre_mm() - x) < 1) d.score += d_prime;
    }
    h.detections.push_back(d);
  }
  return h;
}

std::vector<CourtRun> normal_runs(std::size_t phantoms, bool differs) {
  std::vector<CourtRun> runs;
  for (std::size_t p = 0; p < phantoms; ++p) {
    Draws draws(9, p);
    CourtRun run;
    run.heard.run_id = run.heard.phantom = "p" + std::to_string(p);
    run.heard.has_truth = true;
    StrokeTarget t;
    const double x = 45 + 10 * std::floor(9 * draws.uniform());
    t.where = {x - 1, x + 1};
    t.name = "t";
    t.size_mm = 4 + 4 * static_cast<double>(p % 4);
    t.contrast = differs ? 1.5 + static_cast<double>(p % 3) : 1;
    t.differs = differs;
    for (const auto& [name, d] : {std::pair{"sharp", 2.5}, {"dull", 1.0}, {"deaf", 0.0}})
      run.heard.strokes.push_back({normal_marks(name, differs ? d : 0, {t}, draws), {t}});
    runs.push_back(std::move(run));
  }
  return runs;
}

TEST(Court, KnownDetectorsRankInTheKnownOrderWithTheirKnownArea) {
  CourtOptions options;
  options.matching.tolerance_mm = 3;  // one mark in each window
  options.bootstrap.resamples = 400;
  options.least_targets_for_pod = 40;
  const auto judged = judge_detectors(normal_runs(120, true), options);
  ASSERT_TRUE(judged.ok()) << judged.error().message;
  ASSERT_EQ(judged->detectors.size(), 3U);
  const std::array<std::pair<const char*, double>, 3> known{{{"sharp", 2.5}, {"dull", 1}, {"deaf", 0}}};
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto& d = judged->detectors[i];
    EXPECT_EQ(d.detector, known[i].first);
    const double auc = 0.5 * std::erfc(-known[i].second / 2);
    EXPECT_TRUE(d.roc->interval.contains(auc)) << d.detector << " " << d.roc->auc << " for " << auc;
    EXPECT_TRUE(d.auc_bootstrap.interval.contains(auc)) << d.detector;
    EXPECT_NEAR(d.auc_bootstrap.value, d.roc->auc, 1e-12) << "two ways to the same area";
    EXPECT_NEAR(d.auc_bootstrap.interval.width(), d.roc->interval.width(), 0.5 * d.roc->interval.width());
    EXPECT_TRUE(d.accused.empty());
  }
  for (const auto& c : judged->comparisons) EXPECT_GT(c.difference.interval.low, 0) << c.first << " " << c.second;
  const auto& sharp = judged->detectors.front();
  ASSERT_TRUE(sharp.calibration.has_value());
  EXPECT_GT(sharp.calibration->brier_skill, 0.2);
  EXPECT_LT(judged->detectors.back().calibration->brier_skill, 0.05) << "nothing to know, nothing claimed";
  EXPECT_EQ(sharp.contrast_levels.size(), 3U);

  const auto nothing = judge_detectors(normal_runs(60, false), options);
  ASSERT_TRUE(nothing.ok());
  for (const auto& d : nothing->detectors) {
    EXPECT_FALSE(d.roc.has_value()) << "there are no targets";
    ASSERT_EQ(d.on_blanks.size(), 1U);
    EXPECT_TRUE(d.on_blanks[0].area->interval.contains(0.5)) << d.detector << " " << d.on_blanks[0].area->auc;
    EXPECT_TRUE(d.accused.empty());
  }
  EXPECT_TRUE(nlohmann::json::accept(to_json(*nothing)));
}

TEST(Court, RefusesWhatCannotBeJudged) {
  EXPECT_FALSE(judge_detectors({}).ok());
  auto runs = normal_runs(3, true);
  runs[1].heard.has_truth = false;
  EXPECT_THAT(judge_detectors(runs).error().message, HasSubstr("no ground truth"));
  runs[1].heard.has_truth = true;
  CourtOptions late;
  late.deadline_s = 0;
  EXPECT_FALSE(judge_detectors(runs, late).ok());
  runs[0].heard.strokes[0].hearing.detections[0].score = std::nan("");
  EXPECT_FALSE(judge_detectors(runs).ok()) << "a score that is no number";
  EXPECT_THAT(make_detector("oracle").error().message, HasSubstr("glr+fusion"));
  // One phantom, one stroke: what can be said is said, the rest is left out with a reason.
  const auto one = judge_detectors(normal_runs(1, true));
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_FALSE(one->detectors[0].auc_bootstrap.interval.known());
  EXPECT_FALSE(one->detectors[0].notes.empty());
}

}  // namespace
}  // namespace strigil::protocols
