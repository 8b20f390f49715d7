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

bool wrote(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.close();
  return !out.fail();
}

std::string cannot_write(const std::string& path) { return fmt::format("'{}' cannot be written", path); }

}  // namespace

int sim_command(const std::string& bench, const std::string& dir, std::uint64_t seed, const std::string& truth,
                const SpecimenArguments& specimen) {
  const auto path = find_toml(bench, "rig/benches", "bench");
  if (!path) return refuse(path.error().message);
  const auto text = daq::read_text_file(*path);
  if (!text) return refuse(text.error().message);
  auto config = sim::parse_sim_config(*text, *path);
  if (!config) return refuse(config.error().message);
  config->seed = seed;
  // A file for the simulator alone has no [bench] and names no phantom.
  rig::BenchConfig there;
  if (auto bench_config = rig::parse_bench(*text, *path)) there = std::move(*bench_config);
  if (auto put = put_on_bench(specimen, there); !put) return refuse(put.error().message);
  config->tissue = there.phantom_there;
  config->instrument = there.instrument_there;
  if (auto can = sim::can_simulate(*config); !can) return refuse(can.error().message);
  auto world = sim::RealTimeWorld::start(*config, dir);
  if (!world) return refuse(world.error().message);
  const auto bench_file = dir + "/bench.toml";
  std::string phantom_file;
  if (there.phantom_there) {
    phantom_file = dir + "/phantom.toml";
    if (!wrote(phantom_file, there.phantom_there->text)) return refuse(cannot_write(phantom_file));
  }
  const auto bench_text = bench_with((*world)->bench_on_these_wires(*text), phantom_file.empty() ? "" : "phantom.toml",
                                     there.instrument_there ? there.instrument.file : "");
  if (!wrote(bench_file, bench_text)) return refuse(cannot_write(bench_file));
  struct sigaction action {};
  action.sa_handler = on_signal;
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
  fmt::print("ready {}\n", bench_file);
  std::fflush(stdout);
  std::ofstream truth_file;
  if (!truth.empty()) {
    truth_file.open(truth, std::ios::trunc);
    if (!truth_file) return refuse(fmt::format("'{}' cannot be written", truth));
    truth_file << "host_ns,x_mm,y_mm,z_mm,normal_force_N,drag_N\n";
  }
  (*world)->run(stop, [&](daq::HostTime now) {
    if (!truth_file.is_open()) return;
    const auto& state = (*world)->world().plant();
    truth_file << fmt::format("{},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f}\n", now.ns, state.position_m[rig::kX] * 1e3,
                              state.position_m[rig::kY] * 1e3, state.position_m[rig::kZ] * 1e3, state.force_N[2],
                              state.force_N[0]);
  });
  const auto& p = (*world)->world().plant();
  fmt::print("{{\"totals\": {}, \"stage\": {{\"x_mm\": {:.3f}, \"z_mm\": {:.3f}, \"speed_mm_s\": {:.3f}}}}}\n",
             sim::to_json((*world)->totals()), p.position_m[rig::kX] * 1e3, p.position_m[rig::kZ] * 1e3,
             p.velocity_m_s[rig::kX] * 1e3);
  return kPass;
}

}  // namespace strigil::apps
