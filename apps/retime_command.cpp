#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/file_commands.hpp"
#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/clock_retime.hpp"
#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/record/verify.hpp"
#include "protocols/run_values.hpp"
#include "protocols/timing_certificate.hpp"
#include "rig/bench.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {
namespace {

constexpr double kMicro = 1e6;

/// What the bench file in the run says of a stream's timing.
struct Known {
  double latency_s = 0;
  double lock_bound_s = daq::ClockFitConfig{}.lock_bound_s;
};

/// One stream's new times and how they differ from those that were known live.
struct Retimed {
  std::size_t stream = 0;
  daq::ClockRetiming fit;
  std::vector<double> moved_s;  ///< new minus live, of each block
  std::vector<double> bound_s;
  std::uint64_t unlocked = 0;  ///< samples
};

double quantile(std::vector<double> v, double share) {
  if (v.empty()) return 0;
  const auto at = v.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(v.size() - 1));
  std::nth_element(v.begin(), at, v.end());
  return *at;
}

Known known_of(const daq::StreamDescription& stream, const std::optional<rig::BenchConfig>& bench) {
  Known k;
  if (!bench) return k;
  k.lock_bound_s = bench->timing.max_bound_s;
  if (stream.quantity == "force") k.latency_s = bench->force.latency_s;
  if (stream.quantity == "acceleration") k.latency_s = bench->vibration.latency_s;
  return k;
}

daq::Result<Retimed> fit_again(daq::RunReader& reader, std::size_t s, const Known& known) {
  const auto& d = reader.header().streams[s];
  const double ticks_per_sample = d.tick_rate_Hz / d.rate_Hz;
  std::vector<daq::TickPair> pairs;
  std::vector<bool> restarts;
  for (std::uint64_t i = 0; i < reader.block_count(s); ++i) {
    const auto block = reader.block(s, i);
    if (!block) return block.error();
    // What arrived with a block was made at its last sample.
    const auto last = static_cast<std::uint64_t>(std::llround(ticks_per_sample * (block->samples - 1)));
    pairs.push_back({{block->ticks.count + last}, block->received});
    restarts.push_back((block->flags & daq::kDeviceReset) != 0);
  }
  Retimed r;
  r.stream = s;
  r.fit = daq::retime(pairs, restarts,
                      {.tick_rate_Hz = d.tick_rate_Hz,
                       .tick_s = ticks_per_sample > 1 ? 1 / d.tick_rate_Hz : 0,
                       .latency_s = known.latency_s,
                       .lock_bound_s = known.lock_bound_s});
  return r;
}

/// Block `i` with the new times; flags say whether they are trusted.
void retime(daq::Block& block, std::uint64_t i, Retimed& r) {
  const auto segment = r.fit.segment_of[i];
  const auto t0 = r.fit.to_host(block.ticks, segment);
  r.moved_s.push_back(daq::seconds(t0 - block.t0));
  block.t0 = t0;
  block.bound = daq::from_seconds(r.fit.bound_s(block.ticks, segment));
  r.bound_s.push_back(daq::seconds(block.bound));
  const bool locked = r.fit.locked(block.ticks, segment);
  block.flags =
      locked ? block.flags & ~static_cast<std::uint32_t>(daq::kClockUnlocked) : block.flags | daq::kClockUnlocked;
  if (!locked) r.unlocked += block.samples;
}

void print(const daq::StreamDescription& d, const Retimed& r) {
  std::vector<double> moved;
  for (const double m : r.moved_s) moved.push_back(std::abs(m));
  double drift = 0;
  for (const auto& k : r.fit.knots) drift += k.drift_ppm / static_cast<double>(r.fit.knots.size());
  fmt::print("{:<16} {:>8} {:>9} {:>+10.2f} {:>11.1f} {:>11.1f} {:>11.1f} {:>11.1f} {:>9}\n", d.name, r.moved_s.size(),
             r.fit.knots.empty() ? 0 : r.fit.knots.back().segment + 1, drift, quantile(moved, 0.5) * kMicro,
             quantile(moved, 0.95) * kMicro, quantile(r.bound_s, 0.5) * kMicro, quantile(r.bound_s, 0.95) * kMicro,
             r.unlocked);
}

/// Everything of the run again, with the new times.
class Copy {
 public:
  static daq::Result<Copy> to(const std::string& path, const daq::RunHeader& header) {
    auto changed = header;
    changed.config["retimed.json"] = daq::json_text(nlohmann::ordered_json{{"from", header.run_id}, {"by", version()}});
    auto writer = daq::RunWriter::create(path, changed);
    if (!writer) return writer.error();
    return Copy(std::move(*writer));
  }
  daq::Result<void> append(const daq::Block& block) { return writer_->append(block); }
  daq::Result<void> append(const daq::Event& event) { return writer_->append(event); }
  daq::Result<void> finish(daq::RunReader& reader, const protocols::TimingCertificate& certificate) {
    const auto end = reader.end();
    if (!end) return end.error();
    const auto ledger = reader.ledger();
    if (!ledger) return ledger.error();
    if (!*end) return daq::Error{"its writer never came to its end: `strigil recover` it first"};
    auto j = daq::parse_ordered_json(**end);
    if (!j.is_object()) return daq::Error{"its end is no JSON object: the file is damaged"};
    j["timing_retimed"] = daq::parse_ordered_json(protocols::to_json(certificate));
    return writer_->finish(daq::json_text(j, 1), *ledger);
  }

 private:
  explicit Copy(std::unique_ptr<daq::RunWriter> writer) : writer_(std::move(writer)) {}
  std::unique_ptr<daq::RunWriter> writer_;
};

daq::Result<void> retime_run(const std::string& run, const std::string& out) {
  auto opened = daq::RunReader::open(run);
  if (!opened) return opened.error();
  auto& reader = **opened;
  const auto& header = reader.header();
  std::optional<rig::BenchConfig> bench;
  if (const auto text = header.config.find("bench.toml"); text != header.config.end()) {
    auto parsed = rig::parse_bench(text->second, run + ": bench.toml");
    if (!parsed) return parsed.error();
    bench = std::move(*parsed);
  }
  const auto roles = bench ? rig::roles_of(*bench) : rig::StreamRoles{};
  protocols::TimingTrace trace(protocols::traced_streams(header.streams, roles.normal_channel, roles.normal_sign));
  auto values = protocols::RunValues::of(header);
  if (!values) return values.error();
  std::optional<Copy> copy;
  if (!out.empty()) {
    auto made = Copy::to(out, header);
    if (!made) return made.error();
    copy.emplace(std::move(*made));
  }
  for (std::uint64_t i = 0; i < reader.event_count(); ++i) {
    const auto event = reader.event(i);
    if (!event) return event.error();
    trace.take(*event);
    if (!copy) continue;
    if (auto r = copy->append(*event); !r) return r;
  }
  fmt::print("{:<16} {:>8} {:>9} {:>10} {:>11} {:>11} {:>11} {:>11} {:>9}\n", "stream", "blocks", "segments",
             "drift ppm", "moved p50us", "moved p95us", "bound p50us", "bound p95us", "unlocked");
  for (std::size_t s = 0; s < header.streams.size(); ++s) {
    const auto& d = header.streams[s];
    const bool ticked = d.tick_rate_Hz > 0 && d.rate_Hz > 0 && reader.block_count(s) > 0;
    std::optional<Retimed> fit;
    if (ticked) {
      auto again = fit_again(reader, s, known_of(d, bench));
      if (!again) return again.error();
      fit = std::move(*again);
    }
    for (std::uint64_t i = 0; i < reader.block_count(s); ++i) {
      auto block = reader.block(s, i);
      if (!block) return block.error();
      if (fit) retime(*block, i, *fit);
      values->apply(*block);
      trace.take(*block);
      if (!copy) continue;
      if (auto r = copy->append(*block); !r) return r;
    }
    if (fit) print(d, *fit);
  }
  const auto certificate = protocols::certify(trace, 0);
  fmt::print("\n{}", protocols::to_text(certificate));
  for (const auto& s : certificate.streams) {
    for (const auto& problem : s.problems) fmt::print("PROBLEM: {}\n", problem);
  }
  if (!copy) return {};
  if (auto r = copy->finish(reader, certificate); !r) return r;
  fmt::print("run file: {}\n", out);
  return {};
}

}  // namespace

int retime_command(const std::string& run, const std::string& out) {
  const auto done = retime_run(run, out);
  return done ? kPass : refuse(done.error().message);
}

}  // namespace strigil::apps
