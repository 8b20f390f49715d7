// The command line of `strigil detect` and `strigil judge`, and of detectors that listen to a run.
#include <CLI/CLI.hpp>
#include <memory>

#include "apps/detector_commands.hpp"

namespace strigil::apps {
namespace {

void add_rules(CLI::App& app, protocols::DeskRules& rules) {
  app.add_option("--patience", rules.patience_s, "Seconds without a word of a detector, after which it counts as hung")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  app.add_option("--lag", rules.deadline_s, "Seconds from publishing data to the answer, beyond which it is slow")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
}

}  // namespace

void add_listening_detectors(CLI::App& app, std::vector<std::string>& commands, protocols::DeskRules& rules) {
  app.add_option("--detector-command", commands,
                 "A detector to start and to listen to the run, with {endpoint} and {answers} (docs/detectors.md)");
  add_rules(app, rules);
}

void add_live_detector_options(CLI::App& app, std::vector<std::string>& commands, RemoteDetectorOptions& options,
                               std::string& heard) {
  add_listening_detectors(app, commands, options.rules);
  app.add_option("--heard", heard, "What detectors answered, and what the court says of it, as JSON");
}

void add_detector_commands(CLI::App& app, int& code) {
  const auto detect = std::make_shared<DetectArguments>();
  auto* detect_app = app.add_subcommand("detect", "A detector in this process hears a run and answers to a desk");
  detect_app->add_option("--endpoint", detect->endpoint, "What the run is published on")->required();
  detect_app->add_option("--answers", detect->answers, "Where the desk is")->required();
  detect_app->add_option("--detector", detect->detector, "glr, cusum, cfar, each also with +fusion")
      ->capture_default_str();
  detect_app->add_option("--server-key", detect->server_key, "Public key of a rig beyond this computer");
  detect_app->add_option("--curve-secret-key", detect->secret_key, "Our secret key, with its .pub beside it");
  detect_app->callback([detect, &code] { code = detect_command(*detect); });

  const auto judge = std::make_shared<JudgeArguments>();
  auto* judge_app = app.add_subcommand("judge", "Detectors hear run files, and the court says what they are worth");
  judge_app->add_option("runs", judge->runs, "Run files with ground truth")->required();
  judge_app->add_option("--detector", judge->detectors, "In process, by name (default: glr)");
  judge_app->add_option("--command", judge->commands,
                        "In a process of its own, with {endpoint} and {answers} (docs/detectors.md)");
  add_rules(*judge_app, judge->remote.rules);
  judge_app->add_option("--deadline", judge->reaction_deadline_s, "Seconds of data from a target to the answer")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  judge_app->add_option("--json", judge->json, "File for judgement, hearings and findings");
  judge_app->callback([judge, &code] { code = judge_command(*judge); });
}

}  // namespace strigil::apps
