// Acknowledgement: how a subscriber says who it is and what it has got: by what it subscribes to (docs/publication.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strigil::daq {

/// Topics under this are no subscriptions to anything: they are acknowledgements.
inline constexpr std::string_view kAcknowledgementRoot = "strigil/1/ack/";
inline constexpr std::size_t kMaxAcknowledgement = 1000;  ///< bytes of the topic; a longer one is refused
/// "absence of " or "subscriber " and a name must fit into the hop of a ledger row of the run file (39 bytes): two
/// names that were cut there would be one.
inline constexpr std::size_t kMaxSubscriberName = 28;

/// [a-z0-9_]{1,28}
bool valid_subscriber_name(const std::string& name);

/// "strigil/1/ack/NAME/TAG/HEARTBEAT/STREAM=SAMPLES,STREAM=SAMPLES": of run TAG (8 hexadecimal digits), when heartbeat
/// number HEARTBEAT came, so many samples of each stream had come. "strigil/1/ack/NAME" alone only announces NAME.
struct Acknowledgement {
  std::string name;  ///< see valid_subscriber_name
  std::uint32_t run_tag = 0;
  std::optional<std::uint64_t> heartbeat;                      ///< nothing: only an announcement
  std::vector<std::pair<std::string, std::uint64_t>> samples;  ///< stream, samples since it came
};

/// At most kMaxAcknowledgement bytes: the last streams are left out when they do not fit (there is room for 20 long
/// names).
std::string encode(const Acknowledgement& acknowledgement);
/// The reverse. Hostile input: nothing unless every part is as above. Any thread.
std::optional<Acknowledgement> decode_acknowledgement(std::string_view topic);

}  // namespace strigil::daq
