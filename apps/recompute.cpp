#include "apps/recompute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/calibration_gate.hpp"
#include "apps/run_command.hpp"
#include "apps/vibration_gate.hpp"
#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "protocols/evidence_text.hpp"
#include "protocols/report.hpp"
#include "protocols/run_values.hpp"
#include "protocols/stroke_series.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {
namespace {

using Json = nlohmann::ordered_json;

/// A readback this far from an end of a stroke is on its way (the runner's own measure).
constexpr double kUnderWay_m = 0.2e-3;
/// Of a mean force by another way: the runner takes the newest sample of each tick, and knows the way from reports as
/// old as their journey, so its stretch begins and ends up to a report or two elsewhere [A].
constexpr double kNearForce_N = 0.05;
constexpr double kNearDeviations = 0.3;

class Recomputation {
 public:
  Recomputation(daq::RunReader& reader, Recomputed& out) : reader_(reader), header_(reader.header()), out_(out) {}

  daq::Result<void> go() {
    const auto end = reader_.end();
    if (!end) return end.error();
    if (!*end) return fail("its writer never came to its end: there is no verdict to recompute");
    end_ = daq::nests_too_deep(**end) ? Json() : daq::parse_ordered_json(**end);
    if (!end_.is_object() || !end_.contains("verdict")) return fail("its end holds no verdict");
    if (!end_.contains("evidence")) {
      return fail(
          "it was made by a version that did not record the judge's evidence: the verdict cannot be recomputed");
    }
    if (!make_plan()) return {};
    auto evidence = protocols::parse_evidence(daq::json_text(end_["evidence"]), plan_);
    if (!evidence) return fail(evidence.error().message);
    evidence_ = std::move(*evidence);
    if (auto r = timing(); !r) return r;
    if (auto r = streams(); !r) return r;
    calibrated();
    const auto verdict = protocols::judge(plan_, evidence_);
    out_.verdict = name_of(verdict.judgement);
    compare("the verdict with all its reasons and strokes", protocols::to_json(plan_, verdict), end_["verdict"]);
    if (auto r = forces(verdict); !r) return r;
    out_.trusted.push_back("how each step of the plan ended, and what the runner's statistics gathered meanwhile");
    out_.trusted.push_back("what interlock, supervisor, operator and recorder said");
    out_.trusted.push_back("what the devices' links lost or rejected before the samples came here");
    return {};
  }

 private:
  daq::Result<void> fail(std::string why) {
    out_.problems.push_back(std::move(why));
    return {};
  }

  void compare(const char* what, const std::string& again, const Json& recorded) {
    const auto made = daq::parse_ordered_json(again);
    if (daq::json_text(made) == daq::json_text(recorded)) {
      out_.same.push_back(what);
      return;
    }
    const auto apart = Json::diff(recorded, made);
    const std::string first = apart.empty() ? "the order" : apart[0]["path"].get<std::string>();
    out_.problems.push_back(
        fmt::format("{}: recomputed, it is not what the run says ({} at {} of them)", what, first, apart.size()));
  }

  bool make_plan() {
    const auto text = [&](const char* name) -> const std::string* {
      const auto at = header_.config.find(name);
      if (at != header_.config.end()) return &at->second;
      out_.problems.push_back(fmt::format("it holds no {}: the plan cannot be made again", name));
      return nullptr;
    };
    const auto* bench_text = text("bench.toml");
    const auto* protocol_text = text("protocol.toml");
    const auto* plan_text = text("plan.json");
    if (bench_text == nullptr || protocol_text == nullptr || plan_text == nullptr) return false;
    auto bench = rig::parse_bench(*bench_text, "bench.toml");
    const auto protocol = protocols::parse_protocol(*protocol_text, "protocol.toml");
    if (!bench || !protocol) {
      out_.problems.push_back(bench ? protocol.error().message : bench.error().message);
      return false;
    }
    bench_ = std::move(*bench);
    auto plan = protocols::expand(*protocol, limits_of(bench_));
    if (!plan) {
      out_.problems.push_back(plan.error().message);
      return false;
    }
    plan_ = std::move(*plan);
    if (protocols::to_json(plan_) != *plan_text) {
      out_.problems.push_back("the plan made again from protocol.toml and bench.toml is not the plan.json of the run");
      return false;
    }
    out_.same.push_back("the plan, from protocol and bench");
    return true;
  }

  daq::Result<void> timing() {
    const auto roles = rig::roles_of(bench_);
    protocols::TimingTrace trace(protocols::traced_streams(header_.streams, roles.normal_channel, roles.normal_sign));
    for (std::uint64_t i = 0; i < reader_.event_count(); ++i) {
      const auto event = reader_.event(i);
      if (!event) return event.error();
      trace.take(*event);
    }
    auto values = protocols::RunValues::of(header_);
    if (!values) return fail(values.error().message);
    samples_.assign(header_.streams.size(), 0);
    unlocked_.assign(header_.streams.size(), 0);
    for (std::size_t s = 0; s < header_.streams.size(); ++s) {
      for (std::uint64_t i = 0; i < reader_.block_count(s); ++i) {
        auto block = reader_.block(s, i);
        if (!block) return block.error();
        values->apply(*block);
        trace.take(*block);
        samples_[s] += block->samples;
        if ((block->flags & daq::kClockUnlocked) != 0) unlocked_[s] += block->samples;
      }
    }
    const bool lost = end_.contains("timing_lost_blocks") && end_["timing_lost_blocks"] != 0;
    evidence_.timing = protocols::certify(trace, 0);
    if (lost) return fail("the timing certificate was made live without some blocks: it cannot be made again");
    compare("the timing certificate, from every block", protocols::to_json(evidence_.timing), end_["timing"]);
    return {};
  }

  daq::Result<void> streams() {
    auto ledger = reader_.ledger();
    if (!ledger) return ledger.error();
    evidence_.ledger = std::move(*ledger);
    for (std::size_t s = 0; s < header_.streams.size(); ++s) {
      const auto& name = header_.streams[s].name;
      const auto told = std::find_if(evidence_.streams.begin(), evidence_.streams.end(),
                                     [&](const auto& e) { return e.name == name; });
      const auto lost = std::find_if(evidence_.ledger.begin(), evidence_.ledger.end(), [&](const auto& row) {
        return row.hop == daq::hop::kRecorderRing && row.stream == name;
      });
      const auto not_recorded = lost == evidence_.ledger.end() ? 0 : lost->lost;
      if (told == evidence_.streams.end() || told->samples != samples_[s] + not_recorded ||
          (not_recorded == 0 && told->unlocked != unlocked_[s])) {
        out_.problems.push_back(fmt::format("stream '{}': the run says of its samples other than its blocks do", name));
      }
    }
    auto unexplained = daq::unbalanced(evidence_.ledger);
    out_.problems.insert(out_.problems.end(), unexplained.begin(), unexplained.end());
    out_.same.push_back(fmt::format("the counts of samples and of unlocked ones, and the balance of the ledger"));
    return {};
  }

  void calibrated() {
    auto& force = evidence_.calibration;
    if (const auto kept = record_in("calibration.json", force.calibrated)) {
      auto again = force_calibration_of(kept->record, kept->hash, bench_);
      again.reasons = force.reasons;
      force = std::move(again);
    }
    auto& stage = evidence_.stage_calibration;
    if (const auto kept = record_in("stage_calibration.json", stage.calibrated)) {
      stage = stage_calibration_of(kept->record, kept->hash);
    }
    auto& vibration = evidence_.vibration_calibration;
    if (const auto kept = record_in("vibration_calibration.json", vibration.calibrated)) {
      auto again = vibration_calibration_of(kept->record, kept->hash, bench_.vibration);
      if (again) vibration = std::move(*again);
      if (!again) out_.problems.push_back(again.error().message);
    }
  }

  /// The record that the run was made with; nothing: it was not calibrated, or a problem is told.
  std::optional<calibration::ReadRecord> record_in(const char* name, bool calibrated) {
    if (!calibrated) return std::nullopt;
    const auto text = header_.config.find(name);
    if (text == header_.config.end()) {
      out_.problems.push_back(fmt::format("the run says that it was calibrated and holds no {}", name));
      return std::nullopt;
    }
    auto record = calibration::parse_record(text->second);
    if (record) return *record;
    out_.problems.push_back(record.error().message);
    return std::nullopt;
  }

  daq::Result<void> forces(const protocols::Verdict& verdict) {
    const auto series = protocols::read_stroke_series(reader_);
    if (!series) return series.error();
    std::size_t compared = 0;
    double farthest = 0;
    for (const auto& stroke : series->strokes) {
      if (stroke.step >= plan_.steps.size()) return fail("an event names a step that the plan does not have");
      const auto condition = plan_.steps[stroke.step].condition;
      const auto told = std::find_if(verdict.strokes.begin(), verdict.strokes.end(),
                                     [&](const auto& s) { return s.condition == condition; });
      if (told == verdict.strokes.end()) continue;
      const auto& x = stroke.normal_N.x_m;
      double sum = 0;
      std::size_t n = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const bool moving = std::abs(x[i] - stroke.from_m) > kUnderWay_m && std::abs(x[i] - stroke.to_m) > kUnderWay_m;
        if (!moving) continue;
        sum += stroke.normal_N.value[i];
        ++n;
      }
      if (n == 0 || !std::isfinite(told->mean_normal_force_N)) continue;
      const double off = std::abs(sum / static_cast<double>(n) - told->mean_normal_force_N);
      farthest = std::max(farthest, off);
      ++compared;
      if (off > kNearForce_N + kNearDeviations * told->deviation_N) {
        out_.problems.push_back(fmt::format("{}: the run says {:.3f} N on average, and its raw samples {:.3f} N",
                                            plan_.conditions[condition].name(), told->mean_normal_force_N,
                                            sum / static_cast<double>(n)));
      }
    }
    out_.checked.push_back(
        fmt::format("the mean normal force of {} strokes, from the counts by another way: {:.4f} N apart at most",
                    compared, farthest));
    return {};
  }

  daq::RunReader& reader_;
  const daq::RunHeader& header_;
  Recomputed& out_;
  Json end_;
  rig::BenchConfig bench_;
  protocols::Plan plan_;
  protocols::RunEvidence evidence_;
  std::vector<std::uint64_t> samples_;
  std::vector<std::uint64_t> unlocked_;
};

}  // namespace

daq::Result<Recomputed> recompute_run(const std::string& run_file) {
  auto reader = daq::RunReader::open(run_file);
  if (!reader) return reader.error();
  Recomputed out;
  if (auto r = Recomputation(**reader, out).go(); !r) return r.error();
  return out;
}

}  // namespace strigil::apps
