#include "protocols/campaign/trial_texts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "daq/toml_draft.hpp"

namespace strigil::protocols {
namespace {

std::string word(const Suite& suite, const Trial& trial, const char* factor, const std::string& otherwise) {
  const auto* level = level_of(suite.design, trial, factor);
  return level == nullptr ? otherwise : text_of(*level);
}

/// Sets every factor "`prefix`TABLE.KEY".
daq::Result<void> set_paths(const Suite& suite, const Trial& trial, std::string_view prefix, daq::TomlDraft& draft) {
  for (std::size_t f = 0; f < trial.levels.size(); ++f) {
    const auto& name = suite.design.factors[f].name;
    if (!name.starts_with(prefix)) continue;
    const auto* number = std::get_if<double>(&trial.levels[f]);
    if (number == nullptr) return daq::Error{fmt::format("factor '{}' has a level that is no number", name)};
    if (auto set = draft.set(name.substr(prefix.size()), *number); !set) return set;
  }
  return {};
}

std::string origin(const Suite& suite, const char* what) { return fmt::format("{} [{}]", suite.file, what); }

}  // namespace

TrialSpecimen specimen_of(const Suite& suite, const Trial& trial) {
  const bool by_condition = level_of(suite.design, trial, "condition") != nullptr;
  return {.phantom = by_condition ? std::string() : word(suite, trial, "phantom", suite.phantom),
          .condition = word(suite, trial, "condition", ""),
          .instrument = word(suite, trial, "instrument", suite.instrument),
          .emollient = word(suite, trial, "emollient", suite.emollient),
          .protocol = word(suite, trial, "protocol", suite.protocol),
          .blank = word(suite, trial, "targets", "as_made") == "none",
          .in_air = word(suite, trial, "targets", "as_made") == "air"};
}

daq::Result<std::string> protocol_text(const Suite& suite, const Trial& trial, const std::string& base,
                                       const std::string& file) {
  auto draft = daq::TomlDraft::parse(base, file);
  if (!draft) return draft.error();
  const bool phased = draft->has("phases");
  if (!suite.keep_phases.empty() &&
      (!phased || draft->keep_tables("phases", "name", suite.keep_phases) != suite.keep_phases.size()))
    return daq::Error{fmt::format("{}: keep_phases: '{}' has not each of the phases {} once", suite.file, file,
                                  fmt::join(suite.keep_phases, ", "))};
  if (auto laid = draft->overlay(suite.change_protocol, origin(suite, "change.protocol")); !laid) return laid.error();
  const auto set = [&](const char* factor, const std::string& path) {
    const auto* level = level_of(suite.design, trial, factor);
    if (level == nullptr) return daq::Result<void>{};
    if (const auto* number = std::get_if<double>(level)) return draft->set(path, *number);
    return draft->set(path, std::get<std::string>(*level));
  };
  const std::string stroke = phased ? "phases." : "stroke.";
  for (const auto& done : {set("normal_force_N", phased ? "phases.normal_force_N" : "press.normal_force_N"),
                           set("speed_mm_s", stroke + "speed_mm_s"), set("direction", stroke + "directions"),
                           set("angle_deg", "stroke.angle_deg"), set_paths(suite, trial, "protocol.", *draft)}) {
    if (!done) return done.error();
  }
  if (specimen_of(suite, trial).in_air) {
    if (auto laid = draft->overlay("[stroke]\nin_air = true\n", origin(suite, "targets")); !laid) return laid.error();
  }
  return draft->text();
}

daq::Result<std::string> bench_text(const Suite& suite, const Trial& trial, const std::string& base,
                                    const std::string& file) {
  auto draft = daq::TomlDraft::parse(base, file);
  if (!draft) return draft.error();
  if (auto laid = draft->overlay(suite.change_bench, origin(suite, "change.bench")); !laid) return laid.error();
  if (const auto* angle = level_of(suite.design, trial, "angle_deg")) {
    if (auto set = draft->set("instrument.angle_deg", std::get<double>(*angle)); !set) return set.error();
  }
  if (auto set = set_paths(suite, trial, "bench.", *draft); !set) return set.error();
  return draft->text();
}

}  // namespace strigil::protocols
