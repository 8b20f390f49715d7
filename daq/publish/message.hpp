// What goes over ZeroMQ, to the byte: docs/publication.md, version 1. Pure functions, any thread; no ZeroMQ here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daq/block.hpp"
#include "daq/event.hpp"
#include "daq/result.hpp"
#include "daq/stream.hpp"

namespace strigil::daq {

inline constexpr std::uint16_t kPublicationVersion = 1;
inline constexpr std::string_view kTopicRoot = "strigil/1/";  ///< subscribe to this for everything
inline constexpr std::size_t kMessageHeaderBytes = 16;        ///< first bytes of every header
inline constexpr std::size_t kBlockHeaderBytes = 80;          ///< header of a block message
inline constexpr std::size_t kMaxTextBytes = 65536;           ///< a longer JSON part is refused

enum class MessageKind : std::uint16_t {
  kBlock = 1,
  kStream = 2,
  kEvent = 3,
  kHeartbeat = 4,
  kEnd = 5,
  kProfile = 6,  ///< one channel over one pass of the stage
  kLedger = 7,   ///< what every hop has counted
};

/// What every message carries. `sequence` counts the messages of one topic from 0, so that a loss is seen.
struct MessageHead {
  std::string topic;
  std::uint32_t run_tag = 0;  ///< run_tag_of(run id); another value is another run and starts all sequences again
  std::uint64_t sequence = 0;
};

/// What the publisher sent of one stream, up to now or in all.
struct StreamTotals {
  StreamId id = 0;
  std::string stream;
  std::uint64_t blocks = 0;   ///< block messages handed to ZeroMQ
  std::uint64_t samples = 0;  ///< samples in them
};

/// What never left the publisher. What ZeroMQ dropped for one slow subscriber only that subscriber can know
/// (sequences).
struct PublishDrops {
  std::uint64_t ring_blocks = 0;      ///< blocks the publisher's ring refused because it was full
  std::uint64_t ring_events = 0;      ///< events, likewise
  std::uint64_t send = 0;             ///< messages ZeroMQ refused (its sequence number is skipped)
  std::uint64_t unknown_streams = 0;  ///< blocks of a stream that was never described
};

struct BlockMessage {
  MessageHead head;
  std::string stream;  ///< from the topic
  Block block;
};
struct StreamMessage {
  MessageHead head;
  StreamDescription description;
};
struct EventMessage {
  MessageHead head;
  Event event;
};
/// One named subscriber, as told in heartbeats (subscriber_book.hpp).
struct SubscriberStatus {
  std::string name;
  bool alive = false;
  double behind_s = 0;
  std::uint64_t received = 0;  ///< samples of all its streams
  std::uint64_t lost = 0;
};
struct HeartbeatMessage {
  MessageHead head;
  std::string run;    ///< run id
  std::string state;  ///< supervisor's state in words, or what the publisher was told
  HostTime at;
  std::vector<StreamTotals> streams;
  std::vector<SubscriberStatus> subscribers = {};
};
/// The ledger of a whole run; nothing of this run follows it.
struct EndMessage {
  MessageHead head;
  std::string run;
  HostTime at;
  std::vector<StreamTotals> streams;
  std::uint64_t events = 0;  ///< event messages sent
  PublishDrops drops;
  std::string result = "{}";  ///< JSON object the run ended with (verdict and the like)
};
/// kProfile or kLedger: a JSON object that the publisher was given and passes on as it is.
struct DocumentMessage {
  MessageHead head;
  MessageKind kind = MessageKind::kLedger;
  std::string stream;  ///< of a profile, from the topic
  std::string json = "{}";
};
using Message = std::variant<BlockMessage, StreamMessage, EventMessage, HeartbeatMessage, EndMessage, DocumentMessage>;
/// One ZeroMQ multipart message: [topic, header, counts, values] or [topic, header, JSON].
using MessageParts = std::vector<std::string>;

/// FNV-1a, 32 bits, of the run id.
std::uint32_t run_tag_of(std::string_view run_id) noexcept;
/// "strigil/1/block/<stream>", "strigil/1/stream/<stream>", "strigil/1/event", and so on.
std::string topic_of(MessageKind kind, std::string_view stream = {});

/// The first 16 bytes, all there is in the header of a JSON message.
std::array<std::byte, kMessageHeaderBytes> encode_header(MessageKind kind, std::uint32_t run_tag,
                                                         std::uint64_t sequence) noexcept;
/// The header of a block message. Preconditions: those of Block. No allocation.
std::array<std::byte, kBlockHeaderBytes> encode_block_header(const Block& block, std::uint32_t run_tag,
                                                             std::uint64_t sequence) noexcept;
/// The JSON parts. Text from devices that is not UTF-8 is replaced by U+FFFD; NaN and infinity are null.
std::string published_json(const Event& event);
std::string published_json(const HeartbeatMessage& heartbeat);
std::string published_json(const EndMessage& end);

/// The whole message as it goes over the wire (head.topic is set from the content, not read).
MessageParts encode_message(const Message& message);
/// The reverse. Hostile input: every length, range, name and number is checked; an Error says which was wrong.
Result<Message> decode_message(std::span<const std::string_view> parts);
Result<Message> decode_message(const MessageParts& parts);
/// The head of any message.
const MessageHead& head_of(const Message& message);

}  // namespace strigil::daq
