#include "daq/record/run_reader.hpp"

#include <fmt/format.h>
#include <hdf5.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "daq/record/dataset.hpp"
#include "daq/record/rows.hpp"

namespace strigil::daq {
namespace {

using record::BlockRow;
using record::EventRow;
using record::Id;
using record::LedgerTableRow;
using record::own_object;
using record::Source;

constexpr std::size_t kLargestText = 16U << 20U;
constexpr std::size_t kMostStreams = 64;
constexpr std::size_t kMostLedgerRows = 100000;
/// HDF5 reads again what a writer may be changing, and waits twice as long each time, from 1 ns. Its own 100 attempts
/// would take longer than the world has existed; these take 16 ms.
constexpr unsigned kReadAttempts = 24;
constexpr hsize_t kCachedBlocks = 1024;
constexpr hsize_t kCachedRows = 65536;

std::optional<std::string> text_attribute(hid_t object, const char* name) {
  if (H5Aexists(object, name) <= 0) return std::nullopt;
  const Id attribute(H5Aopen(object, name, H5P_DEFAULT));
  const Id type(H5Aget_type(attribute.get()));
  const Id space(H5Aget_space(attribute.get()));
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0 ||
      H5Sget_simple_extent_npoints(space.get()) != 1) {
    return std::nullopt;
  }
  const auto size = H5Tget_size(type.get());
  if (size == 0 || size > kLargestText) return std::nullopt;
  std::string text(size, '\0');
  if (H5Aread(attribute.get(), type.get(), text.data()) < 0) return std::nullopt;
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

template <typename Number>
std::optional<Number> number_attribute(hid_t object, const char* name, hid_t type) {
  if (H5Aexists(object, name) <= 0) return std::nullopt;
  const Id attribute(H5Aopen(object, name, H5P_DEFAULT));
  const Id space(H5Aget_space(attribute.get()));
  Number value{};
  if (H5Sget_simple_extent_npoints(space.get()) != 1 || H5Aread(attribute.get(), type, &value) < 0) return std::nullopt;
  return value;
}

struct StreamSource {
  Source counts;
  Source blocks;
  // Reading goes forward: a window of each table is kept.
  std::vector<BlockRow> block_window;
  hsize_t block_window_first = 0;
  std::vector<std::int32_t> row_window;
  hsize_t row_window_first = 0;
};

class Hash {
 public:
  Hash() { crypto_hash_sha256_init(&state_); }
  void add(const void* data, std::size_t size) {
    crypto_hash_sha256_update(&state_, static_cast<const unsigned char*>(data), size);
  }
  std::string hex() {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256_final(&state_, digest.data());
    std::string out;
    for (const auto b : digest) out += fmt::format("{:02x}", b);
    return out;
  }

 private:
  crypto_hash_sha256_state state_{};
};

std::optional<StreamDescription> parse_description(const std::string& text) {
  const auto j = daq::parse_json(text);
  if (!j.is_object()) return std::nullopt;
  StreamDescription d;
  try {
    d.id = j.at("id").get<StreamId>();
    d.name = j.at("name").get<std::string>();
    d.device = j.at("device").get<std::string>();
    d.quantity = j.at("quantity").get<std::string>();
    d.rate_Hz = j.at("rate_Hz").get<double>();
    d.tick_rate_Hz = j.at("tick_rate_Hz").get<double>();
    d.counts_min = j.at("counts_min").get<std::int32_t>();
    d.counts_max = j.at("counts_max").get<std::int32_t>();
    for (const auto& c : j.at("channels")) {
      d.channels.push_back({c.at("name").get<std::string>(), c.at("unit").get<std::string>(),
                            c.at("scale").get<double>(), c.at("offset").get<double>()});
    }
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // what is wrong with it the caller says: the stream's description
  }
  const bool sound = valid_stream_name(d.name) && !d.channels.empty() && d.channels.size() <= kMaxChannels;
  return sound ? std::optional(d) : std::nullopt;
}

}  // namespace

class RunReader::Impl {
 public:
  explicit Impl(std::string path) : path_(std::move(path)) {}

  Result<void> open() {
    std::error_code failure;
    if (!std::filesystem::is_regular_file(path_, failure)) {
      return Error{fmt::format("there is no run file '{}'", path_)};
    }
    record::begin_hdf5();
    file_ = Id(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    // A file whose writer lives or was killed opens only as a growing one.
    if (!file_.ok()) {
      const Id access(H5Pcreate(H5P_FILE_ACCESS));
      H5Pset_metadata_read_attempts(access.get(), kReadAttempts);
      file_ = Id(H5Fopen(path_.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access.get()));
    }
    if (!file_.ok()) return damaged("it is not an HDF5 file, or its first page was never written");
    const auto format = text_attribute(file_.get(), "format");
    if (format != "strigil-run") return damaged("it is not a Strigil run file");
    const auto version = text_attribute(file_.get(), "format_version");
    if (!version || !version->starts_with("1.")) {
      return damaged(fmt::format("its format version is '{}'; this program reads 1.x", version.value_or("?")));
    }
    header_.kind = text_attribute(file_.get(), "kind").value_or("");
    header_.run_id = text_attribute(file_.get(), "run_id").value_or("");
    header_.created = text_attribute(file_.get(), "created").value_or("");
    header_.software = text_attribute(file_.get(), "software").value_or("");
    header_.virtual_time =
        number_attribute<std::uint8_t>(file_.get(), "virtual_time", H5T_NATIVE_UINT8).value_or(0) != 0;
    header_.seed = number_attribute<std::uint64_t>(file_.get(), "seed", H5T_NATIVE_UINT64).value_or(0);
    if (auto r = open_streams(); !r) return r;
    if (auto r = read_config(); !r) return r;
    const Id event_type = record::event_row_type();
    const Id ledger_type = record::ledger_row_type();
    if (!events_.open(file_.get(), "events", event_type.get(), 0) ||
        !ledger_.open(file_.get(), "ledger", ledger_type.get(), 0) ||
        !end_.open(file_.get(), "end", H5T_NATIVE_UINT8, 0)) {
      return damaged("one of /events, /ledger and /end is missing or has another type");
    }
    return {};
  }

  Result<Block> block(std::size_t s, std::uint64_t i) {
    auto& source = streams_[s];
    const auto row = block_row(source, i);
    if (!row) return damaged(fmt::format("block {} of stream '{}' cannot be read", i, header_.streams[s].name));
    const auto channels = header_.streams[s].channels.size();
    if (row->samples == 0 || row->samples > kMaxBlockSamples || row->samples * channels > kMaxBlockValues ||
        row->first_row > source.counts.rows || row->samples > source.counts.rows - row->first_row) {
      return damaged(
          fmt::format("block {} of stream '{}' speaks of rows that are not there", i, header_.streams[s].name));
    }
    Block b{};
    b.stream = static_cast<StreamId>(s);
    b.channels = static_cast<std::uint16_t>(channels);
    b.samples = static_cast<std::uint16_t>(row->samples);
    b.flags = row->flags;
    b.gap = row->gap;
    b.first_sample = row->first_sample;
    b.ticks = {row->ticks};
    b.received = {row->received_ns};
    b.t0 = {row->t0_ns};
    b.bound = Duration{row->bound_ns};
    b.period_ns = row->period_ns;
    if (!read_counts(source, row->first_row, row->samples, b.counts.data())) {
      return damaged(fmt::format("the counts of stream '{}' cannot be read", header_.streams[s].name));
    }
    for (std::size_t v = 0; v < b.value_count(); ++v) {
      const auto& c = header_.streams[s].channels[v % channels];
      b.values[v] = static_cast<float>(c.scale * b.counts[v] + c.offset);
    }
    return b;
  }

  Result<std::uint64_t> first_row(std::size_t s, std::uint64_t i) {
    const auto row = block_row(streams_[s], i);
    if (!row) return damaged(fmt::format("block {} of stream '{}' cannot be read", i, header_.streams[s].name));
    return row->first_row;
  }

  Result<Event> event(std::uint64_t i) {
    EventRow row{};
    const Id type = record::event_row_type();
    if (!events_.read(type.get(), i, 1, &row)) return damaged(fmt::format("event {} cannot be read", i));
    Event e;
    e.at = {row.at_ns};
    e.code = static_cast<EventCode>(row.code);
    e.severity = static_cast<Severity>(std::min<std::uint8_t>(row.severity, 2));
    e.source = row.source;
    std::copy(std::begin(row.arguments), std::end(row.arguments), e.arguments.begin());
    std::copy(std::begin(row.detail), std::end(row.detail), e.detail.begin());
    e.detail.back() = '\0';
    return e;
  }

  Result<std::optional<std::string>> end() {
    if (end_.rows == 0) return std::optional<std::string>();
    if (end_.rows > kLargestText) return damaged("/end is too large");
    std::string text(end_.rows, '\0');
    if (!end_.read(H5T_NATIVE_UINT8, 0, end_.rows, text.data())) return damaged("/end cannot be read");
    return std::optional(text);
  }

  Result<std::vector<LedgerRow>> ledger() {
    if (ledger_.rows > kMostLedgerRows) return damaged("/ledger is too large");
    std::vector<LedgerTableRow> rows(ledger_.rows);
    const Id type = record::ledger_row_type();
    if (!ledger_.read(type.get(), 0, ledger_.rows, rows.data())) return damaged("/ledger cannot be read");
    std::vector<LedgerRow> out;
    for (auto& r : rows) {
      r.hop[record::kNameSize - 1] = r.stream[record::kNameSize - 1] = '\0';
      out.push_back({r.hop, r.stream, r.count, r.lost});
    }
    return out;
  }

  Result<std::string> dataset_hash() {
    Hash hash;
    const Id event_type = record::packed(record::event_row_type());
    const Id block_type = record::packed(record::block_row_type());
    for (std::size_t s = 0; s < streams_.size(); ++s) {
      const auto& name = header_.streams[s].name;
      if (!add(hash, name + "/counts", streams_[s].counts, H5T_NATIVE_INT32) ||
          !add(hash, name + "/blocks", streams_[s].blocks, block_type.get())) {
        return damaged(fmt::format("stream '{}' cannot be read", name));
      }
    }
    if (!add(hash, "events", events_, event_type.get())) return damaged("/events cannot be read");
    return hash.hex();
  }

  RunHeader header_;
  std::vector<StreamSource> streams_;
  Source events_;

 private:
  [[nodiscard]] Error damaged(const std::string& why) const {
    return {fmt::format("the run file '{}' cannot be used: {}", path_, why)};
  }

  Result<void> open_streams() {
    const Id group(own_object(file_.get(), "streams") ? H5Gopen2(file_.get(), "streams", H5P_DEFAULT) : -1);
    H5G_info_t info{};
    if (!group.ok() || H5Gget_info(group.get(), &info) < 0) return damaged("the group /streams is missing");
    if (info.nlinks == 0 || info.nlinks > kMostStreams) return damaged("/streams holds no streams, or too many");
    header_.streams.resize(info.nlinks);
    std::vector<bool> seen(info.nlinks, false);
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      std::array<char, 64> name{};
      if (H5Lget_name_by_idx(group.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT) <
          0) {
        return damaged("the names of the streams cannot be read");
      }
      const Id stream(own_object(group.get(), name.data()) ? H5Gopen2(group.get(), name.data(), H5P_DEFAULT) : -1);
      const auto text = stream.ok() ? text_attribute(stream.get(), "description") : std::nullopt;
      const auto d = text ? parse_description(*text) : std::nullopt;
      if (!d || d->name != name.data() || d->id >= seen.size() || seen[d->id]) {
        return damaged(fmt::format("the description of stream '{}' is missing or wrong", name.data()));
      }
      seen[d->id] = true;
      header_.streams[d->id] = *d;
    }
    const Id block_type = record::block_row_type();
    for (const auto& d : header_.streams) {
      auto& source = streams_.emplace_back();
      const Id stream(H5Gopen2(group.get(), d.name.c_str(), H5P_DEFAULT));
      if (!source.counts.open(stream.get(), "counts", H5T_NATIVE_INT32, d.channels.size()) ||
          !source.blocks.open(stream.get(), "blocks", block_type.get(), 0)) {
        return damaged(fmt::format("the datasets of stream '{}' are missing or have another type or shape", d.name));
      }
    }
    return {};
  }

  Result<void> read_config() {
    const Id group(own_object(file_.get(), "config") ? H5Gopen2(file_.get(), "config", H5P_DEFAULT) : -1);
    H5G_info_t info{};
    if (!group.ok() || H5Gget_info(group.get(), &info) < 0 || info.nlinks > kMostStreams) {
      return damaged("the group /config is missing or too large");
    }
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      std::array<char, 128> name{};
      Source source;
      if (H5Lget_name_by_idx(group.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT) <
              0 ||
          !source.open(group.get(), name.data(), H5T_NATIVE_UINT8, 0) || source.rows > kLargestText) {
        return damaged("a text of /config cannot be read");
      }
      std::string text(source.rows, '\0');
      if (!source.read(H5T_NATIVE_UINT8, 0, source.rows, text.data()))
        return damaged("a text of /config cannot be read");
      header_.config[name.data()] = text;
    }
    return {};
  }

  static std::optional<BlockRow> block_row(StreamSource& s, std::uint64_t i) {
    if (i >= s.blocks.rows) return std::nullopt;
    if (i < s.block_window_first || i >= s.block_window_first + s.block_window.size()) {
      const auto n = std::min<hsize_t>(kCachedBlocks, s.blocks.rows - i);
      s.block_window.resize(n);
      s.block_window_first = i;
      const Id type = record::block_row_type();
      if (!s.blocks.read(type.get(), i, n, s.block_window.data())) {
        s.block_window.clear();
        return std::nullopt;
      }
    }
    return s.block_window[i - s.block_window_first];
  }

  static bool read_counts(StreamSource& s, hsize_t first, hsize_t n, std::int32_t* out) {
    const auto columns = s.counts.columns;
    const auto cached = s.row_window.size() / columns;
    if (first < s.row_window_first || first + n > s.row_window_first + cached) {
      const auto wanted = std::min<hsize_t>(std::max(kCachedRows / columns, n), s.counts.rows - first);
      s.row_window.resize(wanted * columns);
      s.row_window_first = first;
      if (!s.counts.read(H5T_NATIVE_INT32, first, wanted, s.row_window.data())) {
        s.row_window.clear();
        return false;
      }
    }
    const auto at = static_cast<std::ptrdiff_t>((first - s.row_window_first) * columns);
    std::copy_n(s.row_window.begin() + at, n * columns, out);
    return true;
  }

  static bool add(Hash& hash, const std::string& name, const Source& source, hid_t type) {
    const auto label = fmt::format("{} {} {}\n", name, source.rows, source.columns);
    hash.add(label.data(), label.size());
    const std::size_t row_size = H5Tget_size(type) * std::max<hsize_t>(source.columns, 1);
    std::vector<std::byte> piece;
    for (hsize_t at = 0; at < source.rows;) {
      const auto n = std::min<hsize_t>(kCachedRows, source.rows - at);
      piece.resize(n * row_size);
      if (!source.read(type, at, n, piece.data())) return false;
      hash.add(piece.data(), piece.size());
      at += n;
    }
    return true;
  }

  std::string path_;
  Id file_;
  Source ledger_;
  Source end_;
};

RunReader::RunReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunReader::~RunReader() = default;

Result<std::unique_ptr<RunReader>> RunReader::open(const std::string& path) {
  auto impl = std::make_unique<Impl>(path);
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<RunReader>(new RunReader(std::move(impl)));
}

const RunHeader& RunReader::header() const { return impl_->header_; }
std::uint64_t RunReader::block_count(std::size_t s) const { return impl_->streams_[s].blocks.rows; }
std::uint64_t RunReader::row_count(std::size_t s) const { return impl_->streams_[s].counts.rows; }
std::uint64_t RunReader::event_count() const { return impl_->events_.rows; }
Result<Block> RunReader::block(std::size_t s, std::uint64_t i) { return impl_->block(s, i); }
Result<std::uint64_t> RunReader::first_row(std::size_t s, std::uint64_t i) { return impl_->first_row(s, i); }
Result<Event> RunReader::event(std::uint64_t i) { return impl_->event(i); }
Result<std::optional<std::string>> RunReader::end() { return impl_->end(); }
Result<std::vector<LedgerRow>> RunReader::ledger() { return impl_->ledger(); }
Result<std::string> RunReader::dataset_hash() { return impl_->dataset_hash(); }

}  // namespace strigil::daq
