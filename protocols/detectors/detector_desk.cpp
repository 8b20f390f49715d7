#include "protocols/detectors/detector_desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "protocols/court/bootstrap.hpp"

namespace strigil::protocols {
namespace {

constexpr std::size_t kMostOfStroke = 10'000;
constexpr std::size_t kMostLetters = 1'000'000;
constexpr std::size_t kMostStrokes = 100'000;
constexpr std::size_t kMostLags = 100'000;
constexpr std::size_t kMostOuts = 100'000;
constexpr std::size_t kBatch = 4096;  // letters read before the caller goes on
constexpr auto kLook = std::chrono::milliseconds(20);
constexpr auto kDataWentOn = "the data went on and it said nothing any more";

double seconds_of(std::int64_t ns) { return daq::seconds(daq::Duration{ns}); }

/// Where the instrument was, as far as `at_s`; of a track that is not empty.
double reached_mm(const std::vector<TrackPoint>& track, double at_s) {
  const auto next = std::find_if(track.begin(), track.end(), [&](const TrackPoint& p) { return p.at_s > at_s; });
  if (next == track.begin()) return track.front().x_mm;
  if (next == track.end()) return track.back().x_mm;
  const auto& before = *(next - 1);
  return before.x_mm + (next->x_mm - before.x_mm) * (at_s - before.at_s) / (next->at_s - before.at_s);
}

}  // namespace

std::string_view name_of(DeskFault fault) noexcept {
  switch (fault) {
    case DeskFault::kClairvoyant:
      return "clairvoyant";
    case DeskFault::kAskedForTruth:
      return "asked for the truth";
    case DeskFault::kHung:
      return "hung";
    case DeskFault::kSlow:
      return "slow";
    case DeskFault::kCrashed:
      return "crashed";
    case DeskFault::kNeverCame:
      return "never came";
    case DeskFault::kFlooding:
      return "flooding";
    case DeskFault::kMalformed:
      return "malformed";
    case DeskFault::kIncomplete:
      return "incomplete";
  }
  return "unknown";
}

std::string_view in_a_sentence(DeskFault fault) noexcept {
  switch (fault) {
    case DeskFault::kClairvoyant:
      return "is clairvoyant";
    case DeskFault::kSlow:
      return "is slow";
    case DeskFault::kFlooding:
      return "floods";
    case DeskFault::kMalformed:
      return "says what makes no sense";
    case DeskFault::kIncomplete:
      return "leaves something out";
    default:
      return name_of(fault);
  }
}

daq::Result<std::unique_ptr<DetectorDesk>> DetectorDesk::open(const DeskConfig& config) {
  const auto& r = config.rules;
  if (!(r.window_s > 0 && r.patience_s > 0 && r.deadline_s > 0 && r.patience_s <= 3600 && r.window_s <= 3600)) {
    return daq::Error{
        fmt::format("a desk needs a window, patience and deadline above 0 s and of at most an hour, not "
                    "{}, {} and {}",
                    r.window_s, r.patience_s, r.deadline_s)};
  }
  std::unique_ptr<DetectorDesk> desk(new DetectorDesk(config));
  auto mailbox = daq::Mailbox::open(config.mailbox);
  if (!mailbox) return mailbox.error();
  desk->mailbox_ = std::move(*mailbox);
  desk->last_word_ = daq::host_now();
  return desk;
}

void DetectorDesk::begin(const std::string& run_id, const StrokeFeedConfig& run) {
  welcome_ = Welcome{run_id, run.roles, run.vibration_channel, run.plan, config_.rules};
  welcome();
}

void DetectorDesk::welcome() {
  if (!welcome_ || seat_.empty() || welcomed_) return;
  const auto text = encode(*welcome_);
  mailbox_->send(seat_, text.topic, text.json);
  welcomed_ = true;
  last_word_ = daq::host_now();
}

bool DetectorDesk::wait_for_hello(daq::Duration longest) {
  const auto deadline = daq::host_now() + longest;
  // Looked at once at least: who may not wait comes often, and with no time at all.
  do serve(std::min<daq::Duration>(kLook, longest));
  while (state_ == State::kAwaited && daq::host_now() < deadline);
  return state_ == State::kListening;
}

void DetectorDesk::published(daq::HostTime until) {
  if (published_.ns == 0) heard_ = until;  // what was before nobody has published
  if (until > published_) {
    published_ = until;
    outs_.push_back({until, daq::host_now()});
    if (outs_.size() > kMostOuts) outs_.pop_front();
  }
  serve(daq::Duration::zero());
  if (!behind()) {
    behind_since_ = daq::host_now();
  } else if (state_ == State::kListening) {
    give_up_if_silent(behind_since_, kDataWentOn);
  }
}

bool DetectorDesk::behind() const { return published_ - heard_ > daq::from_seconds(config_.rules.window_s); }

/// `since`: when it began to be waited for.
void DetectorDesk::give_up_if_silent(daq::HostTime since, const char* words) {
  const auto now = daq::host_now();
  if (now - std::max(last_word_, since) < daq::from_seconds(config_.rules.patience_s)) return;
  ended_ = fmt::format("{}; its last word was {:.1f} s before", words, daq::seconds(now - last_word_));
  state_ = State::kHung;
  if (process_ != nullptr) process_->kill();
}

daq::HostTime DetectorDesk::horizon() const {
  if (over_) return {std::numeric_limits<std::int64_t>::max()};
  return config_.real_time ? std::max(published_, daq::host_now()) : published_;
}

/// Reads what has come; waits `longest` for the first.
void DetectorDesk::serve(daq::Duration longest) {
  auto letter = mailbox_->receive(longest);
  for (std::size_t n = 0; letter && n < kBatch; ++n) {
    take(*letter);
    letter = mailbox_->receive(daq::Duration::zero());
  }
  if (letter) take(*letter);
  look_after_process();
}

void DetectorDesk::look_after_process() {
  if (process_ == nullptr || (state_ != State::kAwaited && state_ != State::kListening)) return;
  const auto how = process_->ended();
  if (!how) return;
  // What it said before its end has come by now, or is on its way through the loopback.
  constexpr auto kOnItsWay = std::chrono::milliseconds(100);
  for (auto letter = mailbox_->receive(kOnItsWay); letter; letter = mailbox_->receive(kOnItsWay)) take(*letter);
  if (state_ == State::kBye) return;
  ended_ = *how;
  state_ = State::kCrashed;
}

void DetectorDesk::take(const daq::Letter& letter) {
  const bool stranger = !seat_.empty() && letter.from != seat_;
  if (!stranger && ++letters_ > kMostLetters) {
    ++flooded_;
    return;
  }
  const auto answer = letter.well_formed ? decode_answer(letter.topic, letter.text)
                                         : daq::Error{"no topic and JSON text of at most 65536 bytes"};
  const auto* hello = answer ? std::get_if<HelloAnswer>(&*answer) : nullptr;
  if (stranger) {  // may spoil nothing
    if (hello != nullptr) refuse(letter.from, "hello", "somebody else sits here");
  } else if (!answer) {
    malformed(answer.error().message);
  } else if (hello == nullptr) {
    if (seat_.empty()) return malformed("an answer before any hello");
    take_from_detector(*answer);
  } else if (!seat_.empty()) {
    refuse(seat_, "hello", "you have said so already");
    malformed("a second hello");
  } else if (state_ == State::kAwaited) {
    seat_ = letter.from;
    hello_ = *hello;
    state_ = State::kListening;
    last_word_ = daq::host_now();
    welcome();
  }
}

void DetectorDesk::refuse(const std::string& whom, std::string_view what, std::string_view why) {
  const auto no = desk_refusal(what, why);
  mailbox_->send(whom, no.topic, no.json);
}

void DetectorDesk::malformed(const std::string& what) {
  if (++malformed_ == 1) first_malformed_ = what;
}

/// A 'heard' that does not advance is no word: whoever beats and does nothing else hangs.
void DetectorDesk::take_from_detector(const Answer& answer) {
  const auto had = heard_;
  take_answer(answer);
  if (heard_ > had || !std::holds_alternative<HeardAnswer>(answer)) last_word_ = daq::host_now();
}

void DetectorDesk::take_answer(const Answer& answer) {
  if (const auto* heard = std::get_if<HeardAnswer>(&answer)) {
    const daq::HostTime until{heard->until_ns};
    if (until > horizon()) ++ahead_of_publication_;
    heard_ = std::max(heard_, std::min(until, horizon()));
  } else if (const auto* detections = std::get_if<DetectionsAnswer>(&answer)) {
    take_detections(*detections);
  } else if (const auto* done = std::get_if<DoneAnswer>(&answer)) {
    auto* told = told_of(done->stroke);
    if (told == nullptr) return;
    if (told->done) return malformed(fmt::format("a second 'done' for step {}", done->stroke.step));
    told->done = done->detections;
  } else if (const auto* ask = std::get_if<AskAnswer>(&answer)) {
    const bool truth = ask->what == "truth";
    if (truth) ++asked_for_truth_;
    refuse(seat_, ask->what,
           truth ? "the truth is told to nobody, and that you asked is written down"
                 : "all there is to know is in the welcome");
  } else if (std::holds_alternative<ByeAnswer>(answer) && state_ == State::kListening) {
    state_ = State::kBye;
  }
}

DetectorDesk::Told* DetectorDesk::told_of(const StrokeId& stroke) {
  const auto found = told_.find(stroke);
  if (found != told_.end()) return &found->second;
  if (told_.size() >= kMostStrokes) {
    ++flooded_;
    return nullptr;
  }
  return &told_[stroke];
}

void DetectorDesk::take_detections(const DetectionsAnswer& answer) {
  auto* told = told_of(answer.stroke);
  if (told == nullptr) return;
  if (told->done) return malformed(fmt::format("detections after 'done' for step {}", answer.stroke.step));
  const double out_s = seconds_of(horizon().ns);
  for (const auto& d : answer.detections) {
    if (told->detections.size() >= kMostOfStroke) {
      ++flooded_;
      continue;
    }
    told->detections.push_back(d);
    note_lag(d.answered_s);
    told->published.push_back(d.answered_s <= out_s);
  }
}

void DetectorDesk::note_lag(double known_s) {
  const auto out = std::lower_bound(outs_.begin(), outs_.end(), known_s,
                                    [](const Out& o, double s) { return seconds_of(o.until.ns) < s; });
  if (out == outs_.end() || lags_s_.size() >= kMostLags) return;
  lags_s_.push_back(daq::seconds(daq::host_now() - out->wall));
}

void DetectorDesk::wait_for_slowest() {
  const auto began = daq::host_now();
  while (state_ == State::kListening && behind()) {
    serve(kLook);
    if (state_ == State::kListening && behind()) give_up_if_silent(began, kDataWentOn);
  }
}

void DetectorDesk::wait_for_bye() {
  over_ = true;
  const auto began = daq::host_now();
  while (state_ == State::kListening) {
    serve(kLook);
    if (state_ == State::kListening) give_up_if_silent(began, "the data had ended and it did not say bye");
  }
}

/// The same that a stroke feed does with the answers of a detector in process, but that here the detector says itself
/// what it knew.
void DetectorDesk::join(StrokeHearing& stroke, const Told& told) const {
  stroke.detections = told.detections;
  stroke.before_the_data = 0;
  double began_s = seconds_of(stroke.began.ns);
  double last_s = seconds_of(stroke.ended.ns);
  if (!stroke.track.empty()) {
    began_s = std::min(began_s, stroke.track.front().at_s);
    last_s = std::max(last_s, stroke.track.back().at_s);
  }
  for (std::size_t i = 0; i < stroke.detections.size(); ++i) {
    auto& d = stroke.detections[i];
    const bool there = !stroke.track.empty() &&
                       stroke.direction * (d.position_mm - reached_mm(stroke.track, d.answered_s)) <= config_.early_mm;
    if (!there || !told.published[i] || d.answered_s < began_s || d.at_s > d.answered_s) ++stroke.before_the_data;
    d.answered_s = std::clamp(d.answered_s, began_s, std::max(began_s, last_s));
  }
}

DeskHearing DetectorDesk::finish(const std::vector<StrokeHearing>& strokes) {
  serve(daq::Duration::zero());
  DeskHearing out;
  out.detector = name();
  out.version = hello_.version;
  bool left_out = false;
  for (const auto& s : strokes) {
    auto hearing = s;
    hearing.detector = out.detector;
    hearing.per_lane = hello_.per_lane;
    hearing.asked_for_truth = out.strokes.size() < asked_for_truth_;  // one question each, as far as they go
    const auto told = told_.find({s.planned.step, s.began.ns});
    if (told != told_.end()) {
      join(hearing, told->second);
      left_out = left_out || (s.counts && told->second.done != told->second.detections.size());
      told_.erase(told);
    } else {
      left_out = left_out || s.counts;
    }
    out.strokes.push_back(std::move(hearing));
  }
  if (!told_.empty()) {
    malformed(fmt::format("an answer to step {} as if a stroke had begun in it at {} ns", told_.begin()->first.step,
                          told_.begin()->first.began_ns));
    malformed_ += told_.size() - 1;
  }
  out.findings = findings(out.strokes, left_out);
  std::sort(lags_s_.begin(), lags_s_.end());
  if (!lags_s_.empty())
    out.lag = {lags_s_.size(), quantile_of_sorted(lags_s_, 0.5), quantile_of_sorted(lags_s_, 0.95), lags_s_.back()};
  return out;
}

std::vector<DeskFinding> DetectorDesk::findings(const std::vector<StrokeHearing>& strokes, bool left_out) {
  std::vector<DeskFinding> out;
  if (seat_.empty()) {
    return {{DeskFault::kNeverCame, ended_.empty() ? "no hello came" : fmt::format("no hello came: {}", ended_)}};
  }
  std::size_t early = 0;
  std::size_t early_strokes = 0;
  std::size_t all = 0;
  for (const auto& s : strokes) {
    early += s.before_the_data;
    early_strokes += s.before_the_data > 0 ? 1 : 0;
    all += s.detections.size();
  }
  if (early > 0 || ahead_of_publication_ > 0) {
    out.push_back(
        {DeskFault::kClairvoyant,
         early > 0
             ? fmt::format("{} of its {} answers, on {} of {} strokes, came before the data they are of", early, all,
                           early_strokes, strokes.size())
             : fmt::format("{} times it said that it had heard what was not yet published", ahead_of_publication_)});
  }
  if (asked_for_truth_ > 0) {
    out.push_back({DeskFault::kAskedForTruth,
                   fmt::format("it asked for the ground truth {} times, and got nothing", asked_for_truth_)});
  }
  if (state_ == State::kHung) out.push_back({DeskFault::kHung, ended_});
  if (state_ == State::kCrashed) out.push_back({DeskFault::kCrashed, fmt::format("its process ended: {}", ended_)});
  const auto late = static_cast<std::size_t>(
      std::count_if(lags_s_.begin(), lags_s_.end(), [&](double s) { return s > config_.rules.deadline_s; }));
  if (late > 0) {
    out.push_back(
        {DeskFault::kSlow,
         fmt::format("{} of {} answers came more than {} s after the data they rest on, the latest {:.2f} s", late,
                     lags_s_.size(), config_.rules.deadline_s, *std::max_element(lags_s_.begin(), lags_s_.end()))});
  }
  if (flooded_ > 0) {
    out.push_back(
        {DeskFault::kFlooding, fmt::format("{} answers were more than anybody can mean, and thrown away", flooded_)});
  }
  if (malformed_ > 0) {
    out.push_back(
        {DeskFault::kMalformed, fmt::format("{} messages made no sense, the first: {}", malformed_, first_malformed_)});
  }
  if (left_out && state_ != State::kHung && state_ != State::kCrashed) {
    out.push_back({DeskFault::kIncomplete, "not every stroke has its 'done' with the number of detections that came"});
  }
  return out;
}

}  // namespace strigil::protocols
