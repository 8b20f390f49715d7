#include "apps/controller.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "apps/controller_impl.hpp"
#include "apps/run.hpp"
#include "apps/short_run.hpp"
#include "apps/stop_request.hpp"
#include "apps/stop_test_command.hpp"
#include "daq/json_text.hpp"
#include "rig/homing.hpp"

namespace strigil::apps {
namespace {

constexpr auto kLookForWork = std::chrono::milliseconds(20);
constexpr auto kTryDevicesAgain = std::chrono::seconds(2);
constexpr daq::Duration kHomingTimeout = std::chrono::seconds(60);
constexpr std::size_t kRunsKept = 50;
constexpr daq::Duration kAskForReset = std::chrono::milliseconds(100);
constexpr daq::Duration kGiveUpReset = std::chrono::seconds(5);

/// Names and what to check.
std::string fault_words(std::uint32_t faults) {
  return fmt::format("{}. {}", rig::fault_names(faults), rig::fault_advice(faults));
}

}  // namespace

void Controller::Impl::idle() {
  const std::scoped_lock lock(mutex_);
  if (authority_.expire(daq::host_now())) say("control lapsed: its holder was not heard of");
}

void Controller::Impl::work() {
  while (!quits()) {
    switch (const auto job = next_job(); job.use) {
      case Use::kHoming:
        home(job);
        break;
      case Use::kStopTest:
        stop_test();
        break;
      case Use::kRunning:
        job.suite ? perform_suite(job) : perform(job);
        break;
      default:
        by_hand();
    }
  }
}

bool Controller::Impl::quits() {
  const std::scoped_lock lock(mutex_);
  quit_ = quit_ || stop_request().load() > 0;
  return quit_;
}

Controller::Impl::Job Controller::Impl::next_job() {
  const std::scoped_lock lock(mutex_);
  const Job job = job_.value_or(Job{});
  job_.reset();
  if (job.use != Use::kByHand) request_.store(emergency_ ? 2 : 0);
  suspend_.store(0);
  return job;
}

/// What lies in files is read here and not when somebody asks: requests never wait for a disk.
void Controller::Impl::look_at_records() {
  auto calibration = calibration_json(o_.bench);
  auto stop_tests = stop_tests_json(o_.bench);
  const std::scoped_lock lock(mutex_);
  calibration_ = std::move(calibration);
  stop_tests_ = std::move(stop_tests);
}

void Controller::Impl::by_hand() {
  look_at_records();
  enter(Use::kStarting, fmt::format("bench '{}': waiting for its devices", o_.bench.name));
  auto started = OperateSession::start(o_.bench, o_.publication);
  if (!started) {
    enter(Use::kDown, started.error().message);
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, kTryDevicesAgain, [&] { return quit_ || job_; });
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    session_ = std::move(*started);
    use_ = Use::kByHand;
    begin_anew_ = false;
    if (emergency_) armed_ = false;
    reset_wanted_ = daq::host_now();
    publication_endpoint_ = session_->publisher().bound_endpoint();
    publication_key_ = session_->publisher().public_key();
    run_id_ = session_->run_id();
    say(armed_ ? "up" : "up, and not reset");
  }
  wait_for_work();
  std::unique_ptr<OperateSession> leaving;
  {
    const std::scoped_lock lock(mutex_);
    leaving = std::move(session_);
    use_ = Use::kStarting;
  }
  leaving->end();
}

void Controller::Impl::wait_for_work() {
  std::unique_lock lock(mutex_);
  while (!quit_ && !job_ && !begin_anew_ && stop_request().load() == 0) {
    (void)changed_.wait_for(lock, kLookForWork);
    const auto state = session_->state();
    insist_on_reset(state);
    if (armed_ && !begin_anew_ && rig::over(state.supervisor)) {
      armed_ = false;
      if (!emergency_) {
        fault_before_ = fault_words(state.readings.latched_faults);
      }
      say(fmt::format("tripped: {}", fault_before_));
    }
  }
}

/// What was wrong when somebody asked for the reset may be over in a moment: asked again for a while, and then told.
void Controller::Impl::insist_on_reset(const rig::RigState& state) {
  if (!armed_ || state.supervisor != rig::SupervisorState::kFaulted) return;
  const auto now = daq::host_now();
  if (now - reset_wanted_ > kGiveUpReset) {
    armed_ = false;
    fault_before_ = fmt::format("it could not be reset: {}. {}", rig::fault_names(state.readings.faults),
                                rig::fault_advice(state.readings.faults));
    say(fault_before_);
  } else if (now - reset_asked_ > kAskForReset) {
    session_->reset();
    reset_asked_ = now;
  }
}

void Controller::Impl::home(const Job& job) {
  enter(Use::kHoming, "homing");
  auto run = ShortRun::bring_up({.bench = o_.bench, .purpose = rig::RigPurpose::kHome});
  if (!run) return enter(Use::kDown, run.error().message);
  auto& rig = (*run)->rig();
  rig::Homing homing(rig.ability(), job.axes, kHomingTimeout);
  (*run)->perform(homing, {});
  const bool done = homing.outcome() == rig::HomingOutcome::kDone;
  if (!done) disarm(fmt::format("not homed: {}", rig::name_of(homing.outcome())));
  enter(Use::kStarting, done ? "homed" : "not homed");
}

void Controller::Impl::stop_test() {
  enter(Use::kStopTest, "stop test");
  const auto done = carry_out_stop_test({.bench = o_.bench, .request = &request_}, {});
  std::string words = "STOP TEST: PASS";
  if (!done) {
    words = done.error().message;
  } else if (!done->record.failures.empty()) {
    words = "STOP TEST: FAIL. " + done->record.failures.front();
  }
  const std::scoped_lock lock(mutex_);
  stop_test_ = words;
  use_ = Use::kStarting;
  say(words);
}

void Controller::Impl::disarm(const std::string& why) {
  const std::scoped_lock lock(mutex_);
  armed_ = false;
  if (!emergency_) fault_before_ = why;
}

void Controller::Impl::perform(const Job& job) {
  enter(Use::kRunning, fmt::format("protocol '{}'", job.protocol));
  FinishedRun done{.protocol = job.protocol};
  auto prepared = prepare(job.protocol, o_.bench_file);
  if (!prepared) return conclude(done, prepared.error().message);
  RunOptions options;
  options.bench = prepared->bench;
  options.plan = prepared->plan;
  options.protocol_text = prepared->protocol_text;
  if (auto allowed = pass_stop_test_gate(options.bench, options.stop_test); !allowed) {
    return conclude(done, allowed.error().message);
  }
  options.out = fmt::format("{}/{}-{}.h5", o_.runs, daq::file_stamp(daq::wall_now()), job.protocol);
  options.publication = o_.publication;
  std::error_code failure;
  std::filesystem::create_directories(o_.runs, failure);
  if (failure) return conclude(done, fmt::format("the folder '{}' cannot be made: {}", o_.runs, failure.message()));
  auto seats = seats_for_run();
  if (!seats) return conclude(done, seats.error().message);
  std::vector<const DetectorSeat*> lent;
  for (const auto& seat : *seats) {
    options.detectors.push_back(seat.get());
    lent.push_back(seat.get());
  }
  ToldDetections told(lent, prepared->plan);
  auto watcher = watcher_of_run();
  const auto shown = watcher.progress;
  watcher.progress = [&](const protocols::Progress& progress, const rig::Readings& readings) {
    look_at_detectors(told);
    shown(progress, readings);
  };
  {
    const std::scoped_lock lock(mutex_);
    protocol_ = job.protocol;
    progress_ = {};
    readings_ = {};
    health_ = {};
    detectors_.clear();
    detections_.clear();
    detections_left_out_ = 0;
    detections_run_.clear();
  }
  const auto outcome = run(options, watcher);
  look_at_detectors(told);
  if (!outcome) return conclude(done, outcome.error().message);
  {
    const std::scoped_lock lock(mutex_);
    timing_ = daq::parse_ordered_json(protocols::to_json(outcome->timing));
  }
  done.file = outcome->run_file;
  done.judgement = protocols::name_of(outcome->verdict.judgement);
  for (const auto& reason : outcome->verdict.reasons) done.reasons.push_back(reason.text);
  conclude(done, {});
}

/// Working thread.
RunWatcher Controller::Impl::watcher_of_run() {
  RunWatcher watcher;
  watcher.request = &request_;
  watcher.suspend = &suspend_;
  watcher.say = [this](const std::string& words) {
    const std::scoped_lock lock(mutex_);
    say(words);
  };
  watcher.publishing = [this](const std::string& run_id, const daq::Publisher& publisher) {
    const std::scoped_lock lock(mutex_);
    run_id_ = run_id;
    detections_run_ = run_id;
    publication_endpoint_ = publisher.bound_endpoint();
    publication_key_ = publisher.public_key();
  };
  watcher.health = [this](const RigHealth& health) {
    const std::scoped_lock lock(mutex_);
    health_ = health;
  };
  watcher.progress = [this](const protocols::Progress& progress, const rig::Readings& readings) {
    const std::scoped_lock lock(mutex_);
    progress_ = progress;
    readings_ = readings;
    if (stop_request().load() > 0) request_.store(std::max(request_.load(), stop_request().load()));
  };
  return watcher;
}

/// Fresh ones for each run: a detector hears one and leaves.
daq::Result<std::vector<std::unique_ptr<DetectorSeat>>> Controller::Impl::seats_for_run() {
  std::vector<std::unique_ptr<DetectorSeat>> seats;
  for (const auto& command : o_.detector_commands) {
    RemoteDetectorOptions detector{.command = command, .publication = o_.publication, .rules = o_.detector_rules};
    auto seat = DetectorSeat::open(detector, true);
    if (!seat) return seat.error();
    seats.push_back(std::move(*seat));
  }
  return seats;
}

/// Working thread: nobody else touches the seats.
void Controller::Impl::look_at_detectors(ToldDetections& told) {
  const auto fresh = told.look();
  auto detectors = told.detectors();
  const std::scoped_lock lock(mutex_);
  detectors_ = std::move(detectors);
  detections_.insert(detections_.end(), fresh.begin(), fresh.end());
  detections_left_out_ = told.left_out();
}

void Controller::Impl::conclude(FinishedRun done, const std::string& trouble) {
  const std::scoped_lock lock(mutex_);
  if (!trouble.empty()) done.reasons.push_back(trouble);
  if (readings_.latched_faults != 0 && !emergency_) {
    armed_ = false;
    fault_before_ = fault_words(readings_.latched_faults);
  }
  say(fmt::format("protocol '{}': {}", done.protocol, done.judgement.empty() ? trouble : done.judgement));
  runs_.push_back(std::move(done));
  if (runs_.size() > kRunsKept) runs_.pop_front();
  use_ = Use::kStarting;
}

void Controller::Impl::enter(Use use, const std::string& words) {
  const std::scoped_lock lock(mutex_);
  use_ = use;
  if (!words.empty()) say(words);
}

Controller::Controller(const ControllerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Controller::~Controller() = default;
daq::ControlReply Controller::handle(const daq::ControlRequest& request) { return impl_->handle(request); }
void Controller::idle() { impl_->idle(); }
void Controller::work() { impl_->work(); }

}  // namespace strigil::apps
