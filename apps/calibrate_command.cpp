#include "apps/calibrate_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "apps/calibration_gate.hpp"
#include "apps/places.hpp"
#include "apps/prompters.hpp"
#include "apps/run_command.hpp"
#include "apps/specimen.hpp"
#include "apps/stop_request.hpp"
#include "calibration/record/calendar.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "protocols/procedures";
constexpr const char* kAbout =
    "Calibrates: the rig carries the procedure out, and asks for what needs hands (docs/calibrate.md).\n\n"
    "  strigil calibrate list                                              the procedures there are\n"
    "  strigil calibrate force --bench rig3 --reference weights.toml        asks at the terminal\n"
    "  strigil calibrate force_quick --bench sim_real --virtual --reference docs/examples/weights.toml \\\n"
    "      --answers docs/examples/answers.toml --serial SIM-1 --records calibrations\n\n"
    "What comes of it is a record that gates runs: [force] calibration = \"ID\" in the bench file;\n"
    "`strigil calibrations certificate ID` makes a certificate of it. Exit code 1: no calibration came of it.";

daq::Result<Answers> read_answers(const std::string& file) {
  if (file.empty()) return Answers{};
  const auto text = daq::read_text_file(file);
  if (!text) return text.error();
  return parse_answers(*text, file);
}

/// None asked for: nothing, which is enough for a procedure that compares the rig's streams with each other.
daq::Result<protocols::ReferenceStandard> read_reference(const std::string& file, std::string& text) {
  if (file.empty()) return protocols::ReferenceStandard{};
  auto read = daq::read_text_file(file);
  if (!read) return read.error();
  auto reference = protocols::parse_reference(*read, file);
  if (!reference) return reference.error();
  const auto& until = reference->trace.valid_until;
  if (until && until->ns <= daq::wall_now().ns) {
    return daq::Error{fmt::format("the reference '{}' was valid until {}: have it calibrated again",
                                  reference->trace.what, calibration::date_of(*until))};
  }
  text = std::move(*read);
  return reference;
}

daq::Result<protocols::ProcedureFile> read_procedure(const std::string& name, const protocols::ProcedureSetup& setup) {
  const auto path = find_toml(name, kFolder, "procedure");
  if (!path) return path.error();
  const auto text = daq::read_text_file(*path);
  if (!text) return text.error();
  return protocols::parse_procedure(*text, *path, setup);
}

/// Everything that is asked for, as far as files go.
struct Prepared {
  CalibrateOptions options;
  protocols::ProcedureFile procedure;
  Answers answers;
};

daq::Result<std::unique_ptr<Prepared>> prepare(const CalibrateArguments& a) {
  auto out = std::make_unique<Prepared>();
  auto& o = out->options;
  const auto path = find_toml(a.bench, "rig/benches", "bench");
  if (!path) return path.error();
  auto bench = rig::load_bench(*path);
  if (!bench) return bench.error();
  if (auto there = put_on_bench({}, *bench); !there) return there.error();
  auto answers = read_answers(a.answers);
  if (!answers) return answers.error();
  auto reference = read_reference(a.reference, o.reference_text);
  if (!reference) return reference.error();
  o.setup = {std::move(*bench), std::move(*reference), a.temperature_C};
  if (!o.setup.temperature_C) o.setup.temperature_C = answers->temperature_C;
  if (!o.setup.temperature_C) o.setup.temperature_C = o.setup.bench.calibration.temperature_C;
  auto procedure = read_procedure(a.procedure, o.setup);
  if (!procedure) return procedure.error();
  out->procedure = std::move(*procedure);
  if (out->procedure.procedure->on_stage_map()) {
    auto map = stage_map_in_use(o.setup.bench, daq::wall_now());
    if (!map) return map.error();
    o.setup.bench.stage.record = std::move(*map);
  }
  const auto& on = *out->procedure.procedure;
  if (on.on_force_record() || on.measures_forces()) {
    auto record = force_record_in_use(o.setup.bench, daq::wall_now());
    if (!record) return record.error();
    o.setup.bench.force.record = std::move(*record);
  }
  out->answers = std::move(*answers);
  if (a.reference.empty() && !out->procedure.procedure->runs()) {
    return daq::Error{"what is compared with? --reference FILE says (docs/calibrate.md)"};
  }
  o.procedure = &out->procedure;
  o.head = a.head;
  if (o.head.operator_name.empty()) o.head.operator_name = out->answers.operator_name;
  o.records = a.records.empty() ? o.setup.bench.calibration.store : a.records;
  o.raw = a.raw;
  if (o.raw.empty()) {
    o.raw = fmt::format("runs/calibrations/{}-{}.h5", out->procedure.name, daq::file_stamp(daq::wall_now()));
  }
  std::error_code failure;
  if (const auto folder = fs::path(o.raw).parent_path(); !folder.empty()) fs::create_directories(folder, failure);
  if (failure) return daq::Error{fmt::format("cannot make the folder of '{}': {}", o.raw, failure.message())};
  o.virtual_time = a.virtual_time;
  o.seed = a.seed;
  return out;
}

/// Where a bench file names such a record.
const char* table_of(const calibration::Record& r) {
  const auto& quantity = r.quantities.front().quantity;
  if (quantity == "delay") return "timing";
  if (quantity == "acceleration") return "vibration";
  if (quantity == "force") return "force";
  return quantity == "position" ? "stage" : "instrument";
}

void print(const CalibrateDone& done, const CalibrateOptions& o) {
  const auto& r = done.kept.record;
  for (const auto& remark : done.remarks) fmt::print("note: {}\n", remark);
  const auto& c = r.classification;
  fmt::print("record '{}' kept: {}\n", r.id, done.kept.file);
  if (!c.standard.empty()) {
    // ISO 230-2 and ISO 16063-21 have no classes.
    const bool classes = !r.quantities.empty() && r.quantities.front().quantity == "force";
    const auto result = c.result.empty() ? std::string(classes ? ": no class" : "") : ": class " + c.result;
    fmt::print("{} {}:{}{}\n", c.basis, c.standard, c.edition, result);
  }
  for (const auto& q : r.quantities) {
    const auto name = q.channel == q.quantity ? q.quantity : q.quantity + " " + q.channel;
    if (q.range.low == q.range.high) {
      fmt::print("{}: {:.5g} +- {:.2g} {}\n", name, q.range.low, q.uncertainty.front().expanded, q.unit == "1" ? "" : q.unit);
      continue;
    }
    fmt::print("{}: {:g} to {:g} {}, U (k = {:.3g}) from {:.3g} to {:.3g} {}\n", name, q.range.low,
               q.range.high, q.unit, r.coverage_factor, q.uncertainty.front().expanded, q.uncertainty.back().expanded,
               q.unit);
  }
  std::size_t widest = 0;
  for (const auto& b : r.budget) widest = std::max(widest, b.name.size());
  if (!r.budget.empty()) fmt::print("budget, standard uncertainties:\n");
  for (const auto& b : r.budget) {
    fmt::print("  {:<{}} {:>10.3g} {}  {}\n", b.name, widest, b.standard, b.unit == "1" ? "" : b.unit, b.distribution);
  }
  fmt::print("raw data: {}\n", o.raw);
  // A series that verifies yields figures and neither map nor scale: there is nothing to put to use.
  const std::string_view table = table_of(r);
  if (table == "timing" || r.fit.kind != calibration::FitKind::kConstants) {
    fmt::print("to use it: [{}] calibration = \"{}\" in the bench file (it is of '{}')\n", table, r.id,
               r.instrument.serial);
  }
  fmt::print("for a certificate: strigil calibrations certificate {} --store {} --head laboratory.toml --out DIR\n",
             r.id, o.records);
}

}  // namespace

int calibrate_list() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& home : home_dirs()) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(fs::path(home) / kFolder, ignored)) {
      const auto name = entry.path().stem().string();
      const bool known = std::any_of(found.begin(), found.end(), [&](const auto& f) { return f.first == name; });
      if (entry.path().extension() != ".toml" || known) continue;
      const auto text = daq::read_text_file(entry.path().string());
      const auto title = text ? protocols::procedure_title(*text, entry.path().string()) : text.error();
      found.emplace_back(name, title ? *title : title.error().message);
    }
  }
  std::sort(found.begin(), found.end());
  for (const auto& [name, title] : found) fmt::print("{:<16} {}\n", name, title);
  return kPass;
}

int calibrate_command(const CalibrateArguments& a) {
  if (a.procedure == "list") return calibrate_list();
  auto prepared = prepare(a);
  if (!prepared) return refuse(prepared.error().message);
  const auto& p = **prepared;
  if (const auto& head = p.options.head; head.make.empty() || head.model.empty()) {
    fmt::print(stderr,
               "note: without --make and --model no certificate can be issued of the record, and a record is "
               "never edited\n");
  }
  catch_stop_signals();
  std::unique_ptr<protocols::Prompter> prompter;
  if (a.answers.empty()) {
    prompter = std::make_unique<TerminalPrompter>(a.virtual_time);
  } else {
    prompter = std::make_unique<ScriptedPrompter>(p.answers);
  }
  const auto done = carry_out_calibration(p.options, *prompter);
  if (!done) {
    fmt::print(stderr, "strigil: {}\n", done.error().message);
    return kFail;
  }
  print(*done, p.options);
  return kPass;
}

void add_calibrate(CLI::App& app, int& code) {
  const auto a = std::make_shared<CalibrateArguments>();
  auto* sub = app.add_subcommand("calibrate", kAbout);
  sub->add_option("procedure", a->procedure, "\"list\", a name from protocols/procedures or a .toml file")->required();
  sub->add_option("--bench", a->bench, "A name from rig/benches or a .toml file")->capture_default_str();
  sub->add_option("--reference", a->reference, "TOML file: what is compared with, and how well it is known");
  sub->add_option("--answers", a->answers, "TOML file that answers instead of a person");
  sub->add_option("--records", a->records, "Folder of the records (default: the bench's [calibration] store)");
  sub->add_option("--raw", a->raw, "Run file to make (default: runs/calibrations/NAME-TIME.h5)");
  sub->add_flag("--virtual", a->virtual_time, "Simulated bench in virtual time, with simulated loads");
  sub->add_option("--seed", a->seed, "Of the simulated bench and its reference")->capture_default_str();
  sub->add_option("--temperature", a->temperature_C, "Of the bench, in degrees C")->check(CLI::Range(-40.0, 100.0));
  sub->add_option("--id", a->head.id, "Of the record (default: KIND-SERIAL-TIME)");
  sub->add_option("--operator", a->head.operator_name, "Who calibrates");
  sub->add_option("--make", a->head.make, "Of the sensor");
  sub->add_option("--model", a->head.model, "Of the sensor");
  sub->add_option("--serial", a->head.serial, "Of the sensor (default: the bench's [force] serial)");
  sub->add_option("--adjustment", a->head.adjustment, "none, \"as found\" or \"as left\"")
      ->check(CLI::IsMember({"none", "as found", "as left"}))
      ->capture_default_str();
  sub->add_option("--supersedes", a->head.supersedes, "Id of the record that this one takes the place of");
  sub->add_option("--notes", a->head.notes, "A remark");
  sub->callback([a, &code] { code = calibrate_command(*a); });
}

}  // namespace strigil::apps
