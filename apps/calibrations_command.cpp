#include "apps/calibrations_command.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/calibration_gate.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "calibration/check_standard.hpp"
#include "calibration/record/calendar.hpp"
#include "calibration/record/digest.hpp"
#include "calibration/record/store.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

using calibration::date_of;
using calibration::KeptRecord;
using calibration::Record;
using calibration::RecordKind;
using calibration::RecordStore;

/// Whether it may be used today, in a word or two.
std::string standing_of(const KeptRecord& kept, const RecordStore& store, daq::WallTime now) {
  const auto& r = kept.record;
  const auto standing = store.standing(r.id);
  if (!standing.revoked.empty()) return "revoked: " + standing.revoked;
  if (!standing.superseded_by.empty()) return "superseded by " + standing.superseded_by;
  if (r.kind == RecordKind::kRevocation) return fmt::format("revokes {}", r.revokes);
  if (r.classification.conformity == "fail") return "failed";
  if (now.ns < r.valid_from.value_or(r.issued).ns) return "not yet valid";
  if (r.valid_until && now.ns >= r.valid_until->ns) return "expired";
  return "valid";
}

void print_fit(const Record& r) {
  const auto& f = r.fit;
  fmt::print("  fit         {}, residual sd {:.3g}, {:g} degrees of freedom\n", name_of(f.kind), f.residual_sd,
             f.degrees_of_freedom);
  for (std::size_t i = 0; i < f.coefficients.size(); ++i) {
    const auto n = f.coefficients.size();
    const auto name = i < f.names.size() ? f.names[i] : fmt::format("c{}", i);
    fmt::print("    {:<10} {:>22.15g}", name, f.coefficients[i]);
    if (f.covariance.size() == n * n) fmt::print("  sd {:.3g}", std::sqrt(f.covariance[i * n + i]));
    fmt::print("\n");
  }
}

void print_record(const KeptRecord& kept, const std::string& standing) {
  const auto& r = kept.record;
  fmt::print("{} '{}': {}\n  file        {}\n  sha256      {}\n", name_of(r.kind), r.id, standing, kept.file,
             kept.hash);
  if (r.kind == RecordKind::kRevocation) {
    return fmt::print("  revokes     {}\n  because     {}\n  by          {}\n", r.revokes, r.reason, r.operator_name);
  }
  fmt::print("  instrument  {} {} serial {}\n", r.instrument.make, r.instrument.model, r.instrument.serial);
  for (const auto& q : r.quantities) {
    fmt::print("  {:<11} {} from {:g} to {:g} {}\n", q.quantity, q.channel, q.range.low, q.range.high, q.unit);
    for (const auto& p : q.uncertainty) {
      fmt::print("    at {:>10g} {}: +- {:.3g} (k = {:g})\n", p.value, q.unit, p.expanded, r.coverage_factor);
    }
  }
  if (r.kind == RecordKind::kCalibration) print_fit(r);
  const auto& c = r.classification;
  if (!c.standard.empty()) {
    fmt::print("  class       {} by {}:{} {} {}\n", c.result.empty() ? "none" : c.result, c.standard, c.edition,
               c.basis, c.conformity);
  }
  for (const auto& t : r.traceability) {
    fmt::print("  reference   {} ({}), certificate {} of {}, {}\n", t.what, t.serial, t.certificate, t.laboratory,
               t.uncertainty);
  }
  fmt::print("  performed   {} to {} by {}, issued {}\n", daq::iso8601(r.performed_from),
             daq::iso8601(r.performed_until), r.operator_name, date_of(r.issued));
  fmt::print("  valid       {} until {}\n", date_of(r.valid_from.value_or(r.issued)),
             r.valid_until ? date_of(*r.valid_until) : "revoked");
  for (const auto& f : r.raw) fmt::print("  raw         {} sha256 {}\n", f.file, f.sha256);
  if (!r.supersedes.empty()) fmt::print("  supersedes  {}\n", r.supersedes);
  if (!r.reason.empty()) fmt::print("  remark      {}\n", r.reason);
}

}  // namespace

int calibrations_list(const std::string& folder, bool json) {
  const auto store = RecordStore::read(folder);
  if (!store) return refuse(store.error().message);
  const auto now = daq::wall_now();
  auto all = nlohmann::ordered_json::array();
  for (const auto& k : store->records()) {
    const auto& r = k.record;
    const auto standing = standing_of(k, *store, now);
    const auto until = r.valid_until ? date_of(*r.valid_until) : "";
    if (json) {
      all.push_back({{"number", r.number},
                     {"id", r.id},
                     {"kind", name_of(r.kind)},
                     {"serial", r.instrument.serial},
                     {"valid_until", until},
                     {"standing", standing},
                     {"sha256", k.hash},
                     {"file", k.file}});
      continue;
    }
    fmt::print("{:>4}  {:<28} {:<12} {:<24} {:<11} {:.12}  {}\n", r.number, r.id, name_of(r.kind),
               fmt::format("{} {}", r.instrument.model, r.instrument.serial), until, k.hash, standing);
  }
  if (json)
    fmt::print("{}\n", daq::json_text(nlohmann::ordered_json{{"records", all}, {"broken", store->broken()}}, 1));
  if (!json && store->records().empty() && store->broken().empty())
    fmt::print("'{}' holds no calibration record\n", folder);
  if (store->broken().empty()) return kPass;
  fmt::print(stderr, "BROKEN: {}\n", store->broken());
  return kFail;
}

int calibrations_show(const std::string& name, const std::string& folder, bool json) {
  const auto found = find_record(name, folder);
  if (!found) return refuse(found.error().message);
  if (json) {
    fmt::print("{}", calibration::to_text(found->kept.record));
    return kPass;
  }
  const auto store = RecordStore::read(folder);
  if (!store) return refuse(store.error().message);
  print_record(found->kept, standing_of(found->kept, *store, daq::wall_now()));
  return kPass;
}

int calibrations_check(const std::string& folder) {
  const auto store = RecordStore::read(folder);
  if (!store) return refuse(store.error().message);
  std::size_t there = 0;
  std::size_t gone = 0;
  std::vector<std::string> problems;
  if (!store->broken().empty()) problems.push_back(store->broken());
  for (const auto& k : store->records()) {
    for (const auto& f : k.record.raw) {
      std::error_code ignored;
      if (!std::filesystem::exists(f.file, ignored)) {
        ++gone;
        continue;
      }
      ++there;
      const auto hash = calibration::sha256_of_file(f.file);
      if (!hash || *hash != f.sha256) {
        problems.push_back(fmt::format("{}: its raw file '{}' {}", k.record.id, f.file,
                                       hash ? "is not the one it was made from" : "cannot be read"));
      }
    }
  }
  fmt::print("{} records, last {:.12}; {} raw files as they were, {} not here\n", store->records().size(),
             store->last_hash(), there - std::min(there, problems.size()), gone);
  for (const auto& p : problems) fmt::print("BROKEN: {}\n", p);
  fmt::print("{}\n", problems.empty() ? "the chain holds" : "the chain does not hold");
  return problems.empty() ? kPass : kFail;
}

int calibrations_revoke(const RevokeArguments& a) {
  const auto store = RecordStore::read(a.store);
  if (!store) return refuse(store.error().message);
  const auto found = store->find(a.name);
  if (!found) return refuse(found.error().message);
  if (!store->standing(found->record.id).revoked.empty()) {
    return refuse(
        fmt::format("'{}' is revoked already: {}", found->record.id, store->standing(found->record.id).revoked));
  }
  Record r;
  r.kind = RecordKind::kRevocation;
  r.id = fmt::format("REV-{}", store->records().size() + 1);
  r.software = version();
  r.revokes = found->record.id;
  r.reason = a.reason;
  r.operator_name = a.operator_name;
  r.performed_from = r.performed_until = r.issued = daq::wall_now();
  const auto kept = calibration::keep_record(a.store, r);
  if (!kept) return refuse(kept.error().message);
  fmt::print("'{}' is revoked: {}\n", r.revokes, kept->file);
  return kPass;
}

namespace {

/// What a check is of, as the bench file has it.
struct Checked {
  const char* key;          ///< of the standard's name in [calibration]
  std::string standard;     ///< empty: the bench names none
  std::string calibration;  ///< what the record in use is called; empty: none is
  const char* unit;
};
Checked checked_by(const CheckStandardArguments& a, const rig::BenchConfig& bench) {
  const auto& c = bench.calibration;
  if (a.stage) return {"stage_check_standard", c.stage_check_standard, bench.stage.calibration, "m"};
  if (a.vibration) return {"vibration_check_standard", c.vibration_check_standard, bench.vibration.calibration, "m/s2"};
  return {"check_standard", c.check_standard, bench.force.calibration, "N"};
}

}  // namespace

int check_standard(const CheckStandardArguments& a) {
  const auto path = find_toml(a.bench, "rig/benches", "bench");
  if (!path) return refuse(path.error().message);
  const auto bench = rig::load_bench(*path);
  if (!bench) return refuse(bench.error().message);
  calibration::CheckPoint point;
  const auto of = checked_by(a, *bench);
  point.standard = a.standard.empty() ? of.standard : a.standard;
  if (point.standard.empty()) {
    return refuse(
        fmt::format("no check standard is named: --standard, or [calibration] {} of the bench", of.key));
  }
  const auto& named = of.calibration;
  if (!named.empty()) {
    const auto found = find_record(named, bench->calibration.store);
    if (!found) return refuse(found.error().message);
    point.calibration = found->kept.hash;
  }
  const auto file = check_history_of(*bench);
  const auto history = calibration::read_checks(file);
  if (!history) return refuse(history.error().message);
  const calibration::CheckPoint* before = nullptr;
  for (const auto& p : *history) {
    if (p.standard == point.standard && p.calibration == point.calibration) before = &p;
  }
  if (!a.expected && before == nullptr) {
    return refuse(fmt::format(
        "this is the first check of '{}' with this calibration: say what is expected (--expected)", point.standard));
  }
  point.at = daq::wall_now();
  point.value = a.value;
  point.unit = a.unit.empty() ? of.unit : a.unit;
  point.expected = a.expected ? *a.expected : before->expected;
  point.tolerance = a.tolerance ? *a.tolerance : before == nullptr ? 0 : before->tolerance;
  point.operator_name = a.operator_name;
  point.mended = a.mended;
  point.failures = calibration::judge_check(point, *history);
  if (auto kept = calibration::append_check(file, point); !kept) return refuse(kept.error().message);
  auto all = *history;
  all.push_back(point);
  const auto chart = calibration::chart_of(all, point.standard, point.calibration);
  fmt::print("check {} of '{}': {:g} {}, expected {:g}\n", chart.points.size(), point.standard, point.value, point.unit,
             point.expected);
  if (chart.limits) {
    fmt::print("chart: centre {:g}, limits {:g} to {:g}\n", chart.limits->centre, chart.limits->lower(),
               chart.limits->upper());
    if (!chart.average.empty()) {
      fmt::print("moving average {:g}, {:g} to {:g} allowed\n", chart.average.back().value, chart.average.back().lower,
                 chart.average.back().upper);
    }
  } else {
    fmt::print("base period: {} checks make the chart; until then the tolerance counts\n", calibration::kBasePoints);
  }
  for (const auto& failure : point.failures) fmt::print("fails: {}\n", failure);
  fmt::print("CHECK STANDARD: {}, kept in {}\n", point.failures.empty() ? "PASS" : "FAIL", file);
  return point.failures.empty() ? kPass : kFail;
}

}  // namespace strigil::apps
