#include "daq/publish/subscriber_book.hpp"

#include <algorithm>

#include "daq/publish/acknowledgement.hpp"

namespace strigil::daq {
namespace {

std::uint64_t samples_of(const std::vector<StreamTotals>& totals, const std::string& stream) {
  const auto found =
      std::find_if(totals.begin(), totals.end(), [&](const StreamTotals& t) { return t.stream == stream; });
  return found == totals.end() ? 0 : found->samples;
}

}  // namespace

void SubscriberBook::told(std::uint64_t sequence, HostTime at, const std::vector<StreamTotals>& totals) {
  const std::scoped_lock lock(mutex_);
  told_.push_back({sequence, at, totals});
  if (told_.size() > kRemembered) told_.pop_front();
}

void SubscriberBook::subscribed(std::string_view topic, HostTime now, const std::vector<StreamTotals>& published) {
  const std::scoped_lock lock(mutex_);
  if (!take(topic, now, published)) ++refused_;
}

SubscriberBook::Entry* SubscriberBook::find_or_add(const std::string& name) {
  auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.counts.name == name; });
  if (entry != entries_.end()) return &*entry;
  if (entries_.size() < kMostSubscribers) return &entries_.emplace_back();
  // Who went without ever having said what it got has no account that would be lost.
  entry = std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return e.gone && !e.acknowledged; });
  if (entry == entries_.end()) return nullptr;
  *entry = {};
  return &*entry;
}

bool SubscriberBook::take(std::string_view topic, HostTime now, const std::vector<StreamTotals>& published) {
  const auto a = decode_acknowledgement(topic);
  if (!a) return false;
  Entry* entry = find_or_add(a->name);
  if (entry == nullptr) return false;
  // A bare name is somebody new, be it a second process under the same name: its account begins here.
  if (entry->counts.name.empty() || !a->heartbeat) {
    *entry = {};
    entry->counts.name = a->name;
    entry->before = published;
    entry->came = now;
  }
  entry->heard = now;
  entry->topic = topic;
  entry->gone = false;
  if (!a->heartbeat || a->run_tag != run_tag_) return true;  // it is there, and still speaks of another run
  const auto told =
      std::find_if(told_.begin(), told_.end(), [&](const Told& t) { return t.sequence == *a->heartbeat; });
  if (told == told_.end()) return false;
  std::vector<SubscriberStream> streams;
  std::map<std::string, std::uint64_t> unmentioned;
  for (const auto& total : told->totals) {
    const auto said =
        std::find_if(a->samples.begin(), a->samples.end(), [&](const auto& s) { return s.first == total.stream; });
    if (said == a->samples.end()) {
      unmentioned[total.stream] = total.samples;
      continue;
    }
    const auto known = std::find_if(entry->counts.streams.begin(), entry->counts.streams.end(),
                                    [&](const SubscriberStream& s) { return s.stream == total.stream; });
    SubscriberStream s{total.stream, 0, said->second, 0};
    if (s.received > total.samples) return false;
    // What is missing at its first word was sent before it came, but not more than had been sent when it came; what is
    // missing more it has lost. Was it there and did not speak of this stream, then what was sent up to then.
    const auto silent = entry->unmentioned.find(total.stream);
    s.before = known != entry->counts.streams.end() ? known->before
               : silent != entry->unmentioned.end()
                   ? silent->second
                   : std::min(total.samples - s.received, samples_of(entry->before, total.stream));
    if (s.before + s.received > total.samples) return false;
    s.lost = total.samples - s.received - s.before;
    streams.push_back(s);
  }
  entry->counts.streams = std::move(streams);
  entry->unmentioned = std::move(unmentioned);
  entry->acknowledged = true;
  entry->heartbeat = told->sequence;
  entry->heartbeat_at = told->at;
  return true;
}

void SubscriberBook::unsubscribed(std::string_view topic) {
  const std::scoped_lock lock(mutex_);
  for (auto& entry : entries_) {
    if (entry.topic == topic) entry.gone = true;
  }
}

void SubscriberBook::finish(const std::vector<StreamTotals>& published) {
  const std::scoped_lock lock(mutex_);
  for (auto& entry : entries_) {
    for (auto& s : entry.counts.streams) s.lost = samples_of(published, s.stream) - s.received - s.before;
  }
}

bool SubscriberBook::alive(const Entry& entry, HostTime now) const {
  constexpr int kPatience = 3;
  return !entry.gone && now - entry.heard <= kPatience * heartbeat_;
}

bool SubscriberBook::nobody(HostTime now) const {
  const std::scoped_lock lock(mutex_);
  return std::none_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return alive(e, now); });
}

bool SubscriberBook::all_acknowledged(std::uint64_t sequence, HostTime now) const {
  const std::scoped_lock lock(mutex_);
  return std::all_of(entries_.begin(), entries_.end(),
                     [&](const Entry& e) { return !alive(e, now) || (e.acknowledged && e.heartbeat >= sequence); });
}

std::vector<SubscriberCounts> SubscriberBook::counts(HostTime now) const {
  const std::scoped_lock lock(mutex_);
  std::vector<SubscriberCounts> out;
  for (const auto& entry : entries_) {
    out.push_back(entry.counts);
    out.back().alive = alive(entry, now);
    out.back().behind_s = seconds(now - (entry.acknowledged ? entry.heartbeat_at : entry.came));
  }
  return out;
}

std::uint64_t SubscriberBook::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

}  // namespace strigil::daq
