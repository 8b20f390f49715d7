#include "protocols/court/run_strokes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "daq/fanout.hpp"
#include "daq/record/replay.hpp"
#include "protocols/run_values.hpp"
#include "rig/bench.hpp"
#include "rig/rig.hpp"

namespace strigil::protocols {
namespace {

const std::string* text_in(const daq::RunHeader& header, const char* name) {
  const auto found = header.config.find(name);
  return found == header.config.end() ? nullptr : &found->second;
}

daq::Result<HeardRun> joined(const daq::RunHeader& header, std::vector<StrokeHearing> hearings) {
  HeardRun run;
  run.run_id = header.run_id;
  if (const auto* plan = text_in(header, "plan.json")) run.in_air = planned_in_air(*plan);
  GroundTruth truth;
  if (const auto* text = text_in(header, "ground_truth.json")) {
    auto parsed = parse_ground_truth(*text);
    if (!parsed) return parsed.error();
    truth = *parsed;
    run.has_truth = true;
    run.phantom = truth.phantom;
    run.condition = truth.condition;
    run.instrument = truth.instrument;
  }
  std::vector<std::size_t> broken;
  for (auto& h : hearings) {
    if (!h.counts) {
      broken.push_back(h.planned.step);
      continue;
    }
    auto targets = run.has_truth ? targets_under(h, truth) : std::vector<StrokeTarget>{};
    run.strokes.push_back({std::move(h), std::move(targets)});
  }
  if (!broken.empty()) {
    broken.erase(std::unique(broken.begin(), broken.end()), broken.end());
    run.warnings.push_back(fmt::format("{} stroke{} broken off (step{} {}) and {} not count", broken.size(),
                                       broken.size() == 1 ? " was" : "s were", broken.size() == 1 ? "" : "s",
                                       fmt::join(broken, ", "), broken.size() == 1 ? "does" : "do"));
  }
  if (run.strokes.empty()) run.warnings.emplace_back("no stroke was finished");
  return run;
}

}  // namespace

daq::Result<StrokeFeedConfig> feed_config_of(const daq::RunHeader& header) {
  StrokeFeedConfig config;
  const auto* bench_text = text_in(header, "bench.toml");
  const auto* plan_text = text_in(header, "plan.json");
  if (bench_text == nullptr || plan_text == nullptr) {
    return daq::Error{fmt::format("run '{}' has no {}: it is no run of strokes", header.run_id,
                                  bench_text == nullptr ? "bench.toml" : "plan.json")};
  }
  auto bench = rig::parse_bench(*bench_text, "bench.toml of the run");
  if (!bench) return bench.error();
  config.roles = rig::roles_of(*bench);
  auto plan = planned_strokes(*plan_text);
  if (!plan) return plan.error();
  config.plan = std::move(*plan);
  return config;
}

daq::Result<HeardRun> hear_run(const std::string& run_file, const std::vector<Detector*>& detectors) {
  auto hearings = strokes_of_run(run_file, detectors);
  if (!hearings) return hearings.error();
  return join_truth(run_file, std::move(*hearings));
}

daq::Result<std::vector<StrokeHearing>> strokes_of_run(const std::string& run_file,
                                                       const std::vector<Detector*>& detectors) {
  auto reader = daq::RunReader::open(run_file);
  if (!reader) return reader.error();
  const auto header = (*reader)->header();
  const auto refuse = [&](const daq::Error& e) { return daq::Error{fmt::format("'{}': {}", run_file, e.message)}; };
  auto config = feed_config_of(header);
  if (!config) return refuse(config.error());
  auto values = RunValues::of(header);
  if (!values) return refuse(values.error());
  auto feed = StrokeFeed::make(header.streams, std::move(*config), detectors);
  if (!feed) return refuse(feed.error());
  daq::RunReplay replay(std::move(*reader));
  replay.convert([&](daq::Block& block) { values->apply(block); });
  daq::Fanout fanout;
  constexpr std::size_t kOne = 4;  // an item is taken out as it comes
  const auto rings = fanout.add_sink("court", kOne, kOne);
  for (;;) {
    const auto time = replay.next_time();
    if (!time) return refuse(time.error());
    if (!*time) break;
    if (auto pushed = replay.push_next(fanout); !pushed) return refuse(pushed.error());
    while (const auto* event = rings->events.front()) {
      feed->take(*event);
      rings->events.release();
    }
    while (const auto* block = rings->blocks.front()) {
      feed->take(*block);
      rings->blocks.release();
    }
  }
  feed->finish();
  return feed->hearings();
}

daq::Result<HeardRun> join_truth(const std::string& run_file, std::vector<StrokeHearing> hearings) {
  auto reader = daq::RunReader::open(run_file);
  if (!reader) return reader.error();
  auto run = joined((*reader)->header(), std::move(hearings));
  if (!run) return daq::Error{fmt::format("'{}': {}", run_file, run.error().message)};
  return run;
}

}  // namespace strigil::protocols
