#include "apps/recompute_campaign.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "daq/strict_toml.hpp"
#include "protocols/campaign/campaign_report.hpp"

namespace strigil::apps {

namespace fs = std::filesystem;

daq::Result<std::string> recompute_court(const std::string& folder) {
  constexpr std::size_t kLongest = 256U << 20U;
  const auto suite_path = (fs::path(folder) / "suite.toml").string();
  const auto court_path = (fs::path(folder) / "court.json").string();
  std::error_code ignored;
  if (!fs::exists(suite_path, ignored) || !fs::exists(court_path, ignored)) return std::string();
  const auto text = daq::read_text_file(suite_path);
  if (!text) return text.error();
  const auto suite = protocols::parse_suite(*text, suite_path);
  if (!suite) return suite.error();
  if (!suite->commanded.empty()) {
    return fmt::format(
        "court.json: taken on trust, for {} of its detectors are other programs, which are not started here",
        suite->commanded.size());
  }
  const auto trials = protocols::expand(suite->design);
  if (!trials) return trials.error();
  const auto records = protocols::read_records(folder, *suite, *trials);
  if (!records) return records.error();
  std::size_t heard = 0;
  const auto court =
      protocols::judge_campaign(folder, *suite, *trials, *records, [&](std::size_t runs) { heard = runs; });
  if (!court) return court.error();
  const auto recorded = daq::read_text_file(court_path, kLongest);
  if (!recorded) return recorded.error();
  if (!*court || to_json(**court) != *recorded) {
    return daq::Error{"court.json: the court's judgement, recomputed from the run files, is not what it says"};
  }
  return fmt::format("court.json: recomputed, the same to the byte: {} detectors heard {} runs",
                     (*court)->detectors.size(), heard);
}

}  // namespace strigil::apps
