// The command line of `strigil calibrations`.
#include <CLI/CLI.hpp>
#include <memory>

#include "apps/calibrations_command.hpp"
#include "apps/certificate_command.hpp"

namespace strigil::apps {
namespace {

constexpr const char* kAbout =
    "Calibration records: an append-only chain of files that gate runs (docs/calibration_record.md).\n\n"
    "  strigil calibrations list                          what there is, and what may be used today\n"
    "  strigil calibrations show FZ-2026-001              a record by id, by the first 8 digits of its hash, or by "
    "path\n"
    "  strigil calibrations check                         follows the chain; names the first record that was changed\n"
    "  strigil calibrations import certificate.xml        somebody's DCC becomes a reference to be traceable to\n"
    "  strigil calibrations revoke FZ-2026-001 --reason 'the sensor was dropped'\n"
    "  strigil calibrations certificate FZ-2026-001 --head laboratory.toml --out certificates --key lab.key\n"
    "  strigil calibrations check-standard --bench rig3 --value 4.905\n\n"
    "A bench names its record with [force] calibration = \"ID\"; one that may not be believed makes a run be refused, "
    "or\n"
    "its numbers be marked uncalibrated ([calibration] policy).";

struct Shared {
  std::string name;
  std::string store = "calibrations";
  bool json = false;
  ImportArguments bring;
  RevokeArguments revoke;
  CheckStandardArguments check;
  CertificateArguments certificate;
};

}  // namespace

void add_calibrations(CLI::App& app, int& code) {
  auto* group = app.add_subcommand("calibrations", kAbout);
  group->require_subcommand(1);
  const auto s = std::make_shared<Shared>();
  const auto with_store = [&](CLI::App* sub) {
    sub->add_option("--store", s->store, "Folder of the records")->capture_default_str();
    return sub;
  };

  auto* list =
      with_store(group->add_subcommand("list", "Every record, oldest first; exit code 1 when the chain is broken"));
  list->add_flag("--json", s->json, "As JSON");
  list->callback([s, &code] { code = calibrations_list(s->store, s->json); });

  auto* show = with_store(group->add_subcommand("show", "What a record says"));
  show->add_option("record", s->name, "Id, first 8 or more digits of its hash, or a file")->required();
  show->add_flag("--json", s->json, "Its file, to the byte");
  show->callback([s, &code] { code = calibrations_show(s->name, s->store, s->json); });

  auto* check =
      with_store(group->add_subcommand("check", "Does the whole chain hold? Exit code 1: the first that was changed"));
  check->callback([s, &code] { code = calibrations_check(s->store); });

  auto* bring = with_store(group->add_subcommand("import", "A DCC (XML) as a reference, or a record of another store"));
  bring->add_option("file", s->bring.file, "The file; it is only read")->required();
  bring->add_option("--id", s->bring.id, "Id of the new record (default: as in the file)");
  bring->callback([s, &code] {
    s->bring.store = s->store;
    code = calibrations_import(s->bring);
  });

  auto* revoke =
      with_store(group->add_subcommand("revoke", "A record is not to be used any more; it stays in the chain"));
  revoke->add_option("record", s->revoke.name, "Id or the beginning of its hash")->required();
  revoke->add_option("--reason", s->revoke.reason, "Why, for whoever is refused a run by it")->required();
  revoke->add_option("--operator", s->revoke.operator_name, "Who revokes");
  revoke->callback([s, &code] {
    s->revoke.store = s->store;
    code = calibrations_revoke(s->revoke);
  });

  auto& k = s->certificate;
  auto* certificate = with_store(group->add_subcommand(
      "certificate",
      "Issues a certificate: HTML for people, JSON, and a PTB DCC 3.3.0 (XML), signed where there is a key"));
  certificate->add_option("record", k.name, "Id or the beginning of its hash")->required();
  certificate->add_option("--head", k.head, "TOML file: laboratory, customer, who authorises (docs/examples)")
      ->required();
  certificate->add_option("--out", k.out, "Folder to make it in; nothing is overwritten")->required();
  certificate->add_option("--key", k.key, "Secret key to sign with (strigil signing-key FILE makes one)");
  certificate->add_flag("--pdf", k.pdf, "Also a PDF, by weasyprint, chromium or wkhtmltopdf, whichever is there");
  certificate->callback([s, &code] {
    s->certificate.store = s->store;
    code = certificate_command(s->certificate);
  });

  auto& c = s->check;
  auto* standard = group->add_subcommand("check-standard", "Adds a check to the bench's control chart and judges it");
  standard->add_option("--bench", c.bench, "A name from rig/benches or a .toml file")->capture_default_str();
  standard->add_option("--standard", c.standard, "What was measured (default: [calibration] check_standard)");
  standard->add_option("--value", c.value, "What the rig read")->required();
  standard->add_option("--unit", c.unit, "Of the value (default: N, of the stage m, of the accelerometer m/s2)");
  standard->add_option("--expected", c.expected, "What it should be (default: as at the check before)");
  standard->add_flag("--stage", c.stage, "Of the stage's error map ([calibration] stage_check_standard), not of the force");
  standard->add_flag("--vibration", c.vibration,
                     "Of the accelerometer ([calibration] vibration_check_standard): what it reads on a handheld calibrator")
      ->excludes("--stage");
  standard->add_option("--tolerance", c.tolerance, "Largest deviation; needed until 10 checks have made the chart");
  standard->add_option("--operator", c.operator_name, "Who checked");
  standard->add_option("--mended", c.mended, "After a failure: what was done. The chart begins anew");
  standard->callback([s, &code] { code = check_standard(s->check); });
}  // namespace strigil::apps

}  // namespace strigil::apps
