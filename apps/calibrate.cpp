#include "apps/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/generator_prompter.hpp"
#include "apps/places.hpp"
#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "apps/run_ledger.hpp"
#include "apps/short_run.hpp"
#include "apps/simulated_hands.hpp"
#include "apps/stop_request.hpp"
#include "apps/stop_test_command.hpp"
#include "calibration/record/digest.hpp"
#include "daq/json_text.hpp"
#include "daq/record/recorder.hpp"
#include "protocols/calibrate/procedure_runner.hpp"
#include "protocols/calibrate/window_collector.hpp"
#include "sim/bench_sim_config.hpp"

namespace strigil::apps {
namespace {

using protocols::ProcedureOutcome;
using protocols::ProcedureStepKind;

/// A trip lies so far above the largest load that is put on by hand [A].
constexpr double kAboveLoad = 1.1;
constexpr double kAboveLoad_N = 3;
constexpr std::int64_t kMillisecond_ns = 1'000'000;
constexpr double kMonth_s = 365.25 / 12 * 86400;

daq::WallTime to_the_millisecond(daq::WallTime t) { return {t.ns / kMillisecond_ns * kMillisecond_ns}; }

/// Letters, digits, '.', '_' and '-' alone, as ids have.
std::string as_id(std::string text) {
  for (auto& c : text) {
    const bool may = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (!may) c = '-';
  }
  constexpr std::size_t kLongest = 64;
  return text.substr(0, kLongest);
}

/// The bench in the procedure: no load that is put on while nothing moves trips the interlock.
rig::BenchConfig bench_for(const CalibrateOptions& o) {
  auto bench = o.setup.bench;
  const double most_N = o.procedure->procedure->largest_load_N();
  if (most_N > 0) {
    bench.interlock.max_force_N = std::max(bench.interlock.max_force_N, kAboveLoad * most_N + kAboveLoad_N);
  }
  return bench;
}

class Calibrating {
 public:
  Calibrating(const CalibrateOptions& options, protocols::Prompter& prompter)
      : o_(options), steps_(options.procedure->procedure->steps()), prompter_(&prompter) {}

  daq::Result<CalibrateDone> go() {
    if (auto r = look_before(); !r) return r.error();
    if (const auto wanted = o_.procedure->procedure->runs()) return by_runs(*wanted);
    auto run = ShortRun::bring_up({.bench = bench_for(o_),
                                   .virtual_time = o_.virtual_time,
                                   .seed = o_.seed,
                                   .world = o_.world,
                                   .request = o_.request});
    if (!run) return run.error();
    run_ = std::move(*run);
    if (auto* world = run_->wires().world()) {
      const auto& bench = o_.setup.bench;
      const auto simulated = sim::parse_sim_config(bench.text, bench.file);
      if (!simulated) return simulated.error();
      hands_ = std::make_unique<SimulatedHands>(*prompter_, *world, o_.setup.reference, simulated->temperature, o_.seed);
      prompter_ = hands_.get();
    }
    if (auto r = bring_up_generator(); !r) return r.error();
    began_ = to_the_millisecond(daq::wall_now());
    if (auto r = open_raw(); !r) return r.error();
    perform();
    return conclude();
  }

 private:
  /// What would make the record impossible is told before anybody hangs up weights for an hour.
  daq::Result<void> look_before() {
    const bool moves =
        std::any_of(steps_.begin(), steps_.end(), [](const auto& s) { return s.kind == ProcedureStepKind::kMove; });
    const auto& own = o_.setup.bench.interlock;
    if (const double needed_N = bench_for(o_).interlock.max_force_N; moves && needed_N > own.max_force_N) {
      return daq::Error{fmt::format(
          "loads of up to {:g} N need the interlock at {:g} N, and the bench has {:g} N, which holds where the stage "
          "moves: smaller forces, or a procedure that goes to no places",
          o_.procedure->procedure->largest_load_N(), needed_N, own.max_force_N)};
    }
    if (o_.procedure->procedure->on_force_record() && o_.setup.bench.force.record == nullptr) {
      return daq::Error{
          fmt::format("the bench file {} names no calibration to verify: [force] calibration", o_.setup.bench.file)};
    }
    if (o_.procedure->procedure->runs() && o_.raw.empty()) return daq::Error{"runs need a file to be recorded in"};
    subject_ = o_.procedure->procedure->subject(o_.setup.bench);
    serial_ = o_.head.serial.empty() ? subject_.serial : o_.head.serial;
    if (serial_.empty()) {
      return daq::Error{"whose calibration is it? The bench file does not say (key 'serial'); --serial does"};
    }
    if (!subject_.serial.empty() && serial_ != subject_.serial) {
      return daq::Error{
          fmt::format("--serial is '{}' and the bench file says that '{}' is there", serial_, subject_.serial)};
    }
    id_ = o_.head.id.empty()
              ? as_id(fmt::format("{}-{}-{}", o_.procedure->kind, serial_, daq::file_stamp(daq::wall_now())))
              : o_.head.id;
    const auto store = calibration::RecordStore::read(o_.records);
    if (!store) return store.error();
    if (!store->broken().empty())
      return daq::Error{fmt::format("the store '{}' is broken: {}", o_.records, store->broken())};
    if (store->find(id_).ok())
      return daq::Error{fmt::format("the store '{}' has a record '{}' already", o_.records, id_)};
    if (!o_.head.supersedes.empty()) {
      if (auto found = store->find(o_.head.supersedes); !found) return found.error();
    }
    return {};
  }

  /// Runs of a protocol in place of steps, on the nominal scale and by the bench file's latencies.
  daq::Result<CalibrateDone> by_runs(const protocols::ProcedureRuns& wanted) {
    auto prepared = prepare(wanted.protocol, o_.setup.bench.file);
    if (!prepared) return prepared.error();
    began_ = to_the_millisecond(daq::wall_now());
    RunOptions options;
    options.bench = prepared->bench;
    options.bench.force.calibration.clear();
    options.bench.timing.calibration.clear();
    options.bench.vibration.calibration.clear();
    options.plan = prepared->plan;
    options.protocol_text = prepared->protocol_text;
    options.virtual_time = o_.virtual_time;
    if (!o_.virtual_time) {
      if (auto allowed = pass_stop_test_gate(prepared->bench, options.stop_test); !allowed) return allowed.error();
    }
    RunWatcher watcher;
    watcher.request = o_.request != nullptr ? o_.request : &stop_request();
    watcher.world = o_.world;
    std::vector<protocols::TimingCertificate> seen;
    double duration_s = 0;
    for (int i = 0; i < wanted.runs; ++i) {
      options.seed = o_.seed + static_cast<std::uint64_t>(i);
      options.out = raw_of(i);
      const auto outcome = run(options, watcher);
      if (!outcome) return outcome.error();
      raw_.push_back(options.out);
      duration_s += outcome->duration_s;
      const auto& timing = outcome->timing;
      if (watcher.request->load() > 0) return daq::Error{"no calibration: stopped by the operator. Nothing was kept"};
      if (!timing.tapped) {
        return daq::Error{fmt::format("no calibration: run {} came to no taps; its file {} says why. Nothing was kept",
                                      i + 1, options.out)};
      }
      seen.push_back(timing);
      prompter_->progress({.step = static_cast<std::size_t>(i),
                           .steps = static_cast<std::size_t>(wanted.runs),
                           .name = wanted.protocol,
                           .elapsed_s = duration_s,
                           .left_s = duration_s / (i + 1) * (wanted.runs - i - 1)});
    }
    auto result = o_.procedure->procedure->evaluate_runs(seen, o_.setup);
    if (!result) return daq::Error{fmt::format("no calibration: {}. Nothing was kept", result.error().message)};
    return keep(*result, duration_s);
  }

  /// One file for each run: raw.h5, raw-2.h5, ...
  [[nodiscard]] std::string raw_of(int run) const {
    if (run == 0) return o_.raw;
    const auto dot = o_.raw.rfind('.');
    return fmt::format("{}-{}{}", o_.raw.substr(0, dot), run + 1, dot == std::string::npos ? "" : o_.raw.substr(dot));
  }

  /// Where a step asks for what it can do.
  daq::Result<void> bring_up_generator() {
    const auto& config = o_.setup.bench.generator;
    const bool used = config && std::any_of(steps_.begin(), steps_.end(), [&](const auto& s) {
      return s.kind == ProcedureStepKind::kHands && GeneratorPrompter::does(s.hands, *config);
    });
    if (!used) return {};
    auto link = run_->wires().link_aside(config->link);
    if (!link) return daq::Error{"generator: " + link.error().message};
    generator_link_ = std::move(*link);
    generator_ = std::make_unique<GeneratorPrompter>(*config, *generator_link_, run_->wires().aside(),
                                                     o_.setup.reference);
    if (auto r = generator_->bring_up(run_->rig(), run_->wires().pacer()); !r) return r.error();
    generator_->leave_to(*prompter_);
    prompter_ = generator_.get();
    return {};
  }

  daq::Result<void> open_raw() {
    auto& rig = run_->rig();
    collector_ = std::make_unique<protocols::WindowCollector>(rig.fanout(), rig.streams(), steps_);
    if (o_.raw.empty()) return {};
    daq::RunHeader header;
    header.run_id = id_;
    header.kind = "calibration";
    header.created = daq::iso8601(began_);
    header.software = version();
    header.virtual_time = o_.virtual_time;
    header.seed = o_.seed;
    header.streams = rig.streams();
    header.config = {{"bench.toml", o_.setup.bench.text},
                     {"procedure.toml", o_.procedure->text},
                     {"reference.toml", o_.reference_text}};
    auto writer = daq::RunWriter::create(o_.raw, header);
    if (!writer) return writer.error();
    rings_ = rig.fanout().add_sink("recorder");
    recorder_ = std::make_unique<daq::Recorder>(std::move(*writer), rings_);
    if (!o_.virtual_time) recorder_->start();
    return {};
  }

  void perform() {
    runner_ = std::make_unique<protocols::ProcedureRunner>(steps_, o_.setup.bench.stage.clear_z_m);
    run_->perform(*runner_, [this](const rig::RigState& state, daq::HostTime now) { between_ticks(state, now); });
    if (generator_) generator_->wait_until_off(run_->wires().pacer());
    collector_->take(runner_->done());
  }

  void between_ticks(const rig::RigState& state, daq::HostTime now) {
    if (started_.ns == 0) started_ = now;
    last_ = now;
    if (generator_) see_to_generator(state.supervisor, now);
    if (recorder_ && recorder_->failed()) run_->abort();
    see_to_hands(now);
    constexpr int kTicksBetween = 64;
    if (++ticks_ % kTicksBetween != 0) return;
    collector_->take(runner_->done());
    if (recorder_ && o_.virtual_time) recorder_->pump();
    tell(now);
  }

  /// Whatever ends the procedure, its output is off before anything else is done.
  void see_to_generator(rig::SupervisorState state, daq::HostTime now) {
    const bool ended = state == rig::SupervisorState::kAborting || rig::over(state) || run_->stopped() ||
                       runner_->outcome() != ProcedureOutcome::kUnderWay;
    if (ended) generator_->close();
    generator_->turn(now);
    if (!generator_->failure().empty()) run_->abort();
  }

  void see_to_hands(daq::HostTime now) {
    if (!runner_->waiting()) {
      asked_ = false;
      return;
    }
    if (!asked_) {
      prompter_->ask(steps_[runner_->at()].hands, now);
      asked_at_ = now;
      asked_ = true;
    }
    const auto answer = prompter_->poll(now);
    if (!answer) return;
    if (!std::isfinite(answer->value)) {
      trouble_ = fmt::format("nobody says what '{}' reads", steps_[runner_->at()].hands.reference);
      runner_->answer({.given_up = true});
      return;
    }
    hands_s_ += daq::seconds(now - asked_at_);
    ++hands_count_;
    runner_->answer(*answer);
  }

  void tell(daq::HostTime now) {
    const auto at = runner_->at();
    protocols::ProcedureProgress p;
    p.step = std::min(at, steps_.size() - 1);
    p.steps = steps_.size();
    p.name = steps_[p.step].name;
    p.elapsed_s = daq::seconds(now - started_);
    constexpr double kHandsAtFirst_s = 15;  // [A]
    p.left_s = runner_->left_s(hands_count_ > 0 ? hands_s_ / hands_count_ : kHandsAtFirst_s);
    p.waiting = runner_->waiting();
    prompter_->progress(p);
  }

  /// Why there is no calibration; empty: there may be one.
  std::string failure() const {
    const auto why = failure_but_for_warnings();
    return why.empty() || !generator_ ? why : why + generator_->warning();
  }

  std::string failure_but_for_warnings() const {
    if (run_->stopped()) return "stopped by the operator";
    if (recorder_ && recorder_->failed()) return recorder_->failure();
    if (runner_->outcome() == ProcedureOutcome::kDone) {
      if (collector_->lost() > 0) return "blocks were lost before they were looked at: this computer was too busy";
      return {};
    }
    const auto at = std::min(runner_->at(), steps_.size() - 1);
    if (generator_ && !generator_->failure().empty())
      return fmt::format("at step '{}': {}", steps_[at].name, generator_->failure());
    auto words =
        fmt::format("at step '{}': {}", steps_[at].name,
                    runner_->outcome() == ProcedureOutcome::kUnderWay ? "the rig ended it"
                                                                      : protocols::name_of(runner_->outcome()));
    if (!trouble_.empty()) words += " (" + trouble_ + ")";
    const auto faults = run_->rig().interlock().latched();
    if (faults != 0) words += fmt::format(" ({}). {}", rig::fault_names(faults), rig::fault_advice(faults));
    const auto stage = run_->rig().stage_trouble();
    if (!stage.empty()) words += fmt::format(". The stage {}", stage);
    return words;
  }

  daq::Result<void> close_raw(const std::string& why) {
    if (!recorder_) return {};
    recorder_->stop_and_drain();
    std::vector<daq::LedgerRow> rows;
    const auto& streams = run_->rig().streams();
    for (std::size_t i = 0; i < streams.size(); ++i) {
      auto hops = ledger_of(streams[i].name, run_->rig().intake().counts()[i]);
      hops.lost_in_recorder_ring = rings_->refused_samples[i];
      hops.recorded = recorder_->samples()[i];
      for (auto& row : daq::ledger_rows(hops)) rows.push_back(std::move(row));
    }
    nlohmann::ordered_json windows = nlohmann::ordered_json::array();
    const auto& done = runner_->done();
    for (std::size_t i = 0; i < done.size(); ++i) {
      windows.push_back({{"step", steps_[i].name},
                         {"measures", protocols::measures(steps_[i])},
                         {"began_ns", done[i].began.ns},
                         {"ended_ns", done[i].ended.ns},
                         {"answer", done[i].answer}});
    }
    const nlohmann::ordered_json end{
        {"closed_cleanly", true}, {"duration_s", daq::seconds(last_ - started_)}, {"failure", why}, {"steps", windows}};
    return recorder_->finish(daq::json_text(end, 1), rows);
  }

  daq::Result<CalibrateDone> conclude() {
    const auto why = failure();
    if (auto r = close_raw(why); !r) return r.error();
    recorder_.reset();  // closes the file: its hash must be of all that will ever be in it
    if (!why.empty()) return daq::Error{fmt::format("no calibration: {}. Nothing was kept", why)};
    protocols::ProcedureData data{run_->rig().streams(), run_->rig().roles(), runner_->done(), collector_->finish()};
    auto result = o_.procedure->procedure->evaluate(data, o_.setup);
    if (!result) return daq::Error{fmt::format("no calibration: {}. Nothing was kept", result.error().message)};
    if (!o_.raw.empty()) raw_.push_back(o_.raw);
    return keep(*result, daq::seconds(last_ - started_));
  }

  daq::Result<CalibrateDone> keep(protocols::ProcedureResult& result, double duration_s) {
    if (auto r = fill(result.record); !r) return r.error();
    auto kept = calibration::keep_record(o_.records, result.record);
    if (!kept) return kept.error();
    return CalibrateDone{std::move(*kept), std::move(result.remarks), duration_s};
  }

  daq::Result<void> fill(calibration::Record& r) {
    r.id = id_;
    r.software = version();
    r.instrument = {o_.head.make, o_.head.model, serial_};
    // What only the device says: how it samples.
    const auto said = r.setting;
    r.setting = subject_.setting;
    if (r.setting.rate_Hz == 0) r.setting.rate_Hz = said.rate_Hz;
    if (r.setting.counts_per_unit == 0) r.setting.counts_per_unit = said.counts_per_unit;
    if (!o_.setup.reference.trace.what.empty()) r.traceability = {o_.setup.reference.trace};
    r.procedure = o_.procedure->name + (o_.procedure->title.empty() ? "" : ": " + o_.procedure->title);
    r.operator_name = o_.head.operator_name;
    r.adjustment = o_.head.adjustment;
    r.supersedes = o_.head.supersedes;
    r.reason = o_.head.notes;
    if (generator_) r.conditions.notes += fmt::format("exciter set by '{}'; ", generator_->identity());
    if (o_.virtual_time) r.conditions.notes += "simulated bench, virtual time";
    r.performed_from = began_;
    r.performed_until = r.issued = to_the_millisecond(daq::wall_now());
    r.valid_until =
        to_the_millisecond({r.issued.ns + static_cast<std::int64_t>(o_.procedure->validity_months * kMonth_s * 1e9)});
    for (const auto& file : raw_) {
      const auto hash = calibration::sha256_of_file(file);
      if (!hash) return hash.error();
      r.raw.push_back({file, *hash});
    }
    return {};
  }

  const CalibrateOptions& o_;
  const std::vector<protocols::ProcedureStep>& steps_;
  protocols::Prompter* prompter_;
  protocols::ProcedureSubject subject_;
  std::string serial_;
  std::string id_;
  std::vector<std::string> raw_;  // files that were made
  std::unique_ptr<ShortRun> run_;
  std::unique_ptr<SimulatedHands> hands_;
  std::unique_ptr<daq::Link> generator_link_;
  std::unique_ptr<GeneratorPrompter> generator_;
  std::unique_ptr<protocols::WindowCollector> collector_;
  std::shared_ptr<daq::SinkRings> rings_;
  std::unique_ptr<daq::Recorder> recorder_;
  std::unique_ptr<protocols::ProcedureRunner> runner_;
  daq::WallTime began_;
  daq::HostTime started_;
  daq::HostTime last_;
  daq::HostTime asked_at_;
  bool asked_ = false;
  double hands_s_ = 0;
  int hands_count_ = 0;
  int ticks_ = 0;
  std::string trouble_;
};

}  // namespace

daq::Result<CalibrateDone> carry_out_calibration(const CalibrateOptions& options, protocols::Prompter& prompter) {
  return Calibrating(options, prompter).go();
}

}  // namespace strigil::apps
