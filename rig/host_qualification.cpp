#include "rig/host_qualification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "daq/json_text.hpp"

namespace strigil::rig {
namespace {

constexpr std::array kGrades{HostGrade::kA, HostGrade::kB, HostGrade::kC, HostGrade::kD};

/// A force loop is laid out for a delay of three periods: one to sample, one for the computer, one for the stage. Its
/// damping is B = 2 k T at least, and it is stable down to B = (2/pi) k T: it bears pi times the delay it was made for.
/// A stall that adds no more than the rest leaves it stable even if the stall stayed.
constexpr double kDelayPeriods = 3;
constexpr double kStallPeriods = kDelayPeriods * (std::numbers::pi - 1);
/// A jog of 80 ms is sent while less than 240 ms lie ahead (docs/safety.md): a longer stall than the difference would
/// make a drive that lives on short jogs stop in the middle of a stroke.
constexpr double kJogReserve_s = 0.16;
/// What a killed writer may lose at most; the recorder's ring holds about two of them.
constexpr double kLongestDisk_s = 1;
constexpr double kMilli = 1e3;
constexpr double kMicro = 1e6;

/// A quantity that has a limit.
struct Judged {
  const char* what;
  double measured_s;
  double limit_s;
  const char* check;
};

std::array<Judged, 4> judged(const HostMeasurement& m, const HostLimits& l) {
  return {{{"one wake in a thousand is later than", m.wake.p999_s, l.wake_p999_s,
            "other programs, power saving, a virtual machine"},
           {"the longest stall is", m.longest_stall_s, l.longest_stall_s,
            "suspended or swapped programs, a processor quota, a busy host of a virtual machine"},
           {"one byte in a thousand needs more for there and back than", m.round_trip.p999_s, l.round_trip_p999_s,
            "other programs, power saving, a virtual machine"},
           {"the longest write to the disk took", m.disk.max_s, l.longest_disk_s,
            "a network folder, a full or worn disk, other programs that write; choose another --dir"}}};
}

std::vector<std::string> shortcomings(const HostMeasurement& m, HostGrade grade) {
  std::vector<std::string> out;
  for (const auto& j : judged(m, host_limits(grade))) {
    if (j.measured_s <= j.limit_s) continue;  // NaN is not
    out.push_back(fmt::format("{} {:.3f} ms; {} may have {:.3f} ms. Check: {}", j.what, j.measured_s * kMilli,
                              permission(grade), j.limit_s * kMilli, j.check));
  }
  const auto enough = grade == HostGrade::kC ? kEnoughForAStage : kEnoughForForceControl;
  if (const auto count = std::min(m.wake.count, m.round_trip.count); count < enough) {
    out.push_back(fmt::format("only {} wakes and round trips were measured; {} needs {}: measure longer (--seconds)",
                              count, permission(grade), enough));
  }
  if (m.disk.count < kEnoughDiskWrites) {
    out.push_back(fmt::format("only {} writes to the disk were measured; measure longer (--seconds)", m.disk.count));
  }
  if (m.lost_bytes > 0) {
    out.push_back(fmt::format("{} bytes did not come back within a second over a wire of this computer", m.lost_bytes));
  }
  return out;
}

std::vector<std::string> advice(const HostFacts& f) {
  std::vector<std::string> out;
  if (f.cpus == 1)
    out.emplace_back("one processor for all threads of a run: two or more keep them out of each other's way");
  if (!f.cpu_quota.empty() && !f.cpu_quota.starts_with("max")) {
    out.push_back(fmt::format("the control group's processor quota ({}) stops every thread when it is used up: lift it",
                              f.cpu_quota));
  }
  if (!f.clock_source.empty() && f.clock_source != "tsc" && f.clock_source != "arch_sys_counter" &&
      f.clock_source != "kvm-clock") {
    out.push_back(
        fmt::format("the clock source is '{}': slower to read than a processor's own counter", f.clock_source));
  }
  if (!f.cpu_governor.empty() && f.cpu_governor != "performance") {
    out.push_back(fmt::format("processor governor '{}': 'performance' wakes sooner", f.cpu_governor));
  }
  if (!f.fifo_permitted) {
    out.emplace_back("real-time priority (SCHED_FIFO) is not permitted: other programs can hold a run up");
  }
  return out;
}

nlohmann::ordered_json json_of(const Lateness& l) {
  return {{"count", l.count}, {"p50_s", l.p50_s}, {"p99_s", l.p99_s}, {"p999_s", l.p999_s}, {"max_s", l.max_s}};
}

std::string line_of(const char* what, const Lateness& l) {
  return fmt::format("  {:<26} {:>7} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}\n", what, l.count, l.p50_s * kMicro,
                     l.p99_s * kMicro, l.p999_s * kMicro, l.max_s * kMicro);
}

std::string or_unknown(const std::string& text) { return text.empty() ? "not told" : text; }

}  // namespace

std::string_view name_of(HostGrade grade) noexcept {
  constexpr std::array<std::string_view, kGrades.size()> kNames{"A", "B", "C", "D"};
  return kNames[static_cast<std::size_t>(grade)];
}

std::string_view permission(HostGrade grade) noexcept {
  constexpr std::array<std::string_view, kGrades.size()> kPermissions{
      "force control at 1 kHz", "force control at 100 Hz", "point-to-point moves only, force corrected at up to 50 Hz",
      "simulation only, no stage"};
  return kPermissions[static_cast<std::size_t>(grade)];
}

std::optional<HostGrade> parse_host_grade(std::string_view text) noexcept {
  if (text.size() != 1) return std::nullopt;
  const char letter = text[0] >= 'a' && text[0] <= 'z' ? static_cast<char>(text[0] - 'a' + 'A') : text[0];
  for (const auto grade : kGrades) {
    if (name_of(grade)[0] == letter) return grade;
  }
  return std::nullopt;
}

Lateness lateness_of(std::vector<double> values_s) {
  Lateness l;
  l.count = values_s.size();
  if (values_s.empty()) return l;
  std::sort(values_s.begin(), values_s.end());
  // In thousandths, as whole numbers: 0.999 * 1000 is not 999 in floating point.
  const auto rank = [&](std::size_t thousandths) { return values_s[(values_s.size() * thousandths + 999) / 1000 - 1]; };
  l.p50_s = rank(500);
  l.p99_s = rank(990);
  l.p999_s = rank(999);
  l.max_s = values_s.back();
  return l;
}

HostLimits host_limits(HostGrade grade) noexcept {
  assert(grade != HostGrade::kD);
  constexpr std::array kPeriods_s{1e-3, 10e-3, 20e-3};
  const double period_s = kPeriods_s[static_cast<std::size_t>(grade)];
  return {.period_s = period_s,
          .wake_p999_s = period_s,
          .round_trip_p999_s = period_s,
          .longest_stall_s = std::min(kStallPeriods * period_s, kJogReserve_s),
          .longest_disk_s = kLongestDisk_s};
}

HostQualification qualify(const HostMeasurement& measurement) {
  HostQualification q;
  q.advice = advice(measurement.facts);
  for (const auto grade : {HostGrade::kA, HostGrade::kB, HostGrade::kC}) {
    auto reasons = shortcomings(measurement, grade);
    if (reasons.empty()) {
      q.grade = grade;
      return q;
    }
    q.reasons = std::move(reasons);  // of the grade next above the one that it gets
  }
  return q;
}

std::string to_text(const HostMeasurement& m, const HostQualification& q) {
  const auto& f = m.facts;
  std::string out = fmt::format("This computer over {:.1f} s, the threads of a run all at work:\n", m.duration_s);
  out += fmt::format("  {:<26} {:>7} {:>10} {:>10} {:>10} {:>10}\n", "in microseconds", "count", "p50", "p99", "p99.9",
                     "max");
  out += line_of("wake late by (1 kHz)", m.wake);
  out += line_of("byte there and back", m.round_trip);
  out += line_of("write and sync to disk", m.disk);
  out += fmt::format("  longest stall {:.3f} ms; bytes lost {}; wrote in '{}'\n", m.longest_stall_s * kMilli,
                     m.lost_bytes, m.folder);
  out += fmt::format("  kernel {}{}; {} processors; quota {}; governor {}; turbo {}\n", or_unknown(f.kernel),
                     f.kernel_realtime ? " (real-time)" : "", f.cpus, or_unknown(f.cpu_quota),
                     or_unknown(f.cpu_governor), or_unknown(f.turbo));
  out += fmt::format("  clock {}: states {:.0f} ns, steps by {:.0f} ns\n", or_unknown(f.clock_source),
                     f.clock_resolution_s * 1e9, f.clock_step_s * 1e9);
  out +=
      fmt::format("  SCHED_FIFO {} (limit {}); memory that may be locked: {}\n",
                  f.fifo_permitted ? "permitted" : "not permitted", f.fifo_priority_limit,
                  std::isfinite(f.memory_lock_limit_bytes) ? fmt::format("{:.0f} KiB", f.memory_lock_limit_bytes / 1024)
                                                           : std::string("all"));
  for (const auto& a : q.advice) out += "could be better: " + a + "\n";
  for (const auto& r : q.reasons) out += "no better grade because: " + r + "\n";
  out += fmt::format("grade {}: {}\n", name_of(q.grade), permission(q.grade));
  return out;
}

std::string to_json(const HostMeasurement& m, const HostQualification& q) {
  using Json = nlohmann::ordered_json;
  Json limits = Json::object();
  for (const auto grade : {HostGrade::kA, HostGrade::kB, HostGrade::kC}) {
    const auto l = host_limits(grade);
    limits[std::string(name_of(grade))] = {
        {"may_run", permission(grade)},         {"period_s", l.period_s},
        {"wake_p999_s", l.wake_p999_s},         {"round_trip_p999_s", l.round_trip_p999_s},
        {"longest_stall_s", l.longest_stall_s}, {"longest_disk_s", l.longest_disk_s}};
  }
  const auto& f = m.facts;
  const Json out{{"grade", name_of(q.grade)},
                 {"may_run", permission(q.grade)},
                 {"reasons", q.reasons},
                 {"advice", q.advice},
                 {"measured",
                  {{"duration_s", m.duration_s},
                   {"wake", json_of(m.wake)},
                   {"longest_stall_s", m.longest_stall_s},
                   {"round_trip", json_of(m.round_trip)},
                   {"lost_bytes", m.lost_bytes},
                   {"disk", json_of(m.disk)},
                   {"folder", m.folder}}},
                 {"limits", limits},
                 {"facts",
                  {{"kernel", f.kernel},
                   {"kernel_realtime", f.kernel_realtime},
                   {"cpus", f.cpus},
                   {"cpu_quota", f.cpu_quota},
                   {"clock_source", f.clock_source},
                   {"clock_resolution_s", f.clock_resolution_s},
                   {"clock_step_s", f.clock_step_s},
                   {"fifo_permitted", f.fifo_permitted},
                   {"fifo_priority_limit", f.fifo_priority_limit},
                   {"memory_lock_limit_bytes", f.memory_lock_limit_bytes},
                   {"cpu_governor", f.cpu_governor},
                   {"turbo", f.turbo}}}};
  return daq::json_text(out, 1);  // infinity becomes null
}

}  // namespace strigil::rig
