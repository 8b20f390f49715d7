// strigil run: options to a run, and what a person sees of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/publication.hpp"
#include "apps/specimen.hpp"
#include "daq/result.hpp"
#include "protocols/plan.hpp"
#include "protocols/verdict.hpp"
#include "rig/bench.hpp"

namespace strigil::apps {

struct RunArguments {
  std::string protocol;
  std::string bench = "sim";
  SpecimenArguments specimen;
  bool virtual_time = false;
  std::uint64_t seed = 1;
  std::string out;
  Publication publication;
  std::string junit;
  bool json = false;
  bool quiet = false;
  std::optional<double> temperature_C;  ///< nothing: as the bench file says
};

/// A protocol and a bench, read and checked against each other.
struct Prepared {
  rig::BenchConfig bench;
  protocols::Plan plan;
  std::string protocol_text;
};
daq::Result<Prepared> prepare(const std::string& protocol, const std::string& bench,
                              const SpecimenArguments& specimen = {});

/// The same of texts; `bench_file` and `protocol_file` are where they are from.
daq::Result<Prepared> prepare_texts(const std::string& bench_text, const std::string& bench_file,
                                    const SpecimenArguments& specimen, const std::string& protocol_text,
                                    const std::string& protocol_file);
/// What a bench permits to a plan.
protocols::PlanLimits limits_of(const rig::BenchConfig& bench);


/// Exit code (places.hpp).
int run_command(const RunArguments& arguments);
/// Dry run: the expanded plan on standard output.
int plan_command(const std::string& protocol, const std::string& bench, bool json);

/// kPass, kFail, kInvalid.
int exit_code(protocols::Judgement judgement);
/// "strigil: MESSAGE" on standard error; kUsage.
int refuse(const std::string& message);

}  // namespace strigil::apps
