// The calibration gate of a run: which record the bench names, and whether it may be believed here and now.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/record/store.hpp"
#include "daq/result.hpp"
#include "daq/time.hpp"
#include "protocols/force_calibration.hpp"
#include "protocols/plan.hpp"
#include "protocols/stage_calibration.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

/// What a run is to be made with.
struct GatedCalibration {
  protocols::ForceCalibration force;
  std::shared_ptr<const calibration::Record> record;  ///< for the bench; nullptr: nominal scale
  std::string text;                                   ///< the record's file, for the run file; empty: none
  protocols::StageCalibration stage;
  std::shared_ptr<const calibration::Record> stage_record;  ///< for the bench; nullptr: it goes where it counts
  std::string stage_text;
};

/// The record of a name (id, beginning of its hash) in the bench's store, or of a path. One from a path that is not in
/// the store stands alone: nobody can revoke it. Errors: it is not there, it or the store is broken.
struct FoundRecord {
  calibration::KeptRecord kept;
  calibration::Standing standing;
};
daq::Result<FoundRecord> find_record(const std::string& name, const std::string& store);

/// What a refusal says of what is not calibrated, and of the run that policy "mark" makes nevertheless.
struct GateWords {
  std::string_view subject;  ///< with its verb: "the force is"
  std::string_view otherwise = "and marks its numbers";
};
/// The record of that name, where `against` knows nothing against it; for every gate. Errors: all that is against it,
/// in words, which is then in `reasons` as well, a sentence each.
daq::Result<FoundRecord> believed(const std::string& named, const rig::BenchConfig& bench, const GateWords& words,
                                  const std::function<std::vector<std::string>(const FoundRecord&)>& against,
                                  std::vector<std::string>& reasons);

/// Identity, class in a few words (empty: none is claimed) and end of a record that gates have let through.
void name_record(const calibration::Record& record, const std::string& hash, protocols::CalibrationInUse& out);

/// Judges before anything moves. Errors, with policy "refuse": why the calibration may not be believed, all reasons in
/// words. With "mark" they are in `force.reasons` and `stage.reasons`, the scale is nominal, and the stage goes where
/// it counts. A bench that names none: nominal, no error.
daq::Result<GatedCalibration> pass_calibration_gate(const rig::BenchConfig& bench, const protocols::Plan& plan,
                                                    daq::WallTime now);

/// What a force is worth by this record, which gates have let through. Without its normal channel: not calibrated.
protocols::ForceCalibration force_calibration_of(const calibration::Record& record, const std::string& hash,
                                                 const rig::BenchConfig& bench);

/// What positions are worth by this record, which gates have let through.
protocols::StageCalibration stage_calibration_of(const calibration::Record& record, const std::string& hash);

/// What is known of the calibration that the bench names before any force is wished for; reads the store.
struct CalibrationStanding {
  std::string id;                    ///< empty: the bench names none, or it cannot be read
  std::string serial;                ///< of the instrument it is for
  std::string valid_until;           ///< date; empty: no end is given
  std::vector<std::string> reasons;  ///< why it may not be believed; empty: it may
};
CalibrationStanding calibration_standing(const rig::BenchConfig& bench, daq::WallTime now);

/// The normal forces that a plan wishes for, N.
calibration::Interval wished_forces(const protocols::Plan& plan);

/// The error map that the bench names for its stage, where nothing speaks against it; what for is asked by no plan.
/// Errors: the bench names none; why it may not be believed, whatever the policy.
daq::Result<std::shared_ptr<const calibration::Record>> stage_map_in_use(const rig::BenchConfig& bench,
                                                                         daq::WallTime now);

/// The record that the bench names for its force, where nothing speaks against it; nothing: it names none. Errors: why
/// it may not be believed, whatever the policy.
daq::Result<std::shared_ptr<const calibration::Record>> force_record_in_use(const rig::BenchConfig& bench,
                                                                            daq::WallTime now);

/// Where along axis `axis` a plan goes by its own wish (m): its strokes and ways, not the taps. Nothing for z: how deep
/// the instrument goes the phantom decides.
std::optional<calibration::Interval> wished_positions(const protocols::Plan& plan, std::size_t axis);

/// Adds to `reasons` why the last check of this standard says that a record may not be believed, if it does; for every
/// gate. No standard: none is asked for.
void ask_check_standard(const std::string& standard, const FoundRecord& found, const rig::BenchConfig& bench,
                        daq::WallTime now, std::vector<std::string>& reasons);

/// The file that keeps this bench's checks.
std::string check_history_of(const rig::BenchConfig& bench);

}  // namespace strigil::apps
