// CPU time, of this process and of one thread.
#pragma once

#include <time.h>

namespace strigil::bench {

inline double cpu_s(clockid_t clock) {
  timespec t{};
  (void)::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}
inline double process_cpu_s() { return cpu_s(CLOCK_PROCESS_CPUTIME_ID); }
inline double thread_cpu_s() { return cpu_s(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace strigil::bench
