// Recorder: empties its sink's rings into a run file, on its own thread (real time) or when pumped (virtual time).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daq/fanout.hpp"
#include "daq/record/run_writer.hpp"

namespace strigil::daq {

/// The thread that calls start() also calls stop_and_drain(); only pump() may be called instead of start().
class Recorder {
 public:
  Recorder(std::unique_ptr<RunWriter> writer, std::shared_ptr<SinkRings> rings);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Records on a thread of its own from now on; flushes at least every half second.
  void start();
  /// Takes everything that waits in the rings, on the caller's thread. Virtual time, or after the thread has ended.
  void pump();
  /// Ends the thread, takes what is left and flushes. Precondition: the loop pushes no more.
  void stop_and_drain();
  /// Writes the end and closes the file; after stop_and_drain().
  Result<void> finish(const std::string& end_json, const std::vector<LedgerRow>& ledger);

  /// True once something could not be written. Any thread.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }
  /// Why; after failed(), and after stop_and_drain().
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// Samples written, by stream; after stop_and_drain().
  [[nodiscard]] const std::vector<std::uint64_t>& samples() const { return writer_->samples(); }
  [[nodiscard]] const std::string& path() const { return writer_->path(); }

 private:
  void work();
  /// Takes some of what waits; true when blocks are left.
  bool take();
  void note(const Result<void>& result);

  std::unique_ptr<RunWriter> writer_;
  std::shared_ptr<SinkRings> rings_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
  std::string failure_;
};

}  // namespace strigil::daq
