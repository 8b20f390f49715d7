// Ctrl-C while a stage moves: the first asks for an abort to safe, the second is the emergency stop. Ctrl-Z does not
// stop the program, which would leave the stage alone: it suspends the run, and the next one lets it go on.
#pragma once

#include <atomic>

namespace strigil::apps {

/// 0 nothing, 1 abort to safe, 2 or more emergency stop. Any thread.
std::atomic<int>& stop_request() noexcept;
/// Counts how often Ctrl-Z was pressed. Any thread.
std::atomic<int>& suspend_request() noexcept;
/// SIGINT and SIGTERM count in stop_request() from now on, SIGTSTP in suspend_request(). Main thread.
void catch_stop_signals() noexcept;

}  // namespace strigil::apps
