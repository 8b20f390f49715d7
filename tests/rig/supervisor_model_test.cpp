// The supervisor's state machine, explored whole: every input from every state that can be reached, with what must be
// true of each step. Reached states are told apart by what the supervisor shows and by what has happened to it.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

#include "rig/supervisor.hpp"

namespace strigil::rig {
namespace {

using daq::from_seconds;
using daq::HostTime;

/// One turn of the loop: what is sensed, what is asked, what the behaviour says.
struct Input {
  std::optional<Command> command;
  std::uint32_t sensed = 0;
  bool stage_lost = false;
  StageState stage = StageState::kIdle;
  bool clear = false;
  BehaviourState behaviour = BehaviourState::kRunning;
  bool late = false;  // so much time has gone by that a retract has failed
  bool emergency = false;
};

std::vector<Input> every_input() {
  std::vector<Input> all;
  for (const std::optional<Command> command :
       {std::optional<Command>{}, std::optional{Command::kReset}, std::optional{Command::kStart},
        std::optional{Command::kAbort}, std::optional{Command::kSuspend}, std::optional{Command::kResume}}) {
    for (const std::uint32_t sensed : {0U, std::uint32_t{kForceGap}}) {
      for (const bool lost : {false, true}) {
        for (const auto stage : {StageState::kIdle, StageState::kMoving}) {
          for (const bool clear : {false, true}) {
            for (const auto behaviour : {BehaviourState::kRunning, BehaviourState::kDone, BehaviourState::kFailed}) {
              for (const bool late : {false, true}) {
                for (const bool emergency : {false, true}) {
                  all.push_back({command, sensed, lost, stage, clear, behaviour, late, emergency});
                }
              }
            }
          }
        }
      }
    }
  }
  return all;
}

/// A supervisor with its interlock, and what has happened to them that matters.
class Subject {
 public:
  /// The turn as Loop::tick() takes it; every promise is checked here.
  void turn(const Input& in) {
    pass(in.late ? from_seconds(20) : from_seconds(0.001));
    Readings r = healthy();
    r.position_received = in.stage_lost ? now_ - from_seconds(2) : now_;
    r.stage = in.stage;
    r.position_m = {0.1, 0.05, in.clear ? -0.004 : -0.03};
    if (in.emergency) supervisor_.emergency_stop();
    emergency_ = emergency_ || in.emergency;

    const auto before = supervisor_.state();
    const bool over_before = supervisor_.over();
    interlock_.evaluate(r, in.sensed, now_);
    const bool latched = interlock_.latched() != 0;
    bool started = false;
    bool suspended = false;
    bool resumed = false;
    if (in.command) {
      const bool taken = supervisor_.apply(*in.command, interlock_, now_);
      started = taken && *in.command == Command::kStart;
      if (taken && *in.command == Command::kStart) {
        ASSERT_EQ(before, SupervisorState::kReady);
        ASSERT_FALSE(latched) << "started with a fault";
      }
      if (taken && *in.command == Command::kReset) {
        ASSERT_EQ(before, SupervisorState::kFaulted);
        ASSERT_EQ(in.sensed, 0U) << "reset while a fault is true";
      }
      if (taken && *in.command == Command::kAbort) abort_seen_ = true;
      if (taken && *in.command == Command::kSuspend) {
        suspended = true;
        ASSERT_EQ(before, SupervisorState::kRunning) << "only what runs can be suspended";
        ASSERT_FALSE(latched) << "suspended with a fault";
      }
      if (taken && *in.command == Command::kResume) {
        resumed = true;
        ASSERT_EQ(before, SupervisorState::kSuspended) << "only what is suspended can go on";
        ASSERT_FALSE(latched) << "went on with a fault";
      }
      if (!over_before && *in.command == Command::kAbort) {
        ASSERT_TRUE(taken) << "an abort is always taken, from a suspension too";
      }
      ASSERT_FALSE(over_before && taken) << "a run that is over took a command";
    }
    r.latched_faults = interlock_.latched();
    const auto judged = supervisor_.state();
    supervisor_.advance(r, in.behaviour, now_);
    const auto after = supervisor_.state();

    if (over_before && !emergency_) {
      ASSERT_EQ(after, before) << "what is over stays over";
    }
    if (emergency_) {
      ASSERT_EQ(after, SupervisorState::kEmergencyStopped);
    }
    if (after == SupervisorState::kEmergencyStopped) {
      ASSERT_TRUE(emergency_);
    }
    if (after == SupervisorState::kRunning) {
      ASSERT_TRUE(before == SupervisorState::kRunning || started || resumed);
      ASSERT_FALSE(suspended) << "told to suspend, and runs";
      ASSERT_EQ(r.latched_faults, 0U) << "runs on with a fault";
      ASSERT_EQ(in.behaviour, BehaviourState::kRunning) << "runs on after its end";
    }
    if (after == SupervisorState::kSuspended) {
      ASSERT_TRUE(before == SupervisorState::kSuspended || suspended) << "suspended by nobody";
      ASSERT_FALSE(resumed);
      ASSERT_EQ(r.latched_faults, 0U) << "a fault in a suspension must trip as ever";
      ASSERT_EQ(in.behaviour, BehaviourState::kRunning) << "its behaviour has given up";
    }
    if (after == SupervisorState::kReady) {
      ASSERT_EQ(r.latched_faults, 0U);
    }
    const bool under_way = judged == SupervisorState::kRunning || judged == SupervisorState::kSuspended;
    if (under_way && !emergency_) {
      ends_well_ = in.behaviour == BehaviourState::kDone && r.latched_faults == 0;
    }
    if (judged == SupervisorState::kAborting && r.latched_faults != 0) ends_well_ = false;
    if (abort_seen_) ends_well_ = false;
    if (judged == SupervisorState::kAborting && in.late && !in.command) {
      ASSERT_TRUE(supervisor_.over()) << "a retract that has failed must end";
    }
    if (after == SupervisorState::kFinished) {
      ASSERT_TRUE(supervisor_.reached_clear()) << "finished and not clear of the phantom";
      ASSERT_TRUE(ends_well_) << "finished after a fault, an abort or a failure";
    }
    if (after == SupervisorState::kFinished && before != after) {
      ASSERT_TRUE(in.clear && in.stage == StageState::kIdle);
    }
  }

  [[nodiscard]] Readings healthy() const {
    Readings r;
    r.now = now_;
    r.force_seen = r.vibration_seen = r.stage_seen = true;
    r.force_received = r.vibration_received = r.position_received = now_;
    r.position_m = {0.1, 0.05, -0.004};
    return r;
  }
  /// Time passes while the interlock looks on: a rig that does not look has a fault of its own (host_stalled).
  void pass(daq::Duration longer) {
    constexpr daq::Duration kLook = std::chrono::milliseconds(500);
    const auto end = now_ + longer;
    while (end - now_ > kLook) {
      now_ = now_ + kLook;
      Readings r = healthy();
      interlock_.evaluate(r, 0, now_);
    }
    now_ = end;
  }

  using Key = std::tuple<SupervisorState, bool, bool, bool, bool, bool>;
  [[nodiscard]] Key key() const {
    return {
        supervisor_.state(), supervisor_.reached_clear(), interlock_.latched() != 0, supervisor_.aborted(), ends_well_,
        emergency_};
  }

 private:
  static StageConfig stage() {
    StageConfig s;
    s.travel_min_m = {0, 0, -0.08};
    s.travel_max_m = {0.2, 0.1, 0};
    s.clear_z_m = -0.005;
    return s;
  }
  static InterlockConfig limits() {
    InterlockConfig l;
    l.force_stale = l.vibration_stale = l.stage_stale = from_seconds(1);
    return l;
  }

  Interlock interlock_{limits(), stage()};
  Supervisor supervisor_{stage()};
  HostTime now_{1'000'000'000};
  bool emergency_ = false;
  bool abort_seen_ = false;
  bool ends_well_ = false;
};

TEST(SupervisorModel, EveryInputInEveryReachableState) {
  const auto inputs = every_input();
  std::map<Subject::Key, std::vector<std::size_t>> reached;  // the shortest way to each
  std::deque<Subject::Key> open;
  reached.emplace(Subject().key(), std::vector<std::size_t>{});
  open.push_back(Subject().key());
  std::size_t turns = 0;
  while (!open.empty()) {
    const auto way = reached.at(open.front());
    open.pop_front();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Subject subject;
      for (const auto step : way) subject.turn(inputs[step]);
      ASSERT_NO_FATAL_FAILURE(subject.turn(inputs[i])) << "input " << i << " after " << way.size() << " turns";
      ++turns;
      auto next = way;
      next.push_back(i);
      if (reached.emplace(subject.key(), std::move(next)).second) open.push_back(subject.key());
    }
  }
  std::map<SupervisorState, int> states;
  for (const auto& [key, way] : reached) ++states[std::get<0>(key)];
  EXPECT_EQ(states.size(), std::size_t{kSupervisorStates}) << "every state of the machine must be reachable";
  RecordProperty("reached", static_cast<int>(reached.size()));
  RecordProperty("turns", static_cast<int>(turns));
}

// What the exploration tells apart by its key could hide something: long ways at random through the same checks.
TEST(SupervisorModel, LongWaysAtRandom) {
  const auto inputs = every_input();
  std::mt19937_64 random(11);
  std::uniform_int_distribution<std::size_t> any(0, inputs.size() - 1);
  std::uniform_int_distribution<int> percent(0, 99);
  std::map<SupervisorState, int> ended;
  int suspended = 0;
  for (int walk = 0; walk < 20'000; ++walk) {
    Subject subject;
    for (int turn = 0; turn < 30; ++turn) {
      Input in = inputs[any(random)];
      // Mostly healthy, or no way would be long.
      if (percent(random) < 90) in.sensed = 0;
      if (percent(random) < 90) in.stage_lost = in.late = false;
      if (percent(random) < 97) in.emergency = false;
      if (percent(random) < 80) in.behaviour = BehaviourState::kRunning;
      ASSERT_NO_FATAL_FAILURE(subject.turn(in)) << "walk " << walk << " turn " << turn;
      if (std::get<0>(subject.key()) == SupervisorState::kSuspended) ++suspended;
    }
    ++ended[std::get<0>(subject.key())];
  }
  EXPECT_GT(ended[SupervisorState::kFinished], 100);
  EXPECT_GT(ended[SupervisorState::kSafe], 100);
  EXPECT_GT(suspended, 1000) << "turns that left it suspended";
}

}  // namespace
}  // namespace strigil::rig
