#include "apps/validate_command.hpp"

#include <fmt/format.h>

#include "apps/campaign_session.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"

namespace strigil::apps {

int validate_command(const ValidateArguments& a) {
  const auto session = carry_out_campaign(
      {.suite = a.suite, .out = a.out, .resume = a.resume, .quiet = a.quiet || a.json});
  if (!session) return refuse(session.error().message);
  const auto& s = **session;
  fmt::print("{}", a.json ? to_json(s.summary, s.suite) + "\n" : to_text(s.summary, s.suite));
  const auto judgement = judge(s.summary, s.suite);
  if (!a.json) fmt::print("VERDICT: {}\n", protocols::name_of(judgement));
  return exit_code(judgement);
}

}  // namespace strigil::apps
