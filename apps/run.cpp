#include "apps/run.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/places.hpp"
#include "apps/remote_detector.hpp"
#include "apps/run_gates.hpp"
#include "apps/run_ledger.hpp"
#include "apps/run_look.hpp"
#include "apps/told_detections.hpp"
#include "daq/json_text.hpp"
#include "daq/publish/publisher.hpp"
#include "daq/record/recorder.hpp"
#include "protocols/evidence_text.hpp"
#include "protocols/report.hpp"
#include "rig/ground_truth.hpp"
#include "rig/rig.hpp"

namespace strigil::apps {
namespace {

using daq::Duration;
using daq::HostTime;

constexpr auto kLookAtProgress = std::chrono::milliseconds(50);

std::string words_for(protocols::Suspension suspension) {
  switch (suspension) {
    case protocols::Suspension::kNone:
      return "the run goes on";
    case protocols::Suspension::kHolding:
      return "suspended: the contact is held for [suspend] hold_s, then lifted. Ctrl-Z: go on; Ctrl-C: end the run";
    case protocols::Suspension::kLifting:
      return "suspended: the instrument is lifted";
    case protocols::Suspension::kClear:
      return "suspended: clear of the phantom. Ctrl-Z: go on; Ctrl-C: end the run";
  }
  return {};
}

class Run {
 public:
  Run(const RunOptions& options, const RunWatcher& watcher)
      : o_(options), watcher_(watcher), wires_(options.busy, watcher.world) {}

  daq::Result<RunOutcome> go() {
    auto gates = pass_run_gates(o_.bench, o_.plan, o_.today.value_or(daq::wall_now()));
    if (!gates) return gates.error();
    gates_ = std::move(*gates);
    for (const auto& line : gates_.told) say(line);
    if (auto r = wires_.open(o_.bench, o_.virtual_time, o_.seed); !r) return r.error();
    auto assembled = rig::Rig::assemble(
        gates_.bench, wires_.chunks(), [this](const std::string& uri, daq::LinkId id) { return wires_.link(uri, id); });
    if (!assembled) return assembled.error();
    rig_ = std::move(*assembled);
    say(fmt::format("bench '{}': waiting for its devices", o_.bench.name));
    if (auto r = rig_->bring_up(wires_.pacer()); !r) return r.error();
    if (auto r = open_sinks(); !r) return r.error();
    const auto wall_began = daq::host_now();
    perform();
    const double wall_s = daq::seconds(daq::host_now() - wall_began);
    return conclude(wall_s);
  }

 private:
  void say(const std::string& line) {
    if (watcher_.say) watcher_.say(line);
  }

  /// The publisher first: whoever is waited for in vain, or an endpoint that is busy, leaves no run file behind.
  daq::Result<void> open_sinks() {
    daq::RunHeader header;
    const auto created = daq::wall_now();
    header.run_id = fmt::format("{}-{}-{}", daq::file_stamp(created), o_.plan.protocol.name, o_.seed);
    run_id_ = header.run_id;
    header.created = daq::iso8601(created);
    header.software = version();
    header.virtual_time = o_.virtual_time;
    header.seed = o_.seed;
    header.streams = rig_->streams();
    header.config = {
        {"bench.toml", o_.bench.text}, {"protocol.toml", o_.protocol_text}, {"plan.json", protocols::to_json(o_.plan)}};
    if (!o_.stop_test.empty()) header.config["stop_test.json"] = o_.stop_test;
    for (const auto& [name, text] : gates_.config) header.config[name] = text;
    add_ground_truth(header.config);
    if (!o_.publication.endpoint.empty()) {
      if (auto r = open_publisher(header); !r) return r.error();
    }
    auto writer = daq::RunWriter::create(o_.out, header);
    if (!writer) return writer.error();
    recorder_rings_ = rig_->fanout().add_sink("recorder", o_.busy.recorder_blocks);
    if (publisher_) rig_->fanout().add_sink(publisher_rings_);
    look_ = std::make_unique<RunLook>(rig_->fanout(), rig_->streams(), rig_->roles(), publisher_.get());
    rig_->begin();
    recorder_ = std::make_unique<daq::Recorder>(std::move(*writer), recorder_rings_);
    if (!o_.virtual_time) recorder_->start();
    return {};
  }

  /// For the file alone: whoever listens may be a detector under test.
  void add_ground_truth(std::map<std::string, std::string>& config) const {
    const auto& instrument = o_.bench.instrument_there;
    if (instrument) config["instrument.toml"] = instrument->text;
    if (!o_.bench.phantom_there) return;
    config["phantom.toml"] = o_.bench.phantom_there->text;
    config["ground_truth.json"] = rig::ground_truth_json(*o_.bench.phantom_there, instrument ? &*instrument : nullptr);
  }

  daq::Result<void> open_publisher(const daq::RunHeader& header) {
    auto config = publisher_config(o_.publication);
    if (!config) return config.error();
    config->own_thread = !o_.virtual_time;
    if (o_.virtual_time) config->when_full = daq::WhenFull::kWait;
    publisher_rings_ = std::make_shared<daq::SinkRings>("publisher", o_.busy.publisher_blocks, daq::kSinkEvents);
    auto publisher = daq::Publisher::start(*config, published_run(header.run_id), rig_->streams(), publisher_rings_);
    if (!publisher) return publisher.error();
    publisher_ = std::move(*publisher);
    say(fmt::format("publishing on {}", publisher_->bound_endpoint()));
    if (!publisher_->public_key().empty()) say(fmt::format("publisher's public key: {}", publisher_->public_key()));
    if (watcher_.publishing) watcher_.publishing(header.run_id, *publisher_);
    if (auto r = call_detectors(header); !r) return r.error();
    if (!subscribers_came()) return too_few_subscriptions(o_.publication, *publisher_);
    return {};
  }

  /// Those that do not come are found out by their desks, and hold up nothing.
  daq::Result<void> call_detectors(const daq::RunHeader& header) {
    if (o_.detectors.empty()) return {};
    const auto config = protocols::feed_config_of(header);
    if (!config) return config.error();
    for (auto* seat : o_.detectors) {
      if (auto r = seat->start(publisher_->bound_endpoint(), header.run_id, *config); !r) return r.error();
    }
    const auto deadline = daq::host_now() + kWaitForHello;
    for (auto* seat : o_.detectors) {
      const auto longest = o_.virtual_time ? Duration(kLookAtProgress) : Duration::zero();
      while (daq::host_now() < deadline && !asked_to_stop() && !seat->ready(longest)) {
        if (!o_.virtual_time) rig_->idle(wires_.pacer());
      }
      subscriptions_ += seat->subscriptions();
    }
    return {};
  }

  [[nodiscard]] bool asked_to_stop() const { return watcher_.request != nullptr && watcher_.request->load() != 0; }

  void tell_detectors(HostTime until) {
    for (auto* seat : o_.detectors) seat->published(until, o_.virtual_time);
  }

  /// In real time the devices stream on meanwhile, and what they send must not pile up; virtual time stands still.
  bool subscribers_came() {
    const auto wanted = o_.publication.wait_subscriptions + subscriptions_;
    if (o_.virtual_time) return publisher_->wait_for_subscribers(wanted, kWaitForSubscribers);
    const auto deadline = daq::host_now() + kWaitForSubscribers;
    while (publisher_->subscriber_count() < wanted && daq::host_now() < deadline && !asked_to_stop()) {
      rig_->idle(wires_.pacer());
    }
    return publisher_->subscriber_count() >= wanted;
  }

  void obey_requests(rig::Loop& loop) {
    if (watcher_.request == nullptr) return;
    const int request = watcher_.request->load();
    if (request >= 2) rig_->supervisor().emergency_stop();
    if (request >= 1) {
      operator_aborted_ = true;
      abort(loop);
    }
    if (recorder_->failed()) abort(loop);
  }

  /// One signal for both: what it asks for depends on what the rig is doing. The one that lets it go on is not taken
  /// for a bounce of the one before.
  void obey_suspension(rig::Loop& loop, HostTime now) {
    if (watcher_.suspend == nullptr) return;
    const int asked = watcher_.suspend->load();
    if (asked == suspensions_asked_) return;
    suspensions_asked_ = asked;
    const auto state = rig_->supervisor().state();
    if (state == rig::SupervisorState::kRunning && loop.request(rig::Command::kSuspend)) suspended_at_ = now;
    if (state == rig::SupervisorState::kSuspended && now - suspended_at_ >= kBounce) {
      (void)loop.request(rig::Command::kResume);
    }
  }

  void abort(rig::Loop& loop) {
    if (!abort_sent_) abort_sent_ = loop.request(rig::Command::kAbort);
  }

  /// Ticks until the run is over. The interlock is reset at the first tick at which it is all clear.
  void perform() {
    for (const auto& d : rig_->device_counts()) rejected_before_.push_back(d.session.rejected);
    runner_ = std::make_unique<protocols::Runner>(o_.plan);
    auto& loop = rig_->loop_with(*runner_);
    if (o_.virtual_time) {
      perform_virtually(loop);
    } else {
      std::thread turning([&] { turn(loop); });
      while (!over_.load(std::memory_order_acquire)) {
        look_->look();
        publish_ledger(loop, daq::host_now());
        tell_detectors(daq::host_now());
        tell(progress_.load(), loop.state().readings);
        if (watcher_.health) {
          auto health = health_of(loop, rig_->fanout().sinks(), wires_.chunks());
          health.dose = runner_->dose_picture();
          watcher_.health(health);
        }
        std::this_thread::sleep_for(kLookAtProgress);
      }
      turning.join();
    }
  }

  void turn(rig::Loop& loop) {
    (void)::pthread_setname_np(::pthread_self(), "loop");
    began_ = wires_.pacer().next();
    HostTime now = began_;
    while (!loop.over()) {
      start_when_ready(loop, now);
      obey_requests(loop);
      obey_suspension(loop, now);
      loop.tick(now);
      progress_.store(runner_->progress());
      now = wires_.pacer().next();
    }
    ended_ = now;
    last_faults_ = loop.state().readings.faults;
    overruns_ = loop.overruns();
    rig_->shut_down(wires_.pacer());
    over_.store(true, std::memory_order_release);
  }

  void perform_virtually(rig::Loop& loop) {
    constexpr std::uint64_t kTicksBetweenPumps = 256;
    began_ = wires_.pacer().next();
    HostTime now = began_;
    while (!loop.over()) {
      start_when_ready(loop, now);
      if (loop_ticks_ % kTicksBetweenPumps == 0) {
        obey_requests(loop);
        obey_suspension(loop, now);
        publish_ledger(loop, now);
        pump(now);
        tell(runner_->progress(), loop.state().readings);
      }
      loop.tick(now);
      ++loop_ticks_;
      now = wires_.pacer().next();
    }
    ended_ = now;
    last_faults_ = loop.state().readings.faults;
    overruns_ = loop.overruns();
    rig_->shut_down(wires_.pacer());
    pump(now);
  }

  void tell(const protocols::Progress& progress, const rig::Readings& readings) {
    if (progress.suspension != told_) {
      told_ = progress.suspension;
      say(words_for(told_));
    }
    if (watcher_.progress) watcher_.progress(progress, readings);
  }

  void pump(HostTime now) {
    recorder_->pump();
    look_->look();
    if (publisher_) publisher_->pump(now);
    tell_detectors(now);
  }

  /// Reset and start are an operator's requests; an unattended run makes them itself, and only while nothing is wrong.
  void start_when_ready(rig::Loop& loop, HostTime now) {
    const auto state = rig_->supervisor().state();
    const bool may_try = now - last_try_ >= kRetryStart || last_try_.ns == 0;
    if (state == rig::SupervisorState::kFaulted && may_try) {
      last_try_ = now;
      (void)loop.request(rig::Command::kReset);
      (void)loop.request(rig::Command::kStart);
      if (first_try_.ns == 0) first_try_ = now;
      if (now - first_try_ > kGiveUpStart) abort(loop);
    }
  }

  daq::Result<RunOutcome> conclude(double wall_s) {
    recorder_->stop_and_drain();
    RunOutcome outcome;
    outcome.timing = look_->finish();
    outcome.run_file = o_.out;
    outcome.duration_s = daq::seconds(ended_ - began_);
    outcome.wall_duration_s = wall_s;
    // The verdict waits for the publisher to have drained, and leaves in its last message.
    std::vector<daq::LedgerRow> rows;
    std::string verdict_json;
    std::string evidence_json;
    const auto judge = [&](const daq::PublishCounts* published) {
      rows = ledger(published);
      if (published != nullptr) outcome.subscribers = published->subscribers;
      auto seen = evidence(outcome.duration_s, rows);
      seen.timing = outcome.timing;
      seen.calibration = gates_.calibration.force;
      seen.stage_calibration = gates_.calibration.stage;
      seen.vibration_calibration = gates_.vibration.vibration;
      evidence_json = protocols::evidence_to_json(seen);
      outcome.verdict = protocols::judge(o_.plan, seen);
      if (publisher_) {
        // The last of its topic; what waits before it was taken out when the publisher drained.
        (void)publisher_->post(daq::MessageKind::kLedger, {}, daq::ledger_json(run_id_, true, rows));
      }
      return verdict_json = protocols::to_json(o_.plan, outcome.verdict);
    };
    if (publisher_) {
      publisher_->stop_and_drain([&](const daq::PublishCounts& published) { return judge(&published); });
      for (auto* seat : o_.detectors) seat->leave();
    } else {
      judge(nullptr);
    }
    nlohmann::ordered_json end{{"closed_cleanly", true},
                               {"duration_s", outcome.duration_s},
                               {"overruns", overruns_},
                               {"verdict", daq::parse_ordered_json(verdict_json)},
                               {"timing", daq::parse_ordered_json(protocols::to_json(outcome.timing))},
                               {"timing_lost_blocks", look_->lost_blocks()},
                               {"evidence", daq::parse_ordered_json(evidence_json)}};
    if (runner_->suspensions() > 0) {
      end["suspended"] = {{"times", runner_->suspensions()}, {"duration_s", runner_->suspended_s()}};
    }
    if (rig_->interlock().first_cause() != 0) end["interlock"] = interlock_json();
    if (const auto* dose = runner_->dose()) end["dose"] = daq::parse_ordered_json(protocols::to_json(*dose));
    // For the file alone, as the truth is: a detector under test hears of no other's answers.
    if (!o_.detectors.empty()) end["detectors"] = detectors_json(o_.detectors);
    if (auto finished = recorder_->finish(daq::json_text(end, 1), rows); !finished) {
      outcome.verdict.reasons.push_back({protocols::Judgement::kInvalid, finished.error().message});
      outcome.verdict.judgement = protocols::Judgement::kInvalid;
    }
    return outcome;
  }

  /// What stopped the run, and the last seconds before it, column by column.
  nlohmann::ordered_json interlock_json() {
    nlohmann::ordered_json at = nlohmann::ordered_json::array();
    auto force = at;
    auto x = at;
    auto z = at;
    auto faults = at;
    for (const auto& row : rig_->interlock().evidence()) {
      at.push_back(row.at.ns);
      force.push_back(row.normal_force_N);
      x.push_back(row.x_m);
      z.push_back(row.z_m);
      faults.push_back(row.faults);
    }
    return {{"first_cause", rig::fault_names(rig_->interlock().first_cause())},
            {"latched", rig::fault_names(rig_->interlock().latched())},
            {"evidence", {{"at_ns", at}, {"normal_force_N", force}, {"x_m", x}, {"z_m", z}, {"faults", faults}}}};
  }

  protocols::RunEvidence evidence(double duration_s, const std::vector<daq::LedgerRow>& rows) {
    protocols::RunEvidence e;
    e.ledger = rows;
    e.steps = runner_->results();
    e.dose_reason = runner_->dose_reason();
    e.suspensions = runner_->suspensions();
    e.suspended_s = runner_->suspended_s();
    e.plan_finished = runner_->state() == rig::BehaviourState::kDone;
    auto& supervisor = rig_->supervisor();
    e.aborted = operator_aborted_;
    e.emergency_stopped = supervisor.emergency();
    e.reached_clear = supervisor.reached_clear();
    auto faults = rig_->interlock().latched();
    // Never reset: then what stood in the way is what matters, not that there was no reset.
    if ((faults & rig::kNotReset) != 0 && last_faults_ != 0) faults = last_faults_;
    e.faults = rig::fault_names(faults);
    e.fault_advice = rig::fault_advice(faults);
    if (recorder_->failed()) e.recorder_failure = recorder_->failure();
    const auto& streams = rig_->streams();
    const auto devices = rig_->device_counts();
    for (std::size_t i = 0; i < devices.size(); ++i) {
      e.rejected.push_back({devices[i].stream, devices[i].session.rejected - rejected_before_[i]});
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const auto& counts = rig_->intake().counts()[i];
      e.streams.push_back({.name = streams[i].name,
                           .samples = counts.samples,
                           .duration_s = duration_s,
                           .rate_Hz = streams[i].tick_rate_Hz > 0 ? streams[i].rate_Hz : 0,
                           .unlocked = counts.unlocked});
    }
    return e;
  }

  /// Once a second while the run goes on, for whoever listens: the hops up to the intake, which is the loop's word.
  void publish_ledger(const rig::Loop& loop, HostTime now) {
    if (!publisher_ || now < next_ledger_) return;
    next_ledger_ = now + kLedgerPeriod;
    std::vector<daq::LedgerRow> rows;
    const auto counts = loop.counts();
    for (std::size_t i = 0; i < counts.count; ++i) {
      auto hops = ledger_of(rig_->streams()[i].name, counts.streams[i]);
      hops.recorded_at_all = false;
      for (auto& row : daq::ledger_rows(hops)) rows.push_back(std::move(row));
    }
    (void)publisher_->post(daq::MessageKind::kLedger, {}, daq::ledger_json(run_id_, false, rows));  // late: the next
  }

  /// After the loop and the recorder have ended; `published` once the publisher has too.
  std::vector<daq::LedgerRow> ledger(const daq::PublishCounts* published) {
    std::vector<daq::LedgerRow> rows;
    for (const auto& d : rig_->device_counts()) {
      rows.push_back({"session since power-on of the bench", d.stream, d.session.samples, d.session.lost});
    }
    const auto& streams = rig_->streams();
    for (std::size_t i = 0; i < streams.size(); ++i) {
      auto hops = ledger_of(streams[i].name, rig_->intake().counts()[i]);
      hops.lost_in_recorder_ring = recorder_rings_->refused_samples[i];
      hops.recorded = recorder_->samples()[i];
      if (published != nullptr && i < published->streams.size()) {
        hops.published_at_all = true;
        hops.lost_in_publisher_ring = publisher_rings_->refused_samples[i];
        hops.published = published->streams[i].samples;
        for (const auto& subscriber : published->subscribers) {
          for (const auto& s : subscriber.streams) {
            if (s.stream == hops.stream) hops.subscribers.push_back({subscriber.name, s.before, s.received});
          }
        }
      }
      for (auto& row : daq::ledger_rows(hops)) rows.push_back(std::move(row));
    }
    return rows;
  }

  static constexpr Duration kLedgerPeriod = std::chrono::seconds(1);
  static constexpr Duration kRetryStart = std::chrono::milliseconds(100);
  static constexpr Duration kBounce = std::chrono::milliseconds(500);
  static constexpr Duration kGiveUpStart = std::chrono::seconds(3);
  const RunOptions& o_;
  const RunWatcher& watcher_;
  RunGates gates_;
  Wires wires_;
  std::unique_ptr<rig::Rig> rig_;
  std::unique_ptr<daq::Recorder> recorder_;
  std::shared_ptr<daq::SinkRings> recorder_rings_;
  std::shared_ptr<daq::SinkRings> publisher_rings_;
  std::unique_ptr<daq::Publisher> publisher_;
  std::size_t subscriptions_ = 0;  // of detectors
  std::unique_ptr<RunLook> look_;
  HostTime next_ledger_;
  std::string run_id_;
  std::unique_ptr<protocols::Runner> runner_;
  daq::Latest<protocols::Progress> progress_;
  std::atomic<bool> over_{false};
  std::uint64_t loop_ticks_ = 0;
  std::vector<std::uint64_t> rejected_before_;  // of each device, before the run
  bool abort_sent_ = false;
  bool operator_aborted_ = false;
  int suspensions_asked_ = 0;
  HostTime suspended_at_;
  protocols::Suspension told_ = protocols::Suspension::kNone;
  std::uint32_t last_faults_ = 0;
  std::uint64_t overruns_ = 0;
  HostTime began_;
  HostTime ended_;
  HostTime last_try_;
  HostTime first_try_;
};

}  // namespace

daq::Result<RunOutcome> run(const RunOptions& options, const RunWatcher& watcher) { return Run(options, watcher).go(); }

}  // namespace strigil::apps
