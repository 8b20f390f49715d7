// Writing a run and reading it back: the same blocks, the same bytes from run to run, readable meanwhile and by h5py.
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <thread>

#include "daq/record/recorder.hpp"
#include "daq/record/verify.hpp"
#include "tests/daq/record_fixture.hpp"

namespace strigil::daq {
namespace {

using RecordTest = RecordFixture;

TEST_F(RecordTest, EveryFieldComesBackAsItWasWritten) {
  constexpr std::uint64_t kBlocks = 3000;  // several chunks, several gathered pieces
  ASSERT_NO_FATAL_FAILURE(make_file(path("a.h5"), kBlocks));
  auto reader = RunReader::open(path("a.h5"));
  ASSERT_TRUE(reader) << reader.error().message;
  auto& r = **reader;
  const auto h = header();
  EXPECT_EQ(r.header().run_id, h.run_id);
  EXPECT_EQ(r.header().created, h.created);
  EXPECT_EQ(r.header().software, h.software);
  EXPECT_EQ(r.header().kind, "run");
  EXPECT_TRUE(r.header().virtual_time);
  EXPECT_EQ(r.header().seed, 7U);
  EXPECT_EQ(r.header().config, h.config);
  ASSERT_EQ(r.header().streams.size(), 2U);
  for (std::size_t s = 0; s < 2; ++s) {
    EXPECT_EQ(to_json(r.header().streams[s]), to_json(h.streams[s]));
    const std::uint16_t samples = s == 0 ? 10 : 64;
    ASSERT_EQ(r.block_count(s), kBlocks);
    ASSERT_EQ(r.row_count(s), kBlocks * samples);
    for (std::uint64_t i = 0; i < kBlocks; ++i) {
      const auto b = r.block(s, i);
      ASSERT_TRUE(b) << b.error().message;
      ASSERT_NO_FATAL_FAILURE(expect_same(*b, block(static_cast<StreamId>(s), i, samples)));
    }
  }
  const auto backwards = r.block(0, 3);  // a window is kept for reading forward; going back must work too
  ASSERT_TRUE(backwards);
  expect_same(*backwards, block(0, 3));
  EXPECT_FLOAT_EQ(backwards->values[2], static_cast<float>(2e-3 * backwards->counts[2] - 0.5));
  ASSERT_EQ(r.event_count(), kBlocks);
  const auto e = r.event(17);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->at, event(17).at);
  EXPECT_EQ(e->code, EventCode::kContact);
  EXPECT_EQ(e->severity, Severity::kWarning);
  EXPECT_EQ(e->source, 17);
  EXPECT_EQ(e->arguments, event(17).arguments);
  EXPECT_STREQ(e->detail.data(), "number 17");
  EXPECT_FALSE(r.event(kBlocks));
  EXPECT_FALSE(r.block(0, kBlocks));
  const auto end = r.end();
  ASSERT_TRUE(end && *end);
  EXPECT_EQ(**end, R"({"closed_cleanly": true})");
  const auto ledger = r.ledger();
  ASSERT_TRUE(ledger);
  ASSERT_EQ(ledger->size(), 2U);
  EXPECT_EQ(ledger->at(1).stream, "accel");
  EXPECT_EQ(ledger->at(1).count, kBlocks * 64);
}

TEST_F(RecordTest, PythonReadsNewtonsWithCountsTimesScalePlusOffset) {
  ASSERT_NO_FATAL_FAILURE(make_file(path("a.h5"), 20));
  const auto out = python(R"(
with h5py.File(file, "r") as run:
    s = run["streams/force"]
    v = s["counts"][:] * s.attrs["scale"] + s.attrs["offset"]
    print(v.shape, repr(float(v[199, 2])), [n.decode() for n in s.attrs["channels"]], s["blocks"]["gap"].sum())
    print(run.attrs["format"].decode(), bytes(run["config/bench.toml"][:]).decode().strip(), len(run["events"]))
)",
                          path("a.h5"));
  const auto last = block(0, 19);
  EXPECT_EQ(out, fmt::format("(200, 3) {} ['Fx', 'Fy', 'Fz'] 0\nstrigil-run name = \"test\" 20\n",
                             last.counts[29] * 2e-3 - 0.5));
}

TEST_F(RecordTest, TheExampleReaderRuns) {
  ASSERT_NO_FATAL_FAILURE(make_file(path("a.h5"), 20));
  const auto command = fmt::format("/usr/bin/python3 '{}/docs/examples/read_run.py' '{}' > '{}' 2>&1",
                                   STRIGIL_SOURCE_DIR, path("a.h5"), path("out.txt"));
  EXPECT_EQ(std::system(command.c_str()), 0);
  const auto out = bytes_of(path("out.txt"));
  EXPECT_NE(out.find("force: 200 samples of Fx [N], Fy [N], Fz [N]"), std::string::npos) << out;
  EXPECT_NE(out.find("accel: 1280 samples of az [m/s2]"), std::string::npos) << out;
}

/// Memory that a row's padding happens to lie in must not reach the file.
TEST_F(RecordTest, TheSameRunGivesTheSameBytesWhateverWasInMemory) {
  ::mallopt(M_PERTURB, 0x11);
  ASSERT_NO_FATAL_FAILURE(make_file(path("a.h5"), 300));
  ::mallopt(M_PERTURB, 0xEE);
  ASSERT_NO_FATAL_FAILURE(make_file(path("b.h5"), 300));
  ::mallopt(M_PERTURB, 0);
  auto a = RunReader::open(path("a.h5"));
  auto b = RunReader::open(path("b.h5"));
  ASSERT_TRUE(a && b);
  const auto hash_a = (*a)->dataset_hash();
  const auto hash_b = (*b)->dataset_hash();
  ASSERT_TRUE(hash_a && hash_b);
  EXPECT_EQ(*hash_a, *hash_b);
  EXPECT_EQ(hash_a->size(), 64U);
  const std::string digest = R"(
import hashlib
with h5py.File(file, "r") as run:
    sums = []
    run.visititems(lambda n, d: sums.append((n, hashlib.sha256(d[:].tobytes()).hexdigest())) if isinstance(d, h5py.Dataset) else None)
    print(sorted(sums))
)";
  EXPECT_EQ(python(digest, path("a.h5")), python(digest, path("b.h5")));
}

TEST_F(RecordTest, TheHashChangesWithEveryThingThatWasMeasured) {
  const auto hash_with = [&](const char* name, auto&& change) {
    auto writer = RunWriter::create(path(name), header());
    Block b = block(0, 1);
    Event e = event(1);
    change(b, e);
    EXPECT_TRUE((*writer)->append(b));
    EXPECT_TRUE((*writer)->append(e));
    EXPECT_TRUE((*writer)->finish("{}", {}));
    writer->reset();
    auto reader = RunReader::open(path(name));
    return *(*reader)->dataset_hash();
  };
  const auto plain = hash_with("0.h5", [](Block&, Event&) {});
  EXPECT_EQ(plain, hash_with("1.h5", [](Block&, Event&) {}));
  EXPECT_NE(plain, hash_with("2.h5", [](Block& b, Event&) { b.counts[5] ^= 1; }));
  EXPECT_NE(plain, hash_with("3.h5", [](Block& b, Event&) { b.t0.ns += 1; }));
  EXPECT_NE(plain, hash_with("4.h5", [](Block& b, Event&) { b.gap = 1; }));
  EXPECT_NE(plain, hash_with("5.h5", [](Block&, Event& e) { e.arguments[3] = 1e-300; }));
  EXPECT_NE(plain, hash_with("6.h5", [](Block&, Event& e) { e.detail[0] = 'N'; }));
}

TEST_F(RecordTest, AnExistingFileIsNeverOverwritten) {
  std::ofstream(path("a.h5")) << "precious";
  const auto writer = RunWriter::create(path("a.h5"), header());
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().message.find("a.h5"), std::string::npos) << writer.error().message;
  EXPECT_EQ(bytes_of(path("a.h5")), "precious");
}

TEST_F(RecordTest, ABadStreamNameLeavesNoFile) {
  auto h = header();
  h.streams[0].name = "../force";
  EXPECT_FALSE(RunWriter::create(path("a.h5"), h));
  EXPECT_FALSE(std::filesystem::exists(path("a.h5")));
}

TEST_F(RecordTest, AnotherProcessReadsWhileWeWrite) {
  auto writer = RunWriter::create(path("a.h5"), header());
  ASSERT_TRUE(writer);
  const std::string count = R"(
with h5py.File(file, "r", swmr=True) as run:
    print(len(run["streams/force/counts"]), int(run["streams/force/blocks"]["samples"].sum()), len(run["end"]))
)";
  std::uint64_t n = 0;
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE((*writer)->append(block(0, n++)));
    ASSERT_TRUE((*writer)->flush());
    EXPECT_EQ(python(count, path("a.h5")), fmt::format("{0} {0} 0\n", n * 10));
  }
}

TEST_F(RecordTest, WhoWaitsForTheFileDoesNotKeepItFromBeingMade) {
  std::atomic<int> round{0};
  std::thread reader([&] {  // opens and locks the file as HDF5's readers do, as soon as there is a name to open
    for (int seen = 0; seen >= 0; seen = round.load()) {
      const int fd = ::open(path(fmt::format("{}.h5", seen)).c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) continue;
      if (::flock(fd, LOCK_SH | LOCK_NB) == 0) ::flock(fd, LOCK_UN);
      ::close(fd);
    }
  });
  for (int i = 0; i < 100; ++i) {
    round = i;
    auto writer = RunWriter::create(path(fmt::format("{}.h5", i)), header());
    EXPECT_TRUE(writer) << writer.error().message;
    EXPECT_FALSE(std::filesystem::exists(path(fmt::format("{}.h5.unready", i))));
  }
  round = -1;
  reader.join();
}

TEST_F(RecordTest, TheRecorderBalancesWithItsRings) {
  Fanout fanout;
  const auto rings = fanout.add_sink("recorder", 64, 16);
  auto writer = RunWriter::create(path("a.h5"), header());
  ASSERT_TRUE(writer);
  Recorder recorder(std::move(*writer), rings);
  recorder.start();
  constexpr std::uint64_t kBlocks = 5000;
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    fanout.push(block(0, i));
    fanout.push(event(i));
    if (i % 16 == 15) std::this_thread::yield();
  }
  recorder.stop_and_drain();
  ASSERT_FALSE(recorder.failed()) << recorder.failure();
  const auto blocks = rings->blocks.counts();
  const auto events = rings->events.counts();
  EXPECT_EQ(blocks.pushed + blocks.dropped, kBlocks);
  EXPECT_EQ(recorder.samples()[0], blocks.pushed * 10);
  EXPECT_GT(blocks.dropped, 0U) << "the ring holds 64 and the recorder looks every 20 ms";
  ASSERT_TRUE(recorder.finish("{}", {{"recorder", "force", recorder.samples()[0], blocks.dropped * 10}}));
  auto reader = RunReader::open(path("a.h5"));
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->block_count(0), blocks.pushed);
  EXPECT_EQ((*reader)->event_count(), events.pushed);
}

TEST_F(RecordTest, PumpedAndThreadedRecordersWriteTheSame) {
  std::array<std::string, 2> hashes;
  for (const bool threaded : {false, true}) {
    const auto file = path(threaded ? "t.h5" : "p.h5");
    Fanout fanout;
    const auto rings = fanout.add_sink("recorder", 4096, 4096);
    auto writer = RunWriter::create(file, header());
    ASSERT_TRUE(writer);
    Recorder recorder(std::move(*writer), rings);
    if (threaded) recorder.start();
    for (std::uint64_t i = 0; i < 1000; ++i) {
      fanout.push(block(0, i));
      fanout.push(block(1, i, 64));
      fanout.push(event(i));
      if (!threaded && i % 100 == 0) recorder.pump();
    }
    recorder.stop_and_drain();
    ASSERT_EQ(rings->blocks.counts().dropped, 0U);
    ASSERT_TRUE(recorder.finish("{}", {}));
    auto reader = RunReader::open(file);
    ASSERT_TRUE(reader);
    hashes[threaded ? 1 : 0] = *(*reader)->dataset_hash();
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

/// A full disk, made of a limit on the size of files: in a child, since the limit cannot be taken back.
TEST_F(RecordTest, AFullDiskIsAnErrorThatStaysAndNeverAnAbort) {
  const auto file = path("a.h5");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1U << 20U, 1U << 20U};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(10);
    {
      auto writer = RunWriter::create(file, header());
      if (!writer) ::_exit(11);
      for (std::uint64_t i = 0; i < 5; ++i) (void)(*writer)->append(block(0, i));
      if (!(*writer)->flush()) ::_exit(15);
      auto rings = std::make_shared<SinkRings>("recorder", 1024, 16);
      Recorder recorder(std::move(*writer), rings);
      for (std::uint64_t i = 5; i < 20000 && !recorder.failed(); ++i) {
        (void)rings->blocks.push(block(0, i));
        (void)rings->blocks.push(block(1, i, 64));
        recorder.pump();
      }
      recorder.stop_and_drain();
      if (!recorder.failed()) ::_exit(12);
      if (recorder.failure().find("a.h5") == std::string::npos) ::_exit(13);
      if (recorder.finish("{}", {})) ::_exit(14);
    }
    std::exit(0);  // with HDF5's own exit handler, which must end too
  }
  int status = 0;
  for (int waited_ms = 0; ::waitpid(child, &status, WNOHANG) == 0; waited_ms += 10) {
    if (waited_ms > 60000) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      FAIL() << "the recorder of a full disk does not end";
    }
    ::usleep(10000);
  }
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const auto saved = recover(file, path("b.h5"));
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_GE(saved->streams[0].samples, 50U) << "what was flushed before the disk was full is not lost";
}

}  // namespace
}  // namespace strigil::daq
