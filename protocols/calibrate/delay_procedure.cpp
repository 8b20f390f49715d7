#include "protocols/calibrate/delay_procedure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/standards/estimate.hpp"
#include "calibration/standards/readings_check.hpp"
#include "protocols/calibrate/kinds.hpp"

namespace strigil::protocols {
namespace {

/// What was found of one stream.
struct Found {
  double delay_s = 0;
  double scatter_s = 0;  ///< of the mean
  double taps_s = 0;     ///< standard, of the taps themselves
  double dof = 0;
  std::vector<double> offsets_s;
};

std::optional<Found> find(const std::string& stream, double reckoned_s, const std::vector<TimingCertificate>& runs) {
  Found f;
  double own = 0;
  for (const auto& run : runs) {
    for (const auto& s : run.streams) {
      if (s.stream != stream || !s.tapped) continue;
      for (const auto& offset : {s.before, s.after}) {
        if (!std::isfinite(offset.offset_s) || !std::isfinite(offset.uncertainty_s)) continue;
        f.offsets_s.push_back(offset.offset_s);
        own += offset.uncertainty_s / 2;
      }
    }
  }
  if (f.offsets_s.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(f.offsets_s.size());
  const auto spread = calibration::spread_of(f.offsets_s);
  f.delay_s = reckoned_s + spread.mean;
  f.scatter_s = spread.deviation / std::sqrt(n);
  f.taps_s = own / n;
  f.dof = n - 1;
  return f;
}

}  // namespace

ProcedureSubject DelayProcedure::subject(const rig::BenchConfig& bench) const {
  ProcedureSubject out{bench.name, {}};
  out.setting.filter = bench.force.setting.filter;
  out.setting.rate_Hz = bench.force.rate_Hz;
  return out;
}

daq::Result<ProcedureResult> DelayProcedure::evaluate(const ProcedureData&, const ProcedureSetup&) const {
  return daq::Error{"this procedure is made of runs and not of steps"};
}

daq::Result<ProcedureResult> DelayProcedure::evaluate_runs(const std::vector<TimingCertificate>& runs,
                                                           const ProcedureSetup& setup) const {
  ProcedureResult out;
  auto& r = out.record;
  r.fit.kind = calibration::FitKind::kConstants;
  if (setup.temperature_C)
    r.conditions.temperature_C = calibration::Interval{*setup.temperature_C, *setup.temperature_C};
  const auto& bench = setup.bench;
  const double force_s = bench.force.latency_s;
  struct Wanted {
    const char* stream;
    double reckoned_s;
  };
  const Wanted wanted[] = {{"vibration", bench.vibration.latency_s - force_s},
                           {"position", bench.stage.latency_s - force_s}};
  calibration::DataTable table{"offsets", {"stream", "offset"}, {"1", "s"}, {}};
  double stream = 0;
  for (const auto& w : wanted) {
    const auto f = find(w.stream, w.reckoned_s, runs);
    ++stream;
    if (!f) {
      out.remarks.push_back(fmt::format("the taps say nothing of '{}'", w.stream));
      continue;
    }
    const double u_s = std::hypot(f->scatter_s, f->taps_s);
    const double dof =
        calibration::effective_dof(f->scatter_s, f->dof, f->taps_s, std::numeric_limits<double>::infinity());
    r.coverage_factor = std::max({r.coverage_factor, 2.0, calibration::coverage_factor(std::max(dof, 1.0))});
    r.quantities.push_back({"delay", w.stream, "s", {f->delay_s, f->delay_s}, {{f->delay_s, u_s}}});
    r.fit.names.push_back(fmt::format("{} after force", w.stream));
    r.fit.coefficients.push_back(f->delay_s);
    r.budget.push_back({fmt::format("{}: scatter of the taps", w.stream), "normal", f->scatter_s, "s", 1, f->dof});
    r.budget.push_back({fmt::format("{}: the taps themselves", w.stream), "normal", f->taps_s, "s", 1, 0});
    for (const double offset_s : f->offsets_s) table.rows.push_back({stream, offset_s});
  }
  // One coverage factor for both.
  for (auto& q : r.quantities) q.uncertainty.front().expanded *= r.coverage_factor;
  if (r.quantities.empty()) {
    return daq::Error{"the taps say nothing of any stream: is [taps] in the bench file, and a hard stop there?"};
  }
  r.tables = {std::move(table)};
  r.conditions.notes =
      fmt::format("the force stream is the reference, acquired {:g} ms before it arrives; ", force_s * 1e3);
  return out;
}

std::unique_ptr<Procedure> read_delay_procedure(daq::StrictTable t, const ProcedureSetup& setup) {
  ProcedureRuns runs;
  runs.protocol = t.text("protocol");
  constexpr double kMostRuns = 50;
  runs.runs = static_cast<int>(t.integer("runs", {1, kMostRuns}, 3));
  if (!setup.bench.taps) t.refuse("protocol", "the bench file has no [taps]: no hard stop to tap on (docs/time.md)");
  t.finish();
  return std::make_unique<DelayProcedure>(std::move(runs));
}

}  // namespace strigil::protocols
