#include "daq/control/control_server.hpp"

#include <pthread.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "daq/publish/endpoint.hpp"

namespace strigil::daq {
namespace {

constexpr long kPoll_ms = 20;
constexpr int kQueued = 256;           // answers that wait for one client; what is more is lost to it
constexpr std::size_t kBatch = 64;     // requests answered before leases are looked at again
constexpr std::size_t kMostParts = 4;  // identity, delimiter, request; one more to see that there are too many

}  // namespace

class ControlServer::Impl {
 public:
  Impl(const ControlServerConfig& config, Handler handler, Idle idle)
      : config_(config), handler_(std::move(handler)), idle_(std::move(idle)) {}

  ~Impl() {
    stopping_.store(true, std::memory_order_release);
    if (thread_.joinable()) thread_.join();
  }

  Result<void> open() {
    if (config_.curve) {
      auto keys = load_curve_server_keys(*config_.curve);
      if (!keys) return keys.error();
      keys_ = std::move(keys).value();
      public_key_ = keys_->public_key;
    }
    const auto endpoint = checked_bind_endpoint(config_.endpoint, keys_.has_value());
    if (!endpoint) return endpoint.error();
    try {
      if (keys_) authentication_ = guard_with_curve(context_, socket_, *keys_);
      socket_.set(zmq::sockopt::linger, 200);
      socket_.set(zmq::sockopt::sndhwm, kQueued);
      socket_.set(zmq::sockopt::rcvhwm, kQueued);
      socket_.set(zmq::sockopt::maxmsgsize, std::int64_t{kMaxControlBytes});
      socket_.set(zmq::sockopt::ipv6, endpoint->find('[') != std::string::npos);
      socket_.bind(*endpoint);
      bound_ = socket_.get(zmq::sockopt::last_endpoint);
    } catch (const zmq::error_t& error) {
      return bind_failure(*endpoint, error.num());
    }
    if (auto closed = close_to_others(bound_); !closed) return closed;
    thread_ = std::thread([this] { run(); });
    return {};
  }

  [[nodiscard]] const std::string& bound() const { return bound_; }
  [[nodiscard]] const std::string& public_key() const { return public_key_; }
  [[nodiscard]] std::uint64_t malformed() const { return malformed_.load(std::memory_order_relaxed); }

 private:
  void run() {
    (void)::pthread_setname_np(::pthread_self(), "control");
    while (!stopping_.load(std::memory_order_acquire)) {
      std::array<zmq_pollitem_t, 2> items{};
      int n = 0;
      items[n++] = {socket_.handle(), 0, ZMQ_POLLIN, 0};
      if (keys_) items[n++] = {authentication_.handle(), 0, ZMQ_POLLIN, 0};
      (void)zmq_poll(items.data(), n, kPoll_ms);  // an error is a signal: we look again
      for (std::size_t i = 0; keys_ && i < kBatch && answer_authentication(authentication_.handle(), *keys_); ++i) {
      }
      for (std::size_t i = 0; i < kBatch && serve_one(); ++i) {
      }
      if (idle_) idle_();
    }
  }

  /// False when nobody asks.
  bool serve_one() {
    std::vector<zmq::message_t> parts;
    for (bool more = true; more;) {
      zmq::message_t part;
      if (!socket_.recv(part, zmq::recv_flags::dontwait)) return false;
      more = part.more();
      if (parts.size() < kMostParts) parts.push_back(std::move(part));
    }
    // A REQ client puts an empty part before its request, a DEALER need not.
    const bool delimited = parts.size() == 3 && parts[1].size() == 0;
    if (parts.size() != 2 && !delimited) {
      malformed_.fetch_add(1, std::memory_order_relaxed);
      return true;  // no telling where an answer would go
    }
    const auto request = decode_control_request(parts.back().to_string_view());
    ControlReply reply;
    if (request) {
      reply = handler_(*request);
    } else {
      malformed_.fetch_add(1, std::memory_order_relaxed);
      reply = refusal_of({}, "malformed", request.error().message);
    }
    const auto text = encode(reply);
    parts.back().rebuild(text.data(), text.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool last = i + 1 == parts.size();
      const auto flags = last ? zmq::send_flags::dontwait : zmq::send_flags::dontwait | zmq::send_flags::sndmore;
      // A ROUTER drops what is for somebody who has gone, and what a full queue cannot take.
      if (!socket_.send(parts[i], flags)) break;
    }
    return true;
  }

  const ControlServerConfig config_;
  Handler handler_;
  Idle idle_;
  std::optional<CurveServerKeys> keys_;
  zmq::context_t context_{1};
  zmq::socket_t socket_{context_, zmq::socket_type::router};
  zmq::socket_t authentication_;
  std::string bound_;
  std::string public_key_;
  std::atomic<std::uint64_t> malformed_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

Result<std::unique_ptr<ControlServer>> ControlServer::start(const ControlServerConfig& config, Handler handler,
                                                            Idle idle) {
  auto impl = std::make_unique<Impl>(config, std::move(handler), std::move(idle));
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;
const std::string& ControlServer::bound_endpoint() const { return impl_->bound(); }
const std::string& ControlServer::public_key() const { return impl_->public_key(); }
std::uint64_t ControlServer::malformed() const noexcept { return impl_->malformed(); }

}  // namespace strigil::daq
