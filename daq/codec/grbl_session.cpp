#include "daq/codec/grbl_session.hpp"

#include <cmath>

namespace strigil::daq {
namespace {

constexpr double kMillimetre = 1e-3;
constexpr double kMicrometre = 1e-6;
constexpr std::array<char, 3> kAskSettings{'$', '$', '\n'};

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
    answered(true);
  } else if (const auto* error = std::get_if<GrblError>(&line)) {
    last_error_ = error->number;
    answered(false);
    report(EventCode::kStageError, Severity::kWarning, error->number, grbl_error_words(error->number), received, out);
  } else if (const auto* alarm = std::get_if<GrblAlarm>(&line)) {
    last_alarm_ = alarm->number;
    state_ = GrblState::kAlarm;
    forget_outstanding();
    report(EventCode::kStageAlarm, Severity::kFault, alarm->number, grbl_alarm_words(alarm->number), received, out);
  } else if (const auto* greeting = std::get_if<GrblGreeting>(&line)) {
    const bool restarted = ready();
    forget_outstanding();
    settings_asked_ = settings_.complete = false;
    report(EventCode::kStageGreeting, restarted ? Severity::kFault : Severity::kInfo, 0, greeting->text, received, out);
  } else if (const auto* message = std::get_if<GrblMessage>(&line)) {
    report(EventCode::kStageMessage, Severity::kInfo, 0, message->text, received, out);
  } else if (const auto* setting = std::get_if<GrblSetting>(&line)) {
    take_setting(*setting);
  } else if (const auto* status = std::get_if<GrblStatus>(&line)) {
    take_status(*status, received, out);
  }
}

void GrblSession::take_setting(const GrblSetting& s) noexcept {
  const auto axis = static_cast<std::size_t>(s.number % 10);
  switch (s.number) {
    case 13:
      settings_.reports_inches = s.value != 0;
      break;
    case 20:
      settings_.soft_limits = s.value != 0;
      break;
    case 110:
    case 111:
    case 112:
      settings_.max_rate_mm_min[axis] = s.value;
      break;
    case 120:
    case 121:
    case 122:
      settings_.acceleration_mm_s2[axis] = s.value;
      break;
    case 130:
    case 131:
    case 132:
      settings_.max_travel_mm[axis] = s.value;
      break;
    default:
      break;
  }
}

void GrblSession::take_status(const GrblStatus& status, HostTime received, SessionOutput& out) noexcept {
  polled_ = false;
  if (status.offset_mm) {
    offset_mm_ = *status.offset_mm;
    offset_known_ = true;
  }
  if (state_ != status.state) {
    out.event({.at = received,
               .code = EventCode::kStageState,
               .severity = status.state == GrblState::kAlarm ? Severity::kFault : Severity::kInfo,
               .source = config_.link,
               .arguments = {static_cast<double>(status.state), static_cast<double>(state_)}});
    state_ = status.state;
  }
  if (!status.machine && !offset_known_) return;  // a work position says nothing until the offset has come
  NewestSample newest;
  newest.stream = config_.position_stream;
  newest.channels = kGrblAxes;
  newest.flags = kReceiveTimed;
  newest.sample = reports_;
  newest.t0 = newest.received = received;
  for (std::size_t a = 0; a < kGrblAxes; ++a) {
    const double mm = status.position_mm[a] + (status.machine ? 0 : offset_mm_[a]);
    position_m_[a] = mm * kMillimetre;
    newest.counts[a] = static_cast<std::int32_t>(std::lround(position_m_[a] / kMicrometre));
  }
  position_received_ = received;
  out.newest(newest);
  block_.stream = config_.position_stream;
  block_.channels = kGrblAxes;
  block_.samples = 1;
  block_.flags = kReceiveTimed;
  block_.first_sample = reports_;
  block_.received = block_.t0 = received;
  for (std::size_t a = 0; a < kGrblAxes; ++a) block_.counts[a] = newest.counts[a];
  out.block(block_);
  ++reports_;
  ++counts_.samples;
}

void GrblSession::answered(bool accepted) noexcept {
  if (lines_ == 0) return;  // an answer to nothing: left over from before we came
  const auto& line = sent_[first_];
  outstanding_bytes_ -= line.size;
  if (line.kind == LineKind::kSettings) settings_.complete = accepted;
  if (line.kind == LineKind::kJog && !accepted) ++refused_jogs_;
  first_ = (first_ + 1) % kMaxLines;
  --lines_;
}

void GrblSession::forget_outstanding() noexcept {
  lines_ = 0;
  outstanding_bytes_ = 0;
}

bool GrblSession::send_line(std::span<const char> line, LineKind kind, HostTime now, SessionOutput& out) noexcept {
  if (lines_ == kMaxLines || outstanding_bytes_ + line.size() > kGrblRxBuffer) return false;
  if (!out.send(std::as_bytes(line))) return false;
  sent_[(first_ + lines_) % kMaxLines] = {static_cast<std::uint8_t>(line.size()), kind, now};
  ++lines_;
  outstanding_bytes_ += line.size();
  return true;
}

bool GrblSession::queue_jog(const GrblJog& jog, HostTime now, SessionOutput& out) noexcept {
  std::array<char, kGrblLongestLine> text{};
  const auto size = encode_grbl_jog(jog, text);
  return size != 0 && send_line(std::span(text).first(size), LineKind::kJog, now, out);
}

bool GrblSession::send_realtime(GrblRealtime command, SessionOutput& out) noexcept {
  const std::array byte{static_cast<std::byte>(command)};
  return out.send(byte);
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
  if (settings_.complete) return;
  if (settings_asked_ && now - settings_asked_at_ >= config_.answer_timeout) {
    forget_outstanding();
    settings_asked_ = false;
  }
  // Grbl answers $$ only when idle or in alarm; it says error:8 otherwise and we ask again.
  const bool may_ask = state_ == GrblState::kIdle || state_ == GrblState::kAlarm;
  if (!settings_asked_ && may_ask && lines_ == 0 && send_line(kAskSettings, LineKind::kSettings, now, out)) {
    settings_asked_ = true;
    settings_asked_at_ = now;
  }
}

void GrblSession::stop(HostTime, SessionOutput& out) noexcept {
  if (state_ == GrblState::kJog) (void)send_realtime(GrblRealtime::kJogCancel, out);
}

void GrblSession::report(EventCode code, Severity severity, double number, std::string_view detail, HostTime at,
                         SessionOutput& out) noexcept {
  Event e{.at = at, .code = code, .severity = severity, .source = config_.link, .arguments = {number}};
  set_detail(e, detail);
  out.event(e);
}

}  // namespace strigil::daq
