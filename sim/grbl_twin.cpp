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
constexpr std::size_t kLongestLine = 79;         // LINE_BUFFER_SIZE less its end
constexpr std::uint64_t kReportsPerOffset = 10;  // WCO comes with the first report and then now and then

// Grbl's error numbers (its CSV list of error codes).
enum ErrorNumber : int {
  kBadNumber = 2,
  kInvalidStatement = 3,
  kNegativeValue = 4,
  kNotIdle = 8,
  kLocked = 9,
  kOverlong = 11,
  kTravelExceeded = 15,
  kInvalidJog = 16,
  kUnsupported = 20,
  kNoFeed = 22,
};
enum AlarmNumber : int { kHardLimit = 1, kSoftLimit = 2, kAbortCycle = 3, kHomingReset = 6, kHomingNoSwitch = 9 };

/// As Grbl does on the way in: no white space, capital letters.
std::string plain(std::string_view line) {
  std::string out;
  for (const char c : line) {
    if (c > ' ') out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

/// A jog's words: letters with numbers. `error` is Grbl's number for what is wrong with them, 0 when nothing is.
struct JogWords {
  int error = 0;
  bool relative = false;
  bool machine = false;
  double unit_m = kMillimetre;
  std::array<std::optional<double>, rig::kAxes> axis;
  std::optional<double> feed;
};

JogWords parse_words(std::string_view text) {
  JogWords w;
  const auto fail = [&w](int number) {
    w.error = number;
    return w;
  };
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter < 'A' || letter > 'Z') return fail(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (r.ec != std::errc{} || !std::isfinite(value)) return fail(kBadNumber);
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
          return fail(kInvalidJog);
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
        if (value < 0) return fail(kNegativeValue);
        w.feed = value;
        break;
      case 'N':
        break;
      default:
        return fail(kUnsupported);
    }
  }
  return w;
}

}  // namespace

GrblTwin::GrblTwin(const GrblTwinConfig& config, daq::HostTime start)
    : config_(config), planner_(config.limits, config.start_m), stepped_(start), heard_(start) {
  buffer_.reserve(daq::kGrblRxBuffer);
  if (config.start_in_alarm) mode_ = Mode::kAlarm;
  if (config.start_known) return;
  planner_ = MotionPlanner(config.limits, home_m());
  for (std::size_t a = 0; a < rig::kAxes; ++a) slip_m_[a] = config.start_m[a] - home_m()[a];
}

rig::Position GrblTwin::home_m() const {
  return {config_.travel_min_m[rig::kX], config_.travel_min_m[rig::kY], config_.travel_max_m[rig::kZ]};
}

void GrblTwin::say(std::string_view line, daq::HostTime now, TwinOutput& out) {
  if (silent_) return;
  auto text = fmt::format("{}\r\n", line);
  if (config_.answer_latency.count() > 0) {
    late_.push_back({now + config_.answer_latency, std::move(text)});
  } else {
    out.send(std::as_bytes(std::span(text)), now);
  }
}

void GrblTwin::ok(daq::HostTime now, TwinOutput& out) {
  ++accepted_;
  say("ok", now, out);
}

void GrblTwin::error(int number, daq::HostTime now, TwinOutput& out) { say(fmt::format("error:{}", number), now, out); }

void GrblTwin::greet(daq::HostTime now, TwinOutput& out) {
  say("", now, out);
  say(kGreeting, now, out);
  if (mode_ == Mode::kAlarm) say("[MSG:'$H'|'$X' to unlock]", now, out);
}

daq::GrblState GrblTwin::state() const {
  if (mode_ == Mode::kAlarm) return daq::GrblState::kAlarm;
  if (mode_ == Mode::kHoming) return daq::GrblState::kHome;
  if (holding_) return daq::GrblState::kHold;
  return jogging_ ? daq::GrblState::kJog : daq::GrblState::kIdle;
}

rig::Position GrblTwin::position_m() const {
  rig::Position p = planner_.position_m();
  for (std::size_t a = 0; a < rig::kAxes; ++a) p[a] += slip_m_[a];
  return p;
}

// While it loses steps, too: the jolt is left out, which makes the loss harder to notice.
rig::Position GrblTwin::velocity_m_s() const { return planner_.velocity_m_s(); }

void GrblTwin::slip(const rig::Position& before_m) {
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    if (to_lose_m_[a] <= 0) continue;
    const double way_m = planner_.position_m()[a] - before_m[a];
    const double lost_m = std::clamp(way_m, -to_lose_m_[a], to_lose_m_[a]);
    slip_m_[a] -= lost_m;
    to_lose_m_[a] -= std::abs(lost_m);
  }
}

void GrblTwin::reboot(daq::HostTime now, TwinOutput& out) {
  const auto stands_m = position_m();
  planner_ = MotionPlanner(config_.limits, config_.start_m);
  for (std::size_t a = 0; a < rig::kAxes; ++a) slip_m_[a] = stands_m[a] - config_.start_m[a];
  buffer_.clear();
  late_.clear();
  past_.clear();
  jogging_ = holding_ = overlong_ = needs_reset_ = false;
  mode_ = Mode::kNormal;
  greet(now, out);
}

void GrblTwin::set_stalled(bool stalled) {
  stalled_ = stalled;
  if (!stalled) return;
  planner_.kill();
  jogging_ = false;
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
        holding_ = true;
      }
      break;
    case daq::GrblRealtime::kResume:
      holding_ = false;
      break;
    case daq::GrblRealtime::kReset:
      reset(now, out);
      break;
    case daq::GrblRealtime::kJogCancel:
      if (jogging_) planner_.cancel();
      break;
  }
}

void GrblTwin::reset(daq::HostTime now, TwinOutput& out) {
  const bool homing = mode_ == Mode::kHoming;
  const bool moving = jogging_ || homing;
  planner_.kill();
  buffer_.clear();
  jogging_ = holding_ = overlong_ = needs_reset_ = false;
  if (moving) {
    mode_ = Mode::kAlarm;  // steps were lost: the position is not to be trusted
    say(fmt::format("ALARM:{}", homing ? +kHomingReset : +kAbortCycle), now, out);
  }
  greet(now, out);
}

void GrblTwin::trigger_alarm(int number, daq::HostTime now, TwinOutput& out) {
  planner_.kill();
  jogging_ = holding_ = false;
  mode_ = Mode::kAlarm;
  say(fmt::format("ALARM:{}", number), now, out);
  needs_reset_ = number == kHardLimit || number == kSoftLimit;
  if (needs_reset_) say("[MSG:Reset to continue]", now, out);
}

bool GrblTwin::takes_lines() const {
  return mode_ != Mode::kHoming && !needs_reset_ && !holding_ && !planner_.stopping() && !planner_.full();
}

void GrblTwin::take_lines(daq::HostTime now, TwinOutput& out) {
  while (takes_lines()) {
    const auto end = buffer_.find_first_of("\r\n");
    if (end == std::string::npos) {
      if (buffer_.size() > kLongestLine) {
        buffer_.clear();
        overlong_ = true;
      }
      return;
    }
    const std::string line = plain(std::string_view(buffer_).substr(0, end));
    buffer_.erase(0, end + 1);
    if (overlong_ || line.size() > kLongestLine) {
      overlong_ = false;
      error(kOverlong, now, out);
    } else {
      take_line(line, now, out);
    }
  }
}

void GrblTwin::take_line(std::string_view line, daq::HostTime now, TwinOutput& out) {
  if (line.empty()) return ok(now, out);
  if (line.starts_with('$')) return take_system_line(line, now, out);
  error(mode_ == Mode::kAlarm || jogging_ ? kLocked : kUnsupported, now, out);  // G-code: it knows none but jogs
}

void GrblTwin::take_system_line(std::string_view line, daq::HostTime now, TwinOutput& out) {
  const bool idle_or_alarm = state() == daq::GrblState::kIdle || mode_ == Mode::kAlarm;
  if (line.starts_with("$J")) {
    if (state() != daq::GrblState::kIdle && state() != daq::GrblState::kJog) return error(kNotIdle, now, out);
    if (!line.starts_with("$J=")) return error(kInvalidStatement, now, out);
    return take_jog(line.substr(3), now, out);
  }
  if (line == "$") {
    say("[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]", now, out);
  } else if (line == "$$") {
    settings(now, out);
  } else if (line == "$G") {
    say("[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]", now, out);
  } else if (line == "$X") {
    if (mode_ == Mode::kAlarm) {
      mode_ = Mode::kNormal;
      say("[MSG:Caution: Unlocked]", now, out);
    }
  } else if (!idle_or_alarm) {
    return error(kNotIdle, now, out);
  } else if (line == "$H") {
    return home();  // answered when it is done
  } else if (line == "$I") {
    say("[VER:1.1h.20190830:]", now, out);
    say(fmt::format("[OPT:V,{},{}]", MotionPlanner::kDepth, daq::kGrblRxBuffer), now, out);
  } else {
    return error(kInvalidStatement, now, out);
  }
  ok(now, out);
}

void GrblTwin::home() {
  mode_ = Mode::kHoming;
  // The switches are where they are, whatever it counted until now.
  const auto stands_m = position_m();
  planner_ = MotionPlanner(config_.limits, stands_m);
  slip_m_ = to_lose_m_ = {};
  if (stalled_) return;
  (void)planner_.queue({stands_m[rig::kX], stands_m[rig::kY], home_m()[rig::kZ]}, kHomingSpeed_m_s);
  (void)planner_.queue(home_m(), kHomingSpeed_m_s);
}

void GrblTwin::take_jog(std::string_view text, daq::HostTime now, TwinOutput& out) {
  const auto words = parse_words(text);
  if (words.error != 0) return error(words.error, now, out);
  if (!words.feed || *words.feed == 0) return error(kNoFeed, now, out);
  rig::Position target = planner_.end_m();
  for (std::size_t a = 0; a < rig::kAxes; ++a) {
    if (words.axis[a]) {
      const double value_m = *words.axis[a] * words.unit_m;
      const double origin_m = words.machine ? 0 : words.relative ? target[a] : config_.work_offset_m[a];
      target[a] = origin_m + value_m;
    }
    constexpr double kRounding_m = 1e-9;
    if (!(target[a] >= config_.travel_min_m[a] - kRounding_m && target[a] <= config_.travel_max_m[a] + kRounding_m)) {
      return error(kTravelExceeded, now, out);
    }
  }
  if (!stalled_) {
    (void)planner_.queue(target, *words.feed * words.unit_m / kSecondsPerMinute);
    jogging_ = !planner_.empty();
  }
  ok(now, out);
}

void GrblTwin::settings(daq::HostTime now, TwinOutput& out) {
  say(fmt::format("$10={}", config_.report_work_position ? 2 : 3), now, out);
  say(fmt::format("$11={:.3f}", config_.limits.junction_deviation_m / kMillimetre), now, out);
  say(fmt::format("$13={}", config_.report_inches ? 1 : 0), now, out);
  say("$20=1", now, out);
  say("$22=1", now, out);
  const auto each = [&](int first, auto&& value_mm) {
    for (std::size_t a = 0; a < rig::kAxes; ++a) {
      say(fmt::format("${}={:.3f}", first + static_cast<int>(a), value_mm(a)), now, out);
    }
  };
  each(110, [&](std::size_t a) { return config_.limits.max_speed_m_s[a] / kMillimetre * kSecondsPerMinute; });
  each(120, [&](std::size_t a) { return config_.limits.acceleration_m_s2[a] / kMillimetre; });
  each(130, [&](std::size_t a) { return (config_.travel_max_m[a] - config_.travel_min_m[a]) / kMillimetre; });
}

rig::Position GrblTwin::reported_m(daq::HostTime now) const {
  if (past_.empty()) return planner_.position_m();
  const auto wanted = now - config_.report_age;
  const auto after = std::find_if(past_.begin(), past_.end(), [&](const Past& p) { return p.at > wanted; });
  if (after == past_.begin() || after == past_.end())
    return after == past_.end() ? past_.back().position_m : after->position_m;
  const auto& before = *std::prev(after);
  const double share = daq::seconds(wanted - before.at) / daq::seconds(after->at - before.at);
  rig::Position p{};
  for (std::size_t a = 0; a < rig::kAxes; ++a) p[a] = std::lerp(before.position_m[a], after->position_m[a], share);
  return p;
}

void GrblTwin::report(daq::HostTime now, TwinOutput& out) {
  if (silent_) return;
  const double unit_m = config_.report_inches ? kInch_m : kMillimetre;
  const auto vector = [unit_m](rig::Position p) {
    return fmt::format("{:.3f},{:.3f},{:.3f}", p[0] / unit_m, p[1] / unit_m, p[2] / unit_m);
  };
  rig::Position p = reported_m(now);
  if (config_.report_work_position) {
    for (std::size_t a = 0; a < rig::kAxes; ++a) p[a] -= config_.work_offset_m[a];
  }
  const auto v = planner_.velocity_m_s();
  const double speed = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) / unit_m * kSecondsPerMinute;
  auto text = fmt::format("<{}{}|{}Pos:{}|Bf:{},{}|FS:{:.0f},0", name_of(state()), holding_ ? ":0" : "",
                          config_.report_work_position ? 'W' : 'M', vector(p),
                          MotionPlanner::kDepth - planner_.queued(), daq::kGrblRxBuffer - buffer_.size(), speed);
  if (reports_sent_ % kReportsPerOffset == 0) text += "|WCO:" + vector(config_.work_offset_m);
  if (reports_sent_ % kReportsPerOffset == 1) text += "|Ov:100,100,100";
  ++reports_sent_;
  say(text + '>', now, out);
}

void GrblTwin::step(daq::HostTime now, const PlantState&, TwinOutput& out) {
  if (!greeted_) {
    greeted_ = true;
    greet(now, out);
  }
  const bool deserted = config_.host_timeout.count() > 0 && now - heard_ > config_.host_timeout;
  if (deserted && jogging_) {
    planner_.cancel();
    buffer_.clear();  // or what waits there would set it moving again
  }
  const auto before_m = planner_.position_m();
  planner_.step(daq::seconds(now - stepped_));
  slip(before_m);
  stepped_ = now;
  if (config_.report_age.count() > 0) {
    past_.push_back({now, planner_.position_m()});
    while (past_.size() > 2 && past_[1].at <= now - config_.report_age) past_.pop_front();
  }
  if (jogging_ && planner_.empty()) jogging_ = false;
  if (mode_ == Mode::kHoming && planner_.empty()) {
    mode_ = stalled_ ? Mode::kAlarm : Mode::kNormal;
    if (stalled_) {
      // No switch came; Grbl would have gone on for one and a half travels first. It resets itself over that.
      say(fmt::format("ALARM:{}", +kHomingNoSwitch), now, out);
      greet(now, out);
    } else {
      ok(now, out);
    }
  }
  if (!buffer_.empty()) take_lines(now, out);
  while (!late_.empty() && late_.front().due <= now) {
    out.send(std::as_bytes(std::span(late_.front().text)), now);
    late_.pop_front();
  }
}

}  // namespace strigil::sim
