// Where a run or a replay is published, and who may listen: the same options for both.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "daq/publish/publisher.hpp"
#include "daq/result.hpp"

namespace strigil::apps {

struct Publication {
  std::string endpoint;                ///< empty: none
  std::size_t wait_subscriptions = 0;  ///< to wait for before anything begins
  std::string curve_secret_key;        ///< file (docs/publication.md, Who may listen); empty: loopback only
  std::string curve_clients;           ///< file of the authorised clients' public keys
};

/// How long subscriptions are waited for.
inline constexpr daq::Duration kWaitForSubscribers = std::chrono::seconds(30);

/// The publisher's configuration for these options; own thread, dropping. Errors: one key file without the other.
daq::Result<daq::PublisherConfig> publisher_config(const Publication& publication);
/// What the publisher says of a run: its id, and the supervisor's states in words.
daq::PublishedRun published_run(const std::string& run_id);
/// What to say when too few subscribed in kWaitForSubscribers.
daq::Error too_few_subscriptions(const Publication& publication, const daq::Publisher& publisher);

/// A client's keys for a rig beyond this computer: the rig's public key, and our secret key's file with its .pub beside
/// it. Both empty: none. Errors: one without the other, files that cannot be read.
daq::Result<std::optional<daq::CurveClientKeys>> client_keys(const std::string& server_key,
                                                             const std::string& secret_key);

/// Makes a CURVE key pair: FILE (secret, mode 0600) and FILE.pub. Never writes over a file. Exit code.
int keys_command(const std::string& file);

}  // namespace strigil::apps
