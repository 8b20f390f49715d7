#include "apps/evidence_line.hpp"

#include <memory>

#include "apps/capsule_command.hpp"
#include "apps/golden_command.hpp"
#include "apps/places.hpp"
#include "apps/print_pdf.hpp"
#include "apps/run_command.hpp"

namespace strigil::apps {
namespace {

void add_golden(CLI::App& app, int& code) {
  auto* golden =
      app.add_subcommand("golden", "Golden strokes: envelopes learned from reference runs (docs/reports.md)");
  golden->require_subcommand(1);
  auto learn = std::make_shared<GoldenLearnArguments>();
  auto* learn_app = golden->add_subcommand("learn", "From runs of one plan that are known to be good");
  learn_app->add_option("runs", learn->runs, "Run files; 19 or more for a false-reject rate of 0.05")->required();
  learn_app->add_option("--out", learn->out, "File to make (.json)")->required();
  learn_app->add_option("--false-reject", learn->false_reject, "How often a good run may be rejected")
      ->check(CLI::Range(1e-4, 0.5))
      ->capture_default_str();
  learn_app->add_option("--bin-mm", learn->bin_mm, "Width of a bin of the way")->capture_default_str();
  learn_app->callback([learn, &code] { code = golden_learn_command(*learn); });
  auto check = std::make_shared<GoldenCheckArguments>();
  auto* check_app = golden->add_subcommand("check", "Is this run as they were? Exit code 1 and where first, when not");
  check_app->add_option("run", check->run, "Run file")->required();
  check_app->add_option("--against", check->against, "What `golden learn` made")->required();
  check_app->add_option("--out", check->out, "Also a page (.html) or a plot (.svg)");
  check_app->callback([check, &code] { code = golden_check_command(*check); });
}

void add_compare(CLI::App& app, int& code) {
  auto compare = std::make_shared<CompareArguments>();
  auto* compare_app = app.add_subcommand("compare", "Two runs laid over each other, stroke by stroke");
  compare_app->add_option("first", compare->first, "Run file")->required();
  compare_app->add_option("second", compare->second, "Run file")->required();
  compare_app->add_flag("--by-time", compare->by_time, "By seconds since each stroke began; else by millimetre");
  compare_app->add_option("--bin-mm", compare->bin_mm, "Width of a bin of the way")->capture_default_str();
  compare_app->add_option("--out", compare->out, "Also a page (.html) or the first plot (.svg)");
  compare_app->callback([compare, &code] { code = compare_command(*compare); });
}

void add_pdf(CLI::App& app, int& code) {
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  auto* pdf_app = app.add_subcommand("pdf", "A report's page on paper");
  pdf_app->add_option("page", files->first, "HTML file of ours")->required()->check(CLI::ExistingFile);
  pdf_app->add_option("--out", files->second, "PDF to make")->required();
  pdf_app->callback([files, &code] {
    const auto made = print_pdf(files->first, files->second);
    code = made ? static_cast<int>(kPass) : refuse(made.error().message);
  });
}

}  // namespace

void add_evidence(CLI::App& app, int& code) {
  add_golden(app, code);
  add_compare(app, code);
  add_pdf(app, code);
  auto capsule = std::make_shared<CapsuleArguments>();
  auto* capsule_app = app.add_subcommand(
      "capsule", "Seal a run or a campaign with all that its verdict rests on, for `strigil verify`");
  capsule_app->add_option("what", capsule->what, "Run file, or a campaign's folder; it is only read")->required();
  capsule_app->add_option("--out", capsule->out, "Folder to make")->required();
  capsule_app->add_option("--key", capsule->key, "Sign it with this secret key (strigil signing-key)");
  capsule_app->callback([capsule, &code] { code = capsule_command(*capsule); });
}

}  // namespace strigil::apps
