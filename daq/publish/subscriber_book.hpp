// Subscriber book: who listens by name, how far behind each is and what each has lost, by their acknowledgements.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "daq/publish/message.hpp"
#include "daq/time.hpp"

namespace strigil::daq {

/// One stream of one subscriber. published = before + received + lost + under way.
struct SubscriberStream {
  std::string stream;
  std::uint64_t before = 0;    ///< samples published before it came
  std::uint64_t received = 0;  ///< by its last word
  std::uint64_t lost = 0;      ///< published since it came, up to the heartbeat it last acknowledged (after the end: up
                               ///< to the end), and not received
};

/// One named subscriber.
struct SubscriberCounts {
  std::string name;
  bool alive = false;   ///< heard within three heartbeats, and not gone
  double behind_s = 0;  ///< age of the last heartbeat that it has acknowledged; before the first: since it came
  std::vector<SubscriberStream> streams;
};

/// Any thread (locks); the loop never comes here. Hostile input: names are bounded in number, counts are checked
/// against what was published.
class SubscriberBook {
 public:
  static constexpr std::size_t kMostSubscribers = 64;
  SubscriberBook(std::uint32_t run_tag, Duration heartbeat) : run_tag_(run_tag), heartbeat_(heartbeat) {}

  /// Heartbeat `sequence` leaves with these totals.
  void told(std::uint64_t sequence, HostTime at, const std::vector<StreamTotals>& totals);
  /// Somebody subscribed to an acknowledgement topic, or took the subscription back (which at last means: has gone).
  /// `published`: so far, so that what was sent before it came is not taken for its loss, nor the other way round.
  void subscribed(std::string_view topic, HostTime now, const std::vector<StreamTotals>& published);
  void unsubscribed(std::string_view topic);
  /// Nobody is waited for any more: what was published since somebody came and is not acknowledged, it has lost.
  void finish(const std::vector<StreamTotals>& published);
  /// True when no subscriber is alive.
  [[nodiscard]] bool nobody(HostTime now) const;
  /// True when every subscriber that is alive has acknowledged heartbeat `sequence` or a later one.
  [[nodiscard]] bool all_acknowledged(std::uint64_t sequence, HostTime now) const;
  [[nodiscard]] std::vector<SubscriberCounts> counts(HostTime now) const;
  /// Acknowledgements that were none: malformed, of too many names, or of samples that were never published.
  [[nodiscard]] std::uint64_t refused() const;

 private:
  struct Told {
    std::uint64_t sequence = 0;
    HostTime at;
    std::vector<StreamTotals> totals;
  };
  struct Entry {
    SubscriberCounts counts;
    std::map<std::string, std::uint64_t> unmentioned;  ///< streams it had nothing of: published then
    std::vector<StreamTotals> before;                  ///< published when it came
    HostTime came;
    std::string topic;  ///< its newest acknowledgement
    HostTime heard;
    bool gone = false;
    bool acknowledged = false;
    std::uint64_t heartbeat = 0;
    HostTime heartbeat_at;
  };
  [[nodiscard]] bool alive(const Entry& entry, HostTime now) const;
  bool take(std::string_view topic, HostTime now, const std::vector<StreamTotals>& published);
  Entry* find_or_add(const std::string& name);

  static constexpr std::size_t kRemembered = 256;  // heartbeats: two minutes
  const std::uint32_t run_tag_;
  const Duration heartbeat_;
  mutable std::mutex mutex_;
  std::deque<Told> told_;
  std::vector<Entry> entries_;
  std::uint64_t refused_ = 0;
};

}  // namespace strigil::daq
