#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/drill.hpp"
#include "daq/ledger.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/record/verify.hpp"
#include "protocols/runner.hpp"
#include "rig/interlock.hpp"

namespace strigil::apps {
namespace {

constexpr double kStill_m_s = 1e-4;
constexpr double kClearTolerance_m = 1e-3;  // a stage that has lost steps is not quite where it thinks
/// What a killed writer may lose (docs/run_file.md); of any other run nothing up to the fault may be missing.
constexpr daq::Duration kMostLost = std::chrono::seconds(1);

struct Noticed {
  daq::HostTime at;
  std::string by;
  bool tripped = false;
};

bool says(const std::string& text, const std::vector<std::string>& any) {
  return std::any_of(any.begin(), any.end(), [&](const std::string& w) { return text.find(w) != std::string::npos; });
}

/// What an event says was noticed; empty: nothing that counts here.
std::string noticed(const daq::Event& e, const Drill& drill) {
  switch (e.code) {
    case daq::EventCode::kInterlockTrip:
      return rig::fault_names(static_cast<std::uint32_t>(e.arguments[0]));
    case daq::EventCode::kStepEnded: {
      const auto outcome = static_cast<protocols::StepOutcome>(e.arguments[1]);
      const bool own = outcome != protocols::StepOutcome::kDone && outcome != protocols::StepOutcome::kInterlock;
      return own ? fmt::format("step: {}", protocols::name_of(outcome)) : "";
    }
    case daq::EventCode::kDecodeError:
    case daq::EventCode::kClockJump: {
      // What a device's session tells and nobody acts on: it counts where the catalogue asks for it.
      const std::string name(daq::name_of(e.code));
      return says(name, drill.by) ? fmt::format("event: {}", name) : "";
    }
    default:
      return "";
  }
}

/// The first sentence of the reason that says it, or of the first reason.
std::string message_of(const DrillRun& run, const Drill& drill) {
  for (const auto& reason : run.reasons) {
    if (says(reason, drill.by)) return reason;
  }
  return run.reasons.empty() ? "" : run.reasons.front();
}

/// "whole", "recovered" or what is wrong. `last` becomes the last receive time of anything in it.
std::string rescued(const std::string& path, daq::HostTime& last, std::string& readable) {
  readable = path;
  auto report = daq::verify(path);
  std::string state = "whole";
  if (!report || !report->problems.empty() || !report->finished) {
    readable = path + ".recovered";
    std::error_code ignored;
    std::filesystem::remove(readable, ignored);
    const auto saved = daq::recover(path, readable);
    if (!saved) return saved.error().message;
    report = daq::verify(readable);
    if (!report) return report.error().message;
    state = "recovered";
  }
  for (const auto& s : report->streams) last = std::max(last, s.last_received);
  return state;
}

class Scorer {
 public:
  Scorer(const Drill& drill, const DrillRun& run, double clear_z_m, double max_force_N)
      : drill_(drill), run_(run), clear_z_m_(clear_z_m), max_force_N_(max_force_N) {}

  DrillScore score() {
    s_.phase = run_.phase;
    s_.judgement = run_.judgement;
    s_.peak_force_N = run_.truth.peak_force_N;
    s_.end_force_N = run_.truth.end_force_N;
    s_.message = message_of(run_, drill_);
    if (!run_.truth.fault_at) {
      fail("the run ended before the fault was made: " + (run_.reasons.empty() ? "" : run_.reasons.front()));
      s_.disturbed = true;
      s_.file = "not looked at";
      return s_;
    }
    s_.made = true;
    file();
    detection();
    safety();
    verdict();
    return s_;
  }

 private:
  void fail(std::string why) { s_.failings.push_back(std::move(why)); }

  void file() {
    daq::HostTime last;
    s_.file = rescued(run_.run_file, last, readable_);
    if (s_.file != "whole" && s_.file != drill_.file) {
      fail(fmt::format("the run file: {}, where it should be {}", s_.file, drill_.file));
    }
    if (last + kMostLost < *run_.truth.fault_at) fail("the run file ends more than 1 s before the fault");
    if (s_.file != "whole" && s_.file != "recovered") readable_.clear();
    if (readable_.empty() || s_.file != "whole") return;
    auto reader = daq::RunReader::open(readable_);
    const auto ledger = reader ? (*reader)->ledger() : daq::Result<std::vector<daq::LedgerRow>>(reader.error());
    if (!ledger) return fail(ledger.error().message);
    for (const auto& problem : daq::unbalanced(*ledger)) fail("the ledger does not balance: " + problem);
  }

  void detection() {
    const auto& fault_at = *run_.truth.fault_at;
    std::optional<Noticed> first;
    daq::HostTime last = fault_at;
    auto reader = readable_.empty() ? daq::Result<std::unique_ptr<daq::RunReader>>(daq::Error{"no file"})
                                    : daq::RunReader::open(readable_);
    for (std::uint64_t i = 0; reader && i < (*reader)->event_count(); ++i) {
      const auto e = (*reader)->event(i);
      if (!e) break;
      last = std::max(last, e->at);
      auto by = noticed(*e, drill_);
      if (by.empty()) continue;
      if (e->at < fault_at) {
        fail(fmt::format("before the fault: {}", by));
        s_.disturbed = true;
      } else if (!first || e->at < first->at) {
        first = {e->at, by, e->code == daq::EventCode::kInterlockTrip};
      }
      if (!by.starts_with("event")) acted_ = true;
    }
    if (!first && run_.judgement == "none" && drill_.verdict == "none") {
      // Nobody is left who could notice: the stage stops by itself.
      first = {run_.truth.last_danger, "nobody left"};
    }
    if (!first && drill_.verdict == "PASS" && listener_lost()) first = {last, "ledger"};
    if (!first && aborted() && run_.truth.lifted_at) first = {*run_.truth.lifted_at, "verdict"};  // no event says it
    if (!first && run_.judgement != "none" && says(s_.message, drill_.by)) first = {last, "verdict"};
    if (!first) return fail("SILENT: nobody noticed");
    s_.detected_by = first->by;
    s_.tripped = first->tripped;
    s_.detection_s = daq::seconds(first->at - fault_at);
    if (s_.detection_s > drill_.within_s) {
      fail(fmt::format("noticed after {:.1f} ms, {:.1f} are allowed", s_.detection_s * 1e3, drill_.within_s * 1e3));
    }
    if (first->by != "verdict" && first->by != "ledger" && !says(first->by, drill_.by))
      fail(fmt::format("noticed as '{}'", first->by));
  }

  /// What one who listens has lost, by the run's own ledger.
  [[nodiscard]] bool listener_lost() const {
    auto reader = daq::RunReader::open(readable_);
    const auto ledger = reader ? (*reader)->ledger() : daq::Result<std::vector<daq::LedgerRow>>(reader.error());
    return ledger && std::any_of(ledger->begin(), ledger->end(), [](const daq::LedgerRow& row) {
             return row.hop.starts_with(daq::hop::kSubscriber) && row.lost > 0;
           });
  }

  void safety() {
    const auto& t = run_.truth;
    const bool clear = t.end_force_N <= 0 && t.end_z_m >= clear_z_m_ - kClearTolerance_m;
    const bool still = t.end_speed_m_s <= kStill_m_s;
    s_.response = !clear ? Response::kStop : acted_ || aborted() ? Response::kLift : Response::kCarryOn;
    s_.safe_after_s = daq::seconds(t.last_danger - *t.fault_at);
    if (!still) fail(fmt::format("the stage still moves at {:.1f} mm/s", t.end_speed_m_s * 1e3));
    if (t.peak_force_N > max_force_N_) fail(fmt::format("the force came to {:.1f} N", t.peak_force_N));
    s_.safe = still && t.end_force_N <= max_force_N_;
    if (std::find(drill_.responses.begin(), drill_.responses.end(), s_.response) == drill_.responses.end()) {
      fail(fmt::format("the rig's response was {}", name_of(s_.response)));
    }
  }

  [[nodiscard]] bool aborted() const { return says(s_.message, {"recorder failed"}); }

  void verdict() {
    if (run_.judgement != drill_.verdict) fail(fmt::format("the verdict is {}", run_.judgement));
    if (drill_.verdict != "INVALID") return;
    if (!says(s_.message, drill_.by)) fail("no reason of the verdict says it");
  }

  const Drill& drill_;
  const DrillRun& run_;
  double clear_z_m_;
  double max_force_N_;
  DrillScore s_;
  std::string readable_;
  bool acted_ = false;  // a trip or a failed step: the run ended because of it
};

}  // namespace

DrillScore score(const Drill& drill, const DrillRun& run, double clear_z_m, double max_force_N) {
  return Scorer(drill, run, clear_z_m, max_force_N).score();
}

}  // namespace strigil::apps
