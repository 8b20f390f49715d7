// Publisher: one sink's blocks and events over ZeroMQ (docs/publication.md). The tick never touches it: it reads
// SinkRings, on its own thread (real time) or when pumped (virtual time).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daq/fanout.hpp"
#include "daq/publish/curve.hpp"
#include "daq/publish/message.hpp"
#include "daq/publish/subscriber_book.hpp"
#include "daq/result.hpp"
#include "daq/stream.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

/// What a message meets when one subscriber's queue is full.
enum class WhenFull : std::uint8_t {
  kDrop,  ///< lost for that subscriber alone, who sees it by sequence (live data)
  kWait,  ///< the publisher waits for the slowest, at most Config::patience once, then kDrop (replay, virtual time)
};

struct PublisherConfig {
  std::string endpoint = "tcp://127.0.0.1:*";  ///< see checked_bind_endpoint; "*" as port picks a free one
  int high_water_mark = 8192;                  ///< messages queued for each subscriber; about 3 kB each at most
  Duration heartbeat = from_seconds(0.5);
  Duration describe = from_seconds(1.0);  ///< descriptions are repeated this often
  Duration linger = from_seconds(2.0);    ///< longest wait at the end for subscribers to get the end
  WhenFull when_full = WhenFull::kDrop;
  Duration patience = from_seconds(5.0);
  bool own_thread = true;  ///< false: nothing happens except in pump(), wait_for_subscribers() and stop_and_drain()
  std::optional<CurveServerFiles> curve = std::nullopt;  ///< needed for anything beyond this machine
};

/// What the publisher says about the run in every heartbeat.
struct PublishedRun {
  std::string id;                             ///< run id, not empty
  std::string state = "running";              ///< until the first kSupervisorState event
  std::vector<std::string> state_names = {};  ///< words for the states in kSupervisorState events, by number
};

/// What has been done so far. Any thread; exact after stop_and_drain.
struct PublishCounts {
  std::vector<StreamTotals> streams;
  std::uint64_t events = 0;
  std::uint64_t heartbeats = 0;
  PublishDrops drops;
  std::string failure;                        ///< why ZeroMQ refused messages (see drops.send); empty when it never did
  std::vector<SubscriberCounts> subscribers;  ///< who announced themselves by name
  std::uint64_t acknowledgements_refused = 0;
  bool patience_lost = false;  ///< kWait gave up on a subscriber and dropped from then on
};

class Publisher {
 public:
  /// Binds and, with own_thread, starts publishing. `streams[i].id` must be i. Errors: endpoint refused, busy or
  /// malformed; keys unreadable; invalid stream.
  static Result<std::unique_ptr<Publisher>> start(const PublisherConfig& config, const PublishedRun& run,
                                                  const std::vector<StreamDescription>& streams,
                                                  std::shared_ptr<SinkRings> rings);
  /// Stops without an end message (subscribers will see that the run is incomplete) unless stop_and_drain was called.
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// The endpoint with its real port, for people and subscribers. Any thread.
  [[nodiscard]] const std::string& bound_endpoint() const;
  /// With CURVE, the public key that clients need (Z85); otherwise empty. Any thread.
  [[nodiscard]] const std::string& public_key() const;
  /// Subscriptions that stand now (a client with two subscriptions counts twice). Any thread.
  [[nodiscard]] std::size_t subscriber_count() const noexcept;
  /// Waits until `subscriptions` stand; false after `timeout`. The thread that owns the publisher.
  bool wait_for_subscribers(std::size_t subscriptions, Duration timeout);
  /// Without own_thread: publishes what waits in the rings; heartbeats follow `now`. Owner only. Never blocks with
  /// kDrop.
  void pump(HostTime now);
  /// Publishes what is left; where named subscribers are alive, also a last heartbeat that they are to acknowledge
  /// (waits Config::linger / 2 at most); then publishes the end message with `result_json` (an object) in it, waits
  /// until every subscriber has unsubscribed or gone, and closes the socket; Config::linger at most for all after the
  /// draining. Precondition: the loop pushes no more. Owner only; a second call changes nothing.
  PublishCounts stop_and_drain(const std::string& result_json = "{}");
  /// The same; `result` is asked once everything else is out, and is told what was published: a verdict may rest on it.
  using EndResult = std::function<std::string(const PublishCounts&)>;
  PublishCounts stop_and_drain(const EndResult& result);
  [[nodiscard]] PublishCounts counts() const;
  /// A JSON object to be published as kProfile (of `stream`, which must be described) or kLedger. False, and nothing
  /// goes out, when too many wait or the text is longer than any subscriber takes. Any thread but the loop's (locks).
  bool post(MessageKind kind, const std::string& stream, std::string json);

 private:
  class Impl;
  explicit Publisher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strigil::daq
