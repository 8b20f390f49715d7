#include "apps/sim_command.hpp"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/strict_toml.hpp"
#include "sim/real_time_world.hpp"

namespace strigil::apps {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) { stop.store(true); }

}  // namespace

int sim_command(const std::string& bench, const std::string& dir, std::uint64_t seed) {
  const auto path = find_toml(bench, "rig/benches", "bench");
  if (!path) return refuse(path.error().message);
  const auto text = daq::read_text_file(*path);
  if (!text) return refuse(text.error().message);
  auto config = sim::parse_sim_config(*text, *path);
  if (!config) return refuse(config.error().message);
  config->seed = seed;
  auto world = sim::RealTimeWorld::start(*config, dir);
  if (!world) return refuse(world.error().message);
  const auto bench_file = dir + "/bench.toml";
  std::ofstream out(bench_file, std::ios::trunc);
  out << (*world)->bench_on_these_wires(*text);
  out.close();
  if (!out) return refuse(fmt::format("'{}' cannot be written", bench_file));
  struct sigaction action {};
  action.sa_handler = on_signal;
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
  fmt::print("ready {}\n", bench_file);
  std::fflush(stdout);
  (*world)->run(stop);
  const auto& p = (*world)->world().plant();
  fmt::print("{{\"totals\": {}, \"stage\": {{\"x_mm\": {:.3f}, \"z_mm\": {:.3f}, \"speed_mm_s\": {:.3f}}}}}\n",
             sim::to_json((*world)->totals()), p.position_m[rig::kX] * 1e3, p.position_m[rig::kZ] * 1e3,
             p.velocity_m_s[rig::kX] * 1e3);
  return kPass;
}

}  // namespace strigil::apps
