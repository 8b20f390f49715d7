#include "rig/intake.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "rig/frames.hpp"

namespace strigil::rig {

/// One session with its link, and the door through which what it makes comes in.
class Intake::Outlet final : public daq::SessionOutput {
 public:
  Outlet(Intake& intake, daq::Session& session, daq::Link& link) : intake_(intake), session_(session), link_(link) {}
  void newest(const daq::NewestSample& sample) noexcept override { intake_.take_newest(sample); }
  void block(const daq::Block& block) noexcept override { intake_.take_block(block); }
  void event(const daq::Event& event) noexcept override { intake_.push_event(event); }
  bool send(std::span<const std::byte> bytes) noexcept override { return link_.write(bytes); }
  [[nodiscard]] daq::Session& session() const noexcept { return session_; }

 private:
  Intake& intake_;
  daq::Session& session_;
  daq::Link& link_;
};

Intake::Intake(daq::ChunkRing& chunks, daq::Fanout& fanout, const InterlockConfig& limits)
    : chunks_(chunks), fanout_(fanout), limits_(limits) {}

Intake::~Intake() = default;

void Intake::attach(daq::Session& session, daq::Link& link) {
  outlets_.push_back(std::make_unique<Outlet>(*this, session, link));
}

void Intake::configure(const std::vector<daq::StreamDescription>& streams, const StreamRoles& roles,
                       const calibration::Record* force, const StageMap* stage,
                       const calibration::Record* vibration) {
  conversions_.clear();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    assert(streams[i].id == i);
    const auto* record = i == roles.force ? force : i == roles.vibration ? vibration : nullptr;
    conversions_.push_back(record != nullptr ? calibration::Conversion::with(streams[i], *record).value()
                                             : calibration::Conversion(streams[i]));
    // A reference's volts beside the accelerations are no vibration of the instrument.
    const auto& channels = streams[i].channels;
    for (std::size_t c = 0; i == roles.vibration && c < channels.size(); ++c)
      shakes_[c] = channels[c].unit == channels.front().unit;
  }
  counts_.assign(streams.size(), {});
  roles_ = roles;
  stage_map_ = stage;
  configured_ = true;
}

void Intake::drain(daq::HostTime now, Readings& readings) noexcept {
  readings_ = &readings;
  readings.now = now;
  while (const daq::Chunk* chunk = chunks_.front()) {
    if (chunk->kind == daq::ChunkKind::kClosed) {
      sensed_ |= kLinkClosed;
      push_event({.at = chunk->received,
                  .code = daq::EventCode::kLinkClosed,
                  .severity = daq::Severity::kFault,
                  .source = chunk->link});
    } else if (chunk->link < outlets_.size()) {
      auto& outlet = *outlets_[chunk->link];
      outlet.session().on_chunk(*chunk, now, outlet);
    }
    chunks_.release();
  }
  for (auto& outlet : outlets_) outlet->session().on_time(now, *outlet);
  readings_ = nullptr;
}

daq::SessionOutput& Intake::output_of(std::size_t link) noexcept { return *outlets_[link]; }

void Intake::push_event(const daq::Event& event) noexcept { fanout_.push(event); }

void Intake::push_own(daq::Block& block) noexcept {
  if (block.stream >= conversions_.size()) return;
  conversions_[block.stream].apply(block);
  auto& c = counts_[block.stream];
  ++c.blocks;
  c.samples += block.samples;
  c.next_sample = block.first_sample + block.samples;
  fanout_.push(block);
}

void Intake::take_block(const daq::Block& block) noexcept {
  if (!configured_ || block.stream >= conversions_.size()) return;  // before the run: nobody listens yet
  scratch_ = block;
  conversions_[block.stream].apply(scratch_);
  if (stage_map_ != nullptr && block.stream == roles_.position) correct_positions(scratch_);
  auto& c = counts_[block.stream];
  if (c.blocks == 0) c.first_sample = block.first_sample;
  // What was missing before the first block of the run is not this run's loss.
  if (c.blocks != 0 && (block.flags & daq::kDeviceReset) != 0) {
    c.before_reset += c.next_sample - c.first_sample + block.gap;
    c.first_sample = block.first_sample;  // another counter
  }
  const bool gap = c.blocks != 0 && ((block.flags & daq::kGapBefore) != 0 || block.gap != 0);
  if (gap) {
    c.gap_samples += block.gap;
    if ((block.flags & daq::kGapInRing) != 0) c.gap_in_ring += block.gap;
    if ((block.flags & daq::kGapInCodec) != 0) c.gap_in_codec += block.gap;
  }
  if ((block.flags & daq::kClockUnlocked) != 0) c.unlocked += block.samples;
  ++c.blocks;
  c.samples += block.samples;
  c.next_sample = block.first_sample + block.samples;
  if (block.stream == roles_.force && gap) sensed_ |= kForceGap;
  if (block.stream == roles_.vibration) {
    if (gap) sensed_ |= kVibrationGap;
    take_vibration(scratch_);
  }
  fanout_.push(scratch_);
}

/// By the samples' own times: a computer that is late makes nothing stuck.
void Intake::watch(Liveness& liveness, const daq::NewestSample& sample, Fault stuck) noexcept {
  if (!liveness.seen || liveness.counts != sample.counts) {
    liveness.seen = true;
    liveness.counts = sample.counts;
    liveness.changed = sample.t0;
  }
  if (sample.t0 - liveness.changed > limits_.stuck) sensed_ |= stuck;
}

/// An amplifier at its rail holds one channel while the others live on.
void Intake::watch_force(const daq::NewestSample& sample) noexcept {
  daq::NewestSample normal = sample;
  normal.counts.fill(0);
  normal.counts[0] = sample.counts[roles_.normal_channel];
  watch(force_liveness_, normal, kForceStuck);
}

void Intake::take_newest(const daq::NewestSample& sample) noexcept {
  if (!configured_ || readings_ == nullptr || sample.stream >= conversions_.size()) return;
  auto& r = *readings_;
  const auto& conversion = conversions_[sample.stream];
  if (sample.stream == roles_.force) {
    const EdgeForce measured{roles_.normal_sign * conversion.value(sample, roles_.normal_channel),
                             roles_.tangential_sign * conversion.value(sample, roles_.tangential_channel)};
    const EdgeForce felt = roles_.lean_rad == 0 ? measured : upright(measured, roles_.lean_rad);
    if (averaging_) {
      sum_normal_N_ += felt.normal_N;
      sum_tangential_N_ += felt.tangential_N;
      ++averaged_;
    }
    r.force_seen = true;
    r.untared_normal_force_N = felt.normal_N;
    r.normal_force_N = felt.normal_N - zero_normal_N_;
    r.tangential_force_N = felt.tangential_N - zero_tangential_N_;
    r.force_t0 = sample.t0;
    r.force_received = sample.received;
    ++r.force_samples;
    if ((sample.flags & daq::kSaturated) != 0) sensed_ |= kForceSaturated;
    if ((sample.flags & daq::kDeviceFault) != 0) sensed_ |= kForceDeviceFault;
    watch_force(sample);
  } else if (sample.stream == roles_.position) {
    const auto counted_m = r.counted_m();  // an axis that is not reported stays as it is
    r.position_m = counted_m;
    for (std::size_t a = 0; a < std::min<std::size_t>(kAxes, sample.channels); ++a) {
      r.position_m[a] = conversion.value(sample, a);
    }
    if (stage_map_ != nullptr) {
      const auto true_m = newest_position_.follow(*stage_map_, r.position_m);
      for (std::size_t a = 0; a < kAxes; ++a) r.correction_m[a] = true_m[a] - r.position_m[a];
      r.position_m = true_m;
    }
    r.stage_seen = true;
    r.position_t0 = sample.t0;
    r.position_received = sample.received;
  } else if (sample.stream == roles_.vibration) {
    r.vibration_seen = true;
    r.vibration_received = sample.received;
    if ((sample.flags & daq::kSaturated) != 0) sensed_ |= kVibrationSaturated;
    if ((sample.flags & daq::kDeviceFault) != 0) sensed_ |= kVibrationDeviceFault;
    watch(vibration_liveness_, sample, kVibrationStuck);
  }
}

void Intake::correct_positions(daq::Block& block) noexcept {
  const auto axes = std::min<std::size_t>(kAxes, block.channels);
  for (std::size_t s = 0; s < block.samples; ++s) {
    Position p{};
    for (std::size_t a = 0; a < axes; ++a) p[a] = block.values[s * block.channels + a];
    p = recorded_position_.follow(*stage_map_, p);
    for (std::size_t a = 0; a < axes; ++a) block.values[s * block.channels + a] = static_cast<float>(p[a]);
  }
}

void Intake::take_vibration(const daq::Block& block) noexcept {
  if (readings_ == nullptr || block.samples == 0) return;
  double power = 0;
  for (std::size_t c = 0; c < block.channels; ++c) {
    if (!shakes_[c]) continue;
    double sum = 0;
    double squares = 0;
    for (std::size_t s = 0; s < block.samples; ++s) {
      const double v = block.values[s * block.channels + c];
      sum += v;
      squares += v * v;
    }
    const double mean = sum / block.samples;
    power += std::max(0.0, squares / block.samples - mean * mean);
  }
  readings_->vibration_rms_m_s2 = std::sqrt(power);
  readings_->vibration_samples += block.samples;
}

std::uint32_t Intake::take_sensed() noexcept {
  std::uint32_t out = sensed_;
  sensed_ &= kLinkClosed;  // a closed link stays closed; the others are edges that the interlock latches
  return out;
}

bool Intake::tare(bool averaging, daq::HostTime now) noexcept {
  const bool ended = averaging_ && !averaging;
  if (averaging && !averaging_) {
    sum_normal_N_ = 0;
    sum_tangential_N_ = 0;
    averaged_ = 0;
  }
  averaging_ = averaging;
  if (!ended || averaged_ == 0) return false;
  zero_normal_N_ = sum_normal_N_ / static_cast<double>(averaged_);
  zero_tangential_N_ = sum_tangential_N_ / static_cast<double>(averaged_);
  push_event({.at = now,
              .code = daq::EventCode::kTare,
              .source = roles_.force,
              .arguments = {zero_normal_N_, zero_tangential_N_, static_cast<double>(averaged_), 0}});
  return true;
}

}  // namespace strigil::rig
