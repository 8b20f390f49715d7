#include "daq/codec/sensor_stream.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <utility>

#include "daq/codec/crc16.hpp"

namespace strigil::daq::sensor_stream {
namespace {

std::uint64_t get(std::span<const std::byte> in, std::size_t size) noexcept {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < size; ++i) v |= std::to_integer<std::uint64_t>(in[i]) << (8 * i);
  return v;
}

/// Writes little endian into a fixed buffer.
class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : out_(out) {}
  void number(std::uint64_t v, std::size_t size) noexcept {
    assert(at_ + size <= out_.size());
    for (std::size_t i = 0; i < size; ++i) out_[at_++] = static_cast<std::byte>(v >> (8 * i));
  }
  void real(double v) noexcept { number(std::bit_cast<std::uint64_t>(v), 8); }
  void text(std::string_view s) noexcept {
    s = s.substr(0, kMaxText);
    number(s.size(), 1);
    raw(std::as_bytes(std::span(s)));
  }
  void raw(std::span<const std::byte> bytes) noexcept {
    assert(at_ + bytes.size() <= out_.size());
    std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += bytes.size();
  }
  [[nodiscard]] std::size_t size() const noexcept { return at_; }

 private:
  std::span<std::byte> out_;
  std::size_t at_ = 0;
};

/// Reads little endian; after reading past the end, or a text that is too long or not printable ASCII, ok() is false.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> in) : in_(in) {}
  std::uint64_t number(std::size_t size) noexcept {
    if (in_.size() < size) {
      ok_ = false;
      return 0;
    }
    const auto v = get(in_, size);
    in_ = in_.subspan(size);
    return v;
  }
  std::uint8_t byte() noexcept { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t word() noexcept { return static_cast<std::uint32_t>(number(4)); }
  double real() noexcept {
    const double v = std::bit_cast<double>(number(8));
    if (!std::isfinite(v)) ok_ = false;
    return v;
  }
  std::string_view text() noexcept {
    const auto size = static_cast<std::size_t>(number(1));
    if (size > kMaxText || in_.size() < size) {
      ok_ = false;
      return {};
    }
    const std::string_view s(reinterpret_cast<const char*>(in_.data()), size);
    in_ = in_.subspan(size);
    if (!std::all_of(s.begin(), s.end(), [](char c) { return c >= ' ' && c <= '~'; })) ok_ = false;
    return s;
  }
  std::span<const std::byte> rest() noexcept { return std::exchange(in_, {}); }
  /// Everything was there and nothing is left.
  [[nodiscard]] bool complete() const noexcept { return ok_ && in_.empty(); }

 private:
  std::span<const std::byte> in_;
  bool ok_ = true;
};

struct BodyWriter {
  Writer& w;
  void operator()(const Request&) const noexcept {}
  void operator()(const Device& d) const noexcept {
    w.number(d.streams, 1);
    w.text(d.name);
    w.text(d.serial);
  }
  void operator()(const Stream& s) const noexcept {
    w.number(s.index, 1);
    w.number(s.channels, 1);
    w.real(s.rate_Hz);
    w.real(s.tick_rate_Hz);
    w.number(static_cast<std::uint32_t>(s.counts_min), 4);
    w.number(static_cast<std::uint32_t>(s.counts_max), 4);
    w.text(s.name);
    w.text(s.quantity);
  }
  void operator()(const Channel& c) const noexcept {
    w.number(c.stream, 1);
    w.number(c.channel, 1);
    w.real(c.scale);
    w.real(c.offset);
    w.text(c.name);
    w.text(c.unit);
  }
  void operator()(const Data& d) const noexcept {
    assert(d.counts.size() == std::size_t{4} * d.samples * d.channels && d.counts.size() <= 4 * kMaxBlockValues);
    w.number(d.stream, 1);
    w.number(d.fault ? 1 : 0, 1);
    w.number(d.channels, 1);
    w.number(d.samples, 1);
    w.number(d.ticks, 4);
    w.number(d.first_sample, 4);
    w.raw(d.counts);
  }
  void operator()(const Status& s) const noexcept {
    w.number(s.code, 1);
    w.text(s.text);
  }
};

struct TypeOf {
  Type operator()(const Request& r) const noexcept { return r.type; }
  Type operator()(const Device&) const noexcept { return Type::kDevice; }
  Type operator()(const Stream&) const noexcept { return Type::kStream; }
  Type operator()(const Channel&) const noexcept { return Type::kChannel; }
  Type operator()(const Data&) const noexcept { return Type::kData; }
  Type operator()(const Status&) const noexcept { return Type::kStatus; }
};

std::optional<Body> read_stream(Reader& r) noexcept {
  Stream s;
  s.index = r.byte();
  s.channels = r.byte();
  s.rate_Hz = r.real();
  s.tick_rate_Hz = r.real();
  s.counts_min = static_cast<std::int32_t>(r.word());
  s.counts_max = static_cast<std::int32_t>(r.word());
  s.name = r.text();
  s.quantity = r.text();
  const bool bounded = s.index < kMaxStreams && s.channels >= 1 && s.channels <= kMaxChannels &&
                       s.rate_Hz >= kLeastRate_Hz && s.rate_Hz <= kMostRate_Hz && s.tick_rate_Hz >= kLeastTickRate_Hz &&
                       s.tick_rate_Hz <= kMostTickRate_Hz && s.counts_min < s.counts_max;
  if (!bounded) return std::nullopt;
  return s;
}

std::optional<Body> read_data(Reader& r) noexcept {
  Data d;
  d.stream = r.byte();
  d.fault = (r.byte() & 1U) != 0;
  d.channels = r.byte();
  d.samples = r.byte();
  d.ticks = r.word();
  d.first_sample = r.word();
  d.counts = r.rest();
  const std::size_t values = std::size_t{d.samples} * d.channels;
  const bool bounded = d.stream < kMaxStreams && d.channels >= 1 && d.channels <= kMaxChannels && d.samples >= 1 &&
                       d.samples <= kMaxBlockSamples && values <= kMaxBlockValues && d.counts.size() == 4 * values;
  if (!bounded) return std::nullopt;
  return d;
}

std::optional<Body> read_body(Type type, Reader& r) noexcept {
  switch (type) {
    case Type::kDescribe:
    case Type::kStart:
    case Type::kStop:
      return Request{type};
    case Type::kDevice: {
      Device d;
      d.streams = r.byte();
      d.name = r.text();
      d.serial = r.text();
      if (d.streams < 1 || d.streams > kMaxStreams) return std::nullopt;
      return d;
    }
    case Type::kStream:
      return read_stream(r);
    case Type::kChannel: {
      Channel c;
      c.stream = r.byte();
      c.channel = r.byte();
      c.scale = r.real();
      c.offset = r.real();
      c.name = r.text();
      c.unit = r.text();
      if (c.stream >= kMaxStreams || c.channel >= kMaxChannels || c.scale == 0) return std::nullopt;
      return c;
    }
    case Type::kData:
      return read_data(r);
    case Type::kStatus: {
      Status s;
      s.code = r.byte();
      s.text = r.text();
      return s;
    }
  }
  return std::nullopt;
}

}  // namespace

std::int32_t Data::count_at(std::size_t i) const noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(get(counts.subspan(4 * i), 4)));
}

void encode(const Packet& packet, Frame& frame) noexcept {
  std::array<std::byte, kMaxPacket> plain;
  Writer w(plain);
  w.number(kVersion, 1);
  w.number(static_cast<std::uint8_t>(std::visit(TypeOf{}, packet.body)), 1);
  w.number(packet.device, 4);
  std::visit(BodyWriter{w}, packet.body);
  w.number(crc16(std::span(plain).first(w.size())), kCrcSize);
  frame.size = cobs_encode(std::span(plain).first(w.size()), frame.bytes);
  frame.bytes[frame.size++] = std::byte{0};
}

std::optional<Packet> decode(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < kHeaderSize + kCrcSize || bytes.size() > kMaxPacket) return std::nullopt;
  const auto checked = bytes.first(bytes.size() - kCrcSize);
  if (crc16(checked) != get(bytes.last(kCrcSize), kCrcSize)) return std::nullopt;
  Reader r(checked);
  if (r.byte() != kVersion) return std::nullopt;
  const auto type = static_cast<Type>(r.byte());
  const auto device = r.word();
  auto body = read_body(type, r);
  if (!body || !r.complete()) return std::nullopt;
  return Packet{device, *body};
}

std::optional<Packet> Unframer::next(std::span<const std::byte>& bytes) noexcept {
  while (!bytes.empty()) {
    const auto b = bytes.front();
    bytes = bytes.subspan(1);
    if (b != std::byte{0}) {
      if (size_ == frame_.size()) {
        overlong_ = true;
      } else {
        frame_[size_++] = b;
      }
      continue;
    }
    const auto frame = std::span<const std::byte>(frame_).first(size_);
    const bool whole = !overlong_;
    size_ = 0;
    overlong_ = false;
    if (frame.empty()) continue;  // delimiters may be doubled: a sender flushes garbage with one
    if (whole) {
      if (const auto size = cobs_decode(frame, packet_)) {
        if (auto packet = decode(std::span<const std::byte>(packet_).first(*size))) return packet;
      }
    }
    ++rejected_;
  }
  return std::nullopt;
}

}  // namespace strigil::daq::sensor_stream
