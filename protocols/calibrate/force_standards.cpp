// The standards' judgement of a force procedure's readings.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "protocols/calibrate/force_evaluation.hpp"

namespace strigil::protocols {

using calibration::E74Readings;
using calibration::Iso376Readings;
using calibration::Iso376Series;

namespace {

constexpr double kPercent = 100;

/// A reading at a time after the change of load, between its neighbours by a straight line; nothing beyond them.
std::optional<double> at_time(const calibration::CreepRecord& record, double time_s) {
  // Windows are centred on their time to within a tick.
  constexpr double kNear_s = 0.5;
  for (std::size_t i = 0; i < record.time_s.size(); ++i) {
    if (std::abs(record.time_s[i] - time_s) < kNear_s) return record.reading[i];
  }
  return std::nullopt;
}

}  // namespace

void ForceEvaluation::classify(const calibration::TableIdentity& table, const std::string& result,
                               const std::string& rule) {
  auto& c = out_.record.classification;
  c.standard = table.standard;
  c.edition = table.edition;
  c.basis = table.status;
  c.result = result;
  c.limit_table = fmt::format("{} v{}", table.id, table.version);
  c.limit_table_sha256 = table.sha256;
  c.decision_rule = rule;
}

/// Why there is no class, where no class permits what the zero did: what it is a matter of, and what can be done.
void ForceEvaluation::explain_zero(double f0_pct) {
  const auto table = calibration::read_built_in_table("iso376_2011", calibration::iso376_schema());
  const auto& worst = table.classes.back();
  const double permitted_pct = worst.limit("f0_pct");
  if (std::abs(f0_pct) <= permitted_pct) return;
  const double most_N = p_.loads_.back().force_N;
  constexpr double kMilli = 1e3;
  out_.remarks.push_back(fmt::format(
      "ISO 376: the zero came back {:.1f} mN off, and class {} permits {:.1f} mN, {:g} % of the largest force. Drift and "
      "temperature move a zero by so much whatever the load is: let sensor and electronics warm up ('warm_up_s'), keep "
      "the room steady, be quicker ('settle_s'), or use a sensor whose full scale is nearer to {:g} N",
      std::abs(f0_pct) / kPercent * most_N * kMilli, worst.name, permitted_pct / kPercent * most_N * kMilli, permitted_pct,
      most_N));
}

daq::Result<void> ForceEvaluation::judge_iso376() {
  Iso376Readings in;
  for (const auto& l : p_.loads_) {
    in.force_N.push_back(l.force_N);
    in.calibration_force_pct.push_back(kPercent * 2 * l.u_N / l.force_N);
  }
  Iso376Series* series[] = {&in.x1, &in.x2, &in.x3, &in.x5};
  for (std::size_t i = 0; i < std::size(series); ++i) {
    const auto& steps = p_.series_[i];
    const double zero_N = r_.series[i].zero_before_N;
    auto& s = *series[i];
    s.position_deg = steps.azimuth_rad * 180 / 3.14159265358979323846;
    for (const auto step : steps.rising) s.rising.push_back(pressing(mean_of(step)));
    // The force above which nothing falls has no falling reading: the class asks for one each, so it is the rising one.
    for (const auto step : steps.falling) s.falling.push_back(pressing(mean_of(step)));
    if (!s.falling.empty()) s.falling.push_back(s.rising.back());
    s.zero_before = zero_N;
    s.zero_after = r_.series[i].zero_after_N;
  }
  in.resolution = r_.resolution_N;
  in.creep_30s = at_time(r_.creep, 30);
  in.creep_300s = at_time(r_.creep, 300);
  if (!in.creep_30s || !in.creep_300s) in.creep_30s = in.creep_300s = std::nullopt;
  in.temperature_coefficient_pct_K = kPercent * per_K_;
  if (!p_.temperatures_.empty()) in.temperature_range_K = temperatures().high - temperatures().low;
  in.temperature_degC = setup_.temperature_C;
  auto found = calibration::assess_iso376(in, {.degree = p_.plan_.degree, .through_zero = true});
  if (!found) return daq::Error{"ISO 376: " + found.error().message};
  for (const auto& n : found->nonconformities) out_.remarks.push_back("ISO 376: " + n);
  calibration::DataTable table{
      "iso376", {"force", "deflection", "b", "b_prime", "fc", "v", "W"}, {"N", "N", "%", "%", "%", "%", "%"}, {}};
  for (const auto& f : found->forces) {
    table.rows.push_back({f.force_N, f.deflection, f.b_pct, f.b_prime_pct, f.fc_pct, f.v_pct.value_or(0), f.W_pct});
  }
  out_.record.tables.push_back(table);
  if (p_.plan_.standard != "ISO 376") return {};
  const auto& d = found->classes(calibration::Iso376Case::D);
  std::vector<std::string> ranges;
  for (const auto& r : d.ranges) {
    ranges.push_back(fmt::format("{} from {:g} to {:g} N", r.class_name, r.lowest_N, r.highest_N));
  }
  classify(found->table, fmt::format("{}", fmt::join(ranges, ", ")), "simple acceptance, case D, nothing is rounded");
  for (const auto& why : d.refused) out_.remarks.push_back("ISO 376: " + why);
  // The certificate says why there is no class, or none better.
  if (!d.refused.empty()) out_.record.conditions.notes += fmt::format("ISO 376: {}; ", d.refused.back());
  if (d.judged && d.ranges.empty()) explain_zero(found->f0_pct);
  if (!d.judged) out_.remarks.push_back("ISO 376: " + d.why_not);
  return {};
}

daq::Result<void> ForceEvaluation::judge_e74() {
  E74Readings in;
  int run = 0;
  for (const std::size_t i : {0U, 2U, 3U}) {  // X1, X3, X5: a position each
    ++run;
    const auto& rising = r_.series[i].rising;
    for (std::size_t k = 0; k < rising.size(); ++k) {
      in.observations.push_back({.force_N = p_.loads_[k].force_N,
                                 .deflection = pressing(rising[k].signal_N),
                                 .run = run,
                                 .position_deg = p_.series_[i].azimuth_rad * 180 / 3.14159265358979323846});
    }
  }
  in.resolution = r_.resolution_N;
  const auto& kind = setup_.reference.kind;
  if (kind == "primary") in.reference = calibration::E74Reference::primary;
  if (kind == "AA") in.reference = calibration::E74Reference::class_AA;
  if (kind == "A") in.reference = calibration::E74Reference::class_A;
  in.reference_expanded_pct = kPercent * 2 * reference_;
  const auto early = at_time(r_.recovery, 30);
  const auto late = at_time(r_.recovery, 300);
  if (early && late) in.creep_recovery_pct = kPercent * std::abs(*late - *early) / r_.recovery.full_deflection;
  auto found = calibration::assess_e74(in);
  if (!found) {
    out_.remarks.push_back("ASTM E74: " + found.error().message);
    return {};
  }
  out_.record.tables.push_back({"astm_e74",
                                {"degree", "llf", "limit_A", "limit_AA"},
                                {"1", "N", "N", "N"},
                                {{static_cast<double>(found->deflection_of_force.degree()), found->llf_N,
                                  found->limit_A_N, found->limit_AA_N}}});
  if (p_.plan_.standard != "ASTM E74") return {};
  std::vector<std::string> ranges;
  for (const auto& r : found->ranges) {
    ranges.push_back(fmt::format("{} from {:g} to {:g} N", r.class_name, r.lowest_N, r.highest_N));
  }
  classify(found->table, fmt::format("{}", fmt::join(ranges, ", ")),
           fmt::format("LLF {:.4g} N, degree {} by the test of Annex A1", found->llf_N,
                       found->deflection_of_force.degree()));
  for (const auto& why : found->nonconformities) out_.remarks.push_back("ASTM E74: " + why);
  for (const auto& why : found->refused) out_.remarks.push_back("ASTM E74: " + why);
  return {};
}

daq::Result<void> ForceEvaluation::judge() {
  if (auto r = judge_iso376(); !r) return r;
  if (auto r = judge_e74(); !r) return r;
  if (auto machine = judge_machine(); !machine) return machine.error();
  return {};
}

}  // namespace strigil::protocols
