// What comes into a store from outside: a record of another store, a digital calibration certificate.
#include <fmt/format.h>

#include <filesystem>

#include "apps/calibrations_command.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "calibration/certificate/dcc_import.hpp"
#include "calibration/record/digest.hpp"
#include "calibration/record/store.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

daq::Result<calibration::Record> from_dcc(const std::string& file, const std::string& text) {
  const auto dcc = calibration::import_dcc(text);
  if (!dcc) return dcc.error();
  for (const auto& f : dcc->findings) {
    fmt::print("{}: {}: {} ({})\n", f.error ? "rule broken" : "note", f.rule, f.text, f.where);
  }
  for (const auto& p : dcc->passed_over) fmt::print("not read: {}\n", p);
  fmt::print("DCC {} '{}' of {}: {} {} serial {}\n", dcc->schema_version, dcc->id, dcc->laboratory,
             dcc->instrument.make, dcc->instrument.model, dcc->instrument.serial);
  for (const auto& q : dcc->quantities) {
    fmt::print("  {:<40} {:>4} values in {}{}\n", q.name, q.values.size(), q.unit,
               q.standard.empty() ? "" : ", with uncertainty");
  }
  return calibration::reference_of(*dcc, std::filesystem::path(file).filename().string(), calibration::sha256_hex(text),
                                   version());
}

daq::Result<calibration::Record> from_record(const std::string& file, const std::string& text) {
  const auto read = calibration::parse_record(text);
  if (!read) return daq::Error{fmt::format("'{}': {}", file, read.error().message)};
  auto record = read->record;
  if (record.kind == calibration::RecordKind::kRevocation) {
    return daq::Error{"a revocation is not imported: `strigil calibrations revoke` makes one"};
  }
  record.reason = fmt::format("{}imported; was {}", record.reason.empty() ? "" : record.reason + "; ", read->hash);
  record.supersedes.clear();
  return record;
}

}  // namespace

int calibrations_import(const ImportArguments& a) {
  const auto text = daq::read_text_file(a.file, calibration::kLongestDcc);
  if (!text) return refuse(text.error().message);
  const auto first = text->find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && (*text)[first] == '{';
  auto record = json ? from_record(a.file, *text) : from_dcc(a.file, *text);
  if (!record) return refuse(record.error().message);
  if (!a.id.empty()) record->id = a.id;
  const auto kept = calibration::keep_record(a.store, *record);
  if (!kept) return refuse(kept.error().message);
  fmt::print("'{}' is kept: {}\n", kept->record.id, kept->file);
  return kPass;
}

}  // namespace strigil::apps
