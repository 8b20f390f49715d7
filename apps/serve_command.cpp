#include "apps/serve_command.hpp"

#include <fmt/format.h>

#include "apps/controller.hpp"
#include "apps/detector_process.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "apps/stop_request.hpp"
#include "daq/control/control_server.hpp"

namespace strigil::apps {

int serve_command(const ServeArguments& a) {
  const auto path = find_toml(a.bench, "rig/benches", "bench");
  if (!path) return refuse(path.error().message);
  const auto bench = rig::load_bench(*path);
  if (!bench) return refuse(bench.error().message);
  auto keys = publisher_config(a.publication);
  if (!keys) return refuse(keys.error().message);
  for (const auto& command : a.detector_commands) {
    if (auto words = words_of_command(command); !words) return refuse(words.error().message);
  }
  Controller controller({.bench = *bench,
                         .bench_file = *path,
                         .publication = a.publication,
                         .runs = a.runs,
                         .detector_commands = a.detector_commands,
                         .detector_rules = a.detector_rules});
  const auto server = daq::ControlServer::start(
      {.endpoint = a.control, .curve = keys->curve},
      [&](const daq::ControlRequest& request) { return controller.handle(request); }, [&] { controller.idle(); });
  if (!server) return refuse(server.error().message);
  catch_stop_signals();
  fmt::print("control: {}\n", (*server)->bound_endpoint());
  if (!(*server)->public_key().empty()) fmt::print("public key: {}\n", (*server)->public_key());
  std::fflush(stdout);
  controller.work();
  return kPass;
}

}  // namespace strigil::apps
