#include "apps/generator_prompter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "calibration/signal/sine_fit.hpp"

namespace strigil::apps {

using daq::GeneratorSignal;
using daq::GeneratorWave;
using protocols::HandsAnswer;
using protocols::HandsRequest;
using protocols::HandsTask;
using rig::ExcitationKind;

namespace {

/// Samples of the reference that wait between two ticks.
constexpr std::size_t kBlocks = 256;
constexpr double kSettlePeriods = 5;
constexpr double kReadPeriods = 5;
constexpr double kShortestRead_s = 0.1;
/// A sine that is less than so many of its own standard uncertainties is not told from noise.
constexpr double kTold = 20;
/// Of what is expected: the first setting at a frequency is so much lower.
constexpr double kCaution = 0.5;
/// Of the limit, where nothing is known of amplifier and exciter.
constexpr double kUnknown = 1e-3;

}  // namespace

GeneratorPrompter::GeneratorPrompter(const rig::GeneratorConfig& config, daq::Link& link, daq::ChunkRing& chunks,
                                     const protocols::ReferenceStandard& reference)
    : config_(config),
      reference_(reference),
      uri_(link.uri()),
      generator_(config, link, chunks),
      learned_(config.sensitivity_V_m_s2) {}

bool GeneratorPrompter::does(const HandsRequest& request, const rig::GeneratorConfig& config) {
  if (request.task == HandsTask::kShake) return true;
  return request.task == HandsTask::kSweep && config.sensitivity_V_N > 0;
}

daq::Result<void> GeneratorPrompter::bring_up(rig::Rig& rig, rig::Pacer& pacer) {
  const auto& session = generator_.session();
  while (!session.ready() && session.failure().empty()) turn(rig.idle(pacer));
  if (session.ready()) {
    rings_ = rig.fanout().add_sink("generator", kBlocks);
    stream_id_ = rig.roles().vibration;
    stream_ = rig.streams().at(stream_id_);
    return {};
  }
  while (!session.over()) turn(rig.idle(pacer));
  return daq::Error{fmt::format("{}. Nothing was moved{}", failure(), warning())};
}

void GeneratorPrompter::turn(daq::HostTime now) {
  generator_.turn(now);
  if (!rings_) return;
  while (rings_->events.front() != nullptr) rings_->events.release();
  while (const auto* block = rings_->blocks.front()) {
    if (stage_ == Stage::kReading && block->stream == stream_id_) take(*block);
    rings_->blocks.release();
  }
}

void GeneratorPrompter::ask(const HandsRequest& request, daq::HostTime) {
  request_ = request;
  level_.reset();
  if (!does(request, config_)) {
    stage_ = Stage::kOff;
    set(0);
    return;
  }
  stage_ = Stage::kSetting;
  if (request.task == HandsTask::kShake && request.excitation.kind == ExcitationKind::kOff) return set(0);
  begin_level(request);
}

void GeneratorPrompter::begin_level(const HandsRequest& request) {
  if (request.task == HandsTask::kSweep) return set(request.at_edge.force_N * config_.sensitivity_V_N);
  const auto& e = request.excitation;
  if (!config_.levels) return set(e.amplitude_m_s2 * config_.sensitivity_V_m_s2);
  about_Hz_ = e.kind == ExcitationKind::kSine ? e.frequency_Hz : std::sqrt(e.frequency_Hz * e.to_Hz);
  const auto certified = response_at(reference_, about_Hz_);
  if (!certified) return refuse(fmt::format("the reference is not calibrated at {:g} Hz", about_Hz_));
  reference_V_m_s2_ = certified->sensitivity_V_m_s2;
  const auto& channels = stream_.channels;
  const auto found = std::find_if(channels.begin(), channels.end(),
                                  [&](const auto& c) { return c.name == request.shown_by && c.unit == "V"; });
  if (found == channels.end()) {
    return refuse(fmt::format("the stream '{}' has no channel '{}' in V by which the exciter could be levelled",
                              stream_.name, request.shown_by));
  }
  channel_ = static_cast<std::size_t>(found - channels.begin());
  const double expected_V = kCaution * learned_.at(about_Hz_) * e.amplitude_m_s2;
  level_.emplace(protocols::LevelLimits{config_.min_V, config_.max_V, config_.tolerance}, e.amplitude_m_s2,
                 expected_V > 0 ? expected_V : kUnknown * config_.max_V);
  set(level_->volts());
}

GeneratorSignal GeneratorPrompter::signal(double peak_V) const {
  if (peak_V <= 0) return {};
  GeneratorSignal s;
  s.peak_V = peak_V;
  if (request_.task == HandsTask::kSweep) {
    const auto& e = request_.at_edge;
    s.wave = GeneratorWave::kSweep;
    s.frequency_Hz = e.low_Hz;
    s.to_Hz = e.high_Hz;
    s.up_s = e.sweep_s;
    s.back_s = e.period_s - e.sweep_s;
    return s;
  }
  const auto& e = request_.excitation;
  s.frequency_Hz = e.frequency_Hz;
  s.wave = GeneratorWave::kSine;
  if (e.kind == ExcitationKind::kSine) return s;
  s.wave = GeneratorWave::kSweep;
  s.to_Hz = e.to_Hz;
  s.up_s = s.back_s = e.period_s / 2;
  s.by_octaves = true;
  return s;
}

void GeneratorPrompter::set(double peak_V) {
  if (generator_.session().set(signal(peak_V))) return;
  if (!generator_.session().failure().empty()) return;  // failure() says why
  if (peak_V > config_.max_V) {
    return refuse(
        fmt::format("{:.3g} V would be needed, and the bench file allows 'max_V' = {:g} V", peak_V, config_.max_V));
  }
  refuse("it is not to be set so, or is being switched off");
}

std::optional<HandsAnswer> GeneratorPrompter::poll(daq::HostTime now) {
  if (!failure().empty()) return HandsAnswer{.given_up = true};
  const auto& session = generator_.session();
  if (session.closing()) return std::nullopt;  // the procedure is at its end, for a reason of its own
  switch (stage_) {
    case Stage::kOff:
      if (!session.settled()) return std::nullopt;
      stage_ = Stage::kAsked;
      asked_->ask(request_, now);
      [[fallthrough]];
    case Stage::kAsked:
      return asked_->poll(now);
    case Stage::kSetting:
      if (!session.settled()) return std::nullopt;
      if (!level_) {
        stage_ = Stage::kDone;
        return HandsAnswer{};
      }
      listen();
      return std::nullopt;
    case Stage::kReading:
      if (window_.values_V.size() < window_.wanted) return std::nullopt;
      judge();
      return stage_ == Stage::kDone ? std::optional(HandsAnswer{}) : std::nullopt;
    case Stage::kIdle:
    case Stage::kDone:
    case Stage::kRefused:
      break;
  }
  return HandsAnswer{};
}

void GeneratorPrompter::listen() {
  const auto& e = request_.excitation;
  const bool sine = e.kind == ExcitationKind::kSine;
  const double period_s = sine ? 1 / e.frequency_Hz : e.period_s;
  const double settle_s = std::max(config_.settle_s, sine ? kSettlePeriods * period_s : period_s);
  const double periods = sine ? std::ceil(std::max(kReadPeriods, kShortestRead_s / period_s)) : 1;
  window_ = {};
  window_.from = generator_.session().settled_at() + daq::from_seconds(settle_s);
  window_.wanted =
      std::max<std::size_t>(16, static_cast<std::size_t>(std::lround(periods * period_s * stream_.rate_Hz)));
  window_.values_V.reserve(window_.wanted);
  stage_ = Stage::kReading;
}

void GeneratorPrompter::take(const daq::Block& block) {
  if (block.channels != stream_.channels.size()) return;
  if ((block.flags & (daq::kGapBefore | daq::kDeviceReset)) != 0) window_.values_V.clear();
  const auto& c = stream_.channels[channel_];
  for (std::size_t k = 0; k < block.samples && window_.values_V.size() < window_.wanted; ++k) {
    const auto at = block.t0 + daq::Duration{std::llround(static_cast<double>(k) * block.period_ns)};
    if (at < window_.from) continue;
    window_.values_V.push_back(c.scale * block.counts[k * block.channels + channel_] + c.offset);
  }
}

void GeneratorPrompter::judge() {
  const auto& e = request_.excitation;
  const auto& v = window_.values_V;
  double amplitude_V = 0;
  bool told = false;
  if (e.kind == ExcitationKind::kSine) {
    if (const auto fit = calibration::fit_sine(v, stream_.rate_Hz, e.frequency_Hz)) {
      amplitude_V = fit->amplitude;
      told = fit->amplitude > kTold * fit->u_amplitude;
    }
  } else {
    // Of a sweep at one level; what is noise in it counts with it.
    double mean = 0, squares = 0;
    for (const double x : v) mean += x / static_cast<double>(v.size());
    for (const double x : v) squares += (x - mean) * (x - mean);
    amplitude_V = std::numbers::sqrt2 * std::sqrt(squares / static_cast<double>(v.size()));
    told = true;
  }
  level_->seen(amplitude_V / reference_V_m_s2_, told);
  if (!level_->refusal().empty()) return refuse(level_->refusal());
  if (level_->reached()) {
    learned_.learn(about_Hz_, level_->volts() * reference_V_m_s2_ / amplitude_V);
    stage_ = Stage::kDone;
    return;
  }
  stage_ = Stage::kSetting;
  set(level_->volts());
}

void GeneratorPrompter::refuse(std::string why) {
  stage_ = Stage::kRefused;
  refusal_ = std::move(why);
  close();
}

void GeneratorPrompter::wait_until_off(rig::Pacer& pacer) {
  close();
  while (!generator_.session().over()) turn(pacer.next());
}

std::string GeneratorPrompter::failure() const {
  const auto& broken = generator_.session().failure();
  if (!broken.empty()) return fmt::format("the generator on {} {}", uri_, broken);
  return refusal_.empty() ? "" : fmt::format("the generator on {}: {}", uri_, refusal_);
}

std::string GeneratorPrompter::warning() const {
  if (generator_.session().known_off()) return "";
  return fmt::format(". The generator on {} has not said that its output is off: switch it off by hand", uri_);
}

}  // namespace strigil::apps
