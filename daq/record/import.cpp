#include "daq/record/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>

#include "daq/record/csv_table.hpp"
#include "daq/record/run_writer.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::daq {
namespace {

using record::Csv;
using record::CsvFormat;

/// Counts use 30 bits: rounding is 5e-10 of full scale, and there is room above for other people's next value.
constexpr double kFullCounts = 1 << 30;
/// A row this far from the grid of its block begins a new one.
constexpr double kGridTolerance = 0.05;
/// Rows further apart than this many periods have others missing between them.
constexpr double kGapFromPeriods = 1.5;
constexpr double kLongestGap = 1e9;
constexpr int kMostDecimals = 15;

struct ChannelMap {
  std::string column;
  std::string name;
  std::string unit;
  double factor = 1;
  std::size_t index = 0;
};
struct StreamMap {
  std::string name;
  std::string quantity;
  std::vector<ChannelMap> channels;
};
struct Mapping {
  CsvFormat csv;
  std::string device;
  std::string time_column;  // empty: rows come at rate_Hz
  double time_factor = 1;   // seconds per unit of the column
  double rate_Hz = 0;
  std::vector<StreamMap> streams;
  std::string text;
};

Result<Mapping> read_mapping(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) return text.error();
  StrictToml document(*text, path);
  if (document.error()) return *document.error();
  auto root = document.root();
  Mapping m;
  m.text = *text;
  auto csv = root.table("csv");
  const auto separator = csv.text("separator", ",");
  if (separator.size() != 1) csv.refuse("separator", "'separator' is one character");
  m.csv.separator = separator.empty() ? ',' : separator.front();
  const auto decimal = csv.text("decimal", ".");
  if (decimal != "." && decimal != ",") csv.refuse("decimal", "'decimal' is \".\" or \",\"");
  m.csv.decimal = decimal.empty() ? '.' : decimal.front();
  if (m.csv.decimal == m.csv.separator) csv.refuse("decimal", "'decimal' and 'separator' are the same character");
  const auto comment = csv.text("comment", "#");
  if (comment.size() != 1) csv.refuse("comment", "'comment' is one character");
  m.csv.comment = comment.empty() ? '#' : comment.front();
  m.csv.header_rows = static_cast<std::size_t>(csv.integer("header_rows", {0, 1000}, 1));
  m.device = csv.text("device", "");
  csv.finish();
  auto time = root.table("time", true);
  m.time_column = time.text("column", "");
  const auto unit = time.text("unit", "s");
  m.time_factor = unit == "s" ? 1 : unit == "ms" ? 1e-3 : unit == "us" ? 1e-6 : 0;
  if (m.time_factor == 0) time.refuse("unit", "'unit' of the time is \"s\", \"ms\" or \"us\"");
  m.rate_Hz = time.number("rate_Hz", {1e-3, 1e6});
  time.finish();
  for (auto& t : root.tables("stream")) {
    StreamMap s;
    s.name = t.text("name");
    s.quantity = t.text("quantity");
    if (!valid_stream_name(s.name)) t.refuse("name", "a stream's name is [a-z0-9_], 1 to 32 long");
    if (std::any_of(m.streams.begin(), m.streams.end(), [&](const auto& other) { return other.name == s.name; })) {
      t.refuse("name", fmt::format("there are two streams named '{}'", s.name));
    }
    for (auto& c : t.tables("channel")) {
      ChannelMap channel;
      channel.column = c.text("column");
      channel.name = c.text("name");
      channel.unit = c.text("unit");
      channel.factor = c.number("factor", {-1e12, 1e12}, 1.0);
      if (channel.factor == 0) c.refuse("factor", "a factor of 0 leaves nothing");
      c.finish();
      s.channels.push_back(channel);
    }
    if (s.channels.empty() || s.channels.size() > kMaxChannels) {
      t.refuse("name", fmt::format("a stream takes 1 to {} [[stream.channel]] tables", kMaxChannels));
    }
    t.finish();
    m.streams.push_back(s);
  }
  if (m.streams.empty()) root.refuse("stream", "no [[stream]]: nothing would be imported");
  root.finish();
  if (document.error()) return *document.error();
  return m;
}

class Importer {
 public:
  Importer(const std::string& path, const std::string& map_path, const Csv& csv, Mapping mapping, ImportOptions options)
      : path_(path), map_path_(map_path), csv_(csv), m_(std::move(mapping)), options_(std::move(options)) {}

  Result<ImportReport> run(const std::string& out) {
    if (auto r = find_columns(); !r) return r.error();
    if (auto r = read_times(); !r) return r.error();
    RunHeader header;
    header.kind = "import";
    header.run_id = fmt::format("import-{}", std::filesystem::path(path_).stem().string());
    header.created = options_.created;
    header.software = options_.software;
    header.config = {{"mapping.toml", m_.text}, {"source", path_ + " sha256 " + csv_.sha256()}};
    for (std::size_t s = 0; s < m_.streams.size(); ++s) header.streams.push_back(describe(s));
    auto writer = RunWriter::create(out, header);
    if (!writer) return writer.error();
    ImportReport report;
    report.out = out;
    report.rows = csv_.rows();
    report.duration_s = static_cast<double>(times_ns_.back() - times_ns_.front()) * 1e-9;
    report.source_sha256 = csv_.sha256();
    std::vector<LedgerRow> ledger;
    for (std::size_t s = 0; s < m_.streams.size(); ++s) {
      auto imported = write_stream(s, header.streams[s], **writer);
      if (!imported) return imported.error();
      ledger.push_back({"source rows", imported->name, csv_.rows(), imported->missing});
      ledger.push_back({"source clock", imported->name, csv_.rows() + imported->gap_samples, imported->gap_samples});
      ledger.push_back({"recorder", imported->name, imported->samples, 0});
      report.streams.push_back(*imported);
    }
    if (auto r = (*writer)->finish("{\"closed_cleanly\": true}", ledger); !r) return r.error();
    return report;
  }

 private:
  Result<void> find_columns() {
    for (auto& s : m_.streams) {
      for (auto& c : s.channels) {
        const auto index = csv_.column(c.column);
        if (!index) return no_column(c.column);
        c.index = *index;
      }
    }
    if (csv_.rows() == 0) return Error{fmt::format("{}: there is a header and no row", path_)};
    return {};
  }

  [[nodiscard]] Error no_column(const std::string& name) const {
    return {fmt::format("{}: the mapping asks for column '{}'; {} has: {}", map_path_, name, path_, csv_.names())};
  }

  Result<void> read_times() {
    times_ns_.resize(csv_.rows());
    if (m_.time_column.empty()) {
      for (std::size_t i = 0; i < times_ns_.size(); ++i)
        times_ns_[i] = std::llround(1e9 * static_cast<double>(i) / m_.rate_Hz);
      return {};
    }
    const auto column = csv_.column(m_.time_column);
    if (!column) return no_column(m_.time_column);
    const double first = csv_.at(0, *column);
    for (std::size_t i = 0; i < times_ns_.size(); ++i) {
      const double t_s = (csv_.at(i, *column) - first) * m_.time_factor;
      constexpr double kLongest_s = 1e8;
      if (!(std::abs(t_s) < kLongest_s)) {
        return Error{fmt::format("{}:{}: no usable time in column '{}'", path_, csv_.line(i), m_.time_column)};
      }
      times_ns_[i] = std::llround(t_s * 1e9);
      if (i > 0 && times_ns_[i] < times_ns_[i - 1]) {
        return Error{fmt::format("{}:{}: the time goes back", path_, csv_.line(i))};
      }
    }
    return {};
  }

  [[nodiscard]] double unit_of(const ChannelMap& c) const { return std::pow(10.0, csv_.decimals(c.index)); }
  /// True when the column's digits, taken as whole numbers, fit into counts: then nothing is rounded.
  [[nodiscard]] bool lossless(const ChannelMap& c) const {
    double largest = 0;
    for (std::size_t i = 0; i < csv_.rows(); ++i) largest = std::fmax(largest, std::abs(csv_.at(i, c.index)));
    return csv_.decimals(c.index) <= kMostDecimals && largest * unit_of(c) <= kFullCounts;
  }

  StreamDescription describe(std::size_t s) {
    const auto& map = m_.streams[s];
    StreamDescription d;
    d.id = static_cast<StreamId>(s);
    d.name = map.name;
    d.quantity = map.quantity;
    d.device = m_.device.empty() ? std::filesystem::path(path_).filename().string() : m_.device;
    d.rate_Hz = m_.rate_Hz;
    for (const auto& c : map.channels) {
      double largest = 0;
      for (std::size_t i = 0; i < csv_.rows(); ++i) {
        const double v = std::abs(csv_.at(i, c.index) * c.factor);
        if (v > largest) largest = v;
      }
      d.channels.push_back({c.name, c.unit,
                            lossless(c)   ? c.factor / unit_of(c)
                            : largest > 0 ? largest / kFullCounts
                                          : 1.0,
                            0});
    }
    return d;
  }

  Result<ImportedStream> write_stream(std::size_t s, const StreamDescription& d, RunWriter& writer) {
    const auto& map = m_.streams[s];
    ImportedStream out;
    out.name = map.name;
    out.rate_Hz = m_.rate_Hz;
    const double period_ns = 1e9 / m_.rate_Hz;
    const auto most = std::min(kMaxBlockSamples, kMaxBlockValues / map.channels.size());
    Block b{};
    b.stream = d.id;
    b.channels = static_cast<std::uint16_t>(map.channels.size());
    b.period_ns = period_ns;
    std::uint32_t gap = 0;
    std::uint64_t sample = 0;  // by the clock: rows, and those that the time column says are not there
    const auto send = [&]() -> Result<void> {
      if (b.samples == 0) return {};
      b.received = {b.t0.ns + std::llround((b.samples - 1) * period_ns)};
      auto appended = writer.append(b);
      out.samples += b.samples;
      b.samples = 0;
      return appended;
    };
    for (std::size_t row = 0; row < csv_.rows(); ++row) {
      if (row > 0) {
        const double periods = static_cast<double>(times_ns_[row] - times_ns_[row - 1]) / period_ns;
        const double absent = periods > kGapFromPeriods ? std::round(periods) - 1 : 0;
        if (absent + gap > kLongestGap) {
          return Error{fmt::format("{}:{}: a gap of {:.0f} samples; is rate_Hz or the time's unit right?", path_,
                                   csv_.line(row), absent)};
        }
        if (absent > 0) {
          if (auto sent = send(); !sent) return sent.error();
        }
        gap += static_cast<std::uint32_t>(absent);
        out.gap_samples += static_cast<std::uint64_t>(absent);
        sample += 1 + static_cast<std::uint64_t>(absent);
      }
      const bool whole = std::all_of(map.channels.begin(), map.channels.end(),
                                     [&](const auto& c) { return !std::isnan(csv_.at(row, c.index)); });
      const double expected_ns = static_cast<double>(b.t0.ns) + b.samples * period_ns;
      const bool on_grid = std::abs(static_cast<double>(times_ns_[row]) - expected_ns) <= kGridTolerance * period_ns;
      if (b.samples > 0 && (!whole || !on_grid || b.samples == most)) {
        if (auto sent = send(); !sent) return sent.error();
      }
      if (!whole) {
        ++out.missing;
        ++gap;
        continue;
      }
      if (b.samples == 0) {
        b.first_sample = sample;
        b.t0 = {times_ns_[row]};
        b.gap = gap;
        b.flags = kReceiveTimed | (gap > 0 ? static_cast<std::uint32_t>(kGapBefore) : 0U);
        gap = 0;
      }
      for (std::size_t c = 0; c < map.channels.size(); ++c) {
        const double v = csv_.at(row, map.channels[c].index) * map.channels[c].factor;
        const auto counts = std::llround(v / d.channels[c].scale);
        b.counts[b.samples * map.channels.size() + c] = static_cast<std::int32_t>(counts);
      }
      ++b.samples;
    }
    if (auto sent = send(); !sent) return sent.error();
    for (std::size_t c = 0; c < d.channels.size(); ++c) {
      out.channels.push_back({d.channels[c].name, d.channels[c].unit, d.channels[c].scale, lossless(map.channels[c])});
    }
    return out;
  }

  const std::string& path_;
  const std::string& map_path_;
  const Csv& csv_;
  Mapping m_;
  ImportOptions options_;
  std::vector<std::int64_t> times_ns_;
};

}  // namespace

Result<ImportReport> import_csv(const std::string& csv_path, const std::string& map_path, const std::string& out,
                                const ImportOptions& options) {
  auto mapping = read_mapping(map_path);
  if (!mapping) return mapping.error();
  auto csv = Csv::read(csv_path, mapping->csv);
  if (!csv) return csv.error();
  std::error_code failure;
  if (std::filesystem::exists(out, failure)) return Error{fmt::format("'{}' exists; it is not overwritten", out)};
  auto report = Importer(csv_path, map_path, *csv, std::move(*mapping), options).run(out);
  if (!report) std::filesystem::remove(out, failure);
  return report;
}

}  // namespace strigil::daq
