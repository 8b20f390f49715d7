// Weights of the band-power detector that we ship: data, made by training and by no hand.
//
// Made by `STRIGIL_FULL_NULL=1 test_scenario --gtest_filter=DetectorCourt.TheShippedWeightsAreWhatTrainingGives`, which
// makes them again and compares: phantoms drawn from seeds 1001 ... 1048 with the generator's own sweep of contrasts,
// on sim_tmcl without taps, with steel_convex, one lane there and back at 2 N and 60 mm/s; runs that are no PASS left out. Judged on
// other seeds. Trained on a simulation: on a real bench train your own (protocols/court/training.hpp).
#pragma once

#include "protocols/detectors/band_power.hpp"

namespace strigil::protocols {

inline constexpr double kBandPowerRate_Hz = 6'400;  ///< of the accelerometer they were trained with

inline constexpr BandPowerModel kBandPowerWeights{
    .mean = {-0.00099984202385146196, 0.001510551618524745, 0.00080493140378065176, -0.022813683451802298},
    .deviation = {0.94877396906291334, 0.89852429183847504, 0.89665215727054892, 0.49027035586203249},
    .weight = {0.46398900353096528, -0.23055523204894926, 0.10961961230531722, 1.0366982187702594},
    .bias = -1.3527179597669041};

}  // namespace strigil::protocols
