// Files whose writer was killed, and files that lie: recover saves what is whole, verify says what is wrong.
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "daq/record/recorder.hpp"
#include "daq/record/verify.hpp"
#include "tests/daq/record_fixture.hpp"

namespace strigil::daq {
namespace {

class RecoverTest : public RecordFixture {
 protected:
  /// A finished file changed by a line or two of Python (`run` is the open file), then verified.
  VerifyReport verify_after(const std::string& change) {
    const auto file = path("changed.h5");
    std::filesystem::remove(file);
    make_file(file, 20);
    python("run = h5py.File(file, 'r+')\n" + change + "\nrun.close()\n", file);
    const auto report = verify(file);
    if (report) return *report;
    VerifyReport refused;
    refused.problems.push_back(report.error().message);
    return refused;
  }
};

/// What the child did, readable after it was killed.
struct Progress {
  static constexpr std::size_t kSlots = 1U << 16U;
  std::atomic<std::uint64_t> pushed;
  std::atomic<std::int64_t> pushed_at_ns[kSlots];  // block i was pushed at
};

/// The controller's part: the real recorder on its own thread, one block of 10 samples each millisecond, until killed.
[[noreturn]] void record_until_killed(const std::string& file, const RunHeader& header, Progress& progress,
                                      Block (*block)(std::uint64_t)) {
  Fanout fanout;
  const auto rings = fanout.add_sink("recorder");
  auto writer = RunWriter::create(file, header);
  if (!writer) ::_exit(10);
  Recorder recorder(std::move(*writer), rings);
  recorder.start();
  for (std::uint64_t i = 0; i < Progress::kSlots; ++i) {
    fanout.push(block(i));
    progress.pushed_at_ns[i].store(host_now().ns);
    progress.pushed.store(i + 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::_exit(11);
}

TEST_F(RecoverTest, KillMinusNineLosesAtMostOneSecond) {
  void* const shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  std::mt19937 random(20261123);
  std::uniform_int_distribution<int> when_ms(300, 2500);
  constexpr int kKills = 6;
  for (int round = 0; round < kKills; ++round) {
    SCOPED_TRACE(round);
    auto& progress = *new (shared) Progress{};
    const auto file = path(fmt::format("killed{}.h5", round));
    const auto saved_file = path(fmt::format("saved{}.h5", round));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) record_until_killed(file, header(), progress, [](std::uint64_t i) { return block(0, i); });
    // Whoever is killed before it has begun has nothing to save: the time counts from the first block.
    const auto patience = host_now() + std::chrono::seconds(60);
    while (progress.pushed.load() == 0 && host_now() < patience)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(when_ms(random)));
    const auto killed_at = host_now();
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    const auto pushed = progress.pushed.load();
    std::uint64_t owed = 0;
    while (owed < pushed && killed_at.ns - progress.pushed_at_ns[owed].load() > 1'000'000'000) ++owed;

    const auto before = bytes_of(file);
    const auto report = recover(file, saved_file);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(bytes_of(file), before) << "the original was touched";
    const auto saved = report->streams[0].blocks;
    EXPECT_GE(saved, owed) << "of " << pushed << " pushed";
    EXPECT_LE(saved, pushed);
    auto reader = RunReader::open(saved_file);
    ASSERT_TRUE(reader) << reader.error().message;
    for (std::uint64_t i = 0; i < saved; ++i) {
      const auto b = (*reader)->block(0, i);
      ASSERT_TRUE(b);
      ASSERT_NO_FATAL_FAILURE(expect_same(*b, block(0, i)));
    }
    reader->reset();
    EXPECT_EQ(python("run = h5py.File(file, 'r')\nprint(len(run['streams/force/counts']))", saved_file),
              fmt::format("{}\n", saved * 10));
    if (saved > 0) {
      EXPECT_EQ(report->streams[0].last_received, block(0, saved - 1).received);
    }
    const auto end = RunReader::open(saved_file).value()->end();
    ASSERT_TRUE(end && *end);
    EXPECT_NE((*end)->find("recovered"), std::string::npos) << **end;
  }
  ::munmap(shared, sizeof(Progress));
}

TEST_F(RecoverTest, RefusesToWriteOverAFile) {
  make_file(path("a.h5"), 3);
  std::ofstream(path("b.h5")) << "precious";
  EXPECT_FALSE(recover(path("a.h5"), path("b.h5")));
  EXPECT_FALSE(recover(path("a.h5"), path("a.h5")));
  EXPECT_EQ(bytes_of(path("b.h5")), "precious");
  EXPECT_TRUE(verify(path("a.h5")));
}

TEST_F(RecoverTest, AWholeFileVerifiesAndARecoveredOneHasTheSameData) {
  make_file(path("a.h5"), 50);
  const auto a = verify(path("a.h5"));
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_TRUE(a->finished);
  EXPECT_EQ(a->problems, std::vector<std::string>{});
  EXPECT_EQ(a->streams[0].samples, 500U);
  EXPECT_EQ(a->streams[1].samples, 3200U);
  EXPECT_EQ(a->events, 50U);
  const auto b = recover(path("a.h5"), path("b.h5"));
  ASSERT_TRUE(b) << b.error().message;
  EXPECT_EQ(b->dataset_hash, a->dataset_hash);
  EXPECT_EQ(b->rows_without_block, 0U);
}

TEST_F(RecoverTest, VerifyFindsWhatWasChanged) {
  EXPECT_TRUE(verify_after("pass").problems.empty());
  const auto problem_of = [&](const std::string& change) {
    const auto report = verify_after(change);
    EXPECT_FALSE(report.problems.empty()) << change;
    return report.problems.empty() ? std::string() : report.problems.front();
  };
  const std::string edit = "d = run['streams/force/blocks']; t = d[:]; ";
  const std::string store = "; d[:] = t";
  // A sample counter that jumps without a gap, and a gap that is not there.
  EXPECT_NE(problem_of(edit + "t['first_sample'][5:] += 3" + store).find("block 5"), std::string::npos);
  EXPECT_NE(problem_of(edit + "t['gap'][5] = 3" + store).find("block 5"), std::string::npos);
  // Rows given out twice, with the sums still right.
  EXPECT_NE(problem_of(edit + "t['first_row'][5] = 40" + store).find("row"), std::string::npos);
  EXPECT_NE(problem_of(edit + "t['first_row'][5] = 2**63" + store).find("rows"), std::string::npos);
  EXPECT_NE(problem_of(edit + "t['samples'][5] = 0" + store).find("block 5"), std::string::npos);
  EXPECT_NE(problem_of("run['streams/force/counts'].resize(190, axis=0)").find("rows"), std::string::npos);
  EXPECT_NE(problem_of("run['streams/force/blocks'].resize(19, axis=0)").find("rows"), std::string::npos);
  EXPECT_NE(problem_of("d = run['ledger']; t = d[:]; t['count'][0] += 1; d[:] = t").find("ledger"), std::string::npos);
  EXPECT_NE(problem_of("run['ledger'].resize(0, axis=0)").find("ledger"), std::string::npos);
  EXPECT_NE(problem_of("run['end'].resize(0, axis=0)").find("end"), std::string::npos);
  EXPECT_NE(problem_of("run['end'][0] = 0").find("JSON"), std::string::npos);
}

TEST_F(RecoverTest, ARecoveredFileSaysThatItsRunNeverEnded) {
  {
    auto writer = RunWriter::create(path("a.h5"), header());
    ASSERT_TRUE(writer);
    for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE((*writer)->append(block(0, i)));
    ASSERT_TRUE((*writer)->flush());
  }
  const auto unfinished = verify(path("a.h5"));
  ASSERT_TRUE(unfinished) << unfinished.error().message;
  EXPECT_FALSE(unfinished->finished);
  ASSERT_FALSE(unfinished->problems.empty());
  EXPECT_NE(unfinished->problems.front().find("recover"), std::string::npos);
  ASSERT_TRUE(recover(path("a.h5"), path("b.h5")));
  const auto recovered = verify(path("b.h5"));
  ASSERT_TRUE(recovered);
  ASSERT_EQ(recovered->problems.size(), 1U) << "whole as it is, it is not a run that came to its end";
  EXPECT_NE(recovered->problems.front().find("recovered"), std::string::npos) << recovered->problems.front();
}

/// A block in the middle that cannot be read must not silently end what is saved.
TEST_F(RecoverTest, RecoverSaysWhatItLeftOut) {
  make_file(path("a.h5"), 20);
  python(
      "run = h5py.File(file, 'r+'); d = run['streams/force/blocks']; t = d[:]; t['samples'][5] = 0; d[:] = t; "
      "run.close()",
      path("a.h5"));
  const auto report = recover(path("a.h5"), path("b.h5"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->streams[0].blocks, 5U);
  EXPECT_EQ(report->streams[1].blocks, 20U);
  EXPECT_EQ(report->rows_without_block, 150U);
  ASSERT_FALSE(report->left_out.empty());
  EXPECT_NE(report->left_out.front().find("force"), std::string::npos) << report->left_out.front();
  const auto end = RunReader::open(path("b.h5")).value()->end();
  EXPECT_NE((*end)->find("left_out"), std::string::npos) << **end;
}

TEST_F(RecoverTest, HostileFilesAreRefusedInWords) {
  std::ofstream(path("secret.bin")) << std::string(4000, 's');
  make_file(path("other.h5"), 5);
  const auto refused = [&](const std::string& change) {
    SCOPED_TRACE(change);
    const auto file = path("hostile.h5");
    std::filesystem::remove(file);
    make_file(file, 5);
    python("import os\nfolder = os.path.dirname(file)\nrun = h5py.File(file, 'r+')\n" + change + "\nrun.close()\n",
           file);
    const auto reader = RunReader::open(file);
    EXPECT_FALSE(reader);
    if (!reader) {
      EXPECT_NE(reader.error().message.find("hostile.h5"), std::string::npos) << reader.error().message;
    }
  };
  const auto chunked = [](const std::string& what) { return "run.create_dataset(" + what + ", chunks=True)"; };
  refused("run.attrs['format'] = b'something else'");
  refused("del run.attrs['format_version']");
  refused("run.attrs.modify('format_version', np.bytes_('2.0'))");
  refused("run.attrs['format'] = np.zeros(3)");
  refused("del run['streams']");
  refused("del run['streams/force/counts']");
  refused("del run['events']");
  refused("del run['config']; run['config'] = 5");
  refused("del run['streams/force/counts']\n" +
          chunked("'streams/force/counts', data=np.zeros((50, 2), 'i4')"));  // channels
  refused("del run['streams/force/counts']\n" + chunked("'streams/force/counts', data=np.zeros((50, 3), 'i8')"));
  refused("del run['streams/force/counts']\n" + chunked("'streams/force/counts', data=np.zeros((50, 3), 'u4')"));
  refused("del run['streams/force/counts']\n" + chunked("'streams/force/counts', data=np.zeros((50, 3), 'f4')"));
  refused("del run['streams/force/counts']\n" + chunked("'streams/force/counts', data=np.zeros((5, 10, 3), 'i4')"));
  refused("t = run['streams/force/blocks'][:]; del run['streams/force/blocks']\n" +
          chunked("'streams/force/blocks', data=t[['first_row', 'samples']].copy()"));  // members missing
  refused("del run['streams/force']; run['streams/force'] = h5py.ExternalLink(folder + '/other.h5', '/streams/force')");
  refused(
      "del run['streams/force/counts']; run['streams/force/counts'] = "
      "h5py.ExternalLink(folder + '/other.h5', '/streams/force/counts')");
  refused("del run['streams/force/counts']; run['streams/force/counts'] = h5py.SoftLink('/streams/accel/counts')");
  refused(
      "del run['end']; run.create_dataset('end', shape=(4000,), dtype='u1', "
      "external=[(folder + '/secret.bin', 0, 4000)])");
  refused("run['events'].resize(2**60, axis=0)");
  refused("run['streams/force/blocks'].resize(2**60, axis=0)");
  refused("run['streams/force'].attrs.modify('description', np.bytes_('[' * 100000))");
  refused("run['streams/force'].attrs.modify('description', np.bytes_('{}'))");
  refused(
      "s = run['streams/force'].attrs['description'].decode().replace('\"id\":0', '\"id\":1'); "
      "run['streams/force'].attrs.modify('description', np.bytes_(s))");
}

/// Bytes changed at random: whatever happens, it is an answer. In a child, so that a crash is a failure of one test.
TEST_F(RecoverTest, RandomDamageIsNeverACrash) {
  make_file(path("a.h5"), 40);
  const auto good = bytes_of(path("a.h5"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Of its own time: what else this computer does is no hang.
    constexpr rlim_t kLongest_s = 150;
    const rlimit longest{kLongest_s, kLongest_s};
    (void)::setrlimit(RLIMIT_CPU, &longest);
    std::mt19937_64 random(5);
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    constexpr int kRounds = 40;
#else
    constexpr int kRounds = 100;
#endif
    for (int round = 0; round < kRounds; ++round) {
      auto bad = good;
      const auto changes = 1 + random() % 8;
      // Most of the structure lies in the first pages.
      for (std::uint64_t c = 0; c < changes; ++c) {
        bad[random() % (round % 2 == 0 ? std::min<std::size_t>(bad.size(), 16384) : bad.size())] =
            static_cast<char>(random());
      }
      if (round % 7 == 0) bad.resize(random() % bad.size());
      const auto file = path("bad.h5");
      std::ofstream(file, std::ios::binary | std::ios::trunc) << bad;
      (void)verify(file).ok();
      std::filesystem::remove(path("saved.h5"));
      (void)recover(file, path("saved.h5")).ok();
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace strigil::daq
