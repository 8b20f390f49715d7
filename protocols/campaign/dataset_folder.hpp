// Data set: a campaign's folder made into one that others can use without us (docs/suite_file.md, The data set).
//
// runs/*.h5 as they are; beside them contents.csv and contents.json (one row a run), data_dictionary.json,
// ground_truth/*.json, splits.json, LICENSE, CITATION.cff, README.md, load_dataset.py, ro-crate-metadata.json (RO-Crate
// 1.1) and SHA256SUMS over all of it. Off the loop; one thread, which owns HDF5 meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daq/result.hpp"
#include "protocols/campaign/campaign.hpp"

namespace strigil::protocols {

/// Which phantoms are for training, validation and test. A phantom is in one of them with all its runs, its blank
/// twin's too: what was learned on a phantom is never asked about it.
struct Splits {
  std::vector<std::string> train;
  std::vector<std::string> validation;
  std::vector<std::string> test;
};
/// Seeded; each of the three has a phantom where there are three or more and its share is above 0. Pure.
Splits split_phantoms(std::vector<std::string> phantoms, double train_percent, double test_percent, std::uint64_t seed);

/// One run of the data set.
struct DatasetRun {
  std::string trial;
  std::string file;  ///< relative to the folder
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string judgement;
  std::uint64_t strokes = 0;
  double duration_s = 0;
  std::string phantom;       ///< of the ground truth; empty: none was recorded
  std::string condition;     ///< likewise
  std::string split;         ///< "train", "validation", "test"; empty: INVALID, or no phantom is known
  std::string ground_truth;  ///< file, relative; empty: none
  std::vector<std::pair<std::string, std::string>> factors;
};

/// Writes all of it anew. `date`: ISO 8601, of publication. Errors: a run that cannot be read, the disk.
daq::Result<std::vector<DatasetRun>> write_dataset(const std::string& dir, const Suite& suite,
                                                   const std::vector<Trial>& trials,
                                                   const std::vector<TrialRecord>& records, const std::string& software,
                                                   const std::string& date);

}  // namespace strigil::protocols
