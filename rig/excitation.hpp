// Excitation: how an exciter (a shaker) is asked to shake what is mounted on it. A value.
#pragma once

#include <cstdint>

namespace strigil::rig {

enum class ExcitationKind : std::uint8_t {
  kOff,
  kSine,
  kChirp,  ///< from frequency_Hz to to_Hz and back in period_s, by equal parts in equal times; again and again
};

struct Excitation {
  ExcitationKind kind = ExcitationKind::kOff;
  double frequency_Hz = 0;
  double to_Hz = 0;
  double period_s = 0;
  double amplitude_m_s2 = 0;  ///< peak, along the exciter's axis
};

}  // namespace strigil::rig
