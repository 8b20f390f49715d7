#include "rig/stage.hpp"

#include <fmt/format.h>

#include "daq/codec/grbl_session.hpp"
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
  std::string trouble() const override {
    if (session_.state() == daq::GrblState::kAlarm) {
      return fmt::format(
          "is in alarm {}: {}. Free the stage, home it ($H) or unlock it ($X), and start again", session_.last_alarm(),
          session_.last_alarm() == 0 ? "it was so before we came" : daq::grbl_alarm_words(session_.last_alarm()));
    }
    return session_.settings().reports_inches ? "reports inches: set $13=0" : "";
  }
  std::string speaks() const override { return "Grbl 1.1"; }

 private:
  daq::GrblSession session_;
  GrblDrive drive_;
};

}  // namespace

std::unique_ptr<Stage> make_stage(const StageConfig& config, daq::LinkId link, daq::StreamId position_stream) {
  return std::make_unique<GrblStage>(config, link, position_stream);
}

}  // namespace strigil::rig
