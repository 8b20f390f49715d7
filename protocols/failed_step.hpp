// Failed step: why a run ended before its plan did, for a person.
#pragma once

#include <string>

#include "protocols/plan.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols {

/// What the last step came to, where, and what to check; `did` says what the rig did about it. Empty where a fault of
/// the interlock ended it, which has a sentence of its own. Precondition: there was a step. Pure.
std::string failed_step_words(const Plan& plan, const RunEvidence& evidence, const std::string& did);

}  // namespace strigil::protocols
