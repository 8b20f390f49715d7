#include "apps/listen_command.hpp"

#include <fmt/format.h>
#include <zmq.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/json_text.hpp"

namespace strigil::apps {
namespace {

constexpr int kSilence_ms = 60'000;
// Offsets of the headers (docs/publication.md).
constexpr std::size_t kTagAt = 4;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kSamplesAt = 20;

template <typename T>
T little(const std::string& bytes, std::size_t at) {
  std::uint64_t v = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    v = v << 8U | static_cast<unsigned char>(at + i < bytes.size() ? bytes[at + i] : 0);
  }
  return static_cast<T>(v);
}

struct CloseContext {
  void operator()(void* c) const { (void)::zmq_ctx_term(c); }
};
struct CloseSocket {
  void operator()(void* s) const { (void)::zmq_close(s); }
};

class Listener {
 public:
  explicit Listener(const std::string& name)
      : context_(::zmq_ctx_new()), socket_(::zmq_socket(context_.get(), ZMQ_SUB)), own_("strigil/1/ack/" + name) {
    const int timeout = kSilence_ms;
    (void)::zmq_setsockopt(socket_.get(), ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    subscribe(own_);
    said_ = own_;
    subscribe("strigil/1/");
  }
  bool connect(const std::string& endpoint) { return ::zmq_connect(socket_.get(), endpoint.c_str()) == 0; }

  /// One message; false at the end or when none came.
  bool take() {
    auto parts = receive();
    if (parts.size() < 2) return false;
    const auto& topic = parts[0];
    if (topic == "strigil/1/end") {
      ended_ = true;
      return false;
    }
    constexpr std::string_view kBlock = "strigil/1/block/";
    if (topic.starts_with(kBlock)) samples_[topic.substr(kBlock.size())] += little<std::uint16_t>(parts[1], kSamplesAt);
    if (topic == "strigil/1/heartbeat" && parts.size() > 2) acknowledge(parts[1], parts[2]);
    return true;
  }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& samples() const { return samples_; }

 private:
  void subscribe(const std::string& topic) {
    (void)::zmq_setsockopt(socket_.get(), ZMQ_SUBSCRIBE, topic.data(), topic.size());
  }

  std::vector<std::string> receive() {
    std::vector<std::string> parts;
    int more = 1;
    while (more != 0) {
      zmq_msg_t message;
      (void)::zmq_msg_init(&message);
      const int size = ::zmq_msg_recv(&message, socket_.get(), 0);
      if (size >= 0) {
        parts.emplace_back(static_cast<const char*>(::zmq_msg_data(&message)), static_cast<std::size_t>(size));
        more = ::zmq_msg_more(&message);
      }
      (void)::zmq_msg_close(&message);
      if (size < 0 && errno != EINTR) return {};
    }
    return parts;
  }

  /// What came so far is said by subscribing to it; then the last word is taken back.
  void acknowledge(const std::string& header, const std::string& text) {
    const auto beat = daq::parse_json(text);
    if (beat.is_object()) {
      for (const auto& s : beat.value("streams", nlohmann::json::array())) (void)samples_[s.value("stream", "")];
    }
    std::string counts;
    for (const auto& [stream, n] : samples_) counts += fmt::format("{}{}={}", counts.empty() ? "" : ",", stream, n);
    const auto now = fmt::format("{}/{:08x}/{}/{}", own_, little<std::uint32_t>(header, kTagAt),
                                 little<std::uint64_t>(header, kSequenceAt), counts);
    subscribe(now);
    (void)::zmq_setsockopt(socket_.get(), ZMQ_UNSUBSCRIBE, said_.data(), said_.size());
    said_ = now;
  }

  std::unique_ptr<void, CloseContext> context_;
  std::unique_ptr<void, CloseSocket> socket_;
  std::string own_;
  std::string said_;
  std::map<std::string, std::uint64_t> samples_;
  bool ended_ = false;
};

}  // namespace

int listen_command(const std::string& endpoint, const std::string& name) {
  Listener listener(name);
  if (!listener.connect(endpoint)) return refuse(fmt::format("cannot listen on '{}'", endpoint));
  while (listener.take()) {
  }
  for (const auto& [stream, n] : listener.samples()) fmt::print("{}: {} samples\n", stream, n);
  if (listener.ended()) return kPass;
  return refuse(fmt::format("nothing came from '{}' for {} s", endpoint, kSilence_ms / 1000)), kFail;
}

}  // namespace strigil::apps
