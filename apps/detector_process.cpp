#include "apps/detector_process.hpp"

#include <fmt/format.h>

#include <csignal>
#include <fstream>

namespace strigil::apps {
namespace {

constexpr int kSignalled = 128;

void put_in(std::string& word, const std::string& key, const std::string& value) {
  for (auto at = word.find(key); at != std::string::npos; at = word.find(key, at + value.size()))
    word.replace(at, key.size(), value);
}

/// The last line that says anything.
std::string last_line(const std::filesystem::path& path) {
  constexpr std::size_t kMost = 200;
  std::ifstream in(path);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line.substr(0, kMost);
  }
  return last;
}

}  // namespace

daq::Result<std::vector<std::string>> words_of_command(const std::string& command) {
  std::vector<std::string> words;
  char quote = 0;
  bool in_word = false;
  for (const char c : command) {
    if (quote != 0 ? c == quote : c == '\'' || c == '"') {
      quote = quote != 0 ? '\0' : c;
      if (!in_word) words.emplace_back();
      in_word = true;
    } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      in_word = false;
    } else {
      if (!in_word) words.emplace_back();
      in_word = true;
      words.back() += c;
    }
  }
  if (quote != 0) return daq::Error{fmt::format("the command {} leaves a quote open", command)};
  if (words.empty() || words.front().empty()) return daq::Error{"the detector's command is empty"};
  return words;
}

daq::Result<std::unique_ptr<DetectorProcess>> DetectorProcess::start(const std::string& command,
                                                                     const std::string& endpoint,
                                                                     const std::string& answers) {
  auto words = words_of_command(command);
  if (!words) return words.error();
  for (auto& word : *words) {
    put_in(word, "{endpoint}", endpoint);
    put_in(word, "{answers}", answers);
  }
  auto folder = daq::TemporaryFolder::make("detector");
  if (!folder) return folder.error();
  std::unique_ptr<DetectorProcess> out(new DetectorProcess(std::move(*folder)));
  const auto& path = out->folder_.path();
  const auto program = words->front() == "strigil" ? std::string("/proc/self/exe") : words->front();
  auto child = Child::start_program(program, {words->begin() + 1, words->end()}, path + "/out", path + "/err");
  if (!child) return daq::Error{fmt::format("the detector's command {}: {}", command, child.error().message)};
  out->child_ = std::move(*child);
  return out;
}

DetectorProcess::~DetectorProcess() = default;

std::optional<std::string> DetectorProcess::ended() {
  if (how_) return how_;
  const auto code = child_->wait(daq::Duration::zero());
  if (!code) return std::nullopt;
  how_ = *code > kSignalled ? fmt::format("signal {}", *code - kSignalled) : fmt::format("exit code {}", *code);
  if (const auto words = last_line(folder_.path() + "/err"); !words.empty()) *how_ += fmt::format(" ({})", words);
  return how_;
}

void DetectorProcess::kill() { child_->signal(SIGKILL); }

void DetectorProcess::leave(daq::Duration longest) {
  if (!how_ && !child_->wait(longest)) kill();
}

}  // namespace strigil::apps
