#include "apps/drill_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "apps/drill_virtual.hpp"
#include "apps/places.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

/// A folder for run files, gone with its owner unless it is to be kept.
class Folder {
 public:
  explicit Folder(const std::string& keep) : keep_(!keep.empty()), path_(keep) {
    std::error_code failure;
    if (keep_) {
      fs::create_directories(path_, failure);
    } else {
      path_ = (fs::temp_directory_path() / "strigil-drill-XXXXXX").string();
      if (::mkdtemp(path_.data()) == nullptr) path_.clear();
    }
  }
  ~Folder() {
    std::error_code ignored;
    if (!keep_ && !path_.empty()) fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  bool keep_;
  std::string path_;
};

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

}  // namespace

int drill_command(const DrillArguments& a) {
  const auto path = find_toml(a.catalogue, "apps/drills", "drill catalogue");
  if (!path) return refuse(path.error().message);
  const auto text = daq::read_text_file(*path);
  if (!text) return refuse(text.error().message);
  auto catalogue = parse_drills(*text, *path);
  if (!catalogue) return refuse(catalogue.error().message);
  auto& drills = catalogue->drills;
  if (!a.only.empty()) std::erase_if(drills, [&](const Drill& d) { return d.name != a.only; });
  if (!a.real) std::erase_if(drills, [](const Drill& d) { return !d.virtual_time; });
  if (drills.empty()) return refuse(fmt::format("the catalogue has no drill '{}' for this kind of time", a.only));
  const auto prepared = prepare(catalogue->protocol, catalogue->bench);
  if (!prepared) return refuse(prepared.error().message);
  const Folder folder(a.keep);
  if (folder.path().empty()) return refuse("no folder for the run files can be made");

  std::mt19937_64 random(a.seed);
  std::vector<std::vector<DrillScore>> scores;
  for (const auto& drill : drills) {
    auto& row = scores.emplace_back();
    for (const auto phase : drill.phases) {
      for (int i = 0; i < a.repeats; ++i) {
        auto fault = drill.fault;
        fault.after = phase;
        fault.at = daq::from_seconds(std::uniform_real_distribution<double>(0, longest_s(phase))(random));
        const auto out = fmt::format("{}/{}-{}-{}.h5", folder.path(), drill.name, name_of(phase), i);
        const auto drilled = drill_virtually(*prepared, fault, a.seed + static_cast<std::uint64_t>(i), out);
        if (!drilled) return refuse(fmt::format("drill {}: {}", drill.name, drilled.error().message));
        row.push_back(score(drill, *drilled, prepared->bench.stage.clear_z_m, prepared->bench.interlock.max_force_N));
        std::error_code ignored;
        if (a.keep.empty()) fs::remove(out, ignored);
      }
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
