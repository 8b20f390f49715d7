#include "apps/drill_real.hpp"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/child.hpp"
#include "apps/drill_truth.hpp"
#include "daq/json_text.hpp"
#include "daq/strict_toml.hpp"
#include "sim/real_time_world.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;
using daq::Duration;

constexpr Duration kLongestRun = std::chrono::seconds(90);
/// Longer than what a stage is told ahead and its own time-out: what moves then would go on.
constexpr Duration kAfterwards = std::chrono::milliseconds(1500);

bool needs_listener(sim::FaultKind kind) {
  return kind == sim::FaultKind::kFreezeSubscriber || kind == sim::FaultKind::kKillSubscriber;
}

/// Does to processes what the world says is due. On the world's thread.
class HostFaults {
 public:
  void rig(const Child* child, std::string run_file) {
    run_file_ = std::move(run_file);
    rig_.store(child, std::memory_order_release);
  }
  void listener(const Child* child) { listener_.store(child, std::memory_order_release); }

  void see(const sim::World& world, daq::HostTime now) {
    while (carried_out_ < world.made().size()) begin(world.made()[carried_out_++]);
    const auto* rig = rig_.load(std::memory_order_acquire);
    if (rig != nullptr && wakes_ && now >= *wakes_) {
      rig->signal(SIGCONT);
      wakes_.reset();
    }
  }

 private:
  void begin(const sim::MadeFault& made) {
    const auto* rig = rig_.load(std::memory_order_acquire);
    const auto* listener = listener_.load(std::memory_order_acquire);
    std::error_code failure;
    if (rig == nullptr) return;
    switch (made.fault.kind) {
      case sim::FaultKind::kStallHost:
        rig->signal(SIGSTOP);
        wakes_ = made.at + made.fault.lasts;
        return;
      case sim::FaultKind::kKillHost:
        return rig->signal(SIGKILL);
      case sim::FaultKind::kFillDisk:
        return rig->limit_files(fs::file_size(run_file_, failure));
      case sim::FaultKind::kFreezeSubscriber:
        return listener == nullptr ? void() : listener->signal(SIGSTOP);
      case sim::FaultKind::kKillSubscriber:
        return listener == nullptr ? void() : listener->signal(SIGKILL);
      default:
        return;  // the world did it
    }
  }

  std::string run_file_;
  std::atomic<const Child*> rig_{nullptr};
  std::atomic<const Child*> listener_{nullptr};
  std::size_t carried_out_ = 0;
  std::optional<daq::HostTime> wakes_;
};

/// The world on a thread of its own, stopped with its owner.
class Turning {
 public:
  explicit Turning(sim::RealTimeWorld& world, HostFaults& host)
      : thread_([this, &world, &host] {
          world.run(stop_, [&](daq::HostTime now) {
            watch_.see(world.world(), now);
            host.see(world.world(), now);
          });
        }) {}
  ~Turning() { finish(); }
  Turning(const Turning&) = delete;
  Turning& operator=(const Turning&) = delete;
  DrillTruth finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return watch_.truth();
  }

 private:
  std::atomic<bool> stop_{false};
  TruthWatch watch_;
  std::thread thread_;  // last: it uses the others
};

void read_verdict(const std::string& path, DrillRun& run) {
  run.judgement = "none";
  const auto text = daq::read_text_file(path);
  const auto j = text ? daq::parse_json(*text) : nlohmann::json();
  if (!j.is_object()) return;
  run.judgement = j.value("judgement", "none");
  for (const auto& reason : j.value("reasons", nlohmann::json::array()))
    run.reasons.push_back(reason.value("text", ""));
}

}  // namespace

daq::Result<DrillRun> drill_really(const std::string& protocol, const std::string& bench, const sim::SimFault& fault,
                                   std::uint64_t seed, const std::string& dir) {
  auto text = daq::read_text_file(bench);
  if (!text) return text.error();
  *text += "\n" + to_toml(fault);
  auto config = sim::parse_sim_config(*text, bench);
  if (!config) return config.error();
  config->seed = seed;
  auto world = sim::RealTimeWorld::start(*config, dir + "/wires");
  if (!world) return world.error();
  const auto bench_file = dir + "/bench.toml";
  std::ofstream(bench_file) << (*world)->bench_on_these_wires(*text);
  // Writing beyond a limit on files then fails, as on a full disk, and does not kill: inherited by the child.
  (void)std::signal(SIGXFSZ, SIG_IGN);

  DrillRun drilled;
  drilled.phase = fault.after;
  drilled.run_file = dir + "/run.h5";
  HostFaults host;
  std::vector<std::string> arguments{"run",   protocol,         "--bench", bench_file, "--seed", std::to_string(seed),
                                     "--out", drilled.run_file, "--json",  "--quiet"};
  std::unique_ptr<Child> rig;
  std::unique_ptr<Child> listener;
  Turning turning(**world, host);  // last: it signals the others
  if (needs_listener(fault.kind)) {
    const auto endpoint = "ipc://" + dir + "/publisher";
    for (const auto& a : {std::string("--publish"), endpoint, std::string("--wait-subscriptions"), std::string("1")}) {
      arguments.push_back(a);
    }
    auto started = Child::start({"listen", endpoint, "--name", "screen"}, dir + "/listener.out", dir + "/listener.err");
    if (!started) return started.error();
    listener = std::move(*started);
    host.listener(listener.get());
  }
  auto run = Child::start(arguments, dir + "/verdict.json", dir + "/rig.err");
  if (!run) return run.error();
  rig = std::move(*run);
  host.rig(rig.get(), drilled.run_file);
  const auto ended = rig->wait(kLongestRun);
  if (!ended) rig->signal(SIGKILL);
  std::this_thread::sleep_for(kAfterwards);
  drilled.truth = turning.finish();
  read_verdict(dir + "/verdict.json", drilled);
  if (!ended) drilled.reasons = {"the rig's process never came to its end"};
  return drilled;
}

}  // namespace strigil::apps
