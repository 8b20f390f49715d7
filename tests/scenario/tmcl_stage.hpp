// The [stage] of a simulated TMCL bench that the calibrations' tests begin with; what differs is said after it.
#pragma once

namespace strigil::apps {

inline constexpr const char* kTmclStage = R"([stage]
codec = "tmcl"
link = "memory:stage"
travel_x_mm = [0, 200]
travel_y_mm = [0, 100]
travel_z_mm = [-80, 0]
clear_z_mm = -5
max_speed_mm_s = 200
retract_speed_mm_s = 40
acceleration_mm_s2 = 5000
steps_per_mm = [1000, 1000, -1000]
keeps_position = true
reaction_ms = 2.5
host_silence_ms = 300
latency_ms = 0.1
in_position_mm = 0.005
)";

}  // namespace strigil::apps
