#include "apps/stop_request.hpp"

#include <csignal>

namespace strigil::apps {
namespace {

std::atomic<int> request{0};
std::atomic<int> suspend{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int) { request.fetch_add(1); }
void on_suspend(int) { suspend.fetch_add(1); }

}  // namespace

std::atomic<int>& stop_request() noexcept { return request; }

std::atomic<int>& suspend_request() noexcept { return suspend; }

void catch_stop_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = on_signal;
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_suspend;
  (void)::sigaction(SIGTSTP, &action, nullptr);
}

}  // namespace strigil::apps
