#include "apps/evidence_line.hpp"

#include <memory>

#include "apps/capsule_command.hpp"

namespace strigil::apps {

void add_evidence(CLI::App& app, int& code) {
  auto capsule = std::make_shared<CapsuleArguments>();
  auto* capsule_app = app.add_subcommand(
      "capsule", "Seal a run or a campaign with all that its verdict rests on, for `strigil verify`");
  capsule_app->add_option("what", capsule->what, "Run file, or a campaign's folder; it is only read")->required();
  capsule_app->add_option("--out", capsule->out, "Folder to make")->required();
  capsule_app->add_option("--key", capsule->key, "Sign it with this secret key (strigil signing-key)");
  capsule_app->callback([capsule, &code] { code = capsule_command(*capsule); });
}

}  // namespace strigil::apps
