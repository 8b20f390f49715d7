// Dose picture: the dose account as a screen needs it, small and of fixed size, for who must not read the account while
// the loop writes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocols/dose_account.hpp"

namespace strigil::protocols {

/// Trivially copyable; areas numbered as in DoseGrid. Without areas there is no account.
struct DosePicture {
  static constexpr std::size_t kMostAreas = 512;
  DoseGrid grid{};
  std::uint32_t areas = 0;                 ///< that are in here
  std::uint32_t left_out = 0;              ///< that a larger account has beside
  std::array<float, kMostAreas> used{};    ///< greatest part of any limit but the pressure's
  std::array<float, kMostAreas> time_s{};  ///< in contact
};

/// Loop thread: no allocation, cost bounded by kMostAreas.
DosePicture picture_of(const DoseAccount& account) noexcept;

}  // namespace strigil::protocols
