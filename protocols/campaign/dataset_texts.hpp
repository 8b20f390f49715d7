// Texts of a data set: what is written beside its runs. Pure.
#pragma once

#include <string>
#include <vector>

#include "daq/record/run_writer.hpp"
#include "protocols/campaign/dataset_folder.hpp"

namespace strigil::protocols {

/// What all the texts speak of.
struct DatasetFacts {
  const Suite& suite;
  const std::vector<DatasetRun>& runs;
  const Splits& splits;
  std::string software;
  std::string date;  ///< of publication
};
struct DatasetFile {
  std::string name;
  std::string text;
};

std::string contents_csv(const DatasetFacts& facts);
std::string contents_json(const DatasetFacts& facts);
std::string splits_json(const Splits& splits);
/// Streams and columns by name, unit and meaning. `header`: of any of the runs.
std::string data_dictionary(const DatasetFacts& facts, const daq::RunHeader& header);
std::string licence_text(const DatasetFacts& facts);
std::string citation_cff(const DatasetFacts& facts);
std::string readme_text(const DatasetFacts& facts);
std::string loader_example();
/// `files`: all others, with their sizes.
struct CrateFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::string sha256;
};
std::string ro_crate(const DatasetFacts& facts, const std::vector<CrateFile>& files);

}  // namespace strigil::protocols
