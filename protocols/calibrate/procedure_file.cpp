#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "protocols/calibrate/kinds.hpp"

namespace strigil::protocols {
namespace {

struct Kind {
  std::string_view name;
  ReadProcedure read;
};
constexpr std::array kKinds{
    Kind{"force", read_force_procedure},           Kind{"stage", read_stage_procedure},
    Kind{"delay", read_delay_procedure},           Kind{"vibration", read_vibration_procedure},
    Kind{"instrument", read_instrument_procedure},
};

}  // namespace

ProcedureSubject Procedure::subject(const rig::BenchConfig& bench) const {
  ProcedureSubject out{bench.force.serial, bench.force.setting};
  out.setting.rate_Hz = bench.force.rate_Hz;
  out.setting.counts_per_unit = bench.force.counts_per_N;
  return out;
}

daq::Result<ProcedureResult> Procedure::evaluate_runs(const std::vector<TimingCertificate>&,
                                                      const ProcedureSetup&) const {
  return daq::Error{"this procedure is made of steps and not of runs"};
}

std::vector<std::string_view> procedure_kinds() {
  std::vector<std::string_view> out;
  for (const auto& kind : kKinds) out.push_back(kind.name);
  return out;
}

daq::Result<std::string> procedure_title(std::string_view text, const std::string& file) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto title = document.root().table("procedure", true).text("title", "");
  if (document.error()) return *document.error();
  return title;
}

daq::Result<ProcedureFile> parse_procedure(std::string_view text, const std::string& file,
                                           const ProcedureSetup& setup) {
  daq::StrictToml document(text, file);
  if (document.error()) return *document.error();
  auto root = document.root();
  auto t = root.table("procedure", true);
  ProcedureFile out;
  out.text = text;
  out.name = t.text("name");
  out.title = t.text("title", "");
  out.kind = t.text("kind");
  out.validity_months = t.number("validity_months", {0.1, 120}, out.validity_months);
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.name == out.kind; });
  if (kind == kKinds.end()) {
    t.refuse("kind", fmt::format("there is no kind '{}'; there are: {}", out.kind, fmt::join(procedure_kinds(), ", ")));
  }
  t.finish();
  if (kind != kKinds.end()) out.procedure = kind->read(root.table(kind->name, true), setup);
  root.finish();
  if (document.error()) return *document.error();
  return out;
}

}  // namespace strigil::protocols
