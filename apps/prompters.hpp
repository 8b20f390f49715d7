// Prompters for the command line: a file of answers, and a person at the terminal.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daq/result.hpp"
#include "protocols/calibrate/prompter.hpp"

namespace strigil::apps {

/// What an answers file says (docs/calibrate.md).
struct Answers {
  std::string operator_name;
  std::optional<double> temperature_C;
  double hands_s = 10;                                  ///< how long each thing takes that is done by hand
  std::map<std::string, std::vector<double>> readings;  ///< by reference, in the order in which they are asked for
};
/// Errors: with line and column.
daq::Result<Answers> parse_answers(std::string_view text, const std::string& file);

/// Everything is done after hands_s; readings come from the file. One that it does not hold is NaN.
class ScriptedPrompter final : public protocols::Prompter {
 public:
  explicit ScriptedPrompter(Answers answers) : answers_(std::move(answers)) {}
  void ask(const protocols::HandsRequest& request, daq::HostTime now) override;
  std::optional<protocols::HandsAnswer> poll(daq::HostTime now) override;

 private:
  Answers answers_;
  std::map<std::string, std::size_t> given_;
  protocols::HandsRequest request_;
  daq::HostTime asked_;
};

/// Words on standard error, answers on standard input: Enter, a number, or "stop". `may_wait`: virtual time, in which
/// poll() waits for the person.
class TerminalPrompter final : public protocols::Prompter {
 public:
  explicit TerminalPrompter(bool may_wait) : may_wait_(may_wait) {}
  void ask(const protocols::HandsRequest& request, daq::HostTime now) override;
  std::optional<protocols::HandsAnswer> poll(daq::HostTime now) override;
  void progress(const protocols::ProcedureProgress& progress) override;

 private:
  std::optional<protocols::HandsAnswer> understand(const std::string& line) const;

  bool may_wait_;
  protocols::HandsRequest request_;
  std::string typed_;
  std::size_t told_ = static_cast<std::size_t>(-1);
};

}  // namespace strigil::apps
