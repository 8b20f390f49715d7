#include "daq/control/control_client.hpp"

#include <fmt/format.h>

#include <chrono>
#include <zmq.hpp>

namespace strigil::daq {

class ControlClient::Impl {
 public:
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::dealer};
  std::string endpoint;
  std::string client;
  std::string token;
  std::uint64_t last_id = 0;

  Result<ControlReply> ask(const std::string& verb, const std::string& arguments, Duration timeout) {
    const ControlRequest request{
        .id = ++last_id, .verb = verb, .client = client, .token = token, .arguments = arguments};
    const auto text = encode(request);
    if (text.size() > kMaxControlBytes) return Error{fmt::format("the request '{}' is too long", verb)};
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const auto silent = [&] {
      return Error{fmt::format("the rig at {} did not answer '{}' within {:.1f} s; is `strigil serve` running there?",
                               endpoint, verb, seconds(timeout))};
    };
    // Immediate: without a connection there is no queue to grow old in, and a late command is worse than none.
    if (!wait(ZMQ_POLLOUT, deadline)) return silent();
    if (!socket.send(zmq::buffer(text), zmq::send_flags::dontwait)) return silent();
    while (wait(ZMQ_POLLIN, deadline)) {
      zmq::message_t part;
      if (!socket.recv(part, zmq::recv_flags::dontwait)) continue;
      while (part.more()) {
        if (!socket.recv(part, zmq::recv_flags::dontwait)) break;
      }
      auto reply = decode_control_reply(part.to_string_view());
      if (!reply) return reply.error();
      if (reply->id == request.id) return reply;
    }
    return silent();
  }

 private:
  bool wait(short what, std::chrono::steady_clock::time_point deadline) {
    for (;;) {  // a signal ends zmq_poll early and must not look like a timeout
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      zmq_pollitem_t item{socket.handle(), 0, what, 0};
      if (zmq_poll(&item, 1, std::max<long>(0, left.count())) > 0) return true;
      if (std::chrono::steady_clock::now() >= deadline) return false;
    }
  }
};

Result<std::unique_ptr<ControlClient>> ControlClient::connect(const ControlClientConfig& config) {
  auto impl = std::make_unique<Impl>();
  impl->endpoint = config.endpoint;
  impl->client = config.client;
  if (const auto mine = decode_control_request(encode(ControlRequest{.verb = "hello", .client = config.client})); !mine)
    return mine.error();
  try {
    auto& s = impl->socket;
    s.set(zmq::sockopt::linger, 0);
    s.set(zmq::sockopt::immediate, true);
    s.set(zmq::sockopt::maxmsgsize, std::int64_t{kMaxControlBytes});
    s.set(zmq::sockopt::reconnect_ivl, 100);
    s.set(zmq::sockopt::reconnect_ivl_max, 2000);
    s.set(zmq::sockopt::ipv6, config.endpoint.find('[') != std::string::npos);
    if (config.curve) {
      s.set(zmq::sockopt::curve_serverkey, config.curve->server_public_key);
      s.set(zmq::sockopt::curve_publickey, config.curve->public_key);
      s.set(zmq::sockopt::curve_secretkey, config.curve->secret_key);
    }
    s.connect(config.endpoint);
  } catch (const zmq::error_t& error) {
    return Error{fmt::format("\"{}\" cannot be connected to: {}; an address is tcp://HOST:PORT or ipc://PATH",
                             config.endpoint, error.what())};
  }
  return std::unique_ptr<ControlClient>(new ControlClient(std::move(impl)));
}

ControlClient::ControlClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlClient::~ControlClient() = default;

Result<ControlReply> ControlClient::ask(const std::string& verb, const std::string& arguments_json, Duration timeout) {
  return impl_->ask(verb, arguments_json, timeout);
}
void ControlClient::set_token(std::string token) { impl_->token = std::move(token); }
const std::string& ControlClient::token() const noexcept { return impl_->token; }

}  // namespace strigil::daq
