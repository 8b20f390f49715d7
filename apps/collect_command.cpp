#include "apps/collect_command.hpp"

#include <fmt/format.h>

#include "apps/campaign_session.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/time.hpp"
#include "protocols/campaign/dataset_folder.hpp"

namespace strigil::apps {

int collect_command(const CollectArguments& a) {
  const auto session = carry_out_campaign({.suite = a.suite, .out = a.out, .resume = a.resume, .quiet = a.quiet});
  if (!session) return refuse(session.error().message);
  const auto& s = **session;
  const auto records = protocols::read_records(a.out, s.suite, s.trials);
  if (!records) return refuse(records.error().message);
  fmt::print("{}", to_text(s.summary, s.suite));
  const auto runs =
      protocols::write_dataset(a.out, s.suite, s.trials, *records, version(), daq::iso8601(daq::wall_now()));
  if (!runs) return refuse(runs.error().message);
  for (const auto& r : reasons_of(s.summary, s.suite)) fmt::print("{}: {}\n", name_of(r.weight), r.text);
  const auto judgement = judge(s.summary, s.suite);
  fmt::print("data set: {} runs in {}; begin with README.md\nVERDICT: {}\n", runs->size(), a.out,
             protocols::name_of(judgement));
  return exit_code(judgement);
}

}  // namespace strigil::apps
