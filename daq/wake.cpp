#include "daq/wake.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace strigil::daq {

Wake::Wake() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Wake::~Wake() {
  if (fd_ >= 0) ::close(fd_);
}

void Wake::ring() noexcept {
  // Both sides exchange, so that one of them comes second and sees what the other did before.
  if (!asleep_.exchange(false, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  (void)!::write(fd_, &one, sizeof one);  // fails only when 2^64 rings are pending
}

void Wake::woken() noexcept {
  (void)asleep_.exchange(false, std::memory_order_acq_rel);
  // Read also when nobody rang: a ring of the last time may only now have been written.
  std::uint64_t rings = 0;
  (void)!::read(fd_, &rings, sizeof rings);
}

}  // namespace strigil::daq
