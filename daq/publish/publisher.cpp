#include "daq/publish/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "daq/publish/endpoint.hpp"

namespace strigil::daq {
namespace {

constexpr std::size_t kBatch = 256;         // items taken from a ring before subscriptions are looked at again
constexpr std::int64_t kMaxRequest = 1024;  // bytes of a subscription; a longer message closes its connection
constexpr long kIdleWait_ms = 1;            // sleep when nothing waits: the age that publication may add to a block
constexpr auto kAuthentication = "inproc://zeromq.zap.01";

int milliseconds_of(Duration d) {
  constexpr std::int64_t kLongest = 3'600'000;
  return static_cast<int>(
      std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(d).count(), 0, kLongest));
}

template <std::size_t N>
std::string_view view(const std::array<std::byte, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

/// What is published of one stream. The publishing thread writes the counters, anybody reads them.
struct Channel {
  std::string block_topic, stream_topic, description, name;
  std::uint64_t block_sequence = 0, stream_sequence = 0;
  std::atomic<std::uint64_t> blocks{0}, samples{0};
};

}  // namespace

class Publisher::Impl {
 public:
  Impl(const PublisherConfig& config, const PublishedRun& run, const std::vector<StreamDescription>& streams,
       std::shared_ptr<SinkRings> rings)
      : config_(config),
        run_(run),
        run_tag_(run_tag_of(run.id)),
        rings_(std::move(rings)),
        stream_count_(streams.size()),
        streams_(std::make_unique<Channel[]>(streams.size())),
        state_(run.state) {
    for (std::size_t i = 0; i < stream_count_; ++i) {
      auto& s = streams_[i];
      s.name = streams[i].name;
      s.block_topic = topic_of(MessageKind::kBlock, s.name);
      s.stream_topic = topic_of(MessageKind::kStream, s.name);
      s.description = to_json(streams[i]);
    }
  }
  ~Impl() { finish(nullptr); }

  Result<void> open() {
    if (config_.curve) {
      auto keys = load_curve_server_keys(*config_.curve);
      if (!keys) return keys.error();
      keys_ = std::move(keys).value();
    }
    auto endpoint = checked_bind_endpoint(config_.endpoint, keys_.has_value());
    if (!endpoint) return endpoint.error();
    try {
      if (keys_) {
        authentication_ = zmq::socket_t(context_, zmq::socket_type::rep);
        authentication_.set(zmq::sockopt::linger, 0);
        authentication_.bind(kAuthentication);
        socket_.set(zmq::sockopt::curve_server, true);
        socket_.set(zmq::sockopt::curve_secretkey, keys_->secret_key);
        socket_.set(zmq::sockopt::zap_domain, "strigil");
      }
      socket_.set(zmq::sockopt::sndhwm, config_.high_water_mark);
      socket_.set(zmq::sockopt::linger, milliseconds_of(config_.linger));
      socket_.set(zmq::sockopt::sndtimeo, milliseconds_of(config_.patience));
      socket_.set(zmq::sockopt::maxmsgsize, kMaxRequest);
      socket_.set(zmq::sockopt::xpub_verboser, 1);
      waiting_ = config_.when_full == WhenFull::kWait;
      socket_.set(zmq::sockopt::xpub_nodrop, waiting_);
      socket_.set(zmq::sockopt::ipv6, endpoint->find('[') != std::string::npos);
      socket_.bind(*endpoint);
      bound_ = socket_.get(zmq::sockopt::last_endpoint);
    } catch (const zmq::error_t& error) {
      return bind_failure(*endpoint, error.num());
    }
    if (auto closed = close_to_others(bound_); !closed) return closed;
    if (config_.own_thread) thread_ = std::thread([this] { run_thread(); });
    return {};
  }

  [[nodiscard]] const std::string& bound() const { return bound_; }
  [[nodiscard]] std::string public_key() const { return keys_ ? keys_->public_key : std::string(); }
  [[nodiscard]] std::size_t subscriptions() const noexcept { return subscriptions_.load(std::memory_order_acquire); }
  [[nodiscard]] bool own_thread() const { return config_.own_thread; }

  bool wait_for_subscribers(std::size_t wanted, Duration timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    if (config_.own_thread) {
      std::unique_lock lock(mutex_);
      return changed_.wait_until(lock, deadline, [&] { return subscriptions() >= wanted; });
    }
    while (!finished_ && subscriptions() < wanted && std::chrono::steady_clock::now() < deadline) {
      if (!answer_requests()) wait_for_requests();
    }
    return subscriptions() >= wanted;
  }

  /// One turn of the publishing thread. True when something was published.
  bool turn(HostTime now) {
    answer_requests();
    const bool published = publish_batch();
    if (now >= next_heartbeat_) {
      send_heartbeat(now);
      next_heartbeat_ = now + config_.heartbeat;
    }
    if (now >= next_description_) {
      describe();
      next_description_ = now + config_.describe;
    }
    last_now_ = now;
    return published;
  }
  void pump(HostTime now) {
    if (finished_) return;
    while (turn(now)) {
    }
  }

  void finish(const std::string* end_json) {
    if (finished_) return;
    finished_ = true;
    stopping_.store(true, std::memory_order_release);
    if (thread_.joinable()) thread_.join();
    // From here on this thread owns the sockets: joining the other one was the hand-over.
    if (end_json != nullptr && !bound_.empty()) {
      const auto now = config_.own_thread ? host_now() : last_now_;
      while (turn(now)) {
      }
      send_end(now, *end_json);
      wait_for_leave();
    }
    socket_.close();
    authentication_.close();
    context_.close();  // waits for what is queued, bounded by the socket's linger
  }

  PublishCounts counts() const {
    PublishCounts out;
    out.streams = totals();
    out.events = events_.load(std::memory_order_relaxed);
    out.heartbeats = heartbeats_.load(std::memory_order_relaxed);
    out.drops = drops();
    const int reason = failure_.load(std::memory_order_relaxed);
    if (reason != 0) out.failure = zmq_strerror(reason);
    out.patience_lost = patience_lost_.load(std::memory_order_relaxed);
    return out;
  }

 private:
  void run_thread() {
    while (!stopping_.load(std::memory_order_acquire)) {
      if (!turn(host_now())) wait_for_requests();
    }
  }

  void wait_for_requests() {
    std::array<zmq_pollitem_t, 2> items{};
    items[0] = {socket_.handle(), 0, ZMQ_POLLIN, 0};
    items[1] = {authentication_.handle(), 0, ZMQ_POLLIN, 0};
    // Nothing to do on an error (a signal): the caller looks again.
    (void)zmq_poll(items.data(), keys_ ? 2 : 1, kIdleWait_ms);
  }

  /// Admits clients, counts subscriptions and describes the streams to newcomers. True when there was any request.
  bool answer_requests() {
    bool any = false;
    for (std::size_t i = 0; keys_ && i < kBatch && answer_authentication(authentication_.handle(), *keys_); ++i) {
      any = true;
    }
    bool newcomers = false;
    std::size_t standing = subscriptions();
    for (std::size_t i = 0; i < kBatch; ++i) {
      zmq::message_t request;
      if (zmq_msg_recv(request.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) break;
      any = true;
      if (request.size() == 0) continue;
      const char verb = *request.data<char>();
      if (verb == 1) ++standing;
      if (verb == 0 && standing > 0) {
        --standing;
        ++left_;
      }
      newcomers = newcomers || verb == 1;
    }
    // Once for all who came in this turn, before they are counted: whoever waits for them may then send blocks.
    if (newcomers) describe();
    if (any) {
      const std::scoped_lock lock(mutex_);
      subscriptions_.store(standing, std::memory_order_release);
      changed_.notify_all();
    }
    return any;
  }

  bool publish_batch() {
    bool any = false;
    for (std::size_t i = 0; i < kBatch; ++i) {
      const Event* event = rings_->events.front();
      if (event == nullptr) break;
      send_event(*event);
      rings_->events.release();
      any = true;
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
      const Block* block = rings_->blocks.front();
      if (block == nullptr) break;
      send_block(*block);
      rings_->blocks.release();
      any = true;
    }
    return any;
  }

  void send_block(const Block& block) {
    if (block.stream >= stream_count_ || block.channels > kMaxChannels || block.samples > kMaxBlockSamples ||
        block.value_count() == 0 || block.value_count() > kMaxBlockValues) {
      unknown_streams_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    auto& s = streams_[block.stream];
    const auto header = encode_block_header(block, run_tag_, s.block_sequence);
    ++s.block_sequence;
    const auto bytes = block.value_count() * sizeof(float);
    const std::array<std::string_view, 4> parts = {
        s.block_topic, view(header), std::string_view(reinterpret_cast<const char*>(block.counts.data()), bytes),
        std::string_view(reinterpret_cast<const char*>(block.values.data()), bytes)};
    if (!send(parts)) return;
    s.blocks.fetch_add(1, std::memory_order_relaxed);
    s.samples.fetch_add(block.samples, std::memory_order_relaxed);
  }

  bool send_text(MessageKind kind, const std::string& topic, std::uint64_t sequence, const std::string& json) {
    const auto header = encode_header(kind, run_tag_, sequence);
    const std::array<std::string_view, 3> parts = {topic, view(header), json};
    return send(parts);
  }

  void send_event(const Event& event) {
    if (event.code == EventCode::kSupervisorState) {
      const double number = event.arguments[0];
      const bool named = number >= 0 && number < static_cast<double>(run_.state_names.size());
      state_ = named ? run_.state_names[static_cast<std::size_t>(number)] : fmt::format("state {}", number);
    }
    if (send_text(MessageKind::kEvent, event_topic_, event_sequence_++, published_json(event))) {
      events_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void describe() {
    for (std::size_t i = 0; i < stream_count_; ++i) {
      auto& s = streams_[i];
      send_text(MessageKind::kStream, s.stream_topic, s.stream_sequence++, s.description);
    }
  }

  void send_heartbeat(HostTime now) {
    const HeartbeatMessage message{{{}, run_tag_, heartbeat_sequence_++}, run_.id, state_, now, totals()};
    if (send_text(MessageKind::kHeartbeat, heartbeat_topic_, message.head.sequence, published_json(message))) {
      heartbeats_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// The one message that everybody should get: it waits for room with the slowest, config_.linger / 2 at most.
  void send_end(HostTime now, const std::string& result) {
    ending_ = true;
    leave_deadline_ = std::chrono::steady_clock::now() + config_.linger / 2;
    socket_.set(zmq::sockopt::sndtimeo, milliseconds_of(config_.linger / 2));
    socket_.set(zmq::sockopt::xpub_nodrop, true);
    waiting_ = true;
    left_ = 0;
    const EndMessage message{{{}, run_tag_, 0}, run_.id, now, totals(), events_.load(), drops(), result};
    send_text(MessageKind::kEnd, topic_of(MessageKind::kEnd), 0, published_json(message));
  }

  /// A subscriber whose own queue is full when the connection closes loses what the kernel still holds, the end message
  /// first. So the socket stays open until everybody has unsubscribed or gone, which is how they say "got the end".
  void wait_for_leave() {
    const auto standing = subscriptions();
    while (left_ < standing && subscriptions() > 0 && std::chrono::steady_clock::now() < leave_deadline_) {
      if (!answer_requests()) wait_for_requests();
    }
    socket_.set(zmq::sockopt::linger, milliseconds_of(config_.linger / 2));
  }

  /// Hands one multipart message to ZeroMQ. With kDrop this never waits; what a slow subscriber has no room for is lost
  /// for that subscriber alone. False, counted, when ZeroMQ refuses.
  bool send(std::span<const std::string_view> parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const int flags = i + 1 < parts.size() ? ZMQ_SNDMORE : 0;
      int rc = 0;
      do {
        rc = zmq_send(socket_.handle(), parts[i].data(), parts[i].size(), flags);
        if (rc < 0 && zmq_errno() == EAGAIN && waiting_) {
          // Somebody reads nothing: from now on that one loses messages and nobody waits.
          waiting_ = false;
          if (!ending_) patience_lost_.store(true, std::memory_order_relaxed);
          const int off = 0;
          zmq_setsockopt(socket_.handle(), ZMQ_XPUB_NODROP, &off, sizeof(off));
          rc = zmq_send(socket_.handle(), parts[i].data(), parts[i].size(), flags);
        }
      } while (rc < 0 && zmq_errno() == EINTR);
      if (rc < 0) {
        failure_.store(zmq_errno(), std::memory_order_relaxed);
        refused_.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
    }
    return true;
  }

  std::vector<StreamTotals> totals() const {
    std::vector<StreamTotals> out;
    for (std::size_t i = 0; i < stream_count_; ++i) {
      const auto& s = streams_[i];
      out.push_back({static_cast<StreamId>(i), s.name, s.blocks.load(std::memory_order_relaxed),
                     s.samples.load(std::memory_order_relaxed)});
    }
    return out;
  }
  PublishDrops drops() const {
    return {rings_->blocks.counts().dropped, rings_->events.counts().dropped, refused_.load(std::memory_order_relaxed),
            unknown_streams_.load(std::memory_order_relaxed)};
  }

  const PublisherConfig config_;
  const PublishedRun run_;
  const std::uint32_t run_tag_;
  const std::shared_ptr<SinkRings> rings_;
  const std::size_t stream_count_;
  const std::unique_ptr<Channel[]> streams_;
  const std::string event_topic_ = topic_of(MessageKind::kEvent);
  const std::string heartbeat_topic_ = topic_of(MessageKind::kHeartbeat);
  std::optional<CurveServerKeys> keys_;
  std::string bound_;

  // The publishing thread's own (the owner's without own_thread, and after joining).
  zmq::context_t context_{1};
  zmq::socket_t socket_{context_, zmq::socket_type::xpub};
  zmq::socket_t authentication_;
  bool waiting_ = false;  // ZeroMQ waits for a full queue instead of dropping
  bool ending_ = false;
  std::size_t left_ = 0;  // subscriptions ended since the end message
  std::chrono::steady_clock::time_point leave_deadline_;
  std::string state_;
  std::uint64_t event_sequence_ = 0, heartbeat_sequence_ = 0;
  HostTime next_heartbeat_{INT64_MIN}, next_description_{INT64_MIN}, last_now_;

  // Shared.
  std::atomic<std::uint64_t> events_{0}, heartbeats_{0}, refused_{0}, unknown_streams_{0};
  std::atomic<int> failure_{0};
  std::atomic<bool> patience_lost_{false}, stopping_{false};
  std::atomic<std::size_t> subscriptions_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool finished_ = false;  // the owner's
  std::thread thread_;
};

Publisher::Publisher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Publisher::~Publisher() = default;

Result<std::unique_ptr<Publisher>> Publisher::start(const PublisherConfig& config, const PublishedRun& run,
                                                    const std::vector<StreamDescription>& streams,
                                                    std::shared_ptr<SinkRings> rings) {
  assert(rings != nullptr && !run.id.empty());
  if (config.high_water_mark < 1) {
    // 0 means "no limit" to ZeroMQ: one stalled subscriber would then eat all memory.
    return Error{"Publisher: the high-water mark must be at least 1 message."};
  }
  if (config.heartbeat <= Duration::zero() || config.describe <= Duration::zero()) {
    return Error{"Publisher: the heartbeat and description periods must be longer than 0 s."};
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].id != i || !valid_stream_name(streams[i].name)) {
      return Error{
          fmt::format("Publisher: stream {} has id {} and name \"{}\"; ids count from 0 and names are "
                      "[a-z0-9_]{{1,32}}.",
                      i, streams[i].id, streams[i].name)};
    }
  }
  try {
    auto impl = std::make_unique<Impl>(config, run, streams, std::move(rings));
    if (auto opened = impl->open(); !opened) return opened.error();
    return std::unique_ptr<Publisher>(new Publisher(std::move(impl)));
  } catch (const zmq::error_t& error) {
    return Error{fmt::format("Publisher: ZeroMQ did not start: {}. Check the limit of open files.", error.what())};
  }
}

const std::string& Publisher::bound_endpoint() const { return impl_->bound(); }
std::string Publisher::public_key() const { return impl_->public_key(); }
std::size_t Publisher::subscriber_count() const noexcept { return impl_->subscriptions(); }
bool Publisher::wait_for_subscribers(std::size_t subscriptions, Duration timeout) {
  return impl_->wait_for_subscribers(subscriptions, timeout);
}
void Publisher::pump(HostTime now) {
  assert(!impl_->own_thread());
  impl_->pump(now);
}
PublishCounts Publisher::stop_and_drain(const std::string& result_json) {
  impl_->finish(&result_json);
  return impl_->counts();
}
PublishCounts Publisher::counts() const { return impl_->counts(); }

}  // namespace strigil::daq
