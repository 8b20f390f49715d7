#include "daq/codec/grbl_session.hpp"

#include <cmath>

namespace strigil::daq {
namespace {

constexpr double kMillimetre = 1e-3;
constexpr double kMicrometre = 1e-6;
// Bits of settings_seen_: $13, $110-$112, $120-$122, $130-$132.
constexpr std::uint32_t kUnitsSeen = 1U << 0;
constexpr std::uint32_t kAllSettingsSeen = (1U << 10) - 1;

constexpr std::uint32_t seen_bit(std::size_t group, std::size_t axis) { return 1U << (1 + group * kGrblAxes + axis); }

}  // namespace

GrblSession::GrblSession(const GrblSessionConfig& config) : config_(config) {
  auto& d = description_;
  d.id = config.position_stream;
  d.name = "position";
  d.device = "Grbl 1.1 stage";
  d.quantity = "position";
  d.rate_Hz = config.status_rate_Hz;
  for (const char* axis : {"x", "y", "z"}) d.channels.push_back({axis, "m", kMicrometre, 0});
}

void GrblSession::on_chunk(const Chunk& chunk, HostTime, SessionOutput& out) noexcept {
  counts_.bytes += chunk.size;
  auto bytes = chunk.data();
  const auto dropped = splitter_.dropped();
  const auto rejected = counts_.rejected;
  while (const auto text = splitter_.next(bytes)) {
    if (const auto line = parse_grbl_line(*text)) {
      ++counts_.records;
      take(*line, chunk.received, out);
    } else {
      ++counts_.rejected;
    }
  }
  counts_.rejected += splitter_.dropped() - dropped;
  if (counts_.rejected != rejected) {
    report(EventCode::kDecodeError, Severity::kWarning, static_cast<double>(counts_.rejected), {}, chunk.received, out);
  }
}

void GrblSession::take(const GrblLine& line, HostTime received, SessionOutput& out) noexcept {
  if (std::holds_alternative<GrblOk>(line)) {
    answered(true, out);
  } else if (const auto* error = std::get_if<GrblError>(&line)) {
    last_error_ = error->number;
    answered(false, out);
    report(EventCode::kStageError, Severity::kWarning, error->number, grbl_error_words(error->number), received, out);
  } else if (const auto* alarm = std::get_if<GrblAlarm>(&line)) {
    // What is outstanding stays so: Grbl answers it with errors, or forgets it with the reset that it waits for.
    last_alarm_ = alarm->number;
    ++alarms_;
    report(EventCode::kStageAlarm, Severity::kFault, alarm->number, grbl_alarm_words(alarm->number), received, out);
    set_state(GrblState::kAlarm, received, out);
  } else if (const auto* greeting = std::get_if<GrblGreeting>(&line)) {
    take_greeting(*greeting, received, out);
  } else if (const auto* message = std::get_if<GrblMessage>(&line)) {
    report(EventCode::kStageMessage, Severity::kInfo, 0, message->text, received, out);
  } else if (const auto* setting = std::get_if<GrblSetting>(&line)) {
    take_setting(*setting);
  } else if (const auto* status = std::get_if<GrblStatus>(&line)) {
    take_status(*status, received, out);
  }
}

void GrblSession::take_greeting(const GrblGreeting& greeting, HostTime received, SessionOutput& out) noexcept {
  const bool restarted = settings_.complete;
  if (restarted) ++restarts_;
  restarted_ = restarted_ || restarted;
  forget_outstanding();
  settings_asked_ = settings_.complete = false;
  settings_seen_ = 0;
  placed_ = offset_known_ = false;
  polled_ = false;  // a poll from before the restart is not answered any more
  report(EventCode::kStageGreeting, restarted ? Severity::kFault : Severity::kInfo, 0, greeting.text, received, out);
  if (state_ != GrblState::kAlarm) set_state(GrblState::kUnknown, received, out);
}

void GrblSession::set_state(GrblState state, HostTime at, SessionOutput& out) noexcept {
  if (state_ == state) return;
  out.event({.at = at,
             .code = EventCode::kStageState,
             .severity = state == GrblState::kAlarm ? Severity::kFault : Severity::kInfo,
             .source = config_.link,
             .arguments = {static_cast<double>(state), static_cast<double>(state_)}});
  state_ = state;
}

void GrblSession::take_setting(const GrblSetting& s) noexcept {
  const auto axis = static_cast<std::size_t>(s.number % 10);
  switch (s.number) {
    case 13:
      settings_.reports_inches = s.value != 0;
      settings_seen_ |= kUnitsSeen;
      break;
    case 20:
      settings_.soft_limits = s.value != 0;
      break;
    case 110:
    case 111:
    case 112:
      settings_.max_rate_mm_min[axis] = s.value;
      settings_seen_ |= seen_bit(0, axis);
      break;
    case 120:
    case 121:
    case 122:
      settings_.acceleration_mm_s2[axis] = s.value;
      settings_seen_ |= seen_bit(1, axis);
      break;
    case 130:
    case 131:
    case 132:
      settings_.max_travel_mm[axis] = s.value;
      settings_seen_ |= seen_bit(2, axis);
      break;
    default:
      break;
  }
}

void GrblSession::take_status(const GrblStatus& status, HostTime received, SessionOutput& out) noexcept {
  // The stage made the report after it was asked and before it arrived: the middle is right to half the round trip.
  // An answer to a poll already given up came that much later.
  const auto round_trip = polled_ ? received - polled_at_ : received - polled_at_ + config_.answer_timeout;
  const auto t0 = received - round_trip / 2 - from_seconds(config_.latency_s);
  polled_ = false;
  if (status.offset_mm) {
    offset_mm_ = *status.offset_mm;
    offset_known_ = true;
  }
  set_state(status.state, received, out);
  give_up_lost_answers(received, out);
  if (!status.machine && !offset_known_) return;  // a work position says nothing until the offset has come
  NewestSample newest;
  newest.stream = config_.position_stream;
  newest.channels = kGrblAxes;
  newest.flags = kReceiveTimed | (restarted_ ? kDeviceReset : 0U);
  restarted_ = false;
  newest.sample = reports_;
  newest.t0 = t0;
  newest.received = received;
  for (std::size_t a = 0; a < kGrblAxes; ++a) {
    const double mm = status.position_mm[a] + (status.machine ? 0 : offset_mm_[a]);
    position_m_[a] = mm * kMillimetre;
    newest.counts[a] = static_cast<std::int32_t>(std::lround(position_m_[a] / kMicrometre));
  }
  position_received_ = received;
  placed_ = true;
  out.newest(newest);
  block_.stream = config_.position_stream;
  block_.channels = kGrblAxes;
  block_.samples = 1;
  block_.flags = newest.flags;
  block_.first_sample = reports_;
  block_.received = received;
  block_.t0 = t0;
  block_.bound = round_trip / 2;
  for (std::size_t a = 0; a < kGrblAxes; ++a) block_.counts[a] = newest.counts[a];
  out.block(block_);
  ++reports_;
  ++counts_.samples;
}

GrblSession::Sent GrblSession::drop_first() noexcept {
  const Sent line = sent_[first_];
  outstanding_bytes_ -= line.size;
  if (line.kind == LineKind::kJog) --queued_jogs_;
  if (lines_to_cancel_ > 0) --lines_to_cancel_;
  first_ = (first_ + 1) % kMaxLines;
  --lines_;
  return line;
}

void GrblSession::answered(bool accepted, SessionOutput& out) noexcept {
  if (lines_ == 0) return;  // an answer to nothing: left over from before we came
  const bool cancelled = lines_to_cancel_ > 0;
  const Sent line = drop_first();
  if (line.kind == LineKind::kSettings) settings_.complete = accepted && settings_seen_ == kAllSettingsSeen;
  if (line.kind == LineKind::kHome) ++(accepted ? homings_ : refused_homings_);
  if (line.kind != LineKind::kJog) return;
  ++(accepted ? acknowledged_jogs_ : refused_jogs_);
  // Sent before the cancel, taken by Grbl perhaps only after it: then it has just set the stage moving again. When it
  // had been taken before, Grbl is idle by now or coming to rest, and one more cancel does nothing.
  if (cancelled && accepted) {
    const std::array byte{static_cast<std::byte>(GrblRealtime::kJogCancel)};
    cancel_owed_ = !out.send(byte);
  }
}

void GrblSession::forget_outstanding() noexcept {
  lines_ = outstanding_bytes_ = queued_jogs_ = lines_to_cancel_ = 0;
  cancel_owed_ = false;
}

void GrblSession::give_up_lost_answers(HostTime received, SessionOutput& out) noexcept {
  if (lines_ == 0 || state_ != GrblState::kIdle) return;
  // While idle Grbl takes each line at once. (While it moves a line may wait as long as the planner is full.)
  const auto& newest = sent_[(first_ + lines_ - 1) % kMaxLines];
  const auto waited = received - newest.at;
  if (waited < config_.answer_timeout) return;
  lost_answers_ += lines_;
  forget_outstanding();
  report(EventCode::kNoAnswer, Severity::kWarning, seconds(waited), "answers to lines were lost", received, out);
}

bool GrblSession::send_line(std::string_view line, LineKind kind, HostTime now, SessionOutput& out) noexcept {
  if (lines_ == kMaxLines || outstanding_bytes_ + line.size() > kGrblRxBuffer) return false;
  if (!out.send(std::as_bytes(std::span(line)))) return false;
  sent_[(first_ + lines_) % kMaxLines] = {static_cast<std::uint8_t>(line.size()), kind, now};
  ++lines_;
  if (kind == LineKind::kJog) ++queued_jogs_;
  outstanding_bytes_ += line.size();
  return true;
}

bool GrblSession::queue_jog(const GrblJog& jog, HostTime now, SessionOutput& out) noexcept {
  if (!settings_.complete || settings_.reports_inches) return false;
  std::array<char, kGrblLongestLine> text{};
  const auto size = encode_grbl_jog(jog, text);
  return size != 0 && send_line({text.data(), size}, LineKind::kJog, now, out);
}

bool GrblSession::unlock(HostTime now, SessionOutput& out) noexcept {
  return send_line(kGrblUnlock, LineKind::kOther, now, out);
}

bool GrblSession::home(HostTime now, SessionOutput& out) noexcept {
  return send_line(kGrblHome, LineKind::kHome, now, out);
}

bool GrblSession::send_realtime(GrblRealtime command, SessionOutput& out) noexcept {
  const std::array byte{static_cast<std::byte>(command)};
  if (!out.send(byte)) return false;
  if (command == GrblRealtime::kJogCancel) lines_to_cancel_ = lines_;
  return true;
}

void GrblSession::on_time(HostTime now, SessionOutput& out) noexcept {
  if (polled_ && now - polled_at_ >= config_.answer_timeout) polled_ = false;
  if (!polled_ && now >= next_poll_ && send_realtime(GrblRealtime::kStatus, out)) {
    polled_ = true;
    polled_at_ = now;
    const auto period = from_seconds(1 / config_.status_rate_Hz);
    next_poll_ = next_poll_ + period;
    if (next_poll_ <= now) next_poll_ = now + period;
  }
  if (cancel_owed_) {
    const std::array byte{static_cast<std::byte>(GrblRealtime::kJogCancel)};
    cancel_owed_ = !out.send(byte);
  }
  if (settings_.complete) return;
  if (settings_asked_ && now - settings_asked_at_ >= config_.answer_timeout) {
    if (lines_ > 0 && sent_[first_].kind == LineKind::kSettings) (void)drop_first();
    settings_asked_ = false;
  }
  // Grbl answers $$ only when idle or in alarm; it says error:8 otherwise and we ask again.
  const bool may_ask = state_ == GrblState::kIdle || state_ == GrblState::kAlarm;
  if (!settings_asked_ && may_ask && lines_ == 0 && send_line(kGrblAskSettings, LineKind::kSettings, now, out)) {
    settings_seen_ = 0;
    settings_asked_ = true;
    settings_asked_at_ = now;
  }
}

void GrblSession::stop(HostTime, SessionOutput& out) noexcept {
  if (!cancel_jog(out)) cancel_owed_ = true;
}

void GrblSession::report(EventCode code, Severity severity, double number, std::string_view detail, HostTime at,
                         SessionOutput& out) noexcept {
  Event e{.at = at, .code = code, .severity = severity, .source = config_.link, .arguments = {number}};
  set_detail(e, detail);
  out.event(e);
}

}  // namespace strigil::daq
