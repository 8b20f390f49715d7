#include "protocols/position_axis.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "protocols/plan.hpp"
#include "protocols/runner.hpp"

namespace strigil::protocols {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
/// How long stretches are kept for samples that come after their reports, and a pass for its last samples.
constexpr daq::Duration kLinger = std::chrono::milliseconds(500);
constexpr std::size_t kMostBins = 100000;  // of a pass: a jump in the readback must not eat all memory

}  // namespace

void PositionBin::add(double value, double uncertainty) noexcept {
  ++count;
  sum += value;
  squares += value * value;
  min = std::min(min, value);
  max = std::max(max, value);
  uncertainty_m = std::max(uncertainty_m, uncertainty);
}
double PositionBin::mean() const noexcept { return count > 0 ? sum / static_cast<double>(count) : kUnknown; }
double PositionBin::rms() const noexcept {
  return count > 0 ? std::sqrt(squares / static_cast<double>(count)) : kUnknown;
}
double PositionBin::deviation() const noexcept {
  const double m = mean();
  return count > 0 ? std::sqrt(std::max(0.0, squares / static_cast<double>(count) - m * m)) : kUnknown;
}

PositionAxis::PositionAxis(const std::vector<daq::StreamDescription>& streams, const PositionAxisConfig& config)
    : config_(config), streams_(streams), waiting_(streams.size()), unplaced_(streams.size()) {
  for (const auto& s : streams) {
    if (s.quantity != "position" || s.channels.size() <= config.axis) continue;
    position_ = s.id;
    has_position_ = true;
  }
}

void PositionAxis::take(const daq::Event& event) {
  if (event.code == daq::EventCode::kStepBegan) {
    const auto kind = static_cast<StepKind>(static_cast<int>(event.arguments[1]));
    if (kind == StepKind::kStroke) strokes_.push_back({event.at});
  } else if (event.code == daq::EventCode::kStepEnded && !strokes_.empty()) {
    const auto outcome = static_cast<StepOutcome>(static_cast<int>(event.arguments[1]));
    if (event.at < strokes_.back().ended) strokes_.back().broken_off = outcome == StepOutcome::kInterrupted;
    strokes_.back().ended = std::min(strokes_.back().ended, event.at);
  }
}

bool PositionAxis::stroking(daq::HostTime at) const {
  return !config_.only_strokes ||
         std::any_of(strokes_.begin(), strokes_.end(), [&](const Stroke& s) { return at >= s.began && at <= s.ended; });
}

bool PositionAxis::broken_off(const Pass& pass) const {
  return config_.only_strokes && std::any_of(strokes_.begin(), strokes_.end(), [&](const Stroke& s) {
           return s.broken_off && pass.began < s.ended && pass.ended > s.began;
         });
}

void PositionAxis::close(Pass& pass) {
  if (!broken_off(pass)) done_.push_back(std::move(pass));
  ++closed_;
}

void PositionAxis::take(const daq::Block& block) {
  if (!has_position_ || block.stream >= streams_.size() || block.samples == 0) return;
  if (block.stream == position_) {
    for (std::size_t s = 0; s < block.samples; ++s) {
      PositionReport report{time_of(block, s), block.bound, {}};
      for (std::size_t a = 0; a < std::min<std::size_t>(rig::kAxes, block.channels); ++a)
        report.position_m[a] = static_cast<double>(block.values[s * block.channels + a]);
      add_report(report);
    }
    place_waiting();
  } else if (!streams_[block.stream].channels.empty() && streams_[block.stream].rate_Hz > 0) {
    waiting_[block.stream].push_back(block);
    place_waiting();
  }
}

void PositionAxis::add_report(const PositionReport& report) {
  const auto before = reports_.last();
  if (before) placeable_until_ = before->at;
  if (const auto line = reports_.add(report)) {
    Stretch s{*line, line->speed_m_s(config_.axis), last_speed_m_s_, 0, kNone};
    end_stretch(line->from.at, s.speed_m_s);
    const auto middle = line->from.at + (report.at - line->from.at) / 2;
    if (std::abs(s.speed_m_s) >= config_.least_speed_m_s && stroking(middle)) {
      const bool forward = s.speed_m_s > 0;
      const bool goes_on = !stretches_.empty() && stretches_.back().pass != kNone && !open_.empty() &&
                           open_.back().forward == forward && stretches_.back().line.to.at == line->from.at;
      if (!goes_on) open_.push_back({++passes_, forward, line->from.at, report.at, 0, config_.bin_m, {}});
      open_.back().ended = report.at;
      s.pass = closed_ + open_.size() - 1;
    }
    last_speed_m_s_ = s.speed_m_s;
    stretches_.push_back(s);
  } else {
    if (before) end_stretch(before->at, 0);
    last_speed_m_s_ = 0;
  }
  while (!stretches_.empty() && stretches_.front().line.to.at < report.at - kLinger - ReadbackLine::kLongest)
    stretches_.pop_front();
  close_passes_before(report.at - kLinger);
}

/// At `at`, where the last stretch ended.
void PositionAxis::end_stretch(daq::HostTime at, double speed_after_m_s) {
  if (stretches_.empty() || stretches_.back().line.to.at != at) return;
  auto& s = stretches_.back();
  const auto [slowest, fastest] = std::minmax({s.speed_before_m_s, s.speed_m_s, speed_after_m_s});
  constexpr double kQuarter = 0.25;  // of a sudden change of speed in the middle, the worst there is
  s.bend_m = (fastest - slowest) * daq::seconds(s.line.to.at - s.line.from.at) * kQuarter;
}

void PositionAxis::close_passes_before(daq::HostTime at) {
  while (!open_.empty() && open_.front().ended < at) {
    // Growing still when its last stretch is the newest.
    if (open_.size() == 1 && !stretches_.empty() && stretches_.back().pass == closed_) return;
    close(open_.front());
    open_.pop_front();
  }
}

void PositionAxis::place_waiting() {
  for (auto& blocks : waiting_) {
    while (!blocks.empty() && reports_.last() &&
           time_of(blocks.front(), blocks.front().samples - 1) < placeable_until_) {
      place(blocks.front());
      blocks.pop_front();
    }
  }
}

void PositionAxis::place(const daq::Block& block) {
  for (std::size_t s = 0; s < block.samples; ++s) {
    if (!place_sample(block, s)) ++unplaced_[block.stream];
  }
}

bool PositionAxis::place_sample(const daq::Block& block, std::size_t sample) {
  const auto at = time_of(block, sample);
  const auto stretch =
      std::find_if(stretches_.begin(), stretches_.end(), [&](const Stretch& s) { return s.line.holds(at); });
  if (stretch == stretches_.end() || stretch->pass == kNone || stretch->pass < closed_) return false;
  const auto& line = stretch->line;
  const double bound_s = daq::seconds(block.bound) + daq::seconds(std::max(line.from.bound, line.to.bound));
  add(open_[stretch->pass - closed_], block, sample, line.position_m(config_.axis, at),
      std::abs(stretch->speed_m_s) * bound_s + stretch->bend_m);
  return true;
}

void PositionAxis::add(Pass& pass, const daq::Block& block, std::size_t sample, double position_m,
                       double uncertainty_m) {
  const auto bin = static_cast<std::int64_t>(std::floor(position_m / pass.bin_m));
  if (pass.channels.empty()) pass.first_bin = bin;
  for (std::size_t c = 0; c < block.channels; ++c) {
    auto profile = std::find_if(pass.channels.begin(), pass.channels.end(),
                                [&](const ChannelProfile& p) { return p.stream == block.stream && p.channel == c; });
    if (profile == pass.channels.end()) {
      pass.channels.push_back({block.stream, c, {}});
      if (pass.channels.size() > 1) pass.channels.back().bins.resize(pass.channels.front().bins.size());
      profile = pass.channels.end() - 1;
    }
  }
  const auto before = pass.first_bin > bin ? static_cast<std::size_t>(pass.first_bin - bin) : 0;
  const auto size = std::max(pass.channels.front().bins.size() + before,
                             static_cast<std::size_t>(bin - pass.first_bin + static_cast<std::int64_t>(before)) + 1);
  if (size > kMostBins) {
    ++unplaced_[block.stream];
    return;
  }
  for (auto& profile : pass.channels) {
    if (before > 0) profile.bins.insert(profile.bins.begin(), before, PositionBin{});
    profile.bins.resize(size);
  }
  pass.first_bin -= static_cast<std::int64_t>(before);
  for (auto& profile : pass.channels) {
    if (profile.stream != block.stream || profile.channel >= block.channels) continue;
    profile.bins[static_cast<std::size_t>(bin - pass.first_bin)].add(
        static_cast<double>(block.values[sample * block.channels + profile.channel]), uncertainty_m);
  }
}

std::vector<Pass> PositionAxis::passes() { return std::exchange(done_, {}); }

void PositionAxis::finish() {
  if (reports_.last()) end_stretch(reports_.last()->at, 0);
  for (auto& blocks : waiting_) {
    for (const auto& block : blocks) place(block);
    blocks.clear();
  }
  for (auto& pass : open_) close(pass);
  open_.clear();
}

Registration register_passes(const Pass& forward, const Pass& backward, daq::StreamId stream, std::size_t channel,
                             ProfileValue value) {
  const auto find = [&](const Pass& pass) {
    return std::find_if(pass.channels.begin(), pass.channels.end(),
                        [&](const ChannelProfile& p) { return p.stream == stream && p.channel == channel; });
  };
  const auto there = find(forward);
  const auto back = find(backward);
  Registration best{kUnknown, 0};
  if (there == forward.channels.end() || back == backward.channels.end() || forward.bin_m != backward.bin_m) {
    return best;
  }
  const auto of = [&](const PositionBin& b) { return value == ProfileValue::kMean ? b.mean() : b.rms(); };
  // Correlation of what both have, with `back` moved by `shift` bins to greater positions.
  const auto correlation = [&](std::int64_t shift) {
    double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (std::size_t i = 0; i < there->bins.size(); ++i) {
      const auto j = forward.first_bin + static_cast<std::int64_t>(i) - shift - backward.first_bin;
      if (j < 0 || j >= static_cast<std::int64_t>(back->bins.size())) continue;
      const double a = of(there->bins[i]);
      const double b = of(back->bins[static_cast<std::size_t>(j)]);
      if (!std::isfinite(a) || !std::isfinite(b)) continue;
      n += 1, sa += a, sb += b, saa += a * a, sbb += b * b, sab += a * b;
    }
    constexpr double kFewest = 8;
    const double va = saa - sa * sa / n;
    const double vb = sbb - sb * sb / n;
    return n >= kFewest && va > 0 && vb > 0 ? (sab - sa * sb / n) / std::sqrt(va * vb) : -1.0;
  };
  const auto most = static_cast<std::int64_t>(std::min(there->bins.size(), back->bins.size()) / 4);
  std::int64_t at = 0;
  best.correlation = -1;
  for (std::int64_t shift = -most; shift <= most; ++shift) {
    if (const double c = correlation(shift); c > best.correlation) best.correlation = c, at = shift;
  }
  if (best.correlation <= 0) return {kUnknown, 0};
  // A parabola through the best three: where between bins the top lies.
  const double left = correlation(at - 1);
  const double right = correlation(at + 1);
  const double curve = left - 2 * best.correlation + right;
  const double fraction = curve < 0 && left > -1 && right > -1 ? 0.5 * (left - right) / curve : 0;
  best.shift_m = (static_cast<double>(at) + std::clamp(fraction, -0.5, 0.5)) * forward.bin_m;
  return best;
}

std::string to_json(const Pass& pass, const ChannelProfile& profile, const daq::StreamDescription& stream) {
  const auto number = [](double v) {
    return std::isfinite(v) ? nlohmann::ordered_json(v) : nlohmann::ordered_json(nullptr);
  };
  nlohmann::ordered_json bins;
  for (const auto& b : profile.bins) {
    bins["count"].push_back(b.count);
    bins["mean"].push_back(number(b.mean()));
    bins["min"].push_back(number(b.min));
    bins["max"].push_back(number(b.max));
    bins["rms"].push_back(number(b.rms()));
    bins["uncertainty_m"].push_back(b.count > 0 ? number(b.uncertainty_m) : number(kUnknown));
  }
  const auto& channel = stream.channels[profile.channel];
  return daq::json_text(nlohmann::ordered_json{{"stream", stream.name},
                                               {"channel", channel.name},
                                               {"unit", channel.unit},
                                               {"pass", pass.number},
                                               {"direction", pass.forward ? "forward" : "backward"},
                                               {"began_ns", pass.began.ns},
                                               {"ended_ns", pass.ended.ns},
                                               {"bin_m", pass.bin_m},
                                               {"first_centre_m", pass.bin_centre_m(0)},
                                               {"bins", bins}});
}

}  // namespace strigil::protocols
