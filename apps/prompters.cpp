#include "apps/prompters.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "daq/strict_toml.hpp"

namespace strigil::apps {

using protocols::HandsAnswer;
using protocols::HandsRequest;
using protocols::HandsTask;

daq::Result<Answers> parse_answers(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  Answers out;
  out.operator_name = root.text("operator", "");
  if (root.has("temperature_C")) out.temperature_C = root.number("temperature_C", {-40, 100});
  out.hands_s = root.number("hands_s", {0, 3600}, out.hands_s);
  for (auto& t : root.tables("reading")) {
    const auto reference = t.text("reference");
    const auto values = t.numbers("values", {-1e9, 1e9});
    if (!out.readings.emplace(reference, values).second) {
      t.refuse("reference", fmt::format("readings of '{}' stand twice", reference));
    }
    t.finish();
  }
  root.finish();
  if (document.error()) return *document.error();
  return out;
}

void ScriptedPrompter::ask(const HandsRequest& request, daq::HostTime now) {
  request_ = request;
  asked_ = now;
}

std::optional<HandsAnswer> ScriptedPrompter::poll(daq::HostTime now) {
  if (now - asked_ < daq::from_seconds(answers_.hands_s)) return std::nullopt;
  HandsAnswer answer;
  if (request_.task == HandsTask::kReading) {
    const auto known = answers_.readings.find(request_.reference);
    auto& at = given_[request_.reference];
    const bool there = known != answers_.readings.end() && at < known->second.size();
    answer.value = there ? known->second[at++] : std::numeric_limits<double>::quiet_NaN();
  }
  return answer;
}

void TerminalPrompter::ask(const HandsRequest& request, daq::HostTime) {
  request_ = request;
  typed_.clear();
  const bool reading = request.task == HandsTask::kReading;
  fmt::print(stderr, "\n>>> {}.\n    {}, or \"stop\": ", request.words,
             reading ? fmt::format("Type it in {}", request.unit) : std::string("Enter when it is done"));
}

std::optional<HandsAnswer> TerminalPrompter::poll(daq::HostTime) {
  for (;;) {
    pollfd in{STDIN_FILENO, POLLIN, 0};
    constexpr int kWait_ms = 100;  // a Ctrl-C is then obeyed
    if (::poll(&in, 1, may_wait_ ? kWait_ms : 0) <= 0) return std::nullopt;
    std::array<char, 256> piece{};
    const auto n = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (n <= 0) {
      fmt::print(stderr, "\nstandard input has ended: given up\n");
      return HandsAnswer{.given_up = true};
    }
    typed_.append(piece.data(), static_cast<std::size_t>(n));
    const auto end = typed_.find('\n');
    if (end == std::string::npos) continue;
    const auto line = typed_.substr(0, end);
    typed_.erase(0, end + 1);
    return understand(line);
  }
}

std::optional<HandsAnswer> TerminalPrompter::understand(const std::string& line) const {
  if (line == "stop") return HandsAnswer{.given_up = true};
  if (request_.task != HandsTask::kReading) return HandsAnswer{};
  HandsAnswer answer;
  const auto* last = line.data() + line.size();
  const auto [end, failure] = std::from_chars(line.data(), last, answer.value);
  const bool number = failure == std::errc{} && end == last && std::isfinite(answer.value);
  if (number && answer.value >= request_.low && answer.value <= request_.high) return answer;
  fmt::print(stderr, "    '{}' is no number from {:g} to {:g} {}; once more: ", line, request_.low, request_.high,
             request_.unit);
  return std::nullopt;
}

void TerminalPrompter::progress(const protocols::ProcedureProgress& p) {
  if (p.waiting || p.step == told_) return;
  told_ = p.step;
  fmt::print(stderr, "[{:>3}/{}] {:<28} about {:.0f} min left\n", p.step + 1, p.steps, p.name,
             std::ceil(p.left_s / 60));
}

}  // namespace strigil::apps
