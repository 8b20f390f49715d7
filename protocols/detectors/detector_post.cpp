#include "protocols/detectors/detector_post.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "daq/control/mailbox.hpp"
#include "daq/publish/subscriber.hpp"
#include "protocols/court/stroke_feed.hpp"
#include "protocols/detectors/answer_message.hpp"
#include "protocols/plan.hpp"

namespace strigil::protocols {
namespace {

constexpr auto kIdle = std::chrono::milliseconds(20);
constexpr auto kHeardOfData = std::chrono::milliseconds(50);
constexpr auto kHeardOfTime = std::chrono::milliseconds(250);

class Post {
 public:
  Post(const DetectorPostConfig& config, Detector& detector) : config_(config), detector_(detector) {}

  daq::Result<void> run() {
    auto subscriber = daq::Subscriber::connect({.endpoint = config_.endpoint, .curve = config_.curve});
    if (!subscriber) return subscriber.error();
    auto desk = daq::Correspondent::connect(config_.answers, config_.curve);
    if (!desk) return desk.error();
    desk_ = std::move(*desk);
    say(HelloAnswer{detector_.name(), config_.version, 1, detector_.answers_per_lane()});
    const auto letter = desk_->receive(config_.silence);
    if (!letter) return daq::Error{fmt::format("nobody welcomes a detector at '{}'", config_.answers)};
    auto welcome = decode_welcome(letter->topic, letter->text);
    if (!welcome) return welcome.error();
    welcome_ = std::move(*welcome);
    auto last = daq::host_now();
    while (!ended_) {
      auto message = (*subscriber)->poll(kIdle);
      if (!message) continue;  // malformed: it has counted it
      if (*message) {
        last = daq::host_now();
        if (auto taken = take(**message); !taken) return taken.error();
        while (desk_->receive(daq::Duration::zero())) {
        }
      } else if (daq::host_now() - last > config_.silence) {
        return daq::Error{fmt::format("nothing came from '{}' for {:.0f} s, and no end", config_.endpoint,
                                      daq::seconds(config_.silence))};
      }
      tell_heard(!*message);
      if (undelivered_) return daq::Error{fmt::format("the desk at '{}' takes no answers any more", config_.answers)};
    }
    say(ByeAnswer{});
    return {};
  }

 private:
  daq::Result<void> take(const daq::Message& message) {
    if (const auto* stream = std::get_if<daq::StreamMessage>(&message)) {
      const auto& d = stream->description;
      const bool known = std::any_of(streams_.begin(), streams_.end(), [&](const auto& s) { return s.id == d.id; });
      if (!known) streams_.push_back(d);
      return {};
    }
    const auto* block = std::get_if<daq::BlockMessage>(&message);
    const auto* event = std::get_if<daq::EventMessage>(&message);
    ended_ = std::holds_alternative<daq::EndMessage>(message);
    if (block == nullptr && event == nullptr && !ended_) return {};
    if (!feed_) {
      StrokeFeedConfig config;
      config.roles = welcome_.roles;
      config.vibration_channel = welcome_.vibration_channel;
      config.plan = welcome_.strokes;
      auto feed = StrokeFeed::make(streams_, std::move(config), {&detector_});
      if (!feed) return feed.error();
      feed_.emplace(std::move(*feed));
    }
    if (block != nullptr) {
      heard_ = std::max(heard_, block->block.received);
      feed_->take(block->block);
    } else if (event != nullptr) {
      heard_ = std::max(heard_, event->event.at);
      note_stroke(event->event);
      feed_->take(event->event);
    } else {
      feed_->finish();
    }
    answer();
    return {};
  }

  void note_stroke(const daq::Event& event) {
    if (event.code != daq::EventCode::kStepBegan) return;
    if (static_cast<StepKind>(static_cast<int>(event.arguments[1])) != StepKind::kStroke) return;
    strokes_.push_back({static_cast<std::size_t>(std::max(0.0, event.arguments[0])), event.at.ns});
  }

  /// What is fresh belongs to the strokes that have just ended as far as they have more than was told, the rest to the
  /// one that goes on.
  void answer() {
    auto fresh = std::move(feed_->fresh().front());
    std::size_t from = 0;
    for (const auto& ended : feed_->hearings()) {
      const StrokeId stroke{ended.planned.step, ended.began.ns};
      const auto rest = ended.detections.size() - told_;
      tell(stroke, {fresh.data() + from, rest});
      from += rest;
      if (ended.asked_for_truth) say(AskAnswer{"truth"});
      say(DoneAnswer{stroke, ended.detections.size()});
      told_ = 0;
      if (!strokes_.empty()) strokes_.pop_front();
    }
    if (from == fresh.size()) return;
    tell(strokes_.front(), {fresh.data() + from, fresh.size() - from});
    told_ += fresh.size() - from;
  }

  void tell(const StrokeId& stroke, std::span<const Detection> detections) {
    for (std::size_t i = 0; i < detections.size(); i += kMostDetectionsInMessage) {
      const auto some = detections.subspan(i, std::min(kMostDetectionsInMessage, detections.size() - i));
      say(DetectionsAnswer{stroke, {some.begin(), some.end()}});
    }
  }

  void tell_heard(bool idle) {
    const auto now = daq::host_now();
    const bool news = heard_ > said_heard_ && (idle || heard_ - said_heard_ >= kHeardOfData);
    if (!news && now - said_at_ < kHeardOfTime) return;
    said_heard_ = heard_;
    said_at_ = now;
    say(HeardAnswer{heard_.ns});
  }

  void say(const Answer& answer) {
    const auto text = encode(answer);
    undelivered_ = !desk_->send(text.topic, text.json) || undelivered_;
  }

  const DetectorPostConfig& config_;
  Detector& detector_;
  std::unique_ptr<daq::Correspondent> desk_;
  Welcome welcome_;
  std::vector<daq::StreamDescription> streams_;
  std::optional<StrokeFeed> feed_;
  std::deque<StrokeId> strokes_;  // begun, and not yet told to have ended
  std::size_t told_ = 0;          // of the first of them
  daq::HostTime heard_;
  daq::HostTime said_heard_;
  daq::HostTime said_at_;
  bool ended_ = false;
  bool undelivered_ = false;
};

}  // namespace

daq::Result<void> answer_run(const DetectorPostConfig& config, Detector& detector) {
  return Post(config, detector).run();
}

}  // namespace strigil::protocols
