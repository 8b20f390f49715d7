// libFuzzer target for what comes from outside as a calibration: a DCC, a record's file, a check's line. What is accepted
// must be whole and hold what its readers promise; what is refused must say why.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "calibration/certificate/dcc_import.hpp"
#include "calibration/certificate/unit.hpp"
#include "calibration/check_standard.hpp"
#include "calibration/record/digest.hpp"

namespace {

using namespace strigil::calibration;

void require(bool held) {
  if (!held) std::abort();
}

void fuzz_dcc(const std::string& text) {
  const auto dcc = import_dcc(text);
  if (!dcc) return require(!dcc.error().message.empty());
  require(!dcc->id.empty() && !dcc->instrument.serial.empty() && !dcc->quantities.empty());
  for (const auto& q : dcc->quantities) {
    require(!q.unit.empty() && (q.standard.empty() || q.standard.size() == q.values.size()));
    for (const double v : q.values) require(std::isfinite(v));
    for (const double u : q.standard) require(std::isfinite(u) && u >= 0);
  }
  auto record = reference_of(*dcc, "fuzz.xml", sha256_hex(text), "0.1.0");
  record.number = 1;
  record.previous = kNoRecordBefore;
  // It may still lack what a record needs, e.g. an uncertainty above 0; then it says so and is not kept.
  if (problems_of(record).empty()) require(parse_record(to_text(record)).ok());
}

/// The hash is made to fit, so that what lies behind it is reached.
void fuzz_record(const std::string& text) {
  (void)parse_record(text);
  const auto sealed = text + " \"hash\": \"" + sha256_hex(text) + "\"\n}\n";
  const auto record = parse_record(sealed);
  if (!record) return require(!record.error().message.empty());
  require(problems_of(record->record).empty());
  require(to_text(record->record) == sealed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      fuzz_dcc(text);
      break;
    case 1:
      fuzz_record(text);
      break;
    case 2:
      if (const auto unit = read_dsi_unit(text)) require(!unit->symbol.empty());
      require(!dsi_unit(text).empty());
      break;
    default:
      if (const auto check = parse_check(text)) {
        // Not for every number (a line may hold 1e400); for those that came back the same again.
        const auto again = parse_check(to_json(*check));
        require(again.ok() && to_json(*again) == to_json(*check));
      }
  }
  return 0;
}
