// Latest: whole values, newest last, and readers that ThreadSanitizer can watch.
#include "daq/latest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace strigil::daq {
namespace {

struct Value {
  std::uint64_t number = 0;
  std::array<std::uint64_t, 30> copies{};
  std::uint8_t last = 0;  // so that the size is no multiple of a word's bytes that matter
};
Value value_of(std::uint64_t n) {
  Value v;
  v.number = n;
  v.copies.fill(n * 0x9E3779B97F4A7C15ULL);
  v.last = static_cast<std::uint8_t>(n);
  return v;
}
bool whole(const Value& v) {
  const auto copy = v.number * 0x9E3779B97F4A7C15ULL;
  return std::all_of(v.copies.begin(), v.copies.end(), [&](auto c) { return c == copy; }) &&
         v.last == static_cast<std::uint8_t>(v.number);
}

struct Numbered {
  int number = 42;
};

TEST(Latest, HoldsWhatWasStoredLast) {
  Latest<Value> latest;
  EXPECT_EQ(latest.stored(), 0U);
  for (std::uint64_t n = 1; n < 100; ++n) {
    latest.store(value_of(n));
    EXPECT_EQ(latest.stored(), n);
    EXPECT_EQ(latest.load().number, n);
    EXPECT_TRUE(whole(latest.load()));
    EXPECT_EQ(latest.load().number, n) << "looking is not taking";
  }
}

template <std::size_t Size>
void every_byte_comes_back() {
  using Bytes = std::array<std::uint8_t, Size>;
  Latest<Bytes> latest;
  EXPECT_EQ(latest.load(), Bytes{});
  Bytes bytes;
  for (std::size_t i = 0; i < Size; ++i) bytes[i] = static_cast<std::uint8_t>(0xFF - i);
  latest.store(bytes);
  EXPECT_EQ(latest.load(), bytes);
}

TEST(Latest, OfAnySize) {
  every_byte_comes_back<1>();
  every_byte_comes_back<7>();
  every_byte_comes_back<8>();
  every_byte_comes_back<9>();
  every_byte_comes_back<255>();
}

TEST(Latest, ManyReadersSeeWholeValuesThatNeverGoBack) {
  constexpr std::uint64_t kStores = 100'000;
  Latest<Value> latest;
  latest.store(value_of(1));
  std::vector<std::thread> readers;
  std::atomic<int> torn{0};
  std::atomic<int> backwards{0};
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      std::uint64_t newest = 0;
      while (newest < kStores) {
        const auto stored = latest.stored();
        const auto v = latest.load();
        if (!whole(v)) ++torn;
        if (v.number < newest || v.number < stored) ++backwards;
        newest = v.number;
      }
    });
  }
  for (std::uint64_t n = 2; n <= kStores; ++n) latest.store(value_of(n));
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(backwards, 0);
  EXPECT_EQ(latest.stored(), kStores);
}

}  // namespace
}  // namespace strigil::daq
