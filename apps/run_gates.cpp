#include "apps/run_gates.hpp"

#include "apps/delay_gate.hpp"
#include "apps/instrument_gate.hpp"

namespace strigil::apps {

daq::Result<RunGates> pass_run_gates(const rig::BenchConfig& bench, const protocols::Plan& plan, daq::WallTime now) {
  RunGates out;
  const auto tell = [&out](const std::string& prefix, const std::vector<std::string>& all) {
    for (const auto& one : all) out.told.push_back(prefix + one);
  };
  const auto keep = [&out](const char* name, const std::string& text) {
    if (!text.empty()) out.config[name] = text;
  };
  auto calibration = pass_calibration_gate(bench, plan, now);
  if (!calibration) return calibration.error();
  out.calibration = std::move(*calibration);
  keep("calibration.json", out.calibration.text);
  keep("stage_calibration.json", out.calibration.stage_text);

  auto delays = pass_delay_gate(bench, now);
  if (!delays) return delays.error();
  tell("delays are uncalibrated, latency_ms holds: ", delays->reasons);
  tell("", delays->remarks);
  keep("delays.json", delays->text);

  auto vibration = pass_vibration_gate(bench, now);
  if (!vibration) return vibration.error();
  out.vibration = std::move(*vibration);
  keep("vibration_calibration.json", out.vibration.text);

  const auto instrument = pass_instrument_gate(bench, now);
  if (!instrument) return instrument.error();
  tell("the instrument is uncalibrated: ", instrument->reasons);
  tell("", instrument->remarks);
  keep("instrument_calibration.json", instrument->text);

  out.bench = std::move(delays->bench);
  out.bench.force.record = out.calibration.record;
  out.bench.stage.record = out.calibration.stage_record;
  out.bench.vibration.record = out.vibration.record;
  return out;
}

}  // namespace strigil::apps
