#include "apps/file_commands.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "daq/json_text.hpp"
#include "daq/record/import.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/record/verify.hpp"
#include "protocols/statistics.hpp"

namespace strigil::apps {
namespace {

void print_streams(const std::vector<daq::StreamCheck>& streams) {
  fmt::print("{:<16} {:>12} {:>10} {:>10} {:>14}\n", "stream", "samples", "blocks", "missing", "until s");
  for (const auto& s : streams) {
    const double until_s = s.blocks == 0 ? 0 : daq::seconds(s.last_received - s.first_t0);
    fmt::print("{:<16} {:>12} {:>10} {:>10} {:>14.3f}\n", s.name, s.samples, s.blocks, s.gap_samples, until_s);
  }
}

/// A line for each channel: what its values were, over all samples.
daq::Result<void> print_statistics(daq::RunReader& reader, std::size_t s) {
  const auto& d = reader.header().streams[s];
  std::vector<protocols::RunningStatistics> channels(d.channels.size());
  for (std::uint64_t i = 0; i < reader.block_count(s); ++i) {
    const auto block = reader.block(s, i);
    if (!block) return block.error();
    for (std::size_t v = 0; v < block->value_count(); ++v) channels[v % channels.size()].add(block->values[v]);
  }
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const auto& n = channels[c];
    if (n.count() == 0) continue;
    fmt::print("    {:<12} mean {:>12.5g}  deviation {:>12.5g}  least {:>12.5g}  greatest {:>12.5g}  {}\n",
               d.channels[c].name, n.mean(), n.deviation(), n.min(), n.max(), d.channels[c].unit);
  }
  return {};
}

/// A line for each stream of the timing certificate. The file is hostile: what is not as written is passed over.
void print_timing(const nlohmann::json& end) {
  const auto timing = end.find("timing");
  if (timing == end.end() || !timing->is_object() || !timing->value("streams", nlohmann::json()).is_array()) return;
  const auto number = [](const nlohmann::json& j, const char* key) {
    const auto v = j.find(key);
    return v != j.end() && v->is_number() ? v->get<double>() : std::nan("");
  };
  for (const auto& s : (*timing)["streams"]) {
    if (!s.is_object() || !s.value("stream", nlohmann::json()).is_string()) continue;
    fmt::print("  timing {:<12} bound p95 {:.1f} us, at most {:.1f} us", s["stream"].get<std::string>(),
               number(s, "bound_p95_s") * 1e6, number(s, "bound_max_s") * 1e6);
    for (const char* when : {"taps_before", "taps_after"}) {
      if (const auto taps = s.find(when); taps != s.end() && taps->is_object()) {
        fmt::print("; {} {:+.3f} ms ± {:.3f}", when == std::string_view("taps_before") ? "taps before" : "after",
                   number(*taps, "offset_s") * 1e3, number(*taps, "uncertainty_s") * 1e3);
      }
    }
    fmt::print("\n");
  }
}

/// What lay under the instrument. The file is hostile: what is not as written is passed over.
void print_ground_truth(const std::string& text) {
  const auto truth = daq::parse_json(text);
  if (!truth.is_object()) return;
  const auto word = [](const nlohmann::json& j, const char* key) {
    const auto v = j.find(key);
    return v != j.end() && v->is_string() ? v->get<std::string>() : std::string("?");
  };
  const auto number = [](const nlohmann::json& j, const char* key) {
    const auto v = j.find(key);
    return v != j.end() && v->is_number() ? v->get<double>() : std::nan("");
  };
  const auto instrument = truth.value("instrument", nlohmann::json());
  fmt::print("  ground truth: phantom {} ({}), emollient {}, instrument {}\n", word(truth, "phantom"),
             word(truth, "condition"), word(truth.value("emollient", nlohmann::json::object()), "name"),
             instrument.is_object() ? word(instrument, "name") : "-");
  const auto inclusions = truth.find("inclusions");
  if (inclusions == truth.end() || !inclusions->is_array()) return;
  for (const auto& i : *inclusions) {
    if (!i.is_object()) continue;
    fmt::print(
        "    {:<20} {:<15} {:<7} x {:g} y {:g} mm, {:g} mm deep, stiffness {:g}x, friction {:g}x, roughness {:g}x, "
        "rise {:g} mm\n",
        word(i, "name"), word(i, "kind"), i.value("target", nlohmann::json()) == true ? "target" : "fools",
        number(i, "x_mm"), number(i, "y_mm"), number(i, "depth_mm"), number(i, "stiffness_contrast"),
        number(i, "friction_contrast"), number(i, "roughness_contrast"), number(i, "rise_mm"));
  }
}

}  // namespace

int info_command(const std::string& run, bool statistics) {
  auto reader = daq::RunReader::open(run);
  if (!reader) return refuse(reader.error().message);
  auto& r = **reader;
  const auto& h = r.header();
  fmt::print("{}\n  {} {}, made {} by strigil {}{}, seed {}\n", run, h.kind, h.run_id, h.created, h.software,
             h.virtual_time ? ", in virtual time" : "", h.seed);
  for (std::size_t s = 0; s < h.streams.size(); ++s) {
    const auto& d = h.streams[s];
    std::string channels;
    for (const auto& c : d.channels) channels += fmt::format("{}{} [{}]", channels.empty() ? "" : ", ", c.name, c.unit);
    fmt::print("  {:<12} {:>10} samples  {:>8} Hz  {}  from {}\n", d.name, r.row_count(s),
               d.rate_Hz > 0 ? fmt::format("{:g}", d.rate_Hz) : "-", channels, d.device);
    if (!statistics) continue;
    if (auto printed = print_statistics(r, s); !printed) return refuse(printed.error().message);
  }
  fmt::print("  events {}\n", r.event_count());
  for (const auto& [name, text] : h.config) fmt::print("  config {} ({} bytes)\n", name, text.size());
  if (const auto truth = h.config.find("ground_truth.json"); truth != h.config.end()) print_ground_truth(truth->second);
  const auto end = r.end();
  if (!end) return refuse(end.error().message);
  const auto j = *end ? daq::parse_json(**end) : nlohmann::json();
  if (j.is_object() && j.contains("verdict") && j["verdict"].is_object()) {
    fmt::print("  verdict {}\n", j["verdict"].value("judgement", "?"));
    print_timing(j);
  } else {
    fmt::print("  verdict none{}\n", *end ? "" : ": the writer never came to its end");
  }
  return kPass;
}

int ledger_command(const std::string& run) {
  auto reader = daq::RunReader::open(run);
  if (!reader) return refuse(reader.error().message);
  const auto ledger = (*reader)->ledger();
  if (!ledger) return refuse(ledger.error().message);
  if (ledger->empty()) return refuse(fmt::format("'{}' has no ledger: its writer never came to its end", run));
  fmt::print("{:<12} {:<36} {:>12} {:>10}\n", "stream", "hop", "samples", "lost");
  std::uint64_t lost = 0;
  for (const auto& row : *ledger) {
    fmt::print("{:<12} {:<36} {:>12} {:>10}\n", row.stream, row.hop, row.count, row.lost);
    lost += row.lost;
  }
  const auto problems = daq::unbalanced(*ledger);
  for (const auto& problem : problems) fmt::print("UNEXPLAINED: {}\n", problem);
  fmt::print("{}\n", !problems.empty() ? "the ledger does not balance"
                     : lost > 0        ? "the ledger balances: what was lost has its hop"
                                       : "the ledger balances: nothing was lost");
  return problems.empty() ? kPass : kFail;
}

int verify_command(const std::string& run) {
  const auto report = daq::verify(run);
  if (!report) return refuse(report.error().message);
  print_streams(report->streams);
  fmt::print("events {}\ndataset hash {}\n", report->events, report->dataset_hash);
  for (const auto& p : report->problems) fmt::print("PROBLEM: {}\n", p);
  fmt::print("{}\n", report->problems.empty() ? "the file holds together" : "the file does not hold together");
  return report->problems.empty() ? kPass : kFail;
}

int recover_command(const std::string& run, const std::string& out) {
  auto target = out;
  if (target.empty()) {
    const std::filesystem::path p(run);
    target = (p.parent_path() / (p.stem().string() + "-recovered.h5")).string();
  }
  const auto report = daq::recover(run, target);
  if (!report) return refuse(report.error().message);
  print_streams(report->streams);
  for (const auto& line : report->left_out) fmt::print("left out: {}\n", line);
  fmt::print("{} rows had no block and were dropped\nrecovered: {}\nread back and equal; dataset hash {}\n",
             report->rows_without_block, report->out, report->dataset_hash);
  return kPass;
}

int import_command(const std::string& csv, const std::string& map, const std::string& out) {
  auto target = out;
  if (target.empty()) target = std::filesystem::path(csv).stem().string() + ".h5";
  const auto report = daq::import_csv(csv, map, target, {daq::iso8601(daq::wall_now()), version()});
  if (!report) return refuse(report.error().message);
  fmt::print("{} rows, {:.3f} s, source sha256 {}\n", report->rows, report->duration_s, report->source_sha256);
  for (const auto& s : report->streams) {
    fmt::print("{:<16} {:>10} samples, {} rows with a missing value left out as gaps\n", s.name, s.samples, s.missing);
  }
  fmt::print("run file: {}\n", target);
  return kPass;
}

}  // namespace strigil::apps
