#include "daq/codec/rdt_session.hpp"

#include <algorithm>
#include <limits>

namespace strigil::daq {
namespace {

constexpr Duration kAskAgain = std::chrono::milliseconds(500);
constexpr Duration kGatherAtMost = std::chrono::milliseconds(10);
/// A step back by more than this is a restarted counter, not a late datagram.
constexpr std::int32_t kLateAtMost = 1000;

}  // namespace

RdtSession::RdtSession(const RdtSessionConfig& config)
    : config_(config),
      clock_({.tick_rate_Hz = config.rate_Hz, .latency_s = config.latency_s, .lock_bound_s = config.lock_bound_s}) {
  auto& d = description_;
  d.id = config.stream;
  d.name = config.name;
  d.device = "ATI Net F/T (RDT)";
  d.quantity = "force";
  d.rate_Hz = config.rate_Hz;
  d.tick_rate_Hz = config.rate_Hz;
  // One count short of the ends: the extremes are what a saturated gauge reports.
  d.counts_min = std::numeric_limits<std::int32_t>::min() + 1;
  d.counts_max = std::numeric_limits<std::int32_t>::max() - 1;
  for (const char* name : {"Fx", "Fy", "Fz"}) d.channels.push_back({name, "N", 1 / config.counts_per_N, 0});
  for (const char* name : {"Tx", "Ty", "Tz"}) d.channels.push_back({name, "N m", 1 / config.counts_per_N_m, 0});
}

void RdtSession::on_chunk(const Chunk& chunk, HostTime, SessionOutput& out) noexcept {
  counts_.bytes += chunk.size;
  witness_.chunk(chunk);
  const auto bytes = chunk.data();
  if (chunk.kind != ChunkKind::kDatagram || bytes.empty() || bytes.size() % kRdtRecordSize != 0) {
    ++counts_.rejected;
    witness_.rejected();
    out.event({.at = chunk.received,
               .code = EventCode::kDecodeError,
               .severity = Severity::kWarning,
               .source = chunk.link,
               .arguments = {static_cast<double>(counts_.rejected)}});
    return;
  }
  heard_ = chunk.received;
  const auto before = counts_.samples;
  for (std::size_t at = 0; at < bytes.size(); at += kRdtRecordSize) {
    take(decode_rdt_record(bytes.subspan(at).first<kRdtRecordSize>()), chunk, out);
  }
  if (counts_.samples == before) return;
  NewestSample newest;
  newest.stream = config_.stream;
  newest.channels = kRdtAxes;
  newest.sample = next_sample_ - 1;
  newest.flags = block_.flags;
  newest.t0 = clock_.to_host({ticks_});
  newest.received = chunk.received;
  std::copy_n(&block_.counts[(block_.samples - 1U) * kRdtAxes], kRdtAxes, newest.counts.begin());
  out.newest(newest);
  if (block_.samples == kMaxBlockSamples) flush(out);
}

bool RdtSession::place(const RdtRecord& record, const Chunk& chunk, SessionOutput& out) noexcept {
  if (!synchronised_) {
    synchronised_ = true;
    next_sample_ = record.rdt_sequence;
    ticks_ = last_ft_ = record.ft_sequence;
  }
  const auto step = static_cast<std::int32_t>(record.rdt_sequence - static_cast<std::uint32_t>(next_sample_));
  // A new start request restarts rdt_sequence alone: such a record is behind by one counter and ahead by the other.
  const auto ft_step = static_cast<std::int32_t>(record.ft_sequence - last_ft_);
  if (step < 0 && step >= -kLateAtMost && ft_step <= 0) {
    ++counts_.reordered;
    const auto sample = next_sample_ - static_cast<std::uint64_t>(-std::int64_t{step});
    counts_.lost -= window_.came_late(sample, 1);  // nothing for a duplicate: it was never lost
    out.event({.at = chunk.received,
               .code = EventCode::kSamplesReordered,
               .severity = Severity::kWarning,
               .source = config_.stream,
               .arguments = {static_cast<double>(record.rdt_sequence)}});
    return false;
  }
  if (step < 0) {
    flush(out);
    clock_.reset();
    window_.forget();
    // How many were lost: ft_sequence knows when it goes on; when not, nobody does, so at least one. Sample numbers go
    // on rising.
    const auto lost = ft_step > 0 ? static_cast<std::uint32_t>(ft_step) - 1 : 1;
    pending_flags_ |= kDeviceReset | (lost > 0 ? kGapBefore : 0U);
    counts_.lost += lost;
    pending_gap_ += lost;
    next_sample_ = ((next_sample_ >> 32U) + 1) << 32U | record.rdt_sequence;
    if (ft_step <= 0) ticks_ = last_ft_ = record.ft_sequence;
    out.event({.at = chunk.received,
               .code = EventCode::kDeviceReset,
               .severity = Severity::kWarning,
               .source = config_.stream});
  } else if (step > 0) {
    flush(out);
    const auto lost = static_cast<std::uint32_t>(step);
    counts_.lost += lost;
    pending_gap_ += lost;
    pending_flags_ |= witness_.gap_flags();
    window_.lost(next_sample_, lost);
    out.event({.at = chunk.received,
               .code = EventCode::kSamplesLost,
               .severity = Severity::kWarning,
               .source = config_.stream,
               .arguments = {static_cast<double>(lost), static_cast<double>(next_sample_)}});
    next_sample_ += lost;
  }
  witness_.none();
  window_.came(next_sample_, 1);
  ticks_ += record.ft_sequence - last_ft_;  // unsigned 32-bit difference: wraps by itself
  last_ft_ = record.ft_sequence;
  return true;
}

void RdtSession::take(const RdtRecord& record, const Chunk& chunk, SessionOutput& out) noexcept {
  ++counts_.records;
  if (!place(record, chunk, out)) return;
  const bool was_locked = clock_.locked();
  const bool jumped = clock_.update({ticks_}, chunk.received) == ClockFit::Update::kJump;
  // What is said of a block holds for all its samples.
  if (block_.samples == kMaxBlockSamples || jumped || clock_.locked() != was_locked) flush(out);
  if (jumped) {
    pending_flags_ |= kClockJump;
    out.event({.at = chunk.received,
               .code = EventCode::kClockJump,
               .severity = Severity::kWarning,
               .source = config_.stream});
  }
  auto& b = block_;
  if (b.samples == 0) {
    b.stream = config_.stream;
    b.channels = kRdtAxes;
    b.flags = pending_flags_;
    b.gap = pending_gap_;
    pending_flags_ = pending_gap_ = 0;
    b.first_sample = next_sample_;
    b.ticks = {ticks_};
    b.t0 = clock_.to_host({ticks_});
    b.bound = clock_.bound();
    b.period_ns = clock_.period_ns();
  }
  b.received = chunk.received;
  std::copy(record.counts.begin(), record.counts.end(), &b.counts[b.samples * kRdtAxes]);
  if (!clock_.locked()) b.flags |= kClockUnlocked;
  for (const auto c : record.counts) {
    if (c <= description_.counts_min || c >= description_.counts_max) b.flags |= kSaturated;
  }
  if (record.status != 0) {
    b.flags |= kDeviceFault;
    ++counts_.device_faults;
  }
  if (record.status != last_status_) {
    last_status_ = record.status;
    out.event({.at = chunk.received,
               .code = EventCode::kDeviceStatus,
               .severity = record.status == 0 ? Severity::kInfo : Severity::kFault,
               .source = config_.stream,
               .arguments = {static_cast<double>(record.status)}});
  }
  ++b.samples;
  ++counts_.samples;
  ++next_sample_;
}

void RdtSession::flush(SessionOutput& out) noexcept {
  if (block_.samples == 0) return;
  out.block(block_);
  block_.samples = 0;
}

void RdtSession::on_time(HostTime now, SessionOutput& out) noexcept {
  if (block_.samples > 0 &&
      now - block_.received + Duration(static_cast<std::int64_t>(block_.samples * block_.period_ns)) >= kGatherAtMost) {
    flush(out);
  }
  const bool silent = !asked_once_ || now - heard_ >= kAskAgain;
  if (wanted_ && silent && (!asked_once_ || now - asked_ >= kAskAgain)) {
    if (out.send(encode(RdtRequest{RdtCommand::kStartRealtime, 0}))) {
      asked_once_ = true;
      asked_ = now;
    }
  }
}

void RdtSession::stop(HostTime, SessionOutput& out) noexcept {
  wanted_ = false;  // what is still on its way is taken in, so that the counts of both ends balance
  (void)out.send(encode(RdtRequest{RdtCommand::kStop, 0}));  // if it is lost the sensor stops at the next one
}

}  // namespace strigil::daq
