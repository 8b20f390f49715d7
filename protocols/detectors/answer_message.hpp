// Answer message: what a detector in another process says to the desk, and the desk to it (docs/detectors.md).
//
// Pure, any thread. Decoding takes hostile input: every member, range and number is checked, and an Error says which
// was wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daq/result.hpp"
#include "protocols/court/stroke_feed.hpp"

namespace strigil::protocols {

inline constexpr std::string_view kDetectorTopic = "strigil/1/detector/";
inline constexpr std::string_view kDeskTopic = "strigil/1/desk/";
inline constexpr std::size_t kMostDetectionsInMessage = 1000;

struct HelloAnswer {
  std::string name;
  std::string version;
  std::size_t subscriptions = 1;
  bool per_lane = false;
};
struct HeardAnswer {
  std::int64_t until_ns = 0;
};
/// Which stroke an answer is to: its step, and when that began.
struct StrokeId {
  std::size_t step = 0;
  std::int64_t began_ns = 0;
  [[nodiscard]] auto operator<=>(const StrokeId&) const = default;
};
struct DetectionsAnswer {
  StrokeId stroke;
  std::vector<Detection> detections;  ///< `answered_s`: the message's known_s
};
struct DoneAnswer {
  StrokeId stroke;
  std::size_t detections = 0;
};
struct AskAnswer {
  std::string what;
};
struct ByeAnswer {};
using Answer = std::variant<HelloAnswer, HeardAnswer, DetectionsAnswer, DoneAnswer, AskAnswer, ByeAnswer>;

/// One message: its topic and its JSON.
struct AnswerText {
  std::string topic;
  std::string json;
};
AnswerText encode(const Answer& answer);
daq::Result<Answer> decode_answer(std::string_view topic, std::string_view json);

/// What the desk tells of a run; never anything of the truth.
struct DeskRules {
  double window_s = 0.5;
  double patience_s = 5;
  double deadline_s = 1;
};
struct Welcome {
  std::string run;
  rig::StreamRoles roles;  ///< channels and signs only
  std::size_t vibration_channel = 2;
  std::map<std::size_t, PlannedStroke> strokes;
  DeskRules rules;
};
AnswerText encode(const Welcome& welcome);
AnswerText desk_refusal(std::string_view what, std::string_view why);
/// Errors: refused (with the desk's reason), or no welcome of version 1.
daq::Result<Welcome> decode_welcome(std::string_view topic, std::string_view json);

}  // namespace strigil::protocols
