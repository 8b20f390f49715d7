#include "protocols/court/stroke_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "protocols/plan.hpp"
#include "protocols/runner.hpp"
#include "rig/frames.hpp"

namespace strigil::protocols {
namespace {

constexpr double kMilli = 1e3;
constexpr double kTrackStep_mm = 0.5;
constexpr daq::Duration kForgotten = 2 * StrokeFeed::kSlack;  // of samples while the position is silent

double seconds_of(daq::HostTime at) { return daq::seconds(daq::Duration{at.ns}); }
daq::HostTime middle_of(const ReadbackStretch& s) { return s.from.at + (s.to.at - s.from.at) / 2; }

/// A whole number that an event carries; -1: none that could mean anything.
int whole(double v) {
  constexpr double kMost = 1e9;
  return v >= 0 && v <= kMost ? static_cast<int>(v) : -1;
}

const daq::StreamDescription* stream_of(const std::vector<daq::StreamDescription>& streams, const std::string& what) {
  const auto found = std::find_if(streams.begin(), streams.end(), [&](const auto& s) { return s.quantity == what; });
  return found == streams.end() ? nullptr : &*found;
}

}  // namespace

double StrokeHearing::reached_s(double x_mm) const noexcept {
  if (track.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto behind = [&](const TrackPoint& p) { return direction * (p.x_mm - x_mm) < 0; };
  const auto next = std::find_if_not(track.begin(), track.end(), behind);
  if (next == track.end()) return std::numeric_limits<double>::quiet_NaN();
  if (next == track.begin()) return next->at_s;
  const auto& before = *(next - 1);
  const double way = next->x_mm - before.x_mm;
  return way == 0 ? next->at_s : before.at_s + (next->at_s - before.at_s) * (x_mm - before.x_mm) / way;
}

StrokeFeed::StrokeFeed(StrokeFeedConfig config, std::vector<Detector*> detectors)
    : config_(std::move(config)), detectors_(std::move(detectors)), fresh_(detectors_.size()) {}

daq::Result<StrokeFeed> StrokeFeed::make(const std::vector<daq::StreamDescription>& streams, StrokeFeedConfig config,
                                         std::vector<Detector*> detectors) {
  const auto* position = stream_of(streams, "position");
  if (position == nullptr || position->channels.size() < rig::kAxes) {
    return daq::Error{"there is no stream of positions in x, y and z: no sample can be placed"};
  }
  const auto* force = stream_of(streams, "force");
  const auto channel = std::max(config.roles.normal_channel, config.roles.tangential_channel);
  if (force == nullptr || force->channels.size() <= channel) {
    return daq::Error{fmt::format("there is no stream of forces with a channel {}", channel)};
  }
  StrokeFeed feed(std::move(config), std::move(detectors));
  feed.position_ = position->id;
  feed.force_.there = true;
  feed.force_.id = force->id;
  if (const auto* vibration = stream_of(streams, "acceleration");
      vibration != nullptr && !vibration->channels.empty()) {
    feed.vibration_.there = true;
    feed.vibration_.id = vibration->id;
    feed.config_.vibration_channel = std::min(feed.config_.vibration_channel, vibration->channels.size() - 1);
  }
  return feed;
}

void StrokeFeed::take(const daq::Event& event) {
  if (event.code == daq::EventCode::kTare) {
    zero_normal_N_ = event.arguments[0];
    zero_tangential_N_ = event.arguments[1];
    return;
  }
  const bool began = event.code == daq::EventCode::kStepBegan;
  if (!began && event.code != daq::EventCode::kStepEnded) return;
  if (!strokes_.empty() && !strokes_.back().closed) {
    auto& s = strokes_.back();
    s.closed = true;
    s.ended = std::max(event.at, s.began);
    // A step that begins before the stroke has ended: its end was lost.
    s.broken_off = began || whole(event.arguments[1]) != static_cast<int>(StepOutcome::kDone);
  }
  if (began && whole(event.arguments[1]) == static_cast<int>(StepKind::kStroke) && whole(event.arguments[0]) >= 0) {
    Stroke s;
    s.began = event.at;
    s.step = static_cast<std::size_t>(whole(event.arguments[0]));
    s.zero_normal_N = zero_normal_N_;
    s.zero_tangential_N = zero_tangential_N_;
    strokes_.push_back(std::move(s));
  }
  feed_pieces();
}

void StrokeFeed::take(const daq::Block& block) {
  const auto value = [&](std::size_t sample, std::size_t channel) {
    return static_cast<double>(block.values[sample * block.channels + channel]);
  };
  const auto& roles = config_.roles;
  const auto put = [&](Stream& stream, std::size_t sample, double first, double second) {
    const auto at = std::max(time_of(block, sample), stream.known_until);  // a clock fit that moved swaps no samples
    stream.known_until = at;
    stream.waiting.push_back({at, first, second});
  };
  if (block.stream == position_ && block.channels >= rig::kAxes) {
    for (std::size_t s = 0; s < block.samples; ++s) {
      const auto stretch =
          line_.add({time_of(block, s), block.bound, {value(s, rig::kX), value(s, rig::kY), value(s, rig::kZ)}});
      if (stretch) stretches_.push_back(*stretch);
    }
  } else if (force_.there && block.stream == force_.id &&
             block.channels > std::max(roles.normal_channel, roles.tangential_channel)) {
    for (std::size_t s = 0; s < block.samples; ++s) {
      const rig::EdgeForce measured{roles.normal_sign * value(s, roles.normal_channel),
                                    roles.tangential_sign * value(s, roles.tangential_channel)};
      const auto felt = roles.lean_rad == 0 ? measured : rig::upright(measured, roles.lean_rad);
      put(force_, s, felt.normal_N, felt.tangential_N);
    }
  } else if (vibration_.there && block.stream == vibration_.id && block.channels > config_.vibration_channel) {
    for (std::size_t s = 0; s < block.samples; ++s) put(vibration_, s, value(s, config_.vibration_channel), 0);
  } else {
    return;
  }
  for (auto* stream : {&force_, &vibration_}) {
    while (!stream->waiting.empty() && stream->known_until - stream->waiting.front().at > kForgotten)
      stream->waiting.pop_front();
  }
  cut_stretches();
  feed_pieces();
}

bool StrokeFeed::complete(const Stream& stream, daq::HostTime until) const noexcept {
  return !stream.there || finished_ || stream.known_until >= until || line_.last()->at - until >= kSlack;
}

void StrokeFeed::cut_stretches() {
  while (!stretches_.empty()) {
    const auto stretch = stretches_.front();
    if (!complete(force_, stretch.to.at) || !complete(vibration_, stretch.to.at)) return;
    stretches_.pop_front();
    cut_until_ = stretch.to.at;
    Piece piece{stretch, {}, {}};
    const bool moves = std::abs(stretch.speed_m_s(rig::kX)) >= config_.least_speed_m_s;
    const auto cut = [&](Stream& stream, auto&& keep) {
      while (!stream.waiting.empty() && stream.waiting.front().at < stretch.to.at) {
        const auto& s = stream.waiting.front();
        if (moves && stretch.holds(s.at)) keep(s);
        stream.waiting.pop_front();
      }
    };
    const double speed_mm_s = stretch.speed_m_s(rig::kX) * kMilli;
    const auto at_mm = [&](std::size_t axis, daq::HostTime at) { return stretch.position_m(axis, at) * kMilli; };
    cut(force_, [&](const Sample& s) {
      piece.contact.push_back({seconds_of(s.at), at_mm(rig::kX, s.at), at_mm(rig::kY, s.at), at_mm(rig::kZ, s.at),
                               speed_mm_s, s.first, s.second});
    });
    cut(vibration_, [&](const Sample& s) {
      piece.vibration.push_back({seconds_of(s.at), at_mm(rig::kX, s.at), at_mm(rig::kY, s.at), speed_mm_s, s.first});
    });
    if (moves) pieces_.push_back(std::move(piece));
  }
}

void StrokeFeed::feed_pieces() {
  end_strokes();
  while (!pieces_.empty() && place(pieces_.front())) {
    pieces_.pop_front();
    end_strokes();
  }
}

/// True: fed, or known to belong to no stroke. False: nobody can tell yet.
bool StrokeFeed::place(Piece& piece) {
  const auto middle = middle_of(piece.stretch);
  const bool too_old = finished_ || line_.last()->at - piece.stretch.to.at > kSlack;
  for (auto& s : strokes_) {
    if (middle < s.began) return true;  // strokes come in order: none will hold it
    if (middle > s.ended) continue;
    const int direction = piece.stretch.speed_m_s(rig::kX) > 0 ? 1 : -1;
    if (s.direction == 0 || s.direction == direction) {
      feed(s, piece);
      return true;
    }
    return s.closed || too_old;  // turned about: it may be the next stroke, whose beginning is still to come
  }
  return too_old;
}

void StrokeFeed::feed(Stroke& stroke, Piece& piece) {
  const auto& stretch = piece.stretch;
  if (stroke.direction == 0) begin(stroke, stretch);
  for (auto& c : piece.contact) {
    c.force_normal_N -= stroke.zero_normal_N;
    c.force_tangential_N -= stroke.zero_tangential_N;
  }
  const double from_mm = stretch.from.position_m[rig::kX] * kMilli;
  const double to_mm = stretch.to.position_m[rig::kX] * kMilli;
  const double dt = daq::seconds(stretch.to.at - stretch.from.at);
  stroke.sum_s += dt;
  stroke.sum_y_m += dt * (stretch.from.position_m[rig::kY] + stretch.to.position_m[rig::kY]) / 2;
  stroke.length_m += std::abs(to_mm - from_mm) / kMilli;
  stroke.x_from_mm = std::min({stroke.x_from_mm, from_mm, to_mm});
  stroke.x_to_mm = std::max({stroke.x_to_mm, from_mm, to_mm});
  if (std::abs(to_mm - stroke.track.back().x_mm) >= kTrackStep_mm)
    stroke.track.push_back({seconds_of(stretch.to.at), to_mm});
  stroke.last = {seconds_of(stretch.to.at), to_mm};
  for (std::size_t d = 0; d < detectors_.size(); ++d) {
    auto& answers = stroke.answers[d].detections;
    const auto had = answers.size();
    detectors_[d]->feed(piece.contact, piece.vibration, answers);
    collect(stroke, d, had, seconds_of(stretch.from.at), stroke.last);
  }
}

void StrokeFeed::begin(Stroke& stroke, const ReadbackStretch& first) {
  stroke.direction = first.speed_m_s(rig::kX) > 0 ? 1 : -1;
  const double x_mm = first.from.position_m[rig::kX] * kMilli;
  stroke.x_from_mm = stroke.x_to_mm = x_mm;
  stroke.last = {seconds_of(first.from.at), x_mm};
  stroke.track.push_back(stroke.last);
  stroke.answers.resize(detectors_.size());
  stroke.traps = std::vector<TruthTrap>(detectors_.size());
  const auto planned = config_.plan.find(stroke.step);
  for (std::size_t d = 0; d < detectors_.size(); ++d) {
    StrokeStart start;
    start.direction = stroke.direction;
    start.truth = &stroke.traps[d];
    if (planned != config_.plan.end()) {
      start.number = planned->second.number;
      start.of = planned->second.of;
    }
    detectors_[d]->begin(start, stroke.answers[d].detections);
    collect(stroke, d, 0, stroke.last.at_s, stroke.last);
  }
}

/// What detector `d` has just added. An answer came when it came, whatever it says of itself: not before the samples of
/// the call it was given in, and not after them.
void StrokeFeed::collect(Stroke& stroke, std::size_t d, std::size_t had, double earliest_s, const TrackPoint& now) {
  auto& hearing = stroke.answers[d];
  // The first samples may be from just before: a stretch between two positions belongs to a stroke as a whole.
  const double began_s = std::min(seconds_of(stroke.began), stroke.track.front().at_s);
  for (auto i = had; i < hearing.detections.size(); ++i) {
    auto& answer = hearing.detections[i];
    const double ahead_mm = stroke.direction * (answer.position_mm - now.x_mm);
    if (answer.answered_s < began_s || answer.at_s > now.at_s || ahead_mm > config_.early_mm) ++hearing.before_the_data;
    answer.answered_s = std::isnan(answer.answered_s)
                            ? now.at_s
                            : std::clamp(answer.answered_s, earliest_s, std::max(earliest_s, now.at_s));
    fresh_[d].push_back(answer);
    if (fresh_[d].size() > kMostFresh) fresh_[d].erase(fresh_[d].begin());
  }
}

void StrokeFeed::end_strokes() {
  while (!strokes_.empty()) {
    auto& s = strokes_.front();
    if (!pieces_.empty() && middle_of(pieces_.front().stretch) <= s.ended) return;
    if (!finished_) {
      if (!s.closed) return;
      const bool silent = line_.last() && line_.last()->at - s.ended > kSlack;
      if (cut_until_ < s.ended && !silent) return;
    }
    StrokeHearing facts;
    facts.planned.step = s.step;
    if (const auto planned = config_.plan.find(s.step); planned != config_.plan.end()) facts.planned = planned->second;
    facts.direction = s.direction == 0 ? 1 : s.direction;
    facts.lane_y_mm = s.sum_s > 0 ? s.sum_y_m / s.sum_s * kMilli : 0;
    facts.began = s.began;
    facts.ended = s.closed ? s.ended : std::max(s.began, cut_until_);
    facts.counts = s.closed && !s.broken_off && s.direction != 0;
    facts.length_m = s.length_m;
    facts.x_from_mm = s.x_from_mm;
    facts.x_to_mm = s.x_to_mm;
    if (s.direction != 0 && s.track.back().x_mm != s.last.x_mm) s.track.push_back(s.last);
    facts.track = s.track;  // the stroke needs its own until its last answers are in
    if (detectors_.empty()) done_.push_back(facts);
    for (std::size_t d = 0; d < detectors_.size(); ++d) {
      auto hearing = facts;
      hearing.detector = detectors_[d]->name();
      hearing.per_lane = detectors_[d]->answers_per_lane();
      if (s.direction != 0) {
        auto& answers = s.answers[d].detections;
        const auto had = answers.size();
        detectors_[d]->end(answers);
        // All of the stroke has been seen: a place beyond its end is a wrong one, and not one of the future.
        const double beyond = s.direction * std::numeric_limits<double>::infinity();
        collect(s, d, had, s.last.at_s, {std::max(s.last.at_s, seconds_of(facts.ended)), beyond});
        hearing.detections = std::move(answers);
        hearing.before_the_data = s.answers[d].before_the_data;
        hearing.asked_for_truth = !s.traps[d].asked().empty();
      }
      done_.push_back(std::move(hearing));
    }
    strokes_.pop_front();
  }
}

void StrokeFeed::finish() {
  finished_ = true;
  cut_stretches();
  feed_pieces();
}

std::vector<StrokeHearing> StrokeFeed::hearings() { return std::exchange(done_, {}); }

std::vector<std::vector<Detection>> StrokeFeed::fresh() {
  return std::exchange(fresh_, std::vector<std::vector<Detection>>(detectors_.size()));
}

}  // namespace strigil::protocols
