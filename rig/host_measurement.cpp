#include "rig/host_measurement.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "daq/link/io_thread.hpp"
#include "daq/time.hpp"

namespace strigil::rig {
namespace {

namespace fs = std::filesystem;
using daq::Duration;
using daq::HostTime;

constexpr Duration kTick = std::chrono::milliseconds(1);
constexpr Duration kBackstop = std::chrono::milliseconds(2);  ///< as the pacer of a run on wires
constexpr Duration kByteIsLost = std::chrono::seconds(1);
/// A quarter of a second of a 7 kHz force sensor (6 channels) and a 25.6 kHz accelerometer (3 channels), at most.
constexpr Duration kWritePeriod = std::chrono::milliseconds(250);
constexpr std::size_t kWriteBytes = std::size_t{128} * 1024;
constexpr int kLookForEnd_ms = 50;

std::string reason(int number) { return std::error_code(number, std::generic_category()).message(); }

void sleep_until(HostTime at) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  const timespec when{static_cast<time_t>(at.ns / kNanoseconds), static_cast<long>(at.ns % kNanoseconds)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR) {
  }
}

/// First instant of the grid from `start` that lies after `now`: what was missed is not made up for.
HostTime next_on_grid(HostTime start, HostTime now, Duration period) {
  return start + period * ((now - start) / period + 1);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// A thread that wakes by a timer.
struct TimerThread {
  std::vector<double> late_s;
  double longest_stall_s = 0;

  explicit TimerThread(double seconds) { late_s.reserve(static_cast<std::size_t>(seconds / daq::seconds(kTick)) + 1); }
  void run(HostTime start, HostTime end) {
    auto last = daq::host_now();
    auto due = next_on_grid(start, last, kTick);
    while (due < end && late_s.size() < late_s.capacity()) {
      sleep_until(due);
      const auto now = daq::host_now();
      // Ticks that a stall has swallowed were late too: left out, a stall would count as one tick however long it was.
      for (; due <= now && due < end && late_s.size() < late_s.capacity(); due = due + kTick) {
        late_s.push_back(daq::seconds(now - due));
      }
      longest_stall_s = std::max(longest_stall_s, daq::seconds(now - last));
      last = now;
    }
  }
};

/// The far end of the wire: sends back what comes.
void echo(int master, const std::atomic<bool>& over) {
  std::array<char, 64> room{};
  while (!over.load(std::memory_order_relaxed)) {
    pollfd p{master, POLLIN, 0};
    if (::poll(&p, 1, kLookForEnd_ms) <= 0 || (p.revents & POLLIN) == 0) continue;
    const auto n = ::read(master, room.data(), room.size());
    if (n > 0) (void)!::write(master, room.data(), static_cast<std::size_t>(n));  // one that is lost is missed
  }
}

/// A thread that waits for chunks as the loop does, and is answered.
struct LoopThread {
  std::vector<double> round_trip_s;
  double longest_stall_s = 0;
  std::uint64_t lost_bytes = 0;

  explicit LoopThread(double seconds) {
    round_trip_s.reserve(static_cast<std::size_t>(seconds / daq::seconds(kTick)) + 1);
  }
  void run(HostTime start, HostTime end, daq::Link& link, daq::IoThread& io, daq::ChunkRing& chunks) {
    std::uint8_t sent = 0;
    auto due = next_on_grid(start, daq::host_now(), kTick);
    auto last = daq::host_now();
    while (due < end && round_trip_s.size() < round_trip_s.capacity()) {
      sleep_until(due);
      const std::array one{static_cast<std::byte>(++sent)};
      const auto from = daq::host_now();
      const bool taken = link.write(one);
      const auto to = taken ? wait_for(one[0], from + kByteIsLost, io, chunks, last) : std::nullopt;
      if (to) {
        round_trip_s.push_back(daq::seconds(*to - from));
      } else {
        ++lost_bytes;
      }
      due = next_on_grid(start, daq::host_now(), kTick);
    }
  }

 private:
  /// When the byte was seen. Bytes of before that were given up are passed over.
  std::optional<HostTime> wait_for(std::byte wanted, HostTime until, daq::IoThread& io, daq::ChunkRing& chunks,
                                   HostTime& last) {
    for (;;) {
      bool found = false;
      while (const auto* chunk = chunks.front()) {
        const auto bytes = chunk->data();
        found = found || std::ranges::find(bytes, wanted) != bytes.end();
        chunks.release();
      }
      const auto now = daq::host_now();
      longest_stall_s = std::max(longest_stall_s, daq::seconds(now - last));
      last = now;
      if (found) return now;
      if (now > until) return std::nullopt;
      (void)io.wait(kBackstop);
    }
  }
};

/// A thread that writes as the recorder does, and waits until it is on the disk.
struct DiskThread {
  std::vector<double> took_s;
  int failure = 0;  ///< errno

  explicit DiskThread(double seconds) {
    took_s.reserve(static_cast<std::size_t>(seconds / daq::seconds(kWritePeriod)) + 2);
  }
  void run(HostTime start, HostTime end, int fd) {
    std::vector<char> bytes(kWriteBytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13U);  // no zeros
    // The first one at once: also a short measurement has some.
    for (auto due = start; due < end; due = next_on_grid(start, daq::host_now(), kWritePeriod)) {
      sleep_until(due);
      const auto from = daq::host_now();
      errno = 0;
      const auto n = ::write(fd, bytes.data(), bytes.size());
      if (n != static_cast<ssize_t>(bytes.size()) || ::fdatasync(fd) != 0) {
        failure = errno != 0 ? errno : ENOSPC;
        return;
      }
      took_s.push_back(daq::seconds(daq::host_now() - from));
    }
  }
};

/// A file that goes when this goes.
struct TrialFile {
  fs::path path;
  Descriptor fd;
  explicit TrialFile(const fs::path& folder)
      : path(folder / fmt::format(".qualify-{}", ::getpid())),
        fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)) {}
  ~TrialFile() {
    if (fd.get() >= 0) ::unlink(path.c_str());
  }
  TrialFile(const TrialFile&) = delete;
  TrialFile& operator=(const TrialFile&) = delete;
};

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

bool fifo_permitted() {
  // On a thread of its own, so that this one stays what it is.
  bool permitted = false;
  std::thread([&] {
    sched_param p{};
    p.sched_priority = 1;
    permitted = ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &p) == 0;
  }).join();
  return permitted;
}

std::string turbo() {
  if (const auto no = first_line("/sys/devices/system/cpu/intel_pstate/no_turbo"); !no.empty()) {
    return no == "0" ? "on" : "off";
  }
  if (const auto boost = first_line("/sys/devices/system/cpu/cpufreq/boost"); !boost.empty()) {
    return boost == "1" ? "on" : "off";
  }
  return {};
}

double smallest_clock_step_s() {
  constexpr int kReadings = 10'000;
  Duration smallest = Duration::max();
  auto last = daq::host_now();
  for (int i = 0; i < kReadings; ++i) {
    const auto now = daq::host_now();
    if (now > last) smallest = std::min(smallest, now - last);
    last = now;
  }
  return smallest == Duration::max() ? std::numeric_limits<double>::infinity() : daq::seconds(smallest);
}

}  // namespace

HostFacts read_host_facts() {
  HostFacts f;
  utsname name{};
  if (::uname(&name) == 0) {
    f.kernel = name.release;
    f.kernel_realtime = std::string_view(name.version).find("PREEMPT_RT") != std::string_view::npos;
  }
  f.kernel_realtime = f.kernel_realtime || first_line("/sys/kernel/realtime") == "1";
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  f.cpus = ::sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? static_cast<std::size_t>(CPU_COUNT(&cpus))
                                                           : std::thread::hardware_concurrency();
  f.cpu_quota = first_line("/sys/fs/cgroup/cpu.max");
  f.clock_source = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  timespec resolution{};
  if (::clock_getres(CLOCK_MONOTONIC, &resolution) == 0) {
    f.clock_resolution_s = static_cast<double>(resolution.tv_sec) + static_cast<double>(resolution.tv_nsec) * 1e-9;
  }
  f.clock_step_s = smallest_clock_step_s();
  f.fifo_permitted = fifo_permitted();
  rlimit limit{};
  if (::getrlimit(RLIMIT_RTPRIO, &limit) == 0) {
    f.fifo_priority_limit = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 99));
  }
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
    f.memory_lock_limit_bytes =
        limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity() : static_cast<double>(limit.rlim_cur);
  }
  f.cpu_governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  f.turbo = turbo();
  return f;
}

daq::Result<HostMeasurement> measure_host(const HostMeasurementPlan& plan) {
  std::error_code failure;
  fs::create_directories(plan.folder, failure);
  if (failure) {
    return daq::Error{
        fmt::format("cannot make the folder '{}': {}; choose one with --dir", plan.folder, failure.message())};
  }
  const TrialFile file(plan.folder);
  if (file.fd.get() < 0) {
    return daq::Error{
        fmt::format("cannot write in the folder '{}': {}; choose one with --dir", plan.folder, reason(errno))};
  }
  const Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 128> slave{};
  if (master.get() < 0 || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 ||
      ::ptsname_r(master.get(), slave.data(), slave.size()) != 0) {
    return daq::Error{fmt::format("this computer gives no pseudo-terminal: {}", reason(errno))};
  }

  constexpr std::size_t kChunks = 1024;
  daq::ChunkRing chunks(kChunks);
  daq::IoThread io(chunks);
  auto link = io.open(fmt::format("serial://{}", slave.data()), 0);
  if (!link) return link.error();

  HostMeasurement m;
  m.facts = read_host_facts();
  m.folder = plan.folder;
  TimerThread timer(plan.seconds);
  LoopThread loop(plan.seconds);
  DiskThread disk(plan.seconds);
  std::atomic<bool> over{false};
  const auto start = daq::host_now();
  const auto end = start + daq::from_seconds(plan.seconds);
  {
    std::thread far_end([&] { echo(master.get(), over); });
    std::thread writing([&] { disk.run(start, end, file.fd.get()); });
    std::thread turning([&] { loop.run(start, end, **link, io, chunks); });
    std::thread waking([&] { timer.run(start, end); });
    waking.join();
    turning.join();
    writing.join();
    over.store(true, std::memory_order_relaxed);
    far_end.join();
  }
  if (disk.failure != 0) {
    return daq::Error{fmt::format("writing in the folder '{}' failed: {}", plan.folder, reason(disk.failure))};
  }
  m.duration_s = daq::seconds(daq::host_now() - start);
  m.wake = lateness_of(std::move(timer.late_s));
  m.round_trip = lateness_of(std::move(loop.round_trip_s));
  m.disk = lateness_of(std::move(disk.took_s));
  m.lost_bytes = loop.lost_bytes;
  m.longest_stall_s = std::max(timer.longest_stall_s, loop.longest_stall_s);
  return m;
}

}  // namespace strigil::rig
