// What the tests of run files share: a folder of their own, made-up blocks whose every field is a function of their
// number, and a Python that nobody here wrote.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "daq/record/run_reader.hpp"
#include "daq/record/run_writer.hpp"

namespace strigil::daq {

class RecordFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-record-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

  static RunHeader header() {
    RunHeader h;
    h.run_id = "20261123T120000Z-test-7";
    h.created = "2026-11-23T12:00:00.000Z";
    h.software = "0.1.0";
    h.virtual_time = true;
    h.seed = 7;
    h.config = {{"bench.toml", "name = \"test\"\n"}, {"empty.txt", ""}};
    StreamDescription force;
    force.id = 0;
    force.name = "force";
    force.device = "made up";
    force.quantity = "force";
    force.rate_Hz = 1000;
    force.tick_rate_Hz = 1e6;
    force.channels = {{"Fx", "N", 1e-3, 0}, {"Fy", "N", 1e-3, 0}, {"Fz", "N", 2e-3, -0.5}};
    StreamDescription vibration;
    vibration.id = 1;
    vibration.name = "accel";  // before "force" in the alphabet, after it by id
    vibration.device = "made up";
    vibration.quantity = "acceleration";
    vibration.rate_Hz = 6400;
    vibration.channels = {{"az", "m/s2", 0.01, 0}};
    h.streams = {force, vibration};
    return h;
  }

  /// Block `n` of a stream without gaps; every field depends on `n`.
  static Block block(StreamId stream, std::uint64_t n, std::uint16_t samples = 10) {
    Block b{};
    b.stream = stream;
    b.channels = stream == 0 ? 3 : 1;
    b.samples = samples;
    b.flags = n % 5 == 0 ? static_cast<std::uint32_t>(kSaturated) : 0U;
    b.first_sample = 1000 + n * samples;
    b.ticks = {(std::uint64_t{1} << 40U) + n * samples * 1000};
    b.t0 = {static_cast<std::int64_t>(5'000'000'000 + n * samples * 1'000'000)};
    b.received = {b.t0.ns + 12'345'678};
    b.period_ns = 1e6 + 1e-3 * static_cast<double>(n);
    for (std::size_t v = 0; v < b.value_count(); ++v) {
      b.counts[v] = static_cast<std::int32_t>((n * 2654435761U + v * 40503U) & 0xFFFFFFU) - 0x800000;
    }
    return b;
  }

  static Event event(std::uint64_t n) {
    Event e;
    e.at = {static_cast<std::int64_t>(5'000'000'000 + n * 7'000'000)};
    e.code = EventCode::kContact;
    e.severity = Severity::kWarning;
    e.source = static_cast<std::uint16_t>(n);
    e.arguments = {1.5, -2.5, static_cast<double>(n), 0};
    set_detail(e, "number " + std::to_string(n));
    return e;
  }

  static void expect_same(const Block& a, const Block& b) {
    EXPECT_EQ(a.stream, b.stream);
    EXPECT_EQ(a.channels, b.channels);
    ASSERT_EQ(a.samples, b.samples);
    EXPECT_EQ(a.flags, b.flags);
    EXPECT_EQ(a.gap, b.gap);
    EXPECT_EQ(a.first_sample, b.first_sample);
    EXPECT_EQ(a.ticks, b.ticks);
    EXPECT_EQ(a.received, b.received);
    EXPECT_EQ(a.t0, b.t0);
    EXPECT_EQ(a.period_ns, b.period_ns);
    for (std::size_t v = 0; v < a.value_count(); ++v) ASSERT_EQ(a.counts[v], b.counts[v]) << "value " << v;
  }

  /// A finished file of `n` blocks in each stream and `n` events.
  void make_file(const std::string& file, std::uint64_t n) {
    auto writer = RunWriter::create(file, header());
    ASSERT_TRUE(writer) << writer.error().message;
    for (std::uint64_t i = 0; i < n; ++i) {
      ASSERT_TRUE((*writer)->append(block(0, i)));
      ASSERT_TRUE((*writer)->append(block(1, i, 64)));
      ASSERT_TRUE((*writer)->append(event(i)));
    }
    ASSERT_TRUE((*writer)->finish(R"({"closed_cleanly": true})",
                                  {{"recorder", "force", n * 10, 0}, {"recorder", "accel", n * 64, 0}}));
  }

  /// Runs `script` with h5py as `h5py`, numpy as `np` and `file` as the path; its output, or a test failure.
  std::string python(const std::string& script, const std::string& file) {
    const auto script_path = path("script.py");
    std::ofstream(script_path) << "import sys, h5py, numpy as np\nfile = sys.argv[1]\n" << script;
    const auto command = fmt::format("/usr/bin/python3 '{}' '{}' 2>&1", script_path, file);
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) {
      ADD_FAILURE() << "python3 does not start";
      return {};
    }
    std::string out;
    std::array<char, 4096> piece{};
    while (std::fgets(piece.data(), piece.size(), pipe) != nullptr) out += piece.data();
    EXPECT_EQ(::pclose(pipe), 0) << out;
    return out;
  }

  static std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }

  std::filesystem::path folder_;
};

}  // namespace strigil::daq
