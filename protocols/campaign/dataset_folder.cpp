#include "protocols/campaign/dataset_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "calibration/record/digest.hpp"
#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "protocols/campaign/dataset_texts.hpp"
#include "protocols/court/draws.hpp"

namespace strigil::protocols {
namespace {

namespace fs = std::filesystem;

daq::Result<void> write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return daq::Error{fmt::format("'{}' cannot be written", path.string())};
  return {};
}

/// Reads what the run itself says lay under the instrument, and writes it beside the runs.
daq::Result<void> add_truth(const fs::path& dir, const daq::RunHeader& header, DatasetRun& run) {
  const auto truth = header.config.find("ground_truth.json");
  if (truth == header.config.end()) return {};
  const auto j = daq::parse_json(truth->second);
  if (!j.is_object() || !j.contains("phantom") || !j.at("phantom").is_string())
    return daq::Error{fmt::format("the ground truth in '{}' cannot be read", run.file)};
  run.phantom = j.at("phantom").get<std::string>();
  run.condition = j.value("condition", "");
  run.ground_truth = fmt::format("ground_truth/{}.json", run.trial);
  return write(dir / run.ground_truth, truth->second + "\n");
}

daq::Result<DatasetRun> run_of(const fs::path& dir, const Suite& suite, const Trial& trial, const JournalEntry& last,
                               daq::RunHeader& header) {
  DatasetRun run;
  run.trial = trial.id;
  run.file = last.run;
  run.sha256 = last.sha256;
  run.judgement = std::string(name_of(last.outcome.judgement));
  run.strokes = last.outcome.strokes;
  run.duration_s = last.outcome.duration_s;
  for (std::size_t f = 0; f < trial.levels.size(); ++f)
    run.factors.emplace_back(suite.design.factors[f].name, text_of(trial.levels[f]));
  const auto path = dir / last.run;
  auto reader = daq::RunReader::open(path.string());
  if (!reader) return reader.error();
  header = (*reader)->header();
  std::error_code failure;
  run.bytes = fs::file_size(path, failure);
  if (auto ok = add_truth(dir, header, run); !ok) return ok.error();
  return run;
}

void split_runs(const Splits& splits, std::vector<DatasetRun>& runs) {
  const auto in = [](const std::vector<std::string>& phantoms, const std::string& phantom) {
    return std::find(phantoms.begin(), phantoms.end(), phantom) != phantoms.end();
  };
  for (auto& run : runs) {
    if (run.judgement == name_of(Judgement::kInvalid)) continue;
    if (in(splits.train, run.phantom)) run.split = "train";
    if (in(splits.validation, run.phantom)) run.split = "validation";
    if (in(splits.test, run.phantom)) run.split = "test";
  }
}

}  // namespace

Splits split_phantoms(std::vector<std::string> phantoms, double train_percent, double test_percent,
                      std::uint64_t seed) {
  std::sort(phantoms.begin(), phantoms.end());
  phantoms.erase(std::unique(phantoms.begin(), phantoms.end()), phantoms.end());
  Draws draws(seed, 0x5B1175);
  const std::size_t n = phantoms.size();
  for (std::size_t i = n; i > 1; --i) std::swap(phantoms[i - 1], phantoms[draws.below(i)]);
  const double validation_percent = std::max(0.0, 100 - train_percent - test_percent);
  std::size_t test = static_cast<std::size_t>(std::lround(static_cast<double>(n) * test_percent / 100));
  std::size_t validation = static_cast<std::size_t>(std::lround(static_cast<double>(n) * validation_percent / 100));
  if (n >= 3) {
    if (test_percent > 0) test = std::max<std::size_t>(test, 1);
    if (validation_percent > 0) validation = std::max<std::size_t>(validation, 1);
  }
  const std::size_t keep = n >= 3 && train_percent > 0 ? 1 : 0;
  test = std::min(test, n - std::min(n, keep));
  validation = std::min(validation, n - test - std::min(n - test, keep));
  Splits splits;
  const auto at = [&](std::size_t i) { return phantoms.begin() + static_cast<std::ptrdiff_t>(i); };
  splits.test.assign(at(0), at(test));
  splits.validation.assign(at(test), at(test + validation));
  splits.train.assign(at(test + validation), phantoms.end());
  return splits;
}

daq::Result<std::vector<DatasetRun>> write_dataset(const std::string& dir, const Suite& suite,
                                                   const std::vector<Trial>& trials,
                                                   const std::vector<TrialRecord>& records, const std::string& software,
                                                   const std::string& date) {
  const fs::path folder(dir);
  std::error_code failure;
  fs::create_directories(folder / "ground_truth", failure);
  if (failure) return daq::Error{fmt::format("a folder in '{}' cannot be made: {}", dir, failure.message())};
  std::vector<DatasetRun> runs;
  std::vector<std::string> phantoms;
  daq::RunHeader header;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!records[i].finished || records[i].last.run.empty()) continue;
    auto run = run_of(folder, suite, trials[i], records[i].last, header);
    // An INVALID run may be one that cannot even be read.
    if (!run && records[i].last.outcome.judgement == Judgement::kInvalid) continue;
    if (!run) return run.error();
    if (!run->phantom.empty() && run->judgement != name_of(Judgement::kInvalid)) phantoms.push_back(run->phantom);
    runs.push_back(std::move(*run));
  }
  if (runs.empty()) return daq::Error{"the campaign has no run, so there is no data set"};
  const auto splits =
      split_phantoms(phantoms, suite.dataset.train_percent, suite.dataset.test_percent, suite.design.seed);
  split_runs(splits, runs);

  const DatasetFacts facts{suite, runs, splits, software, date};
  const std::vector<DatasetFile> texts{{"contents.csv", contents_csv(facts)},
                                       {"contents.json", contents_json(facts)},
                                       {"splits.json", splits_json(splits)},
                                       {"data_dictionary.json", data_dictionary(facts, header)},
                                       {"LICENSE", licence_text(facts)},
                                       {"CITATION.cff", citation_cff(facts)},
                                       {"README.md", readme_text(facts)},
                                       {"load_dataset.py", loader_example()},
                                       {"suite.toml", suite.text}};
  std::vector<CrateFile> files;
  for (const auto& run : runs) files.push_back({run.file, run.bytes, run.sha256});
  std::vector<std::string> written;
  for (const auto& text : texts) {
    if (auto ok = write(folder / text.name, text.text); !ok) return ok.error();
    written.push_back(text.name);
  }
  for (const auto& run : runs) {
    if (!run.ground_truth.empty()) written.push_back(run.ground_truth);
  }
  for (const auto& name : written) {
    const auto digest = calibration::sha256_of_file((folder / name).string());
    if (!digest) return digest.error();
    files.push_back({name, fs::file_size(folder / name, failure), *digest});
  }
  const auto crate = ro_crate(facts, files);
  if (auto ok = write(folder / "ro-crate-metadata.json", crate); !ok) return ok.error();
  std::string sums;
  for (const auto& f : files) sums += fmt::format("{}  {}\n", f.sha256, f.name);
  sums += fmt::format("{}  ro-crate-metadata.json\n", calibration::sha256_hex(crate));
  if (auto ok = write(folder / "SHA256SUMS", sums); !ok) return ok.error();
  return runs;
}

}  // namespace strigil::protocols
