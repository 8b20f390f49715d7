// What comes into a store from outside: a record of another store, a digital calibration certificate.
#include <fmt/format.h>

#include "apps/calibrations_command.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "calibration/record/store.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {

int calibrations_import(const ImportArguments& a) {
  const auto text = daq::read_text_file(a.file, calibration::kLongestRecord);
  if (!text) return refuse(text.error().message);
  const auto read = calibration::parse_record(*text);
  if (!read) return refuse(fmt::format("'{}': {}", a.file, read.error().message));
  auto record = read->record;
  if (record.kind == calibration::RecordKind::kRevocation) {
    return refuse("a revocation is not imported: `strigil calibrations revoke` makes one");
  }
  record.reason = fmt::format("{}imported; was {}", record.reason.empty() ? "" : record.reason + "; ", read->hash);
  record.supersedes.clear();
  if (!a.id.empty()) record.id = a.id;
  const auto kept = calibration::keep_record(a.store, record);
  if (!kept) return refuse(kept.error().message);
  fmt::print("'{}' is kept: {}\n", kept->record.id, kept->file);
  return kPass;
}

}  // namespace strigil::apps
