// Reports of a verdict: JUnit XML for build servers, JSON for the run file, lines for people.
#pragma once

#include <string>

#include "protocols/plan.hpp"
#include "protocols/verdict.hpp"

namespace strigil::protocols {

/// One test case for each stroke and one for the run as a whole: a FAIL is a <failure>, an INVALID an <error>.
std::string to_junit(const Plan& plan, const Verdict& verdict, double duration_s);
/// {"judgement": ..., "reasons": [...], "strokes": [...]}
std::string to_json(const Plan& plan, const Verdict& verdict);
/// A table of the strokes, the reasons, and the verdict on the last line.
std::string to_text(const Plan& plan, const Verdict& verdict);

}  // namespace strigil::protocols
