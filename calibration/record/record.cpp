#include "calibration/record/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calibration/record/digest.hpp"
#include "calibration/record/record_fields.hpp"
#include "daq/json_text.hpp"

namespace strigil::calibration {
namespace {

using record::ordered_json;

constexpr std::string_view kHashLine = " \"hash\": \"";

/// All of a record's file that its hash is made of: up to the line that holds it.
std::string hashed_part(const Record& r) {
  ordered_json j{{"format", kRecordFormat}, {"version", kRecordVersion}};
  const auto body = record::Writer::write(r);
  for (const auto& [key, value] : body.items()) j[key] = value;
  auto text = daq::json_text(j, 1);
  text.resize(text.size() - 2);  // the end of the line, and the brace
  return text + ",\n";
}

daq::Error no_record(const std::string& why) { return {"this is no calibration record: " + why}; }

}  // namespace

std::string_view name_of(RecordKind kind) noexcept {
  switch (kind) {
    case RecordKind::kCalibration:
      return "calibration";
    case RecordKind::kReference:
      return "reference";
    case RecordKind::kRevocation:
      return "revocation";
  }
  return "?";
}

std::string_view name_of(FitKind kind) noexcept {
  switch (kind) {
    case FitKind::kPolynomial:
      return "polynomial";
    case FitKind::kMatrix:
      return "matrix";
    case FitKind::kConstants:
      return "constants";
    case FitKind::kTable:
      return "table";
  }
  return "?";
}

std::string to_text(const Record& r) {
  const auto part = hashed_part(r);
  return fmt::format("{}{}{}\"\n}}\n", part, kHashLine, sha256_hex(part));
}

std::string hash_of(const Record& r) { return sha256_hex(hashed_part(r)); }

daq::Result<ReadRecord> parse_record(std::string_view text) {
  if (text.size() > kLongestRecord) return no_record(fmt::format("it is longer than {} bytes", kLongestRecord));
  const auto beginning = fmt::format("{{\n \"format\": \"{}\",\n \"version\": \"", kRecordFormat);
  if (!text.starts_with(beginning)) return no_record("it does not begin like one");
  const auto version = text.substr(beginning.size(), text.find('"', beginning.size()) - beginning.size());
  if (version != kRecordVersion) {
    return no_record(fmt::format("it is of version {}; this program knows {}", version.substr(0, 20), kRecordVersion));
  }
  // The hash before all else: whoever changed a digit is told so, and not that the digit is out of range.
  const auto at = text.rfind(kHashLine);
  if (at == std::string_view::npos) return no_record("it has no hash");
  ReadRecord out;
  out.hash = sha256_hex(text.substr(0, at));
  if (text.substr(at) != fmt::format("{}{}\"\n}}\n", kHashLine, out.hash)) {
    return no_record("its hash does not fit its content: it was changed after it was written");
  }
  const auto j = daq::parse_ordered_json(text);
  if (!j.is_object()) return no_record("it is not a JSON object");
  try {
    record::Reader::read(j, out.record);
  } catch (const std::exception& e) {  // nlohmann's and Reader's: a member is missing or of another type
    return no_record(e.what());
  }
  if (const auto problems = problems_of(out.record); !problems.empty()) return no_record(problems.front());
  if (to_text(out.record) != text)
    return no_record("it is not written as strigil writes one, so it was changed by hand");
  return out;
}

std::optional<double> expanded_at(const CalibratedQuantity& q, double value) {
  const auto& points = q.uncertainty;
  if (!q.range.holds(value) || points.empty()) return std::nullopt;
  const auto above = std::find_if(points.begin(), points.end(), [&](const auto& p) { return p.value >= value; });
  if (above == points.end()) return std::nullopt;
  if (above == points.begin() || above->value == value) return above->expanded;
  const auto& below = *std::prev(above);
  const double part = (value - below.value) / (above->value - below.value);
  return below.expanded + part * (above->expanded - below.expanded);
}

const CalibratedQuantity* find_quantity(const Record& r, std::string_view channel) {
  const auto found =
      std::find_if(r.quantities.begin(), r.quantities.end(), [&](const auto& q) { return q.channel == channel; });
  return found == r.quantities.end() ? nullptr : &*found;
}

const DataTable* find_table(const Record& r, std::string_view name) {
  const auto found = std::find_if(r.tables.begin(), r.tables.end(), [&](const DataTable& t) { return t.name == name; });
  return found == r.tables.end() ? nullptr : &*found;
}

}  // namespace strigil::calibration
