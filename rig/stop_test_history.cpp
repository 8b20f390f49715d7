#include "rig/stop_test_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "daq/line_file.hpp"

namespace strigil::rig {
namespace {

using nlohmann::ordered_json;

/// Tests that say how the bench was when it was good.
constexpr std::size_t kReferences = 5;
/// What a figure may differ by with nothing having changed: two reports of the position, and what noise makes.
constexpr double kNoise_N = 0.5;
constexpr double kNoise_s = 5e-3;
constexpr double kNoise_m = 20e-6;

/// The greater; what is no number is worse than any.
double worse(double a, double b) { return b <= a ? a : b; }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

ordered_json json_of(const StopTestFigures& f) {
  ordered_json j{{"kind", name_of(f.kind)},
                 {"noticed_ms", f.noticed_s * 1e3},
                 {"stopped_ms", f.stopped_s * 1e3},
                 {"travel_mm", f.travel_m * 1e3}};
  if (f.kind == StopTestKind::kForceTrip) {
    j["released_ms"] = f.released_s * 1e3;
    j["peak_N"] = f.peak_N;
  }
  return j;
}

StopTestFigures figures_of(const ordered_json& j) {
  StopTestFigures f;
  f.kind = j.at("kind").get<std::string>() == name_of(StopTestKind::kAbort) ? StopTestKind::kAbort
                                                                            : StopTestKind::kForceTrip;
  f.noticed_s = j.at("noticed_ms").get<double>() * 1e-3;
  f.stopped_s = j.at("stopped_ms").get<double>() * 1e-3;
  f.travel_m = j.at("travel_mm").get<double>() * 1e-3;
  f.released_s = j.value("released_ms", 0.0) * 1e-3;
  f.peak_N = j.value("peak_N", 0.0);
  return f;
}

bool has(const std::vector<StopTestFigures>& stops, StopTestKind kind) {
  return std::any_of(stops.begin(), stops.end(), [&](const auto& f) { return f.kind == kind; });
}

/// One figure of one kind: how it is called, what it may be, and what it was.
struct Check {
  const char* what;
  double StopTestFigures::*figure;
  double limit;
  double noise;
  double unit;  // for people
  const char* unit_name;
};

void check(const Check& c, StopTestKind kind, const StopTestFigures& now, const std::vector<StopTestFigures>& before,
           double worse_by, std::vector<std::string>& failures) {
  const double value = now.*c.figure;
  if (!(value <= c.limit)) {
    failures.push_back(fmt::format("{}: {} was {:.2f} {}, the limit is {:.2f}", name_of(kind), c.what, value / c.unit,
                                   c.unit_name, c.limit / c.unit));
  }
  if (before.empty()) return;
  std::vector<double> values;
  for (const auto& b : before) values.push_back(b.*c.figure);
  const double reference = median(values);
  if (value > reference * (1 + worse_by) + c.noise) {
    failures.push_back(fmt::format("{}: {} has worsened from {:.2f} to {:.2f} {}", name_of(kind), c.what,
                                   reference / c.unit, value / c.unit, c.unit_name));
  }
}

}  // namespace

std::string stop_test_setup(const BenchConfig& b) {
  const auto& s = b.stage;
  const auto& t = *b.stop_test;
  return fmt::format(
      "{} stage, {:g} m/s2, retract {:g} m/s, {:g} reports/s; {} at {:g} Hz; onto the stop at {:g} m/s until {:g} N; "
      "abort at {:g} m/s",
      s.codec, s.acceleration_m_s2, s.retract_speed_m_s, s.status_rate_Hz, b.force.codec, b.force.rate_Hz, t.speed_m_s,
      t.trip_N, t.abort_speed_m_s);
}

StopTestFigures worst_of(StopTestKind kind, const std::vector<StopTestFigures>& stops) {
  StopTestFigures worst;
  worst.kind = kind;
  for (const auto& f : stops) {
    if (f.kind != kind) continue;
    worst.noticed_s = worse(worst.noticed_s, f.noticed_s);
    worst.stopped_s = worse(worst.stopped_s, f.stopped_s);
    worst.released_s = worse(worst.released_s, f.released_s);
    worst.travel_m = worse(worst.travel_m, f.travel_m);
    worst.peak_N = worse(worst.peak_N, f.peak_N);
  }
  return worst;
}

std::vector<std::string> judge_stops(const std::vector<StopTestFigures>& stops, const BenchConfig& bench,
                                     const std::vector<StopTestRecord>& history) {
  const auto& t = *bench.stop_test;
  const auto setup = stop_test_setup(bench);
  const double report_s = 2 / bench.stage.status_rate_Hz;
  std::vector<std::string> failures;
  for (const auto kind : {StopTestKind::kForceTrip, StopTestKind::kAbort}) {
    if (!has(stops, kind)) {
      failures.push_back(fmt::format("{}: it was not measured", name_of(kind)));
      continue;
    }
    const auto now = worst_of(kind, stops);
    std::vector<StopTestFigures> before;
    for (const auto& record : history) {
      const bool counts = record.failures.empty() && record.setup == setup && has(record.stops, kind);
      if (counts && before.size() < kReferences) before.push_back(worst_of(kind, record.stops));
    }
    const bool trip = kind == StopTestKind::kForceTrip;
    const double speed_m_s = trip ? t.speed_m_s : t.abort_speed_m_s;
    const double travel_noise_m = speed_m_s * report_s + kNoise_m;
    const Check time{"the time to rest", &StopTestFigures::stopped_s, t.max_time_s, report_s + kNoise_s, 1e-3, "ms"};
    check(time, kind, now, before, t.worse_by, failures);
    const double most_travel_m = trip ? t.max_travel_m : t.max_abort_travel_m;
    check({"the travel", &StopTestFigures::travel_m, most_travel_m, travel_noise_m, 1e-3, "mm"}, kind, now, before,
          t.worse_by, failures);
    if (trip) {
      check({"the peak force", &StopTestFigures::peak_N, t.max_peak_N, kNoise_N, 1, "N"}, kind, now, before, t.worse_by,
            failures);
      check({"the time to notice", &StopTestFigures::noticed_s, t.max_time_s, kNoise_s, 1e-3, "ms"}, kind, now, before,
            t.worse_by, failures);
    }
  }
  return failures;
}

std::string stop_test_gate(const BenchConfig& bench, const std::vector<StopTestRecord>& history, daq::WallTime now) {
  if (!bench.stop_test || !bench.stop_test->required) return "";
  const std::string make = fmt::format("Make one: strigil stop-test --bench {}", bench.file);
  if (history.empty()) return "no stop test has been made on this bench. " + make;
  const auto& last = history.back();
  const double age_s = static_cast<double>(now.ns - last.at.ns) * 1e-9;
  if (last.setup != stop_test_setup(bench)) {
    return fmt::format("the last stop test was of another setup ({}; now {}). {}", last.setup, stop_test_setup(bench),
                       make);
  }
  if (!last.failures.empty()) {
    return fmt::format("the last stop test, of {}, failed: {}. Mend that, then make another", daq::iso8601(last.at),
                       last.failures.front());
  }
  if (age_s > bench.stop_test->valid_s) {
    return fmt::format("the last stop test is {:.1f} h old, and good for {:g} h. {}", age_s / 3600,
                       bench.stop_test->valid_s / 3600, make);
  }
  if (age_s < -60) return "the last stop test is of the future: this computer's clock was set back. " + make;
  return "";
}

std::string to_json(const StopTestRecord& r) {
  ordered_json j{{"at", daq::iso8601(r.at)},
                 {"at_ns", r.at.ns},
                 {"bench", r.bench},
                 {"setup", r.setup},
                 {"software", r.software},
                 {"simulated", r.simulated},
                 {"passed", r.failures.empty()},
                 {"failures", r.failures},
                 {"stops", ordered_json::array()}};
  for (const auto& f : r.stops) j["stops"].push_back(json_of(f));
  return daq::json_text(j);
}

daq::Result<StopTestRecord> parse_stop_test(std::string_view line) {
  const auto j = daq::parse_ordered_json(line);
  if (j.is_discarded() || !j.is_object()) return daq::Error{"not a JSON object"};
  StopTestRecord r;
  try {
    r.at.ns = j.at("at_ns").get<std::int64_t>();
    r.bench = j.at("bench").get<std::string>();
    r.setup = j.at("setup").get<std::string>();
    r.software = j.at("software").get<std::string>();
    r.simulated = j.at("simulated").get<bool>();
    r.failures = j.at("failures").get<std::vector<std::string>>();
    for (const auto& f : j.at("stops")) r.stops.push_back(figures_of(f));
  } catch (const nlohmann::json::exception& e) {
    return daq::Error{e.what()};
  }
  return r;
}

daq::Result<std::vector<StopTestRecord>> read_stop_tests(const std::string& path) {
  const auto lines = daq::read_lines(path, "a history of stop tests");
  if (!lines) return lines.error();
  std::vector<StopTestRecord> records;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    auto record = parse_stop_test((*lines)[i]);
    if (!record) return daq::Error{fmt::format("{}:{}: no stop test: {}", path, i + 1, record.error().message)};
    records.push_back(std::move(*record));
  }
  return records;
}

daq::Result<void> append_stop_test(const std::string& path, const StopTestRecord& record) {
  return daq::append_line(path, to_json(record));
}

}  // namespace strigil::rig
