#include "protocols/campaign/stroke_rows.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "protocols/court/run_strokes.hpp"
#include "protocols/runner.hpp"
#include "protocols/stroke_series.hpp"

namespace strigil::protocols {
namespace {

/// Time of a block's sample.
std::int64_t at_ns(const daq::Block& block, std::size_t sample) {
  return block.t0.ns + std::llround(static_cast<double>(sample) * block.period_ns);
}

/// Blocks of one stream by time. Strokes are asked for in their order, so what is earlier is not looked at again.
class BlockSearch {
 public:
  BlockSearch(daq::RunReader& reader, std::size_t stream)
      : reader_(reader), stream_(stream), blocks_(reader.block_count(stream)) {}

  /// First row at or after `from`, and last at or before `to`.
  daq::Result<std::optional<RowRange>> rows(daq::HostTime from, daq::HostTime to) {
    const auto first = first_row_at(from.ns);
    if (!first) return first.error();
    const auto after = first_row_at(to.ns + 1);
    if (!after) return after.error();
    if (*after <= *first) return std::optional<RowRange>{};
    return std::optional(RowRange{*first, *after - 1});
  }

 private:
  /// The row of the first sample at or after `ns`; the number of rows where there is none.
  daq::Result<std::uint64_t> first_row_at(std::int64_t ns) {
    // The first block whose last sample is not before it.
    std::uint64_t low = from_block_;
    std::uint64_t high = blocks_;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      const auto block = reader_.block(stream_, middle);
      if (!block) return block.error();
      if (block->samples > 0 && at_ns(*block, block->samples - 1) >= ns) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    from_block_ = low;
    if (low == blocks_) return reader_.row_count(stream_);
    const auto block = reader_.block(stream_, low);
    if (!block) return block.error();
    auto row = reader_.first_row(stream_, low);
    if (!row) return row.error();
    for (std::size_t s = 0; s < block->samples && at_ns(*block, s) < ns; ++s) ++*row;
    return *row;
  }

  daq::RunReader& reader_;
  std::size_t stream_;
  std::uint64_t blocks_;
  std::uint64_t from_block_ = 0;
};

std::vector<std::string> condition_names(const std::string& plan_json) {
  std::vector<std::string> out;
  const auto plan = daq::parse_json(plan_json);
  if (!plan.is_object() || !plan.contains("conditions") || !plan["conditions"].is_array()) return out;
  for (const auto& c : plan["conditions"])
    out.push_back(c.is_object() && c.contains("name") && c["name"].is_string() ? c["name"].get<std::string>() : "");
  return out;
}

}  // namespace

daq::Result<RunRows> read_stroke_rows(daq::RunReader& reader, const std::string& run) {
  const auto& header = reader.header();
  const auto config = feed_config_of(header);
  if (!config) return config.error();
  const auto roles = roles_in(header);
  if (!roles) return roles.error();
  const auto& plan = header.config.at("plan.json");  // feed_config_of has read it
  const auto names = condition_names(plan);
  RunRows out;
  out.run = run;
  out.in_air = planned_in_air(plan);
  out.roles = *roles;
  for (const auto& s : header.streams) {
    out.streams.push_back({.name = s.name, .channels = {}});
    for (const auto& c : s.channels) out.streams.back().channels.push_back(c.name);
  }
  out.has_vibration =
      roles->vibration < header.streams.size() && header.streams[roles->vibration].quantity == "acceleration";
  std::optional<StrokeRows> open;
  for (std::uint64_t i = 0; i < reader.event_count(); ++i) {
    const auto event = reader.event(i);
    if (!event) return event.error();
    const auto& a = event->arguments;
    if (event->code == daq::EventCode::kStepBegan && a[1] == static_cast<double>(StepKind::kStroke) && a[0] >= 0 &&
        a[0] < 1e9) {
      open.emplace();
      open->began = event->at;
      open->planned.step = static_cast<std::size_t>(a[0]);
      if (const auto at = config->plan.find(open->planned.step); at != config->plan.end()) open->planned = at->second;
      if (open->planned.condition < names.size()) open->name = names[open->planned.condition];
    } else if (event->code == daq::EventCode::kStepEnded && open) {
      open->ended = event->at;
      if (a[1] == static_cast<double>(StepOutcome::kDone)) out.strokes.push_back(std::move(*open));
      open.reset();
    }
  }
  for (std::size_t s = 0; s < header.streams.size(); ++s) {
    BlockSearch search(reader, s);
    for (auto& stroke : out.strokes) {
      const auto rows = search.rows(stroke.began, stroke.ended);
      if (!rows) return rows.error();
      stroke.streams.push_back(*rows);
    }
  }
  return out;
}

MeasuredChannel channel_of(const std::string& name, const RunRows& run) {
  const auto& r = run.roles;
  const auto of = [&](std::size_t stream, std::optional<std::size_t> channel) {
    MeasuredChannel out{stream, {}};
    if (channel && *channel < run.streams[stream].channels.size()) out.channel = run.streams[stream].channels[*channel];
    return out;
  };
  if (name == "drag_N" || name == "tangential_force_N") return of(r.force, r.tangential_channel);
  if (name == "vibration_m_s2" && run.has_vibration) return of(r.vibration, std::nullopt);
  if (name.starts_with("speed") || name == "length_mm" || name == "x_mm") return of(r.position, rig::kX);
  if (name == "y_mm") return of(r.position, rig::kY);
  if (name == "z_mm") return of(r.position, rig::kZ);
  return of(r.force, r.normal_channel);
}

}  // namespace strigil::protocols
