#include "daq/publish/subscriber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <zmq.hpp>

#include "daq/publish/acknowledgement.hpp"

namespace strigil::daq {
namespace {

constexpr std::int64_t kMaxPartBytes = 1 << 20;
constexpr std::size_t kMaxParts = 8;      // ours have 3 or 4
constexpr std::size_t kMaxTopics = 2048;  // a hostile publisher must not make the ledger grow without end

std::string_view view(const zmq::message_t& part) { return {part.data<char>(), part.size()}; }

}  // namespace

class Subscriber::Impl {
 public:
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::sub};
  std::map<std::string, TopicLedger> ledgers;
  std::uint64_t malformed = 0;
  std::uint32_t run_tag = 0;
  std::vector<std::string> topics;
  Acknowledgement acknowledgement;  ///< the newest that was made

  Result<std::optional<Message>> receive(Duration timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {  // zmq_poll may end early; a signal must not look like a timeout
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
      const int ready = zmq_poll(&item, 1, std::max<long>(0, left.count()));
      if (ready > 0) break;
      if (ready < 0 && zmq_errno() != EINTR) return Error{fmt::format("Subscriber: {}", zmq_strerror(zmq_errno()))};
      if (std::chrono::steady_clock::now() >= deadline) return std::optional<Message>();
    }
    std::array<zmq::message_t, kMaxParts> parts;
    std::array<std::string_view, kMaxParts> views;
    std::size_t count = 0;
    bool more = true;
    bool too_many = false;
    while (more) {
      zmq::message_t excess;
      zmq::message_t& part = count < kMaxParts ? parts[count] : excess;
      // The rest of a multipart message is there once its first part is: this does not wait.
      if (!socket.recv(part, zmq::recv_flags::dontwait)) break;
      more = part.more();
      if (count == kMaxParts) {
        too_many = true;
        continue;
      }
      views[count] = view(part);
      ++count;
    }
    if (count == 0) return std::optional<Message>();
    auto message = too_many ? Result<Message>(Error{"Publication message refused: too many parts."})
                            : decode_message(std::span(views.data(), count));
    if (!message) {
      ++malformed;
      return message.error();
    }
    if (!account(*message)) {
      ++malformed;
      return Error{"Publication message refused: more topics than any run has."};
    }
    if (std::holds_alternative<EndMessage>(*message)) acknowledge_end();
    if (const auto* heartbeat = std::get_if<HeartbeatMessage>(&*message)) acknowledge(*heartbeat);
    return std::optional<Message>(std::move(message).value());
  }

  /// Subscribes to what it has got so far, and then takes back what it said before: it is never unknown in between.
  /// Of every stream that it asked for: who has got nothing of one must say so, or its loss would not be seen.
  void acknowledge(const HeartbeatMessage& heartbeat) {
    if (acknowledgement.name.empty()) return;
    Acknowledgement now{acknowledgement.name, heartbeat.head.run_tag, heartbeat.head.sequence, {}};
    for (const auto& s : heartbeat.streams) {
      const auto topic = topic_of(MessageKind::kBlock, s.stream);
      const bool wanted =
          std::any_of(topics.begin(), topics.end(), [&](const auto& t) { return topic.starts_with(t); });
      const auto ledger = ledgers.find(topic);
      if (wanted) now.samples.emplace_back(s.stream, ledger == ledgers.end() ? 0 : ledger->second.samples);
    }
    socket.set(zmq::sockopt::subscribe, encode(now));
    socket.set(zmq::sockopt::unsubscribe, encode(acknowledgement));
    acknowledgement = std::move(now);
  }

 private:
  /// Tells the publisher that it may close (docs/publication.md, The end) and stays subscribed for another run.
  void acknowledge_end() {
    for (const auto& topic : topics) {
      socket.set(zmq::sockopt::unsubscribe, topic);
      socket.set(zmq::sockopt::subscribe, topic);
    }
  }

  bool account(const Message& message) {
    const auto& head = head_of(message);
    if (head.run_tag != run_tag) ledgers.clear();
    run_tag = head.run_tag;
    if (ledgers.size() >= kMaxTopics && !ledgers.contains(head.topic)) return false;
    const auto [it, first] = ledgers.try_emplace(head.topic);
    auto& ledger = it->second;
    if (first) {
      ledger.missed_before = head.sequence;
    } else if (head.sequence < ledger.next) {
      ++ledger.out_of_order;
    } else {
      ledger.lost += head.sequence - ledger.next;
    }
    ++ledger.received;
    ledger.next = std::max(
        ledger.next, head.sequence == std::numeric_limits<std::uint64_t>::max() ? head.sequence : head.sequence + 1);
    if (const auto* block = std::get_if<BlockMessage>(&message)) ledger.samples += block->block.samples;
    return true;
  }
};

Subscriber::Subscriber(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Subscriber::~Subscriber() = default;

Result<std::unique_ptr<Subscriber>> Subscriber::connect(const SubscriberConfig& config) {
  try {
    auto impl = std::make_unique<Impl>();
    impl->socket.set(zmq::sockopt::rcvhwm, config.high_water_mark);
    impl->socket.set(zmq::sockopt::maxmsgsize, kMaxPartBytes);
    impl->socket.set(zmq::sockopt::linger, 0);
    impl->socket.set(zmq::sockopt::ipv6, config.endpoint.find('[') != std::string::npos);
    if (config.curve) {
      impl->socket.set(zmq::sockopt::curve_serverkey, config.curve->server_public_key);
      impl->socket.set(zmq::sockopt::curve_publickey, config.curve->public_key);
      impl->socket.set(zmq::sockopt::curve_secretkey, config.curve->secret_key);
    }
    impl->topics = config.topics;
    // Before connecting, so that all subscriptions arrive at the publisher together.
    for (const auto& topic : config.topics) impl->socket.set(zmq::sockopt::subscribe, topic);
    if (!config.name.empty()) {
      if (!valid_subscriber_name(config.name)) {
        return Error{fmt::format("\"{}\" is no name for a subscriber: 1 to {} of a-z, 0-9 and _.", config.name,
                                 kMaxSubscriberName)};
      }
      impl->acknowledgement.name = config.name;
      impl->socket.set(zmq::sockopt::subscribe, encode(impl->acknowledgement));
    }
    impl->socket.connect(config.endpoint);
    return std::unique_ptr<Subscriber>(new Subscriber(std::move(impl)));
  } catch (const zmq::error_t& error) {
    return Error{fmt::format("Cannot subscribe to \"{}\": {}. Check the endpoint (docs/publication.md) and the keys.",
                             config.endpoint, error.what())};
  }
}

Result<std::optional<Message>> Subscriber::poll(Duration timeout) {
  try {
    return impl_->receive(timeout);
  } catch (const zmq::error_t& error) {
    return Error{fmt::format("Subscriber: {}.", error.what())};
  }
}

const std::map<std::string, TopicLedger>& Subscriber::ledgers() const { return impl_->ledgers; }
std::uint64_t Subscriber::malformed() const { return impl_->malformed; }

std::vector<StreamBalance> Subscriber::balance(const EndMessage& end) const {
  std::vector<StreamBalance> out;
  for (const auto& total : end.streams) {
    StreamBalance balance{total.stream, total.blocks, total.samples};
    const auto it = impl_->ledgers.find(topic_of(MessageKind::kBlock, total.stream));
    if (it != impl_->ledgers.end()) {
      balance.received_blocks = it->second.received;
      balance.received_samples = it->second.samples;
    }
    balance.unseen_blocks = balance.published_blocks - std::min(balance.published_blocks, balance.received_blocks);
    out.push_back(balance);
  }
  return out;
}

}  // namespace strigil::daq
