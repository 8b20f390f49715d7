// Review: run files on the screen: read on a thread of their own, also while they still grow.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "daq/record/run_writer.hpp"
#include "rig/phantom.hpp"
#include "ui/model.hpp"
#include "ui/run_end.hpp"

namespace strigil::ui {

/// One run file being read into a model. The main thread owns it.
class RunOnScreen {
 public:
  explicit RunOnScreen(std::string path);
  ~RunOnScreen();
  RunOnScreen(const RunOnScreen&) = delete;
  RunOnScreen& operator=(const RunOnScreen&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  Model& model() { return model_; }
  /// 0 to 1. Any thread.
  [[nodiscard]] float progress() const { return progress_.load(); }
  /// Still read, or still growing.
  [[nodiscard]] bool growing() const { return !done_.load(); }
  /// Why it cannot be read; empty when it can. Main thread.
  [[nodiscard]] std::string trouble() const;
  /// What lay under the instrument, as the file says; nullptr: it does not, or the run goes on. Main thread.
  [[nodiscard]] std::shared_ptr<const rig::Phantom> phantom() const;
  /// Judgement and reasons of its end, in words; empty when it has none (yet).
  [[nodiscard]] std::string verdict() const;
  /// What each area has received, of its end; without columns when it has none (yet).
  [[nodiscard]] DoseMap dose() const;

 private:
  void read();
  void look_at_header(const daq::RunHeader& header);
  const std::string path_;
  Model model_;
  std::atomic<bool> leaving_{false};
  std::atomic<bool> done_{false};
  std::atomic<float> progress_{0};
  mutable std::mutex mutex_;
  std::string trouble_;
  RunEnd end_;
  bool ended_ = false;  // the end was there
  std::shared_ptr<const rig::Phantom> phantom_;
  std::thread thread_;
};

/// The run that is looked at, and one that is laid over it.
struct Review {
  std::unique_ptr<RunOnScreen> run;
  std::unique_ptr<RunOnScreen> overlay;
};

/// What is on the screen of one stream, as CSV: a header, then a row a sample of those still kept in [from_s, to_s).
/// Errors: the file.
daq::Result<void> write_csv(const StreamView& stream, double from_s, double to_s, const std::string& path);

}  // namespace strigil::ui
