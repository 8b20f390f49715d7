#include "rig/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daq/codec/grbl_session.hpp"
#include "daq/codec/tmcl_session.hpp"
#include "daq/codec/zaber_session.hpp"
#include "rig/axis_drive.hpp"
#include "rig/grbl_drive.hpp"

namespace strigil::rig {
namespace {

class GrblStage final : public Stage {
 public:
  GrblStage(const StageConfig& config, daq::LinkId link, daq::StreamId position_stream)
      : session_({.link = link,
                  .position_stream = position_stream,
                  .status_rate_Hz = config.status_rate_Hz,
                  .latency_s = config.latency_s}),
        drive_(session_, config) {}
  daq::Session& session() noexcept override { return session_; }
  Drive& drive() noexcept override { return drive_; }
  const daq::StreamDescription& description() const noexcept override { return session_.description(); }
  std::string trouble(RigPurpose purpose) const override {
    if (purpose == RigPurpose::kRun && session_.state() == daq::GrblState::kAlarm) {
      return fmt::format(
          "is in alarm {}: {}. Free the stage, home it (strigil home), and start again", session_.last_alarm(),
          session_.last_alarm() == 0 ? "it was so before we came" : daq::grbl_alarm_words(session_.last_alarm()));
    }
    return session_.settings().reports_inches ? "reports inches: set $13=0" : "";
  }
  void wake_for_homing(daq::SessionOutput& out) noexcept override {
    if (!woken_ && !session_.ready() && session_.state() == daq::GrblState::kAlarm) woken_ = session_.soft_reset(out);
  }
  std::string speaks() const override { return "Grbl 1.1"; }

 private:
  daq::GrblSession session_;
  GrblDrive drive_;
  bool woken_ = false;
};

/// A stage with axes of their own.
class AxisStage final : public Stage {
 public:
  AxisStage(std::unique_ptr<daq::AxisSession> session, const StageConfig& config, double period_s, std::string speaks)
      : session_(std::move(session)),
        config_(config),
        drive_(*session_, config, period_s),
        speaks_(std::move(speaks)) {}
  daq::Session& session() noexcept override { return *session_; }
  Drive& drive() noexcept override { return drive_; }
  const daq::StreamDescription& description() const noexcept override { return session_->description(); }
  void wake_for_homing(daq::SessionOutput&) noexcept override {}
  std::string trouble(RigPurpose purpose) const override {
    if (!session_->ready() || purpose == RigPurpose::kHome) return "";
    constexpr std::array kNames{"x", "y", "z"};
    for (std::size_t a = 0; a < kAxes; ++a) {
      const auto& axis = session_->axis(a);
      if (!axis.present) continue;
      if (axis.condition == daq::AxisCondition::kFault) {
        return fmt::format("says of axis {}: {}. Mend that, home it (strigil home), and start again", kNames[a],
                           session_->fault_words(axis.fault));
      }
      if (!axis.homed && !config_.keeps_position) {
        return fmt::format(
            "does not know where its axis {} stands. Home it (strigil home), or say keeps_position = true in the bench "
            "file if it knows from the moment it is switched on, as with absolute encoders",
            kNames[a]);
      }
    }
    return "";
  }
  std::string speaks() const override { return speaks_; }

 private:
  std::unique_ptr<daq::AxisSession> session_;
  StageConfig config_;
  AxisDrive drive_;
  std::string speaks_;
};

std::unique_ptr<Stage> make_tmcl(const StageConfig& config, daq::LinkId link, daq::StreamId position_stream) {
  constexpr double kPeriod_s = 1e-3;  // science.md 4.2: TMCL takes velocities at up to 1 kHz
  daq::TmclSessionConfig t;
  t.link = link;
  t.position_stream = position_stream;
  t.position_rate_Hz = config.status_rate_Hz;
  t.host_silence_s = config.host_silence_s;
  if (config.answer_timeout_s > 0) t.exchange.answer_timeout = daq::from_seconds(config.answer_timeout_s);
  t.latency_s = config.latency_s;
  for (std::size_t a = 0; a < kAxes; ++a) {
    t.axes[a].present = config.steps_per_m[a] != 0;
    t.axes[a].motor = static_cast<std::uint8_t>(a);
    t.axes[a].pulses_per_m = config.steps_per_m[a];
    t.axes[a].max_speed_m_s = config.max_speed_m_s;
    t.axes[a].acceleration_m_s2 = config.acceleration_m_s2;
    t.axes[a].hard_deceleration_m_s2 = std::max(config.acceleration_m_s2, t.axes[a].hard_deceleration_m_s2);
  }
  return std::make_unique<AxisStage>(std::make_unique<daq::TmclSession>(t), config, kPeriod_s,
                                     "TMCL with the program of docs/tmcl.md");
}

std::unique_ptr<Stage> make_zaber(const StageConfig& config, daq::LinkId link, daq::StreamId position_stream) {
  constexpr double kPeriod_s = 1e-2;  // about 100 velocities a second at 115200 baud
  daq::ZaberSessionConfig z;
  z.link = link;
  z.position_stream = position_stream;
  z.position_rate_Hz = config.status_rate_Hz;
  z.host_silence_s = config.host_silence_s;
  if (config.answer_timeout_s > 0) z.answer_timeout = daq::from_seconds(config.answer_timeout_s);
  z.latency_s = config.latency_s;
  for (std::size_t a = 0; a < kAxes; ++a) {
    z.axes[a].present = config.steps_per_m[a] != 0;
    z.axes[a].microsteps_per_m = config.steps_per_m[a];
    z.axes[a].max_speed_m_s = config.max_speed_m_s;
    z.axes[a].acceleration_m_s2 = config.acceleration_m_s2;
  }
  return std::make_unique<AxisStage>(std::make_unique<daq::ZaberSession>(z), config, kPeriod_s,
                                     "Zaber ASCII, firmware 7, with user.vdata");
}

}  // namespace

std::unique_ptr<Stage> make_stage(const StageConfig& config, daq::LinkId link, daq::StreamId position_stream) {
  if (config.codec == "tmcl") return make_tmcl(config, link, position_stream);
  if (config.codec == "zaber") return make_zaber(config, link, position_stream);
  return std::make_unique<GrblStage>(config, link, position_stream);
}

}  // namespace strigil::rig
