// Weights of the band-power detector that we ship: data, made by training and by no hand.
//
// Made by `STRIGIL_FULL_NULL=1 test_scenario --gtest_filter=DetectorCourt.TheShippedWeightsAreWhatTrainingGives`, which
// makes them again and compares: phantoms drawn from seeds 1001 ... 1048 with the generator's own sweep of contrasts,
// on sim_tmcl with steel_convex, one lane there and back at 2 N and 60 mm/s; runs that are no PASS left out. Judged on
// other seeds. Trained on a simulation: on a real bench train your own (protocols/court/training.hpp).
#pragma once

#include "protocols/detectors/band_power.hpp"

namespace strigil::protocols {

inline constexpr double kBandPowerRate_Hz = 6'400;  ///< of the accelerometer they were trained with

inline constexpr BandPowerModel kBandPowerWeights{
    .mean = {-0.00032755148126486149, -0.0071505993746603215, -0.0096391743849085498, -0.022839873746363426},
    .deviation = {0.96385770252734826, 0.99707715150188692, 1.0041738126262547, 0.49034867315734465},
    .weight = {0.47073042470979964, -0.19023645598606778, 0.11622599883444834, 1.0190494631000879},
    .bias = -1.3537341842176096};

}  // namespace strigil::protocols
