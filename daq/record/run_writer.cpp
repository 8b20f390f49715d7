#include "daq/record/run_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "daq/record/rows.hpp"

namespace strigil::daq {
namespace {

using record::BlockRow;
using record::EventRow;
using record::Id;
using record::LedgerTableRow;

constexpr hsize_t kCountRowsPerChunk = 4096;
constexpr hsize_t kTableRowsPerChunk = 1024;
constexpr hsize_t kPageSize = 4096;
/// Rows gathered before they are written without being asked, in whole chunks: bounds memory between flushes.
constexpr std::size_t kGatherRows = 4 * kCountRowsPerChunk;

Error hdf5_error(const std::string& path, const char* doing) {
  // The innermost entry of HDF5's stack names the system's reason (disk full, permission).
  std::string why;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* e, void* out) -> herr_t {
        if (n == 0 && e->desc != nullptr) *static_cast<std::string*>(out) = e->desc;
        return 0;
      },
      &why);
  return {fmt::format("{} '{}' failed: {}; check free space and permissions there", doing, path,
                      why.empty() ? "HDF5 gave no reason" : why)};
}

bool write_text_attribute(hid_t object, const char* name, const std::string& text) {
  const Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), std::max<std::size_t>(text.size(), 1));
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  const Id space(H5Screate(H5S_SCALAR));
  const Id attribute(H5Acreate2(object, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
  const std::string padded = text.empty() ? std::string(1, '\0') : text;
  return attribute.ok() && H5Awrite(attribute.get(), type.get(), padded.data()) >= 0;
}

bool write_number_attribute(hid_t object, const char* name, hid_t type, const void* values, hsize_t n, bool scalar) {
  const Id space(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, nullptr));
  const Id attribute(H5Acreate2(object, name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  return attribute.ok() && H5Awrite(attribute.get(), type, values) >= 0;
}

/// A fixed-length list of texts as an attribute, e.g. the channels' names.
bool write_texts_attribute(hid_t object, const char* name, const std::vector<std::string>& texts) {
  std::size_t longest = 1;
  for (const auto& t : texts) longest = std::max(longest, t.size());
  std::string flat(longest * texts.size(), '\0');
  for (std::size_t i = 0; i < texts.size(); ++i)
    std::copy(texts[i].begin(), texts[i].end(), flat.begin() + static_cast<std::ptrdiff_t>(i * longest));
  const Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), longest);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return write_number_attribute(object, name, type.get(), flat.data(), texts.size(), false);
}

/// An extendable dataset of `columns` (0: one-dimensional) and how far it is filled.
struct Table {
  Id dataset;
  Id type;
  hsize_t columns = 0;
  hsize_t rows = 0;

  bool create(hid_t parent, const char* name, Id row_type, hsize_t columns_wanted, hsize_t chunk_rows) {
    type = std::move(row_type);
    columns = columns_wanted;
    const int rank = columns == 0 ? 1 : 2;
    const hsize_t none[2] = {0, columns};
    const hsize_t most[2] = {H5S_UNLIMITED, columns};
    const hsize_t chunk[2] = {chunk_rows, columns};
    const Id space(H5Screate_simple(rank, none, most));
    const Id properties(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(properties.get(), rank, chunk);
    H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER);  // nobody sees what lies behind the last row
    // Packed in the file: padding holds whatever the stack held, and two equal runs must be equal to the byte.
    const Id packed = record::packed(type);
    dataset = Id(H5Dcreate2(parent, name, packed.get(), space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT));
    return dataset.ok();
  }

  bool append(const void* data, hsize_t n) {
    if (n == 0) return true;
    const int rank = columns == 0 ? 1 : 2;
    const hsize_t size[2] = {rows + n, columns};
    if (H5Dset_extent(dataset.get(), size) < 0) return false;
    const Id file_space(H5Dget_space(dataset.get()));
    const hsize_t start[2] = {rows, 0};
    const hsize_t count[2] = {n, columns};
    H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr);
    const Id memory(H5Screate_simple(rank, count, nullptr));
    if (H5Dwrite(dataset.get(), type.get(), memory.get(), file_space.get(), H5P_DEFAULT, data) < 0) return false;
    rows += n;
    return true;
  }
};

Id copy_of(hid_t type) { return Id(H5Tcopy(type)); }

bool write_text_dataset(hid_t parent, const std::string& name, const std::string& text) {
  Table table;
  return table.create(parent, name.c_str(), copy_of(H5T_NATIVE_UINT8), 0, kTableRowsPerChunk) &&
         table.append(text.data(), text.size());
}

}  // namespace

class RunWriter::Impl {
 public:
  struct Stream {
    Table counts;
    Table blocks;
    std::vector<std::int32_t> gathered_counts;
    std::vector<BlockRow> gathered_blocks;
    std::uint64_t rows = 0;  // appended, gathered or written
  };

  explicit Impl(std::string path) : path_(std::move(path)), unready_(path_ + ".unready") {}
  ~Impl() {
    if (failure_) abandon();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> create(const RunHeader& header) {
    for (const auto& s : header.streams) {
      if (!valid_stream_name(s.name) || s.channels.empty() || s.channels.size() > kMaxChannels) {
        return Error{
            fmt::format("stream '{}' cannot be recorded: a name is [a-z0-9_]{{1,32}} and 1..{} channels are "
                        "possible",
                        s.name, kMaxChannels)};
      }
    }
    if (auto made = reserve_name(); !made) return made;
    record::begin_hdf5();
    const Id access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    // Rows are gathered here and come in large pieces: without a cache of chunks HDF5 writes them straight to the file,
    // where it would copy them once more into chunks that it had filled with zeros. Set for the file, since beginning
    // to write for readers (SWMR) opens every dataset anew and forgets what was set for it.
    H5Pset_cache(access.get(), 0, 0, 0, 0);
    // A chunk that begins where a page does is taken in by whole pages.
    H5Pset_alignment(access.get(), kPageSize, kPageSize);
    // Under another name until it can be read: HDF5 opens a new file before it locks it, and a reader that waits for
    // the run and comes in between would have the lock, and the run no file.
    std::error_code failure;
    std::filesystem::remove(unready_, failure);  // of a run that was killed while it began
    file_ = Id(H5Fcreate(unready_.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access.get()));
    if (!file_.ok()) return hdf5_error(path_, "making");
    // All that there will ever be is made now: SWMR writing permits no new objects or attributes.
    const bool made = write_root(header) && write_config(header) && make_streams(header) &&
                      events_.create(file_.get(), "events", record::event_row_type(), 0, kTableRowsPerChunk) &&
                      ledger_.create(file_.get(), "ledger", record::ledger_row_type(), 0, kTableRowsPerChunk) &&
                      end_.create(file_.get(), "end", copy_of(H5T_NATIVE_UINT8), 0, kTableRowsPerChunk);
    if (!made || H5Fstart_swmr_write(file_.get()) < 0) return hdf5_error(path_, "preparing");
    std::filesystem::rename(unready_, path_, failure);
    if (failure) return Error{fmt::format("the run file '{}' cannot be made: {}", path_, failure.message())};
    return {};
  }

  Result<void> append(const Block& b) {
    if (failure_) return *failure_;
    if (b.stream >= streams_.size())
      return Error{fmt::format("a block of the unknown stream {} cannot be recorded", b.stream)};
    auto& s = streams_[b.stream];
    if (b.channels != s.counts.columns) {
      return fail(Error{fmt::format("a block of {} channels came for a stream of {}", b.channels, s.counts.columns)});
    }
    s.gathered_blocks.push_back({s.rows, b.first_sample, b.ticks.count, b.received.ns, b.t0.ns, b.bound.count(),
                                 b.period_ns, b.samples, b.flags, b.gap});
    s.gathered_counts.insert(s.gathered_counts.end(), b.counts.begin(),
                             b.counts.begin() + static_cast<std::ptrdiff_t>(b.value_count()));
    s.rows += b.samples;
    samples_[b.stream] += b.samples;
    const auto gathered = s.rows - s.counts.rows;
    // What goes beyond the last whole chunk waits: a chunk written in one piece is written once.
    return gathered >= kGatherRows ? write(s, gathered - s.rows % kCountRowsPerChunk) : Result<void>{};
  }

  Result<void> append(const Event& e) {
    if (failure_) return *failure_;
    EventRow row{};
    row.at_ns = e.at.ns;
    row.code = static_cast<std::uint16_t>(e.code);
    row.severity = static_cast<std::uint8_t>(e.severity);
    row.source = e.source;
    std::copy(e.arguments.begin(), e.arguments.end(), row.arguments);
    std::copy(e.detail.begin(), e.detail.end(), row.detail);
    gathered_events_.push_back(row);
    return {};
  }

  Result<void> flush() {
    if (failure_) return *failure_;
    for (auto& s : streams_) {
      if (auto written = write(s, s.rows - s.counts.rows); !written) return written;
    }
    if (!events_.append(gathered_events_.data(), gathered_events_.size())) return fail(hdf5_error(path_, "writing to"));
    gathered_events_.clear();
    if (H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) < 0) return fail(hdf5_error(path_, "flushing"));
    return {};
  }

  Result<void> finish(const std::string& end_json, const std::vector<LedgerRow>& rows) {
    if (auto flushed = flush(); !flushed) return flushed;
    std::vector<LedgerTableRow> table(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].hop.copy(table[i].hop, record::kNameSize - 1);
      rows[i].stream.copy(table[i].stream, record::kNameSize - 1);
      table[i].count = rows[i].count;
      table[i].lost = rows[i].lost;
    }
    if (!ledger_.append(table.data(), table.size()) || !end_.append(end_json.data(), end_json.size())) {
      return fail(hdf5_error(path_, "writing the end of"));
    }
    if (H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) < 0) return fail(hdf5_error(path_, "flushing"));
    return {};
  }

  /// A file that could not be made is not left lying there; somebody else's of that name is.
  void forget() {
    abandon();
    std::error_code ignored;  // the error that matters is the one of create()
    if (!reserved_) return;
    std::filesystem::remove(unready_, ignored);
    std::filesystem::remove(path_, ignored);
  }

  std::string path_;
  std::vector<std::uint64_t> samples_;

 private:
  /// Takes the name exclusively, so that no run ever overwrites another.
  Result<void> reserve_name() {
    const int fd = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0) {
      const auto why = std::error_code(errno, std::generic_category()).message();
      return Error{fmt::format("the run file '{}' cannot be made: {}", path_, why)};
    }
    ::close(fd);
    reserved_ = true;
    return {};
  }

  bool write_root(const RunHeader& h) {
    const std::uint8_t is_virtual = h.virtual_time ? 1 : 0;
    return write_text_attribute(file_.get(), "format", "strigil-run") &&
           write_text_attribute(file_.get(), "format_version", "1.0") &&
           write_text_attribute(file_.get(), "kind", h.kind) && write_text_attribute(file_.get(), "run_id", h.run_id) &&
           write_text_attribute(file_.get(), "created", h.created) &&
           write_text_attribute(file_.get(), "software", h.software) &&
           write_number_attribute(file_.get(), "virtual_time", H5T_NATIVE_UINT8, &is_virtual, 1, true) &&
           write_number_attribute(file_.get(), "seed", H5T_NATIVE_UINT64, &h.seed, 1, true);
  }

  bool write_config(const RunHeader& h) {
    const Id group(H5Gcreate2(file_.get(), "config", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (!group.ok()) return false;
    return std::all_of(h.config.begin(), h.config.end(),
                       [&](const auto& entry) { return write_text_dataset(group.get(), entry.first, entry.second); });
  }

  bool make_streams(const RunHeader& h) {
    const Id all(H5Gcreate2(file_.get(), "streams", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (!all.ok()) return false;
    streams_.resize(h.streams.size());
    samples_.assign(h.streams.size(), 0);
    for (std::size_t i = 0; i < h.streams.size(); ++i) {
      const auto& d = h.streams[i];
      const Id group(H5Gcreate2(all.get(), d.name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      auto& s = streams_[i];
      if (!group.ok() ||
          !s.counts.create(group.get(), "counts", copy_of(H5T_NATIVE_INT32), d.channels.size(), kCountRowsPerChunk) ||
          !s.blocks.create(group.get(), "blocks", record::block_row_type(), 0, kTableRowsPerChunk) ||
          !describe(group.get(), d)) {
        return false;
      }
    }
    return true;
  }

  static bool describe(hid_t group, const StreamDescription& d) {
    std::vector<std::string> names;
    std::vector<std::string> units;
    std::vector<double> scale;
    std::vector<double> offset;
    for (const auto& c : d.channels) {
      names.push_back(c.name);
      units.push_back(c.unit);
      scale.push_back(c.scale);
      offset.push_back(c.offset);
    }
    const hsize_t n = d.channels.size();
    return write_text_attribute(group, "description", to_json(d)) && write_texts_attribute(group, "channels", names) &&
           write_texts_attribute(group, "units", units) &&
           write_number_attribute(group, "scale", H5T_NATIVE_DOUBLE, scale.data(), n, false) &&
           write_number_attribute(group, "offset", H5T_NATIVE_DOUBLE, offset.data(), n, false) &&
           write_number_attribute(group, "rate_Hz", H5T_NATIVE_DOUBLE, &d.rate_Hz, 1, true) &&
           write_number_attribute(group, "tick_rate_Hz", H5T_NATIVE_DOUBLE, &d.tick_rate_Hz, 1, true);
  }

  /// The first `rows` of those gathered. Counts first, then the blocks that speak of them: whoever sees a block finds
  /// its rows.
  Result<void> write(Stream& s, hsize_t rows) {
    if (!s.counts.append(s.gathered_counts.data(), rows)) return fail(hdf5_error(path_, "writing to"));
    const auto whole = std::find_if(s.gathered_blocks.begin(), s.gathered_blocks.end(),
                                    [&](const BlockRow& b) { return b.first_row + b.samples > s.counts.rows; });
    const auto blocks = static_cast<hsize_t>(whole - s.gathered_blocks.begin());
    if (!s.blocks.append(s.gathered_blocks.data(), blocks)) return fail(hdf5_error(path_, "writing to"));
    s.gathered_counts.erase(s.gathered_counts.begin(),
                            s.gathered_counts.begin() + static_cast<std::ptrdiff_t>(rows * s.counts.columns));
    s.gathered_blocks.erase(s.gathered_blocks.begin(), whole);
    return {};
  }

  /// Closing flushes, and HDF5 does not survive a flush that fails: it frees the file and keeps its identifier. What
  /// was flushed before is in the file and `recover` finds it.
  void abandon() {
    file_.abandon();
    for (auto* table : {&events_, &ledger_, &end_}) table->dataset.abandon();
    for (auto& s : streams_) {
      s.counts.dataset.abandon();
      s.blocks.dataset.abandon();
    }
  }

  Result<void> fail(Error error) {
    failure_ = error;
    return error;
  }

  const std::string unready_;  // the file's name until it can be read
  Id file_;
  std::vector<Stream> streams_;
  Table events_;
  Table ledger_;
  Table end_;
  std::vector<EventRow> gathered_events_;
  std::optional<Error> failure_;
  bool reserved_ = false;
};

RunWriter::RunWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunWriter::~RunWriter() = default;

Result<std::unique_ptr<RunWriter>> RunWriter::create(const std::string& path, const RunHeader& header) {
  auto impl = std::make_unique<Impl>(path);
  if (auto made = impl->create(header); !made) {
    impl->forget();
    return made.error();
  }
  return std::unique_ptr<RunWriter>(new RunWriter(std::move(impl)));
}

Result<void> RunWriter::append(const Block& block) { return impl_->append(block); }
Result<void> RunWriter::append(const Event& event) { return impl_->append(event); }
Result<void> RunWriter::flush() { return impl_->flush(); }
Result<void> RunWriter::finish(const std::string& end_json, const std::vector<LedgerRow>& ledger) {
  return impl_->finish(end_json, ledger);
}
const std::vector<std::uint64_t>& RunWriter::samples() const { return impl_->samples_; }
const std::string& RunWriter::path() const { return impl_->path_; }

}  // namespace strigil::daq
