// Detectors on the simulated bench: contrast 1.0 gives them nothing, contrast gives it to them in the known order; what
// is heard live over ZeroMQ is what is heard in replay. STRIGIL_FULL_NULL=1: 200 phantoms, and the shipped weights are
// trained again.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/publish/subscriber.hpp"
#include "daq/strict_toml.hpp"
#include "protocols/court/court.hpp"
#include "protocols/court/training.hpp"
#include "protocols/detectors/band_power_weights.hpp"
#include "protocols/detectors/detector_factory.hpp"
#include "rig/phantom_generator.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {
namespace {

bool full() { return std::getenv("STRIGIL_FULL_NULL") != nullptr; }

constexpr const char* kScan = R"([protocol]
name = "court_scan"
title = "One lane there and back, light"
[approach]
start_x_mm = 30
start_z_mm = -26
deepest_z_mm = -60
speed_mm_s = 8
contact_force_N = 0.3
[press]
hold = "force"
tolerance_percent = 5
rate_N_s = 15
[stroke]
length_mm = 110
directions = "both"
[[phases]]
name = "scan"
normal_force_N = 2
speed_mm_s = 60
survey_speed_mm_s = 0
[limits]
max_force_N = 12
[verdict]
force_tolerance_percent = 10
max_force_rms_N = 0.4
max_overshoot_percent = 15
)";

std::vector<std::unique_ptr<protocols::Detector>> all_shipped() {
  std::vector<std::unique_ptr<protocols::Detector>> out;
  for (const auto& name : protocols::shipped_detectors()) out.push_back(protocols::make_detector(name).value());
  return out;
}
std::vector<protocols::Detector*> pointers(const std::vector<std::unique_ptr<protocols::Detector>>& of) {
  std::vector<protocols::Detector*> out;
  for (const auto& d : of) out.push_back(d.get());
  return out;
}

class DetectorCourt : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-court-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    write("scan.toml", kScan);
    // Without the taps, which prove the timeline and take half of a short run.
    auto bench = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim_tmcl.toml").value();
    const auto taps = bench.find("\n[taps]");
    const auto after = bench.find("\n[twin.stage]");
    ASSERT_TRUE(taps != std::string::npos && after != std::string::npos && taps < after);
    write("bench.toml", bench.erase(taps, after - taps));
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void write(const std::string& name, const std::string& text) const { std::ofstream(dir_ + "/" + name) << text; }

  /// One run on a phantom drawn for it; the file is overwritten by the next.
  daq::Result<RunOutcome> go(const rig::PhantomWish& wish, const Publication& publication = {}) {
    write("phantom.toml", rig::draw_phantom(wish)->text);
    auto prepared = prepare(dir_ + "/scan.toml", dir_ + "/bench.toml",
                            {.phantom = dir_ + "/phantom.toml", .instrument = "steel_convex", .emollient = {}});
    if (!prepared) return prepared.error();
    RunOptions o;
    o.bench = prepared->bench;
    o.plan = prepared->plan;
    o.protocol_text = prepared->protocol_text;
    o.virtual_time = true;
    o.seed = wish.seed;
    o.publication = publication;
    o.out = dir_ + "/run.h5";
    std::filesystem::remove(o.out);
    return run(o, {});
  }

  /// All shipped detectors on phantoms of seeds 1 ... `count`. Targets on paper are the labels where none differs.
  protocols::CourtJudgement judged(std::size_t count, const rig::PhantomWish& like) {
    const auto detectors = all_shipped();
    std::vector<protocols::CourtRun> runs;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
      auto wish = like;
      wish.seed = seed;
      const auto outcome = go(wish);
      EXPECT_TRUE(outcome.ok()) << outcome.error().message;
      auto heard = protocols::hear_run(dir_ + "/run.h5", pointers(detectors));
      EXPECT_TRUE(heard.ok()) << heard.error().message;
      if (!outcome.ok() || !heard.ok()) continue;
      if (outcome->verdict.judgement == protocols::Judgement::kInvalid) ++invalid_;
      for (auto& s : heard->strokes) {
        for (auto& t : s.targets) {
          EXPECT_EQ(t.differs, like.contrast != 1.0);
          t.differs = true;
        }
      }
      protocols::CourtRun run;
      run.heard = std::move(*heard);
      runs.push_back(std::move(run));
    }
    protocols::CourtOptions options;
    options.bootstrap.resamples = full() ? 2'000 : 200;
    auto judgement = protocols::judge_detectors(runs, options);
    EXPECT_TRUE(judgement.ok()) << judgement.error().message;
    return judgement.ok() ? *judgement : protocols::CourtJudgement{};
  }

  static void print(const char* title, const protocols::CourtJudgement& judgement) {
    fmt::print("{}\n", title);
    for (const auto& d : judgement.detectors) {
      fmt::print("| {} | {} | {} | {:.3f} | {:.3f} to {:.3f} |", d.detector, d.targets, d.blanks, d.roc->auc,
                 d.roc->interval.low, d.roc->interval.high);
      for (const auto& p : d.operating) fmt::print(" {:.3f} |", p.found.value);
      if (d.localisation_mm) fmt::print(" {:.1f} |", d.localisation_mm->median.value);
      if (d.reaction) fmt::print(" {:.2f} |", d.reaction->median_s);
      fmt::print("\n");
    }
  }

  std::string dir_;
  std::size_t invalid_ = 0;
};

TEST_F(DetectorCourt, ContrastOneGivesDetectorsNothing) {
  rig::PhantomWish nothing;
  nothing.contrast = 1.0;
  const std::size_t phantoms = full() ? 200 : 10;
  const auto judgement = judged(phantoms, nothing);
  ASSERT_EQ(judgement.detectors.size(), protocols::shipped_detectors().size());
  EXPECT_LE(invalid_, phantoms / 20);
  for (const auto& d : judgement.detectors) {
    ASSERT_TRUE(d.roc.has_value()) << d.detector;
    EXPECT_GT(d.marks, 0U) << d.detector << " must have had something to say";
    EXPECT_TRUE(d.roc->interval.contains(0.5))
        << d.detector << ": AUC " << d.roc->auc << ", " << d.roc->interval.low << " to " << d.roc->interval.high;
    EXPECT_TRUE(d.accused.empty()) << d.detector << ": " << d.accused.front().evidence;
  }
  print("contrast 1.0", judgement);
}

TEST_F(DetectorCourt, ContrastIsFoundInTheKnownOrder) {
  // The same phantoms: near the surface and hard in CI, where they are few.
  rig::PhantomWish hard;
  hard.contrast = full() ? 2.5 : 6.0;
  if (!full()) hard.diameter_m = 10e-3;
  if (!full()) hard.depth_m = 1e-3;
  const auto judgement = judged(full() ? 200 : 8, hard);
  ASSERT_EQ(judgement.detectors.size(), protocols::shipped_detectors().size());
  print("contrast", judgement);
  const auto find = [&](const std::string& name) {
    for (const auto& d : judgement.detectors) {
      if (d.detector == name) return d;
    }
    return protocols::DetectorJudgement{};
  };
  const auto glr = find("glr");
  for (const char* name : {"glr", "cusum", "cfar", "band_power"})
    EXPECT_GT(find(name).roc->interval.low, 0.5) << name << " " << find(name).roc->auc;
  ASSERT_EQ(glr.operating.size(), 3U);
  EXPECT_GT(glr.operating[0].found.value, find("cfar").operating[0].found.value)
      << "with hardly a false alarm, stiffness finds more than vibration";
  if (full()) {
    for (const auto& c : judgement.comparisons) {
      const bool order = (c.first == "glr" || c.first == "band_power") && (c.second == "cusum" || c.second == "cfar");
      if (!order) continue;
      EXPECT_GT(c.difference.interval.low, 0) << c.first << " above " << c.second;
      fmt::print("{} - {}: {:.3f} ({:.3f} to {:.3f})\n", c.first, c.second, c.difference.value,
                 c.difference.interval.low, c.difference.interval.high);
    }
  }
  ASSERT_TRUE(glr.localisation_mm.has_value());
  EXPECT_LT(glr.localisation_mm->median.value, 3);
  for (const auto& d : judgement.detectors) {
    EXPECT_TRUE(d.accused.empty()) << d.detector << ": " << d.accused.front().evidence;
    EXPECT_GE(d.reaction ? d.reaction->median_s : 0, 0) << d.detector;
  }
}

TEST_F(DetectorCourt, LiveOverZeroMqAndReplayGiveTheSameAnswersToTheBit) {
  const auto endpoint = "ipc://" + dir_ + "/run";
  Publication publication;
  publication.endpoint = endpoint;
  publication.wait_subscriptions = 1;
  const auto detectors = all_shipped();
  std::vector<protocols::StrokeHearing> live;
  std::string failure;
  auto prepared = prepare(dir_ + "/scan.toml", dir_ + "/bench.toml");
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  std::thread listener([&] {
    daq::SubscriberConfig config;
    config.endpoint = endpoint;
    auto subscriber = daq::Subscriber::connect(config);
    if (!subscriber) return void(failure = subscriber.error().message);
    std::map<daq::StreamId, daq::StreamDescription> described;
    std::optional<protocols::StrokeFeed> feed;
    std::vector<std::variant<daq::Block, daq::Event>> before;  // the streams were described
    constexpr std::size_t kStreams = 4;
    for (int silent = 0; silent < 300;) {
      const auto message = (*subscriber)->poll(std::chrono::milliseconds(100));
      if (!message) return void(failure = message.error().message);
      if (!*message) {
        ++silent;
        continue;
      }
      if (const auto* stream = std::get_if<daq::StreamMessage>(&**message)) {
        described[stream->description.id] = stream->description;
      }
      if (!feed && described.size() == kStreams) {
        std::vector<daq::StreamDescription> streams;
        for (const auto& [id, d] : described) streams.push_back(d);
        protocols::StrokeFeedConfig c;
        c.roles = rig::roles_of(prepared->bench);
        c.plan = protocols::planned_strokes(protocols::to_json(prepared->plan)).value();
        auto made = protocols::StrokeFeed::make(streams, c, pointers(detectors));
        if (!made) return void(failure = made.error().message);
        feed.emplace(std::move(*made));
        for (const auto& item : before) std::visit([&](const auto& b) { feed->take(b); }, item);
      }
      const auto take = [&](const auto& item) {
        if (feed) {
          feed->take(item);
        } else {
          before.emplace_back(item);
        }
      };
      if (const auto* block = std::get_if<daq::BlockMessage>(&**message)) take(block->block);
      if (const auto* event = std::get_if<daq::EventMessage>(&**message)) take(event->event);
      if (std::holds_alternative<daq::EndMessage>(**message)) break;
    }
    if (!feed) return void(failure = "the streams were never described");
    feed->finish();
    live = feed->hearings();
  });
  rig::PhantomWish wish;
  wish.seed = 17;
  const auto outcome = go(wish, publication);
  listener.join();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  ASSERT_EQ(failure, "");
  const auto again = all_shipped();
  const auto replay = protocols::hear_run(dir_ + "/run.h5", pointers(again));
  ASSERT_TRUE(replay.ok()) << replay.error().message;
  ASSERT_EQ(live.size(), 2 * protocols::shipped_detectors().size());
  ASSERT_EQ(live.size(), replay->strokes.size());
  std::size_t answers = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    const auto& a = live[i];
    const auto& b = replay->strokes[i].hearing;
    EXPECT_EQ(a.detector, b.detector);
    EXPECT_EQ(a.began.ns, b.began.ns);
    EXPECT_EQ(a.planned.number, b.planned.number);
    ASSERT_EQ(a.detections.size(), b.detections.size()) << a.detector;
    answers += a.detections.size();
    for (std::size_t d = 0; d < a.detections.size(); ++d)
      EXPECT_EQ(std::memcmp(&a.detections[d], &b.detections[d], sizeof(protocols::Detection)), 0) << a.detector;
  }
  EXPECT_GT(answers, 20U);
}

TEST_F(DetectorCourt, TheShippedWeightsAreWhatTrainingGives) {
  if (!full()) GTEST_SKIP() << "48 runs: set STRIGIL_FULL_NULL=1";
  std::vector<protocols::TrainingStroke> strokes;
  for (std::uint64_t seed = 1'001; seed <= 1'048; ++seed) {
    rig::PhantomWish wish;
    wish.seed = seed;
    const auto outcome = go(wish);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    if (outcome->verdict.judgement != protocols::Judgement::kPass) continue;
    auto some = protocols::training_strokes(dir_ + "/run.h5");
    ASSERT_TRUE(some.ok()) << some.error().message;
    std::move(some->begin(), some->end(), std::back_inserter(strokes));
  }
  protocols::BandPowerOptions options;
  options.vibration_rate_Hz = protocols::kBandPowerRate_Hz;
  const auto model = protocols::train_band_power(strokes, options);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto& shipped = protocols::kBandPowerWeights;
  const auto list = [](const protocols::BandFeatures& f) {
    return fmt::format("{{{:.17g}, {:.17g}, {:.17g}, {:.17g}}}", f[0], f[1], f[2], f[3]);
  };
  fmt::print(".mean = {},\n.deviation = {},\n.weight = {},\n.bias = {:.17g}\n", list(model->mean),
             list(model->deviation), list(model->weight), model->bias);
  constexpr double kSame = 1e-9;
  EXPECT_NEAR(model->bias, shipped.bias, kSame);
  for (std::size_t f = 0; f < protocols::kBandFeatures; ++f) {
    EXPECT_NEAR(model->mean[f], shipped.mean[f], kSame);
    EXPECT_NEAR(model->deviation[f], shipped.deviation[f], kSame);
    EXPECT_NEAR(model->weight[f], shipped.weight[f], kSame);
  }
}

}  // namespace
}  // namespace strigil::apps
