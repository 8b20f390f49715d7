// strigil detect, strigil judge: detectors in another process, and what the court says of them (docs/detectors.md).
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/remote_detector.hpp"
#include "protocols/detectors/detector.hpp"

namespace strigil::apps {

/// A shipped detector; or a cheat by name, for showing that it is caught: "cheat:clairvoyant", "cheat:truth_peeker",
/// "cheat:constant_answer", "cheat:stage_noise", "cheat:hang", "cheat:crash". Errors: no such name.
daq::Result<std::unique_ptr<protocols::Detector>> detector_by_name(const std::string& name);

struct DetectArguments {
  std::string endpoint;
  std::string answers;
  std::string detector = "glr";
  std::string server_key;  ///< public key of a rig beyond this computer
  std::string secret_key;  ///< ours, with its .pub beside it
};
/// Hears one run and answers. kPass; kUsage with the reason.
int detect_command(const DetectArguments& arguments);

inline constexpr double kReactionDeadline_s = 1;  ///< of data, from a target to the answer

struct JudgeArguments {
  std::vector<std::string> runs;
  std::vector<std::string> detectors;  ///< in process
  std::vector<std::string> commands;   ///< in processes of their own
  RemoteDetectorOptions remote;
  double reaction_deadline_s = kReactionDeadline_s;
  std::string json;  ///< file; empty: none
};
/// kPass; kFail where a detector was accused or the desk found something against it; kUsage.
int judge_command(const JudgeArguments& arguments);

/// Of runs that detectors have heard: judgement (or why there is none), hearings and findings, as JSON and for a
/// person.
struct JudgedText {
  std::string json;
  std::string text;
  bool clean = true;  ///< nothing was held against anybody
};
daq::Result<JudgedText> judged_text(const std::vector<RemoteHearing>& heard, double reaction_deadline_s);

/// Options for detectors that listen live, of every program that carries out runs.
void add_listening_detectors(CLI::App& app, std::vector<std::string>& commands, protocols::DeskRules& rules);
/// The same and more, of `strigil run`.
void add_live_detector_options(CLI::App& app, std::vector<std::string>& commands, RemoteDetectorOptions& options,
                               std::string& heard);
void add_detector_commands(CLI::App& app, int& code);

}  // namespace strigil::apps
