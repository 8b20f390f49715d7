#include "sim/zaber_twin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace strigil::sim {
namespace {

using daq::zaber_number;
using daq::zaber_word;

constexpr double kFastest_microsteps_s = 1e7;
constexpr double kBackOff_m = 1e-3;  // of a homing, before it goes slowly
constexpr std::string_view kData = "user.vdata.";

/// What follows the first `number` words.
std::string_view after(std::string_view text, std::size_t number) {
  for (; number > 0; --number) {
    const auto word = zaber_word(text, 0);
    if (word.empty()) return {};
    text.remove_prefix(static_cast<std::size_t>(word.data() - text.data()) + word.size());
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

std::optional<std::size_t> data_number(std::string_view setting) {
  if (!setting.starts_with(kData)) return std::nullopt;
  const auto number = zaber_number(setting.substr(kData.size()));
  if (!number || *number < 0 || *number > 3) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

}  // namespace

ZaberTwin::ZaberTwin(const ZaberTwinConfig& config, daq::HostTime start)
    : config_(config),
      axes_{Axis{.motion = AxisMotion({}, config.start_m[0])}, Axis{.motion = AxisMotion({}, config.start_m[1])},
            Axis{.motion = AxisMotion({}, config.start_m[2])}},
      stepped_(start) {
  reset_axes();
}

void ZaberTwin::reset_axes() {
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    const double scale = std::abs(config_.microsteps_per_m[i]);
    Axis fresh{.motion = axes_[i].motion};
    fresh.motion.halt();
    fresh.motion.set_limits({kFastest_microsteps_s / scale, config_.acceleration_m_s2[i]});
    fresh.reference = config_.start_known;
    fresh.zero_m = config_.start_known ? 0 : fresh.motion.position_m();
    fresh.max_speed = std::llround(config_.max_speed_m_s[i] * scale * daq::kZaberSpeed);
    fresh.acceleration = std::llround(config_.acceleration_m_s2[i] * scale * daq::kZaberAcceleration);
    fresh.velocities = axes_[i].velocities;
    axes_[i] = fresh;
  }
}

void ZaberTwin::reboot() {
  reset_axes();
  data_.fill(0);
  checksums_ = checksums_ && config_.keeps_checksum;
  reader_.forget();
  late_.clear();
  for (auto& t : triggers_) t.held = false;
}

void ZaberTwin::set_power(bool on) {
  if (on != power_) reboot();
  power_ = on;
}

void ZaberTwin::set_stalled(bool stalled) {
  stalled_ = stalled;
  if (!stalled) return;
  for (auto& a : axes_) a.motion.halt();
}

void ZaberTwin::halt(Axis& a) {
  a.motion.halt();
  a.search = Search::kNone;
}

void ZaberTwin::stall(std::size_t axis) {
  halt(axes_[axis]);
  axes_[axis].stalled = true;
}

void ZaberTwin::switch_driver_off(std::size_t axis, daq::ZaberFlag flag) {
  halt(axes_[axis]);
  axes_[axis].driver = flag;
}

rig::Position ZaberTwin::position_m() const {
  rig::Position p;
  for (std::size_t a = 0; a < rig::kAxes; ++a) p[a] = axes_[a].motion.position_m() + axes_[a].slip.slip_m();
  return p;
}

std::int64_t ZaberTwin::microsteps(std::size_t axis) const {
  const auto& a = axes_[axis];
  return std::llround((a.motion.position_m() - a.zero_m) * config_.microsteps_per_m[axis]);
}

double ZaberTwin::low_m(std::size_t axis) const {
  return config_.microsteps_per_m[axis] > 0 ? config_.travel_min_m[axis] : config_.travel_max_m[axis];
}
double ZaberTwin::high_m(std::size_t axis) const {
  return config_.microsteps_per_m[axis] > 0 ? config_.travel_max_m[axis] : config_.travel_min_m[axis];
}

bool ZaberTwin::busy(std::size_t i) const { return axes_[i].search != Search::kNone || !axes_[i].motion.at_rest(); }

/// The gravest first.
std::vector<daq::ZaberFlag> ZaberTwin::flags(std::size_t i) const {
  const auto& a = axes_[i];
  std::vector<daq::ZaberFlag> all;
  if (a.driver != daq::kZaberNoFlag) all.push_back(a.driver);
  if (a.stalled) all.push_back(daq::kZaberStalled);
  if (a.limit_hit) all.push_back(daq::zaber_flag('W', 'L'));
  if (!a.reference) all.push_back(daq::kZaberNoReference);
  if (a.interrupted) all.push_back(daq::zaber_flag('N', 'I'));
  return all;
}

// --- wire ------------------------------------------------------------------------------------------------------------

void ZaberTwin::receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) {
  if (!power_) return;
  for (const auto b : bytes) {
    if (const auto line = reader_.push(b)) take(*line, now, out);
  }
}

void ZaberTwin::take(std::string_view line, daq::HostTime now, TwinOutput& out) {
  const auto command = daq::decode_zaber_command(line);
  if (!command || (command->device != config_.address && command->device != 0)) return;
  ++commands_;
  const auto answer = command->axis > rig::kAxes ? refuse("BADAXIS") : act(command->axis, command->words, now);
  if (silent_) return;
  daq::ZaberMessage m{.device = config_.address,
                      .axis = command->axis,
                      .id = command->id,
                      .ok = answer.ok,
                      .data = answer.data,
                      .checked = checksums_};
  unsigned rank = 0;
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    if (command->axis != 0 && command->axis <= rig::kAxes && command->axis != i + 1) continue;
    m.busy = m.busy || busy(i);
    // F before W before N, as their letters go; among those of one letter any will do.
    for (const auto flag : flags(i)) {
      const unsigned grave = flag >> 8U == 'F' ? 3 : flag >> 8U == 'W' ? 2 : 1;
      if (grave <= rank) continue;
      rank = grave;
      m.flag = flag;
    }
  }
  const auto reply = encode_zaber(m);
  if (config_.answer_latency.count() > 0) {
    late_.push_back({now + config_.answer_latency, reply});
  } else {
    out.send(reply.bytes(), now);
  }
}

ZaberTwin::Answer ZaberTwin::act(std::size_t axis, std::string_view words, daq::HostTime now) {
  const auto verb = zaber_word(words, 0);
  const auto what = zaber_word(words, 1);
  if (verb.empty()) return {};
  if (verb == "get") return get(axis, what);
  if (verb == "set") return set(axis, what, zaber_word(words, 2));
  if (verb == "warnings") return warnings(axis, what == "clear");
  if (verb == "trigger") return axis == 0 ? set_trigger(after(words, 1), now) : refuse("DEVICEONLY");
  if (verb == "system" && what == "reset") {
    reboot();
    return {};
  }
  return act_on_axes(axis, words);
}

ZaberTwin::Answer ZaberTwin::act_on_axes(std::size_t axis, std::string_view words) {
  const auto verb = zaber_word(words, 0);
  const auto what = zaber_word(words, 1);
  Answer answer;
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    if (axis != 0 && axis != i + 1) continue;
    auto& a = axes_[i];
    if (verb == "stop" || verb == "estop") {
      a.interrupted = a.interrupted || busy(i);
      a.search = Search::kNone;
      if (verb == "stop") {
        a.motion.stop();
      } else {
        a.motion.halt();
      }
    } else if (verb == "driver" && (what == "enable" || what == "disable")) {
      if (what == "disable") switch_driver_off(i, daq::kZaberDriverOff);
      if (what == "enable") a.driver = daq::kZaberNoFlag;
    } else if (verb == "move" || verb == "home") {
      if (a.driver != daq::kZaberNoFlag) return refuse("DRIVERDISABLED");
      const auto moved = verb == "move" ? move(i, what, zaber_word(words, 2)) : Answer{};
      if (!moved.ok) return moved;
      a.interrupted = a.search != Search::kNone;
      a.search = verb == "home" && !stalled_ ? Search::kFast : Search::kNone;
      if (a.search == Search::kNone) continue;
      a.reference = false;
      a.motion.set_velocity(-config_.home_speed_m_s * std::copysign(1.0, config_.microsteps_per_m[i]));
    } else {
      return refuse("BADCOMMAND");
    }
  }
  return answer;
}

ZaberTwin::Answer ZaberTwin::move(std::size_t i, std::string_view how, std::string_view value) {
  auto& a = axes_[i];
  const double scale = config_.microsteps_per_m[i];
  const double most_m_s = static_cast<double>(a.max_speed) / daq::kZaberSpeed / std::abs(scale);
  const bool to_end = how == "min" || how == "max";
  const auto number = zaber_number(value);
  if (!number && !to_end) return refuse("BADDATA");
  if (how == "vel") {
    const double microsteps_s = static_cast<double>(*number) / daq::kZaberSpeed;
    if (std::abs(microsteps_s) > kFastest_microsteps_s) return refuse("BADDATA");
    ++a.velocities;
    if (!stalled_) a.motion.set_velocity(microsteps_s / scale);
    return {};
  }
  double target_m = 0;
  if (to_end) {
    target_m = how == "min" ? low_m(i) : high_m(i);
  } else if (how == "abs" || how == "rel") {
    const auto from = how == "rel" ? microsteps(i) : 0;
    target_m = a.zero_m + static_cast<double>(from + *number) / scale;
    // Half a microstep beyond is rounding.
    const double slack = 0.5 / std::abs(scale);
    const bool within = target_m >= config_.travel_min_m[i] - slack && target_m <= config_.travel_max_m[i] + slack;
    if (a.reference && !within) return refuse("BADDATA");
  } else {
    return refuse("BADCOMMAND");
  }
  if (!stalled_) a.motion.move_to(target_m, most_m_s);
  return {};
}

ZaberTwin::Answer ZaberTwin::get(std::size_t axis, std::string_view setting) {
  if (setting == "version") return {true, config_.version};
  if (setting == "device.id") return {true, "30342"};
  if (setting == "system.axiscount") return {true, fmt::format("{}", rig::kAxes)};
  if (setting == "trigger.numtriggers") return {true, fmt::format("{}", triggers_.size())};
  if (setting == "comm.checksum") return {true, checksums_ ? "1" : "0"};
  if (const auto number = data_number(setting); number && config_.volatile_data)
    return {true, fmt::format("{}", data_[*number])};
  std::string all;
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    if (axis != 0 && axis != i + 1) continue;
    std::int64_t value = 0;
    if (setting == "pos") {
      value = microsteps(i);
    } else if (setting == "maxspeed") {
      value = axes_[i].max_speed;
    } else if (setting == "accel") {
      value = axes_[i].acceleration;
    } else {
      return refuse("BADCOMMAND");
    }
    if (!all.empty()) all += ' ';
    fmt::format_to(std::back_inserter(all), "{}", value);
  }
  if (setting == "pos") ++reports_sent_;
  return {true, all};
}

ZaberTwin::Answer ZaberTwin::set(std::size_t axis, std::string_view setting, std::string_view value) {
  const auto number = zaber_number(value);
  if (!number) return refuse("BADDATA");
  if (setting == "comm.checksum" || setting == "comm.alert") {
    if (axis != 0) return refuse("DEVICEONLY");
    if (*number != 0 && *number != 1) return refuse("BADDATA");
    if (setting == "comm.checksum") checksums_ = *number == 1;
    return {};
  }
  if (const auto data = data_number(setting); data && config_.volatile_data) {
    data_[*data] = *number;
    return {};
  }
  const bool speed = setting == "maxspeed";
  if (!speed && setting != "accel") return refuse("BADCOMMAND");
  if (*number < 1 || static_cast<double>(*number) > kFastest_microsteps_s * daq::kZaberSpeed) return refuse("BADDATA");
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    if (axis != 0 && axis != i + 1) continue;
    auto& a = axes_[i];
    (speed ? a.max_speed : a.acceleration) = *number;
    const double scale = std::abs(config_.microsteps_per_m[i]);
    // In effect for the next move, not for the one under way; acceleration at once.
    if (!speed)
      a.motion.set_limits(
          {kFastest_microsteps_s / scale, static_cast<double>(*number) / daq::kZaberAcceleration / scale});
  }
  return {};
}

ZaberTwin::Answer ZaberTwin::warnings(std::size_t axis, bool clear) {
  std::vector<daq::ZaberFlag> all;
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    if (axis != 0 && axis != i + 1) continue;
    for (const auto flag : flags(i)) {
      if (std::find(all.begin(), all.end(), flag) == all.end()) all.push_back(flag);
    }
    if (clear) axes_[i].stalled = axes_[i].interrupted = axes_[i].limit_hit = false;
  }
  std::string text = fmt::format("{:02}", all.size());
  for (const auto flag : all) {
    text += ' ';
    text += static_cast<char>(flag >> 8U);
    text += static_cast<char>(flag & 0xFFU);
  }
  return {true, text};
}

// --- triggers --------------------------------------------------------------------------------------------------------

ZaberTwin::Answer ZaberTwin::set_trigger(std::string_view words, daq::HostTime now) {
  const auto number = zaber_number(zaber_word(words, 0));
  if (!number || *number < 1 || *number > static_cast<std::int64_t>(triggers_.size())) return refuse("BADDATA");
  auto& t = triggers_[static_cast<std::size_t>(*number - 1)];
  const auto verb = zaber_word(words, 1);
  const auto what = zaber_word(words, 2);
  if (verb == "disable") {
    t.enabled = false;
    return {};
  }
  if (verb == "enable") {
    t.enabled = true;
    t.count = zaber_number(what).value_or(0);
    t.held = false;  // one whose condition holds already fires at once
    t.due = now + std::chrono::milliseconds(t.period_ms);
    return {};
  }
  if (verb == "action" && (what == "a" || what == "b")) {
    const auto action = after(words, 3);
    if (action.empty()) return refuse("BADDATA");
    auto& kept = t.actions[what == "a" ? 0 : 1];
    kept.clear();
    if (action != "none") kept.append(action);
    return {};
  }
  if (verb != "when") return refuse("BADCOMMAND");
  if (what == "time") {
    const auto period = zaber_number(zaber_word(words, 3));
    if (!period || *period < 1) return refuse("BADDATA");
    t.when = Trigger::When::kTime;
    t.period_ms = *period;
    t.due = now + std::chrono::milliseconds(*period);
    return {};
  }
  const auto data = data_number(what);
  const auto value = zaber_number(zaber_word(words, 4));
  const auto comparison = zaber_word(words, 3);
  if (!data || !value || (comparison != "==" && comparison != "<=" && comparison != ">=")) return refuse("BADDATA");
  t.when = Trigger::When::kData;
  t.data = *data;
  t.value = *value;
  t.comparison = std::string(comparison);
  return {};
}

bool ZaberTwin::holds(const Trigger& t) const {
  const auto value = data_[t.data];
  if (t.comparison == "==") return value == t.value;
  return t.comparison == "<=" ? value <= t.value : value >= t.value;
}

void ZaberTwin::fire(Trigger& t, daq::HostTime now) {
  ++t.fired;
  if (t.count > 0 && --t.count == 0) t.enabled = false;
  for (const auto& action : t.actions) {
    const auto first = zaber_word(action, 0);
    if (first.empty()) continue;
    if (const auto data = data_number(first)) {
      const auto how = zaber_word(action, 1);
      const auto value = zaber_number(zaber_word(action, 2)).value_or(0);
      if (how == "=") data_[*data] = value;
      if (how == "+=") data_[*data] += value;
      if (how == "-=") data_[*data] -= value;
      continue;
    }
    const auto axis = zaber_number(first);
    if (!axis) {
      (void)act(0, action, now);
    } else if (*axis >= 0 && *axis <= static_cast<std::int64_t>(rig::kAxes)) {
      (void)act(static_cast<std::size_t>(*axis), after(action, 1), now);
    }
  }
}

void ZaberTwin::run_triggers(daq::HostTime now) {
  for (auto& t : triggers_) {
    if (!t.enabled) continue;
    if (t.when == Trigger::When::kTime) {
      if (now < t.due) continue;
      t.due = t.due + std::chrono::milliseconds(t.period_ms);
      fire(t, now);
    } else if (t.when == Trigger::When::kData) {
      const bool held = std::exchange(t.held, holds(t));
      if (t.held && !held) fire(t, now);
    }
  }
}

// --- motion ----------------------------------------------------------------------------------------------------------

void ZaberTwin::step_search(std::size_t i) {
  auto& a = axes_[i];
  const double scale = config_.microsteps_per_m[i];
  const bool at_home = (a.motion.position_m() - low_m(i)) * scale <= 0;
  // It was on its way to the other end when it was told to.
  if (a.search == Search::kFast && (a.motion.position_m() - high_m(i)) * scale > 0) {
    a.motion.halt_at(high_m(i));
    a.motion.set_velocity(-std::copysign(config_.home_speed_m_s, scale));
  }
  switch (a.search) {
    case Search::kNone:
      return;
    case Search::kFast:
      if (!at_home) return;
      a.search = Search::kBack;
      a.motion.halt_at(low_m(i));
      a.motion.move_to(low_m(i) + std::copysign(kBackOff_m, scale), config_.home_speed_m_s);
      return;
    case Search::kBack:
      if (!a.motion.at_rest()) return;
      a.search = Search::kSlow;
      a.motion.set_velocity(-std::copysign(config_.home_slow_m_s, scale));
      return;
    case Search::kSlow:
      if (!at_home) return;
      a.search = Search::kNone;
      a.motion.halt_at(low_m(i));
      a.zero_m = low_m(i);
      a.reference = true;
      return;
  }
}

void ZaberTwin::keep_within_limits(std::size_t i) {
  auto& a = axes_[i];
  const double v = a.motion.velocity_m_s();
  const double at_m = a.motion.position_m();
  // Also one that came to rest in this very step.
  if (at_m > config_.travel_max_m[i] || at_m < config_.travel_min_m[i]) {
    a.motion.halt_at(std::clamp(at_m, config_.travel_min_m[i], config_.travel_max_m[i]));
    a.limit_hit = a.limit_hit || !a.reference;
    return;
  }
  if (v == 0) return;
  const double end_m = v > 0 ? config_.travel_max_m[i] : config_.travel_min_m[i];
  const double left_m = std::abs(end_m - at_m);
  // With a reference it knows where the end is, and slows down before it.
  const bool towards_it = a.motion.mode() == AxisMotion::Mode::kVelocity && a.motion.asked_velocity_m_s() * v > 0;
  if (a.reference && towards_it && v * v / (2 * a.motion.limits().acceleration_m_s2) >= left_m)
    a.motion.move_to(end_m, std::abs(v));
}

void ZaberTwin::step_axis(std::size_t i, double dt_s) {
  auto& a = axes_[i];
  a.motion.step(dt_s);
  if (a.search != Search::kNone) {
    if (!stalled_) step_search(i);
  } else {
    keep_within_limits(i);
  }
}

void ZaberTwin::step(daq::HostTime now, const PlantState&, TwinOutput& out) {
  const double dt_s = daq::seconds(now - stepped_);
  stepped_ = now;
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    const double before_m = axes_[i].motion.position_m();
    step_axis(i, dt_s);
    axes_[i].slip.moved(axes_[i].motion.position_m() - before_m);
  }
  if (power_) run_triggers(now);
  while (!late_.empty() && late_.front().due <= now) {
    out.send(late_.front().line.bytes(), now);
    late_.pop_front();
  }
}

}  // namespace strigil::sim
