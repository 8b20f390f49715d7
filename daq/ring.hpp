// Ring<T>: the queue between two threads. One of the two primitives threads meet in (DESIGN.md, The tick).
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace strigil::daq {

/// What a ring has seen, for the screen, the ledger and the file. Readable from any thread.
struct RingCounts {
  std::uint64_t pushed = 0;      ///< items accepted
  std::uint64_t dropped = 0;     ///< items refused because the ring was full
  std::uint64_t high_water = 0;  ///< most items ever waiting
  std::uint64_t capacity = 0;    ///< items it can hold
};

/// Single producer, single consumer, bounded, by value. Wait-free; allocates only in the constructor.
/// Policy when full: the newest item is refused and counted (what waits is older and already promised to the consumer).
template <typename T>
class Ring {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// Holds at least `capacity` items (rounded up to a power of two). Precondition: capacity > 0.
  explicit Ring(std::size_t capacity) : mask_(std::bit_ceil(capacity) - 1), items_(std::make_unique<T[]>(mask_ + 1)) {
    assert(capacity > 0);
  }

  /// Producer only. False, and one drop counted, when full.
  bool push(const T& item) noexcept {
    T* slot = reserve();
    if (slot == nullptr) return false;
    *slot = item;
    commit();
    return true;
  }

  /// Producer only. A slot to fill in place, or nullptr (one drop counted) when full. Follow with commit().
  [[nodiscard]] T* reserve() noexcept {
    const auto head = head_.load(std::memory_order_relaxed);
    if (head - tail_cache_ > mask_) {
      tail_cache_ = tail_.load(std::memory_order_acquire);
      if (head - tail_cache_ > mask_) {
        dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return nullptr;
      }
    }
    return &items_[head & mask_];
  }

  /// Producer only. Publishes the slot last reserved.
  void commit() noexcept {
    const auto head = head_.load(std::memory_order_relaxed) + 1;
    const auto waiting = head - tail_.load(std::memory_order_relaxed);
    if (waiting > high_water_.load(std::memory_order_relaxed)) high_water_.store(waiting, std::memory_order_relaxed);
    head_.store(head, std::memory_order_release);
  }

  /// Consumer only. The oldest item in place, or nullptr when empty. Valid until release().
  [[nodiscard]] const T* front() noexcept {
    const auto tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_cache_) {
      head_cache_ = head_.load(std::memory_order_acquire);
      if (tail == head_cache_) return nullptr;
    }
    return &items_[tail & mask_];
  }

  /// Consumer only. Gives the front slot back. Precondition: front() != nullptr.
  void release() noexcept { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// Consumer only. Copies the oldest item out; false when empty.
  bool pop(T& out) noexcept {
    const T* item = front();
    if (item == nullptr) return false;
    out = *item;
    release();
    return true;
  }

  /// Items waiting now, never more than the capacity. Any thread; exact only when both sides rest.
  [[nodiscard]] std::size_t size() const noexcept {
    const auto tail = tail_.load(std::memory_order_acquire);  // first: the tail never overtakes a head read after it
    return std::min(head_.load(std::memory_order_acquire) - tail, mask_ + 1);
  }

  /// Any thread.
  [[nodiscard]] RingCounts counts() const noexcept {
    return {head_.load(std::memory_order_relaxed), dropped_.load(std::memory_order_relaxed),
            high_water_.load(std::memory_order_relaxed), mask_ + 1};
  }

 private:
  static constexpr std::size_t kCacheLine = 64;
  const std::uint64_t mask_;
  const std::unique_ptr<T[]> items_;
  alignas(kCacheLine) std::atomic<std::uint64_t> head_{0};
  std::uint64_t tail_cache_ = 0;  // the producer's last view of tail_
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> high_water_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t head_cache_ = 0;  // the consumer's last view of head_
};

}  // namespace strigil::daq
