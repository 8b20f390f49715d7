// Replay gives out what was recorded, in the order in which it came, and a recording of a replay is the recording.
#include "daq/record/replay.hpp"

#include <vector>

#include "daq/record/recorder.hpp"
#include "tests/daq/record_fixture.hpp"

namespace strigil::daq {
namespace {

class ReplayTest : public RecordFixture {
 protected:
  std::unique_ptr<RunReplay> replay_of(const std::string& file) {
    auto reader = RunReader::open(file);
    EXPECT_TRUE(reader) << reader.error().message;
    return std::make_unique<RunReplay>(std::move(*reader));
  }
};

TEST_F(ReplayTest, EverythingComesOnceInOrderOfReceipt) {
  make_file(path("a.h5"), 200);
  auto replay = replay_of(path("a.h5"));
  Fanout fanout;
  const auto sink = fanout.add_sink("test", 1024, 1024);
  std::int64_t last_ns = 0;
  std::size_t items = 0;
  for (;;) {
    const auto time = replay->next_time();
    ASSERT_TRUE(time) << time.error().message;
    if (!*time) break;
    EXPECT_GE((*time)->ns, last_ns);
    last_ns = (*time)->ns;
    ASSERT_TRUE(replay->push_next(fanout));
    ++items;
  }
  EXPECT_EQ(items, 600U);
  EXPECT_EQ(replay->samples(), (std::vector<std::uint64_t>{2000, 12800}));
  std::array<std::uint64_t, 2> next{};
  Block b;
  std::int64_t received_ns = 0;
  while (sink->blocks.pop(b)) {
    ASSERT_LT(b.stream, 2);
    ASSERT_NO_FATAL_FAILURE(expect_same(b, block(b.stream, next[b.stream], b.stream == 0 ? 10 : 64)));
    EXPECT_GE(b.received.ns, received_ns);
    received_ns = b.received.ns;
    ++next[b.stream];
  }
  EXPECT_EQ(next, (std::array<std::uint64_t, 2>{200, 200}));
  Event e;
  for (std::uint64_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(sink->events.pop(e));
    EXPECT_EQ(e.at, event(i).at);
    EXPECT_EQ(e.arguments, event(i).arguments);
  }
}

TEST_F(ReplayTest, ARecordingOfTheReplayHasTheSameData) {
  make_file(path("a.h5"), 200);
  auto replay = replay_of(path("a.h5"));
  Fanout fanout;
  auto writer = RunWriter::create(path("b.h5"), header());
  ASSERT_TRUE(writer);
  // HDF5 has one thread: reader and recorder are both on this one.
  Recorder recorder(std::move(*writer), fanout.add_sink("recorder", 64, 64));
  for (;;) {
    const auto time = replay->next_time();
    ASSERT_TRUE(time);
    if (!*time) break;
    ASSERT_TRUE(replay->push_next(fanout));
    recorder.pump();
  }
  recorder.stop_and_drain();
  ASSERT_TRUE(recorder.finish("{}", {}));
  replay.reset();
  EXPECT_EQ(*RunReader::open(path("a.h5")).value()->dataset_hash(),
            *RunReader::open(path("b.h5")).value()->dataset_hash());
}

TEST_F(ReplayTest, ATimeThatGoesBackDoesNotReorderAStream) {
  {
    auto writer = RunWriter::create(path("a.h5"), header());
    ASSERT_TRUE(writer);
    for (const std::uint64_t n : {0, 1, 2}) {
      auto b = block(0, n);
      if (n == 1) b.received.ns -= 1'000'000'000;
      ASSERT_TRUE((*writer)->append(b));
    }
    ASSERT_TRUE((*writer)->finish("{}", {}));
  }
  auto replay = replay_of(path("a.h5"));
  Fanout fanout;
  const auto sink = fanout.add_sink("test", 16, 16);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(*replay->next_time());
    ASSERT_TRUE(replay->push_next(fanout));
  }
  Block b;
  for (const std::uint64_t n : {0, 1, 2}) {
    ASSERT_TRUE(sink->blocks.pop(b));
    EXPECT_EQ(b.first_sample, block(0, n).first_sample);
  }
}

TEST_F(ReplayTest, ADamagedBlockIsAnErrorAndNotTheEnd) {
  make_file(path("a.h5"), 5);
  python(
      "run = h5py.File(file, 'r+'); d = run['streams/force/blocks']; t = d[:]; t['samples'][3] = 9999; d[:] = t; "
      "run.close()",
      path("a.h5"));
  auto replay = replay_of(path("a.h5"));
  Fanout fanout;
  bool refused = false;
  for (int i = 0; i < 20 && !refused; ++i) {
    const auto time = replay->next_time();
    refused = !time;
    if (!refused && !*time) break;
    if (!refused) {
      ASSERT_TRUE(replay->push_next(fanout));
    }
  }
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace strigil::daq
