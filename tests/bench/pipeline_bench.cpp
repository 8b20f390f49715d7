// The whole pipeline: `strigil run`, as anybody runs it, with force at 7 kHz x 6 (each sample a datagram of its own, as
// a Net F/T sends them) and vibration at 25.6 kHz x 3 over a pseudo-terminal, from the wires of `strigil sim` to run
// file and subscriber. CPU time of the whole process, kernel included, per second of data. The devices and the
// subscriber are other processes and do not count. The reference, before and after: what it costs here and now that one
// thread reads each force datagram and wakes another, and nothing else.
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "daq/codec/rdt.hpp"
#include "daq/strict_toml.hpp"
#include "daq/temporary_folder.hpp"
#include "tests/bench/bare_relay.hpp"
#include "tests/bench/bare_zmq.hpp"
#include "tests/bench/cpu_clock.hpp"
#include "tests/bench/program.hpp"

namespace strigil::bench {
namespace {

namespace fs = std::filesystem;

constexpr double kForceRate_Hz = 7000;
constexpr double kVibrationRate_Hz = 25600;
constexpr double kBar = 0.25;

/// The simulated bench with the rates of this benchmark.
void write_bench(const fs::path& to) {
  auto text = daq::read_text_file(std::string(STRIGIL_SOURCE_DIR) + "/rig/benches/sim.toml");
  if (!text) give_up(text.error().message);
  const auto change = [&](std::string_view from, const std::string& into) {
    const auto at = text->find(from);
    if (at == std::string::npos) give_up(fmt::format("the simulated bench has no '{}' any more", from));
    text->replace(at, from.size(), into);
  };
  change("[bench]\n", "[bench]\nbring_up_timeout_s = 15\n");
  change("\nrate_Hz = 1000\n", fmt::format("\nrate_Hz = {}\n", kForceRate_Hz));
  change("[twin.phantom]", fmt::format("[twin]\nplant_rate_Hz = {0}\n[twin.vibration]\nrate_Hz = {0}\n[twin.phantom]",
                                       kVibrationRate_Hz));
  std::ofstream out(to);
  out << *text;
  if (!out) give_up(to.string() + " cannot be written");
}

/// How often the threads of a process have slept, and each thread's CPU time, by thread name.
struct Threads {
  std::uint64_t sleeps = 0;
  std::map<std::string, double> cpu_s;

  explicit Threads(pid_t process) {
    const double tick_s = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", process))) {
      std::ifstream status(task.path() / "status");
      for (std::string line; std::getline(status, line);) {
        constexpr std::string_view kSleeps = "voluntary_ctxt_switches:";
        if (line.starts_with(kSleeps)) sleeps += std::stoull(line.substr(kSleeps.size()));
      }
      std::string stat;
      std::getline(std::ifstream(task.path() / "stat"), stat);
      const auto open = stat.find('(');
      const auto close = stat.rfind(')');
      if (open == std::string::npos || close == std::string::npos) continue;
      std::istringstream fields(stat.substr(close + 1));
      std::string skipped;
      for (int i = 3; i <= 13; ++i) fields >> skipped;  // fields 14 and 15: user and system time
      double user = 0;
      double system = 0;
      fields >> user >> system;
      cpu_s[stat.substr(open + 1, close - open - 1)] += (user + system) * tick_s;
    }
  }
};

/// Samples that have reached the subscriber.
struct Arrived {
  std::atomic<std::uint64_t> force{0}, vibration{0};

  void take(std::string_view header) {  // docs/publication.md
    std::uint16_t channels = 0;
    std::uint16_t samples = 0;
    std::memcpy(&channels, &header[18], sizeof channels);
    std::memcpy(&samples, &header[20], sizeof samples);
    if (channels == 6) force.fetch_add(samples);
    if (channels == 3 && samples > 1) vibration.fetch_add(samples);  // the stage's position has 3 as well
  }
};

/// One look at everything that is compared between two instants.
struct Look {
  Look(pid_t process, const Arrived& arrived)
      : cpu_s(process_cpu_s(process)),
        at_s(daq::seconds(daq::host_now() - daq::HostTime{})),
        force(static_cast<double>(arrived.force.load())),
        vibration(static_cast<double>(arrived.vibration.load())) {}
  double cpu_s, at_s, force, vibration;
};

int pipeline_bench(const Options& options) {
  const int windows = options.choose(9, 3, 1);
  const double window_s = options.choose(2.5, 1.0, 0.5);
  if (options.program.empty()) give_up("say where the program is: --strigil PROGRAM");
  const auto made = daq::TemporaryFolder::make("pipeline");
  if (!made) give_up(made.error().message);
  const auto& folder = made->path();
  write_bench(folder + "/rates.toml");
  const auto bare = [&] {
    return bare_relay_share(daq::from_seconds(1 / kForceRate_Hz), static_cast<std::uint64_t>(window_s * kForceRate_Hz),
                            daq::kRdtRecordSize);
  };
  const double bare_before = bare();
  Program sim({options.program, "sim", "--dir", folder, "--bench", folder + "/rates.toml"}, folder + "/sim.log");
  (void)sim.await_line("ready ");
  Program run({options.program, "run", "demo", "--bench", folder + "/bench.toml", "--publish", "tcp://127.0.0.1:*",
               "--wait-subscriptions", "1", "--out", folder + "/run.h5"},
              folder + "/run.log");
  const auto endpoint = run.await_line("publishing on ");
  Arrived arrived;
  const Receiver receiver(endpoint, [&](std::string_view header, daq::HostTime) { arrived.take(header); });
  const auto patience = daq::host_now() + daq::from_seconds(20);
  while (arrived.force.load() < static_cast<std::uint64_t>(kForceRate_Hz)) {  // it has begun, and runs in
    if (daq::host_now() > patience) give_up("the run did not begin: " + run.said());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::vector<double> shares;
  const Threads threads_before(run.pid());
  const Look first(run.pid(), arrived);
  Look before = first;
  for (int i = 0; i < windows; ++i) {
    std::this_thread::sleep_for(std::chrono::duration<double>(window_s));
    const Look after(run.pid(), arrived);
    // Blocks are up to 10 ms long; a device that kept less than its pace would make the pipeline look cheap.
    const double force_s = (after.force - before.force) / kForceRate_Hz;
    const double vibration_s = (after.vibration - before.vibration) / kVibrationRate_Hz;
    const double wall_s = after.at_s - before.at_s;
    if (!options.smoke && std::min(force_s, vibration_s) < 0.95 * wall_s) {
      give_up(
          fmt::format("{:.2f} s of force and {:.2f} s of vibration came in {:.2f} s", force_s, vibration_s, wall_s));
    }
    shares.push_back((after.cpu_s - before.cpu_s) / force_s);
    before = after;
  }
  const double data_s = (before.force - first.force) / kForceRate_Hz;
  Threads threads(run.pid());
  std::string by_thread;
  for (auto& [name, cpu] : threads.cpu_s) {
    const double share = (cpu - threads_before.cpu_s.at(name)) / data_s;
    if (share >= 0.002) by_thread += fmt::format(", {} {:.1f} %", name, 100 * share);
  }
  if (const int code = run.end(SIGINT); code == 3 || code < 0) give_up("the run failed: " + run.said());
  Program ledger({options.program, "ledger", folder + "/run.h5"}, folder + "/ledger.log");
  if (ledger.end(0) != 0) give_up("the ledger does not balance: " + ledger.said());
  const auto told = ledger.said();
  const auto lost = told.find("nothing was lost") == std::string::npos ? "; SAMPLES WERE LOST" : "; nothing was lost";
  (void)sim.end(SIGTERM);
  const double bare_after = bare();
  Figure f;
  f.name = "whole pipeline, 7 kHz x 6 and 25.6 kHz x 3";
  f.unit = "of a core";
  f.ours = f.judged = median(shares);
  f.reference = (bare_before + bare_after) / 2;
  f.at_most = kBar;
  f.note = fmt::format("{} windows of {} s: {:.3f} to {:.3f}{}{}; {:.0f} wake-ups/s", windows, window_s,
                       percentile(shares, 0), percentile(shares, 1), by_thread, lost,
                       static_cast<double>(threads.sleeps - threads_before.sleeps) / data_s);
  return report(options, {f});
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::pipeline_bench(strigil::bench::parse_options(argc, argv)); }
