#include "apps/home_command.hpp"

#include <fmt/format.h>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "apps/short_run.hpp"
#include "apps/stop_request.hpp"
#include "rig/homing.hpp"

namespace strigil::apps {
namespace {

constexpr char kAxisLetters[] = "xyz";

daq::Result<std::array<bool, rig::kAxes>> axes_of(const std::string& letters) {
  std::array<bool, rig::kAxes> wanted{};
  for (const char c : letters) {
    const auto at = std::string_view(kAxisLetters).find(c);
    if (at == std::string_view::npos) {
      return daq::Error{fmt::format("'{}' is no axis: --axes takes letters of \"xyz\", e.g. --axes z", c)};
    }
    wanted[at] = true;
  }
  return wanted;
}

std::string failure(const rig::Homing& homing, rig::Rig& rig) {
  if (stop_request().load() > 0) return "was stopped by the operator; home it again before it moves";
  auto words = fmt::format("was not homed at axis {}: {}", kAxisLetters[homing.axis()], rig::name_of(homing.outcome()));
  const auto faults = rig.interlock().latched();
  if (faults != 0) words += fmt::format(" ({}). {}", rig::fault_names(faults), rig::fault_advice(faults));
  const auto trouble = rig.stage_trouble();
  if (!trouble.empty()) words += fmt::format(". It {}", trouble);
  return words;
}

}  // namespace

daq::Result<HomingDone> carry_out_homing(const HomingOptions& o) {
  const auto wanted = axes_of(o.axes);
  if (!wanted) return wanted.error();
  auto run = ShortRun::bring_up(
      {.bench = o.bench, .purpose = rig::RigPurpose::kHome, .virtual_time = o.virtual_time, .seed = o.seed});
  if (!run) return run.error();
  auto& rig = (*run)->rig();
  rig::Homing homing(rig.ability(), *wanted, daq::from_seconds(o.timeout_s));
  fmt::print(stderr, "homing the stage on {}{}\n", o.bench.stage.link,
             rig.ability().homes_at_once ? " (all its axes, in its own order)" : "");
  if (!o.bench.stage.calibration.empty()) {
    fmt::print(stderr,
               "note: homing finds the stage's own zero, by its counts; the error map '{}' is of the zero before: "
               "`strigil calibrate stage_verify` says whether it still holds\n",
               o.bench.stage.calibration);
  }
  (*run)->perform(homing, {});
  HomingDone done{.found_m = homing.found_m(), .failure = {}};
  if (homing.outcome() != rig::HomingOutcome::kDone)
    done.failure = fmt::format("the stage on {} {}", o.bench.stage.link, failure(homing, rig));
  return done;
}

int home_command(const HomeArguments& a) {
  const auto path = find_toml(a.bench, "rig/benches", "bench");
  if (!path) return refuse(path.error().message);
  auto bench = rig::load_bench(*path);
  if (!bench) return refuse(bench.error().message);
  if (auto there = put_on_bench({}, *bench); !there) return refuse(there.error().message);
  catch_stop_signals();
  const auto done = carry_out_homing({.bench = *bench,
                                      .axes = a.axes,
                                      .timeout_s = a.timeout_s,
                                      .virtual_time = a.virtual_time,
                                      .seed = a.seed});
  if (!done) return refuse(done.error().message);
  if (!done->failure.empty()) {
    fmt::print(stderr, "strigil: {}\n", done->failure);
    return kFail;
  }
  const auto& p = done->found_m;
  fmt::print("homed: the stage stands at x {:.3f}, y {:.3f}, z {:.3f} mm\n", p[rig::kX] * 1e3, p[rig::kY] * 1e3,
             p[rig::kZ] * 1e3);
  return kPass;
}

}  // namespace strigil::apps
