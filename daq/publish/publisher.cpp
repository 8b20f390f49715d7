#include "daq/publish/publisher.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <chrono>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "daq/publish/outlet.hpp"

namespace strigil::daq {
namespace {

constexpr Duration kAskAgain = std::chrono::milliseconds(50);
constexpr std::size_t kBatch = 256;  // items taken from a ring before subscriptions are looked at again

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
    if (auto opened = outlet_.open(); !opened) return opened;
    open_ = true;
    if (config_.own_thread) thread_ = std::thread([this] { run_thread(); });
    return {};
  }

  [[nodiscard]] const Outlet& outlet() const { return outlet_; }
  [[nodiscard]] bool own_thread() const { return config_.own_thread; }

  bool wait_for_subscribers(std::size_t wanted, Duration timeout) {
    if (config_.own_thread) return outlet_.await_subscriptions(wanted, timeout);
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!finished_ && outlet_.subscriptions() < wanted && std::chrono::steady_clock::now() < deadline) {
      if (!outlet_.serve()) outlet_.wait_briefly();
    }
    return outlet_.subscriptions() >= wanted;
  }

  /// One turn of the publishing thread. True when something was published.
  bool turn(HostTime now) {
    outlet_.serve();
    const bool batch = publish_batch();
    const bool published = publish_posted() || batch;
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

  void finish(const EndResult* result) {
    if (finished_) return;
    finished_ = true;
    stopping_.store(true, std::memory_order_release);
    if (thread_.joinable()) thread_.join();
    // From here on this thread owns the sockets: joining the other one was the hand-over.
    if (result != nullptr && open_) {
      const auto now = config_.own_thread ? host_now() : last_now_;
      while (turn(now)) {
      }
      await_acknowledgements();
      book_.finish(totals());
      const auto end_json = (*result)(counts());
      publish_posted();
      outlet_.begin_end();
      send_end(now, end_json);
      outlet_.wait_for_leave();
    }
    outlet_.close();
  }

  bool post(MessageKind kind, const std::string& stream, std::string json) {
    if (json.size() > kMaxTextBytes) return false;
    const std::scoped_lock lock(posted_mutex_);
    if (posted_.size() >= kMostPosted) return false;
    posted_.push_back({kind, topic_of(kind, stream), std::move(json)});
    any_posted_.store(true, std::memory_order_release);
    return true;
  }

  PublishCounts counts() const {
    PublishCounts out;
    out.streams = totals();
    out.events = events_.load(std::memory_order_relaxed);
    out.heartbeats = heartbeats_.load(std::memory_order_relaxed);
    out.drops = drops();
    out.failure = outlet_.failure();
    out.subscribers = book_.counts(clock());
    out.acknowledgements_refused = book_.refused();
    out.patience_lost = outlet_.patience_lost();
    return out;
  }

 private:
  void run_thread() {
    (void)::pthread_setname_np(::pthread_self(), "publish");
    while (!stopping_.load(std::memory_order_acquire)) {
      if (turn(host_now())) continue;
      auto& wake = rings_->wake;
      wake.announce_sleep();
      const bool nothing = rings_->blocks.front() == nullptr && rings_->events.front() == nullptr;
      if (nothing && !stopping_.load(std::memory_order_acquire)) outlet_.wait(wake);
      wake.woken();
    }
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

  bool publish_posted() {
    if (!any_posted_.load(std::memory_order_acquire)) return false;
    std::vector<Posted> posted;
    {
      const std::scoped_lock lock(posted_mutex_);
      posted.swap(posted_);
      any_posted_.store(false, std::memory_order_relaxed);
    }
    for (const auto& p : posted) send_text(p.kind, p.topic, document_sequence_[p.topic]++, p.json);
    return !posted.empty();
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
    if (!outlet_.send(parts)) return;
    s.blocks.fetch_add(1, std::memory_order_relaxed);
    s.samples.fetch_add(block.samples, std::memory_order_relaxed);
  }

  bool send_text(MessageKind kind, const std::string& topic, std::uint64_t sequence, const std::string& json) {
    const auto header = encode_header(kind, run_tag_, sequence);
    const std::array<std::string_view, 3> parts = {topic, view(header), json};
    return outlet_.send(parts);
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

  void acknowledged(std::string_view topic, bool made) {
    if (made) {
      book_.subscribed(topic, clock(), totals());
    } else {
      book_.unsubscribed(topic);
    }
  }
  /// Subscribers live in real time also when the run does not.
  [[nodiscard]] HostTime clock() const { return host_now(); }

  /// Everything is out: those who said who they are may say what they have got, and the ledger waits for it.
  void await_acknowledgements() {
    if (book_.nobody(clock())) return;
    const auto last = heartbeat_sequence_;
    const auto deadline = clock() + config_.linger / 2;
    auto next = clock();
    while (!book_.all_acknowledged(last, clock()) && clock() < deadline) {
      if (clock() >= next) {  // again: one whose queue was full has lost the first
        send_heartbeat(last_now_);
        next = clock() + std::min<Duration>(config_.heartbeat, kAskAgain);
      }
      if (!outlet_.serve()) outlet_.wait_briefly();
    }
  }

  void describe() {
    for (std::size_t i = 0; i < stream_count_; ++i) {
      auto& s = streams_[i];
      send_text(MessageKind::kStream, s.stream_topic, s.stream_sequence++, s.description);
    }
  }

  void send_heartbeat(HostTime now) {
    HeartbeatMessage message{{{}, run_tag_, heartbeat_sequence_++}, run_.id, state_, now, totals(), {}};
    for (const auto& s : book_.counts(clock())) {
      SubscriberStatus status{s.name, s.alive, s.behind_s, 0, 0};
      for (const auto& stream : s.streams) {
        status.received += stream.received;
        status.lost += stream.lost;
      }
      message.subscribers.push_back(std::move(status));
    }
    book_.told(message.head.sequence, clock(), message.streams);
    if (send_text(MessageKind::kHeartbeat, heartbeat_topic_, message.head.sequence, published_json(message))) {
      heartbeats_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void send_end(HostTime now, const std::string& result) {
    const EndMessage message{{{}, run_tag_, 0}, run_.id, now, totals(), events_.load(), drops(), result};
    send_text(MessageKind::kEnd, topic_of(MessageKind::kEnd), 0, published_json(message));
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
    return {rings_->blocks.counts().dropped, rings_->events.counts().dropped, outlet_.refused(),
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

  struct Posted {
    MessageKind kind;
    std::string topic, json;
  };
  static constexpr std::size_t kMostPosted = 4096;
  std::mutex posted_mutex_;
  std::vector<Posted> posted_;
  std::atomic<bool> any_posted_{false};

  SubscriberBook book_{run_tag_, config_.heartbeat};

  // The publishing thread's own (the owner's without own_thread, and after joining).
  Outlet outlet_{config_,
                 {[this] { describe(); }, [this](std::string_view topic, bool made) { acknowledged(topic, made); }}};
  std::string state_;
  std::map<std::string, std::uint64_t> document_sequence_;  // by topic
  std::uint64_t event_sequence_ = 0, heartbeat_sequence_ = 0;
  HostTime next_heartbeat_{INT64_MIN}, next_description_{INT64_MIN}, last_now_;

  std::atomic<std::uint64_t> events_{0}, heartbeats_{0}, unknown_streams_{0};
  std::atomic<bool> stopping_{false};
  bool open_ = false, finished_ = false;  // the owner's
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

const std::string& Publisher::bound_endpoint() const { return impl_->outlet().bound_endpoint(); }
const std::string& Publisher::public_key() const { return impl_->outlet().public_key(); }
std::size_t Publisher::subscriber_count() const noexcept { return impl_->outlet().subscriptions(); }
bool Publisher::wait_for_subscribers(std::size_t subscriptions, Duration timeout) {
  return impl_->wait_for_subscribers(subscriptions, timeout);
}
void Publisher::pump(HostTime now) {
  assert(!impl_->own_thread());
  impl_->pump(now);
}
PublishCounts Publisher::stop_and_drain(const std::string& result_json) {
  return stop_and_drain([&](const PublishCounts&) { return result_json; });
}
PublishCounts Publisher::stop_and_drain(const EndResult& result) {
  impl_->finish(&result);
  return impl_->counts();
}
bool Publisher::post(MessageKind kind, const std::string& stream, std::string json) {
  assert(kind == MessageKind::kProfile || kind == MessageKind::kLedger);
  return impl_->post(kind, stream, std::move(json));
}
PublishCounts Publisher::counts() const { return impl_->counts(); }

}  // namespace strigil::daq
