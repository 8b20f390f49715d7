#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "protocols/campaign/campaign.hpp"

namespace strigil::protocols {
namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

nlohmann::ordered_json counted(const std::map<std::string, std::uint64_t>& reasons) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& [text, count] : reasons) out.push_back({{"trials", count}, {"reason", text}});
  return out;
}

}  // namespace

std::vector<AttemptReason> reasons_of(const CampaignSummary& s, const Suite& suite) {
  std::vector<AttemptReason> out;
  const auto invalid = [&](std::string text) { out.push_back({Judgement::kInvalid, std::move(text)}); };
  if (s.planned == 0) invalid("nothing was planned");
  if (s.left > 0) invalid(fmt::format("{} of {} trials are left: {}", s.left, s.planned, s.why_left));
  const auto tried = s.planned - s.left - s.not_needed;
  if (tried > 0 && percent(s.done(), tried) < suite.valid_percent)
    invalid(fmt::format("{} of {} trials are INVALID; {:g} % must be valid", s.invalid, tried, suite.valid_percent));
  if (suite.until && s.decided.empty() && s.left == 0)
    invalid(fmt::format("{} is not decided by all the trials that were planned: plan more", suite.until->measure));
  if (!s.teardown.empty()) invalid("the teardown failed: " + s.teardown);
  if (s.done() > 0 && percent(s.passed, s.done()) < suite.pass_percent)
    out.push_back({Judgement::kFail, fmt::format("{} of {} valid trials failed; {:g} % must pass", s.failed, s.done(),
                                                 suite.pass_percent)});
  return out;
}

Judgement judge(const CampaignSummary& summary, const Suite& suite) {
  const auto reasons = reasons_of(summary, suite);
  return reasons.empty() ? Judgement::kPass : reasons.front().weight;
}

std::string to_text(const CampaignSummary& s, const Suite& suite) {
  auto text = fmt::format("suite {}: {} trials planned, {} done ({} PASS, {} FAIL), {} INVALID, {} left\n", suite.name,
                          s.planned, s.done(), s.passed, s.failed, s.invalid, s.left);
  text += fmt::format("{} strokes in {} attempts, {} trials tried again, {} half files set aside, {} sessions\n",
                      s.strokes, s.attempts, s.retried, s.set_aside, s.sessions);
  if (!s.decided.empty()) text += fmt::format("decided: {}; {} trials were not needed\n", s.decided, s.not_needed);
  for (const auto& [reason, count] : s.why_invalid) text += fmt::format("INVALID, {} trials: {}\n", count, reason);
  for (const auto& [reason, count] : s.why_failed) text += fmt::format("FAIL, {} trials: {}\n", count, reason);
  return text;
}

std::string to_json(const CampaignSummary& s, const Suite& suite) {
  nlohmann::ordered_json j{{"suite", suite.name},        {"judgement", name_of(judge(s, suite))},
                           {"planned", s.planned},       {"done", s.done()},
                           {"passed", s.passed},         {"failed", s.failed},
                           {"invalid", s.invalid},       {"left", s.left},
                           {"not_needed", s.not_needed}, {"decided", s.decided},
                           {"attempts", s.attempts},     {"retried", s.retried},
                           {"set_aside", s.set_aside},   {"sessions", s.sessions},
                           {"strokes", s.strokes},       {"why_left", s.why_left},
                           {"torn_down", s.torn_down},   {"teardown", s.teardown}};
  j["why_invalid"] = counted(s.why_invalid);
  j["why_failed"] = counted(s.why_failed);
  j["reasons"] = nlohmann::ordered_json::array();
  for (const auto& r : reasons_of(s, suite)) j["reasons"].push_back({{"weight", name_of(r.weight)}, {"text", r.text}});
  return daq::json_text(j, 1);
}

}  // namespace strigil::protocols
