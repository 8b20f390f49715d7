#include "apps/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/calibrate_command.hpp"
#include "apps/calibrations_command.hpp"
#include "apps/certificate_command.hpp"
#include "apps/collect_command.hpp"
#include "apps/ctl_command.hpp"
#include "apps/detector_commands.hpp"
#include "apps/drill_command.hpp"
#include "apps/evidence_line.hpp"
#include "apps/file_commands.hpp"
#include "apps/home_command.hpp"
#include "apps/instruments_command.hpp"
#include "apps/listen_command.hpp"
#include "apps/phantom_command.hpp"
#include "apps/places.hpp"
#include "apps/qualify_command.hpp"
#include "apps/run_command.hpp"
#include "apps/serve_command.hpp"
#include "apps/sim_command.hpp"
#include "apps/stop_test_command.hpp"
#include "apps/validate_command.hpp"
#include "daq/link/io_thread.hpp"

namespace strigil::apps {
namespace {

int devices_command() {
  const auto ports = daq::list_ports();
  for (const auto& p : ports) fmt::print("serial://{}  {}  {}\n", p.name, p.description, p.serial_number);
  if (ports.empty()) fmt::print("this computer has no serial port\n");
  fmt::print("Force sensors are on the network: udp://ADDRESS:49152. The simulated bench: `strigil sim`.\n");
  return kPass;
}

void add_publication_options(CLI::App& app, Publication& p) {
  app.add_option("--publish", p.endpoint,
                 "ZeroMQ endpoint, e.g. tcp://127.0.0.1:*; beyond this computer with keys only")
      ->capture_default_str();
  app.add_option("--wait-subscriptions", p.wait_subscriptions, "Begin when so many subscriptions stand");
  app.add_option("--curve-secret-key", p.curve_secret_key, "The publisher's secret key (strigil keys FILE makes one)");
  app.add_option("--curve-clients", p.curve_clients, "Public keys of those who may listen, one a line");
}

void add_specimen_options(CLI::App& app, SpecimenArguments& s) {
  app.add_option("--phantom", s.phantom, "What lies under the instrument: a name from rig/phantoms or a .toml file");
  app.add_option("--instrument", s.instrument, "A name from rig/instruments or a .toml file");
  app.add_option("--emollient", s.emollient, "Freshly spread on the phantom: dry, gel, oil, lotion");
}

struct PhantomArguments {
  PhantomShowArguments show;
  PhantomDrawArguments draw;
  PhantomPokeArguments poke;
};

/// strigil phantom and its own subcommands; `code` takes the exit code. Both outlive the parsing.
void add_phantom_command(CLI::App& app, PhantomArguments& a, int& code) {
  auto* phantom_app =
      app.add_subcommand("phantom", "Phantoms: the catalogue, pictures, random ones, the reference poke");
  phantom_app->require_subcommand(1);
  phantom_app->add_subcommand("list", "The catalogue")->callback([&code] { code = phantom_list_command(); });

  auto& show = a.show;
  auto* show_app = phantom_app->add_subcommand("show", "One of them in words, or as a picture");
  show_app->add_option("phantom", show.phantom, "A name from rig/phantoms or a .toml file")->required();
  show_app->add_option("--out", show.out, "Picture to make: .svg, or .png where librsvg2-bin is installed");
  show_app->add_option("--protocol", show.protocol, "Whose way is drawn, in place of the one that goes with it");
  show_app->callback([&] { code = phantom_show_command(show); });

  auto& draw = a.draw;
  auto* draw_app = phantom_app->add_subcommand("draw", "A random one with its ground truth, on standard output");
  draw_app->add_option("--seed", draw.seed, "The same seed, the same phantom")->capture_default_str();
  draw_app->add_option("--contrast", draw.contrast, "Of every target; 1: the same phantom with nothing to be found");
  draw_app->add_option("--diameter-mm", draw.diameter_mm, "Of every target");
  draw_app->add_option("--depth-mm", draw.depth_mm, "Of every target");
  draw_app->add_option("--targets", draw.targets, "How many");
  draw_app->add_flag("--no-confounders", draw.no_confounders, "Nothing that is there to fool");
  draw_app->callback([&] { code = phantom_draw_command(draw); });

  auto& poke = a.poke;
  auto* poke_app = phantom_app->add_subcommand("poke", "The reference poke, simulated, against the phantom's passport");
  poke_app->add_option("phantom", poke.phantom, "A name from rig/phantoms or a .toml file")->required();
  poke_app->add_option("--instrument", poke.instrument, "A name from rig/instruments or a .toml file");
  poke_app->add_option("--depth-mm", poke.depth_mm, "In place of the passport's")->check(CLI::Range(0.01, 50.0));
  poke_app->add_option("--x-mm", poke.x_mm, "In place of the passport's");
  poke_app->add_option("--y-mm", poke.y_mm, "In place of the passport's");
  poke_app->callback([&] { code = phantom_poke_command(poke); });
}

constexpr const char* kAbout =
    "Strigil drives a stage that strokes an instrument over a tissue phantom, reads force and vibration in real time, "
    "records and publishes them, and says PASS, FAIL or INVALID.\n\n"
    "  strigil run demo --virtual                 the demonstration, hundreds of times faster than real time\n"
    "  strigil sim --dir /tmp/bench &             the simulated bench on pseudo-terminals and UDP\n"
    "  strigil run demo --bench /tmp/bench/bench.toml --publish 'tcp://127.0.0.1:*'\n"
    "  strigil plan demo                          what that would do, without doing it\n\n"
    "Exit codes: 0 PASS, 1 FAIL, 2 INVALID, 3 usage or configuration.\n"
    "While a run goes on, Ctrl-C retracts and closes the file; a second Ctrl-C is the emergency stop.";

}  // namespace

int command_line(int argc, char** argv) {
  CLI::App app(kAbout, "strigil");
  app.set_version_flag("--version", "strigil " + version());
  app.require_subcommand(1);
  int code = kPass;

  RunArguments run;
  auto* run_app = app.add_subcommand("run", "Carry out a protocol on a bench and judge it");
  run_app->add_option("protocol", run.protocol, "A name from the library (demo, smoke) or a .toml file")->required();
  run_app->add_option("--bench", run.bench, "A name from rig/benches or a .toml file")->capture_default_str();
  run_app->add_flag("--virtual", run.virtual_time, "Simulated bench in virtual time: fast, and the same every time");
  add_specimen_options(*run_app, run.specimen);
  run_app->add_option("--seed", run.seed, "Of the simulated bench")->capture_default_str();
  run_app->add_option("--out", run.out, "Run file to make (default: runs/TIME-PROTOCOL-PID.h5)");
  run_app->add_option("--temperature", run.temperature_C, "Of the bench, in degrees C: a calibration may ask for it")
      ->check(CLI::Range(-40.0, 100.0));
  add_publication_options(*run_app, run.publication);
  add_live_detector_options(*run_app, run.detector_commands, run.detector, run.heard);
  run_app->add_option("--junit", run.junit, "Write the verdict as JUnit XML");
  run_app->add_flag("--json", run.json, "The verdict as JSON on standard output");
  run_app->add_flag("--quiet", run.quiet, "Nothing on standard error but errors");
  run_app->callback([&] { code = run_command(run); });

  std::string protocol;
  std::string bench = "sim";
  bool json = false;
  auto* plan_app = app.add_subcommand("plan", "Dry run: the steps a protocol expands to, checked against a bench");
  plan_app->add_option("protocol", protocol, "A name from the library or a .toml file")->required();
  plan_app->add_option("--bench", bench, "A name from rig/benches or a .toml file")->capture_default_str();
  plan_app->add_flag("--json", json, "As JSON");
  plan_app->callback([&] { code = plan_command(protocol, bench, json); });

  std::string dir;
  std::uint64_t seed = 1;
  auto* sim_app = app.add_subcommand("sim", "The simulated bench on pseudo-terminals and UDP, until Ctrl-C");
  sim_app->add_option("--dir", dir, "Folder for the wires and the bench file to use with them")->required();
  sim_app->add_option("--bench", bench, "Bench file with a [twin] table")->capture_default_str();
  sim_app->add_option("--seed", seed, "Of every random thing")->capture_default_str();
  std::string truth;
  sim_app->add_option("--truth", truth, "CSV of what the simulated phantom really feels, for those who judge the rig");
  SpecimenArguments specimen;
  add_specimen_options(*sim_app, specimen);
  sim_app->callback([&] { code = sim_command(bench, dir, seed, truth, specimen); });

  ServeArguments serve;
  auto* serve_app = app.add_subcommand("serve", "Keep a bench up and take requests (docs/control.md), until Ctrl-C");
  serve_app->add_option("--bench", serve.bench, "A name from rig/benches or a .toml file")->required();
  serve_app->add_option("--control", serve.control, "ZeroMQ endpoint of the control channel")->capture_default_str();
  serve.publication.endpoint = "tcp://127.0.0.1:*";
  add_publication_options(*serve_app, serve.publication);
  serve_app->add_option("--runs", serve.runs, "Folder for run files")->capture_default_str();
  add_listening_detectors(*serve_app, serve.detector_commands, serve.detector_rules);
  serve_app->callback([&] { code = serve_command(serve); });

  CtlArguments ctl;
  auto* ctl_app = app.add_subcommand("ctl", "Ask a bench that is served: hello, status, take, reset, run, stop ...");
  ctl_app->add_option("verb", ctl.verb, "docs/control.md lists them; so does `strigil ctl hello`")->required();
  ctl_app->add_option("settings", ctl.settings, "KEY=VALUE, e.g. protocol=demo or vx_mm_s=5");
  ctl_app->add_option("--control", ctl.endpoint, "Where it is served")->capture_default_str();
  ctl_app->add_option("--as", ctl.client, "Who asks (default: USER@HOST)");
  ctl_app->add_option("--hold", ctl.hold_s, "jog, move, approach: hold the switch for so many seconds")
      ->check(CLI::Range(0.0, 3600.0));
  ctl_app->add_option("--timeout", ctl.timeout_s, "Seconds to wait for an answer")
      ->check(CLI::Range(0.05, 60.0))
      ->capture_default_str();
  ctl_app->add_option("--token-file", ctl.token_file, "Where control is kept between two calls");
  ctl_app->add_option("--server-key", ctl.server_key, "Public key of a rig beyond this computer");
  ctl_app->add_option("--curve-secret-key", ctl.secret_key, "Our secret key, with its .pub beside it");
  ctl_app->callback([&] { code = ctl_command(ctl); });

  app.add_subcommand("devices", "List the ports of this computer")->callback([&] { code = devices_command(); });

  PhantomArguments phantom;
  add_phantom_command(app, phantom, code);

  HomeArguments home;
  auto* home_app = app.add_subcommand("home", "The stage looks for its references; the force is watched meanwhile");
  home_app->add_option("--bench", home.bench, "A name from rig/benches or a .toml file")->capture_default_str();
  home_app->add_option("--axes", home.axes, "Those to home, e.g. z; a Grbl stage always homes all of them")
      ->capture_default_str();
  home_app->add_option("--timeout", home.timeout_s, "Seconds for each axis")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
  home_app->add_flag("--virtual", home.virtual_time, "Simulated bench in virtual time");
  home_app->add_option("--seed", home.seed, "Of the simulated bench")->capture_default_str();
  home_app->callback([&] { code = home_command(home); });

  std::string instrument;
  auto* instruments_app = app.add_subcommand("instruments", "The catalogue of treatment tools (rig/instruments)");
  instruments_app->require_subcommand(1);
  instruments_app->add_subcommand("list", "All of them, with mass and natural frequencies")->callback([&] {
    code = instruments_list_command();
  });
  auto* show_app = instruments_app->add_subcommand("show", "One, with what is derived of it and all sources");
  show_app->add_option("instrument", instrument, "A name from rig/instruments or a .toml file")->required();
  show_app->add_flag("--json", json, "As JSON");
  show_app->callback([&] { code = instruments_show_command(instrument, json); });

  StopTestArguments stop_test;
  auto* stop_test_app = app.add_subcommand(
      "stop-test", "At the start of a shift: what a stop costs, and whether it costs more than before");
  stop_test_app->add_option("--bench", stop_test.bench, "A name from rig/benches or a .toml file")
      ->capture_default_str();
  stop_test_app->add_flag("--virtual", stop_test.virtual_time, "Simulated bench in virtual time; not kept");
  stop_test_app->add_option("--seed", stop_test.seed, "Of the simulated bench")->capture_default_str();
  stop_test_app->add_flag("--json", stop_test.json, "As a line of JSON");
  stop_test_app->callback([&] { code = stop_test_command(stop_test); });

  QualifyArguments qualify;
  auto* qualify_app = app.add_subcommand("qualify", "Grade this computer's jitter and say what it may run");
  qualify_app->add_option("--seconds", qualify.seconds, "How long to measure; force control needs 15 or more")
      ->check(CLI::Range(0.5, 86400.0))
      ->capture_default_str();
  qualify_app->add_option("--dir", qualify.dir, "Folder where runs are recorded: its disk is measured")
      ->capture_default_str();
  qualify_app->add_option("--at-least", qualify.at_least, "Exit code 1 when the grade is worse than this one (A to D)");
  qualify_app->add_flag("--json", qualify.json, "As JSON");
  qualify_app->callback([&] { code = qualify_command(qualify); });

  std::string endpoint;
  std::string name = "listener";
  auto* listen_app = app.add_subcommand("listen", "Listen to a run until its end, and count its samples");
  listen_app->add_option("endpoint", endpoint, "What the run publishes on")->required();
  listen_app->add_option("--name", name, "Under which the run's ledger has what came")->capture_default_str();
  listen_app->callback([&] { code = listen_command(endpoint, name); });

  DrillArguments drill;
  auto* drill_app = app.add_subcommand("drill", "Fire drills: make every fault on purpose, score what the rig does");
  drill_app->add_option("catalogue", drill.catalogue, "A name from apps/drills or a .toml file")->capture_default_str();
  drill_app->add_option("--bench", drill.bench, "In place of the catalogue's bench");
  drill_app->add_option("--protocol", drill.protocol, "In place of the catalogue's protocol");
  drill_app->add_option("--only", drill.only, "The drills of these names, separated by commas")->delimiter(',');
  drill_app->add_flag("--real", drill.real, "On pseudo-terminals and UDP, the rig in a process of its own");
  drill_app->add_option("--repeats", drill.repeats, "Of each drill in each phase, at other instants")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  drill_app->add_option("--seed", drill.seed, "Of the instants and of the simulated bench")->capture_default_str();
  drill_app->add_option("--json", drill.json, "Also write every run to this file");
  drill_app->add_option("--keep", drill.keep, "Keep the run files in this folder");
  drill_app->callback([&] { code = drill_command(drill); });

  ValidateArguments validate;
  auto* validate_app = app.add_subcommand("validate", "Carry out a suite's campaign unattended, and judge it");
  validate_app->add_option("suite", validate.suite, "A name from protocols/suites or a .toml file")->required();
  validate_app->add_option("--out", validate.out, "The campaign's folder")->required();
  validate_app->add_flag("--resume", validate.resume, "Go on with the campaign in that folder");
  validate_app->add_option("--baseline", validate.baseline, "Figures that must not have become worse");
  validate_app->add_flag("--pdf", validate.pdf, "report.pdf too (weasyprint, chromium or wkhtmltopdf)");
  validate_app->add_flag("--json", validate.json, "The summary as JSON on standard output");
  validate_app->add_flag("--quiet", validate.quiet, "Nothing on standard error but errors");
  validate_app->callback([&] { code = validate_command(validate); });

  CollectArguments collect;
  auto* collect_app = app.add_subcommand("collect", "Carry out a suite's campaign, and make a data set of it");
  collect_app->add_option("suite", collect.suite, "A name from protocols/suites or a .toml file")->required();
  collect_app->add_option("--out", collect.out, "The data set's folder")->required();
  collect_app->add_flag("--resume", collect.resume, "Go on with the campaign in that folder");
  collect_app->add_flag("--quiet", collect.quiet, "Nothing on standard error but errors");
  collect_app->callback([&] { code = collect_command(collect); });

  std::string run_file;
  std::string out;
  auto* info_app = app.add_subcommand("info", "What a run file holds");
  info_app->add_option("run", run_file, "Run file")->required();
  bool statistics = false;
  info_app->add_flag("--statistics", statistics, "Mean, deviation and extremes of every channel");
  info_app->callback([&] { code = info_command(run_file, statistics); });
  auto* ledger_app = app.add_subcommand("ledger", "How many samples passed each hop, and where the missing ones went");
  ledger_app->add_option("run", run_file, "Run file")->required();
  ledger_app->callback([&] { code = ledger_command(run_file); });
  std::string public_key;
  auto* verify_app = app.add_subcommand(
      "verify",
      "Does it hold together? A run file, a capsule, a calibration record or store, a signed file. Exit code 1 when not");
  verify_app->add_option("file", run_file, "The file, or the folder of a store; a signature is looked for in FILE.sig")
      ->required();
  verify_app->add_option("--key", public_key, "Public key that the signature must be by (strigil signing-key)");
  verify_app->callback([&] { code = verify_any_command(run_file, public_key); });
  auto* recover_app = app.add_subcommand("recover", "Save what a killed writer left, into a new file, and prove it");
  recover_app->add_option("run", run_file, "Run file")->required();
  recover_app->add_option("--out", out, "File to make (default: RUN-recovered.h5)");
  recover_app->callback([&] { code = recover_command(run_file, out); });

  auto* retime_app = app.add_subcommand("retime", "Fit a run's clocks again, from both sides: better than live");
  retime_app->add_option("run", run_file, "Run file")->required();
  retime_app->add_option("--out", out, "Also write a run file with the new times");
  retime_app->callback([&] { code = retime_command(run_file, out); });

  ProfileArguments profile;
  auto* profile_app =
      app.add_subcommand("profile", "Streams over millimetres of the stage's way, pass by pass, as CSV");
  profile_app->add_option("run", profile.run, "Run file")->required();
  profile_app->add_option("--stream", profile.stream, "This one only");
  profile_app->add_option("--bin-mm", profile.bin_mm, "Width of a bin")
      ->check(CLI::Range(0.01, 100.0))
      ->capture_default_str();
  profile_app->add_flag("--all-motion", profile.all_motion, "Every move along x, not only strokes");
  profile_app->callback([&] { code = profile_command(profile); });

  ReplayArguments replay;
  auto* replay_app = app.add_subcommand("replay", "Publish a run file as if it were live");
  replay_app->add_option("run", replay.run, "Run file")->required();
  replay_app->add_option("--rate", replay.rate, "Times real time; 0: as fast as possible")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  add_publication_options(*replay_app, replay.publication);
  replay_app->callback([&] { code = replay_command(replay); });

  std::string key_file;
  auto* keys_app = app.add_subcommand("keys", "Make a CURVE key pair for publication beyond this computer");
  keys_app->add_option("file", key_file, "Secret key to make; the public one goes to FILE.pub")->required();
  keys_app->callback([&] { code = keys_command(key_file); });

  auto* signing_app = app.add_subcommand("signing-key", "Make an Ed25519 key pair to sign certificates with");
  signing_app->add_option("file", key_file, "Secret key to make; the public one goes to FILE.pub")->required();
  signing_app->callback([&] { code = signing_key_command(key_file); });

  std::string to_sign;
  auto* sign_app = app.add_subcommand("sign", "Sign a file: makes FILE.sig, for `strigil verify`");
  sign_app->add_option("file", to_sign, "The file; it is only read")->required();
  sign_app->add_option("--key", key_file, "Secret key (strigil signing-key FILE makes one)")->required();
  sign_app->callback([&] { code = sign_command(to_sign, key_file); });

  add_calibrate(app, code);
  add_calibrations(app, code);
  add_evidence(app, code);
  add_detector_commands(app, code);

  std::string csv;
  std::string map;
  auto* import_app = app.add_subcommand("import", "A CSV of somebody else's becomes a run file");
  import_app->add_option("csv", csv, "CSV file with a header row")->required();
  import_app->add_option("--map", map, "Mapping (TOML): columns, units, rate; see docs/examples")->required();
  import_app->add_option("--out", out, "Run file to make (default: the CSV's name with .h5)");
  import_app->callback([&] { code = import_command(csv, map, out); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kPass : kUsage;
  }
  return code;
}

}  // namespace strigil::apps
