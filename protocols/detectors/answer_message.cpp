#include "protocols/detectors/answer_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "daq/json_depth.hpp"
#include "daq/json_text.hpp"

namespace strigil::protocols {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostSubscriptions = 64;
constexpr double kMostSteps = 1e7;

/// Members of one message; remembers the first that was wrong.
class Members {
 public:
  explicit Members(std::string_view text) {
    if (daq::nests_too_deep(text)) {
      wrong_ = "it nests too deep";
      return;
    }
    json_ = daq::parse_ordered_json(text);
    if (!json_.is_object()) wrong_ = "its JSON is no object";
  }
  explicit Members(Json object) : json_(std::move(object)) {
    if (!json_.is_object()) wrong_ = "one of a list is no object";
  }

  [[nodiscard]] const Json* find(const char* key) const {
    if (!json_.is_object()) return nullptr;
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }
  double number(const char* key, double least, double most, std::optional<double> otherwise = std::nullopt) {
    const auto* v = find(key);
    if (v == nullptr && otherwise) return *otherwise;
    const double value = v != nullptr && v->is_number() ? v->get<double>() : std::nan("");
    if (!(value >= least && value <= most)) note(fmt::format("'{}' is no number from {} to {}", key, least, most));
    return value;
  }
  /// NaN where it is not said.
  double number_or_null(const char* key, double least, double most) {
    const auto* v = find(key);
    return v == nullptr || v->is_null() ? std::nan("") : number(key, least, most);
  }
  std::size_t count(const char* key, double least, double most, std::optional<double> otherwise = std::nullopt) {
    const double value = number(key, least, most, otherwise);
    if (value != std::floor(value)) note(fmt::format("'{}' is no whole number", key));
    return wrong_.empty() ? static_cast<std::size_t>(value) : 0;
  }
  std::int64_t nanoseconds(const char* key) {
    const auto* v = find(key);
    if (v != nullptr && v->is_number_unsigned() && v->get<std::uint64_t>() <= kMostNs) return v->get<std::int64_t>();
    if (v != nullptr && v->is_number_integer() && !v->is_number_unsigned()) return v->get<std::int64_t>();
    note(fmt::format("'{}' is no whole number of nanoseconds", key));
    return 0;
  }
  std::string word(const char* key, std::size_t most = kMostName) {
    const auto* v = find(key);
    auto text = v != nullptr && v->is_string() ? v->get<std::string>() : std::string();
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (text.empty() || text.size() > most || !printable)
      note(fmt::format("'{}' is no text of 1 to {} printable ASCII characters", key, most));
    return text;
  }
  bool flag(const char* key) {
    const auto* v = find(key);
    if (v != nullptr && !v->is_boolean()) note(fmt::format("'{}' is neither true nor false", key));
    return v != nullptr && v->is_boolean() && v->get<bool>();
  }
  StrokeId stroke() { return {count("step", 0, kMostSteps), nanoseconds("began_ns")}; }
  void note(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  static constexpr std::uint64_t kMostNs = std::numeric_limits<std::int64_t>::max();
  Json json_;
  std::string wrong_;
};

DetectionsAnswer detections_of(Members& m) {
  constexpr double kMostMm = 1e6;
  constexpr double kMostS = 1e12;
  constexpr double kMostScore = std::numeric_limits<double>::max();
  DetectionsAnswer out;
  out.stroke = m.stroke();
  const auto* list = m.find("detections");
  if (list == nullptr || !list->is_array() || list->size() > kMostDetectionsInMessage) {
    m.note(fmt::format("'detections' is no list of at most {}", kMostDetectionsInMessage));
    return out;
  }
  for (const auto& entry : *list) {
    Members d(entry);
    out.detections.push_back({d.number("x_mm", -kMostMm, kMostMm), d.number_or_null("at_s", -kMostS, kMostS),
                              d.number("known_s", -kMostS, kMostS), d.number("score", -kMostScore, kMostScore)});
    if (!d.wrong().empty()) m.note(d.wrong());
  }
  return out;
}

AnswerText text_of(std::string_view root, std::string_view kind, const Json& json) {
  return {std::string(root) + std::string(kind), json.dump(-1, ' ', true, Json::error_handler_t::replace)};
}

struct Encoder {
  AnswerText operator()(const HelloAnswer& a) const {
    return say(
        "hello",
        {{"name", a.name}, {"version", a.version}, {"subscriptions", a.subscriptions}, {"per_lane", a.per_lane}});
  }
  AnswerText operator()(const HeardAnswer& a) const { return say("heard", {{"until_ns", a.until_ns}}); }
  AnswerText operator()(const DetectionsAnswer& a) const {
    auto list = Json::array();
    for (const auto& d : a.detections)
      list.push_back({{"x_mm", d.position_mm}, {"at_s", d.at_s}, {"known_s", d.answered_s}, {"score", d.score}});
    return say("detections", {{"step", a.stroke.step}, {"began_ns", a.stroke.began_ns}, {"detections", list}});
  }
  AnswerText operator()(const DoneAnswer& a) const {
    return say("done", {{"step", a.stroke.step}, {"began_ns", a.stroke.began_ns}, {"detections", a.detections}});
  }
  AnswerText operator()(const AskAnswer& a) const { return say("ask", {{"what", a.what}}); }
  AnswerText operator()(const ByeAnswer&) const { return say("bye", Json::object()); }

 private:
  static AnswerText say(std::string_view kind, const Json& json) { return text_of(kDetectorTopic, kind, json); }
};

daq::Error refused(std::string_view topic, const std::string& why) {
  return daq::Error{fmt::format("'{}' refused: {}", topic.substr(0, kMostName), why)};
}

}  // namespace

AnswerText encode(const Answer& answer) { return std::visit(Encoder{}, answer); }

daq::Result<Answer> decode_answer(std::string_view topic, std::string_view json) {
  if (!topic.starts_with(kDetectorTopic)) return refused(topic, "no topic of a detector, version 1");
  const auto kind = topic.substr(kDetectorTopic.size());
  Members m(json);
  Answer out;
  if (kind == "hello") {
    out = HelloAnswer{m.word("name"), m.word("version"), m.count("subscriptions", 1, kMostSubscriptions, 1.0),
                      m.flag("per_lane")};
  } else if (kind == "heard") {
    out = HeardAnswer{m.nanoseconds("until_ns")};
  } else if (kind == "detections") {
    out = detections_of(m);
  } else if (kind == "done") {
    out = DoneAnswer{m.stroke(), m.count("detections", 0, kMostSteps)};
  } else if (kind == "ask") {
    out = AskAnswer{m.word("what")};
  } else if (kind == "bye") {
    out = ByeAnswer{};
  } else {
    return refused(topic, "a detector says no such thing");
  }
  if (!m.wrong().empty()) return refused(topic, m.wrong());
  return out;
}

AnswerText encode(const Welcome& w) {
  auto strokes = Json::array();
  for (const auto& [step, s] : w.strokes) {
    strokes.push_back({{"step", step},
                       {"number", s.number},
                       {"of", s.of},
                       {"lane", s.lane},
                       {"phase", s.phase},
                       {"force_N", s.force_N},
                       {"speed_mm_s", s.speed_mm_s}});
  }
  const auto& r = w.roles;
  return text_of(
      kDeskTopic, "welcome",
      {{"run", w.run},
       {"roles",
        {{"normal_channel", r.normal_channel},
         {"normal_sign", r.normal_sign},
         {"tangential_channel", r.tangential_channel},
         {"tangential_sign", r.tangential_sign},
         {"lean_rad", r.lean_rad},
         {"vibration_channel", w.vibration_channel}}},
       {"rules",
        {{"window_s", w.rules.window_s}, {"patience_s", w.rules.patience_s}, {"deadline_s", w.rules.deadline_s}}},
       {"strokes", strokes}});
}

AnswerText desk_refusal(std::string_view what, std::string_view why) {
  return text_of(kDeskTopic, "refused", {{"what", what}, {"why", why}});
}

daq::Result<Welcome> decode_welcome(std::string_view topic, std::string_view json) {
  constexpr double kMostNumber = 1e9;
  Members m(json);
  if (topic == std::string(kDeskTopic) + "refused") {
    const auto* why = m.find("why");
    return refused("hello", why != nullptr && why->is_string() ? why->get<std::string>() : "no reason is given");
  }
  if (topic != std::string(kDeskTopic) + "welcome") return refused(topic, "no welcome of version 1");
  Welcome out;
  const auto* run = m.find("run");
  out.run = run != nullptr && run->is_string() ? run->get<std::string>() : std::string();
  Members roles(m.find("roles") != nullptr ? *m.find("roles") : Json());
  constexpr double kMostChannel = daq::kMaxChannels - 1;
  out.roles.normal_channel = roles.count("normal_channel", 0, kMostChannel);
  out.roles.normal_sign = roles.number("normal_sign", -1, 1);
  out.roles.tangential_channel = roles.count("tangential_channel", 0, kMostChannel);
  out.roles.tangential_sign = roles.number("tangential_sign", -1, 1);
  out.roles.lean_rad = roles.number("lean_rad", -kMostNumber, kMostNumber);
  out.vibration_channel = roles.count("vibration_channel", 0, kMostChannel);
  if (!roles.wrong().empty()) return refused(topic, roles.wrong());
  Members rules(m.find("rules") != nullptr ? *m.find("rules") : Json());
  out.rules.window_s = rules.number("window_s", 0, kMostNumber);
  out.rules.patience_s = rules.number("patience_s", 0, kMostNumber);
  out.rules.deadline_s = rules.number("deadline_s", 0, kMostNumber);
  if (!rules.wrong().empty()) return refused(topic, rules.wrong());
  const auto* strokes = m.find("strokes");
  if (strokes == nullptr || !strokes->is_array()) return refused(topic, "'strokes' is no list");
  for (const auto& entry : *strokes) {
    Members s(entry);
    PlannedStroke p;
    p.step = s.count("step", 0, kMostSteps);
    p.number = s.count("number", 0, kMostSteps);
    p.of = s.count("of", 1, kMostSteps);
    p.lane = s.count("lane", 0, kMostSteps);
    p.force_N = s.number("force_N", -kMostNumber, kMostNumber);
    p.speed_mm_s = s.number("speed_mm_s", -kMostNumber, kMostNumber);
    if (const auto* phase = s.find("phase"); phase != nullptr && phase->is_string()) p.phase = *phase;
    if (!s.wrong().empty()) return refused(topic, s.wrong());
    out.strokes[p.step] = p;
  }
  return out;
}

}  // namespace strigil::protocols
