// Ctrl-C while a stage moves: the first asks for an abort to safe, the second is the emergency stop.
#pragma once

#include <atomic>

namespace strigil::apps {

/// 0 nothing, 1 abort to safe, 2 or more emergency stop. Any thread.
std::atomic<int>& stop_request() noexcept;
/// SIGINT and SIGTERM count in stop_request() from now on. Main thread.
void catch_stop_signals() noexcept;

}  // namespace strigil::apps
