#include "ui/bench_link.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <nlohmann/json.hpp>

#include "daq/control/control_client.hpp"
#include "daq/json_text.hpp"
#include "daq/publish/subscriber.hpp"

namespace strigil::ui {
namespace {

using namespace std::chrono_literals;

constexpr auto kStatusPeriod = 100ms;
constexpr auto kHealthPeriod = 500ms;
constexpr auto kDetectionsPeriod = 250ms;
constexpr auto kRenewPeriod = 1s;
constexpr auto kHoldPeriod = 80ms;
constexpr daq::Duration kLetGo = 150ms;  // the screen has not said that the button is still down
constexpr daq::Duration kStale = 1s;
constexpr daq::Duration kAnswer = 1s;
constexpr daq::Duration kListen = 100ms;

void name_thread(const char* name) { (void)::pthread_setname_np(::pthread_self(), name); }

std::string token_of(const std::string& result) {
  const auto j = daq::parse_json(result);
  if (!j.is_object()) return {};
  const auto at = j.find("token");
  return at != j.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

/// The converser's client and what it remembers between two questions.
class Conversation {
 public:
  Conversation(Model& model, daq::ControlClient& client) : model_(model), client_(client) {}

  /// Asks; keeps the token, the protocols and the status where they are told. False: no answer.
  bool ask(const std::string& verb, const std::string& arguments) {
    const auto reply = client_.ask(verb, arguments, kAnswer);
    const std::scoped_lock lock(model_.mutex);
    auto& s = model_.state;
    s.controller_answers = reply.ok();
    if (!reply) {
      s.controller_words = reply.error().message;
      return false;
    }
    if (!reply->ok) {
      if (reply->code == "not_in_control") lose_control();
      const bool by_itself = verb == "renew" || verb == "hold" || verb == "health" || verb == "detections";
      if (!by_itself) s.controller_words = reply->refusal;
      return true;
    }
    if (verb == "take") {
      client_.set_token(token_of(reply->result));
      s.in_control = !client_.token().empty();
    } else if (verb == "give") {
      lose_control();
    } else if (verb == "hello") {
      s.protocols = parse_library(reply->result, "protocols");
      s.suites = parse_library(reply->result, "suites");
    } else if (verb == "status") {
      if (auto status = parse_status(reply->result)) s.status = std::move(*status);
      if (!s.status.emergency && s.stop_confirmed) s.stop_asked = s.stop_confirmed = false;
      return true;
    } else if (verb == "health") {
      if (auto health = parse_health(reply->result)) s.health = std::move(*health);
      return true;
    }
    if (verb == "detections") {
      take_detections(reply->result, s.detections);
      return true;
    }
    if (verb != "renew" && verb != "hold") s.controller_words.clear();
    return true;
  }
  [[nodiscard]] bool in_control() const { return !client_.token().empty(); }
  /// How many have been told.
  [[nodiscard]] std::size_t detections() const {
    const std::scoped_lock lock(model_.mutex);
    return model_.state.detections.all.size();
  }

 private:
  void lose_control() {
    client_.set_token({});
    model_.state.in_control = false;
  }
  Model& model_;
  daq::ControlClient& client_;
};

BenchLink::BenchLink(Model& model, const BenchLinkConfig& config) : model_(model), config_(config) {
  converser_ = std::thread([this] { converse(); });
  stopper_ = std::thread([this] { stop_when_asked(); });
  listener_ = std::thread([this] { listen(); });
}

BenchLink::~BenchLink() {
  {
    const std::scoped_lock lock(mutex_);
    leaving_ = true;
  }
  wake_.notify_all();
  converser_.join();
  stopper_.join();
  listener_.join();
}

void BenchLink::ask(const std::string& verb, const std::string& arguments_json) {
  const std::scoped_lock lock(mutex_);
  wanted_.push_back({verb, arguments_json, daq::host_now()});
  wake_.notify_all();
}

void BenchLink::press(const std::string& verb, const std::string& arguments_json) {
  const std::scoped_lock lock(mutex_);
  held_ = true;
  held_at_ = daq::host_now();
  wanted_.push_back({verb, arguments_json, held_at_});
  wake_.notify_all();
}

void BenchLink::hold() {
  const std::scoped_lock lock(mutex_);
  if (held_) held_at_ = daq::host_now();
}

void BenchLink::release() {
  const std::scoped_lock lock(mutex_);
  if (!held_) return;
  held_ = false;
  wanted_.push_back({"halt", "{}", daq::host_now()});
  wake_.notify_all();
}

void BenchLink::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (stop_wanted_) return;  // on its way, and asked until it is confirmed
  }
  {
    const std::scoped_lock lock(model_.mutex);
    model_.state.stop_asked = true;
    model_.state.stop_confirmed = false;
  }
  const std::scoped_lock lock(mutex_);
  stop_wanted_ = true;
  held_ = false;
  wanted_.clear();
  wake_.notify_all();
}

void BenchLink::converse() {
  name_thread("ui control");
  auto client = daq::ControlClient::connect({config_.control, config_.client, config_.curve});
  if (!client) {
    const std::scoped_lock lock(model_.mutex);
    model_.state.controller_words = client.error().message;
    return;
  }
  Conversation conversation(model_, **client);
  bool greeted = false;
  daq::HostTime looked;
  daq::HostTime renewed;
  daq::HostTime looked_closely;
  daq::HostTime heard;
  daq::HostTime told_held;
  while (!leaving_) {
    std::optional<Wanted> next;
    bool hold = false;
    {
      std::unique_lock lock(mutex_);
      const auto period = held_ ? kHoldPeriod : kStatusPeriod;
      (void)wake_.wait_for(lock, period / 4, [&] { return leaving_ || !wanted_.empty(); });
      const auto now = daq::host_now();
      while (!wanted_.empty() && !next) {
        if (now - wanted_.front().asked < kStale) next = wanted_.front();
        wanted_.pop_front();
      }
      // A frozen screen lets go as a hand would that has slipped off.
      if (held_ && now - held_at_ > kLetGo) {
        held_ = false;
        wanted_.push_back({"halt", "{}", now});
      }
      hold = held_ && !next && now - told_held > kHoldPeriod;
    }
    if (leaving_) break;
    const auto now = daq::host_now();
    bool answered = true;
    if (next) {
      answered = conversation.ask(next->verb, next->arguments);
    } else if (hold) {
      answered = conversation.ask("hold", "{}");
      told_held = now;
    } else if (!greeted) {
      greeted = conversation.ask("hello", "{}");
      answered = greeted;
    } else if (now - looked > kStatusPeriod) {
      answered = conversation.ask("status", "{}");
      looked = now;
    } else if (now - looked_closely > kHealthPeriod) {
      answered = conversation.ask("health", "{}");
      looked_closely = now;
    } else if (now - heard > kDetectionsPeriod) {
      answered = conversation.ask("detections", fmt::format("{{\"from\": {}}}", conversation.detections()));
      heard = now;
    }
    if (conversation.in_control() && now - renewed > kRenewPeriod) {
      (void)conversation.ask("renew", "{}");
      renewed = now;
    }
    if (!answered) greeted = false;  // whoever answers next may be another
  }
  if (conversation.in_control()) (void)(*client)->ask("give", "{}", 200ms);
}

void BenchLink::stop_when_asked() {
  name_thread("ui stop");
  auto client = daq::ControlClient::connect({config_.control, config_.client, config_.curve});
  if (!client) return;  // the converser has said why
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return leaving_ || stop_wanted_; });
      if (leaving_) return;
    }
    const auto reply = (*client)->ask("stop", "{}", kAnswer);
    if (!reply || !reply->ok) continue;
    {
      const std::scoped_lock lock(mutex_);
      stop_wanted_ = false;
    }
    const std::scoped_lock lock(model_.mutex);
    model_.state.stop_confirmed = true;
  }
}

void BenchLink::listen() {
  name_thread("ui listen");
  std::unique_ptr<daq::Subscriber> subscriber;
  std::string endpoint;
  while (!leaving_) {
    std::string wanted;
    std::string key;
    {
      const std::scoped_lock lock(model_.mutex);
      wanted = model_.state.status.publication_endpoint;
      key = model_.state.status.publication_key;
    }
    if (wanted != endpoint) {
      endpoint = wanted;
      subscriber.reset();
      if (!endpoint.empty()) {
        auto curve = config_.curve;
        if (curve && !key.empty()) curve->server_public_key = key;
        auto connected = daq::Subscriber::connect({.endpoint = endpoint, .curve = curve});
        if (connected) subscriber = std::move(*connected);
        if (!connected) {
          const std::scoped_lock lock(model_.mutex);
          model_.state.controller_words = connected.error().message;
        }
      }
    }
    if (!subscriber) {
      std::unique_lock lock(mutex_);
      (void)wake_.wait_for(lock, kListen, [&] { return leaving_.load(); });
      continue;
    }
    auto message = subscriber->poll(kListen);
    if (!message) {
      model_.take_malformed();
    } else if (*message) {
      model_.take(**message);
    }
  }
}

}  // namespace strigil::ui
