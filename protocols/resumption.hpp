// Resumption: where a plan goes on when a suspension has lifted the instrument. What was broken off is done again from
// its beginning, with a contact of its own; what was delivered before is not done twice.
#pragma once

#include <cstddef>
#include <optional>

#include "protocols/plan.hpp"

namespace strigil::protocols {

/// The way back. Plain value.
struct Resumption {
  std::size_t from = 0;  ///< step to begin with
  /// A stroke whose contact made others before it: these, and what led to them, are left out, and the instrument comes
  /// down where this one begins. Without: all steps from `from` on, as planned.
  std::optional<std::size_t> pass;
};

/// All three: pure, noexcept, no allocation. Steps are indices into plan.steps.
/// Where to go on when `interrupted` was broken off. A retract goes on as a retract; whatever else begins anew with the
/// lift before its contact.
Resumption resumption_of(const Plan& plan, std::size_t interrupted) noexcept;
/// The step after `step`. Precondition: step < plan.steps.size(); its end when that was the last one.
std::size_t step_after(const Plan& plan, const Resumption& way, std::size_t step) noexcept;
/// The step as it is carried out on this way: above the beginning of the repeated stroke, which need not be the place
/// that the protocol calls free of the phantom: so from the clear height down it goes slowly all the way.
Step step_on(const Plan& plan, const Resumption& way, std::size_t step) noexcept;

/// Steps of the longest contact, from its lift to its retract: the most that a resumption does again.
std::size_t longest_contact(const Plan& plan) noexcept;

}  // namespace strigil::protocols
