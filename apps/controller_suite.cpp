// Suites on a bench that is served: the same campaigns as `strigil validate` makes, with their progress in `status`.
#include <fmt/format.h>

#include <algorithm>

#include "apps/campaign_session.hpp"
#include "apps/controller_impl.hpp"

namespace strigil::apps {
namespace {

constexpr auto kLookForConfirmation = std::chrono::milliseconds(50);

}  // namespace

/// The time that is left goes by what the trials so far have taken; before the first has ended nobody knows.
Controller::Impl::Json Controller::Impl::suite_json() const {
  const auto now = daq::host_now();
  const double elapsed_s = daq::seconds(now - suite_began_);
  const auto done = suite_trial_ > 0 ? suite_trial_ - 1 : 0;
  Json left = nullptr;
  if (done > 0 && suite_trials_ >= done) {
    const double each_s = daq::seconds(suite_trial_began_ - suite_began_) / static_cast<double>(done);
    const double of_this_s = std::min(each_s, daq::seconds(now - suite_trial_began_));
    left = each_s * static_cast<double>(suite_trials_ - done) - of_this_s;
  }
  return {{"name", suite_},        {"trial", suite_trial_},  {"trials", suite_trials_},
          {"words", suite_words_}, {"elapsed_s", elapsed_s}, {"left_s", left}};
}

/// What a trial needs set by hand is a prompt like any other; ends when it is confirmed, or the suite is aborted.
daq::Result<void> Controller::Impl::ask_by_prompt(const std::string& what) {
  std::unique_lock lock(mutex_);
  prompt_ = fmt::format("for the next trial: {}", what);
  prompt_by_ = fmt::format("suite '{}'", suite_);
  prompt_confirmed_.clear();
  const auto number = ++prompts_;
  while (prompts_ == number && prompt_confirmed_.empty() && request_.load() == 0 && !quit_) {
    (void)changed_.wait_for(lock, kLookForConfirmation);
  }
  const bool done = prompts_ == number && !prompt_confirmed_.empty();
  if (prompts_ == number) prompt_.clear();
  return done ? daq::Result<void>{} : daq::Error{fmt::format("nobody has set: {}", what)};
}

void Controller::Impl::perform_suite(const Job& job) {
  enter(Use::kRunning, fmt::format("suite '{}'", job.protocol));
  {
    const std::scoped_lock lock(mutex_);
    protocol_ = fmt::format("suite {}", job.protocol);
    progress_ = {};
    readings_ = {};
    health_ = {};
    detectors_.clear();
    detections_.clear();
    suite_ = job.protocol;
    suite_words_ = "is checked";
    suite_trial_ = suite_trials_ = 0;
    suite_began_ = suite_trial_began_ = daq::host_now();
  }
  FinishedRun done{.protocol = fmt::format("suite {}", job.protocol)};
  const auto dir = fmt::format("{}/{}-{}", o_.runs, daq::file_stamp(daq::wall_now()), job.protocol);
  CampaignWatch watch;
  watch.run = watcher_of_run();
  bool simulated = false;
  const auto shown = watch.run.progress;
  // What a simulated bench feels is not what this one does.
  watch.run.progress = [&](const protocols::Progress& progress, const rig::Readings& readings) {
    shown(progress, simulated ? rig::Readings{} : readings);
  };
  watch.publication = o_.publication;
  watch.bench = o_.bench_file;
  watch.by_hand = [this](const std::string& what) { return ask_by_prompt(what); };
  watch.before = [&](std::size_t number, std::size_t planned, const std::string& words, bool in_virtual_time) {
    const std::scoped_lock lock(mutex_);
    simulated = in_virtual_time;
    suite_trial_ = number;
    suite_trials_ = planned;
    suite_words_ = (simulated ? "simulated: " : "") + words;
    suite_trial_began_ = daq::host_now();
    progress_ = {};
  };
  const auto session = carry_out_campaign({.suite = job.protocol, .out = dir, .quiet = true}, watch);
  {
    const std::scoped_lock lock(mutex_);
    suite_.clear();
  }
  if (!session) return conclude(done, session.error().message);
  const auto& summary = (*session)->summary;
  done.judgement = protocols::name_of(protocols::judge(summary, (*session)->suite));
  done.reasons.push_back(fmt::format("{} trials: {} passed, {} failed, {} invalid, {} left; its folder: {}",
                                     summary.planned, summary.passed, summary.failed, summary.invalid, summary.left,
                                     dir));
  for (const auto& reason : protocols::reasons_of(summary, (*session)->suite)) done.reasons.push_back(reason.text);
  conclude(done, {});
}

}  // namespace strigil::apps
