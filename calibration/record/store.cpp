#include "calibration/record/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "calibration/record/digest.hpp"
#include "daq/strict_toml.hpp"

namespace strigil::calibration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashInName = 12;
constexpr std::size_t kShortestPrefix = 8;
constexpr std::size_t kMostRecords = 100'000;
constexpr const char* kHead = "HEAD";

std::string name_of_file(const Record& r, const std::string& hash) {
  return fmt::format("{:04}-{}.json", r.number, hash.substr(0, kHashInName));
}

/// Number and hash of the last record, as kept beside the chain: without it nobody would miss the last ones.
struct Head {
  std::int64_t number = 0;
  std::string hash = kNoRecordBefore;
};

std::string head_text(const Head& head) { return fmt::format("{} {}\n", head.number, head.hash); }

daq::Result<Head> read_head(const std::string& folder) {
  const auto text = daq::read_text_file(folder + "/" + kHead, 256);
  if (!text) return text.error();
  Head head;
  const auto space = text->find(' ');
  if (space == std::string::npos || space == 0 || space > 9) return daq::Error{"it is no HEAD of a store"};
  for (const char c : text->substr(0, space)) {
    if (c < '0' || c > '9') return daq::Error{"it is no HEAD of a store"};
    head.number = head.number * 10 + (c - '0');
  }
  head.hash = text->substr(space + 1, 64);
  if (head_text(head) != *text || !is_sha256_hex(head.hash)) return daq::Error{"it is no HEAD of a store"};
  return head;
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) (void)::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

daq::Error failed(const std::string& path, const char* what) {
  return {fmt::format("'{}' cannot be {}: {}", path, what, std::strerror(errno))};
}

/// A whole file that was not there, on the disk.
daq::Result<void> write_whole(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return failed(path, "made");
  while (!text.empty()) {
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written <= 0) return failed(path, "written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) return failed(path, "written");
  return {};
}

/// What a record that follows `records` must be; empty: it is.
std::string follows(const std::vector<KeptRecord>& records, const Record& r) {
  const auto expected = static_cast<std::int64_t>(records.size()) + 1;
  if (r.number != expected)
    return fmt::format("it has number {} where {} is next: a record is missing", r.number, expected);
  if (r.previous != (records.empty() ? kNoRecordBefore : records.back().hash)) {
    return "it follows another record than the one before it: that one was changed or replaced";
  }
  const auto known = [&](const std::string& id) {
    return std::any_of(records.begin(), records.end(), [&](const auto& k) { return k.record.id == id; });
  };
  if (known(r.id)) return fmt::format("the id '{}' is taken by an earlier record", r.id);
  if (!r.supersedes.empty() && !known(r.supersedes))
    return fmt::format("it supersedes '{}', which is not in the store", r.supersedes);
  if (!r.revokes.empty() && !known(r.revokes))
    return fmt::format("it revokes '{}', which is not in the store", r.revokes);
  return "";
}

}  // namespace

daq::Result<RecordStore> RecordStore::read(const std::string& folder) {
  RecordStore store;
  store.folder_ = folder;
  std::error_code failure;
  if (!fs::exists(folder, failure)) return store;
  if (!fs::is_directory(folder, failure))
    return daq::Error{fmt::format("'{}' is no folder of calibration records", folder)};
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    const auto name = it->path().filename().string();
    if (name.size() > 5 && name.ends_with(".json") && name.front() != '.') names.push_back(name);
    if (names.size() > kMostRecords)
      return daq::Error{fmt::format("'{}' holds more than {} records", folder, kMostRecords)};
  }
  if (failure) return daq::Error{fmt::format("'{}' cannot be read: {}", folder, failure.message())};
  // By number, so that 10000 follows 9999.
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
    const auto digits = [](const std::string& s) { return s.find_first_not_of("0123456789"); };
    const auto x = std::min(digits(a), a.size());
    const auto y = std::min(digits(b), b.size());
    return x != y ? x < y : a < b;
  });
  for (const auto& name : names) {
    const auto path = folder + "/" + name;
    const auto text = daq::read_text_file(path, kLongestRecord);
    const auto read = text ? parse_record(*text) : daq::Result<ReadRecord>(text.error());
    std::string why;
    if (!read) {
      why = read.error().message;
    } else if (why = follows(store.records_, read->record);
               why.empty() && name != name_of_file(read->record, read->hash)) {
      why = fmt::format("its name should be {}", name_of_file(read->record, read->hash));
    }
    if (!why.empty()) {
      store.broken_ = fmt::format("{}: {}", name, why);
      return store;
    }
    store.records_.push_back({path, read->hash, read->record});
  }
  const auto head = read_head(folder);
  const auto count = static_cast<std::int64_t>(store.records_.size());
  if (!head) {
    // The very first record may stand alone when its writer died between the two.
    if (count > 1) store.broken_ = fmt::format("{}: {}", kHead, head.error().message);
    return store;
  }
  const bool one_behind = head->number == count - 1;  // a writer died between record and HEAD: the chain itself holds
  if (head->number > count) {
    store.broken_ = fmt::format("the last {} of {} records are missing", head->number - count, head->number);
  } else if (head->number < count && !one_behind) {
    store.broken_ = fmt::format("{}: it knows of {} records and there are {}", kHead, head->number, count);
  } else {
    const auto& expected =
        head->number == 0 ? kNoRecordBefore : store.records_[static_cast<std::size_t>(head->number) - 1].hash;
    if (head->hash != expected)
      store.broken_ = fmt::format("{}: it knows another record {}: that one was replaced", kHead, head->number);
  }
  return store;
}

std::string RecordStore::last_hash() const { return records_.empty() ? kNoRecordBefore : records_.back().hash; }

daq::Result<KeptRecord> RecordStore::find(const std::string& name) const {
  const KeptRecord* found = nullptr;
  std::size_t matches = 0;
  for (const auto& k : records_) {
    const bool by_hash = name.size() >= kShortestPrefix && k.hash.starts_with(name);
    const bool by_file = fs::path(k.file).filename().string() == fs::path(name).filename().string();
    if (k.record.id == name) return k;
    if (!by_hash && !by_file) continue;
    found = &k;
    ++matches;
  }
  if (matches == 1) return *found;
  if (matches > 1)
    return daq::Error{fmt::format("{} records in '{}' begin with '{}'; say more of it", matches, folder_, name)};
  return daq::Error{
      fmt::format("there is no record '{}' in '{}' ({} records); see `strigil calibrations list --store {}`", name,
                  folder_, records_.size(), folder_)};
}

Standing RecordStore::standing(const std::string& id) const {
  Standing s;
  for (const auto& k : records_) {
    if (k.record.revokes == id) s.revoked = k.record.reason;
    if (k.record.supersedes == id) s.superseded_by = k.record.id;
  }
  return s;
}

daq::Result<KeptRecord> keep_record(const std::string& folder, Record r) {
  std::error_code ignored;  // opening the lock says what is wrong
  fs::create_directories(folder, ignored);
  const Descriptor lock(::open((folder + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0) return failed(folder, "locked");
  const auto store = RecordStore::read(folder);
  if (!store) return store.error();
  if (!store->broken().empty()) {
    return daq::Error{fmt::format("the store '{}' is broken ({}): nothing is added to it", folder, store->broken())};
  }
  constexpr std::int64_t kMillisecond = 1'000'000;
  const auto cut = [](daq::WallTime& t) { t.ns -= t.ns % kMillisecond; };
  r.number = static_cast<std::int64_t>(store->records().size()) + 1;
  r.previous = store->last_hash();
  r.created = daq::wall_now();
  for (auto* t : {&r.created, &r.performed_from, &r.performed_until, &r.issued}) cut(*t);
  for (auto* t : {&r.valid_from, &r.valid_until}) {
    if (*t) cut(**t);
  }
  if (const auto problems = problems_of(r); !problems.empty()) {
    return daq::Error{fmt::format("the record '{}' cannot be kept: {}", r.id, problems.front())};
  }
  if (const auto why = follows(store->records(), r); !why.empty()) {
    return daq::Error{fmt::format("the record '{}' cannot be kept: {}", r.id, why)};
  }
  KeptRecord kept{{}, hash_of(r), r};
  kept.file = folder + "/" + name_of_file(r, kept.hash);
  // Whole or not at all, and never over another: written aside, then linked to its name.
  const auto aside = folder + "/.new";
  if (auto written = write_whole(aside, to_text(r)); !written) return written.error();
  const bool linked = ::link(aside.c_str(), kept.file.c_str()) == 0;
  if (!linked) return failed(kept.file, "made");
  (void)::unlink(aside.c_str());
  const auto head = folder + "/.head";
  if (auto written = write_whole(head, head_text({r.number, kept.hash})); !written) return written.error();
  if (::rename(head.c_str(), (folder + "/" + kHead).c_str()) != 0) return failed(folder, "written");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return failed(folder, "written");
  return kept;
}

}  // namespace strigil::calibration
