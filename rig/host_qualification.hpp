// Host qualification: what this computer may run, judged by how late its threads, wires and disk were. The judgement is
// pure; rig/host_measurement measures. The thresholds and where they come from: docs/safety.md, This computer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strigil::rig {

/// What a computer may run, best first.
enum class HostGrade : std::uint8_t {
  kA,  ///< force control at 1 kHz
  kB,  ///< force control at 100 Hz
  kC,  ///< moves from point to point; force corrected at up to 50 Hz
  kD,  ///< simulation only: no stage
};
/// "A" to "D".
std::string_view name_of(HostGrade grade) noexcept;
/// "force control at 1 kHz", and so on.
std::string_view permission(HostGrade grade) noexcept;
/// "a" or "A" to "D"; nothing else is a grade.
std::optional<HostGrade> parse_host_grade(std::string_view text) noexcept;

/// How late something was, over many times. Quantiles by nearest rank: the value that at least that share of all does
/// not exceed. 0 everywhere when nothing was counted.
struct Lateness {
  std::uint64_t count = 0;
  double p50_s = 0;
  double p99_s = 0;
  double p999_s = 0;
  double max_s = 0;
};
/// Takes the values by value because it sorts them. Pure.
Lateness lateness_of(std::vector<double> values_s);

/// What the system says of itself. Empty text: it does not say.
struct HostFacts {
  std::string kernel;                  ///< release
  bool kernel_realtime = false;        ///< a PREEMPT_RT kernel
  std::size_t cpus = 0;                ///< that this process may use
  std::string cpu_quota;               ///< of the control group ("max 100000": none), which makes stalls of its own
  std::string clock_source;            ///< e.g. "tsc"
  double clock_resolution_s = 0;       ///< as the system states it
  double clock_step_s = 0;             ///< smallest step between two readings, as measured
  bool fifo_permitted = false;         ///< SCHED_FIFO could be had
  int fifo_priority_limit = 0;         ///< RLIMIT_RTPRIO
  double memory_lock_limit_bytes = 0;  ///< RLIMIT_MEMLOCK; infinite when there is none
  std::string cpu_governor;            ///< e.g. "performance"
  std::string turbo;                   ///< "on" or "off"
};

/// All of one measurement, made while the threads of a run were all at work.
struct HostMeasurement {
  HostFacts facts;
  double duration_s = 0;
  Lateness wake;                 ///< of a thread that asks to be woken each 1 ms
  double longest_stall_s = 0;    ///< greatest time between two of its wakes, or two rounds of the byte's thread
  Lateness round_trip;           ///< loop -> port -> far end -> port -> io thread -> loop, one byte
  std::uint64_t lost_bytes = 0;  ///< bytes that did not come back within a second
  Lateness disk;                 ///< write and fdatasync of a quarter of a second of a run
  std::string folder;            ///< where it wrote
};

/// What a computer must keep to for a grade, s.
struct HostLimits {
  double period_s = 0;           ///< of the force loop
  double wake_p999_s = 0;        ///< one tick in a thousand may come later
  double round_trip_p999_s = 0;  ///< one byte in a thousand may take longer
  double longest_stall_s = 0;    ///< none may be longer
  double longest_disk_s = 0;     ///< no write may take longer
};
/// Precondition: not kD, which has no limits.
HostLimits host_limits(HostGrade grade) noexcept;

/// So many wakes and round trips lie behind a p99.9 that is worth anything (ten beyond it). With fewer, no force
/// control.
inline constexpr std::uint64_t kEnoughForForceControl = 10'000;
/// With fewer than these, no stage at all.
inline constexpr std::uint64_t kEnoughForAStage = 1'000;
/// Disk writes behind every grade but kD.
inline constexpr std::uint64_t kEnoughDiskWrites = 2;

struct HostQualification {
  HostGrade grade = HostGrade::kD;
  /// What keeps it from the next better grade, for a person: figure, limit, what to check. Empty for kA.
  std::vector<std::string> reasons;
  /// What else could be better on this computer; does not touch the grade.
  std::vector<std::string> advice;
};

/// The best grade all of whose limits hold; a limit that is met exactly holds, a figure that is no number does not.
/// Pure.
HostQualification qualify(const HostMeasurement& measurement);

/// For people: figures, reasons, advice, and the grade on the last line.
std::string to_text(const HostMeasurement& measurement, const HostQualification& qualification);
/// {"grade": "A", "may_run": ..., "reasons": [...], "measured": {...}, "limits": {...}, "facts": {...}}
std::string to_json(const HostMeasurement& measurement, const HostQualification& qualification);

}  // namespace strigil::rig
