#include "daq/record/recorder.hpp"

#include <pthread.h>

#include <chrono>

namespace strigil::daq {
namespace {

/// A kill loses at most this much beside what one write takes; the promise to people is one second.
constexpr auto kFlushEvery = std::chrono::milliseconds(400);
constexpr auto kLookEvery = std::chrono::milliseconds(20);
constexpr std::size_t kAtOnce = 1024;  // blocks taken before the clock is looked at again

}  // namespace

Recorder::Recorder(std::unique_ptr<RunWriter> writer, std::shared_ptr<SinkRings> rings)
    : writer_(std::move(writer)), rings_(std::move(rings)) {}

Recorder::~Recorder() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

void Recorder::start() {
  thread_ = std::thread([this] { work(); });
}

void Recorder::note(const Result<void>& result) {
  if (result.ok() || failed_.load(std::memory_order_relaxed)) return;
  failure_ = result.error().message;
  failed_.store(true, std::memory_order_release);
}

void Recorder::pump() {
  while (take()) {
  }
}

bool Recorder::take() {
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    const Block* block = rings_->blocks.front();
    if (block == nullptr) break;
    note(writer_->append(*block));
    rings_->blocks.release();
  }
  while (const Event* event = rings_->events.front()) {
    note(writer_->append(*event));
    rings_->events.release();
  }
  return rings_->blocks.front() != nullptr;
}

void Recorder::work() {
  (void)::pthread_setname_np(::pthread_self(), "record");
  auto flushed = std::chrono::steady_clock::now();
  while (!stop_.load(std::memory_order_acquire)) {
    const bool more = take();
    const auto now = std::chrono::steady_clock::now();
    if (now - flushed >= kFlushEvery) {
      flushed = now;
      note(writer_->flush());
    }
    // Polling a ring that holds seconds every 20 ms costs nothing and needs no signal from the loop.
    if (!more) std::this_thread::sleep_for(kLookEvery);
  }
}

void Recorder::stop_and_drain() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
  pump();
  note(writer_->flush());
}

Result<void> Recorder::finish(const std::string& end_json, const std::vector<LedgerRow>& ledger) {
  auto result = writer_->finish(end_json, ledger);
  note(result);
  return result;
}

}  // namespace strigil::daq
