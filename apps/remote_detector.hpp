// Remote detector: a detector in another process hears a run, from a file or while it goes on (docs/detectors.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/detector_process.hpp"
#include "apps/publication.hpp"
#include "daq/result.hpp"
#include "protocols/court/run_strokes.hpp"
#include "protocols/detectors/detector_desk.hpp"

namespace strigil::apps {

struct RemoteDetectorOptions {
  std::string command;  ///< with {endpoint} and {answers}; empty: one comes by itself
  Publication publication{"tcp://127.0.0.1:*", 0, {}, {}};  ///< of a replay
  std::string answers = "tcp://127.0.0.1:*";                ///< where the desk is put up
  protocols::DeskRules rules;
};

/// A run as one detector heard it. What the desk found is in `desk.findings`; `heard.warnings` are of the run alone.
struct RemoteHearing {
  protocols::HeardRun heard;
  protocols::DeskHearing desk;
};

/// One detector and its desk, beside a publication. One thread. In order: open, start, ready until it has come,
/// published over and over, leave, finish.
class DetectorSeat {
 public:
  static daq::Result<std::unique_ptr<DetectorSeat>> open(const RemoteDetectorOptions& options, bool real_time);
  /// Its command is started. Errors: it cannot be.
  daq::Result<void> start(const std::string& endpoint, const std::string& run_id,
                          const protocols::StrokeFeedConfig& run);
  /// It has come or will not come; looks `longest`.
  bool ready(daq::Duration longest);
  /// That it has made; 0 where it has not come.
  [[nodiscard]] std::size_t subscriptions() const;
  [[nodiscard]] const std::string& answers() const { return desk_->endpoint(); }
  /// Data are out up to `until`. `wait`: until it has heard nearly all of it.
  void published(daq::HostTime until, bool wait);
  /// It listens.
  [[nodiscard]] bool listening() const { return desk_->listening(); }
  /// What it has said so far.
  [[nodiscard]] const protocols::DetectorDesk& desk() const { return *desk_; }
  /// The publication has ended: waits for its last words and for its process.
  void leave();
  /// With the truth of the run file, which is complete by now.
  daq::Result<RemoteHearing> finish(const std::string& run_file);

 private:
  explicit DetectorSeat(RemoteDetectorOptions options) : options_(std::move(options)) {}
  RemoteDetectorOptions options_;
  std::unique_ptr<protocols::DetectorDesk> desk_;
  std::unique_ptr<DetectorProcess> process_;
};

/// How long a detector is waited for to say hello.
inline constexpr daq::Duration kWaitForHello = std::chrono::seconds(30);

/// Replays a run file to a detector in another process, as fast as it listens: the same hearings as hear_run gives of
/// the same detector in process. Errors: not a run file of ours, endpoint busy, the command cannot be started. A
/// detector that misbehaves is no error.
daq::Result<RemoteHearing> hear_run_remotely(const std::string& run_file, const RemoteDetectorOptions& options);

}  // namespace strigil::apps
