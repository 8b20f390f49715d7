// The bench, the reference and the procedure of an accelerometer on an exciter, for tests.
#pragma once

#include <fmt/format.h>

#include <string>

#include "tests/scenario/tmcl_stage.hpp"

namespace strigil::apps {

inline constexpr const char* kReferenceAccelerometer = R"(
[reference]
what = "accelerometer"
serial = "R-1"
certificate = "C-1"
laboratory = "L"
[accelerometer]
drift_percent = 0.1
transverse_percent = 2
[[accelerometer.response]]
frequency_Hz = 10
sensitivity_mV_m_s2 = 10
expanded_percent = 0.5
expanded_phase_deg = 0.2
[[accelerometer.response]]
frequency_Hz = 1000
sensitivity_mV_m_s2 = 10
expanded_percent = 0.5
expanded_phase_deg = 0.2
)";

inline std::string procedure_text(const std::string& axes, const std::string& frequencies, const std::string& more = "",
                                  int mountings = 3) {
  return fmt::format(
      "[procedure]\nname = \"test\"\nkind = \"vibration\"\n[vibration]\naxes = [{}]\nfrequencies_Hz = [{}]\n"
      "amplitude_m_s2 = 12\nmountings = {}\nsettle_s = 0.1\nread_s = 0.2\n{}\n[vibration.budget]\n"
      "channels_percent = 0.05\ntransverse_percent = 3\nstrain_percent = 0\nskew_us = 0.1\n"
      "sensitivity_percent_K = 0.02\ntemperature_K = 1\n",
      axes, frequencies, mountings, more);
}

inline std::string bench_text(const std::string& twins, const std::string& vibration = "serial = \"A-1\"") {
  return fmt::format(R"(
[bench]
name = "shaker_test"
{}status_rate_Hz = 20
[force]
codec = "ati_rdt"
link = "memory:force"
rate_Hz = 100
counts_per_N = 1000000
counts_per_N_m = 1000000
[vibration]
codec = "strigil_stream"
link = "memory:vibration"
{}
[timing]
max_bound_us = 20000
[interlock]
max_force_N = 25
force_stale_ms = 500
stage_stale_ms = 500
stuck_ms = 100
{}
)",
                     kTmclStage, vibration, twins);
}

}  // namespace strigil::apps
