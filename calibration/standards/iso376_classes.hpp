// Classes of ISO 376 out of its figures: a part of iso376.cpp of its own, because it is what a certificate is about.
#pragma once

#include "calibration/standards/iso376.hpp"

namespace strigil::calibration {

/// Classifies for one case. Uses forces, f0_pct, creep_pct and nonconformities of `figures`; `resolution` as read.
[[nodiscard]] Iso376Classes classify_iso376(const Iso376Assessment& figures, Iso376Case which, double resolution,
                                            const LimitTable& table);

}  // namespace strigil::calibration
