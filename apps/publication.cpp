#include "apps/publication.hpp"

#include <fmt/format.h>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/strict_toml.hpp"
#include "rig/supervisor.hpp"

namespace strigil::apps {

daq::Result<daq::PublisherConfig> publisher_config(const Publication& p) {
  daq::PublisherConfig config;
  config.endpoint = p.endpoint;
  if (p.curve_secret_key.empty() != p.curve_clients.empty()) {
    return daq::Error{"--curve-secret-key and --curve-clients go together; docs/publication.md says what is in them"};
  }
  if (!p.curve_secret_key.empty()) config.curve = daq::CurveServerFiles{p.curve_secret_key, p.curve_clients};
  return config;
}

daq::PublishedRun published_run(const std::string& run_id) {
  daq::PublishedRun run;
  run.id = run_id;
  for (int s = 0; s < rig::kSupervisorStates; ++s) {
    run.state_names.emplace_back(rig::name_of(static_cast<rig::SupervisorState>(s)));
  }
  return run;
}

daq::Error too_few_subscriptions(const Publication& p, const daq::Publisher& publisher) {
  return {fmt::format("{} subscriptions were waited for on {} and {} came. Nothing was moved", p.wait_subscriptions,
                      publisher.bound_endpoint(), publisher.subscriber_count())};
}

daq::Result<std::optional<daq::CurveClientKeys>> client_keys(const std::string& server_key,
                                                             const std::string& secret_key) {
  if (server_key.empty() && secret_key.empty()) return std::optional<daq::CurveClientKeys>();
  if (server_key.empty() || secret_key.empty()) {
    return daq::Error{"--server-key and --curve-secret-key go together (docs/control.md, Security)"};
  }
  const auto secret = daq::read_text_file(secret_key);
  if (!secret) return secret.error();
  const auto open_key = daq::read_text_file(secret_key + ".pub");
  if (!open_key) return open_key.error();
  const auto line = [](const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); };
  return std::optional<daq::CurveClientKeys>({server_key, line(*open_key), line(*secret)});
}

int keys_command(const std::string& file) {
  const auto pair = daq::make_curve_key_pair();
  if (!pair) return refuse(pair.error().message);
  if (auto r = write_new(file, kOwnerOnly, pair->second + '\n'); !r) return refuse(r.error().message);
  if (auto r = write_new(file + ".pub", kAnyoneReads, pair->first + '\n'); !r) return refuse(r.error().message);
  fmt::print("secret key (tell nobody): {}\npublic key: {}\n", file, pair->first);
  return kPass;
}

}  // namespace strigil::apps
