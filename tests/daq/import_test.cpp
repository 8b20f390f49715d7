// Somebody else's CSV becomes a run file without losing or inventing anything.
#include "daq/record/import.hpp"

#include <cmath>
#include <cstdlib>
#include <vector>

#include "daq/record/verify.hpp"
#include "tests/daq/record_fixture.hpp"

namespace strigil::daq {
namespace {

class ImportTest : public RecordFixture {
 protected:
  static constexpr const char* kMap = R"(
[time]
column = "t_s"
rate_Hz = 1000
[[stream]]
name = "force"
quantity = "force"
[[stream.channel]]
column = "F_mN"
name = "Fz"
unit = "N"
factor = 0.001
)";

  Result<ImportReport> import(const std::string& csv, const std::string& map = kMap) {
    std::ofstream(path("in.csv"), std::ios::binary) << csv;
    std::ofstream(path("map.toml")) << map;
    std::filesystem::remove(path("out.h5"));
    return import_csv(path("in.csv"), path("map.toml"), path("out.h5"), {"2026-11-23T12:00:00.000Z", "0.1.0"});
  }

  std::string refusal(const std::string& csv, const std::string& map = kMap) {
    const auto report = import(csv, map);
    EXPECT_FALSE(report) << csv;
    EXPECT_FALSE(std::filesystem::exists(path("out.h5"))) << "half a file was left behind";
    return report ? "" : report.error().message;
  }

  std::vector<Block> blocks(std::size_t stream = 0) {
    auto reader = RunReader::open(path("out.h5"));
    EXPECT_TRUE(reader);
    std::vector<Block> all;
    for (std::uint64_t i = 0; i < (*reader)->block_count(stream); ++i) all.push_back(*(*reader)->block(stream, i));
    return all;
  }

  static std::string reference(const std::string& file) {
    namespace fs = std::filesystem;
    const char* set = std::getenv("STRIGIL_REFERENCE_DATA");
    const fs::path folder = set != nullptr ? fs::path(set) : fs::path(STRIGIL_SOURCE_DIR) / "../shared/data";
    return fs::exists(folder / file) ? (folder / file).string() : "";
  }

  static std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  }
};

TEST_F(ImportTest, DigitsThatFitAreKeptExactly) {
  const auto report = import("t_s,other,F_mN\n0,9,-2.6865\n0.001,9,1e1\n0.002,9,0.5\n");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->rows, 3U);
  ASSERT_EQ(report->streams.size(), 1U);
  EXPECT_EQ(report->streams[0].samples, 3U);
  EXPECT_TRUE(report->streams[0].channels[0].lossless);
  EXPECT_DOUBLE_EQ(report->streams[0].channels[0].scale, 1e-7);
  const auto all = blocks();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].counts[0], -26865);
  EXPECT_EQ(all[0].counts[1], 100000);
  EXPECT_EQ(all[0].counts[2], 5000);
  EXPECT_EQ(all[0].flags & kGapBefore, 0U);
  const auto checked = verify(path("out.h5"));
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->problems, std::vector<std::string>{});
  auto reader = RunReader::open(path("out.h5"));
  EXPECT_EQ((*reader)->header().kind, "import");
  EXPECT_EQ((*reader)->header().config.at("mapping.toml"), kMap);
}

TEST_F(ImportTest, DigitsThatDoNotFitAreRoundedByLessThanHalfACount) {
  const std::vector<double> values{123456.789012345, -0.000000123456, 99999.99999999, 0};
  std::string csv = "t_s,F_mN\n";
  for (std::size_t i = 0; i < values.size(); ++i)
    csv += fmt::format("{},{:.15g}\n", 0.001 * static_cast<double>(i), values[i]);
  const auto report = import(csv);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report->streams[0].channels[0].lossless);
  const double scale = report->streams[0].channels[0].scale;
  const auto all = blocks();
  ASSERT_EQ(all.size(), 1U);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_LE(std::abs(all[0].counts[i] * scale - values[i] * 1e-3), scale / 2 * (1 + 1e-6)) << i;
  }
}

TEST_F(ImportTest, MissingValuesAreGapsThatAreCounted) {
  const auto report = import("t_s,F_mN\n0,1\n0.001,\n0.002,nan\n0.003,4\n0.004,5\n0.005,\n");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->streams[0].samples, 3U);
  EXPECT_EQ(report->streams[0].missing, 3U);
  const auto all = blocks();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].gap, 2U);
  EXPECT_NE(all[1].flags & kGapBefore, 0U);
  EXPECT_EQ(all[1].first_sample, 3U);
  EXPECT_EQ(all[1].t0.ns, 3'000'000);
  EXPECT_TRUE(verify(path("out.h5"))->problems.empty());
}

TEST_F(ImportTest, TimeThatJumpsIsAGapToo) {
  const auto report = import("t_s,F_mN\n0,1\n0.001,2\n0.011,3\n0.012,4\n0.013,\n0.020,5\n");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->streams[0].samples, 5U);
  EXPECT_EQ(report->streams[0].missing, 1U);
  EXPECT_EQ(report->streams[0].gap_samples, 9U + 6U);
  const auto all = blocks();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].gap, 9U);
  EXPECT_EQ(all[1].first_sample, 11U);
  EXPECT_EQ(all[2].gap, 7U);
  EXPECT_EQ(all[2].first_sample, 20U);
  EXPECT_EQ(all[2].t0.ns, 20'000'000);
  EXPECT_TRUE(verify(path("out.h5"))->problems.empty());
}

TEST_F(ImportTest, TimesOffTheGridStayWhereTheyWere) {
  const auto report = import("t_s,F_mN\n0,1\n0.001,2\n0.0022,3\n0.003,4\n");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->streams[0].gap_samples, 0U);
  std::vector<double> times_ns;
  for (const auto& b : blocks()) {
    for (int i = 0; i < b.samples; ++i) times_ns.push_back(static_cast<double>(b.t0.ns) + i * b.period_ns);
  }
  const std::vector<double> expected{0, 1e6, 2.2e6, 3e6};
  ASSERT_EQ(times_ns.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(times_ns[i], expected[i], 0.05 * 1e6);
  EXPECT_EQ(times_ns[2], 2.2e6);
}

TEST_F(ImportTest, OtherPeoplesHabits) {
  const auto map =
      replaced(kMap, "[time]", "[csv]\nseparator = \";\"\ndecimal = \",\"\ncomment = \"%\"\nheader_rows = 2\n[time]");
  ASSERT_TRUE(
      import("\xEF\xBB\xBFmade by a machine\r\n\"t_s\" ; F_mN \r\n% note\r\n0;1,5\r\n\r\n0,001;-2,25\r\n", map));
  EXPECT_EQ(blocks()[0].counts[0], 150);
  EXPECT_EQ(blocks()[0].counts[1], -225);
  auto no_header = replaced(kMap, "[time]", "[csv]\nheader_rows = 0\nseparator = \"\\t\"\n[time]");
  no_header = replaced(replaced(no_header, "t_s", "#0"), "F_mN", "#2");
  const auto report = import("0\t7\t1\n0.001\t7\t2\n0.002\t7\t\n", no_header);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->streams[0].samples, 2U);
  EXPECT_EQ(report->streams[0].missing, 1U) << "an empty last cell is a missing value, not a short row";
}

TEST_F(ImportTest, ErrorsSayWhere) {
  const auto has = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  has(refusal("t_s,F_mN\n0,1\n0.001,abc\n"), "in.csv:3:7: 'abc' is not a number");
  has(refusal("t_s,F_mN\n0,1\n0.001\n"), "in.csv:3: 1 fields where the header has 2");
  has(refusal("t_s,F_mN\n0,1\n# note\n0.002,1\n0.001,2\n"), "in.csv:5: the time goes back");
  has(refusal("t_s,F_mN\n0,1\n,2\n"), "in.csv:3: no usable time");
  has(refusal("t_s,G_mN\n0,1\n"), "has: t_s, G_mN");
  has(refusal("t_s,F_mN\n"), "no row");
  has(refusal(""), "no header");
  has(refusal("t_s,F_mN\n0,1\n90000000,2\n"), "in.csv:3: a gap");
  has(refusal("t_s,F_mN\n0,1\n", replaced(kMap, "factor", "faktor")), "map.toml:12:1: unknown key");
  has(refusal("t_s,F_mN\n0,1\n", replaced(kMap, "0.001", "0")), "map.toml:12:");
  has(refusal("t_s,F_mN\n0,1\n", replaced(kMap, "\"force\"", "\"Force!\"")), "map.toml:6:");
  has(refusal("t_s,F_mN\n0,1\n", std::string(kMap) +
                                     "[[stream]]\nname = \"force\"\nquantity = \"x\"\n[[stream.channel]]\n"
                                     "column = \"F_mN\"\nname = \"x\"\nunit = \"N\"\n"),
      "two streams named 'force'");
  has(refusal("t_s,F_mN\n0,1\n", replaced(kMap, "rate_Hz = 1000", "")), "rate_Hz");
}

TEST_F(ImportTest, NothingIsOverwritten) {
  ASSERT_TRUE(import("t_s,F_mN\n0,1\n"));
  const auto before = bytes_of(path("out.h5"));
  EXPECT_FALSE(import_csv(path("in.csv"), path("map.toml"), path("out.h5"), {}));
  EXPECT_EQ(bytes_of(path("out.h5")), before);
}

TEST_F(ImportTest, McIntyreIndentationIsLossless) {
  const auto csv = reference("mcintyre_indent/1000_mN_data_file.csv");
  if (csv.empty()) GTEST_SKIP() << "reference data not found: set STRIGIL_REFERENCE_DATA";
  const auto report = import_csv(csv, STRIGIL_SOURCE_DIR "/docs/examples/mcintyre_indent.toml", path("out.h5"), {});
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& s : report->streams) {
    EXPECT_EQ(s.samples + s.missing, report->rows) << s.name;
    EXPECT_EQ(s.gap_samples, 0U) << s.name;
    for (const auto& c : s.channels) EXPECT_TRUE(c.lossless) << c.name;
  }
  EXPECT_TRUE(verify(path("out.h5"))->problems.empty());
  // Against numpy's reading of the CSV, which shares no code with ours.
  EXPECT_EQ(python(fmt::format(R"(
csv = np.genfromtxt('{}', delimiter=',', names=True)
with h5py.File(file, 'r') as run:
    f, z = run['streams/force'], run['streams/position']
    N = f['counts'][:] * f.attrs['scale'] + f.attrs['offset']
    m = z['counts'][:] * z.attrs['scale'] + z.attrs['offset']
    t = np.concatenate([b['t0_ns'] + np.arange(b['samples']) * b['period_ns'] for b in f['blocks'][:]])
    print(len(N) == len(csv), np.abs(N[:, 0] - csv['force_mN'] / 1000).max() < 1e-12,
          np.abs(m[:, 0] - csv['pos_mm'] / 1000).max() < 1e-12, np.abs(t * 1e-9 - csv['t_s']).max() < 1e-6)
)",
                               csv),
                   path("out.h5")),
            "True True True True\n");
}

TEST_F(ImportTest, FabricSlideIsLossless) {
  const auto csv = reference("fabricslide/DenimFlex_F150_V-50mmps_0.csv");
  if (csv.empty()) GTEST_SKIP() << "reference data not found: set STRIGIL_REFERENCE_DATA";
  const auto report = import_csv(csv, STRIGIL_SOURCE_DIR "/docs/examples/fabricslide.toml", path("out.h5"), {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->streams[0].samples, report->rows);
  EXPECT_EQ(report->streams[0].gap_samples, 0U);
  EXPECT_TRUE(verify(path("out.h5"))->problems.empty());
  EXPECT_EQ(python(fmt::format(R"(
csv = np.genfromtxt('{}', delimiter=',', names=True)
with h5py.File(file, 'r') as run:
    s = run['streams/tactile']
    v = s['counts'][:] * s.attrs['scale'] + s.attrs['offset']
    t = np.concatenate([b['t0_ns'] + np.arange(b['samples']) * b['period_ns'] for b in s['blocks'][:]]) * 1e-6
    print(all((v[:, i] == csv['channel%d' % (i + 1)]).all() for i in range(16)),
          np.abs(t - (csv['timestamp'] - csv['timestamp'][0])).max() <= 0.05 * 1000 / 36)
)",
                               csv),
                   path("out.h5")),
            "True True\n");
}

}  // namespace
}  // namespace strigil::daq
