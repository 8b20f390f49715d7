#include "sim/generator_twin.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>

namespace strigil::sim {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr std::size_t kLongestLine = 256;
constexpr std::size_t kMostErrors = 20;
/// As usual for such instruments [A]; into an open output.
constexpr double kLeast_Vpp = 2e-3, kMost_Vpp = 20;
constexpr double kLowest_Hz = 1e-6, kHighest_Hz = 30e6;
constexpr double kShortestSweep_s = 1e-3, kLongestSweep_s = 500;

std::optional<double> number_of(std::string_view s) {
  double v = 0;
  const auto [end, failure] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (failure != std::errc{} || end != s.data() + s.size() || !std::isfinite(v)) return std::nullopt;
  return v;
}

/// Channel 1 is meant where none is named.
std::string full_header(std::string_view header) {
  for (const std::string_view part : {"FUNC", "VOLT", "FREQ", "SWE:"}) {
    if (header.starts_with(part)) return fmt::format("SOUR1:{}", header);
  }
  if (header == "OUTP" || header.starts_with("OUTP:")) return fmt::format("OUTP1{}", header.substr(4));
  return std::string(header);
}

}  // namespace

GeneratorTwin::GeneratorTwin(const GeneratorTwinConfig& config, double rate_Hz) : config_(config), rate_Hz_(rate_Hz) {}

void GeneratorTwin::reset() {
  on_ = high_impedance_ = sweeps_ = by_octaves_ = false;
  peak_to_peak_V_ = 0.1;
  frequency_Hz_ = 1000;
  from_Hz_ = 100;
  to_Hz_ = 1000;
  up_s_ = 1;
  back_s_ = 0;
}

void GeneratorTwin::receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) {
  for (const auto b : bytes) {
    const char c = static_cast<char>(b);
    if (c == '\r') continue;
    if (c != '\n') {
      overrun_ = overrun_ || line_.size() >= kLongestLine;
      if (!overrun_) line_ += c;
      continue;
    }
    if (overrun_) error("-363,\"Input buffer overrun\"");
    if (!overrun_ && !line_.empty()) take_line(line_, now, out);
    line_.clear();
    overrun_ = false;
  }
}

void GeneratorTwin::take_line(std::string_view line, daq::HostTime now, TwinOutput& out) {
  ++lines_;
  if (failing()) {
    switch (config_.fault) {
      case GeneratorFault::kDead:
        on_ = false;
        return;
      case GeneratorFault::kUnplugged:
        return out.plug(false, now);
      case GeneratorFault::kTripped:
        on_ = false;
        break;
      default:
        break;
    }
  }
  if (line.ends_with('?')) return answer(say(full_header(line.substr(0, line.size() - 1))), now);
  const auto space = line.find(' ');
  const auto header = full_header(line.substr(0, space));
  if (failing() && config_.fault == GeneratorFault::kErrors && header.starts_with("SOUR1:"))
    return error("-221,\"Settings conflict\"");
  set(header, space == std::string_view::npos ? std::string_view{} : line.substr(space + 1));
}

void GeneratorTwin::error(const char* text) {
  if (errors_.size() < kMostErrors) errors_.emplace_back(text);
}

void GeneratorTwin::answer(std::string text, daq::HostTime now) {
  if (failing() && config_.fault == GeneratorFault::kSilent) return;
  if (failing() && config_.fault == GeneratorFault::kGarbage) text = "\x02\xff\x80gh\x01";
  pending_.push_back({now + config_.answer_latency, std::move(text)});
}

std::string GeneratorTwin::say(std::string_view header) {
  if (header == "*IDN") return fmt::format("{},{},{},1.00-sim", config_.make, config_.model, config_.serial);
  if (header == "SYST:ERR") {
    if (errors_.empty()) return "+0,\"No error\"";
    auto first = std::move(errors_.front());
    errors_.pop_front();
    return first;
  }
  if (header == "OUTP1") return on_ ? "1" : "0";
  if (header == "SOUR1:VOLT") return fmt::format("{:+.15E}", peak_to_peak_V_);
  if (header == "SOUR1:FREQ") return fmt::format("{:+.15E}", frequency_Hz_);
  error("-113,\"Undefined header\"");
  return "";
}

void GeneratorTwin::set(std::string_view header, std::string_view argument) {
  const auto flag = [&](bool& to) {
    const bool on = argument == "ON" || argument == "1";
    if (!on && argument != "OFF" && argument != "0") return error("-224,\"Illegal parameter value\"");
    to = on;
  };
  const auto number = [&](double low, double high, double& to) {
    const auto v = number_of(argument);
    if (!v) return error("-104,\"Data type error\"");
    if (*v < low || *v > high) return error("-222,\"Data out of range\"");
    to = *v;
  };
  const auto only = [&](std::string_view word) {
    if (argument != word) error("-224,\"Illegal parameter value\"");
  };
  if (header == "*CLS") return errors_.clear();
  if (header == "*RST") return reset();
  if (header == "OUTP1") {
    flag(on_);
    phase_rad_ = in_sweep_s_ = 0;
    if (failing() && config_.fault == GeneratorFault::kTripped) on_ = false;
    return;
  }
  if (header == "OUTP1:LOAD") {
    if (argument != "INF" && argument != "50") return error("-224,\"Illegal parameter value\"");
    // What it says changes with it, what it gives out does not.
    const bool open = argument == "INF";
    if (open != high_impedance_) peak_to_peak_V_ *= open ? 2 : 0.5;
    high_impedance_ = open;
    return;
  }
  if (header == "SOUR1:FUNC") return only("SIN");
  if (header == "SOUR1:VOLT:UNIT") return only("VPP");
  if (header == "SOUR1:VOLT:OFFS") return only("0");
  if (header == "SOUR1:VOLT") {
    const double part = high_impedance_ ? 1 : 0.5;
    return number(part * kLeast_Vpp, part * kMost_Vpp, peak_to_peak_V_);
  }
  if (header == "SOUR1:FREQ") return number(kLowest_Hz, kHighest_Hz, frequency_Hz_);
  if (header == "SOUR1:FREQ:STAR") return number(kLowest_Hz, kHighest_Hz, from_Hz_);
  if (header == "SOUR1:FREQ:STOP") return number(kLowest_Hz, kHighest_Hz, to_Hz_);
  if (header == "SOUR1:SWE:TIME") return number(kShortestSweep_s, kLongestSweep_s, up_s_);
  if (header == "SOUR1:SWE:RTIM") return number(0, kLongestSweep_s, back_s_);
  if (header == "SOUR1:SWE:SPAC") {
    if (argument != "LIN" && argument != "LOG") return error("-224,\"Illegal parameter value\"");
    by_octaves_ = argument == "LOG";
    return;
  }
  if (header == "SOUR1:SWE:STAT") {
    in_sweep_s_ = 0;
    return flag(sweeps_);
  }
  error("-113,\"Undefined header\"");
}

double GeneratorTwin::open_V() const noexcept { return peak_to_peak_V_ / 2 * (high_impedance_ ? 1 : 2); }

GeneratorTwin::Drive GeneratorTwin::output_V() const noexcept { return {on_ ? open_V() : 0, phase_rad_}; }

GeneratorTwin::Drive GeneratorTwin::amplified(double gain) const noexcept {
  auto d = output_V();
  d.amplitude *= config_.amplifier_on ? gain : 0;
  return d;
}

void GeneratorTwin::step(daq::HostTime now, const PlantState&, TwinOutput& out) {
  while (!pending_.empty() && pending_.front().due <= now) {
    const auto text = pending_.front().text + "\n";
    out.send(std::as_bytes(std::span(text)), now);
    pending_.pop_front();
  }
  if (!on_) return;
  most_V_ = std::fmax(most_V_, open_V());
  double f_Hz = frequency_Hz_;
  if (sweeps_) {
    const bool up = in_sweep_s_ < up_s_;
    const double part = up ? in_sweep_s_ / up_s_ : 1 - (in_sweep_s_ - up_s_) / back_s_;
    // Back it goes by equal steps, as some do whatever the way up is [A].
    f_Hz = up && by_octaves_ ? from_Hz_ * std::pow(to_Hz_ / from_Hz_, part) : from_Hz_ + (to_Hz_ - from_Hz_) * part;
    in_sweep_s_ += 1 / rate_Hz_;
    if (in_sweep_s_ >= up_s_ + back_s_) in_sweep_s_ -= up_s_ + back_s_;
  }
  phase_rad_ = std::fmod(phase_rad_ + kTurn * f_Hz / rate_Hz_, kTurn);
}

}  // namespace strigil::sim
