// Subscriber: the receiving end in C++, with a ledger for each topic. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daq/publish/curve.hpp"
#include "daq/publish/message.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

struct SubscriberConfig {
  std::string endpoint;
  std::vector<std::string> topics = {std::string(kTopicRoot)};  ///< prefixes
  int high_water_mark = 8192;
  std::optional<CurveClientKeys> curve = std::nullopt;
  /// [a-z0-9_]{1,28}: announces itself under this name and acknowledges every heartbeat. Empty: stays unknown.
  std::string name = {};
};

/// One topic's account. received + lost + missed_before = newest sequence + 1 unless out_of_order > 0.
struct TopicLedger {
  std::uint64_t received = 0;
  std::uint64_t lost = 0;           ///< sequence numbers skipped since we joined
  std::uint64_t missed_before = 0;  ///< sent before we joined
  std::uint64_t out_of_order = 0;   ///< repeated or older sequence numbers (never from our publisher)
  std::uint64_t samples = 0;        ///< of block topics
  std::uint64_t next = 0;           ///< the sequence number expected next
};

/// Received against published, for one stream.
struct StreamBalance {
  std::string stream;
  std::uint64_t published_blocks = 0, published_samples = 0;
  std::uint64_t received_blocks = 0, received_samples = 0;
  std::uint64_t unseen_blocks = 0;  ///< published and not received: lost, missed before joining or cut at the end
  /// True when every published sample was received.
  [[nodiscard]] bool exact() const {
    return published_blocks == received_blocks && published_samples == received_samples;
  }
};

class Subscriber {
 public:
  /// Connects (in the background, as ZeroMQ does: a publisher that is not there yet is no error). Errors: malformed
  /// endpoint, key or name.
  static Result<std::unique_ptr<Subscriber>> connect(const SubscriberConfig& config);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  /// The next message, or nothing after `timeout`. An Error is one malformed message, counted and skipped; poll again.
  Result<std::optional<Message>> poll(Duration timeout);
  /// Accounts of the run heard last (another run tag starts them again).
  [[nodiscard]] const std::map<std::string, TopicLedger>& ledgers() const;
  [[nodiscard]] std::uint64_t malformed() const;
  [[nodiscard]] std::vector<StreamBalance> balance(const EndMessage& end) const;

 private:
  class Impl;
  explicit Subscriber(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
