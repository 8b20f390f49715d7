#include "daq/record/replay.hpp"

namespace strigil::daq {

RunReplay::RunReplay(std::unique_ptr<RunReader> reader) : reader_(std::move(reader)) {
  const auto n = reader_->header().streams.size();
  heads_.resize(n);
  next_block_.assign(n, 0);
  samples_.assign(n, 0);
}

Result<void> RunReplay::look_ahead() {
  for (std::size_t s = 0; s < heads_.size(); ++s) {
    if (heads_[s] || next_block_[s] >= reader_->block_count(s)) continue;
    auto block = reader_->block(s, next_block_[s]++);
    if (!block) return block.error();
    heads_[s] = *block;
  }
  if (!event_ && next_event_ < reader_->event_count()) {
    auto event = reader_->event(next_event_++);
    if (!event) return event.error();
    event_ = *event;
  }
  return {};
}

Result<std::optional<HostTime>> RunReplay::next_time() {
  if (auto looked = look_ahead(); !looked) return looked.error();
  std::optional<HostTime> earliest;
  for (const auto& head : heads_) {
    if (head && (!earliest || head->received < *earliest)) earliest = head->received;
  }
  if (event_ && (!earliest || event_->at < *earliest)) earliest = event_->at;
  return earliest;
}

Result<void> RunReplay::push_next(Fanout& fanout) {
  const auto time = next_time();
  if (!time) return time.error();
  for (std::size_t s = 0; s < heads_.size(); ++s) {
    if (!heads_[s] || heads_[s]->received != **time) continue;
    if (conversion_) conversion_(*heads_[s]);
    fanout.push(*heads_[s]);
    samples_[s] += heads_[s]->samples;
    heads_[s].reset();
    return {};
  }
  fanout.push(*event_);
  event_.reset();
  return {};
}

}  // namespace strigil::daq
