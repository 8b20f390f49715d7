#include "daq/control/mailbox.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <vector>
#include <zmq.hpp>

#include "daq/publish/endpoint.hpp"

namespace strigil::daq {
namespace {

constexpr int kQueued = 4096;                        // letters that wait to be read; more hold up who sends them
constexpr std::int64_t kMostPartBytes = 16LL << 20;  // closes the connection; what is too long but less is told apart
constexpr std::size_t kMostParts = 4;

using Clock = std::chrono::steady_clock;

long left_ms(Clock::time_point deadline) {
  return std::max<long>(0, std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count());
}

/// The parts of one message; empty where none is there.
std::vector<std::string> take_parts(zmq::socket_t& socket) {
  std::vector<std::string> parts;
  for (bool more = true; more;) {
    zmq::message_t part;
    if (!socket.recv(part, zmq::recv_flags::dontwait)) break;
    more = part.more();
    if (parts.size() < kMostParts) parts.push_back(part.to_string());
  }
  return parts;
}

Letter letter_of(std::string from, std::vector<std::string>& parts, std::size_t first, std::size_t longest) {
  Letter letter;
  letter.from = std::move(from);
  letter.well_formed =
      parts.size() == first + 2 && parts[first].size() <= longest && parts[first + 1].size() <= longest;
  if (letter.well_formed) {
    letter.topic = std::move(parts[first]);
    letter.text = std::move(parts[first + 1]);
  }
  return letter;
}

}  // namespace

class Mailbox::Impl {
 public:
  Result<void> open(const MailboxConfig& config) {
    if (config.curve) {
      auto keys = load_curve_server_keys(*config.curve);
      if (!keys) return keys.error();
      keys_ = std::move(keys).value();
    }
    const auto endpoint = checked_bind_endpoint(config.endpoint, keys_.has_value());
    if (!endpoint) return endpoint.error();
    try {
      if (keys_) authentication_ = guard_with_curve(context_, socket_, *keys_);
      socket_.set(zmq::sockopt::linger, 0);
      socket_.set(zmq::sockopt::sndhwm, kQueued);
      socket_.set(zmq::sockopt::rcvhwm, kQueued);
      socket_.set(zmq::sockopt::maxmsgsize, kMostPartBytes);
      socket_.set(zmq::sockopt::ipv6, endpoint->find('[') != std::string::npos);
      socket_.bind(*endpoint);
      bound = socket_.get(zmq::sockopt::last_endpoint);
    } catch (const zmq::error_t& error) {
      return bind_failure(*endpoint, error.num());
    }
    return close_to_others(bound);
  }

  std::optional<Letter> receive(Duration longest) {
    const auto deadline = Clock::now() + longest;
    for (;;) {
      while (keys_ && answer_authentication(authentication_.handle(), *keys_)) {
      }
      auto parts = take_parts(socket_);
      if (!parts.empty()) {
        auto from = std::move(parts.front());
        return letter_of(std::move(from), parts, 1, kMaxLetterBytes);
      }
      const long left = left_ms(deadline);
      if (left == 0) return std::nullopt;
      std::array<zmq_pollitem_t, 2> items{};
      int n = 0;
      items[n++] = {socket_.handle(), 0, ZMQ_POLLIN, 0};
      if (keys_) items[n++] = {authentication_.handle(), 0, ZMQ_POLLIN, 0};
      (void)zmq_poll(items.data(), n, left);  // an error is a signal: we look again
    }
  }

  void send(const std::string& to, std::string_view topic, std::string_view text) {
    const std::array<std::string_view, 3> parts{to, topic, text};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto flags =
          i + 1 == parts.size() ? zmq::send_flags::dontwait : zmq::send_flags::dontwait | zmq::send_flags::sndmore;
      if (!socket_.send(zmq::buffer(parts[i]), flags)) return;  // a ROUTER drops what nobody takes
    }
  }

  std::string bound;

 private:
  std::optional<CurveServerKeys> keys_;
  zmq::context_t context_{1};
  zmq::socket_t socket_{context_, zmq::socket_type::router};
  zmq::socket_t authentication_;
};

Mailbox::Mailbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Mailbox::~Mailbox() = default;
Result<std::unique_ptr<Mailbox>> Mailbox::open(const MailboxConfig& config) {
  auto impl = std::make_unique<Impl>();
  if (auto opened = impl->open(config); !opened) return opened.error();
  return std::unique_ptr<Mailbox>(new Mailbox(std::move(impl)));
}
std::optional<Letter> Mailbox::receive(Duration longest) { return impl_->receive(longest); }
void Mailbox::send(const std::string& to, std::string_view topic, std::string_view text) {
  impl_->send(to, topic, text);
}
const std::string& Mailbox::bound_endpoint() const { return impl_->bound; }

class Correspondent::Impl {
 public:
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::dealer};
};

Correspondent::Correspondent(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Correspondent::~Correspondent() = default;

Result<std::unique_ptr<Correspondent>> Correspondent::connect(const std::string& endpoint,
                                                              const std::optional<CurveClientKeys>& curve) {
  constexpr int kLinger_ms = 2000;
  try {
    auto impl = std::make_unique<Impl>();
    impl->socket.set(zmq::sockopt::linger, kLinger_ms);
    impl->socket.set(zmq::sockopt::maxmsgsize, kMostPartBytes);
    impl->socket.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
    if (curve) {
      impl->socket.set(zmq::sockopt::curve_serverkey, curve->server_public_key);
      impl->socket.set(zmq::sockopt::curve_publickey, curve->public_key);
      impl->socket.set(zmq::sockopt::curve_secretkey, curve->secret_key);
    }
    impl->socket.connect(endpoint);
    return std::unique_ptr<Correspondent>(new Correspondent(std::move(impl)));
  } catch (const zmq::error_t& error) {
    return Error{fmt::format("Cannot connect to \"{}\": {}. Check the endpoint and the keys.", endpoint, error.what())};
  }
}

std::optional<Letter> Correspondent::receive(Duration longest) {
  zmq_pollitem_t item{impl_->socket.handle(), 0, ZMQ_POLLIN, 0};
  if (longest > Duration::zero()) (void)zmq_poll(&item, 1, left_ms(Clock::now() + longest));
  auto parts = take_parts(impl_->socket);
  if (parts.empty()) return std::nullopt;
  return letter_of({}, parts, 0, static_cast<std::size_t>(kMostPartBytes));
}

bool Correspondent::send(std::string_view topic, std::string_view text, Duration patience) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    if (impl_->socket.send(zmq::buffer(topic), zmq::send_flags::dontwait | zmq::send_flags::sndmore)) {
      return impl_->socket.send(zmq::buffer(text), zmq::send_flags::dontwait).has_value();
    }
    const long left = left_ms(deadline);
    if (left == 0) return false;
    zmq_pollitem_t item{impl_->socket.handle(), 0, ZMQ_POLLOUT, 0};
    (void)zmq_poll(&item, 1, left);
  }
}

}  // namespace strigil::daq
