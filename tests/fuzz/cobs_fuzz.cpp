// libFuzzer target for COBS. The input is taken both as bytes to encode and as bytes to decode.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "daq/codec/cobs.hpp"

namespace {

using Bytes = std::vector<std::byte>;

Bytes encoded(std::span<const std::byte> plain) {
  Bytes out(strigil::daq::cobs_bound(plain.size()));
  out.resize(strigil::daq::cobs_encode(plain, out));
  return out;
}

void require(bool held) {
  if (!held) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto wire = encoded(bytes);
  require(std::find(wire.begin(), wire.end(), std::byte{0}) == wire.end());
  Bytes plain(size);  // exactly the room it needs: ASan sees a byte more
  require(strigil::daq::cobs_decode(wire, plain) == size);
  require(std::equal(plain.begin(), plain.end(), bytes.begin()));

  Bytes decoded(size);
  const auto n = strigil::daq::cobs_decode(bytes, decoded);
  if (!n) return 0;
  require(*n <= size);
  decoded.resize(*n);
  // The same again, but for the empty group that an encoder may leave out at the end.
  auto again = encoded(decoded);
  if (again.size() == size + 1 && again.back() == std::byte{1}) again.pop_back();
  require(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  if (*n > 0) {
    Bytes short_of_one(*n - 1);
    require(!strigil::daq::cobs_decode(bytes, short_of_one));
  }
  return 0;
}
