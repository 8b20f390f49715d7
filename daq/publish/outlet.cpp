#include "daq/publish/outlet.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <zmq.hpp>

#include "daq/publish/acknowledgement.hpp"
#include "daq/publish/endpoint.hpp"

namespace strigil::daq {
namespace {

constexpr std::size_t kBatch = 256;         // requests answered before anything is published again
constexpr std::int64_t kMaxRequest = 1024;  // bytes of a subscription; a longer message closes its connection
constexpr long kIdleWait_ms = 1;            // sleep when nothing waits and nobody rings
constexpr long kLongestSleep_ms = 10;       // when somebody rings

int milliseconds_of(Duration d) {
  constexpr std::int64_t kLongest = 3'600'000;
  return static_cast<int>(
      std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(d).count(), 0, kLongest));
}

}  // namespace

class Outlet::Impl {
 public:
  Impl(const PublisherConfig& config, Watcher watcher) : config_(config), watcher_(std::move(watcher)) {}

  Result<void> open() {
    if (config_.curve) {
      auto keys = load_curve_server_keys(*config_.curve);
      if (!keys) return keys.error();
      keys_ = std::move(keys).value();
      public_key_ = keys_->public_key;
    }
    auto endpoint = checked_bind_endpoint(config_.endpoint, keys_.has_value());
    if (!endpoint) return endpoint.error();
    try {
      if (keys_) authentication_ = guard_with_curve(context_, socket_, *keys_);
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
    return close_to_others(bound_);
  }

  void wait(Wake* wake) {
    std::array<zmq_pollitem_t, 3> items{};
    int n = 0;
    items[n++] = {socket_.handle(), 0, ZMQ_POLLIN, 0};
    if (keys_) items[n++] = {authentication_.handle(), 0, ZMQ_POLLIN, 0};
    const bool rung = wake != nullptr && wake->fd() >= 0;
    if (rung) items[n++] = {nullptr, wake->fd(), ZMQ_POLLIN, 0};
    // Nothing to do on an error (a signal): the caller looks again.
    (void)zmq_poll(items.data(), n, rung ? kLongestSleep_ms : kIdleWait_ms);
  }

  bool serve() {
    bool any = false;
    for (std::size_t i = 0; keys_ && i < kBatch && answer_authentication(authentication_.handle(), *keys_); ++i) {
      any = true;
    }
    bool newcomers = false;
    std::size_t standing = subscriptions_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kBatch; ++i) {
      zmq::message_t request;
      if (zmq_msg_recv(request.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) break;
      any = true;
      if (request.size() == 0) continue;
      const char verb = *request.data<char>();
      const auto topic = request.to_string_view().substr(1);
      if (topic.starts_with(kAcknowledgementRoot)) {
        if (verb == 0 || verb == 1) watcher_.acknowledgement(topic, verb == 1);
        continue;
      }
      if (verb == 1) ++standing;
      if (verb == 0 && standing > 0) {
        --standing;
        ++left_;
      }
      newcomers = newcomers || verb == 1;
    }
    // Once for all who came in this turn, before they are counted: whoever waits for them may then send blocks.
    if (newcomers && !ending_) watcher_.newcomers();
    if (any) {
      const std::scoped_lock lock(mutex_);
      subscriptions_.store(standing, std::memory_order_release);
      changed_.notify_all();
    }
    return any;
  }

  bool await_subscriptions(std::size_t wanted, Duration timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return subscriptions_.load() >= wanted; });
  }

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

  /// The end is the one message that everybody should get.
  void begin_end() {
    ending_ = true;
    leave_deadline_ = std::chrono::steady_clock::now() + config_.linger / 2;
    socket_.set(zmq::sockopt::sndtimeo, milliseconds_of(config_.linger / 2));
    socket_.set(zmq::sockopt::xpub_nodrop, true);
    waiting_ = true;
    left_ = 0;
  }

  /// A subscriber whose own queue is full when the connection closes loses what the kernel still holds, the end message
  /// first. So the socket stays open until everybody has unsubscribed or gone, which is how they say "got the end".
  void wait_for_leave() {
    const auto standing = subscriptions_.load();
    while (left_ < standing && subscriptions_.load() > 0 && std::chrono::steady_clock::now() < leave_deadline_) {
      if (!serve()) wait(nullptr);
    }
    socket_.set(zmq::sockopt::linger, milliseconds_of(config_.linger / 2));
  }

  void close() {
    socket_.close();
    authentication_.close();
    context_.close();  // waits for what is queued, bounded by the socket's linger
  }

  std::string bound_, public_key_;
  std::atomic<std::size_t> subscriptions_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<int> failure_{0};
  std::atomic<bool> patience_lost_{false};

 private:
  const PublisherConfig config_;
  const Watcher watcher_;
  std::optional<CurveServerKeys> keys_;
  zmq::context_t context_{1};
  zmq::socket_t socket_{context_, zmq::socket_type::xpub};
  zmq::socket_t authentication_;
  bool waiting_ = false;  // ZeroMQ waits for a full queue instead of dropping
  bool ending_ = false;
  std::size_t left_ = 0;  // subscriptions ended since the end message
  std::chrono::steady_clock::time_point leave_deadline_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

Outlet::Outlet(const PublisherConfig& config, Watcher watcher)
    : impl_(std::make_unique<Impl>(config, std::move(watcher))) {}
Outlet::~Outlet() { close(); }
Result<void> Outlet::open() { return impl_->open(); }
const std::string& Outlet::bound_endpoint() const { return impl_->bound_; }
const std::string& Outlet::public_key() const { return impl_->public_key_; }
bool Outlet::serve() { return impl_->serve(); }
void Outlet::wait_briefly() { impl_->wait(nullptr); }
void Outlet::wait(Wake& wake) { impl_->wait(&wake); }
std::size_t Outlet::subscriptions() const noexcept { return impl_->subscriptions_.load(std::memory_order_acquire); }
bool Outlet::await_subscriptions(std::size_t wanted, Duration timeout) {
  return impl_->await_subscriptions(wanted, timeout);
}
bool Outlet::send(std::span<const std::string_view> parts) { return impl_->send(parts); }
void Outlet::begin_end() { impl_->begin_end(); }
void Outlet::wait_for_leave() { impl_->wait_for_leave(); }
void Outlet::close() { impl_->close(); }
std::uint64_t Outlet::refused() const noexcept { return impl_->refused_.load(std::memory_order_relaxed); }
bool Outlet::patience_lost() const noexcept { return impl_->patience_lost_.load(std::memory_order_relaxed); }
std::string Outlet::failure() const {
  const int reason = impl_->failure_.load(std::memory_order_relaxed);
  return reason == 0 ? std::string() : zmq_strerror(reason);
}

}  // namespace strigil::daq
