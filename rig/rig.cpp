#include "rig/rig.hpp"

#include <fmt/format.h>

#include <cmath>

#include "daq/codec/rdt_session.hpp"
#include "daq/codec/sensor_stream_session.hpp"
#include "rig/force_control.hpp"
#include "rig/frames.hpp"
#include "rig/stage.hpp"

namespace strigil::rig {
namespace {

// Links and streams are numbered in this order in every run.
enum Wire : daq::LinkId { kStageWire = 0, kForceWire = 1, kVibrationWire = 2 };
constexpr daq::StreamId kForceStream = 0;
constexpr daq::StreamId kPositionStream = 1;
constexpr daq::StreamId kSetpointStream = 2;
constexpr daq::StreamId kVibrationStream = 3;  // last: the device says how many it has

/// Five times the back-stop of a turn (2 ms): the drive has a third of a second of motion given out, so nothing is lost
/// yet, but a computer that is this late is too busy for its job.
constexpr daq::Duration kLongestTick = std::chrono::milliseconds(10);

/// How long what is under way may take to come in after the devices were told to stop.
constexpr daq::Duration kTrickle = std::chrono::milliseconds(60);

std::size_t channel_of(const std::string& axis) {
  switch (axis.back()) {
    case 'x':
      return 0;
    case 'y':
      return 1;
    default:
      return 2;
  }
}

double sign_of(const std::string& axis) { return axis.front() == '-' ? -1 : 1; }

/// An accelerometer says only now how it samples: was its record made so?
daq::Result<void> can_use(const calibration::Record& record, const daq::StreamDescription& stream) {
  constexpr double kSame = 1e-6;
  const double rate_Hz = record.setting.rate_Hz;
  if (rate_Hz > 0 && std::abs(stream.rate_Hz / rate_Hz - 1) > kSame) {
    return daq::Error{fmt::format(
        "calibration '{}' of the accelerometer was made at {:g} Hz and it samples at {:g} Hz now. Nothing was moved",
        record.id, rate_Hz, stream.rate_Hz)};
  }
  for (const auto& input : record.fit.inputs) {
    for (const auto& c : stream.channels) {
      if (c.name != input.channel || std::abs(c.scale / input.per_count - 1) <= kSame) continue;
      return daq::Error{fmt::format(
          "calibration '{}' was made with {:g} {} by count of '{}' and it says {:g} now: its range was changed. "
          "Nothing was moved",
          record.id, input.per_count, c.unit, c.name, c.scale)};
    }
  }
  if (const auto usable = calibration::Conversion::with(stream, record); !usable) return usable.error();
  return {};
}

}  // namespace

struct Rig::Devices {
  Devices(const BenchConfig& bench)
      : stage(make_stage(bench.stage, kStageWire, kPositionStream)),
        force({.link = kForceWire,
               .stream = kForceStream,
               .name = "force",
               .rate_Hz = bench.force.rate_Hz,
               .counts_per_N = bench.force.counts_per_N,
               .counts_per_N_m = bench.force.counts_per_N_m,
               .latency_s = bench.force.latency_s,
               .lock_bound_s = bench.timing.max_bound_s}),
        vibration({.link = kVibrationWire,
                   .first_stream = kVibrationStream,
                   .latency_s = bench.vibration.latency_s,
                   .lock_bound_s = bench.timing.max_bound_s}) {}
  std::unique_ptr<Stage> stage;
  daq::RdtSession force;
  daq::SensorStreamSession vibration;
  std::optional<ForceControl> force_control;
  std::vector<std::unique_ptr<daq::Link>> links;
};

Rig::Rig(const BenchConfig& bench, daq::ChunkRing& chunks, RigPurpose purpose)
    : bench_(bench),
      purpose_(purpose),
      chunks_(chunks),
      intake_(chunks, fanout_, bench.interlock),
      interlock_(bench.interlock, bench.stage, purpose),
      supervisor_(bench.stage, purpose),
      devices_(std::make_unique<Devices>(bench)) {}

Rig::~Rig() = default;

daq::Result<std::unique_ptr<Rig>> Rig::assemble(const BenchConfig& bench, daq::ChunkRing& chunks,
                                                const LinkOpener& open, RigPurpose purpose) {
  std::unique_ptr<Rig> rig(new Rig(bench, chunks, purpose));
  // Where a stage stands that is being homed is not known, and so no map of it.
  if (bench.stage.record && purpose == RigPurpose::kRun) {
    const auto map = StageMap::make(*bench.stage.record, bench);
    if (!map) return map.error();
    rig->stage_map_ = *map;
  }
  auto& d = *rig->devices_;
  struct Place {
    const char* what;
    const std::string& uri;
    daq::Session& session;
  };
  const Place places[] = {{"stage", bench.stage.link, d.stage->session()},
                          {"force sensor", bench.force.link, d.force},
                          {"accelerometer", bench.vibration.link, d.vibration}};
  for (const auto& place : places) {
    auto link = open(place.uri, static_cast<daq::LinkId>(d.links.size()));
    if (!link) {
      return daq::Error{
          fmt::format("the {} cannot be opened: {} (bench file {})", place.what, link.error().message, bench.file)};
    }
    d.links.push_back(std::move(*link));
    rig->intake_.attach(place.session, *d.links.back());
  }
  return rig;
}

daq::HostTime Rig::turn(Pacer& pacer) {
  const auto now = pacer.next();
  intake_.drain(now, before_run_);
  intake_.wake_sinks();
  return now;
}

daq::Result<void> Rig::bring_up(Pacer& pacer) {
  auto& d = *devices_;
  const auto began = pacer.next();
  const auto all_ready = [&] { return d.stage->session().ready() && d.force.ready() && d.vibration.ready(); };
  while (!all_ready() && before_run_.now - began < bench_.bring_up_timeout) {
    turn(pacer);
    if (purpose_ == RigPurpose::kHome) d.stage->wake_for_homing(intake_.output_of(kStageWire));
  }
  const auto silent = [&](const char* what, const std::string& uri, const daq::SessionCounts& counts,
                          const std::string& check) {
    return daq::Error{fmt::format(
        "the {} on {} did not answer within {:.1f} s ({} bytes came, {} records, {} rejected). Nothing was moved. {}",
        what, uri, daq::seconds(bench_.bring_up_timeout), counts.bytes, counts.records, counts.rejected, check)};
  };
  // First: a stage in a hard alarm answers nothing but its state, and its alarm is what a person must know.
  const auto trouble = d.stage->trouble(purpose_);
  if (!trouble.empty()) {
    return daq::Error{fmt::format("the stage on {} {}. Nothing was moved", bench_.stage.link, trouble)};
  }
  if (!d.stage->session().ready()) {
    return silent(
        "stage", bench_.stage.link, d.stage->session().counts(),
        fmt::format("Check that it is switched on, that it speaks {} and that the link's baud rate is its own",
                    d.stage->speaks()));
  }
  if (!d.force.ready()) {
    return silent("force sensor", bench_.force.link, d.force.counts(),
                  "Check its power, its address and that RDT is enabled on its configuration page");
  }
  if (!d.vibration.ready()) {
    return silent("accelerometer", bench_.vibration.link, d.vibration.counts(),
                  "Check its cable and that its firmware speaks the Strigil sensor stream (docs/sensor_stream.md)");
  }
  streams_ = {d.force.description(), d.stage->description(), describe_setpoints(kSetpointStream)};
  if (bench_.force.record) {
    const auto usable = calibration::Conversion::with(streams_[kForceStream], *bench_.force.record);
    if (!usable) return usable.error();
    streams_[kForceStream] = calibration::described_by(streams_[kForceStream], *bench_.force.record);
  }
  for (auto& s : d.vibration.streams()) {
    if (!daq::valid_stream_name(s.name)) {
      return daq::Error{fmt::format("the accelerometer on {} calls a stream '{}': a name is [a-z0-9_], 1 to 32 long",
                                    bench_.vibration.link, s.name)};
    }
    for (const auto& other : streams_) {
      if (other.name == s.name) {
        return daq::Error{
            fmt::format("two streams are called '{}': one of {} and one of {}", s.name, other.device, s.device)};
      }
    }
    streams_.push_back(std::move(s));
  }
  if (bench_.vibration.record) {
    auto& s = streams_[kVibrationStream];
    if (auto r = can_use(*bench_.vibration.record, s); !r) return r.error();
    s = calibration::described_by(s, *bench_.vibration.record);
  }
  roles_ = roles_of(bench_);
  return {};
}

StreamRoles roles_of(const BenchConfig& bench) {
  StreamRoles roles;
  roles.force = kForceStream;
  roles.position = kPositionStream;
  roles.vibration = kVibrationStream;
  roles.normal_channel = channel_of(bench.force.normal_axis);
  roles.normal_sign = sign_of(bench.force.normal_axis);
  roles.tangential_channel = channel_of(bench.force.tangential_axis);
  roles.tangential_sign = sign_of(bench.force.tangential_axis);
  if (bench.instrument.sensor_tilts) roles.lean_rad = lean_of(bench.instrument.angle_rad);
  return roles;
}

ForceControlConfig force_control_of(const BenchConfig& bench, const DriveAbility& ability) {
  ForceControlConfig c;
  // A force is as old as its way here, half a period of its sampling and, on average, half a tick; the stage then takes
  // it up at the next of its own turns.
  c.drive_delay_s = ability.delay_s;
  c.period_s = ability.period_s;
  c.delay_s = bench.force.latency_s + 1 / bench.force.rate_Hz + ability.period_s + ability.delay_s;
  c.max_speed_m_s = ability.max_speed_m_s;
  c.max_acceleration_m_s2 = ability.max_acceleration_m_s2;
  c.stiffest_N_m = bench.interlock.stiffest_N_m;
  c.instrument_mass_kg = bench.force.instrument_mass_kg;
  return c;
}

std::optional<ForceControlConfig> hold_of(const BenchConfig& bench) {
  const auto ability = make_stage(bench.stage, kStageWire, kPositionStream)->drive().ability();
  if (!ability.streams_velocity) return std::nullopt;
  return force_control_of(bench, ability);
}

void Rig::begin() { 
  intake_.configure(streams_, roles_, bench_.force.record.get(), stage_map_ ? &*stage_map_ : nullptr,
                    bench_.vibration.record.get());
 }

Loop& Rig::loop_with(Behaviour& behaviour) {
  auto& d = *devices_;
  const auto ability = d.stage->drive().ability();
  if (ability.streams_velocity) d.force_control.emplace(force_control_of(bench_, ability));
  loop_ = std::make_unique<Loop>(LoopParts{.intake = intake_,
                                           .interlock = interlock_,
                                           .supervisor = supervisor_,
                                           .behaviour = behaviour,
                                           .drive = d.stage->drive(),
                                           .stage_map = stage_map_ ? &*stage_map_ : nullptr,
                                           .force_control = d.force_control ? &*d.force_control : nullptr,
                                           .stage_link = kStageWire,
                                           .setpoint_stream = kSetpointStream,
                                           .longest_tick = kLongestTick});
  return *loop_;
}

void Rig::shut_down(Pacer& pacer) {
  auto& d = *devices_;
  const auto began = pacer.next();
  d.stage->session().stop(began, intake_.output_of(kStageWire));
  d.force.stop(began, intake_.output_of(kForceWire));
  d.vibration.stop(began, intake_.output_of(kVibrationWire));
  before_run_.now = began;
  while (before_run_.now - began < kTrickle) turn(pacer);
}

DriveAbility Rig::ability() const { return devices_->stage->drive().ability(); }

std::string Rig::stage_trouble() const { return devices_->stage->trouble(RigPurpose::kRun); }

std::vector<DeviceCounts> Rig::device_counts() const {
  const auto& d = *devices_;
  return {{"force", d.force.counts()}, {"position", d.stage->session().counts()}, {"vibration", d.vibration.counts()}};
}

}  // namespace strigil::rig
