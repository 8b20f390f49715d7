#include "apps/ctl_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "apps/stop_request.hpp"
#include "daq/control/control_client.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

using Json = nlohmann::ordered_json;
constexpr auto kHoldPeriod = std::chrono::milliseconds(100);

std::string who() {
  char host[64] = "?";
  (void)::gethostname(host, sizeof(host) - 1);
  const char* user = std::getenv("USER");
  return fmt::format("{}@{}", user != nullptr && *user != '\0' ? user : "ctl", host);
}

std::string token_path(const CtlArguments& a) {
  if (!a.token_file.empty()) return a.token_file;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') return fmt::format("{}/strigil-ctl.token", runtime);
  return fmt::format("/tmp/strigil-ctl-{}.token", ::getuid());
}

/// A file of its owner's alone; a link that somebody else put there is not followed.
daq::Result<void> keep_token(const std::string& path, const std::string& token) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return daq::Error{fmt::format("'{}' cannot be made: {}", path, std::strerror(errno))};
  struct stat status {};
  const bool mine = ::fstat(file, &status) == 0 && status.st_uid == ::getuid() && ::fchmod(file, 0600) == 0;
  const bool written = mine && ::write(file, token.data(), token.size()) == static_cast<ssize_t>(token.size());
  const bool closed = ::close(file) == 0;
  if (!written || !closed) return daq::Error{fmt::format("'{}' cannot keep the token", path)};
  return {};
}

/// {"key": value} of KEY=VALUE words.
daq::Result<Json> arguments_of(const std::vector<std::string>& settings) {
  Json json = Json::object();
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return daq::Error{fmt::format("'{}' is not KEY=VALUE, e.g. vx_mm_s=5 or protocol=demo", setting)};
    }
    const auto text = setting.substr(equals + 1);
    const auto value = daq::parse_ordered_json(text);
    json[setting.substr(0, equals)] = value.is_number() || value.is_boolean() ? value : Json(text);
  }
  return json;
}

int show(const daq::ControlReply& reply) {
  if (!reply.ok) {
    fmt::print(stderr, "refused ({}): {}\n", reply.code, reply.refusal);
    return kFail;
  }
  fmt::print("{}\n", daq::json_text(daq::parse_ordered_json(reply.result), 1));
  return kPass;
}

}  // namespace

int ctl_command(const CtlArguments& a) {
  const auto arguments = arguments_of(a.settings);
  if (!arguments) return refuse(arguments.error().message);
  const auto keys = client_keys(a.server_key, a.secret_key);
  if (!keys) return refuse(keys.error().message);
  auto client = daq::ControlClient::connect(
      {.endpoint = a.endpoint, .client = a.client.empty() ? who() : a.client, .curve = *keys});
  if (!client) return refuse(client.error().message);
  const auto timeout = daq::from_seconds(a.timeout_s);
  if (const auto token = daq::read_text_file(token_path(a), 256)) (*client)->set_token(*token);
  const auto reply = (*client)->ask(a.verb, arguments->dump(), timeout);
  if (!reply) return refuse(reply.error().message);
  if (reply->ok && a.verb == "take") {
    const auto result = daq::parse_ordered_json(reply->result);
    if (auto kept = keep_token(token_path(a), result.value("token", "")); !kept) return refuse(kept.error().message);
  }
  if (!reply->ok || a.hold_s <= 0) return show(*reply);

  // The dead man's switch: this program is the hand on it, and Ctrl-C lets go.
  catch_stop_signals();
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(a.hold_s);
  while (std::chrono::steady_clock::now() < until && stop_request().load() == 0) {
    std::this_thread::sleep_for(kHoldPeriod);
    const auto held = (*client)->ask("hold", "{}", timeout);
    if (!held) return refuse(held.error().message);
    if (!held->ok) return show(*held);
  }
  const auto halted = (*client)->ask("halt", "{}", timeout);
  if (!halted) return refuse(halted.error().message);
  return show(*halted);
}

}  // namespace strigil::apps
