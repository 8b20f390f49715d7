// Recording throughput: blocks from the loop's side of the rings to bytes that the disk has, against write(2) of as
// many bytes into a file beside it. On both sides a thread calls fdatasync once a second, and the time ends with the
// last fdatasync: nothing counts that only the page cache has.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "daq/fanout.hpp"
#include "daq/record/recorder.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/force_blocks.hpp"

namespace strigil::bench {
namespace {

constexpr auto kSyncEvery = std::chrono::seconds(1);
/// The loop never fills the rings in a run; here it may go so far ahead of the recorder.
constexpr std::size_t kAhead = daq::kSinkBlocks * 3 / 4;
constexpr std::size_t kRawPiece = 1U << 20U;

void sync(int fd) {
  if (::fdatasync(fd) != 0) give_up("fdatasync failed");
}

/// fdatasync of one file, once a second until it goes.
class Syncing {
 public:
  explicit Syncing(int fd) : thread_([this, fd] { work(fd); }) {}
  ~Syncing() {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  Syncing(const Syncing&) = delete;
  Syncing& operator=(const Syncing&) = delete;

 private:
  void work(int fd) {
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, kSyncEvery, [this] { return over_; })) {
      lock.unlock();
      sync(fd);
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

int open_file(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) give_up(path + " cannot be opened");
  return fd;
}

struct Written {
  std::uint64_t bytes = 0;
  double time_s = 0;
  [[nodiscard]] double rate_MB_s() const { return static_cast<double>(bytes) / time_s * 1e-6; }
};

Written record(const std::string& path, std::uint64_t blocks) {
  const auto began = daq::host_now();
  daq::RunHeader header;
  header.run_id = "bench";
  header.streams = {force_stream()};
  auto writer = daq::RunWriter::create(path, header);
  if (!writer) give_up(writer.error().message);
  daq::Fanout fanout;
  auto rings = fanout.add_sink("recorder");
  const int fd = open_file(path, O_RDONLY);
  {
    const Syncing syncing(fd);
    daq::Recorder recorder(std::move(*writer), rings);
    recorder.start();
    daq::Block block = full_force_block();
    for (std::uint64_t i = 0; i < blocks; ++i) {
      while (rings->blocks.size() >= kAhead) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      fanout.push(block);
      block.first_sample += block.samples;
    }
    recorder.stop_and_drain();
    auto finished = recorder.finish("{}", {});
    if (!finished) give_up(finished.error().message);
    if (recorder.samples()[0] != blocks * block.samples) give_up("not every sample was recorded");
  }
  sync(fd);
  const auto ended = daq::host_now();
  struct stat status {};
  if (::fstat(fd, &status) != 0) give_up(path + " is gone");
  ::close(fd);
  return {static_cast<std::uint64_t>(status.st_size), daq::seconds(ended - began)};
}

Written write_raw(const std::string& path, std::uint64_t bytes) {
  std::vector<char> piece(kRawPiece);
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>(i * 0x9E3779B9U >> 24U);
  const auto began = daq::host_now();
  const int fd = open_file(path, O_CREAT | O_EXCL | O_WRONLY);
  {
    const Syncing syncing(fd);
    for (std::uint64_t done = 0; done < bytes;) {
      const auto n = ::write(fd, piece.data(), std::min<std::uint64_t>(piece.size(), bytes - done));
      if (n <= 0) give_up("write failed: is there room on the disk?");
      done += static_cast<std::uint64_t>(n);
    }
  }
  sync(fd);
  const auto ended = daq::host_now();
  ::close(fd);
  return {bytes, daq::seconds(ended - began)};
}

int record_bench(const Options& options) {
  const int rounds = options.choose(9, 3, 1);
  const auto blocks = options.choose<std::uint64_t>(1'300'000, 200'000, 1'000);
  // Beside the figures, on a disk, since a temporary folder may be memory.
  const auto parent =
      options.out.empty() ? std::string(".") : std::filesystem::path(options.out).parent_path().string();
  std::string folder = (parent.empty() ? std::string(".") : parent) + "/record-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) give_up("no folder can be made in " + parent);
  const auto path = folder + "/file";
  (void)write_raw(path, blocks * sizeof(daq::Block::counts));  // the disk too makes room the first time
  std::filesystem::remove(path);
  Rounds found;
  double size_MB = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto measure = [&](const auto& write) {
      ::sync();  // what others have left to write is not on anybody's account
      const Written written = write();
      std::filesystem::remove(path);
      return written;
    };
    const auto ours = measure([&] { return record(path, blocks); });
    const auto raw = measure([&] { return write_raw(path, ours.bytes); });
    found.add(ours.rate_MB_s(), raw.rate_MB_s());
    size_MB = static_cast<double>(ours.bytes) * 1e-6;
    fmt::print(stderr, "  {:.0f} MB: {:.2f} s, raw {:.2f} s\n", size_MB, ours.time_s, raw.time_s);
  }
  std::filesystem::remove_all(folder);
  auto figure = figure_of("recording throughput", "MB/s", found);
  figure.note += fmt::format("; {:.0f} MB a round", size_MB);
  figure.at_least = 0.7;
  return report(options, {figure});
}

}  // namespace
}  // namespace strigil::bench

int main(int argc, char** argv) { return strigil::bench::record_bench(strigil::bench::parse_options(argc, argv)); }
