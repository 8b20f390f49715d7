#include "daq/record/import.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>

#include "daq/record/run_writer.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::daq {
namespace {

constexpr std::size_t kLargestCsv = 512U << 20U;
constexpr std::size_t kMostColumns = 256;
/// Counts use 30 bits: rounding is 5e-10 of full scale, and there is room above for other people's next value.
constexpr double kFullCounts = 1 << 30;
/// A row this far from the grid of its block begins a new one.
constexpr double kGridTolerance = 0.05;

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
  char separator = ',';
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
  m.separator = separator.empty() ? ',' : separator.front();
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

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::string out;
  for (const auto b : digest) out += fmt::format("{:02x}", b);
  return out;
}

/// One CSV in memory: the columns' names and, row by row, numbers (NaN where there is none).
class Csv {
 public:
  static Result<Csv> read(const std::string& path, char separator) {
    auto text = read_text_file(path, kLargestCsv);
    if (!text) return text.error();
    Csv csv;
    csv.sha256_ = sha256_hex(*text);
    std::string_view rest = *text;
    std::size_t line_number = 0;
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      const auto line = trimmed(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      ++line_number;
      if (line.empty() || line.front() == '#') continue;
      if (auto taken = csv.take(line, separator, path, line_number); !taken) return taken.error();
    }
    if (csv.names_.empty()) return Error{fmt::format("{}: there is no header row", path)};
    return csv;
  }

  [[nodiscard]] std::optional<std::size_t> column(const std::string& name) const {
    const auto at = std::find(names_.begin(), names_.end(), name);
    if (at == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - names_.begin());
  }
  [[nodiscard]] std::string names() const { return fmt::format("{}", fmt::join(names_, ", ")); }
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] std::size_t rows() const { return values_.size() / names_.size(); }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const { return values_[row * names_.size() + column]; }

 private:
  Result<void> take(std::string_view line, char separator, const std::string& path, std::size_t line_number) {
    const bool header = names_.empty();
    std::size_t fields = 0;
    for (std::size_t begin = 0;;) {
      const auto end = line.find(separator, begin);
      const auto field = trimmed(line.substr(begin, end == std::string_view::npos ? end : end - begin));
      if (fields == kMostColumns)
        return Error{fmt::format("{}:{}: more than {} columns", path, line_number, kMostColumns)};
      if (header) {
        names_.emplace_back(field);
      } else {
        double value = std::nan("");
        const auto r = std::from_chars(field.data(), field.data() + field.size(), value);
        const bool number = r.ec == std::errc{} && r.ptr == field.data() + field.size();
        if (!number && !field.empty()) {
          return Error{
              fmt::format("{}:{}:{}: '{}' is not a number", path, line_number, begin + 1, field.substr(0, 40))};
        }
        values_.push_back(std::isfinite(value) && number ? value : std::nan(""));
      }
      ++fields;
      if (end == std::string_view::npos) break;
      begin = end + 1;
    }
    if (!header && fields != names_.size()) {
      return Error{fmt::format("{}:{}: {} fields where the header has {}", path, line_number, fields, names_.size())};
    }
    return {};
  }

  std::string sha256_;
  std::vector<std::string> names_;
  std::vector<double> values_;
};

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
        return Error{fmt::format("{}: row {} has no usable time in column '{}'", path_, i + 1, m_.time_column)};
      }
      times_ns_[i] = std::llround(t_s * 1e9);
      if (i > 0 && times_ns_[i] < times_ns_[i - 1]) {
        return Error{fmt::format("{}: the time goes back at row {}", path_, i + 1)};
      }
    }
    return {};
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
      d.channels.push_back({c.name, c.unit, largest > 0 ? largest / kFullCounts : 1.0, 0});
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
    const auto send = [&]() -> Result<void> {
      if (b.samples == 0) return {};
      b.received = {b.t0.ns + std::llround((b.samples - 1) * period_ns)};
      auto appended = writer.append(b);
      out.samples += b.samples;
      b.samples = 0;
      return appended;
    };
    for (std::size_t row = 0; row < csv_.rows(); ++row) {
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
        b.first_sample = row;
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
    for (const auto& c : d.channels) out.channels.push_back({c.name, c.unit, c.scale, false});
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
  auto csv = Csv::read(csv_path, mapping->separator);
  if (!csv) return csv.error();
  return Importer(csv_path, map_path, *csv, std::move(*mapping), options).run(out);
}

}  // namespace strigil::daq
