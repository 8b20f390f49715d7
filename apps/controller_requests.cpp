#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "apps/controller_impl.hpp"
#include "apps/places.hpp"
#include "daq/json_text.hpp"

namespace strigil::apps {
namespace {

using daq::ControlReply;
using daq::ControlRequest;
using Json = nlohmann::ordered_json;

/// A dead man's switch: what is not held again by then stops. Longer than two turns of a slow screen.
constexpr daq::Duration kHold = std::chrono::milliseconds(300);
/// science.md 4.2 [M]: approach at 5-10 mm/s, guarded at 0.2-0.5 N.
constexpr double kFastestApproach_m_s = 10e-3;

constexpr std::size_t kLongestPrompt = 500;

/// A number from hostile arguments: nothing where it is missing or none.
std::optional<double> number(const Json& arguments, const char* key) {
  const auto field = arguments.find(key);
  if (field == arguments.end() || !field->is_number()) return std::nullopt;
  const double v = field->get<double>();
  if (!std::isfinite(v)) return std::nullopt;
  return v;
}

std::string word(const Json& arguments, const char* key) {
  const auto field = arguments.find(key);
  return field != arguments.end() && field->is_string() ? field->get<std::string>() : std::string();
}

/// Names of the library only: a client may not have this computer read any file it likes.
bool is_library_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<std::string> library(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& home : home_dirs()) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(home) / folder, none)) {
      if (entry.path().extension() == ".toml" && is_library_name(entry.path().stem()))
        names.insert(entry.path().stem());
    }
  }
  return {names.begin(), names.end()};
}

/// Nobody guesses it: 128 random bits.
std::string fresh_token() {
  std::array<unsigned char, 16> bits{};
  randombytes_buf(bits.data(), bits.size());
  std::string text;
  for (const unsigned char b : bits) text += fmt::format("{:02x}", b);
  return text;
}

ControlReply bad_number(const ControlRequest& q, const char* key) {
  return refusal_of(q, "out_of_range", fmt::format("\"{}\" is no finite number", key));
}

ControlReply too_fast(const ControlRequest& q, double most_m_s) {
  return refusal_of(q, "out_of_range",
                    fmt::format("a speed lies above 0 and not above {:g} mm/s here", most_m_s * 1e3));
}

}  // namespace

const std::map<std::string, Controller::Impl::Verb, std::less<>> Controller::Impl::kVerbs{
    {"hello", {false, &Impl::hello}},      {"status", {false, &Impl::status}},
    {"runs", {false, &Impl::run_list}},    {"take", {false, &Impl::take}},
    {"stop", {false, &Impl::stop}},        {"give", {true, &Impl::give}},
    {"renew", {true, &Impl::renew}},       {"suspend", {false, &Impl::suspend}},
    {"resume", {true, &Impl::resume}},     {"reset", {true, &Impl::reset}},
    {"jog", {true, &Impl::jog}},           {"move", {true, &Impl::move}},
    {"approach", {true, &Impl::approach}}, {"hold", {true, &Impl::hold}},
    {"halt", {true, &Impl::halt}},         {"home", {true, &Impl::home_verb}},
    {"run", {true, &Impl::run_verb}},      {"stop_test", {true, &Impl::stop_test_verb}},
    {"abort", {false, &Impl::abort}},      {"quit", {true, &Impl::quit}},
    {"health", {false, &Impl::health}},    {"prompt", {true, &Impl::prompt}},
    {"confirm", {false, &Impl::confirm}},  {"detections", {false, &Impl::detections}},
    {"suite", {true, &Impl::suite_verb}},
};

daq::ControlReply Controller::Impl::handle(const Request& q) {
  const auto verb = kVerbs.find(q.verb);
  if (verb == kVerbs.end()) {
    return refusal_of(q, "unknown_verb", fmt::format("there is no request '{}'; `hello` lists them", q.verb));
  }
  const std::scoped_lock lock(mutex_);
  const auto now = daq::host_now();
  if (verb->second.needs_control && !authority_.renew(q.token, now)) {
    return refusal_of(q, "not_in_control",
                      authority_.holder().empty()
                          ? fmt::format("'{}' needs control, and nobody holds it: `take` it first", q.verb)
                          : fmt::format("'{}' needs control, and '{}' holds it", q.verb, authority_.holder()));
  }
  const auto arguments = daq::parse_ordered_json(q.arguments);
  return (this->*verb->second.carry_out)(q, arguments.is_object() ? arguments : Json::object());
}

daq::ControlReply Controller::Impl::hello(const Request& q, const Json&) {
  Json j;
  j["software"] = version();
  j["control"] = daq::kControlVersion;
  j["bench"] = o_.bench.name;
  j["lease_s"] = daq::seconds(rig::Authority::kLease);
  j["hold_s"] = daq::seconds(kHold);
  for (const auto& [name, verb] : kVerbs) j["verbs"][name] = {{"needs_control", verb.needs_control}};
  j["protocols"] = library("protocols/library");
  j["suites"] = library("protocols/suites");
  return answer_to(q, daq::json_text(j));
}

daq::ControlReply Controller::Impl::status(const Request& q, const Json&) {
  Json j;
  j["bench"] = o_.bench.name;
  j["use"] = name_of(use_);
  j["words"] = words_;
  j["armed"] = armed_;
  j["holder"] = authority_.holder();
  j["emergency"] = emergency_;
  j["publication"] = {{"endpoint", publication_endpoint_}, {"public_key", publication_key_}, {"run", run_id_}};
  if (session_) {
    const auto state = session_->state();
    j["supervisor"] = rig::name_of(state.supervisor);
    j["ticks"] = state.ticks;
    j["overruns"] = session_->overruns();
    j["readings"] = readings_json(state.readings);
    j["faults"] = faults_json(state.readings.faults, state.readings.latched_faults);
  } else if (use_ == Use::kRunning) {
    j["supervisor"] = rig::name_of(health_.supervisor);
    j["ticks"] = health_.ticks;
    j["overruns"] = health_.overruns;
    j["readings"] = readings_json(readings_);
    j["faults"] = faults_json(readings_.faults, readings_.latched_faults);
    j["progress"] = progress_json(progress_);
    j["protocol"] = protocol_;
  }
  j["fault_before"] = fault_before_;
  if (!runs_.empty()) j["last_run"] = finished_run_json(runs_.back());
  j["stop_test"] = stop_test_;
  if (!suite_.empty()) j["suite"] = suite_json();
  if (!prompt_.empty()) {
    j["prompt"] = {{"number", prompts_}, {"text", prompt_}, {"by", prompt_by_}, {"confirmed_by", prompt_confirmed_}};
  }
  std::error_code none;
  const auto space = std::filesystem::space(".", none);
  if (!none) j["disk_free_bytes"] = space.available;
  return answer_to(q, daq::json_text(j));
}

daq::ControlReply Controller::Impl::health(const Request& q, const Json&) {
  Json j = Json::object();
  if (session_) {
    j = health_json(session_->health());
  } else if (use_ == Use::kRunning) {
    j = health_json(health_);
  }
  j["calibration"] = calibration_;
  j["stop_tests"] = stop_tests_;
  j["timing"] = timing_;
  return answer_to(q, daq::json_text(j));
}

daq::ControlReply Controller::Impl::detections(const Request& q, const Json& a) {
  const double from = number(a, "from").value_or(0);
  if (!(from >= 0 && from <= static_cast<double>(ToldDetections::kMost))) {
    return refusal_of(q, "out_of_range", fmt::format("\"from\" is a whole number from 0 to {}", ToldDetections::kMost));
  }
  auto j = detections_json(detectors_, detections_, static_cast<std::size_t>(from), detections_left_out_);
  j["run"] = detections_run_;
  return answer_to(q, daq::json_text(j));
}

daq::ControlReply Controller::Impl::prompt(const Request& q, const Json& a) {
  const auto text = word(a, "text");
  if (text.size() > kLongestPrompt) {
    return refusal_of(q, "too_long", fmt::format("a prompt has at most {} bytes", kLongestPrompt));
  }
  prompt_ = text;
  prompt_by_ = q.client;
  prompt_confirmed_.clear();
  ++prompts_;
  if (!text.empty()) say(fmt::format("'{}' asks: {}", q.client, text));
  return answer_to(q, daq::json_text(Json{{"number", prompts_}}));
}

daq::ControlReply Controller::Impl::confirm(const Request& q, const Json& a) {
  if (prompt_.empty() || number(a, "number") != static_cast<double>(prompts_)) {
    return refusal_of(q, "nothing_held",
                      "no such prompt is open: another one has taken its place, or it was taken back");
  }
  if (prompt_confirmed_.empty()) prompt_confirmed_ = q.client;
  say(fmt::format("'{}' confirms: {}", q.client, prompt_));
  return answer_to(q);
}

daq::ControlReply Controller::Impl::run_list(const Request& q, const Json&) {
  Json j;
  j["runs"] = Json::array();
  for (const auto& run : runs_) j["runs"].push_back(finished_run_json(run));
  return answer_to(q, daq::json_text(j));
}

daq::ControlReply Controller::Impl::take(const Request& q, const Json& a) {
  const auto force = a.find("force");
  auto token = authority_.take(q.client, force != a.end() && force->is_boolean() && force->get<bool>(), fresh_token(),
                               daq::host_now());
  if (!token) return refusal_of(q, "held", token.error().message);
  release_switch();
  say(fmt::format("'{}' took control", q.client));
  return answer_to(q, daq::json_text(Json{{"token", *token}, {"lease_s", daq::seconds(rig::Authority::kLease)}}));
}

daq::ControlReply Controller::Impl::give(const Request& q, const Json&) {
  release_switch();
  (void)authority_.give(q.token);
  say(fmt::format("'{}' gave control", q.client));
  return answer_to(q);
}

daq::ControlReply Controller::Impl::renew(const Request& q, const Json&) { return answer_to(q); }

daq::ControlReply Controller::Impl::stop(const Request& q, const Json&) {
  emergency_ = true;
  armed_ = false;
  request_.store(2);
  if (session_) session_->emergency_stop();
  fault_before_ = fmt::format("emergency stop by '{}'", q.client);
  say(fault_before_);
  return answer_to(q);
}

daq::ControlReply Controller::Impl::abort(const Request& q, const Json&) {
  if (!in_use()) {
    return refusal_of(q, "nothing_runs", "nothing runs that could be aborted; `halt` ends a jog");
  }
  int none = 0;
  (void)request_.compare_exchange_strong(none, 1);
  say(fmt::format("'{}' asked for an abort", q.client));
  return answer_to(q);
}

daq::ControlReply Controller::Impl::suspend(const Request& q, const Json&) {
  if (use_ != Use::kRunning) return refusal_of(q, "nothing_runs", "no protocol runs that could be suspended");
  if (progress_.suspension != protocols::Suspension::kNone) return answer_to(q);
  suspend_.fetch_add(1);
  say(fmt::format("'{}' suspended the run", q.client));
  return answer_to(q);
}

daq::ControlReply Controller::Impl::resume(const Request& q, const Json&) {
  if (use_ != Use::kRunning || progress_.suspension == protocols::Suspension::kNone) {
    return refusal_of(q, "nothing_runs", "no run is suspended");
  }
  suspend_.fetch_add(1);
  say(fmt::format("'{}' let the run go on", q.client));
  return answer_to(q);
}

daq::ControlReply Controller::Impl::reset(const Request& q, const Json&) {
  if (in_use()) {
    return refusal_of(q, "busy", fmt::format("the rig is in use: {}", name_of(use_)));
  }
  if (!session_ && !emergency_) return refusal_of(q, "down", fmt::format("the bench is not up: {}", words_));
  emergency_ = false;
  request_.store(0);
  if (!session_) {
    // A stage that was stopped dead may not come up before it is homed, and nothing is homed while the stop is pressed.
    fault_before_ = "the emergency stop was released while the bench was not up";
    say(fmt::format("'{}' released the emergency stop; the bench is not up", q.client));
    return answer_to(q);
  }
  fault_before_.clear();
  if (session_ && rig::over(session_->state().supervisor)) {
    begin_anew_ = true;  // a tripped rig is put together again, with its devices asked anew
  }
  armed_ = true;  // the working thread asks the rig, again and again for a while
  reset_wanted_ = daq::host_now();
  changed_.notify_all();
  return answer_to(q);
}

daq::ControlReply Controller::Impl::jog(const Request& q, const Json& a) {
  rig::OperatorWish wish;
  wish.kind = rig::OperatorWish::Kind::kJog;
  constexpr std::array kKeys{"vx_mm_s", "vy_mm_s", "vz_mm_s"};
  double speed = 0;
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    if (a.contains(kKeys[axis]) && !number(a, kKeys[axis])) return bad_number(q, kKeys[axis]);
    wish.velocity_m_s[axis] = number(a, kKeys[axis]).value_or(0) * 1e-3;
    speed = std::hypot(speed, wish.velocity_m_s[axis]);
  }
  if (speed > o_.bench.stage.max_speed_m_s) return too_fast(q, o_.bench.stage.max_speed_m_s);
  return begin(q, wish);
}

daq::ControlReply Controller::Impl::move(const Request& q, const Json& a) {
  if (!session_) return not_by_hand(q);
  rig::OperatorWish wish;
  wish.kind = rig::OperatorWish::Kind::kMove;
  wish.target_m = session_->state().readings.position_m;
  constexpr std::array kKeys{"x_mm", "y_mm", "z_mm"};
  for (std::size_t axis = 0; axis < rig::kAxes; ++axis) {
    if (!a.contains(kKeys[axis])) continue;
    const auto to = number(a, kKeys[axis]);
    if (!to) return bad_number(q, kKeys[axis]);
    wish.target_m[axis] = *to * 1e-3;
    if (wish.target_m[axis] < o_.bench.stage.travel_min_m[axis] ||
        wish.target_m[axis] > o_.bench.stage.travel_max_m[axis]) {
      return refusal_of(q, "travel",
                        fmt::format("{} = {} lies outside the travel of the stage, {} to {} mm", kKeys[axis], *to,
                                    o_.bench.stage.travel_min_m[axis] * 1e3, o_.bench.stage.travel_max_m[axis] * 1e3));
    }
  }
  wish.speed_m_s = number(a, "speed_mm_s").value_or(20) * 1e-3;
  if (!(wish.speed_m_s > 0) || wish.speed_m_s > o_.bench.stage.max_speed_m_s) {
    return too_fast(q, o_.bench.stage.max_speed_m_s);
  }
  return begin(q, wish);
}

daq::ControlReply Controller::Impl::approach(const Request& q, const Json& a) {
  rig::OperatorWish wish;
  wish.kind = rig::OperatorWish::Kind::kApproach;
  wish.speed_m_s = number(a, "speed_mm_s").value_or(5) * 1e-3;
  wish.force_N = number(a, "force_N").value_or(0.3);
  if (!(wish.speed_m_s > 0) || wish.speed_m_s > kFastestApproach_m_s) return too_fast(q, kFastestApproach_m_s);
  if (!(wish.force_N > 0) || wish.force_N > o_.bench.interlock.max_force_N / 2) {
    return refusal_of(q, "out_of_range",
                      fmt::format("force_N must lie above 0 and not above {} (half of the limit)",
                                  o_.bench.interlock.max_force_N / 2));
  }
  return begin(q, wish);
}

daq::ControlReply Controller::Impl::hold(const Request& q, const Json&) {
  if (!session_ || wish_.kind == rig::OperatorWish::Kind::kNone || wish_.until < daq::host_now()) {
    return refusal_of(q, "nothing_held", "nothing is under way that could be held on: it has ended or was let go");
  }
  wish_.until = daq::host_now() + kHold;
  session_->wish(wish_);
  return answer_to(q);
}

daq::ControlReply Controller::Impl::halt(const Request& q, const Json&) {
  release_switch();
  return answer_to(q);
}

daq::ControlReply Controller::Impl::home_verb(const Request& q, const Json& a) {
  Job job{.use = Use::kHoming};
  const auto letters = word(a, "axes");
  if (!letters.empty()) {
    job.axes = {};
    for (const char c : letters) {
      if (c < 'x' || c > 'z') return refusal_of(q, "out_of_range", "axes takes letters of \"xyz\"");
      job.axes[static_cast<std::size_t>(c - 'x')] = true;
    }
  }
  return post(q, job);
}

daq::ControlReply Controller::Impl::stop_test_verb(const Request& q, const Json&) {
  if (!o_.bench.stop_test || !o_.bench.taps) {
    return refusal_of(q, "not_here", "the bench file has no [stop_test] or no [taps]");
  }
  return post(q, {.use = Use::kStopTest});
}

daq::ControlReply Controller::Impl::run_verb(const Request& q, const Json& a) {
  const auto protocol = word(a, "protocol");
  if (!is_library_name(protocol)) {
    return refusal_of(q, "out_of_range", "\"protocol\" is a name from the library ([a-z0-9_]); `hello` lists them");
  }
  if (!armed_) return refusal_of(q, "not_reset", "the rig is not reset; see `status` for the reason, then `reset`");
  return post(q, {.use = Use::kRunning, .protocol = protocol});
}

daq::ControlReply Controller::Impl::suite_verb(const Request& q, const Json& a) {
  const auto suite = word(a, "suite");
  if (!is_library_name(suite)) {
    return refusal_of(q, "out_of_range", "\"suite\" is a name from the library ([a-z0-9_]); `hello` lists them");
  }
  if (!armed_) return refusal_of(q, "not_reset", "the rig is not reset; see `status` for the reason, then `reset`");
  return post(q, {.use = Use::kRunning, .protocol = suite, .suite = true});
}

daq::ControlReply Controller::Impl::quit(const Request& q, const Json&) {
  quit_ = true;
  int none = 0;
  (void)request_.compare_exchange_strong(none, 1);
  changed_.notify_all();
  say(fmt::format("'{}' asked the controller to quit", q.client));
  return answer_to(q);
}

daq::ControlReply Controller::Impl::not_by_hand(const Request& q) const {
  return refusal_of(q, "busy", fmt::format("the rig cannot be moved by hand now: {} {}", name_of(use_), words_));
}

daq::ControlReply Controller::Impl::begin(const Request& q, rig::OperatorWish wish) {
  if (!session_) return not_by_hand(q);
  if (session_->state().supervisor != rig::SupervisorState::kRunning) {
    return refusal_of(q, "not_reset", "the rig is not reset; see `status` for the reason, then `reset`");
  }
  wish.number = ++wishes_;
  wish.until = daq::host_now() + kHold;
  wish_ = wish;
  session_->wish(wish_);
  return answer_to(q);
}

void Controller::Impl::release_switch() {
  wish_ = {};
  wish_.number = ++wishes_;
  if (session_) session_->wish(wish_);
}

daq::ControlReply Controller::Impl::post(const Request& q, const Job& job) {
  if (job_ || in_use()) {
    return refusal_of(q, "busy", fmt::format("the rig is in use: {}", name_of(use_)));
  }
  if (emergency_) return refusal_of(q, "not_reset", "the emergency stop was pressed; `reset` comes first");
  if (job.use == Use::kRunning && use_ != Use::kByHand) return not_by_hand(q);
  release_switch();
  job_ = job;
  changed_.notify_all();
  return answer_to(q);
}

void Controller::Impl::say(const std::string& words) {
  words_ = words;
  fmt::print(stderr, "{}\n", words);
}

bool Controller::Impl::in_use() const {
  return use_ == Use::kRunning || use_ == Use::kHoming || use_ == Use::kStopTest;
}

}  // namespace strigil::apps
