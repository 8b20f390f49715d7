// Record: what a calibration found and what it rests on. Immutable once kept: superseded or revoked, never edited.
// Plain values; any thread. The file format is docs/calibration_record.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::calibration {

enum class RecordKind : std::uint8_t {
  kCalibration,  ///< of an instrument of this house: it has a fit, and gates runs
  kReference,    ///< somebody else's certificate, imported: what our references rest on
  kRevocation,   ///< says that an earlier record is not to be used any more
};
std::string_view name_of(RecordKind kind) noexcept;

struct Identity {
  std::string make;
  std::string model;
  std::string serial;
};

/// How the measuring chain was set. Empty text, 0: not said, and not compared.
struct Setting {
  std::string gain;
  std::string filter;
  std::string mounting;
  double rate_Hz = 0;
  double counts_per_unit = 0;  ///< of the device, e.g. its counts per newton
};

struct Interval {
  double low = 0;
  double high = 0;
  [[nodiscard]] bool holds(double v) const noexcept { return v >= low && v <= high; }
};

/// What a number was taken under, and where it may be used.
struct Conditions {
  std::optional<Interval> temperature_C;      ///< met during the calibration
  std::optional<Interval> use_temperature_C;  ///< where the record holds; none: anywhere
  std::optional<Interval> humidity_percent;
  std::optional<Interval> pressure_kPa;
  std::string notes;
};

/// Expanded uncertainty of one calibrated value.
struct UncertaintyPoint {
  double value = 0;
  double expanded = 0;
};

/// One thing that the record gives calibrated values of.
struct CalibratedQuantity {
  std::string quantity;                       ///< "force", "acceleration", "position", "delay", "stiffness", ...
  std::string channel;                        ///< of the stream, e.g. "Fz"; empty where there is none
  std::string unit;                           ///< SI symbol, as in daq::ChannelDescription
  Interval range;                             ///< calibrated; nothing is said outside it
  std::vector<UncertaintyPoint> uncertainty;  ///< by rising value over the range, unit of the quantity
};

enum class FitKind : std::uint8_t {
  kPolynomial,  ///< value = sum of c[k] x^k, one input, one quantity
  kMatrix,      ///< values = C x + b: coefficients are C row by row, then b
  kConstants,   ///< named numbers: a delay, a stiffness
  kTable,       ///< the first of `tables` is the fit: error map, frequency response
};
std::string_view name_of(FitKind kind) noexcept;

/// x = per_count * (counts - zero_counts)
struct FitInput {
  std::string channel;
  std::string unit;  ///< of x; "1" for counts
  double per_count = 1;
  double zero_counts = 0;
};

/// How indications become values of the quantities.
struct Fit {
  FitKind kind = FitKind::kPolynomial;
  std::vector<FitInput> inputs;
  std::vector<std::string> names;    ///< of the coefficients; kConstants only
  std::vector<double> coefficients;  ///< as FitKind says
  std::vector<double> covariance;    ///< of the coefficients, row by row; empty: not known
  double residual_sd = 0;            ///< unit of the first quantity
  double degrees_of_freedom = 0;
};

/// One line of the uncertainty budget.
struct BudgetLine {
  std::string name;
  std::string distribution;       ///< "normal", "rectangular", ...
  double standard = 0;            ///< standard uncertainty in `unit`
  std::string unit;               ///< of the input
  double sensitivity = 1;         ///< unit of the quantity by unit of the input
  double degrees_of_freedom = 0;  ///< 0: infinite
};

/// Numbers in columns, for the certificate: calibration points, residuals, frequency response, error map.
struct DataTable {
  std::string name;  ///< "points" has columns reference, indication, fitted, expanded_uncertainty
  std::vector<std::string> columns;
  std::vector<std::string> units;
  std::vector<std::vector<double>> rows;
};

/// What a standard says of the result.
struct Classification {
  std::string standard;  ///< e.g. "ISO 376"
  std::string edition;   ///< e.g. "2011"
  std::string basis;     ///< "method based on" where the standard's text was not at hand
  std::string result;    ///< the class; empty: none
  std::string limit_table;
  std::string limit_table_sha256;
  std::string decision_rule;
  std::string conformity;  ///< "pass", "fail", or empty: nothing is said
};

/// A reference that the result is traceable to.
struct Traceability {
  std::string what;
  std::string serial;
  std::string certificate;
  std::string certificate_sha256;
  std::string laboratory;
  std::string record;  ///< hash of the kReference record in the store; empty: it is not there
  std::optional<daq::WallTime> valid_until;
  std::string uncertainty;  ///< in words
};

struct RawFile {
  std::string file;
  std::string sha256;
};

struct Record {
  RecordKind kind = RecordKind::kCalibration;
  std::string id;           ///< unique in a store, [A-Za-z0-9._-]{1,64}: the certificate's number
  std::int64_t number = 0;  ///< place in the chain, from 1; given by the store
  std::string previous;     ///< hash of the record before; given by the store; 64 zeros for the first
  daq::WallTime created;    ///< given by the store, to the millisecond
  std::string software;
  Identity instrument;
  Setting setting;
  std::vector<CalibratedQuantity> quantities;
  double coverage_factor = 2;
  double coverage_probability = 0.95;
  Conditions conditions;
  Fit fit;
  std::vector<BudgetLine> budget;
  std::vector<DataTable> tables;
  Classification classification;
  std::vector<Traceability> traceability;
  std::string procedure;
  std::string operator_name;
  std::string adjustment;  ///< "none", "as found" or "as left"
  daq::WallTime performed_from;
  daq::WallTime performed_until;
  daq::WallTime issued;
  std::optional<daq::WallTime> valid_from;   ///< none: from when it was issued
  std::optional<daq::WallTime> valid_until;  ///< none: as long as nobody revokes it
  std::vector<RawFile> raw;
  std::string supersedes;  ///< id of an earlier record
  std::string revokes;     ///< kRevocation: id of an earlier record
  std::string reason;      ///< kRevocation: why; otherwise a remark
};

inline constexpr std::string_view kRecordFormat = "strigil-calibration";
inline constexpr std::string_view kRecordVersion = "1.0";
inline constexpr std::size_t kLongestRecord = 16U << 20U;
/// What the first record of a store has for `previous`.
inline const std::string kNoRecordBefore(64, '0');

/// What is wrong with a record: numbers that are none, sizes that do not fit, a range that is empty, an uncertainty
/// that does not cover the range. Empty: it can be kept. Pure.
std::vector<std::string> problems_of(const Record& record);

/// Its file, to the byte; the last line but one holds the SHA-256 of everything before it. Precondition:
/// problems_of() is empty.
std::string to_text(const Record& record);
/// The hash in the file of this record.
std::string hash_of(const Record& record);

/// A record with the hash that stands in its file.
struct ReadRecord {
  Record record;
  std::string hash;
};
/// Errors: no such file format, a version not known here, a hash that does not fit, anything not written as to_text()
/// writes it, and problems_of().
daq::Result<ReadRecord> parse_record(std::string_view text);

/// Expanded uncertainty of a value, between the points by straight lines; nothing outside the calibrated range. Pure.
std::optional<double> expanded_at(const CalibratedQuantity& quantity, double value);
/// The quantity of that channel; nullptr: there is none.
const CalibratedQuantity* find_quantity(const Record& record, std::string_view channel);
/// The table of that name; nullptr: there is none.
const DataTable* find_table(const Record& record, std::string_view name);

}  // namespace strigil::calibration
