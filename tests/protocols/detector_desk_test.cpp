// The desk against detectors that are late, flood it, make no sense or say what they cannot know: letter by letter.
#include "protocols/detectors/detector_desk.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <thread>

#include "daq/control/mailbox.hpp"

namespace strigil::protocols {
namespace {

using daq::HostTime;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr auto kOnItsWay = std::chrono::seconds(10);

/// A desk, and who writes to it by hand. Two strokes of 100 mm, from 10 s and from 20 s, 5 s each.
class Desk : public ::testing::Test {
 protected:
  Desk() {
    DeskConfig config;
    config.rules = {.window_s = 0.5, .patience_s = 2, .deadline_s = 30};
    auto opened = DetectorDesk::open(config);
    EXPECT_TRUE(opened) << opened.error().message;
    desk_ = std::move(*opened);
    StrokeFeedConfig run;
    run.plan[3] = {.step = 3, .phase = "scan", .number = 0, .of = 2};
    desk_->begin("a run", run);
    pen_ = pen();
  }
  std::unique_ptr<daq::Correspondent> pen() {
    auto made = daq::Correspondent::connect(desk_->endpoint());
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  void say(const Answer& answer) {
    const auto text = encode(answer);
    ASSERT_TRUE(pen_->send(text.topic, text.json));
  }
  daq::Letter come() {
    say(HelloAnswer{"sham", "1"});
    EXPECT_TRUE(desk_->wait_for_hello(kOnItsWay));
    return pen_->receive(kOnItsWay).value_or(daq::Letter{});
  }
  /// Everything that was sent before has been read: letters come in order, and the answer to this one is awaited.
  std::string ask(const std::string& what) {
    say(AskAnswer{what});
    for (int i = 0; i < 1000; ++i) {
      desk_->published({published_s_ * kSecond});
      if (const auto letter = pen_->receive(std::chrono::milliseconds(10))) return letter->text;
    }
    return {};
  }
  void published(std::int64_t s) {
    published_s_ = s;
    desk_->published({s * kSecond});
  }
  static StrokeHearing stroke(std::size_t step, std::int64_t began_s) {
    StrokeHearing h;
    h.planned.step = step;
    h.began = {began_s * kSecond};
    h.ended = {(began_s + 5) * kSecond};
    for (int i = 0; i <= 100; ++i) h.track.push_back({static_cast<double>(began_s) + 0.05 * i, static_cast<double>(i)});
    return h;
  }
  DeskHearing finish() { return desk_->finish({stroke(3, 10), stroke(4, 20)}); }
  static std::vector<DeskFault> faults(const DeskHearing& h) {
    std::vector<DeskFault> out;
    for (const auto& f : h.findings) out.push_back(f.of);
    return out;
  }

  std::unique_ptr<DetectorDesk> desk_;
  std::unique_ptr<daq::Correspondent> pen_;
  std::int64_t published_s_ = 0;
};

const StrokeId kFirst{3, 10 * kSecond};
const StrokeId kSecondOne{4, 20 * kSecond};

TEST_F(Desk, HearsAnHonestDetectorToTheBitAndTellsWhatItMayKnow) {
  const auto welcome = come();
  const auto read = decode_welcome(welcome.topic, welcome.text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->strokes.at(3).of, 2U);
  EXPECT_EQ(read->strokes.at(3).phase, "scan");
  published(26);
  const Detection first{40.000000000000007, 12.1, 12.100000000000001, 0.1 + 0.2};
  const Detection second{99, std::numeric_limits<double>::quiet_NaN(), 14.96, 3};
  say(DetectionsAnswer{kFirst, {first, second}});
  say(DoneAnswer{kFirst, 2});
  say(DoneAnswer{kSecondOne, 0});
  say(HeardAnswer{26 * kSecond});
  say(ByeAnswer{});
  desk_->wait_for_slowest();
  desk_->wait_for_bye();
  const auto heard = finish();
  EXPECT_THAT(faults(heard), ::testing::IsEmpty()) << heard.findings.front().words;
  EXPECT_EQ(heard.detector, "sham");
  ASSERT_EQ(heard.strokes.at(0).detections.size(), 2U);
  const auto& got = heard.strokes[0].detections[0];
  EXPECT_EQ(got.position_mm, first.position_mm);
  EXPECT_EQ(got.at_s, first.at_s);
  EXPECT_EQ(got.answered_s, first.answered_s);
  EXPECT_EQ(got.score, first.score);
  EXPECT_TRUE(std::isnan(heard.strokes[0].detections[1].at_s));
  EXPECT_EQ(heard.lag.answers, 2U);
}

TEST_F(Desk, NamesAnswersThatKnewMoreThanTheDataSaid) {
  come();
  published(11);
  say(DetectionsAnswer{kFirst,
                       {{10, 10.5, 10.6, 1},     // honest
                        {60, 10.5, 10.6, 1},     // the instrument was at 12 mm then
                        {10, 10.7, 10.6, 1},     // speaks of what comes after its data
                        {50, 12.5, 12.6, 1}}});  // data that nobody had published
  say(DoneAnswer{kFirst, 4});
  say(DoneAnswer{kSecondOne, 0});
  EXPECT_THAT(ask("truth"), ::testing::HasSubstr("nobody"));
  published(26);
  say(ByeAnswer{});
  desk_->wait_for_bye();
  const auto heard = finish();
  EXPECT_THAT(faults(heard), ::testing::ElementsAre(DeskFault::kClairvoyant, DeskFault::kAskedForTruth));
  EXPECT_EQ(heard.strokes[0].before_the_data, 3U);
  EXPECT_EQ(heard.strokes[1].before_the_data, 0U);
  EXPECT_TRUE(heard.strokes[0].asked_for_truth);
  EXPECT_FALSE(heard.strokes[1].asked_for_truth);
}

TEST_F(Desk, CountsWhatMakesNoSenseAndGoesOn) {
  ASSERT_TRUE(pen_->send("strigil/1/detector/heard", R"({"until_ns": 1})"));  // before hello
  come();
  published(26);
  const std::pair<const char*, std::string> letters[] = {
      {"strigil/2/detector/heard", R"({"until_ns": 1})"},
      {"strigil/1/detector/sing", "{}"},
      {"strigil/1/detector/heard", R"({"until_ns": 1.5})"},
      {"strigil/1/detector/heard", R"({"until_ns": 18446744073709551615})"},
      {"strigil/1/detector/heard", "[1]"},
      {"strigil/1/detector/heard", "{"},
      {"strigil/1/detector/heard", std::string(200, '[') + std::string(200, ']')},
      {"strigil/1/detector/heard", std::string(70'000, ' ') + R"({"until_ns": 1})"},
      {"strigil/1/detector/done", R"({"step": -1, "began_ns": 0, "detections": 0})"},
      {"strigil/1/detector/done", R"({"step": 3, "began_ns": 0})"},
      {"strigil/1/detector/detections",
       R"({"step": 3, "began_ns": 10000000000, "detections": [{"x_mm": 1e999, "at_s": 1, "known_s": 1, "score": 1}]})"},
      {"strigil/1/detector/detections",
       R"({"step": 3, "began_ns": 10000000000, "detections": [{"x_mm": 1, "at_s": 1, "known_s": null, "score": 1}]})"},
      {"strigil/1/detector/detections", R"({"step": 3, "began_ns": 10000000000, "detections": [7]})"},
      {"strigil/1/detector/hello", R"({"name": "a\nb", "version": "1"})"},
      {"strigil/1/detector/hello", R"({"name": "second", "version": "1"})"}};
  for (const auto& [topic, text] : letters) ASSERT_TRUE(pen_->send(topic, text));
  say(DoneAnswer{kFirst, 0});
  say(DetectionsAnswer{kFirst, {{10, 11, 11, 1}}});  // after done
  say(DoneAnswer{{4, 21 * kSecond}, 0});             // a stroke that never was
  say(DoneAnswer{kSecondOne, 1});                    // and another number than came
  const auto stranger = pen();
  ASSERT_TRUE(stranger->send("strigil/1/detector/bye", "{}"));  // of no seat: neither heard nor held against anybody
  EXPECT_THAT(ask("weather"), ::testing::HasSubstr("said so already"));
  say(ByeAnswer{});
  desk_->wait_for_bye();
  EXPECT_FALSE(desk_->gave_up());
  const auto heard = finish();
  EXPECT_THAT(faults(heard), ::testing::ElementsAre(DeskFault::kMalformed, DeskFault::kIncomplete));
  EXPECT_THAT(heard.findings[0].words, ::testing::StartsWith("18 "));
  EXPECT_THAT(heard.strokes[0].detections, ::testing::IsEmpty());
}

TEST_F(Desk, IsNotFloodedAndDoesNotWaitForOneThatHangs) {
  come();
  published(16);
  const std::vector<Detection> many(kMostDetectionsInMessage, Detection{10, 11, 11, 1});
  for (int i = 0; i < 12; ++i) say(DetectionsAnswer{kFirst, many});
  (void)ask("weather");
  published(26);
  desk_->wait_for_slowest();  // nothing more is said
  EXPECT_TRUE(desk_->gave_up());
  const auto heard = finish();
  EXPECT_THAT(faults(heard), ::testing::ElementsAre(DeskFault::kHung, DeskFault::kFlooding));
  EXPECT_EQ(heard.strokes[0].detections.size(), 10'000U);
  EXPECT_THAT(heard.findings[1].words, ::testing::StartsWith("2000 "));
}

TEST(DeskLagFinding, ALateAnswerIsSlowAndNoAnswerNeverCame) {
  DeskConfig config;
  config.rules = {.window_s = 0.5, .patience_s = 5, .deadline_s = 0.001};
  config.unnamed = "nobody";
  auto desk = DetectorDesk::open(config);
  ASSERT_TRUE(desk);
  (*desk)->begin("a run", {});
  auto pen = daq::Correspondent::connect((*desk)->endpoint());
  ASSERT_TRUE(pen);
  const auto say = [&](const Answer& answer) {
    const auto text = encode(answer);
    ASSERT_TRUE((*pen)->send(text.topic, text.json));
  };
  say(HelloAnswer{"late", "1"});
  ASSERT_TRUE((*desk)->wait_for_hello(kOnItsWay));
  (*desk)->published({11 * kSecond});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // this is what makes it late
  say(DetectionsAnswer{{3, 10 * kSecond}, {{0, 10.5, 10.5, 1}}});
  say(ByeAnswer{});
  (*desk)->wait_for_bye();
  const auto heard = (*desk)->finish({});
  ASSERT_FALSE(heard.findings.empty());
  EXPECT_EQ(heard.findings.front().of, DeskFault::kSlow);

  auto empty = DetectorDesk::open(config);
  ASSERT_TRUE(empty);
  const auto none = (*empty)->finish({});
  ASSERT_EQ(none.findings.size(), 1U);
  EXPECT_EQ(none.findings.front().of, DeskFault::kNeverCame);
  EXPECT_EQ(none.detector, "nobody");
  config.rules.window_s = 0;
  EXPECT_FALSE(DetectorDesk::open(config));
}

}  // namespace
}  // namespace strigil::protocols
