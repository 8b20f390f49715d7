// Wake: lets a thread that empties rings sleep until its producer has put something in. It carries nothing: what is
// handed over is in the rings.
#pragma once

#include <atomic>

namespace strigil::daq {

/// One sleeper, one ringer. No lock and no allocation on either side; ring() costs an atomic exchange, and one system
/// call (a write to an eventfd) only when the sleeper has said that it sleeps.
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  /// The producer, after its pushes. Never blocks.
  void ring() noexcept;

  /// The sleeper says that it is about to sleep. Then it must look into its rings once more: what was pushed before is
  /// seen there, what is pushed after rings.
  void announce_sleep() noexcept { (void)asleep_.exchange(true, std::memory_order_acq_rel); }
  /// The sleeper is awake again, or did not sleep after all.
  void woken() noexcept;
  /// Readable when it has rung (poll for input); -1 when the system gave none, then sleep briefly.
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  const int fd_;
  std::atomic<bool> asleep_{false};
};

}  // namespace strigil::daq
