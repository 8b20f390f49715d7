#include "sim/grbl_twin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace strigil::sim {
namespace {

constexpr double kMillimetre = 1e-3;
constexpr double kInch_m = 25.4e-3;
constexpr double kSecondsPerMinute = 60;
constexpr double kHomingSpeed_m_s = 0.02;
constexpr std::string_view kGreeting = "Grbl 1.1h ['$' for help]";

/// A jog's words: letters with numbers. Nothing when the text is no such thing.
struct JogWords {
  bool relative = false;
  bool machine = false;
  double unit_m = kMillimetre;
  std::array<std::optional<double>, rig::kAxes> axis;
  std::optional<double> feed;
};

std::optional<JogWords> parse_words(std::string_view text) {
  JogWords w;
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == ' ') continue;
    double value = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
    if (r.ec != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(r.ptr - text.data()));
    switch (letter) {
      case 'G':
        if (value == 20)
          w.unit_m = kInch_m;
        else if (value == 21)
          w.unit_m = kMillimetre;
        else if (value == 53)
          w.machine = true;
        else if (value == 90)
          w.relative = false;
        else if (value == 91)
          w.relative = true;
        else
          return std::nullopt;
        break;
      case 'X':
        w.axis[0] = value;
        break;
      case 'Y':
        w.axis[1] = value;
        break;
      case 'Z':
        w.axis[2] = value;
        break;
      case 'F':
        w.feed = value;
        break;
      default:
        return std::nullopt;
    }
  }
  return w;
}

}  // namespace

GrblTwin::GrblTwin(const GrblTwinConfig& config, daq::HostTime start)
    : config_(config), planner_(config.limits, config.start_m), stepped_(start), heard_(start) {
  buffer_.reserve(daq::kGrblRxBuffer);
  if (config.start_in_alarm) mode_ = Mode::kAlarm;
}

void GrblTwin::say(std::string_view line, daq::HostTime now, TwinOutput& out) const {
  if (silent_) return;
  const auto text = fmt::format("{}\r\n", line);
  out.send(std::as_bytes(std::span(text)), now);
}

daq::GrblState GrblTwin::state() const {
  if (mode_ == Mode::kAlarm) return daq::GrblState::kAlarm;
  if (mode_ == Mode::kHoming) return daq::GrblState::kHome;
  if (holding_) return daq::GrblState::kHold;
  return jogging_ ? daq::GrblState::kJog : daq::GrblState::kIdle;
}

void GrblTwin::receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) {
  heard_ = now;
  for (const auto b : bytes) {
    const auto code = std::to_integer<std::uint8_t>(b);
    switch (static_cast<daq::GrblRealtime>(code)) {
      case daq::GrblRealtime::kStatus:
      case daq::GrblRealtime::kHold:
      case daq::GrblRealtime::kResume:
      case daq::GrblRealtime::kReset:
      case daq::GrblRealtime::kJogCancel:
        realtime(static_cast<daq::GrblRealtime>(code), now, out);
        continue;
    }
    if (code >= 0x80) continue;  // extended real-time commands it does not know
    if (buffer_.size() == daq::kGrblRxBuffer) {
      ++overflowed_;
      continue;
    }
    buffer_ += static_cast<char>(code);
    most_buffered_ = std::max(most_buffered_, buffer_.size());
  }
  take_lines(now, out);
}

void GrblTwin::realtime(daq::GrblRealtime command, daq::HostTime now, TwinOutput& out) {
  switch (command) {
    case daq::GrblRealtime::kStatus:
      report(now, out);
      break;
    case daq::GrblRealtime::kHold:
      if (jogging_) {
        planner_.cancel();  // in Grbl a hold during a jog cancels it
      } else if (mode_ == Mode::kNormal) {
        planner_.hold();
        holding_ = true;
      }
      break;
    case daq::GrblRealtime::kResume:
      planner_.resume();
      holding_ = false;
      break;
    case daq::GrblRealtime::kReset:
      reset(now, out);
      break;
    case daq::GrblRealtime::kJogCancel:
      if (jogging_) {
        planner_.cancel();
        // Grbl drops the jog lines that still wait in its buffer; each is answered so that counting stays true.
        while (buffer_.find('\n') != std::string::npos && buffer_.starts_with("$J=")) {
          buffer_.erase(0, buffer_.find('\n') + 1);
          say("ok", now, out);
        }
      }
      break;
  }
}

void GrblTwin::reset(daq::HostTime now, TwinOutput& out) {
  const bool moving = !planner_.at_rest();
  planner_.kill();
  buffer_.clear();
  jogging_ = holding_ = false;
  if (moving || mode_ == Mode::kHoming) {
    mode_ = Mode::kAlarm;
    say("ALARM:3", now, out);  // steps were lost: the position is not to be trusted
  }
  say("", now, out);
  say(kGreeting, now, out);
  if (mode_ == Mode::kAlarm) say("[MSG:'$H'|'$X' to unlock]", now, out);
}

void GrblTwin::trigger_alarm(int number, daq::HostTime now, TwinOutput& out) {
  planner_.kill();
  buffer_.clear();
  jogging_ = holding_ = false;
  mode_ = Mode::kAlarm;
  say(fmt::format("ALARM:{}", number), now, out);
}

void GrblTwin::take_lines(daq::HostTime now, TwinOutput& out) {
  for (;;) {
    const auto end = buffer_.find('\n');
    if (end == std::string::npos) {
      // A full buffer without a line end can never become a line: Grbl would answer "line too long".
      if (buffer_.size() == daq::kGrblRxBuffer) {
        buffer_.clear();
        say("error:11", now, out);
      }
      return;
    }
    std::string line = buffer_.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!take_line(line, now, out)) return;
    buffer_.erase(0, end + 1);
  }
}

bool GrblTwin::take_line(std::string_view line, daq::HostTime now, TwinOutput& out) {
  if (mode_ == Mode::kHoming) return false;
  if (line.starts_with("$J=")) {
    if (planner_.full()) return false;
    take_jog(line.substr(3), now, out);
  } else if (line.empty()) {
    say("ok", now, out);
  } else if (line == "$$") {
    if (state() != daq::GrblState::kIdle && mode_ != Mode::kAlarm) {
      say("error:8", now, out);
    } else {
      settings(now, out);
      say("ok", now, out);
    }
  } else if (line == "$X") {
    if (mode_ == Mode::kAlarm) {
      mode_ = Mode::kNormal;
      say("[MSG:Caution: Unlocked]", now, out);
    }
    say("ok", now, out);
  } else if (line == "$H") {
    mode_ = Mode::kHoming;
    rig::Position home = config_.travel_min_m;
    home[rig::kZ] = config_.travel_max_m[rig::kZ];
    (void)planner_.queue(home, kHomingSpeed_m_s);
  } else {
    say(mode_ == Mode::kAlarm ? "error:9" : line.starts_with('$') ? "error:3" : "error:20", now, out);
  }
  return true;
}

void GrblTwin::take_jog(std::string_view text, daq::HostTime now, TwinOutput& out) {
  const auto words = parse_words(text);
  if (mode_ == Mode::kAlarm) return say("error:9", now, out);
  if (state() != daq::GrblState::kIdle && state() != daq::GrblState::kJog) return say("error:8", now, out);
  if (!words) return say("error:16", now, out);
  if (!words->feed || !(*words->feed > 0)) return say("error:22", now, out);
  rig::Position target = planner_.end_m();
  bool any = false;
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    if (!words->axis[a]) continue;
    any = true;
    const double value_m = *words->axis[a] * words->unit_m;
    target[a] = words->relative && !words->machine ? target[a] + value_m : value_m;
    constexpr double kRounding_m = 1e-9;
    if (!(target[a] >= config_.travel_min_m[a] - kRounding_m && target[a] <= config_.travel_max_m[a] + kRounding_m)) {
      return say("error:15", now, out);
    }
  }
  if (!any) return say("error:16", now, out);
  if (stalled_) return say("ok", now, out);
  (void)planner_.queue(target, *words->feed * words->unit_m / kSecondsPerMinute);
  jogging_ = !planner_.empty();
  say("ok", now, out);
}

void GrblTwin::settings(daq::HostTime now, TwinOutput& out) {
  say("$13=0", now, out);
  say("$20=1", now, out);
  say("$22=1", now, out);
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    say(fmt::format("${}={:.3f}", 110 + a, config_.limits.max_speed_m_s[a] / kMillimetre * kSecondsPerMinute), now,
        out);
  }
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    say(fmt::format("${}={:.3f}", 120 + a, config_.limits.acceleration_m_s2[a] / kMillimetre), now, out);
  }
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    say(fmt::format("${}={:.3f}", 130 + a, (config_.travel_max_m[a] - config_.travel_min_m[a]) / kMillimetre), now,
        out);
  }
}

void GrblTwin::report(daq::HostTime now, TwinOutput& out) {
  if (!silent_) ++reports_sent_;
  const auto& p = planner_.position_m();
  const auto v = planner_.velocity_m_s();
  const double speed_mm_min = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) / kMillimetre * kSecondsPerMinute;
  const auto state_text = state() == daq::GrblState::kHold ? std::string("Hold:0") : std::string(name_of(state()));
  say(fmt::format("<{}|MPos:{:.3f},{:.3f},{:.3f}|Bf:{},{}|FS:{:.0f},0>", state_text, p[0] / kMillimetre,
                  p[1] / kMillimetre, p[2] / kMillimetre, MotionPlanner::kDepth - planner_.queued(),
                  daq::kGrblRxBuffer - buffer_.size(), speed_mm_min),
      now, out);
}

void GrblTwin::step(daq::HostTime now, const PlantState&, TwinOutput& out) {
  if (!greeted_) {
    greeted_ = true;
    say("", now, out);
    say(kGreeting, now, out);
    if (mode_ == Mode::kAlarm) say("[MSG:'$H'|'$X' to unlock]", now, out);
  }
  const bool deserted = config_.host_timeout.count() > 0 && now - heard_ > config_.host_timeout;
  if (deserted && jogging_) planner_.cancel();
  planner_.step(daq::seconds(now - stepped_));
  stepped_ = now;
  if (jogging_ && planner_.empty()) jogging_ = false;
  if (mode_ == Mode::kHoming && planner_.empty()) {
    mode_ = Mode::kNormal;
    say("ok", now, out);
  }
  if (!buffer_.empty()) take_lines(now, out);
}

}  // namespace strigil::sim
