#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/ui/screen_without_window.hpp"

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
        if (!name.starts_with("run_")) {
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

TEST(Model, GarbageIsCountedAndChangesNothing) {
  std::mt19937 random(3);
  Model m;
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 200, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    (void)parse_status(text);
    (void)parse_pass(text);
    (void)parse_protocols(text);
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
