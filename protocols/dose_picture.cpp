#include "protocols/dose_picture.hpp"

#include <algorithm>

namespace strigil::protocols {

DosePicture picture_of(const DoseAccount& account) noexcept {
  DosePicture p;
  p.grid = account.config().grid;
  p.areas = static_cast<std::uint32_t>(std::min(account.areas(), DosePicture::kMostAreas));
  p.left_out = static_cast<std::uint32_t>(account.areas() - p.areas);
  for (std::size_t i = 0; i < p.areas; ++i) {
    p.used[i] = static_cast<float>(account.used(i));
    p.time_s[i] = static_cast<float>(account.dose(i).time_s);
  }
  return p;
}

}  // namespace strigil::protocols
