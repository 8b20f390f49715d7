// A simulated function generator at the wire, SCPI as text, and the amplifier behind it, whose gain nobody has told.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "sim/twin.hpp"

namespace strigil::sim {

/// What goes wrong with it, from one line heard on.
enum class GeneratorFault : std::uint8_t {
  kNone,
  kSilent,     ///< hears and obeys, says nothing
  kDead,       ///< its power fails: output off, hears nothing, says nothing
  kErrors,     ///< refuses every setting
  kGarbage,    ///< answers with bytes that are no text
  kUnplugged,  ///< its plug is pulled; the output stays as it is
  kTripped,    ///< its output goes off by itself (overload), and cannot be switched on
};

/// [twin.generator] of a bench file.
struct GeneratorTwinConfig {
  std::string make = "Strigil";
  std::string model = "SG-1";
  std::string serial = "SG-0001";
  daq::Duration answer_latency{2'000'000};  ///< from a question to its answer [A]
  daq::Duration link_delay{1'000'000};      ///< one way [A]
  bool amplifier_on = true;
  double gain_m_s2_V = 37;  ///< of amplifier and exciter, far from its resonances [A]
  double gain_N_V = 0.4;    ///< the same with its rod at an instrument's edge [A]
  GeneratorFault fault = GeneratorFault::kNone;
  std::uint64_t fault_after = 0;  ///< lines heard

  bool operator==(const GeneratorTwinConfig&) const = default;
};

/// Knows the commands of docs/calibrate.md, The generator, of its channel 1; all else is an undefined header.
/// Amplitudes are as its load is: LOAD 50 says half of what LOAD INF says.
class GeneratorTwin final : public Twin {
 public:
  GeneratorTwin(const GeneratorTwinConfig& config, double rate_Hz);
  void receive(std::span<const std::byte> bytes, daq::HostTime now, TwinOutput& out) override;
  void step(daq::HostTime now, const PlantState& plant, TwinOutput& out) override;

  /// A sine at one instant.
  struct Drive {
    double amplitude = 0;
    double phase_rad = 0;
  };
  /// Volts into an open output; 0 while it is off.
  [[nodiscard]] Drive output_V() const noexcept;
  /// What the amplifier makes of it: on an exciter ...
  [[nodiscard]] Drive drive_m_s2() const noexcept { return amplified(config_.gain_m_s2_V); }
  /// ... and at an instrument's edge.
  [[nodiscard]] Drive drive_N() const noexcept { return amplified(config_.gain_N_V); }
  [[nodiscard]] bool on() const noexcept { return on_; }
  /// The most that its output has ever had, V peak.
  [[nodiscard]] double most_V() const noexcept { return most_V_; }
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }

 private:
  [[nodiscard]] Drive amplified(double gain) const noexcept;
  [[nodiscard]] bool failing() const noexcept {
    return config_.fault != GeneratorFault::kNone && lines_ > config_.fault_after;
  }
  void take_line(std::string_view line, daq::HostTime now, TwinOutput& out);
  void set(std::string_view header, std::string_view argument);
  std::string say(std::string_view header);
  void error(const char* text);
  void answer(std::string text, daq::HostTime now);
  void reset();
  [[nodiscard]] double open_V() const noexcept;

  GeneratorTwinConfig config_;
  double rate_Hz_;
  std::string line_;
  bool overrun_ = false;
  std::deque<std::string> errors_;
  struct Pending {
    daq::HostTime due;
    std::string text;
  };
  std::deque<Pending> pending_;
  std::uint64_t lines_ = 0;
  // as set
  bool on_ = false;
  bool high_impedance_ = false;
  double peak_to_peak_V_ = 0.1;
  double frequency_Hz_ = 1000;
  bool sweeps_ = false;
  bool by_octaves_ = false;
  double from_Hz_ = 100, to_Hz_ = 1000;
  double up_s_ = 1, back_s_ = 0;
  // as it is
  double phase_rad_ = 0;
  double in_sweep_s_ = 0;
  double most_V_ = 0;
};

}  // namespace strigil::sim
