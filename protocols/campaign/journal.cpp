#include "protocols/campaign/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "daq/json_text.hpp"
#include "daq/line_file.hpp"

namespace strigil::protocols {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr std::array kKinds{"session", "began", "ended", "set_aside", "torn_down"};
constexpr std::array kJudgements{Judgement::kPass, Judgement::kFail, Judgement::kInvalid};
constexpr std::array kFindings{Finding::kGood, Finding::kMarginal, Finding::kBad, Finding::kUnjudged};

std::string path_in(const std::string& dir) { return (fs::path(dir) / "journal.jsonl").string(); }

template <typename T, std::size_t N>
T named(const std::array<T, N>& all, const std::string& name) {
  for (const T value : all) {
    if (name_of(value) == name) return value;
  }
  throw std::out_of_range(name);
}

ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }
double number(const json& j) { return j.is_null() ? std::numeric_limits<double>::quiet_NaN() : j.get<double>(); }

std::string line_of(const JournalHead& h) {
  return daq::json_text(ordered_json{{"kind", "campaign"},
                                     {"format", kFormat},
                                     {"suite", h.suite},
                                     {"suite_sha256", h.suite_sha256},
                                     {"inputs", h.inputs},
                                     {"trials", h.trials}});
}

std::string line_of(const JournalEntry& e) {
  ordered_json j{{"kind", kKinds[static_cast<std::size_t>(e.kind)]}, {"at", e.at}};
  if (!e.software.empty()) j["software"] = e.software;
  if (!e.trial.empty()) j["trial"] = e.trial, j["attempt"] = e.attempt;
  if (!e.run.empty()) j["run"] = e.run;
  if (!e.sha256.empty()) j["sha256"] = e.sha256;
  if (e.kind == JournalKind::kTornDown) j["words"] = e.words;
  if (e.kind == JournalKind::kEnded) {
    const auto& o = e.outcome;
    j["judgement"] = name_of(o.judgement);
    j["duration_s"] = number(o.duration_s);
    j["strokes"] = o.strokes;
    j["reasons"] = ordered_json::array();
    for (const auto& r : o.reasons) j["reasons"].push_back({{"weight", name_of(r.weight)}, {"text", r.text}});
    j["measures"] = ordered_json::array();
    for (const auto& m : o.measures) {
      j["measures"].push_back({{"name", m.name},
                               {"value", number(m.value)},
                               {"finding", name_of(m.finding)},
                               {"fails", m.fails},
                               {"words", m.words}});
    }
  }
  return daq::json_text(j);
}

JournalEntry entry_of(const json& j) {
  JournalEntry e;
  const auto kind = j.at("kind").get<std::string>();
  const auto at = std::find(kKinds.begin(), kKinds.end(), kind);
  if (at == kKinds.end()) throw std::out_of_range(kind);
  e.kind = static_cast<JournalKind>(at - kKinds.begin());
  e.at = j.at("at").get<std::string>();
  e.software = j.value("software", "");
  e.run = j.value("run", "");
  e.sha256 = j.value("sha256", "");
  e.words = j.value("words", "");
  if (e.kind == JournalKind::kBegan || e.kind == JournalKind::kEnded || e.kind == JournalKind::kSetAside) {
    e.trial = j.at("trial").get<std::string>();
    e.attempt = j.at("attempt").get<int>();
  }
  if (e.kind == JournalKind::kEnded) {
    auto& o = e.outcome;
    o.judgement = named(kJudgements, j.at("judgement").get<std::string>());
    o.duration_s = number(j.at("duration_s"));
    o.strokes = j.at("strokes").get<std::uint64_t>();
    for (const auto& r : j.at("reasons"))
      o.reasons.push_back({named(kJudgements, r.at("weight").get<std::string>()), r.at("text").get<std::string>()});
    for (const auto& m : j.at("measures")) {
      o.measures.push_back({.name = m.at("name").get<std::string>(),
                            .value = number(m.at("value")),
                            .finding = named(kFindings, m.at("finding").get<std::string>()),
                            .fails = m.at("fails").get<bool>(),
                            .words = m.at("words").get<std::string>()});
    }
  }
  return e;
}

/// Nothing: there is no journal, or not even its first line was finished.
daq::Result<std::optional<JournalHead>> read(const std::string& path,
                                             const std::function<void(const JournalEntry&)>& seen) {
  std::optional<JournalHead> head;
  std::ifstream in(path, std::ios::binary);
  std::size_t number_of_line = 0;
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;  // no end: whoever wrote it died over it
    ++number_of_line;
    try {
      const auto j = daq::parse_json(line);
      if (j.is_discarded()) throw std::out_of_range(line.substr(0, 40));
      if (head) {
        seen(entry_of(j));
      } else {
        if (j.at("kind") != "campaign" || j.at("format") != kFormat) throw std::out_of_range("format");
        head = JournalHead{j.at("suite").get<std::string>(), j.at("suite_sha256").get<std::string>(),
                           j.at("inputs").get<std::string>(), j.at("trials").get<std::uint64_t>()};
      }
    } catch (const json::exception& e) {
      return daq::Error{fmt::format("{}:{}: this line of the journal is damaged: {}", path, number_of_line, e.what())};
    } catch (const std::out_of_range& e) {
      return daq::Error{
          fmt::format("{}:{}: this line of the journal is damaged: what is '{}'?", path, number_of_line, e.what())};
    }
  }
  return head;
}

}  // namespace

daq::Result<Journal> Journal::open(const std::string& dir, const JournalHead& head, bool resume,
                                   const std::function<void(const JournalEntry&)>& seen) {
  std::error_code failure;
  fs::create_directories(dir, failure);
  if (failure) return daq::Error{fmt::format("the folder '{}' cannot be made: {}", dir, failure.message())};
  const auto lock_path = (fs::path(dir) / "lock").string();
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return daq::Error{fmt::format("'{}' cannot be opened: {}", lock_path, std::strerror(errno))};
  Journal journal(path_in(dir), lock);  // closes it
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0)
    return daq::Error{fmt::format("a campaign is going on in '{}': its lock is held by another process", dir)};
  if (!resume && fs::exists(journal.path_, failure))
    return daq::Error{
        fmt::format("there is a campaign in '{}' already: go on with it by --resume, or take another "
                    "folder",
                    dir)};
  const auto there = read(journal.path_, seen);
  if (!there) return there.error();
  if (!*there) {
    if (auto begun = daq::append_line(journal.path_, line_of(head)); !begun) return begun.error();
    return journal;
  }
  const auto& old = **there;
  if (old.suite_sha256 != head.suite_sha256 || old.trials != head.trials)
    return daq::Error{
        fmt::format("the campaign in '{}' is of another suite ('{}', or '{}' before it was changed): take "
                    "another folder",
                    dir, old.suite, head.suite)};
  if (old.inputs != head.inputs)
    return daq::Error{
        fmt::format("a protocol, bench, phantom or instrument of the campaign in '{}' has been changed "
                    "since it began: put it back, or take another folder",
                    dir)};
  return journal;
}

Journal::~Journal() {
  if (lock_ >= 0) (void)::close(lock_);
}

Journal::Journal(Journal&& other) noexcept : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

daq::Result<void> Journal::add(const JournalEntry& entry) { return daq::append_line(path_, line_of(entry)); }

daq::Result<JournalHead> read_journal(const std::string& dir, const std::function<void(const JournalEntry&)>& seen) {
  auto head = read(path_in(dir), seen);
  if (!head) return head.error();
  if (!*head) return daq::Error{fmt::format("there is no campaign in '{}'", dir)};
  return **head;
}

}  // namespace strigil::protocols
