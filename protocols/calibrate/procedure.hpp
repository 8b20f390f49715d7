// Procedure: a calibration that the rig carries out: steps, some of which need hands, and what is made of what was
// measured in them. Described in TOML (protocols/procedures/*.toml, docs/calibrate.md); a kind is one class.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/record/record.hpp"
#include "daq/result.hpp"
#include "daq/stream.hpp"
#include "protocols/calibrate/prompter.hpp"
#include "protocols/calibrate/reference_standard.hpp"
#include "protocols/timing_certificate.hpp"
#include "rig/bench.hpp"
#include "rig/intake.hpp"
#include "rig/readings.hpp"

namespace strigil::protocols {

enum class ProcedureStepKind : std::uint8_t {
  kLift,     ///< straight up to the bench's clear height
  kMove,     ///< to target_m at speed_m_s, straight
  kHands,    ///< ask, and wait for the answer
  kWait,     ///< duration_s at rest
  kMeasure,  ///< the same, and every stream's counts are averaged (and kept, if asked)
  kZero,     ///< the same, and the mean normal force is what kPress counts from
  kPress,    ///< straight down, or up, at speed_m_s until the normal force passes force_N; not beyond target_m's z
};

struct ProcedureStep {
  ProcedureStepKind kind = ProcedureStepKind::kWait;
  std::string name = {};      ///< e.g. "X1 20 N"; for people
  double duration_s = 0;      ///< kWait, kMeasure, kZero
  bool keep_samples = false;  ///< kMeasure: all samples, not their mean alone; kMove: it is measured on its way
  rig::Position target_m{};   ///< kMove; kPress: how far down it may go at the most
  bool level = false;         ///< kMove: at the height it has, whatever target_m says
  double speed_m_s = 0;       ///< kMove, kPress
  double force_N = 0;         ///< kPress, from the last kZero
  HandsRequest hands = {};    ///< kHands
};

/// A window of samples belongs to it.
[[nodiscard]] inline bool measures(const ProcedureStep& s) noexcept {
  return s.kind == ProcedureStepKind::kMeasure || (s.kind == ProcedureStepKind::kMove && s.keep_samples);
}

/// What one step did.
struct StepDone {
  daq::HostTime began = {};
  daq::HostTime ended = {};
  rig::Position position_m{};  ///< readback when it ended
  double answer = 0;           ///< kHands: what was said
};

/// Counts of one channel in one window.
struct ChannelFigures {
  double mean = 0;       ///< counts
  double deviation = 0;  ///< of one sample, n - 1
};

/// What one stream showed in one kMeasure step: samples whose acquisition time lies in it.
struct StreamWindow {
  std::size_t samples = 0;
  std::vector<ChannelFigures> channels;
  std::uint32_t flags = 0;  ///< BlockFlag bits of the blocks it was cut from, or-ed together
  // keep_samples
  std::vector<double> at_s;                 ///< acquisition times, from the first step's begin
  std::vector<std::vector<double>> counts;  ///< by channel
};

/// What a procedure knows of the bench it is carried out on.
struct ProcedureSetup {
  rig::BenchConfig bench;
  ReferenceStandard reference;
  std::optional<double> temperature_C;  ///< of the bench, as the operator said
};

/// Everything that was measured. `done` and `windows` have one entry for each step; windows of steps that measure
/// nothing are empty.
struct ProcedureData {
  std::vector<daq::StreamDescription> streams;
  rig::StreamRoles roles;
  std::vector<StepDone> done;
  std::vector<std::vector<StreamWindow>> windows;  ///< [step][stream]
};

/// What became of it.
struct ProcedureResult {
  calibration::Record record;        ///< without identity, times, operator, traceability: its keeper fills them in
  std::vector<std::string> remarks;  ///< for people: what is short of the standard, what to look at
};

/// What is calibrated, as far as the bench file says: goes into the record, and gates look at it.
struct ProcedureSubject {
  std::string serial;  ///< empty: the bench file does not say
  calibration::Setting setting;
};

/// A protocol that is run again and again in place of steps.
struct ProcedureRuns {
  std::string protocol;  ///< a name from the library or a file
  int runs = 1;
};

/// Immutable once made; any thread.
class Procedure {
 public:
  virtual ~Procedure() = default;
  /// All of them, in their order.
  [[nodiscard]] virtual const std::vector<ProcedureStep>& steps() const = 0;
  /// Whole runs in place of steps; then evaluate_runs() is asked, and steps() is empty.
  [[nodiscard]] virtual std::optional<ProcedureRuns> runs() const { return std::nullopt; }
  /// Largest normal force that will be put on by hand, N; 0: none. The stage does not move while it is there.
  [[nodiscard]] virtual double largest_load_N() const { return 0; }
  /// The force sensor, unless a kind says otherwise.
  [[nodiscard]] virtual ProcedureSubject subject(const rig::BenchConfig& bench) const;
  /// It is carried out with the stage's error map in use: setup.bench.stage.record must be there.
  [[nodiscard]] virtual bool on_stage_map() const { return false; }
  /// What it finds is about the force calibration in use: setup.bench.force.record must be there.
  [[nodiscard]] virtual bool on_force_record() const { return false; }
  /// Forces are measured, by the record that the bench names ([force] calibration), where it names one:
  /// setup.bench.force.record is then that.
  [[nodiscard]] virtual bool measures_forces() const { return false; }
  /// Pure. Errors: what was measured makes no calibration, in words.
  [[nodiscard]] virtual daq::Result<ProcedureResult> evaluate(const ProcedureData& data,
                                                              const ProcedureSetup& setup) const = 0;
  /// The same from what each run showed of its timeline. Errors also: this procedure has steps.
  [[nodiscard]] virtual daq::Result<ProcedureResult> evaluate_runs(const std::vector<TimingCertificate>& runs,
                                                                   const ProcedureSetup& setup) const;
};

/// What every procedure file says, and the procedure that it makes on a bench.
struct ProcedureFile {
  std::string name;
  std::string kind;  ///< "force", "stage", ...
  std::string title;
  double validity_months = 24;  ///< of the record
  std::string text;             ///< as read
  std::unique_ptr<Procedure> procedure;
};

/// The title of a procedure's file. Errors: it is none.
daq::Result<std::string> procedure_title(std::string_view text, const std::string& file);
/// Kinds that there are.
std::vector<std::string_view> procedure_kinds();
/// Errors: unknown keys, values out of range, a kind that is not there, a bench it cannot be carried out on; with line
/// and column where it is the file's.
daq::Result<ProcedureFile> parse_procedure(std::string_view text, const std::string& file, const ProcedureSetup& setup);

}  // namespace strigil::protocols
