// libFuzzer target for the publication decoder. Input: parts as (length byte pair, bytes), like a golden file but
// shorter.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "daq/publish/acknowledgement.hpp"
#include "daq/publish/message.hpp"
#include "daq/publish/subscriber_book.hpp"

namespace {

/// Whatever somebody says, nobody's account comes to more than was published.
void keep_a_book(const strigil::daq::MessageParts& topics) {
  using namespace strigil::daq;
  SubscriberBook book(0xdeadbeef, from_seconds(0.5));
  std::vector<StreamTotals> published{{0, "force", 0, 0}, {1, "vibration", 0, 0}};
  std::uint64_t heartbeat = 0;
  for (const auto& topic : topics) {
    book.subscribed(topic, {}, published);
    for (auto& p : published) p.samples += 64;
    book.told(heartbeat++, {}, published);
    book.subscribed(topic, {}, published);
    if (heartbeat % 2 == 0) book.unsubscribed(topic);
  }
  book.finish(published);
  for (const auto& subscriber : book.counts({})) {
    for (const auto& s : subscriber.streams) {
      const auto most = published.front().samples;  // both streams have had the same
      if (s.before > most || s.received > most || s.lost > most || s.before + s.received + s.lost != most) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  strigil::daq::MessageParts parts;
  for (std::size_t at = 0; at + 2 <= size && parts.size() < 6;) {
    const std::size_t wanted = data[at] | std::size_t{data[at + 1]} << 8U;
    at += 2;
    const std::size_t n = wanted < size - at ? wanted : size - at;
    parts.emplace_back(reinterpret_cast<const char*>(data + at), n);
    at += n;
  }
  if (!parts.empty()) {
    keep_a_book(parts);
    if (const auto a = strigil::daq::decode_acknowledgement(parts[0])) {
      const auto again = strigil::daq::decode_acknowledgement(strigil::daq::encode(*a));
      if (!again || strigil::daq::encode(*again) != strigil::daq::encode(*a)) std::abort();
    }
  }
  const auto message = strigil::daq::decode_message(parts);
  if (!message) return 0;
  // What is accepted must survive being written and read again.
  const auto again = strigil::daq::decode_message(strigil::daq::encode_message(*message));
  if (!again || strigil::daq::encode_message(*again) != strigil::daq::encode_message(*message)) std::abort();
  return 0;
}
