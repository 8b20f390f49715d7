#include "protocols/stroke_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/conversion.hpp"
#include "calibration/record/digest.hpp"
#include "protocols/runner.hpp"
#include "protocols/run_values.hpp"
#include "rig/bench.hpp"
#include "rig/frames.hpp"
#include "rig/rig.hpp"

namespace strigil::protocols {
namespace {

/// Reports further apart than this are no line: the stage was silent.
constexpr double kLongestStretch_s = 0.25;

struct Reports {
  std::vector<std::int64_t> at_ns;
  std::vector<double> x_m;

  [[nodiscard]] double at(std::int64_t t_ns) const {
    const auto after = std::lower_bound(at_ns.begin(), at_ns.end(), t_ns);
    if (after == at_ns.end()) return std::numeric_limits<double>::quiet_NaN();
    const auto i = static_cast<std::size_t>(after - at_ns.begin());
    if (*after == t_ns) return x_m[i];
    if (i == 0) return std::numeric_limits<double>::quiet_NaN();
    const auto wide = static_cast<double>(at_ns[i] - at_ns[i - 1]);
    if (wide > kLongestStretch_s * 1e9) return std::numeric_limits<double>::quiet_NaN();
    return x_m[i - 1] + (x_m[i] - x_m[i - 1]) * static_cast<double>(t_ns - at_ns[i - 1]) / wide;
  }
};

struct Tare {
  daq::HostTime at;
  double normal_N = 0;
  double tangential_N = 0;
};

struct Told {
  std::vector<StrokeSeries> strokes;
  std::vector<Tare> tares;
  /// The zero that stood at `at`.
  [[nodiscard]] Tare zero_at(daq::HostTime at) const {
    Tare out;
    for (const auto& t : tares) {
      if (t.at <= at) out = t;
    }
    return out;
  }
};

daq::Result<Told> read_events(daq::RunReader& reader) {
  Told out;
  std::vector<StrokeSeries> open;
  for (std::uint64_t i = 0; i < reader.event_count(); ++i) {
    const auto event = reader.event(i);
    if (!event) return event.error();
    const auto& a = event->arguments;
    if (event->code == daq::EventCode::kTare) out.tares.push_back({event->at, a[0], a[1]});
    if (event->code == daq::EventCode::kStepBegan && a[1] == static_cast<double>(StepKind::kStroke) && a[0] >= 0 &&
        a[0] < 1e9) {
      open.assign(1, {});
      open.front().step = static_cast<std::size_t>(a[0]);
      open.front().began = event->at;
    } else if (event->code == daq::EventCode::kStepEnded && !open.empty()) {
      open.front().ended = event->at;
      if (a[1] == static_cast<double>(StepOutcome::kDone)) out.strokes.push_back(std::move(open.front()));
      open.clear();
    }
  }
  return out;
}

std::int64_t time_of(const daq::Block& block, std::size_t sample) {
  return block.t0.ns + std::llround(static_cast<double>(sample) * block.period_ns);
}

daq::Result<Reports> read_reports(daq::RunReader& reader, std::size_t stream, RunValues& values) {
  Reports out;
  for (std::uint64_t i = 0; i < reader.block_count(stream); ++i) {
    auto block = reader.block(stream, i);
    if (!block) return block.error();
    values.apply(*block);
    for (std::size_t s = 0; s < block->samples; ++s) {
      const auto at = time_of(*block, s);
      if (!out.at_ns.empty() && at <= out.at_ns.back()) continue;
      out.at_ns.push_back(at);
      out.x_m.push_back(static_cast<double>(block->values[s * block->channels + rig::kX]));
    }
  }
  return out;
}

/// Every sample of a stream that was made during a stroke, with its row: `take(stroke, block, sample, t_ns, row)`.
template <typename Take>
daq::Result<void> each_stroke_sample(daq::RunReader& reader, std::size_t stream, std::vector<StrokeSeries>& strokes,
                                     Take&& take) {
  std::size_t k = 0;
  std::uint64_t row = 0;
  for (std::uint64_t i = 0; i < reader.block_count(stream) && k < strokes.size(); ++i) {
    const auto block = reader.block(stream, i);
    if (!block) return block.error();
    for (std::size_t s = 0; s < block->samples; ++s, ++row) {
      const auto at = time_of(*block, s);
      while (k < strokes.size() && at > strokes[k].ended.ns) ++k;
      if (k == strokes.size()) break;
      if (at >= strokes[k].began.ns) take(strokes[k], *block, s, at, row);
    }
  }
  return {};
}

void add(StrokeSamples& to, double t_s, double x_m, double value, std::uint64_t row) {
  if (to.value.empty()) to.first_row = row;
  to.t_s.push_back(t_s);
  to.x_m.push_back(x_m);
  to.value.push_back(value);
}

daq::NewestSample sample_of(const daq::Block& block, std::size_t s) {
  daq::NewestSample out{};
  for (std::size_t c = 0; c < block.channels; ++c) out.counts[c] = block.counts[s * block.channels + c];
  return out;
}

}  // namespace

std::vector<double> binned(std::span<const double> place, std::span<const double> value, double first, double width,
                           std::size_t bins) {
  std::vector<double> mean(bins, 0);
  std::vector<std::size_t> count(bins, 0);
  for (std::size_t i = 0; i < std::min(place.size(), value.size()); ++i) {
    const double k = std::floor((place[i] - first) / width);
    if (!(k >= 0) || k >= static_cast<double>(bins)) continue;
    mean[static_cast<std::size_t>(k)] += value[i];
    ++count[static_cast<std::size_t>(k)];
  }
  for (std::size_t k = 0; k < bins; ++k) {
    mean[k] = count[k] > 0 ? mean[k] / static_cast<double>(count[k]) : std::numeric_limits<double>::quiet_NaN();
  }
  return mean;
}

std::vector<double> way_mm(const StrokeSamples& samples, double from_m, bool forward) {
  constexpr double kMillimetresPerMetre = 1e3;
  std::vector<double> out;
  for (const double x : samples.x_m)
    out.push_back((forward ? kMillimetresPerMetre : -kMillimetresPerMetre) * (x - from_m));
  return out;
}

daq::Result<rig::StreamRoles> roles_in(const daq::RunHeader& header) {
  const auto text = header.config.find("bench.toml");
  if (text == header.config.end()) {
    return daq::Error{fmt::format("'{}' holds no bench.toml: nobody knows what its streams are", header.run_id)};
  }
  const auto bench = rig::parse_bench(text->second, "bench.toml of the run file");
  if (!bench) return bench.error();
  const auto roles = rig::roles_of(*bench);
  const auto has = [&](daq::StreamId stream, const char* quantity, std::size_t channel) {
    return stream < header.streams.size() && header.streams[stream].quantity == quantity &&
           channel < header.streams[stream].channels.size();
  };
  if (!has(roles.force, "force", std::max(roles.normal_channel, roles.tangential_channel)) ||
      !has(roles.position, "position", rig::kX)) {
    return daq::Error{fmt::format("the streams of '{}' are not those of its bench.toml", header.run_id)};
  }
  return roles;
}

daq::Result<RunSeries> read_stroke_series(daq::RunReader& reader) {
  const auto& header = reader.header();
  const auto roles = roles_in(header);
  if (!roles) return roles.error();
  auto told = read_events(reader);
  if (!told) return told.error();
  auto values = RunValues::of(header);
  if (!values) return values.error();
  const auto reports = read_reports(reader, roles->position, *values);
  if (!reports) return reports.error();
  const auto conversion =
      values->force() != nullptr ? *values->force() : calibration::Conversion(header.streams[roles->force]);

  RunSeries out;
  out.run_id = header.run_id;
  if (const auto plan = header.config.find("plan.json"); plan != header.config.end()) {
    out.plan_sha256 = calibration::sha256_hex(plan->second);
  }
  out.normal_channel = header.streams[roles->force].channels[roles->normal_channel].name;
  out.tangential_channel = header.streams[roles->force].channels[roles->tangential_channel].name;
  out.strokes = std::move(told->strokes);
  for (auto& s : out.strokes) {
    s.from_m = reports->at(s.began.ns);
    s.to_m = reports->at(s.ended.ns);
  }
  const auto forces = each_stroke_sample(
      reader, roles->force, out.strokes,
      [&](StrokeSeries& stroke, const daq::Block& block, std::size_t s, std::int64_t at, std::uint64_t row) {
        const auto sample = sample_of(block, s);
        const rig::EdgeForce measured{roles->normal_sign * conversion.value(sample, roles->normal_channel),
                                      roles->tangential_sign * conversion.value(sample, roles->tangential_channel)};
        const auto felt = roles->lean_rad == 0 ? measured : rig::upright(measured, roles->lean_rad);
        const auto zero = told->zero_at(stroke.began);
        const double t_s = static_cast<double>(at - stroke.began.ns) * 1e-9;
        const double x_m = reports->at(at);
        add(stroke.normal_N, t_s, x_m, felt.normal_N - zero.normal_N, row);
        add(stroke.tangential_N, t_s, x_m, felt.tangential_N - zero.tangential_N, row);
      });
  if (!forces) return forces.error();
  const auto vibration = roles->vibration;
  if (vibration >= header.streams.size() || header.streams[vibration].quantity != "acceleration") return out;
  // The axis that stands upright on the phantom; the last where it has fewer.
  const auto axis = std::min<std::size_t>(2, header.streams[vibration].channels.size() - 1);
  out.vibration_channel = header.streams[vibration].channels[axis].name;
  const auto shaken = each_stroke_sample(
      reader, vibration, out.strokes,
      [&](StrokeSeries& stroke, const daq::Block& block, std::size_t s, std::int64_t at, std::uint64_t row) {
        stroke.vibration_rate_Hz = header.streams[vibration].rate_Hz;
        add(stroke.vibration_m_s2, static_cast<double>(at - stroke.began.ns) * 1e-9, reports->at(at),
            static_cast<double>(block.values[s * block.channels + axis]), row);
      });
  if (!shaken) return shaken.error();
  return out;
}

}  // namespace strigil::protocols
