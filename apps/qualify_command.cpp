#include "apps/qualify_command.hpp"

#include <fmt/format.h>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "rig/host_measurement.hpp"

namespace strigil::apps {

int qualify_command(const QualifyArguments& a) {
  auto wanted = rig::HostGrade::kD;
  if (!a.at_least.empty()) {
    const auto grade = rig::parse_host_grade(a.at_least);
    if (!grade) return refuse(fmt::format("--at-least '{}' is no grade: A, B, C or D", a.at_least));
    wanted = *grade;
  }
  if (!a.json) fmt::print(stderr, "measuring for {:g} s\n", a.seconds);
  const auto measured = rig::measure_host({.seconds = a.seconds, .folder = a.dir});
  if (!measured) return refuse(measured.error().message);
  const auto qualification = rig::qualify(*measured);
  if (a.json) {
    fmt::print("{}\n", rig::to_json(*measured, qualification));
  } else {
    fmt::print("{}", rig::to_text(*measured, qualification));
  }
  return qualification.grade <= wanted ? kPass : kFail;
}

}  // namespace strigil::apps
