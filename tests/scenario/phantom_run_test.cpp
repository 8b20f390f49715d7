// Runs on phantoms of the catalogue in virtual time, and what becomes of their ground truth: in the file, not on the
// wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <thread>

#include "apps/file_commands.hpp"
#include "apps/run.hpp"
#include "apps/run_command.hpp"
#include "daq/json_text.hpp"
#include "daq/record/run_reader.hpp"
#include "daq/record/verify.hpp"
#include "daq/strict_toml.hpp"
#include "rig/phantom_file.hpp"
#include "rig/phantom_generator.hpp"

namespace strigil::apps {
namespace {

using protocols::Judgement;
using testing::HasSubstr;

class PhantomRun : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("STRIGIL_HOME", STRIGIL_SOURCE_DIR, 1), 0);
    std::string pattern = (std::filesystem::temp_directory_path() / "strigil-phantom-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }

  daq::Result<RunOutcome> go(const std::string& protocol, const SpecimenArguments& specimen,
                             const std::string& bench = "sim_tmcl", const Publication& publication = {}) {
    auto prepared = prepare(protocol, bench, specimen);
    if (!prepared) return prepared.error();
    RunOptions o;
    o.bench = prepared->bench;
    o.plan = prepared->plan;
    o.protocol_text = prepared->protocol_text;
    o.virtual_time = true;
    o.publication = publication;
    o.out = dir_ + "/run" + std::to_string(runs_++) + ".h5";
    return run(o, {});
  }

  std::string dir_;
  int runs_ = 0;
};

std::string reasons(const protocols::Verdict& v) {
  std::string out;
  for (const auto& r : v.reasons) out += r.text + "\n";
  return out;
}

std::map<std::string, std::string> config_of(const std::string& run_file) {
  auto reader = daq::RunReader::open(run_file);
  EXPECT_TRUE(reader.ok()) << reader.error().message;
  return (*reader)->header().config;
}

/// The same protocol with each treatment stroked once each way: all phases, in less time.
std::string shortened(const std::string& protocol) {
  auto text = daq::read_text_file(STRIGIL_SOURCE_DIR "/protocols/library/" + protocol + ".toml").value();
  const auto at = text.find("repeats = 15");
  EXPECT_NE(at, std::string::npos) << protocol;
  return text.replace(at, 12, "repeats = 1");
}

class CatalogueRun : public PhantomRun, public testing::WithParamInterface<std::string> {};

TEST_P(CatalogueRun, ScansTreatsAndScansAgainOnItsOwnPhantom) {
  const auto phantom = rig::load_phantom(STRIGIL_SOURCE_DIR "/rig/phantoms/" + GetParam() + ".toml");
  ASSERT_TRUE(phantom.ok()) << phantom.error().message;
  const auto protocol = write("short.toml", shortened(phantom->protocol));
  const auto outcome = go(protocol, {.phantom = GetParam(), .instrument = {}, .emollient = {}});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->verdict.judgement, Judgement::kPass) << reasons(outcome->verdict);
  EXPECT_EQ(outcome->verdict.strokes.size(), 6U);
  const auto config = config_of(outcome->run_file);
  EXPECT_EQ(config.at("phantom.toml"), phantom->text) << "as read, to the byte";
}

std::vector<std::string> catalogue() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(STRIGIL_SOURCE_DIR "/rig/phantoms"))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, CatalogueRun, testing::ValuesIn(catalogue()), [](const auto& p) { return p.param; });

TEST_F(PhantomRun, ATreatmentEndsWhenItsDoseIsGivenAndTheRescanFollows) {
  const auto outcome = go("ankle_ligament", {.phantom = "ligament_sprain", .instrument = {}, .emollient = {}});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const auto& v = outcome->verdict;
  EXPECT_EQ(v.judgement, Judgement::kPass) << reasons(v);
  EXPECT_GT(v.left_out.size(), 5U);
  EXPECT_GE(v.strokes.size(), 6U) << "a scan, one treatment, a rescan at the least";
  EXPECT_EQ(v.strokes.size() + v.left_out.size(), 34U);
  EXPECT_EQ(v.strokes.back().condition, 33U) << "the rescan is the last";
  auto reader = daq::RunReader::open(outcome->run_file);
  ASSERT_TRUE(reader.ok());
  const auto end = daq::parse_json((*reader)->end()->value());
  EXPECT_EQ(end["verdict"]["left_out"].size(), v.left_out.size());
  const auto& limits = end["dose"]["limits"];
  double used = 0;
  for (const auto& area : end["dose"]["areas"]) {
    used = std::max({used, area["time_s"].get<double>() / limits["max_time_s"].get<double>(),
                     area["strokes"].get<double>() / limits["max_strokes"].get<double>(),
                     area["impulse_N_s"].get<double>() / limits["max_impulse_N_s"].get<double>(),
                     area["work_J"].get<double>() / limits["max_work_J"].get<double>()});
  }
  EXPECT_GE(used, 0.6) << "the treatment's part was given";
  EXPECT_LT(used, 1) << "and there was room for the rescan";
}

TEST_F(PhantomRun, WhatLiesThereIsWhatIsFelt) {
  const auto protocol = write("short.toml", shortened("upper_trapezius"));
  const auto hash = [&](double contrast) {
    rig::PhantomWish wish;
    wish.seed = 5;
    wish.contrast = contrast;
    const auto file = write("p.toml", rig::draw_phantom(wish)->text);
    const auto outcome = go(protocol, {.phantom = file, .instrument = "steel_convex", .emollient = {}});
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return outcome.ok() ? daq::verify(outcome->run_file)->dataset_hash : std::string();
  };
  const auto nothing = hash(1);
  EXPECT_EQ(hash(1), nothing) << "same seed, same bits";
  EXPECT_NE(hash(4), nothing) << "a contrast is felt";
}

TEST_F(PhantomRun, TheGroundTruthIsInTheFile) {
  const auto outcome = go("smoke", {.phantom = "post_surgical_scar", .instrument = "steel_convex", .emollient = "oil"});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const auto config = config_of(outcome->run_file);
  const auto truth = daq::parse_json(config.at("ground_truth.json"));
  EXPECT_EQ(truth["format"], "strigil-ground-truth");
  EXPECT_EQ(truth["phantom"], "post_surgical_scar");
  EXPECT_EQ(truth["emollient"]["name"], "oil") << "of the command line";
  EXPECT_EQ(truth["instrument"]["name"], "steel_convex");
  ASSERT_EQ(truth["inclusions"].size(), 4U);
  const auto& scar = truth["inclusions"][0];
  EXPECT_EQ(scar["kind"], "scar_strip");
  EXPECT_EQ(scar["target"], true);
  EXPECT_EQ(scar["differs"], true);
  EXPECT_EQ(scar["x_mm"], 70.0);
  EXPECT_EQ(scar["depth_mm"], 0.0);
  EXPECT_EQ(scar["stiffness_contrast"], 3.9);
  EXPECT_NEAR(scar["footprint_x_mm"][0].get<double>(),
              70 - (25 * std::cos(80 * std::numbers::pi / 180) + 2.5 * std::sin(80 * std::numbers::pi / 180)), 1e-3);
  EXPECT_EQ(truth["inclusions"][3]["target"], false);
  EXPECT_EQ(truth["layers"][1]["from_depth_mm"], 2.0);
  EXPECT_EQ(truth["layers"][1]["to_depth_mm"], 10.0);
  const auto phantom = rig::parse_phantom(config.at("phantom.toml"), "of the run");
  ASSERT_TRUE(phantom.ok()) << phantom.error().message;
  EXPECT_EQ(phantom->emollient.name, "oil") << "what is recorded is what was there";
  EXPECT_THAT(config.at("instrument.toml"), HasSubstr("steel_convex"));
}

TEST_F(PhantomRun, WithoutAPhantomThereIsNoGroundTruth) {
  const auto outcome = go("smoke", {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const auto config = config_of(outcome->run_file);
  EXPECT_FALSE(config.contains("ground_truth.json"));
  EXPECT_FALSE(config.contains("phantom.toml"));
}

/// Everything that comes over a socket, as one heap of bytes.
class Eavesdropper {
 public:
  explicit Eavesdropper(const std::string& endpoint) : context_(::zmq_ctx_new()) {
    thread_ = std::thread([this, endpoint] { listen(endpoint); });
  }
  ~Eavesdropper() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    (void)::zmq_ctx_term(context_);
  }
  Eavesdropper(const Eavesdropper&) = delete;
  Eavesdropper& operator=(const Eavesdropper&) = delete;
  /// After the end of the run has come.
  const std::string& heard() {
    thread_.join();
    return heard_;
  }

 private:
  void listen(const std::string& endpoint) {
    void* socket = ::zmq_socket(context_, ZMQ_SUB);
    const int look_ms = 100;
    const int unlimited = 0;
    const int reconnect_ms = 20;
    (void)::zmq_setsockopt(socket, ZMQ_RCVTIMEO, &look_ms, sizeof look_ms);
    (void)::zmq_setsockopt(socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    (void)::zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &reconnect_ms, sizeof reconnect_ms);
    (void)::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    (void)::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "strigil/1/", 10);
    EXPECT_EQ(::zmq_connect(socket, endpoint.c_str()), 0);
    bool ended = false;
    while (!ended && !stop_) {
      zmq_msg_t message;
      (void)::zmq_msg_init(&message);
      if (::zmq_msg_recv(&message, socket, 0) >= 0) {
        const std::string part(static_cast<const char*>(::zmq_msg_data(&message)), ::zmq_msg_size(&message));
        heard_ += part;
        ended = part == "strigil/1/end";
        if (ended && ::zmq_msg_more(&message) != 0) take_rest(socket);
      }
      (void)::zmq_msg_close(&message);
    }
    (void)::zmq_close(socket);
  }
  void take_rest(void* socket) {
    for (bool more = true; more;) {
      zmq_msg_t message;
      (void)::zmq_msg_init(&message);
      if (::zmq_msg_recv(&message, socket, 0) < 0) return;
      heard_ += std::string(static_cast<const char*>(::zmq_msg_data(&message)), ::zmq_msg_size(&message));
      more = ::zmq_msg_more(&message) != 0;
      (void)::zmq_msg_close(&message);
    }
  }

  void* context_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::string heard_;
};

template <typename T>
std::string bytes_of(T value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

TEST_F(PhantomRun, TheGroundTruthIsNotOnTheWire) {
  rig::PhantomWish wish;
  wish.seed = 3;
  auto phantom = rig::draw_phantom(wish).value();
  phantom.name = "zwickmuehle";
  phantom.title = "a title for nobody";
  phantom.condition = "quaesitio";
  phantom.passport.serial = "serial-4711-x";
  auto& lump = phantom.inclusions.front();
  lump.name = "quodlibet";
  lump.stiffness_contrast = 3.7251;
  lump.friction_contrast = 1.0831;
  lump.x_m = 87.123e-3;
  const auto file = write("zwickmuehle.toml", rig::to_toml(phantom));
  const std::vector<std::string> words{
      "zwickmuehle", "a title for nobody", "quaesitio", "serial-4711-x", "quodlibet", "3.7251",    "1.0831",
      "87.123",      "ground_truth",       "contrast",  "phantom.toml",  "target_1",  "inclusion", "confounder",
      "steel_convex"};
  const std::vector<std::string> numbers{bytes_of(3.7251), bytes_of(1.0831),  bytes_of(87.123e-3),
                                         bytes_of(87.123), bytes_of(3.7251F), bytes_of(87.123F)};
  const auto expect_nothing = [&](const std::string& heard) {
    for (const auto& w : words) EXPECT_EQ(heard.find(w), std::string::npos) << w << " is on the wire";
    for (std::size_t i = 0; i < numbers.size(); ++i)
      EXPECT_EQ(heard.find(numbers[i]), std::string::npos) << "number " << i << " is on the wire";
  };

  std::string run_file;
  {
    const auto endpoint = "ipc://" + dir_ + "/run";
    Eavesdropper ear(endpoint);
    Publication publication;
    publication.endpoint = endpoint;
    publication.wait_subscriptions = 1;
    const auto outcome =
        go("smoke", {.phantom = file, .instrument = "steel_convex", .emollient = {}}, "sim_tmcl", publication);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    run_file = outcome->run_file;
    const auto& heard = ear.heard();
    EXPECT_GT(heard.size(), 100'000U) << "the ear must hear";
    EXPECT_THAT(heard, HasSubstr("-smoke-1")) << "the run id is on the wire, and names protocol and seed";
    EXPECT_THAT(heard, HasSubstr("\"state\""));
    expect_nothing(heard);
  }
  // What was looked for is what is in the file.
  const auto config = config_of(run_file);
  const auto recorded = config.at("phantom.toml") + config.at("ground_truth.json") + config.at("instrument.toml");
  for (const char* w : {"zwickmuehle", "a title for nobody", "quaesitio", "serial-4711-x", "quodlibet", "3.7251",
                        "1.0831", "87.123", "contrast", "steel_convex"})
    EXPECT_THAT(recorded, HasSubstr(w));
  {
    const auto endpoint = "ipc://" + dir_ + "/replay";
    Eavesdropper ear(endpoint);
    ReplayArguments replay;
    replay.run = run_file;
    replay.rate = 0;
    replay.publication.endpoint = endpoint;
    replay.publication.wait_subscriptions = 1;
    EXPECT_EQ(replay_command(replay), 0);
    const auto& heard = ear.heard();
    EXPECT_GT(heard.size(), 100'000U);
    expect_nothing(heard);
  }
}

TEST_F(PhantomRun, TheBenchFileMayNameBothFromItsOwnFolder) {
  auto bench = daq::read_text_file(STRIGIL_SOURCE_DIR "/rig/benches/sim_tmcl.toml").value();
  std::filesystem::create_directory(dir_ + "/mine");
  write("mine/lump.toml", rig::draw_phantom({.seed = 8})->text);
  const auto file = write("bench.toml", bench_with(bench, "mine/lump.toml", "steel_convex"));
  const auto prepared = prepare("smoke", file);
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  ASSERT_TRUE(prepared->bench.phantom_there.has_value());
  EXPECT_EQ(prepared->bench.phantom_there->name, "drawn_8");
  EXPECT_EQ(prepared->bench.instrument_there->name, "steel_convex");
  const auto over = prepare("smoke", file, {.phantom = "healthy", .instrument = {}, .emollient = {}});
  ASSERT_TRUE(over.ok()) << over.error().message;
  EXPECT_EQ(over->bench.phantom_there->name, "healthy") << "the command line outweighs the file";
}

TEST_F(PhantomRun, ABenchTextTakesWhatIsOnItWhereverItsTablesAre) {
  EXPECT_EQ(bench_with("[bench]\nname = \"b\"\n", "p.toml", ""),
            "[bench]\nname = \"b\"\n\n[phantom]\nfile = \"p.toml\"\n");
  EXPECT_EQ(bench_with("[instrument]\nangle_deg = 60\n[x]\nfile = 1\n", "", "i.toml"),
            "[instrument]\nfile = \"i.toml\"\nangle_deg = 60\n[x]\nfile = 1\n");
  EXPECT_EQ(bench_with("a = 1\n[phantom]\n# file = no\nfile = \"old\"  # old\n", "new", ""),
            "a = 1\n[phantom]\n# file = no\nfile = \"new\"\n");
  EXPECT_EQ(bench_with("[phantom]", "new", ""), "[phantom]\nfile = \"new\"\n");
  EXPECT_EQ(bench_with("x", "", ""), "x");
}

TEST_F(PhantomRun, WhatIsNotThereOrCannotBeSimulatedIsRefusedBeforeAnythingMoves) {
  const auto error = [&](const SpecimenArguments& s) {
    const auto outcome = go("smoke", s);
    EXPECT_FALSE(outcome.ok());
    return outcome.ok() ? std::string() : outcome.error().message;
  };
  EXPECT_THAT(error({.phantom = "nobody", .instrument = {}, .emollient = {}}),
              testing::AllOf(HasSubstr("no phantom named 'nobody'"), HasSubstr("achilles_tendinosis")));
  EXPECT_THAT(error({.phantom = "healthy", .instrument = "nothing", .emollient = {}}),
              HasSubstr("no instrument named"));
  EXPECT_THAT(error({.phantom = {}, .instrument = {}, .emollient = "gel"}), HasSubstr("--emollient needs --phantom"));
  EXPECT_THAT(error({.phantom = {}, .instrument = "steel_convex", .emollient = {}}),
              HasSubstr("on a tissue phantom alone"));
  EXPECT_THAT(error({.phantom = "healthy", .instrument = {}, .emollient = "honey"}), HasSubstr("honey"));
  EXPECT_THAT(error({.phantom = "healthy", .instrument = {}, .emollient = "a b"}), HasSubstr("that of an emollient"));
  auto phantom = rig::load_phantom(STRIGIL_SOURCE_DIR "/rig/phantoms/healthy.toml").value();
  phantom.layers.front().material = "unobtainium";
  const auto file = write("p.toml", rig::to_toml(phantom));
  EXPECT_THAT(error({.phantom = file, .instrument = {}, .emollient = {}}), HasSubstr("unobtainium"));
}

}  // namespace
}  // namespace strigil::apps
