// Protocol: the experiment as a person writes it (docs/protocol_file.md). Never a "wire protocol": those are codecs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"

namespace strigil::protocols {

enum class Directions : std::uint8_t { kForward, kBoth };

/// As read, in SI. Lists expand to the full factorial (plan.hpp).
struct Protocol {
  std::string name;
  std::string title;
  std::string description;
  std::string version;
  std::string file;

  double start_x_m = 0;
  double start_y_m = 0;
  double start_z_m = 0;           ///< where the slow approach begins; must be free of the phantom
  double approach_speed_m_s = 0;  ///< science.md 4.2: at most 5-10 mm/s
  double contact_force_N = 0;     ///< guard; science.md 4.2: 0.2-0.5 N
  double deepest_z_m = 0;         ///< the approach gives up here

  std::vector<double> normal_force_N;
  double press_tolerance = 0;  ///< of the force, as a fraction
  double press_timeout_s = 0;

  double stroke_length_m = 0;
  std::vector<double> stroke_speed_m_s;
  Directions directions = Directions::kForward;
  int repeats = 1;
  double dwell_s = 0;

  double max_force_N = 0;  ///< the protocol's own limit; no more than the bench's

  // what a PASS needs
  double force_tolerance = 0;       ///< mean normal force of each stroke within this fraction of the wish
  double min_contact_fraction = 0;  ///< of a stroke's force samples
  double max_position_error_m = 0;  ///< of a stroke's start and end against the wish
  double speed_tolerance = 0;       ///< speed over the middle 60 % within this fraction of the wish
  double min_vibration_m_s2 = 0;    ///< RMS below which the accelerometer did not feel the stroke
};

/// Refuses unknown keys, wrong types, wrong units and values out of range with file, line and column. Off the loop.
daq::Result<Protocol> parse_protocol(std::string_view text, const std::string& file);

}  // namespace strigil::protocols
