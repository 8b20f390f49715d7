#include "protocols/run_values.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/record/record.hpp"
#include "rig/bench.hpp"
#include "rig/rig.hpp"

namespace strigil::protocols {

daq::Result<RunValues> RunValues::of(const daq::RunHeader& header) {
  RunValues out;
  const auto record_in = [&](const char* file) -> daq::Result<std::optional<calibration::Record>> {
    const auto text = header.config.find(file);
    if (text == header.config.end()) return std::optional<calibration::Record>{};
    auto read = calibration::parse_record(text->second);
    if (!read) return daq::Error{fmt::format("{} of '{}': {}", file, header.run_id, read.error().message)};
    return std::optional(std::move(read->record));
  };
  const auto force = record_in("calibration.json");
  if (!force) return force.error();
  const auto stage = record_in("stage_calibration.json");
  if (!stage) return stage.error();
  if (!*force && !*stage) return out;
  const auto text = header.config.find("bench.toml");
  if (text == header.config.end()) {
    return daq::Error{fmt::format("'{}' holds no bench.toml: nobody knows what its streams are", header.run_id)};
  }
  const auto bench = rig::parse_bench(text->second, "bench.toml of the run file");
  if (!bench) return bench.error();
  const auto roles = rig::roles_of(*bench);
  out.force_stream_ = roles.force;
  out.position_stream_ = roles.position;
  if (*force && roles.force < header.streams.size()) {
    auto conversion = calibration::Conversion::with(header.streams[roles.force], **force);
    if (!conversion) return conversion.error();
    out.force_ = *conversion;
  }
  if (*stage) {
    const auto map = rig::StageMap::make(**stage, *bench);
    if (!map) return map.error();
    out.map_ = *map;
  }
  return out;
}

void RunValues::apply(daq::Block& block) noexcept {
  if (force_ && block.stream == force_stream_) force_->apply(block);
  if (!map_ || block.stream != position_stream_) return;
  const auto axes = std::min<std::size_t>(rig::kAxes, block.channels);
  for (std::size_t s = 0; s < block.samples; ++s) {
    auto* values = &block.values[s * block.channels];
    rig::Position p{};
    std::copy_n(values, axes, p.begin());
    p = follower_.follow(*map_, p);
    std::transform(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(axes), values,
                   [](double metres) { return static_cast<float>(metres); });
  }
}

}  // namespace strigil::protocols
