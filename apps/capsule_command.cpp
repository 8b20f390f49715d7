#include "apps/capsule_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/capsule_manifest.hpp"
#include "apps/certificate_command.hpp"
#include "apps/places.hpp"
#include "apps/recompute.hpp"
#include "apps/recompute_campaign.hpp"
#include "apps/run_command.hpp"
#include "calibration/certificate/signature.hpp"
#include "calibration/record/digest.hpp"
#include "daq/json_text.hpp"
#include "daq/record/verify.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::apps {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr std::size_t kLongestManifest = 256U << 20U;
constexpr std::size_t kLongestText = 256U << 20U;

bool is_run_file(const fs::path& path) { return path.extension() == ".h5"; }

/// The run's own texts, each a file: for people and programs that read no HDF5. The run file stays what counts.
daq::Result<std::map<std::string, std::string>> texts_of(const std::string& run_file) {
  auto reader = daq::RunReader::open(run_file);
  if (!reader) return reader.error();
  const auto& header = (*reader)->header();
  std::map<std::string, std::string> out;
  for (const auto& [name, text] : header.config) out["config/" + name] = text;
  out["code_version.txt"] = header.software + '\n';
  const auto ledger = (*reader)->ledger();
  if (!ledger) return ledger.error();
  out["ledger.json"] = daq::ledger_json(header.run_id, true, *ledger) + '\n';
  const auto end = (*reader)->end();
  if (!end) return end.error();
  const auto json = daq::parse_ordered_json(end->value_or(""));
  for (const char* part : {"verdict", "timing", "evidence"}) {
    if (json.is_object() && json.contains(part))
      out[std::string(part) + ".json"] = daq::json_text(json[part], 1) + '\n';
  }
  return out;
}

daq::Result<void> write_file(const fs::path& path, const std::string& text) {
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  if (failure)
    return daq::Error{fmt::format("'{}' cannot be made: {}", path.parent_path().string(), failure.message())};
  return write_new(path.string(), kAnyoneReads, text);
}

/// Every file below a folder, by path; links and the like are refused.
daq::Result<std::vector<std::string>> files_below(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code failure;
  for (fs::recursive_directory_iterator i(folder, failure), end; !failure && i != end; i.increment(failure)) {
    const auto status = i->symlink_status();
    const auto relative = i->path().lexically_relative(folder).generic_string();
    if (fs::is_regular_file(status)) {
      out.push_back(relative);
    } else if (!fs::is_directory(status)) {
      return daq::Error{fmt::format("'{}' is neither a file nor a folder: a capsule holds nothing else", relative)};
    }
  }
  if (failure) return daq::Error{fmt::format("'{}' cannot be read: {}", folder.string(), failure.message())};
  std::sort(out.begin(), out.end());
  return out;
}

daq::Result<void> copy_into(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::create_directories(to.parent_path(), failure);
  if (!failure) fs::copy_file(from, to, failure);
  if (failure) return daq::Error{fmt::format("'{}' cannot be copied: {}", from.string(), failure.message())};
  return {};
}

/// The texts of the run at `path` (below `folder`) go beside it: "x.h5" has "x.texts/...".
std::string beside(const std::string& path) { return path.substr(0, path.size() - 3) + ".texts/"; }

daq::Result<CapsuleManifest> fill(const CapsuleArguments& a) {
  const fs::path out = a.out;
  const bool campaign = fs::is_directory(a.what);
  CapsuleManifest manifest{campaign ? "campaign" : "run", daq::iso8601(daq::wall_now()), version(), {}};
  std::vector<std::string> runs;
  if (campaign) {
    const auto files = files_below(a.what);
    if (!files) return files.error();
    for (const auto& file : *files) {
      if (auto r = copy_into(fs::path(a.what) / file, out / file); !r) return r.error();
      if (is_run_file(file)) runs.push_back(file);
    }
  } else {
    runs.push_back("run.h5");
    if (auto r = copy_into(a.what, out / runs.front()); !r) return r.error();
  }
  if (runs.empty()) return daq::Error{fmt::format("'{}' holds no run file (*.h5): there is no evidence in it", a.what)};
  for (const auto& run : runs) {
    const auto texts = texts_of((out / run).string());
    if (!texts) return daq::Error{fmt::format("{}: {}", run, texts.error().message)};
    for (const auto& [name, text] : *texts) {
      if (auto r = write_file(out / (beside(run) + name), text); !r) return r.error();
    }
  }
  const auto all = files_below(out);
  if (!all) return all.error();
  for (const auto& file : *all) {
    const auto hash = calibration::sha256_of_file((out / file).string());
    if (!hash) return hash.error();
    manifest.add(file, fs::file_size(out / file), *hash);
  }
  return manifest;
}

/// What is wrong with the files, by name.
std::vector<std::string> against_manifest(const fs::path& folder, const CapsuleManifest& manifest) {
  std::vector<std::string> problems;
  std::set<std::string> listed{kManifest, std::string(kManifest) + ".sig"};
  for (const auto& e : manifest.entries) {
    listed.insert(e.path);
    std::error_code failure;
    const auto path = folder / e.path;
    if (!fs::is_regular_file(fs::symlink_status(path, failure))) {
      problems.push_back(fmt::format("{}: it is in the manifest, and not there", e.path));
      continue;
    }
    if (const auto bytes = fs::file_size(path, failure); failure || bytes != e.bytes) {
      problems.push_back(fmt::format("{}: {} bytes, sealed with {}", e.path, bytes, e.bytes));
      continue;
    }
    const auto hash = calibration::sha256_of_file(path.string());
    if (!hash) {
      problems.push_back(hash.error().message);
    } else if (*hash != e.sha256) {
      problems.push_back(fmt::format("{}: it was changed after it had been sealed (its SHA-256 is another)", e.path));
    }
  }
  const auto there = files_below(folder);
  if (!there) {
    problems.push_back(there.error().message);
    return problems;
  }
  for (const auto& file : *there) {
    if (!listed.contains(file)) problems.push_back(fmt::format("{}: it is not in the manifest", file));
  }
  return problems;
}

void check_texts(const fs::path& folder, const std::string& run, std::vector<std::string>& problems) {
  const auto texts = texts_of((folder / run).string());
  if (!texts) return problems.push_back(fmt::format("{}: {}", run, texts.error().message));
  for (const auto& [name, text] : *texts) {
    const auto file = beside(run) + name;
    const auto read = daq::read_text_file((folder / file).string(), kLongestText);
    if (!read || *read != text) problems.push_back(fmt::format("{}: it is not what {} says", file, run));
  }
}

void check_run(const fs::path& folder, const std::string& run, bool in_full, std::vector<std::string>& problems) {
  check_texts(folder, run, problems);
  const auto held = daq::verify((folder / run).string());
  if (!held) return problems.push_back(fmt::format("{}: {}", run, held.error().message));
  for (const auto& p : held->problems) problems.push_back(fmt::format("{}: {}", run, p));
  if (!print_recomputed((folder / run).string(), run, in_full))
    problems.push_back(fmt::format("{}: its verdict does not stand", run));
}

/// What a campaign's report says of each run file, against the file.
void check_report_of(const fs::path& folder, const CapsuleManifest& manifest, const CapsuleEntry& report,
                     std::vector<std::string>& problems) {
  const auto text = daq::read_text_file((folder / report.path).string(), kLongestText);
  const auto json = text ? daq::parse_json(*text) : nlohmann::json();
  if (!json.is_object() || json.value("format", nlohmann::json()) != "strigil-court-report") return;
  const auto trials = json.value("trials", nlohmann::json::array());
  std::size_t compared = 0;
  for (const auto& t : trials) {
    if (!t.is_object() || !t.contains("run") || !t["run"].is_string() || t["run"].get<std::string>().empty()) continue;
    const auto run = (fs::path(report.path).parent_path() / t["run"].get<std::string>()).lexically_normal();
    const auto at = std::find_if(manifest.entries.begin(), manifest.entries.end(),
                                 [&](const auto& e) { return e.path == run.generic_string(); });
    if (at == manifest.entries.end()) {
      problems.push_back(fmt::format("{}: its run file {} is not here", report.path, run.generic_string()));
      continue;
    }
    const auto hash = t.value("run_sha256", nlohmann::json());
    if (hash.is_string() && !hash.get<std::string>().empty() && hash != at->sha256) {
      problems.push_back(fmt::format("{}: it was made of another {}", report.path, at->path));
    }
    ++compared;
  }
  fmt::print("{}: {} run files are those that it was made of\n", report.path, compared);
}

void check_contents(const fs::path& folder, const CapsuleManifest& manifest, std::vector<std::string>& problems) {
  for (const auto& e : manifest.entries) {
    if (is_run_file(e.path)) check_run(folder, e.path, manifest.kind == "run", problems);
    if (e.path == "report.json") check_report_of(folder, manifest, e, problems);
  }
  if (manifest.kind != "campaign") return;
  const auto again = recompute_campaign(folder.string());
  if (!again) return problems.push_back(again.error().message);
  for (const auto& line : again->same) fmt::print("recomputed, the same: {}\n", line);
  for (const auto& line : again->trusted) fmt::print("taken on trust: {}\n", line);
  fmt::print(
      "taken on trust: each run's steps as its runner saw them, and what the campaign's journal says of attempts, of "
      "their order and of teardowns\n");
  problems.insert(problems.end(), again->problems.begin(), again->problems.end());
}

}  // namespace

int capsule_command(const CapsuleArguments& a) {
  std::error_code failure;
  if (!fs::exists(a.what, failure)) return refuse(fmt::format("'{}' is not there", a.what));
  if (fs::exists(a.out, failure)) return refuse(fmt::format("'{}' is there already, and is left alone", a.out));
  const auto inside = fs::weakly_canonical(a.out, failure).lexically_relative(fs::weakly_canonical(a.what, failure));
  if (!inside.empty() && *inside.begin() != ".." && fs::is_directory(a.what, failure)) {
    return refuse(fmt::format("'{}' lies within '{}': it would hold itself", a.out, a.what));
  }
  if (!a.key.empty()) {  // before anything is made
    if (const auto secret = calibration::read_secret_key(a.key); !secret) return refuse(secret.error().message);
  }
  const auto manifest = fill(a);
  if (!manifest) return refuse(manifest.error().message);
  const auto path = (fs::path(a.out) / kManifest).string();
  if (auto r = write_new(path, kAnyoneReads, to_text(*manifest)); !r) return refuse(r.error().message);
  fmt::print("capsule: {}\n{} files, head of the chain {}\n", a.out, manifest->entries.size(),
             manifest->entries.back().chain);
  return a.key.empty() ? static_cast<int>(kPass) : sign_command(path, a.key);
}

bool is_capsule(const std::string& folder) {
  std::error_code ignored;
  return fs::is_regular_file(fs::path(folder) / kManifest, ignored);
}

bool print_recomputed(const std::string& run_file, const std::string& name, bool in_full) {
  const auto again = recompute_run(run_file);
  if (!again) {
    fmt::print("PROBLEM: {}: {}\n", name, again.error().message);
    return false;
  }
  if (in_full) {
    for (const auto& line : again->same) fmt::print("{}: recomputed, the same: {}\n", name, line);
    for (const auto& line : again->checked) fmt::print("{}: checked: {}\n", name, line);
    for (const auto& line : again->trusted) fmt::print("{}: taken on trust: {}\n", name, line);
  }
  for (const auto& line : again->problems) fmt::print("PROBLEM: {}: {}\n", name, line);
  if (again->problems.empty()) fmt::print("{}: VERDICT, recomputed: {}\n", name, again->verdict);
  return again->problems.empty();
}

int verify_capsule_command(const std::string& folder, const std::string& key) {
  const auto path = (fs::path(folder) / kManifest).string();
  const auto text = daq::read_text_file(path, kLongestManifest);
  if (!text) return refuse(text.error().message);
  std::vector<std::string> problems;
  std::error_code ignored;
  if (fs::exists(path + ".sig", ignored) || !key.empty()) {
    check_signature(path, *text, key, problems);
  } else {
    fmt::print("not signed: the chain shows what was changed by accident; whoever means to can seal a capsule anew\n");
  }
  if (const auto manifest = parse_manifest(*text); !manifest) {
    problems.push_back(manifest.error().message);
  } else {
    auto found = against_manifest(folder, *manifest);
    const bool sealed = found.empty();
    problems.insert(problems.end(), found.begin(), found.end());
    // Files that were changed are not opened: the first thing to know is that they were.
    if (sealed) check_contents(folder, *manifest, problems);
  }
  for (const auto& p : problems) fmt::print("PROBLEM: {}\n", p);
  fmt::print("{}\n", problems.empty() ? "the capsule holds together" : "the capsule does not hold together");
  return problems.empty() ? kPass : kFail;
}

}  // namespace strigil::apps
