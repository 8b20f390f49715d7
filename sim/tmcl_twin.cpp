#include "sim/tmcl_twin.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "daq/codec/tmcl_session.hpp"

namespace strigil::sim {
namespace {

using daq::TmclAxis;
using daq::TmclCommand;
using daq::TmclStatus;

constexpr std::int32_t kFastest_pulses_s = 7'999'774;  // of these motion controllers
constexpr std::size_t kFirstVolatile = 56;             // user variables before keep their values in the EEPROM
constexpr std::size_t kZ = 2;
constexpr double kBackOff_m = 1e-3;  // of a reference search, before it goes slowly
constexpr auto kProgramTick = std::chrono::milliseconds(10);
constexpr std::int32_t kStallFlag = 1;

}  // namespace

TmclTwin::TmclTwin(const TmclTwinConfig& config, daq::HostTime start)
    : config_(config),
      axes_{Axis{.motion = AxisMotion({}, config.start_m[0])}, Axis{.motion = AxisMotion({}, config.start_m[1])},
            Axis{.motion = AxisMotion({}, config.start_m[2])}},
      stepped_(start),
      heard_(start),
      obeyed_(start),
      next_tick_(start + kProgramTick) {
  reset_axes();
  if (!config.start_known) return;
  for (auto& a : axes_) a.zero_m = 0;
}

void TmclTwin::reset_axes() {
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    const double scale = std::abs(config_.pulses_per_m[i]);
    Axis fresh{.motion = axes_[i].motion};
    fresh.motion.halt();
    fresh.motion.set_limits({kFastest_pulses_s / scale, config_.acceleration_m_s2[i]});
    fresh.zero_m = fresh.motion.position_m();
    fresh.max_speed = static_cast<std::int32_t>(config_.max_speed_m_s[i] * scale);
    fresh.acceleration = static_cast<std::int32_t>(config_.acceleration_m_s2[i] * scale);
    fresh.reference_speed = static_cast<std::int32_t>(config_.reference_speed_m_s * scale);
    fresh.reference_slow = static_cast<std::int32_t>(config_.reference_slow_m_s * scale);
    axes_[i] = fresh;
  }
}

void TmclTwin::reboot() {
  reset_axes();
  std::fill(variables_.begin() + kFirstVolatile, variables_.end(), 0);
  serial_heartbeat_ms_ = 0;
  lifting_owed_ = false;
  filled_ = 0;
  late_.clear();
}

void TmclTwin::set_power(bool on) {
  if (on != power_) reboot();
  power_ = on;
}

void TmclTwin::set_stalled(bool stalled) {
  stalled_ = stalled;
  if (!stalled) return;
  for (auto& a : axes_) a.motion.halt();
}

void TmclTwin::stall(std::size_t axis) {
  auto& a = axes_[axis];
  a.motion.halt();
  a.search = Search::kNone;
  a.error_flags |= kStallFlag;
}

rig::Position TmclTwin::position_m() const {
  rig::Position p;
  for (std::size_t a = 0; a < rig::kAxes; ++a) p[a] = axes_[a].motion.position_m() + axes_[a].slip.slip_m();
  return p;
}

rig::Position TmclTwin::velocity_m_s() const {
  rig::Position v;
  for (std::size_t a = 0; a < rig::kAxes; ++a) v[a] = axes_[a].slip.losing() ? 0 : axes_[a].motion.velocity_m_s();
  return v;
}

void TmclTwin::trigger_alarm(int, daq::HostTime, TwinOutput&) {
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) stall(axis);
}

void TmclTwin::reboot(daq::HostTime, TwinOutput&) { reboot(); }

std::int32_t TmclTwin::pulses(std::size_t axis) const {
  const auto& a = axes_[axis];
  return static_cast<std::int32_t>(std::lround((a.motion.position_m() - a.zero_m) * config_.pulses_per_m[axis]));
}

// Left is where pulses are fewest.
double TmclTwin::left_m(std::size_t axis) const {
  return config_.pulses_per_m[axis] > 0 ? config_.travel_min_m[axis] : config_.travel_max_m[axis];
}
double TmclTwin::right_m(std::size_t axis) const {
  return config_.pulses_per_m[axis] > 0 ? config_.travel_max_m[axis] : config_.travel_min_m[axis];
}
bool TmclTwin::at_left(std::size_t axis) const {
  return (axes_[axis].motion.position_m() - left_m(axis)) * config_.pulses_per_m[axis] <= 0;
}
bool TmclTwin::at_right(std::size_t axis) const {
  return (axes_[axis].motion.position_m() - right_m(axis)) * config_.pulses_per_m[axis] >= 0;
}

// --- wire ------------------------------------------------------------------------------------------------------------

void TmclTwin::receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) {
  if (!power_) return;
  if (now - heard_ >= config_.request_timeout) filled_ = 0;
  heard_ = now;
  for (const auto b : bytes) {
    request_[filled_++] = b;
    if (filled_ < daq::kTmclBytes) continue;
    filled_ = 0;
    take(request_, now, out);
  }
}

void TmclTwin::take(const daq::TmclBytes& bytes, daq::HostTime now, TwinOutput& out) {
  const auto request = daq::decode_tmcl_request(bytes);
  daq::TmclReply reply{.reply_address = config_.host_address, .address = config_.address};
  if (!request) {
    // Whose it was is not known any more: as it says.
    if (std::to_integer<std::uint8_t>(bytes[0]) != config_.address) return;
    reply.status = TmclStatus::kWrongChecksum;
    reply.command = static_cast<TmclCommand>(bytes[1]);
    return say(reply, now, out);
  }
  if (request->address != config_.address) return;
  ++requests_;
  obeyed_ = now;
  reply.command = request->command;
  reply.value = request->value;
  reply.status = act(*request, reply.value);
  say(reply, now, out);
}

void TmclTwin::say(const daq::TmclReply& reply, daq::HostTime now, TwinOutput& out) {
  if (silent_) return;
  const auto bytes = daq::encode_tmcl(reply);
  if (config_.answer_latency.count() > 0) {
    late_.push_back({now + config_.answer_latency, bytes});
  } else {
    out.send(bytes, now);
  }
}

TmclStatus TmclTwin::act(const daq::TmclRequest& request, std::int32_t& value) {
  if (request.command == TmclCommand::kGetVersion) {
    value = config_.version;
    return request.type == daq::kTmclVersionBinary ? TmclStatus::kOk : TmclStatus::kWrongType;
  }
  const bool sets = request.command == TmclCommand::kSetGlobal;
  if (sets || request.command == TmclCommand::kGetGlobal) {
    if (request.motor == daq::kTmclUserBank) {
      if (sets) variables_[request.type] = request.value;
      value = variables_[request.type];
      return TmclStatus::kOk;
    }
    if (request.motor != daq::kTmclModuleBank) return TmclStatus::kInvalidValue;
    if (request.type == daq::kTmclSerialHeartbeat && config_.serial_heartbeat) {
      if (sets) serial_heartbeat_ms_ = request.value;
      value = serial_heartbeat_ms_;
      return TmclStatus::kOk;
    }
    if (request.type == daq::kTmclApplicationStatus && !sets) {
      value = config_.watchdog_program ? 1 : 0;
      return TmclStatus::kOk;
    }
    return TmclStatus::kWrongType;
  }
  const std::size_t index = request.motor;
  if (index >= rig::kAxes) return TmclStatus::kInvalidValue;
  auto& a = axes_[index];
  switch (request.command) {
    case TmclCommand::kRotateRight:
    case TmclCommand::kRotateLeft:
      if (request.value < -kFastest_pulses_s || request.value > kFastest_pulses_s) return TmclStatus::kInvalidValue;
      rotate(a, index, request.command == TmclCommand::kRotateRight ? request.value : -request.value);
      return TmclStatus::kOk;
    case TmclCommand::kMotorStop:
      if (a.search == Search::kNone) rotate(a, index, 0);
      return TmclStatus::kOk;
    case TmclCommand::kMoveTo:
      if (request.type != daq::kTmclAbsolute) return TmclStatus::kWrongType;
      return set_axis(a, index, {.type = static_cast<std::uint8_t>(TmclAxis::kTargetPosition), .value = request.value});
    case TmclCommand::kSetAxis:
      return set_axis(a, index, request);
    case TmclCommand::kGetAxis:
      return get_axis(a, index, static_cast<TmclAxis>(request.type), value);
    case TmclCommand::kReference:
      return reference(a, index, request.type, value);
    default:
      return TmclStatus::kInvalidCommand;
  }
}

void TmclTwin::rotate(Axis& a, std::size_t index, std::int32_t pulses_s) {
  a.target_speed = pulses_s;
  if (stalled_) return;
  const double asked_m_s = pulses_s / config_.pulses_per_m[index];
  a.motion.set_velocity(asked_m_s);
}

TmclStatus TmclTwin::set_axis(Axis& a, std::size_t index, const daq::TmclRequest& request) {
  const auto value = request.value;
  const double scale = std::abs(config_.pulses_per_m[index]);
  const auto store = [&](std::int32_t& parameter) {
    if (value < 1 || value > kFastest_pulses_s) return TmclStatus::kInvalidValue;
    parameter = value;
    return TmclStatus::kOk;
  };
  switch (static_cast<TmclAxis>(request.type)) {
    case TmclAxis::kTargetPosition:
      a.target = value;
      if (!stalled_) a.motion.move_to(a.zero_m + value / config_.pulses_per_m[index], a.max_speed / scale);
      return TmclStatus::kOk;
    case TmclAxis::kActualPosition:
      a.zero_m = a.motion.position_m() - value / config_.pulses_per_m[index];
      return TmclStatus::kOk;
    case TmclAxis::kMaxSpeed:
      return store(a.max_speed);
    case TmclAxis::kMaxAcceleration:
      if (value < 1) return TmclStatus::kInvalidValue;
      a.acceleration = value;
      a.motion.set_limits({kFastest_pulses_s / scale, value / scale});
      return TmclStatus::kOk;
    case TmclAxis::kReferenceMode:
      if (value != 1) return TmclStatus::kInvalidValue;
      a.reference_mode = value;
      return TmclStatus::kOk;
    case TmclAxis::kReferenceSpeed:
      return store(a.reference_speed);
    case TmclAxis::kReferenceSlowSpeed:
      return store(a.reference_slow);
    default:
      return TmclStatus::kWrongType;
  }
}

TmclStatus TmclTwin::get_axis(Axis& a, std::size_t index, TmclAxis parameter, std::int32_t& value) {
  const double scale = config_.pulses_per_m[index];
  switch (parameter) {
    case TmclAxis::kTargetPosition:
      value = a.target;
      break;
    case TmclAxis::kActualPosition:
      value = pulses(index);
      ++reports_sent_;
      break;
    case TmclAxis::kTargetSpeed:
      value = a.target_speed;
      break;
    case TmclAxis::kActualSpeed:
      value = static_cast<std::int32_t>(std::lround(a.motion.velocity_m_s() * scale));
      break;
    case TmclAxis::kMaxSpeed:
      value = a.max_speed;
      break;
    case TmclAxis::kMaxAcceleration:
      value = a.acceleration;
      break;
    case TmclAxis::kPositionReached:
      value = pulses(index) == a.target ? 1 : 0;
      break;
    case TmclAxis::kRightLimit:
      value = at_right(index) ? 1 : 0;
      break;
    case TmclAxis::kLeftLimit:
      value = at_left(index) ? 1 : 0;
      break;
    case TmclAxis::kReferenceMode:
      value = a.reference_mode;
      break;
    case TmclAxis::kReferenceSpeed:
      value = a.reference_speed;
      break;
    case TmclAxis::kReferenceSlowSpeed:
      value = a.reference_slow;
      break;
    case TmclAxis::kErrorFlags:
      value = std::exchange(a.error_flags, 0);
      break;
    case TmclAxis::kDriverFlags:
      if (!config_.driver_flags) return TmclStatus::kWrongType;
      value = a.driver_flags;
      break;
    case TmclAxis::kUnitMode:
      value = 1;
      break;
    default:
      return TmclStatus::kWrongType;
  }
  return TmclStatus::kOk;
}

// --- motion ----------------------------------------------------------------------------------------------------------

TmclStatus TmclTwin::reference(Axis& a, std::size_t index, std::uint8_t type, std::int32_t& value) {
  switch (type) {
    case daq::kTmclReferenceStart:
      a.search = Search::kFast;
      rotate(a, index, -a.reference_speed);
      return TmclStatus::kOk;
    case daq::kTmclReferenceStop:
      if (a.search != Search::kNone) rotate(a, index, 0);
      a.search = Search::kNone;
      return TmclStatus::kOk;
    case daq::kTmclReferenceStatus:
      value = static_cast<std::int32_t>(a.search);
      return TmclStatus::kOk;
    default:
      return TmclStatus::kWrongType;
  }
}

void TmclTwin::step_search(Axis& a, std::size_t index) {
  const double scale = config_.pulses_per_m[index];
  switch (a.search) {
    case Search::kNone:
      return;
    case Search::kFast:
      if (!at_left(index)) return;
      a.search = Search::kBack;
      a.motion.move_to(left_m(index) + std::copysign(kBackOff_m, scale), a.reference_speed / std::abs(scale));
      return;
    case Search::kBack:
      if (!a.motion.at_rest()) return;
      a.search = Search::kSlow;
      rotate(a, index, -a.reference_slow);
      return;
    case Search::kSlow:
      if (!at_left(index)) return;
      a.search = Search::kNone;
      a.motion.halt_at(left_m(index));
      a.zero_m = left_m(index);
      a.target = a.target_speed = 0;
      return;
  }
}

void TmclTwin::step_axis(std::size_t index, double dt_s) {
  auto& a = axes_[index];
  a.motion.step(dt_s);
  const double towards_right = a.motion.velocity_m_s() * config_.pulses_per_m[index];
  if (at_left(index) && towards_right < 0) a.motion.halt_at(left_m(index));
  if (at_right(index) && towards_right > 0) a.motion.halt_at(right_m(index));
  if (!stalled_) step_search(a, index);
}

void TmclTwin::stop_all() {
  ++silences_;
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    axes_[i].search = Search::kNone;
    rotate(axes_[i], i, 0);
  }
}

/// One tick of the program in docs/tmcl.md.
void TmclTwin::run_program() {
  auto& left = variables_[daq::kTmclHeartbeatVariable];
  if (lifting_owed_) {
    const bool rest = std::all_of(axes_.begin(), axes_.end(), [](const Axis& a) { return a.motion.at_rest(); });
    if (!rest) return;
    lifting_owed_ = false;
    auto& z = axes_[kZ];
    z.max_speed = static_cast<std::int32_t>(config_.lift_speed_m_s * std::abs(config_.pulses_per_m[kZ]));
    const auto lift = static_cast<std::int32_t>(std::lround(config_.lift_m * config_.pulses_per_m[kZ]));
    (void)set_axis(z, kZ, {.type = static_cast<std::uint8_t>(TmclAxis::kTargetPosition), .value = pulses(kZ) + lift});
    variables_[daq::kTmclMarkerVariable] = daq::kTmclMarkerStopped;
    return;
  }
  if (left == 0 || --left > 0) return;
  stop_all();
  lifting_owed_ = true;
}

void TmclTwin::check_serial_heartbeat(daq::HostTime now) {
  if (serial_heartbeat_ms_ <= 0 || now - obeyed_ < std::chrono::milliseconds(serial_heartbeat_ms_)) return;
  obeyed_ = now;
  stop_all();
}

void TmclTwin::step(daq::HostTime now, const PlantState&, TwinOutput& out) {
  const double dt_s = daq::seconds(now - stepped_);
  stepped_ = now;
  for (std::size_t i = 0; i < rig::kAxes; ++i) {
    auto& a = axes_[i];
    const double before_m = a.motion.position_m();
    step_axis(i, dt_s);
    a.slip.moved(a.motion.position_m() - before_m);
  }
  while (next_tick_ <= now) {
    next_tick_ = next_tick_ + kProgramTick;
    if (power_ && config_.watchdog_program) run_program();
  }
  if (power_) check_serial_heartbeat(now);
  while (!late_.empty() && late_.front().due <= now) {
    out.send(late_.front().bytes, now);
    late_.pop_front();
  }
}

}  // namespace strigil::sim
