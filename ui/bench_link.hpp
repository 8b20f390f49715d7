// Bench link: the threads between a screen and a bench: one that asks and obeys the operator, one that stops, one that
// listens. The screen's own thread never waits for any of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daq/publish/curve.hpp"
#include "daq/result.hpp"
#include "ui/model.hpp"

namespace strigil::ui {

struct BenchLinkConfig {
  std::string control;  ///< endpoint of the control channel
  std::string client;   ///< who sits here
  std::optional<daq::CurveClientKeys> curve = std::nullopt;
};

/// Fills `model`, which outlives it. Connects again by itself, for ever; what the bench says of itself and why it does
/// not answer is in the model.
class BenchLink {
 public:
  BenchLink(Model& model, const BenchLinkConfig& config);
  ~BenchLink();
  BenchLink(const BenchLink&) = delete;
  BenchLink& operator=(const BenchLink&) = delete;

  /// Asks for something; its refusal, if any, comes into the model's words. Any thread. Requests that wait for longer
  /// than a second are dropped: a late command is worse than none.
  void ask(const std::string& verb, const std::string& arguments_json = "{}");
  /// The emergency stop: a thread and a socket of its own, asked again until the bench has confirmed. Any thread.
  void stop();
  /// A jog, move or approach, for as long as hold() is called at least every 150 ms. Any thread.
  void press(const std::string& verb, const std::string& arguments_json);
  void hold();
  /// The switch is let go. Any thread.
  void release();

 private:
  struct Wanted {
    std::string verb;
    std::string arguments;
    daq::HostTime asked;
  };
  void converse();
  void stop_when_asked();
  void listen();

  Model& model_;
  const BenchLinkConfig config_;
  std::atomic<bool> leaving_{false};
  std::mutex mutex_;  // the rest, but for the threads
  std::condition_variable wake_;
  std::deque<Wanted> wanted_;
  bool held_ = false;
  daq::HostTime held_at_;
  bool stop_wanted_ = false;
  std::thread converser_;
  std::thread stopper_;
  std::thread listener_;
};

}  // namespace strigil::ui
