// What lies under the instrument, and which instrument: from the command line or the bench file, found in the
// catalogues.
#pragma once

#include <string>
#include <string_view>

#include "daq/result.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

/// As asked for; an empty one is as the bench file says.
struct SpecimenArguments {
  std::string phantom;     ///< as find_phantom() takes it
  std::string instrument;  ///< a name from rig/instruments, or a file
  std::string emollient;   ///< freshly spread on the phantom, in place of its own
};

/// "random:7": drawn from that seed (rig/phantom_generator.hpp).
inline constexpr std::string_view kRandomPrefix = "random:";
/// "reference:blank": that phantom with targets that differ in nothing, so that none can be found.
inline constexpr std::string_view kBlankSuffix = ":blank";
/// Reads a phantom by name or file, as above too. Errors: no such file, or what is wrong in it.
daq::Result<rig::Phantom> find_phantom(const std::string& name_or_path);
/// Reads both into the bench. Errors as of find_phantom, and an emollient without a phantom. Nothing asked for and
/// nothing in the bench file: nothing is there, and that is no error.
daq::Result<void> put_on_bench(const SpecimenArguments& arguments, rig::BenchConfig& bench);
/// The same bench file with what is on it named by `phantom_path` and `instrument_path`; an empty one is not named.
std::string bench_with(std::string bench_text, const std::string& phantom_path, const std::string& instrument_path);

}  // namespace strigil::apps
