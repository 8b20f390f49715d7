#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/ui/screen_without_window.hpp"
#include "ui/event_words.hpp"

namespace strigil::ui {
namespace {

/// A bench as `strigil serve` tells of it.
void connect(Model& m, bool in_control, bool armed, const std::string& use = "by_hand") {
  auto& s = m.state;
  s.controller_answers = true;
  s.controller_words.clear();
  s.in_control = in_control;
  s.status.bench = "bench";
  s.status.use = use;
  s.status.armed = armed;
  s.status.supervisor = armed ? "running" : "faulted";
  s.protocols = {"demo", "force", "smoke"};
}

daq::StreamDescription force() {
  daq::StreamDescription d;
  d.name = "force";
  d.quantity = "force";
  d.rate_Hz = 1000;
  for (const char* c : {"Fx", "Fy", "Fz", "Tx", "Ty", "Tz"})
    d.channels.push_back({c, c[0] == 'F' ? "N" : "N m", 1e-6, 0});
  return d;
}

void stream(Model& m, int blocks) {
  const auto d = force();
  daq::Block b;
  b.channels = 6;
  b.samples = 32;
  b.period_ns = 1e6;
  for (int i = 0; i < blocks; ++i) {
    b.t0 = daq::HostTime{1'000'000'000LL + i * 32'000'000LL};
    for (std::size_t v = 0; v < b.value_count(); ++v) b.values[v] = static_cast<float>(v % 7);
    m.take_block(d, b);
  }
}

TEST(Screen, DrawsEveryPageWithoutAnyBench) {
  ScreenWithoutWindow s(1280, 720, 1);
  for (const auto page : {Page::kLive, Page::kOperate, Page::kHealth, Page::kReview}) {
    s.settings.page = page;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(s.frame().empty());
    EXPECT_TRUE(s.screen.landmarks().places().contains("stop"));
    EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, 100);
  }
}

TEST(Screen, EscapeAndTheRedButtonStopOnEveryPageAndAtThePress) {
  ScreenWithoutWindow s(1280, 720, 1);
  connect(s.model, false, true, "running");
  for (const auto page : {Page::kLive, Page::kOperate, Page::kHealth, Page::kReview}) {
    s.settings.page = page;
    (void)s.frame();
    const auto by_key = s.press_key(key::kEscape);
    ASSERT_EQ(by_key.size(), 1U);
    EXPECT_EQ(by_key[0].kind, Wish::Kind::kStop);
    s.point_at("stop");
    (void)s.frame();
    s.mouse(true);
    const auto by_mouse = s.frame();
    ASSERT_EQ(by_mouse.size(), 1U) << "in the very frame in which it is pressed";
    EXPECT_EQ(by_mouse[0].kind, Wish::Kind::kStop);
    s.mouse(false);
    EXPECT_TRUE(s.frame().empty());
  }
}

TEST(Screen, AJogLastsFromThePressToTheRelease) {
  ScreenWithoutWindow s(1280, 720, 1);
  s.settings.page = Page::kOperate;
  connect(s.model, true, true);
  (void)s.frame();
  s.point_at("jog_x_plus");
  (void)s.frame();
  s.mouse(true);
  auto wishes = s.frame();
  ASSERT_GE(wishes.size(), 1U);
  EXPECT_EQ(wishes[0].kind, Wish::Kind::kPress);
  EXPECT_EQ(wishes[0].verb, "jog");
  EXPECT_THAT(wishes[0].arguments, testing::HasSubstr("vx_mm_s"));
  for (int i = 0; i < 5; ++i) {
    wishes = s.frame();
    ASSERT_EQ(wishes.size(), 1U);
    EXPECT_EQ(wishes[0].kind, Wish::Kind::kHold);
  }
  s.mouse(false);
  wishes = s.frame();
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_EQ(wishes[0].kind, Wish::Kind::kRelease);
  EXPECT_TRUE(s.frame().empty());
}

TEST(Screen, NothingMovesWithoutControlOrReset) {
  for (const auto& [control, armed] : {std::pair{false, true}, {true, false}}) {
    ScreenWithoutWindow s(1280, 720, 1);
    s.settings.page = Page::kOperate;
    connect(s.model, control, armed);
    (void)s.frame();
    for (const char* button : {"jog_x_plus", "jog_z_down", "approach", "go_to", "run_demo"}) {
      s.point_at(button);
      (void)s.frame();
      s.mouse(true);
      EXPECT_TRUE(s.frame().empty()) << button;
      s.mouse(false);
      EXPECT_TRUE(s.frame().empty()) << button;
    }
  }
}

TEST(Screen, WhatCanBePressedIsWhollyOnTheScreenAndNotUnderSomethingElse) {
  struct Size {
    float wide, tall, scale;
  };
  for (const auto& size : {Size{1280, 720, 1}, {1920, 1080, 1}, {2560, 1440, 2}, {1920, 1080, 1.5}}) {
    ScreenWithoutWindow s(size.wide, size.tall, size.scale);
    connect(s.model, true, true);
    stream(s.model, 100);
    for (const auto page : {Page::kLive, Page::kOperate, Page::kHealth, Page::kReview}) {
      s.settings.page = page;
      (void)s.frame();
      (void)s.frame();
      const auto& places = s.screen.landmarks().places();
      for (const auto& [name, p] : places) {
        EXPECT_GE(p.low.x, 0) << name;
        EXPECT_LE(p.high.x, size.wide) << name << " at " << size.wide << " x " << size.scale;
        EXPECT_GE(p.low.y, 0) << name;
        if (!name.starts_with("run_") && !name.starts_with("suite_")) {
          EXPECT_LE(p.high.y, size.tall) << name << " at " << size.tall << " x " << size.scale;
        }
        for (const auto& [other, q] : places) {
          if (other <= name) continue;
          const bool apart = p.high.x <= q.low.x || q.high.x <= p.low.x || p.high.y <= q.low.y || q.high.y <= p.low.y;
          EXPECT_TRUE(apart) << name << " and " << other;
        }
      }
    }
  }
}

TEST(Screen, AFaultIsSaidInWords) {
  ScreenWithoutWindow s(1280, 720, 1);
  connect(s.model, true, false);
  s.model.state.status.faults_latched = "force_limit";
  s.model.state.status.advice = "The force was above the limit.";
  (void)s.frame();
  EXPECT_TRUE(s.screen.landmarks().places().contains("trouble"));
}

/// Everything at once that no rig would say, drawn on every page and every tab.
TEST(Screen, DrawsWhateverItWasTold) {
  ScreenWithoutWindow s(1280, 720, 1);
  connect(s.model, true, true, "running");
  auto& m = s.model.state;
  const std::string long_word(5000, 'x');
  m.status.bench = m.status.holder = m.status.words = m.status.protocol = m.status.prompt = m.status.stop_test =
      long_word;
  m.status.steps = -1;
  m.status.step = m.status.left_s = m.status.elapsed_s = std::nan("");
  m.status.x_mm = INFINITY;
  m.status.ticks = 1e300;
  m.status.disk_free_bytes = -INFINITY;
  m.status.last_run = RunStatus{long_word, long_word, "MAYBE", {long_word, ""}};
  m.health.interval_below_us = {0, -1, 1e30F};
  m.health.interval_counts = {1e30F, -5, std::nanf(""), 7};
  m.health.rings = {{"", -1, std::nan(""), 0, 1e300}, {long_word, 5, 5, 1e-300, 0}};
  m.health.dose = {1e9, -1e9, 1e3, 3, {-1, std::nanf(""), 1e30F, 0.5F, INFINITY}};
  m.health.stop_tests = {{"", false, std::nan(""), INFINITY, -1, 1e300, -1e300}, {long_word, true, 1, 1, 1, 1, 1}};
  m.health.certified = true;
  m.health.timing = {{long_word, std::nan(""), INFINITY, -INFINITY, 1e300, {long_word}}};
  m.status.suite = m.status.suite_words = long_word;
  m.status.suite_trial = m.status.suite_trials = std::nan("");
  m.protocols = m.suites = {long_word, "", long_word};
  m.detections = {.run = long_word,
                  .detectors = {long_word, "", "a", "b", "c", "d"},
                  .listening = std::vector<bool>(6),
                  .all = std::vector<Detection>(3000, {.detector = 5, .x_mm = 1e300, .y_mm = -1e300, .score = 1e300}),
                  .left_out = -1};
  m.ledger_json = R"({"rows": [7, {"hop": ["a"], "count": {}}, {"stream": null}]})";
  m.subscribers = {{long_word, true, std::nan(""), ~0ULL, ~0ULL}};
  Pass pass;
  pass.stream = "force";
  pass.first_mm = 1e300;
  pass.bin_mm = 1e300;
  pass.mean = {std::nanf(""), INFINITY, -INFINITY, 1e30F};
  m.passes = {pass, pass};
  stream(s.model, 3);
  auto place = force();
  place.name = "position";
  place.quantity = "position";
  daq::Block wild;
  wild.channels = 6;
  wild.samples = 32;
  wild.t0 = daq::HostTime{1};
  for (std::size_t v = 0; v < wild.value_count(); ++v)
    wild.values[v] = v % 3 == 0 ? INFINITY : v % 3 == 1 ? -1e30F : NAN;
  s.model.take_block(place, wild);
  for (const auto page : {Page::kLive, Page::kOperate, Page::kHealth, Page::kReview}) {
    s.settings.page = page;
    (void)s.frame();
    for (const char* tab : {"tab_signal", "tab_place", "tab_flow", "tab_rig", "tab_trust"}) {
      if (!s.screen.landmarks().places().contains(tab)) continue;
      s.click(tab);
      for (int i = 0; i < 3; ++i) (void)s.frame();
    }
    EXPECT_TRUE(s.screen.landmarks().places().contains("stop"));
    EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, 100);
  }
  // And then it died.
  m.controller_answers = false;
  m.controller_words = long_word;
  for (const auto page : {Page::kLive, Page::kOperate, Page::kHealth, Page::kReview}) {
    s.settings.page = page;
    (void)s.frame();
    EXPECT_TRUE(s.screen.landmarks().places().contains("trouble"));
    EXPECT_FALSE(s.press_key(key::kEscape).empty()) << "the stop is sent all the same";
  }
}

TEST(Screen, APromptIsConfirmedByItsNumber) {
  ScreenWithoutWindow s(1280, 720, 1);
  connect(s.model, false, false);
  s.model.state.status.prompt = "Turn the phantom round.";
  s.model.state.status.prompt_number = 7;
  (void)s.frame();
  const auto wishes = s.click("prompt_done");
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_EQ(wishes[0].verb, "confirm");
  EXPECT_EQ(wishes[0].arguments, R"({"number": 7})");
  s.model.state.status.prompt_confirmed_by = "ben";
  (void)s.frame();
  EXPECT_TRUE(s.click("prompt_done").empty());
}

TEST(Screen, ATriggerStandsStillAtTheCrossing) {
  const std::vector<double> at{1, 2, 3, 4, 5};
  const std::vector<float> values{0, 5, std::nanf(""), 9, 1};
  EXPECT_EQ(first_crossing(at, values, 4, true), 2);
  EXPECT_EQ(first_crossing(at, values, 8, true), std::nullopt) << "across a gap nothing is known";
  EXPECT_EQ(first_crossing(at, values, 2, false), 5);
  EXPECT_EQ(first_crossing(at, {}, 2, false), std::nullopt);
}

TEST(Screen, AReplayEndsWhereTheRunEndsAndBeginsAgain) {
  ReplayHead head;
  head.rate = 2;
  head.play(10, 14);
  head.advance(0, 10, 14);
  EXPECT_EQ(head.at_s, 10);
  head.advance(1, 10, 14);
  EXPECT_EQ(head.at_s, 12);
  head.advance(100, 10, 14);
  EXPECT_EQ(head.at_s, 14);
  EXPECT_FALSE(head.playing);
  head.play(10, 14);
  EXPECT_EQ(head.at_s, 10);
}

TEST(Health, IsReadAsItIsTold) {
  const auto h = parse_health(
      R"({"loop": {"ticks": 5, "overruns": 1, "interval_below_us": [16, 32], "counts": [1, 2, 3]},
          "rings": [{"name": "recorder blocks", "waiting": 3, "most": 9, "capacity": 16, "dropped": 2}, 7],
          "dose": {"x_min_mm": -5, "y_min_mm": 2, "side_mm": 10, "columns": 2, "used": [0.5, 0, "much"]},
          "calibration": {"record": "F-1", "reasons": ["expired"]},
          "stop_tests": [{"at": "2026-11-30T03:00:00Z", "passed": true, "force_trip": {"stopped_ms": 40}}],
          "timing": {"tapped": true, "streams": [{"stream": "force", "bound_p95_s": 2e-6, "problems": ["late"]}]}})");
  ASSERT_TRUE(h.ok());
  EXPECT_EQ(h->interval_counts, (std::vector<float>{1, 2, 3}));
  ASSERT_EQ(h->rings.size(), 2U);
  EXPECT_EQ(h->rings[0].dropped, 2);
  EXPECT_EQ(h->dose.columns, 2U);
  EXPECT_EQ(h->dose.used, (std::vector<float>{0.5F, 0, 0}));
  EXPECT_EQ(h->calibration_reasons, std::vector<std::string>{"expired"});
  ASSERT_EQ(h->stop_tests.size(), 1U);
  EXPECT_EQ(h->stop_tests[0].trip_ms, 40);
  EXPECT_TRUE(std::isnan(h->stop_tests[0].abort_ms));
  EXPECT_NEAR(h->timing.at(0).bound_us, 2, 1e-9);
  const auto none = parse_health(R"({"loop": [], "rings": {}, "dose": {"columns": 1e99, "used": [1]}, "timing": null,
                                     "calibration": 3, "stop_tests": "none"})");
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->rings.empty());
  EXPECT_EQ(none->dose.columns, 0U);
  EXPECT_FALSE(none->certified);
  EXPECT_FALSE(parse_health("nothing").ok());
}

TEST(Events, AreSaidInWords) {
  const auto words = [](daq::EventCode code, std::array<double, 4> arguments, const char* detail = "") {
    daq::Event e;
    e.code = code;
    e.source = 1;
    e.arguments = arguments;
    daq::set_detail(e, detail);
    return words_of(e);
  };
  using daq::EventCode;
  EXPECT_EQ(words(EventCode::kStageState, {4, 1, 0, 0}), "stage: Jog, was Idle");
  EXPECT_EQ(words(EventCode::kSupervisorState, {6, 2, 0, 0}), "rig: emergency stopped, was running");
  EXPECT_EQ(words(EventCode::kStepBegan, {6, 6, 0, 0}), "step 7 begins: stroke");
  EXPECT_EQ(words(EventCode::kStepEnded, {6, 8, 0, 0}), "step 7 ends: overforce");
  EXPECT_EQ(words(EventCode::kInterlockTrip, {2, 12.3, 0.05, -0.03}),
            "interlock tripped: force_limit, at 12.30 N, x 50.0 mm, z -30.00 mm");
  EXPECT_EQ(words(EventCode::kLinkClosed, {}, "gone"), "force sensor: its link has closed: gone");
  // What no rig of today says is no reason to stumble.
  EXPECT_EQ(words(EventCode::kStageState, {99, -1, 0, 0}), "stage: 99, was -1");
  for (const double wild : std::initializer_list<double>{NAN, INFINITY, -1e300, 1e300, 0.5}) {
    for (int code = 0; code < 70; ++code) {
      EXPECT_FALSE(words(static_cast<EventCode>(code), {wild, wild, wild, wild}).empty()) << code;
    }
  }
}

TEST(Detections, AreGoneOnWithAndBegunAnewWithAnotherRun) {
  const auto answer = [](const char* run, int count, int from, const char* rows) {
    return fmt::format(R"({{"run": "{}", "detectors": [{{"name": "glr", "listening": true}}], "count": {}, "from": {},
                           "detections": [{}]}})",
                       run, count, from, rows);
  };
  const char* row = R"({"detector": 0, "x_mm": 12.5, "y_mm": 3, "at_s": 1, "known_s": 2, "score": 4})";
  Detections d;
  take_detections(answer("a", 1, 0, row), d);
  take_detections(answer("a", 2, 1, row), d);
  ASSERT_EQ(d.all.size(), 2U);
  EXPECT_EQ(d.all[1].x_mm, 12.5);
  EXPECT_EQ(d.detectors, std::vector<std::string>{"glr"});
  take_detections(answer("a", 3, 0, row), d);
  EXPECT_EQ(d.all.size(), 2U) << "an answer to an old question";
  take_detections(answer("a", 3, 2, R"({"detector": 1, "x_mm": 1, "at_s": 1, "known_s": 1, "score": 1})"), d);
  take_detections(answer("a", 3, 2, R"({"detector": 0, "x_mm": null, "at_s": 1, "known_s": 1, "score": 1})"), d);
  EXPECT_EQ(d.all.size(), 2U) << "of nobody, and nowhere";
  take_detections(answer("b", 0, 0, ""), d);
  EXPECT_TRUE(d.all.empty());
}

TEST(RunEnd, HasDoseDetectionsAndVerdict) {
  const auto end = parse_run_end(
      R"({"verdict": {"judgement": "FAIL", "reasons": [{"text": "soft"}]},
          "dose": {"grid": {"min_x_m": 0.01, "min_y_m": -0.02, "columns": 3, "rows": 2, "area_side_m": 0.01},
                   "limits": {"max_time_s": 60, "max_strokes": 30, "max_impulse_N_s": null, "max_work_J": 20},
                   "areas": [{"column": 2, "row": 1, "time_s": 6, "strokes": 15, "impulse_N_s": 1e9, "work_J": 1},
                             {"column": 3, "row": 0, "time_s": 60}]},
          "detectors": [{"name": "glr", "strokes": [{"detections": [
              {"x_mm": 40, "at_s": 1, "known_s": 1.5, "score": 9}, {"x_mm": "here"}]}]}]})");
  EXPECT_EQ(end.verdict, "FAIL\nsoft");
  ASSERT_EQ(end.dose.columns, 3U);
  EXPECT_NEAR(end.dose.x_min_mm, 10, 1e-9);
  EXPECT_EQ(end.dose.used, (std::vector<float>{0, 0, 0, 0, 0, 0.5F})) << "half of the strokes is the most of any";
  ASSERT_EQ(end.detections.all.size(), 1U);
  EXPECT_EQ(end.detections.all[0].score, 9);
  EXPECT_EQ(end.detections.left_out, 1);
  EXPECT_EQ(parse_run_end(R"({"dose": {"grid": {"columns": 1e9, "rows": 1e9, "area_side_m": 1}}})").dose.columns, 0U);
}

/// By the arrow keys alone: what moves the stage can be reached and held down.
TEST(Screen, TheKeyboardReachesAJogAndHoldsIt) {
  ScreenWithoutWindow s(1280, 720, 1);
  auto& io = ImGui::GetIO();
  io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
  io.KeyMap[ImGuiKey_Space] = key::kSpace;
  constexpr int kRight = 262;
  constexpr int kDown = 264;
  io.KeyMap[ImGuiKey_RightArrow] = kRight;
  io.KeyMap[ImGuiKey_DownArrow] = kDown;
  s.settings.page = Page::kOperate;
  connect(s.model, true, true);
  (void)s.frame();
  bool jogged = false;
  for (int step = 0; step < 40 && !jogged; ++step) {
    (void)s.press_key(step % 6 == 5 ? kRight : kDown);
    io.KeysDown[key::kSpace] = true;
    std::size_t holds = 0;
    for (int i = 0; i < 5; ++i) {
      for (const auto& w : s.frame()) holds += w.kind == Wish::Kind::kHold ? 1U : 0U;
    }
    io.KeysDown[key::kSpace] = false;
    bool released = false;
    for (int i = 0; i < 2; ++i) {
      for (const auto& w : s.frame()) released = released || w.kind == Wish::Kind::kRelease;
    }
    jogged = holds >= 3 && released;
  }
  EXPECT_TRUE(jogged);
}

TEST(Model, GarbageIsCountedAndChangesNothing) {
  std::mt19937 random(3);
  Model m;
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 200, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    (void)parse_status(text);
    (void)parse_health(text);
    (void)parse_pass(text);
    (void)parse_library(text, "protocols");
    (void)parse_run_end(text);
    Detections detections;
    take_detections(text, detections);
    EXPECT_TRUE(detections.all.empty());
  }
  daq::DocumentMessage profile;
  profile.kind = daq::MessageKind::kProfile;
  profile.json = R"({"stream":"force","bins":{"mean":"many"}})";
  m.take(profile);
  EXPECT_EQ(m.state.malformed, 1U);
  EXPECT_TRUE(m.state.passes.empty());
  daq::BlockMessage block;
  block.stream = "never_described";
  block.block.channels = 3;
  block.block.samples = 1;
  m.take(block);
  EXPECT_TRUE(m.state.streams.empty());
}

TEST(Status, EverythingOfAnotherTypeIsAsIfItWereNotThere) {
  const auto s = parse_status(R"({"bench": 5, "use": ["by_hand"], "armed": "yes", "readings": 7, "faults": {"now": 1},
                                  "last_run": {"judgement": "PASS", "reasons": ["a", 5]}, "disk_free_bytes": "much"})");
  ASSERT_TRUE(s.ok());
  EXPECT_EQ(s->bench, "");
  EXPECT_FALSE(s->armed);
  EXPECT_TRUE(std::isnan(s->normal_force_N));
  ASSERT_TRUE(s->last_run.has_value());
  EXPECT_EQ(s->last_run->reasons, std::vector<std::string>{"a"});
  EXPECT_FALSE(parse_status("[]").ok());
}

}  // namespace
}  // namespace strigil::ui
