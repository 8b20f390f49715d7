// The hostile half of message.hpp: nothing is believed before it is checked.
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"
#include "daq/publish/message.hpp"

namespace strigil::daq {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxStreams = 1024;
constexpr std::size_t kMaxName = 256;

Error refused(const std::string& what) {
  return {
      fmt::format("Publication message refused: {}. Check that the publisher speaks version {} (docs/publication.md).",
                  what, kPublicationVersion)};
}

template <typename T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

/// Reads fields of one JSON object; keeps the first complaint, so that a reader checks once at the end.
class Fields {
 public:
  Fields(const Json& json, std::string& complaint) : json_(json), complaint_(complaint) {
    if (!json_.is_object()) complain("not a JSON object");
  }
  std::uint64_t whole(const char* key, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    const Json* field = find(key);
    if (field == nullptr) return 0;
    if (!field->is_number_unsigned() || field->get<std::uint64_t>() > most) {
      complain(fmt::format("\"{}\" is not a whole number in range", key));
      return 0;
    }
    return field->get<std::uint64_t>();
  }
  std::int64_t integer(const char* key, std::int64_t low, std::int64_t high) {
    const Json* field = find(key);
    if (field == nullptr) return 0;
    // An unsigned above 2^63 would wrap when read as signed: refused here.
    const bool fits = field->is_number_integer() &&
                      !(field->is_number_unsigned() &&
                        field->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    if (!fits || field->get<std::int64_t>() < low || field->get<std::int64_t>() > high) {
      complain(fmt::format("\"{}\" is not an integer in range", key));
      return 0;
    }
    return field->get<std::int64_t>();
  }
  HostTime host_time(const char* key) {
    return {integer(key, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max())};
  }
  bool boolean(const char* key) {
    const Json* field = find(key);
    if (field == nullptr) return false;
    if (!field->is_boolean()) complain(fmt::format("\"{}\" is neither true nor false", key));
    return field->is_boolean() && field->get<bool>();
  }
  double number(const char* key) {
    const Json* field = find(key);
    if (field == nullptr) return 0;
    if (!field->is_number() || !std::isfinite(field->get<double>())) {
      complain(fmt::format("\"{}\" is not a finite number", key));
      return 0;
    }
    return field->get<double>();
  }
  std::string text(const char* key, std::size_t most = kMaxName) {
    const Json* field = find(key);
    if (field == nullptr) return {};
    if (!field->is_string() || field->get_ref<const std::string&>().size() > most) {
      complain(fmt::format("\"{}\" is not a text of at most {} bytes", key, most));
      return {};
    }
    return field->get<std::string>();
  }
  /// An array of at most `most` elements, or an empty one after a complaint.
  const Json& array(const char* key, std::size_t most) {
    static const Json empty = Json::array();
    const Json* field = find(key);
    if (field == nullptr) return empty;
    if (!field->is_array() || field->size() > most) {
      complain(fmt::format("\"{}\" is not a list of at most {}", key, most));
      return empty;
    }
    return *field;
  }
  const Json* find(const char* key) {
    if (!json_.is_object()) return nullptr;
    const auto it = json_.find(key);
    if (it != json_.end()) return &*it;
    complain(fmt::format("\"{}\" is missing", key));
    return nullptr;
  }
  void complain(const std::string& what) {
    if (complaint_.empty()) complaint_ = what;
  }

 private:
  const Json& json_;
  std::string& complaint_;
};

StreamDescription read_description(const Json& json, std::string& complaint) {
  StreamDescription out;
  Fields f(json, complaint);
  out.id = static_cast<StreamId>(f.whole("id", std::numeric_limits<StreamId>::max()));
  out.name = f.text("name");
  out.device = f.text("device");
  out.quantity = f.text("quantity");
  out.rate_Hz = f.number("rate_Hz");
  out.tick_rate_Hz = f.number("tick_rate_Hz");
  if (out.rate_Hz < 0 || out.tick_rate_Hz < 0) f.complain("a negative rate");
  using Limits = std::numeric_limits<std::int32_t>;
  out.counts_min = static_cast<std::int32_t>(f.integer("counts_min", Limits::min(), Limits::max()));
  out.counts_max = static_cast<std::int32_t>(f.integer("counts_max", Limits::min(), Limits::max()));
  for (const auto& channel : f.array("channels", kMaxChannels)) {
    Fields c(channel, complaint);
    out.channels.push_back({c.text("name"), c.text("unit"), c.number("scale"), c.number("offset")});
  }
  if (out.channels.empty()) f.complain("a stream without channels");
  return out;
}

Event read_event(const Json& json, std::string& complaint) {
  Event out;
  Fields f(json, complaint);
  out.at = f.host_time("at_ns");
  out.code = static_cast<EventCode>(f.whole("code", std::numeric_limits<std::uint16_t>::max()));
  out.source = static_cast<std::uint16_t>(f.whole("source", std::numeric_limits<std::uint16_t>::max()));
  const auto severity = f.text("severity");
  bool known = false;
  for (const auto s : {Severity::kInfo, Severity::kWarning, Severity::kFault}) {
    if (severity != name_of(s)) continue;
    out.severity = s;
    known = true;
  }
  if (!known) f.complain("\"severity\" is none of info, warning, fault");
  const auto& arguments = f.array("arguments", out.arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].is_null()) {
      out.arguments[i] = std::numeric_limits<double>::quiet_NaN();
    } else if (arguments[i].is_number()) {
      out.arguments[i] = arguments[i].get<double>();
    } else {
      f.complain("an argument that is neither a number nor null");
    }
  }
  set_detail(out, f.text("detail"));  // replaced bytes may have made it longer than a detail: cut again
  return out;
}

std::vector<StreamTotals> read_totals(Fields& fields, std::string& complaint) {
  std::vector<StreamTotals> out;
  for (const auto& total : fields.array("streams", kMaxStreams)) {
    Fields f(total, complaint);
    out.push_back({static_cast<StreamId>(f.whole("id", std::numeric_limits<StreamId>::max())), f.text("stream"),
                   f.whole("blocks"), f.whole("samples")});
    if (!valid_stream_name(out.back().stream)) f.complain("an invalid stream name in the totals");
  }
  return out;
}

HeartbeatMessage read_heartbeat(MessageHead head, const Json& json, std::string& complaint) {
  Fields f(json, complaint);
  HeartbeatMessage out{std::move(head), f.text("run"), f.text("state"), f.host_time("host_ns"), {}};
  out.streams = read_totals(f, complaint);
  for (const auto& subscriber : f.array("subscribers", kMaxStreams)) {
    Fields s(subscriber, complaint);
    out.subscribers.push_back(
        {s.text("name"), s.boolean("alive"), s.number("behind_s"), s.whole("received"), s.whole("lost")});
    if (!valid_stream_name(out.subscribers.back().name)) f.complain("an invalid name of a subscriber");
  }
  return out;
}

EndMessage read_end(MessageHead head, const Json& json, std::string& complaint) {
  Fields f(json, complaint);
  EndMessage out;
  out.head = std::move(head);
  out.run = f.text("run");
  out.at = f.host_time("host_ns");
  out.streams = read_totals(f, complaint);
  out.events = f.whole("events");
  if (const Json* drops = f.find("drops")) {
    Fields d(*drops, complaint);
    out.drops = {d.whole("ring_blocks"), d.whole("ring_events"), d.whole("send"), d.whole("unknown_streams")};
  }
  if (const Json* result = f.find("result")) out.result = result->dump(-1, ' ', false, Json::error_handler_t::replace);
  return out;
}

Result<Message> decode_block(MessageHead head, std::string stream, std::span<const std::string_view> parts) {
  if (parts.size() != 4) return refused(fmt::format("a block of {} parts instead of 4", parts.size()));
  const auto bytes = parts[1];
  if (bytes.size() != kBlockHeaderBytes) {
    return refused(fmt::format("a block header of {} bytes instead of {}", bytes.size(), kBlockHeaderBytes));
  }
  BlockMessage out{std::move(head), std::move(stream), {}};
  Block& b = out.block;
  b.stream = get<std::uint16_t>(bytes, 16);
  b.channels = get<std::uint16_t>(bytes, 18);
  b.samples = get<std::uint16_t>(bytes, 20);
  b.flags = get<std::uint32_t>(bytes, 24);
  b.gap = get<std::uint32_t>(bytes, 28);
  b.first_sample = get<std::uint64_t>(bytes, 32);
  b.ticks = {get<std::uint64_t>(bytes, 40)};
  b.received = {get<std::int64_t>(bytes, 48)};
  b.t0 = {get<std::int64_t>(bytes, 56)};
  b.bound = Duration{get<std::int64_t>(bytes, 64)};
  b.period_ns = get<double>(bytes, 72);
  if (b.channels < 1 || b.channels > kMaxChannels || b.samples < 1 || b.samples > kMaxBlockSamples ||
      b.value_count() > kMaxBlockValues) {
    return refused(fmt::format("a block of {} samples of {} channels", b.samples, b.channels));
  }
  if (get<std::uint16_t>(bytes, 22) != 0) return refused("a reserved field that is not 0");
  if (b.bound < Duration::zero()) return refused("a bound below zero");
  if (!std::isfinite(b.period_ns) || b.period_ns < 0) return refused("a sample period that is no period");
  const auto expected = b.value_count() * sizeof(std::int32_t);
  if (parts[2].size() != expected || parts[3].size() != expected) {
    return refused(fmt::format("counts of {} and values of {} bytes where the header promises {}", parts[2].size(),
                               parts[3].size(), expected));
  }
  std::memcpy(b.counts.data(), parts[2].data(), expected);
  std::memcpy(b.values.data(), parts[3].data(), expected);
  return Message(std::move(out));
}

Result<Message> decode_text(MessageKind kind, MessageHead head, const std::string& stream,
                            std::span<const std::string_view> parts) {
  if (parts.size() != 3) return refused(fmt::format("{} parts instead of 3", parts.size()));
  if (parts[1].size() != kMessageHeaderBytes) return refused("a header of a wrong size");
  if (parts[2].size() > kMaxTextBytes) return refused(fmt::format("a text of {} bytes", parts[2].size()));
  if (nests_too_deep(parts[2])) return refused("a text that nests too deep");
  const auto json = parse_json(parts[2]);
  if (json.is_discarded()) return refused("a text that is not JSON");
  std::string complaint;
  std::optional<Message> out;
  if (kind == MessageKind::kStream) {
    StreamMessage message{std::move(head), read_description(json, complaint)};
    if (complaint.empty() && message.description.name != stream)
      complaint = "a description under another stream's topic";
    out = std::move(message);
  } else if (kind == MessageKind::kEvent) {
    out = EventMessage{std::move(head), read_event(json, complaint)};
  } else if (kind == MessageKind::kHeartbeat) {
    out = read_heartbeat(std::move(head), json, complaint);
  } else if (kind == MessageKind::kProfile || kind == MessageKind::kLedger) {
    if (!json.is_object()) complaint = "a document that is not a JSON object";
    out = DocumentMessage{std::move(head), kind, stream, std::string(parts[2])};
  } else {
    out = read_end(std::move(head), json, complaint);
  }
  if (!complaint.empty()) return refused(complaint);
  return *std::move(out);
}

struct Topic {
  MessageKind kind;
  std::string stream;
};

std::optional<Topic> read_topic(std::string_view topic) {
  for (const auto kind : {MessageKind::kEvent, MessageKind::kHeartbeat, MessageKind::kEnd, MessageKind::kLedger}) {
    if (topic == topic_of(kind)) return Topic{kind, {}};
  }
  for (const auto kind : {MessageKind::kBlock, MessageKind::kStream, MessageKind::kProfile}) {
    const auto prefix = topic_of(kind);
    if (!topic.starts_with(prefix)) continue;
    std::string stream(topic.substr(prefix.size()));
    if (valid_stream_name(stream)) return Topic{kind, std::move(stream)};
  }
  return std::nullopt;
}

}  // namespace

Result<Message> decode_message(std::span<const std::string_view> parts) {
  if (parts.size() < 2) return refused("fewer than 2 parts");
  auto topic = read_topic(parts[0]);
  if (!topic) return refused("an unknown topic");
  if (parts[1].size() < kMessageHeaderBytes) return refused("a header that is too short");
  if (const auto version = get<std::uint16_t>(parts[1], 0); version != kPublicationVersion) {
    return refused(fmt::format("version {}", version));
  }
  if (get<std::uint16_t>(parts[1], 2) != static_cast<std::uint16_t>(topic->kind)) {
    return refused("a kind that contradicts the topic");
  }
  MessageHead head{std::string(parts[0]), get<std::uint32_t>(parts[1], 4), get<std::uint64_t>(parts[1], 8)};
  if (topic->kind == MessageKind::kBlock) return decode_block(std::move(head), std::move(topic->stream), parts);
  return decode_text(topic->kind, std::move(head), topic->stream, parts);
}

Result<Message> decode_message(const MessageParts& parts) {
  const std::vector<std::string_view> views(parts.begin(), parts.end());
  return decode_message(std::span<const std::string_view>(views));
}

}  // namespace strigil::daq
