#include "apps/drill_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>

#include "apps/drill_real.hpp"
#include "apps/drill_virtual.hpp"
#include "apps/places.hpp"
#include "daq/strict_toml.hpp"
#include "daq/temporary_folder.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 4;

/// How long after its beginning a fault may be made for the phase to be still on.
double longest_s(sim::FaultOrigin phase) {
  switch (phase) {
    case sim::FaultOrigin::kApproach:
      return 0.25;
    case sim::FaultOrigin::kContact:
      return 0.8;
    case sim::FaultOrigin::kStroke:
      return 0.45;
    default:
      return 0.03;
  }
}

/// The catalogue's bench as files of our own, with and without its taps.
struct Benches {
  struct Bench {
    std::string file;
    Prepared prepared;
  };
  Bench with_taps;
  Bench without_taps;

  static daq::Result<Benches> write(const std::string& bench, const std::string& protocol, const std::string& dir) {
    const auto path = find_toml(bench, "rig/benches", "bench");
    if (!path) return path.error();
    const auto text = daq::read_text_file(*path);
    if (!text) return text.error();
    auto with = make(*text, protocol, dir + "/bench-taps.toml");
    if (!with) return with.error();
    auto without = make(apps::without_taps(*text), protocol, dir + "/bench.toml");
    if (!without) return without.error();
    return Benches{std::move(*with), std::move(*without)};
  }

 private:
  static daq::Result<Bench> make(const std::string& text, const std::string& protocol, const std::string& file) {
    std::ofstream(file) << text;
    auto prepared = prepare(protocol, file);
    if (!prepared) return prepared.error();
    return Bench{file, std::move(*prepared)};
  }
};

/// Real time takes minutes: each run is told as it ends.
void say(const Drill& drill, const DrillScore& s) {
  fmt::print(stderr, "{} ({}): {} after {:.1f} ms, {}{}\n", drill.name, name_of(s.phase),
             s.detected_by.empty() ? "nobody" : s.detected_by, s.detection_s * 1e3, name_of(s.response),
             s.failings.empty() ? "" : "; BAD: " + s.failings.front());
}

}  // namespace

int drill_command(const DrillArguments& a) {
  const auto path = find_toml(a.catalogue, "apps/drills", "drill catalogue");
  if (!path) return refuse(path.error().message);
  const auto text = daq::read_text_file(*path);
  if (!text) return refuse(text.error().message);
  auto catalogue = parse_drills(*text, *path);
  if (!catalogue) return refuse(catalogue.error().message);
  if (!a.bench.empty()) catalogue->bench = a.bench;
  if (!a.protocol.empty()) catalogue->protocol = a.protocol;
  auto& drills = catalogue->drills;
  for (const auto& name : a.only) {
    if (std::none_of(drills.begin(), drills.end(), [&](const Drill& d) { return d.name == name; })) {
      return refuse(fmt::format("{} has no drill '{}'", *path, name));
    }
  }
  const auto unwanted = [&](const Drill& d) { return std::find(a.only.begin(), a.only.end(), d.name) == a.only.end(); };
  if (!a.only.empty()) std::erase_if(drills, unwanted);
  if (!a.real) std::erase_if(drills, [](const Drill& d) { return !d.virtual_time; });
  if (drills.empty()) return refuse("these drills need real wires and processes: add --real");
  std::optional<daq::TemporaryFolder> own;  // for run files that are not to be kept
  if (a.keep.empty()) {
    auto made = daq::TemporaryFolder::make("drill");
    if (!made) return refuse(made.error().message);
    own.emplace(std::move(*made));
  } else {
    std::error_code failure;
    fs::create_directories(a.keep, failure);
    if (failure) return refuse(fmt::format("no folder '{}' can be made: {}", a.keep, failure.message()));
  }
  const auto& folder = own ? own->path() : a.keep;
  const auto benches = Benches::write(catalogue->bench, catalogue->protocol, folder);
  if (!benches) return refuse(benches.error().message);

  std::mt19937_64 random(a.seed);
  std::vector<std::vector<DrillScore>> scores;
  for (std::size_t d = 0; d < drills.size(); ++d) {
    const auto& drill = drills[d];
    const auto& bench = drill.taps ? benches->with_taps : benches->without_taps;
    const auto& config = bench.prepared.bench;
    auto& row = scores.emplace_back();
    // In virtual time every phase; real time takes its time, so there they take turns.
    const std::size_t runs = static_cast<std::size_t>(a.repeats) * (a.real ? 1 : drill.phases.size());
    for (std::size_t i = 0; i < runs; ++i) {
      auto fault = drill.fault;
      fault.after = drill.phases[(i + (a.real ? d + a.seed : 0)) % drill.phases.size()];
      DrillScore scored;
      // A busy computer may end a run in real time before the fault is made: that says nothing of the drill.
      for (int attempt = 0; attempt < (a.real ? kAttempts : 1); ++attempt) {
        fault.at = daq::from_seconds(std::uniform_real_distribution<double>(0, longest_s(fault.after))(random));
        const auto dir = fmt::format("{}/{}-{}-{}-{}", folder, drill.name, name_of(fault.after), i, attempt);
        std::error_code failure;
        fs::create_directories(dir, failure);
        const auto drilled = a.real ? drill_really(catalogue->protocol, bench.file, fault, a.seed + i, dir)
                                    : drill_virtually(bench.prepared, fault, a.seed + i, dir + "/run.h5");
        if (!drilled) return refuse(fmt::format("drill {}: {}", drill.name, drilled.error().message));
        scored = score(drill, *drilled, config.stage.clear_z_m, config.interlock.max_force_N);
        scored.disturbed_before = static_cast<std::size_t>(attempt);
        if (a.keep.empty()) fs::remove_all(dir, failure);
        if (a.real) say(drill, scored);
        if (!scored.disturbed) break;
      }
      row.push_back(std::move(scored));
    }
  }
  fmt::print("{}", to_table(drills, scores));
  if (!a.json.empty()) {
    std::ofstream out(a.json, std::ios::trunc);
    out << to_json(drills, scores) << '\n';
    if (!out.flush()) return refuse(fmt::format("'{}' cannot be written", a.json));
  }
  const bool good = std::all_of(scores.begin(), scores.end(), [](const auto& row) {
    return std::all_of(row.begin(), row.end(), [](const DrillScore& s) { return s.failings.empty(); });
  });
  return good ? kPass : kFail;
}

}  // namespace strigil::apps
