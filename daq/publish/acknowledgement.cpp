#include "daq/publish/acknowledgement.hpp"

#include <fmt/format.h>

#include <charconv>

#include "daq/stream.hpp"

namespace strigil::daq {
namespace {

constexpr std::size_t kTagDigits = 8;

/// Up to the next `end`, which is taken too; the rest when there is none.
std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

template <typename T>
std::optional<T> whole(std::string_view text, int base = 10) {
  T value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

bool valid_subscriber_name(const std::string& name) {
  return name.size() <= kMaxSubscriberName && valid_stream_name(name);
}

std::string encode(const Acknowledgement& a) {
  auto out = fmt::format("{}{}", kAcknowledgementRoot, a.name);
  if (!a.heartbeat) return out;
  out += fmt::format("/{:08x}/{}/", a.run_tag, *a.heartbeat);
  const char* comma = "";
  for (const auto& [stream, samples] : a.samples) {
    const auto entry = fmt::format("{}{}={}", comma, stream, samples);
    // The publisher would close the connection of who sends more than it takes.
    if (out.size() + entry.size() > kMaxAcknowledgement) break;
    out += entry;
    comma = ",";
  }
  return out;
}

std::optional<Acknowledgement> decode_acknowledgement(std::string_view topic) {
  if (topic.size() > kMaxAcknowledgement || !topic.starts_with(kAcknowledgementRoot)) return std::nullopt;
  topic.remove_prefix(kAcknowledgementRoot.size());
  Acknowledgement a;
  const bool only_name = topic.find('/') == std::string_view::npos;
  a.name = take_until(topic, '/');
  if (!valid_subscriber_name(a.name)) return std::nullopt;
  if (only_name) return a;
  const auto tag_text = take_until(topic, '/');
  const auto tag = whole<std::uint32_t>(tag_text, 16);
  const auto heartbeat = whole<std::uint64_t>(take_until(topic, '/'));
  if (tag_text.size() != kTagDigits || !tag || !heartbeat) return std::nullopt;
  a.run_tag = *tag;
  a.heartbeat = *heartbeat;
  while (!topic.empty()) {
    auto entry = take_until(topic, ',');
    const std::string stream(take_until(entry, '='));
    const auto samples = whole<std::uint64_t>(entry);
    if (!valid_stream_name(stream) || !samples) return std::nullopt;
    a.samples.emplace_back(stream, *samples);
  }
  return a;
}

}  // namespace strigil::daq
