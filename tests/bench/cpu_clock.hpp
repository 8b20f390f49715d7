// CPU time: what a thread or process has used of a core, whatever else the computer does meanwhile.
#pragma once

#include <sys/types.h>
#include <time.h>

#include "tests/bench/figures.hpp"

namespace strigil::bench {

inline double cpu_s(clockid_t clock) {
  timespec t{};
  if (::clock_gettime(clock, &t) != 0) give_up("a CPU clock cannot be read: has its process ended?");
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
inline double thread_cpu_s() { return cpu_s(CLOCK_THREAD_CPUTIME_ID); }
/// All threads of this process.
inline double process_cpu_s() { return cpu_s(CLOCK_PROCESS_CPUTIME_ID); }
/// All threads of another process.
inline double process_cpu_s(pid_t process) {
  clockid_t clock{};
  if (::clock_getcpuclockid(process, &clock) != 0) give_up("the process to be measured has gone");
  return cpu_s(clock);
}

}  // namespace strigil::bench
