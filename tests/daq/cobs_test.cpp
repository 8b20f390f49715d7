// COBS: published vectors, round trips of every length, and that nothing is accepted or written that should not be.
#include "daq/codec/cobs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace strigil::daq {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes out;
  for (const int v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

/// first, first + 1 ... last, as bytes.
Bytes counting(int first, int last) {
  Bytes out;
  for (int v = first; v <= last; ++v) out.push_back(static_cast<std::byte>(v));
  return out;
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes encoded(const Bytes& plain) {
  Bytes out(cobs_bound(plain.size()));
  out.resize(cobs_encode(plain, out));
  return out;
}

std::optional<Bytes> decoded(const Bytes& in, std::size_t room) {
  constexpr std::byte kCanary{0xA5};
  Bytes out(room + 8, kCanary);
  const auto size = cobs_decode(in, std::span(out).first(room));
  EXPECT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(room), out.end(), [](auto b) {
    return b == kCanary;
  })) << "wrote beyond its room";
  if (!size) return std::nullopt;
  EXPECT_LE(*size, room);
  out.resize(*size);
  return out;
}

Bytes random_bytes(std::mt19937& random, std::size_t size) {
  // A third each: hardly a zero, many zeros, as it comes.
  const auto kind = random() % 3;
  Bytes out(size);
  for (auto& b : out) {
    const auto v = static_cast<unsigned>(random());
    b = static_cast<std::byte>(kind == 0 ? 1 + v % 255 : kind == 1 ? v % 3 : v);
  }
  return out;
}

TEST(Cobs, PublishedVectors) {
  const std::vector<std::pair<Bytes, Bytes>> vectors{
      {bytes({0x00}), bytes({0x01, 0x01})},
      {bytes({0x00, 0x00}), bytes({0x01, 0x01, 0x01})},
      {bytes({0x00, 0x11, 0x00}), bytes({0x01, 0x02, 0x11, 0x01})},
      {bytes({0x11, 0x22, 0x00, 0x33}), bytes({0x03, 0x11, 0x22, 0x02, 0x33})},
      {bytes({0x11, 0x22, 0x33, 0x44}), bytes({0x05, 0x11, 0x22, 0x33, 0x44})},
      {bytes({0x11, 0x00, 0x00, 0x00}), bytes({0x02, 0x11, 0x01, 0x01, 0x01})},
      {joined(bytes({0x00}), counting(0x01, 0xFE)),
       joined(bytes({0x01, 0xFF}), joined(counting(0x01, 0xFE), bytes({0x01})))},
      {counting(0x01, 0xFF), joined(bytes({0xFF}), joined(counting(0x01, 0xFE), bytes({0x02, 0xFF})))},
      {joined(counting(0x02, 0xFF), bytes({0x00})),
       joined(bytes({0xFF}), joined(counting(0x02, 0xFF), bytes({0x01, 0x01})))},
      {joined(counting(0x03, 0xFF), bytes({0x00, 0x01})),
       joined(bytes({0xFE}), joined(counting(0x03, 0xFF), bytes({0x02, 0x01})))},
  };
  for (const auto& [plain, wire] : vectors) {
    EXPECT_EQ(encoded(plain), wire);
    EXPECT_EQ(decoded(wire, plain.size()), plain);
  }
}

TEST(Cobs, NothingIsOneByte) {
  EXPECT_EQ(encoded({}), bytes({0x01}));
  EXPECT_EQ(decoded(bytes({0x01}), 0), Bytes{});
}

TEST(Cobs, TheClosingGroupAfterAFullOneMayBeLeftOut) {
  // Some encoders end after 254 bytes without a zero, ours adds the empty group; both mean the same.
  const auto plain = counting(0x01, 0xFE);
  const auto with = joined(bytes({0xFF}), joined(plain, bytes({0x01})));
  auto without = with;
  without.pop_back();
  EXPECT_EQ(encoded(plain), with);
  EXPECT_EQ(decoded(with, 254), plain);
  EXPECT_EQ(decoded(without, 254), plain);
}

TEST(Cobs, EveryLengthComesBackAndHoldsNoZero) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size <= 1600; ++size) {
    const auto plain = random_bytes(random, size);
    const auto wire = encoded(plain);
    ASSERT_LE(wire.size(), cobs_bound(size));
    ASSERT_EQ(std::count(wire.begin(), wire.end(), std::byte{0}), 0);
    ASSERT_EQ(decoded(wire, size), plain);
    if (size > 0) {
      ASSERT_FALSE(decoded(wire, size - 1)) << "does not fit";
    }
  }
}

TEST(Cobs, RefusesZerosAndGroupsThatEndTooSoon) {
  for (const auto& wire : {bytes({0x00}), bytes({0x02}), bytes({0x03, 0x11}), bytes({0x02, 0x00}), bytes({0x01, 0x00}),
                           bytes({0x02, 0x11, 0x00}), bytes({0xFF, 0x01}), bytes({0x02, 0x11, 0x05})}) {
    EXPECT_FALSE(decoded(wire, 300));
  }
}

TEST(Cobs, EveryShortWireIsRefusedOrComesBack) {
  std::size_t accepted = 0;
  const auto check = [&](const Bytes& wire) {
    const auto plain = decoded(wire, wire.size());
    if (!plain) return;
    ++accepted;
    ASSERT_EQ(encoded(*plain), wire) << "short wires have one form";
  };
  for (int a = 0; a < 256; ++a) {
    check(bytes({a}));
    for (int b = 0; b < 256; ++b) check(bytes({a, b}));
  }
  // 01; 01 01, 02 xx with xx not 0.
  EXPECT_EQ(accepted, 1U + 1U + 255U);
}

TEST(Cobs, SurvivesRandomBytes) {
  std::mt19937 random(2);
  std::size_t accepted = 0;
  for (int n = 0; n < 100000; ++n) {
    const auto wire = random_bytes(random, random() % 40);
    const auto plain = decoded(wire, random() % 40);
    if (!plain) continue;
    ++accepted;
    ASSERT_EQ(decoded(encoded(*plain), plain->size()), plain);
  }
  EXPECT_GT(accepted, 0U);
}

}  // namespace
}  // namespace strigil::daq
