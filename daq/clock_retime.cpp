#include "daq/clock_retime.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>

namespace strigil::daq {
namespace {

constexpr double kKnotEvery_ns = 0.5e9;
constexpr double kSlot_ns = 1e9 / 32;

/// The earliest arrival of each slot of one segment, about a first line, so that drift inside a slot does not decide.
std::vector<ClockPair> earliest(std::span<const TickPair> pairs, double ns_per_tick, double slope) {
  std::vector<ClockPair> slots;
  std::int64_t open = -1;
  const auto base = pairs.front();
  for (const auto& p : pairs) {
    const double device =
        static_cast<double>(static_cast<std::int64_t>(p.ticks.count - base.ticks.count)) * ns_per_tick;
    const ClockPair pair{device, static_cast<double>((p.received - base.received).count()) - device};
    const auto slot = static_cast<std::int64_t>(std::floor(device / kSlot_ns));
    if (slot > open) {
      slots.push_back(pair);
      open = slot;
    } else if (pair.late_ns - slope * (pair.device_ns - slots.back().device_ns) < slots.back().late_ns) {
      slots.back() = pair;
    }
  }
  return slots;
}

void retime_segment(std::span<const TickPair> pairs, std::uint32_t segment, const ClockFitConfig& config,
                    ClockLineFitter& fitter, std::vector<ClockKnot>& knots) {
  const double ns_per_tick = 1e9 / config.tick_rate_Hz;
  double spread = 0;
  auto slots = earliest(pairs, ns_per_tick, 0);
  if (const auto rough = fitter.best(slots, slots.back().device_ns / 2, 0.5, spread); rough.fits) {
    slots = earliest(pairs, ns_per_tick, rough.slope);
  }
  const auto base = pairs.front();
  const double end = slots.back().device_ns;
  const auto steps = std::max<std::int64_t>(1, std::llround(end / kKnotEvery_ns));
  ClockLine last;
  for (std::int64_t i = 0; i <= steps; ++i) {
    // A knot lies on a whole tick: a force sensor's tick is a millisecond, and half of one is no rounding error.
    const double share = static_cast<double>(i) / static_cast<double>(steps);
    const auto ticks = static_cast<std::uint64_t>(std::llround(end * share / ns_per_tick));
    const double at = static_cast<double>(ticks) * ns_per_tick;
    auto line = fitter.best(slots, at, 0.5, spread);
    if (line.fits) {
      line.bound_ns += config.tick_s * 1e9;
      last = line;
    } else {
      line = last;  // as far as the last one reaches, and no claim made for it
      line.bound_ns = 1e9;
      if (!last.fits) {
        line.offset_ns = std::min_element(slots.begin(), slots.end(), [](const auto& a, const auto& b) {
                           return a.late_ns < b.late_ns;
                         })->late_ns;
      }
    }
    knots.push_back({.ticks = {base.ticks.count + ticks},
                     .host = base.received + Duration{std::llround(at + line.late_at(at) - config.latency_s * 1e9)},
                     .drift_ppm = line.slope * 1e6,
                     .bound_s = line.bound_ns * 1e-9,
                     .residual_s = line.median_ns * 1e-9,
                     .segment = segment,
                     .locked = line.bound_ns <= config.lock_bound_s * 1e9});
  }
}

}  // namespace

ClockRetiming retime(std::span<const TickPair> pairs, const std::vector<bool>& restarts, const ClockFitConfig& config) {
  assert(restarts.empty() || restarts.size() == pairs.size());
  ClockRetiming out;
  out.segment_of.resize(pairs.size());
  const auto causal = std::make_unique<ClockFit>(config);
  const auto fitter = std::make_unique<ClockLineFitter>();
  std::uint32_t segment = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const bool restarted = !restarts.empty() && restarts[i];
    if (restarted) causal->reset();
    const bool jumped = causal->update(pairs[i].ticks, pairs[i].received) == ClockFit::Update::kJump;
    if (i > begin && (restarted || jumped)) {
      retime_segment(pairs.subspan(begin, i - begin), segment, config, *fitter, out.knots);
      begin = i;
      ++segment;
    }
    out.segment_of[i] = segment;
  }
  if (begin < pairs.size()) retime_segment(pairs.subspan(begin), segment, config, *fitter, out.knots);
  return out;
}

const ClockKnot* ClockRetiming::knot_before(DeviceTicks ticks, std::uint32_t segment) const {
  const auto less = [](const ClockKnot& k, const std::pair<std::uint32_t, std::uint64_t>& key) {
    return std::pair(k.segment, k.ticks.count) <= key;
  };
  auto at = std::lower_bound(knots.begin(), knots.end(), std::pair(segment, ticks.count), less);
  if (at == knots.begin() || std::prev(at)->segment != segment) {
    return at != knots.end() && at->segment == segment ? &*at : nullptr;  // before the first knot
  }
  return &*std::prev(at);
}

HostTime ClockRetiming::to_host(DeviceTicks ticks, std::uint32_t segment) const {
  const auto* a = knot_before(ticks, segment);
  if (a == nullptr) return {};
  const auto* b = a + 1 < knots.data() + knots.size() && a[1].segment == segment ? a + 1 : nullptr;
  if (b == nullptr && a > knots.data() && a[-1].segment == segment) {
    b = a;  // past the last knot: go on along the last piece
    --a;
  }
  if (b == nullptr || b->ticks == a->ticks) return a->host;
  const double share = static_cast<double>(static_cast<std::int64_t>(ticks.count - a->ticks.count)) /
                       static_cast<double>(b->ticks.count - a->ticks.count);
  return a->host + Duration{std::llround(share * static_cast<double>((b->host - a->host).count()))};
}

double ClockRetiming::bound_s(DeviceTicks ticks, std::uint32_t segment) const {
  const auto* a = knot_before(ticks, segment);
  if (a == nullptr) return 1;
  const bool has_next = a + 1 < knots.data() + knots.size() && a[1].segment == segment;
  return has_next ? std::max(a->bound_s, a[1].bound_s) : a->bound_s;
}

bool ClockRetiming::locked(DeviceTicks ticks, std::uint32_t segment) const {
  const auto* a = knot_before(ticks, segment);
  if (a == nullptr) return false;
  const bool has_next = a + 1 < knots.data() + knots.size() && a[1].segment == segment;
  return a->locked && (!has_next || a[1].locked);
}

}  // namespace strigil::daq
