// Latest<T>: the newest value of something, for readers who do not care about history.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace strigil::daq {

/// One writer, any number of readers; a sequence lock whose words are atomics, so it is defined behaviour and
/// clean under ThreadSanitizer. The writer never waits; a reader retries while a write is under way.
template <typename T>
class Latest {
  static_assert(std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>);

 public:
  /// The writing thread only. Wait-free, no allocation.
  void store(const T& value) noexcept {
    std::array<std::uint64_t, kWords> words{};
    std::memcpy(words.data(), &value, sizeof(T));
    const auto sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    // Release words, not a fence: ThreadSanitizer does not model fences, and on x86 they cost the same.
    for (std::size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_release);
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  /// Any thread. The newest whole value (default-constructed before the first store).
  [[nodiscard]] T load() const noexcept {
    std::array<std::uint64_t, kWords> words{};
    for (;;) {
      const auto before = sequence_.load(std::memory_order_acquire);
      if ((before & 1U) != 0) continue;
      for (std::size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_acquire);
      if (sequence_.load(std::memory_order_relaxed) == before) break;
    }
    T out;
    std::memcpy(static_cast<void*>(&out), words.data(), sizeof(T));
    return out;
  }

  /// Any thread. How many values have been stored.
  [[nodiscard]] std::uint64_t stored() const noexcept { return sequence_.load(std::memory_order_acquire) / 2; }

 private:
  static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;
  std::atomic<std::uint64_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace strigil::daq
