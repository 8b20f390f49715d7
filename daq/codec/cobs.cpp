#include "daq/codec/cobs.hpp"

namespace strigil::daq {

std::size_t cobs_encode(std::span<const std::byte> in, std::span<std::byte> out) noexcept {
  constexpr unsigned kLongestRun = 0xFF;
  std::size_t code_at = 0;
  std::size_t at = 1;
  unsigned code = 1;
  for (const auto b : in) {
    if (b != std::byte{0}) {
      out[at++] = b;
      if (++code != kLongestRun) continue;
    }
    out[code_at] = static_cast<std::byte>(code);
    code_at = at++;
    code = 1;
  }
  out[code_at] = static_cast<std::byte>(code);
  return at;
}

std::optional<std::size_t> cobs_decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept {
  constexpr unsigned kLongestRun = 0xFF;
  std::size_t at = 0;
  for (std::size_t i = 0; i < in.size();) {
    const auto code = std::to_integer<unsigned>(in[i++]);
    if (code == 0 || i + code - 1 > in.size() || at + code - 1 > out.size()) return std::nullopt;
    for (unsigned n = 1; n < code; ++n) {
      if (in[i] == std::byte{0}) return std::nullopt;
      out[at++] = in[i++];
    }
    if (code != kLongestRun && i < in.size()) {
      if (at == out.size()) return std::nullopt;
      out[at++] = std::byte{0};
    }
  }
  return at;
}

}  // namespace strigil::daq
