#include "daq/publish/message.hpp"

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::daq {
namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "the wire is little-endian and so are we: bytes are copied");

template <typename T, std::size_t N>
void put(std::array<std::byte, N>& bytes, std::size_t at, T value) noexcept {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

Json totals_json(const std::vector<StreamTotals>& streams) {
  Json out = Json::array();
  for (const auto& s : streams) {
    out.push_back({{"id", s.id}, {"stream", s.stream}, {"blocks", s.blocks}, {"samples", s.samples}});
  }
  return out;
}

std::string text(const Json& json) { return daq::json_text(json); }

template <std::size_t N>
std::string as_part(const std::array<std::byte, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

MessageParts encode_text(MessageKind kind, const MessageHead& head, std::string json, std::string_view stream = {}) {
  return {topic_of(kind, stream), as_part(encode_header(kind, head.run_tag, head.sequence)), std::move(json)};
}

struct Encoder {
  MessageParts operator()(const BlockMessage& m) const {
    const auto bytes = m.block.value_count() * sizeof(std::int32_t);
    return {topic_of(MessageKind::kBlock, m.stream),
            as_part(encode_block_header(m.block, m.head.run_tag, m.head.sequence)),
            std::string(reinterpret_cast<const char*>(m.block.counts.data()), bytes),
            std::string(reinterpret_cast<const char*>(m.block.values.data()), bytes)};
  }
  MessageParts operator()(const StreamMessage& m) const {
    return encode_text(MessageKind::kStream, m.head, to_json(m.description), m.description.name);
  }
  MessageParts operator()(const EventMessage& m) const {
    return encode_text(MessageKind::kEvent, m.head, published_json(m.event));
  }
  MessageParts operator()(const HeartbeatMessage& m) const {
    return encode_text(MessageKind::kHeartbeat, m.head, published_json(m));
  }
  MessageParts operator()(const EndMessage& m) const {
    return encode_text(MessageKind::kEnd, m.head, published_json(m));
  }
  MessageParts operator()(const DocumentMessage& m) const { return encode_text(m.kind, m.head, m.json, m.stream); }
};

}  // namespace

std::uint32_t run_tag_of(std::string_view run_id) noexcept {
  std::uint32_t hash = 2166136261U;
  for (const char c : run_id) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return hash;
}

std::string topic_of(MessageKind kind, std::string_view stream) {
  std::string topic(kTopicRoot);
  switch (kind) {
    case MessageKind::kBlock:
      return topic.append("block/").append(stream);
    case MessageKind::kStream:
      return topic.append("stream/").append(stream);
    case MessageKind::kEvent:
      return topic.append("event");
    case MessageKind::kHeartbeat:
      return topic.append("heartbeat");
    case MessageKind::kEnd:
      return topic.append("end");
    case MessageKind::kProfile:
      return topic.append("profile/").append(stream);
    case MessageKind::kLedger:
      return topic.append("ledger");
  }
  assert(false);
  return topic;
}

std::array<std::byte, kMessageHeaderBytes> encode_header(MessageKind kind, std::uint32_t run_tag,
                                                         std::uint64_t sequence) noexcept {
  std::array<std::byte, kMessageHeaderBytes> out{};
  put(out, 0, kPublicationVersion);
  put(out, 2, static_cast<std::uint16_t>(kind));
  put(out, 4, run_tag);
  put(out, 8, sequence);
  return out;
}

std::array<std::byte, kBlockHeaderBytes> encode_block_header(const Block& block, std::uint32_t run_tag,
                                                             std::uint64_t sequence) noexcept {
  assert(block.channels > 0 && block.samples > 0 && block.value_count() <= kMaxBlockValues);
  std::array<std::byte, kBlockHeaderBytes> out{};
  const auto head = encode_header(MessageKind::kBlock, run_tag, sequence);
  std::memcpy(out.data(), head.data(), head.size());
  put(out, 16, block.stream);
  put(out, 18, block.channels);
  put(out, 20, block.samples);
  put(out, 22, std::uint16_t{0});
  put(out, 24, block.flags);
  put(out, 28, block.gap);
  put(out, 32, block.first_sample);
  put(out, 40, block.ticks.count);
  put(out, 48, block.received.ns);
  put(out, 56, block.t0.ns);
  put(out, 64, std::int64_t{block.bound.count()});
  put(out, 72, block.period_ns);
  return out;
}

std::string published_json(const Event& event) {
  Json arguments = Json::array();
  for (const double a : event.arguments) arguments.push_back(std::isfinite(a) ? Json(a) : Json(nullptr));
  const std::string_view whole(event.detail.data(), event.detail.size());
  return text({{"at_ns", event.at.ns},
               {"code", static_cast<std::uint16_t>(event.code)},
               {"name", name_of(event.code)},
               {"severity", name_of(event.severity)},
               {"source", event.source},
               {"arguments", arguments},
               {"detail", whole.substr(0, whole.find('\0'))}});
}

std::string published_json(const HeartbeatMessage& heartbeat) {
  Json subscribers = Json::array();
  for (const auto& s : heartbeat.subscribers) {
    subscribers.push_back(
        {{"name", s.name}, {"alive", s.alive}, {"behind_s", s.behind_s}, {"received", s.received}, {"lost", s.lost}});
  }
  return text({{"run", heartbeat.run},
               {"sequence", heartbeat.head.sequence},
               {"host_ns", heartbeat.at.ns},
               {"state", heartbeat.state},
               {"streams", totals_json(heartbeat.streams)},
               {"subscribers", subscribers}});
}

std::string published_json(const EndMessage& end) {
  // The caller's own text is never lost: what is not a JSON object is carried as a string and seen as such.
  auto result = daq::parse_ordered_json(end.result);
  if (result.is_discarded()) result = end.result;
  return text({{"run", end.run},
               {"host_ns", end.at.ns},
               {"streams", totals_json(end.streams)},
               {"events", end.events},
               {"drops",
                {{"ring_blocks", end.drops.ring_blocks},
                 {"ring_events", end.drops.ring_events},
                 {"send", end.drops.send},
                 {"unknown_streams", end.drops.unknown_streams}}},
               {"result", result}});
}

MessageParts encode_message(const Message& message) { return std::visit(Encoder{}, message); }

const MessageHead& head_of(const Message& message) {
  return std::visit([](const auto& m) -> const MessageHead& { return m.head; }, message);
}

}  // namespace strigil::daq
