// What a record must be before it is kept or believed.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "calibration/record/digest.hpp"
#include "calibration/record/record_fields.hpp"

namespace strigil::calibration {
namespace {

using record::ordered_json;

constexpr std::size_t kMostCoefficients = 1024;
constexpr double kAsymmetry = 1e-9;  // of a covariance, relative to its diagonal: what rounding may leave

/// The path of a number that is not finite; empty: there is none.
std::string not_finite(const ordered_json& j, const std::string& path) {
  if (j.is_number_float()) return std::isfinite(j.get<double>()) ? "" : path;
  if (!j.is_structured()) return "";
  for (const auto& [key, value] : j.items()) {
    if (auto found = not_finite(value, path + "/" + key); !found.empty()) return found;
  }
  return "";
}

class Check {
 public:
  explicit Check(const Record& r) : r_(r) {}

  std::vector<std::string> run() {
    written();
    if (!problems_.empty()) return problems_;
    identity();
    times();
    if (r_.kind == RecordKind::kRevocation) {
      need(!r_.revokes.empty(), "it revokes no record");
      need(!r_.reason.empty(), "it does not say why it revokes");
      return problems_;
    }
    need(r_.revokes.empty(), "only a revocation revokes");
    need(!r_.quantities.empty(), "it calibrates no quantity");
    need(r_.coverage_factor >= 1, "its coverage factor is below 1");
    need(r_.coverage_probability > 0 && r_.coverage_probability < 1, "its coverage probability is not between 0 and 1");
    std::set<std::string> channels;
    for (const auto& q : r_.quantities) {
      quantity(q);
      if (!q.channel.empty())
        need(channels.insert(q.channel).second, fmt::format("channel '{}' stands twice", q.channel));
    }
    if (r_.kind == RecordKind::kCalibration) fit();
    rest();
    return problems_;
  }

 private:
  void need(bool held, const std::string& otherwise) {
    if (!held) problems_.push_back(otherwise);
  }

  void written() {
    const auto j = record::Writer::write(r_);
    const auto where = not_finite(j, "");
    need(where.empty(), fmt::format("{} is not a finite number", where));
    try {
      (void)j.dump();
    } catch (const nlohmann::json::exception&) {  // 316
      problems_.emplace_back("one of its texts is not UTF-8");
    }
  }

  void identity() {
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
             c == '-';
    };
    need(!r_.id.empty() && r_.id.size() <= 64 && std::all_of(r_.id.begin(), r_.id.end(), allowed),
         fmt::format("its id '{}' is not 1 to 64 of A-Z a-z 0-9 . _ -", r_.id));
    need(r_.number >= 1, "its number is not 1 or more");
    need(is_sha256_hex(r_.previous), "'previous' is no SHA-256");
    need(r_.id != r_.supersedes && r_.id != r_.revokes, "it supersedes or revokes itself");
    if (r_.kind != RecordKind::kRevocation) need(!r_.instrument.serial.empty(), "its instrument has no serial number");
    constexpr std::array<std::string_view, 4> kAdjustments{"", "none", "as found", "as left"};
    need(std::find(kAdjustments.begin(), kAdjustments.end(), r_.adjustment) != kAdjustments.end(),
         "'adjustment' is neither none, as found nor as left");
    constexpr std::array<std::string_view, 3> kConformity{"", "pass", "fail"};
    need(std::find(kConformity.begin(), kConformity.end(), r_.classification.conformity) != kConformity.end(),
         "'conformity' is neither pass nor fail");
    need(r_.setting.rate_Hz >= 0 && r_.setting.counts_per_unit >= 0, "its setting has a number below 0");
  }

  void times() {
    constexpr std::int64_t kMillisecond = 1'000'000;
    std::vector<daq::WallTime> all{r_.created, r_.performed_from, r_.performed_until, r_.issued};
    for (const auto& t : {r_.valid_from, r_.valid_until}) {
      if (t) all.push_back(*t);
    }
    for (const auto& t : r_.traceability) {
      if (t.valid_until) all.push_back(*t.valid_until);
    }
    for (const auto& t : all) {
      need(parse_instant(daq::iso8601(t)).ok(), "a date lies before 1900 or after 2200");
      need(t.ns % kMillisecond == 0, "a date is not to the millisecond");
    }
    need(r_.performed_from.ns <= r_.performed_until.ns, "it was performed until before it was begun");
    need(r_.performed_until.ns <= r_.issued.ns, "it was issued before it was performed");
    if (r_.valid_until) {
      need(r_.valid_from.value_or(r_.issued).ns < r_.valid_until->ns, "it ends to be valid before it begins");
    }
  }

  void interval(const std::optional<Interval>& i, const char* what) {
    if (i) need(i->low <= i->high, fmt::format("{}: the low end lies above the high one", what));
  }

  void quantity(const CalibratedQuantity& q) {
    const auto name = q.channel.empty() ? q.quantity : q.channel;
    need(!q.quantity.empty() && !q.unit.empty(), fmt::format("quantity '{}' has no name or no unit", name));
    need(q.range.low <= q.range.high, fmt::format("{}: its range is empty", name));
    const auto& points = q.uncertainty;
    if (points.empty()) return need(false, fmt::format("{}: it has no uncertainty", name));
    for (std::size_t i = 0; i < points.size(); ++i) {
      need(points[i].expanded > 0, fmt::format("{}: an expanded uncertainty is not above 0", name));
      if (i > 0)
        need(points[i - 1].value < points[i].value, fmt::format("{}: the values of its uncertainty do not rise", name));
    }
    need(points.front().value <= q.range.low && points.back().value >= q.range.high,
         fmt::format("{}: its uncertainty does not cover its range", name));
  }

  void fit() {
    const auto& f = r_.fit;
    const auto inputs = f.inputs.size();
    const auto n = f.coefficients.size();
    need(n <= kMostCoefficients, "its fit has too many coefficients");
    need(f.residual_sd >= 0 && f.degrees_of_freedom >= 0, "its fit has a deviation or degrees of freedom below 0");
    for (const auto& x : f.inputs) need(x.per_count != 0, fmt::format("input '{}': 'per_count' is 0", x.channel));
    switch (f.kind) {
      case FitKind::kPolynomial:
        need(inputs == 1 && r_.quantities.size() == 1, "a polynomial has one input and one quantity");
        need(n >= 2 && n <= 8, "a polynomial has 2 to 8 coefficients");
        break;
      case FitKind::kMatrix:
        need(inputs >= 1 && inputs <= 16, "a matrix has 1 to 16 inputs");
        need(n == r_.quantities.size() * (inputs + 1),
             fmt::format("a matrix of {} quantities and {} inputs has {} coefficients, with the offsets; there are {}",
                         r_.quantities.size(), inputs, r_.quantities.size() * (inputs + 1), n));
        break;
      case FitKind::kConstants:
        need(n >= 1 && f.names.size() == n, "constants need a name each");
        break;
      case FitKind::kTable:
        need(!r_.tables.empty() && !r_.tables.front().rows.empty(), "its first table, which is the fit, has no rows");
        break;
    }
    if (f.covariance.empty() || n > kMostCoefficients) return;
    if (f.covariance.size() != n * n) return need(false, "its covariance is not of its coefficients");
    for (std::size_t i = 0; i < n; ++i) {
      need(f.covariance[i * n + i] >= 0, "its covariance has a variance below 0");
      for (std::size_t k = 0; k < i; ++k) {
        const double scale = std::sqrt(std::abs(f.covariance[i * n + i] * f.covariance[k * n + k]));
        const bool symmetric = std::abs(f.covariance[i * n + k] - f.covariance[k * n + i]) <= kAsymmetry * scale;
        const bool possible = std::abs(f.covariance[i * n + k]) <= scale * (1 + kAsymmetry);
        if (!symmetric || !possible)
          return need(false, "its covariance is not symmetric, or correlates by more than 1");
      }
    }
  }

  void rest() {
    interval(r_.conditions.temperature_C, "temperature");
    interval(r_.conditions.use_temperature_C, "temperature of use");
    interval(r_.conditions.humidity_percent, "humidity");
    interval(r_.conditions.pressure_kPa, "pressure");
    for (const auto& b : r_.budget) {
      need(b.standard >= 0 && b.degrees_of_freedom >= 0, fmt::format("budget line '{}' has a number below 0", b.name));
    }
    for (const auto& t : r_.tables) {
      const auto fits = [&](const auto& row) { return row.size() == t.columns.size(); };
      need(!t.columns.empty() && t.units.size() == t.columns.size() && std::all_of(t.rows.begin(), t.rows.end(), fits),
           fmt::format("table '{}' has rows or units that do not fit its columns", t.name));
    }
    const auto hash = [&](const std::string& h, const std::string& what) {
      need(h.empty() || is_sha256_hex(h), fmt::format("the hash of {} is no SHA-256", what));
    };
    hash(r_.classification.limit_table_sha256, "the limit table");
    for (const auto& t : r_.traceability) hash(t.certificate_sha256, t.certificate), hash(t.record, t.certificate);
    for (const auto& f : r_.raw) {
      need(is_sha256_hex(f.sha256), fmt::format("the hash of '{}' is no SHA-256", f.file));
    }
  }

  const Record& r_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> problems_of(const Record& record) { return Check(record).run(); }

}  // namespace strigil::calibration
