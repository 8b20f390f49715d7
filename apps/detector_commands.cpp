#include "apps/detector_commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "apps/places.hpp"
#include "apps/run_command.hpp"
#include "protocols/detectors/cheats.hpp"
#include "protocols/detectors/detector_factory.hpp"
#include "protocols/detectors/detector_post.hpp"

namespace strigil::apps {
namespace {

constexpr std::string_view kCheat = "cheat:";
/// Where the targets of `random:15` lie: what somebody learns there who learns places and the machine, and not tissue.
const std::vector<double> kLearnedPlaces_mm{45, 91};

/// Feels nothing; in its second stroke it stops listening, or its process dies.
class Breaking final : public protocols::Detector {
 public:
  explicit Breaking(bool dies) : dies_(dies) {}
  [[nodiscard]] std::string name() const override { return dies_ ? "crash" : "hang"; }
  void begin(const protocols::StrokeStart&, std::vector<protocols::Detection>&) override {
    if (++strokes_ < 2) return;
    if (dies_) std::_Exit(kDied);
    for (;;) ::pause();
  }
  void feed(std::span<const protocols::ContactSample>, std::span<const protocols::VibrationSample>,
            std::vector<protocols::Detection>&) override {}
  void end(std::vector<protocols::Detection>&) override {}

 private:
  static constexpr int kDied = 70;
  bool dies_;
  int strokes_ = 0;
};

std::unique_ptr<protocols::Detector> cheat(std::string_view name) {
  using namespace protocols;
  if (name == "clairvoyant") return std::make_unique<Clairvoyant>(kLearnedPlaces_mm);
  if (name == "truth_peeker") return std::make_unique<TruthPeeker>();
  if (name == "constant_answer") return std::make_unique<ConstantAnswer>();
  if (name == "stage_noise") return std::make_unique<StageNoiseLearner>(kLearnedPlaces_mm);
  if (name == "hang" || name == "crash") return std::make_unique<Breaking>(name == "crash");
  return nullptr;
}

}  // namespace

daq::Result<std::unique_ptr<protocols::Detector>> detector_by_name(const std::string& name) {
  if (name.starts_with(kCheat)) {
    if (auto found = cheat(std::string_view(name).substr(kCheat.size()))) return found;
    return daq::Error{fmt::format("there is no cheat '{}'", name)};
  }
  return protocols::make_detector(name);
}

int detect_command(const DetectArguments& a) {
  auto detector = detector_by_name(a.detector);
  if (!detector) return refuse(detector.error().message);
  const auto keys = client_keys(a.server_key, a.secret_key);
  if (!keys) return refuse(keys.error().message);
  const auto done = protocols::answer_run(
      {.endpoint = a.endpoint, .answers = a.answers, .version = version(), .curve = *keys}, **detector);
  return done ? kPass : refuse(done.error().message);
}

int judge_command(const JudgeArguments& a) {
  std::vector<std::unique_ptr<protocols::Detector>> detectors;
  std::vector<protocols::Detector*> lent;
  auto names = a.detectors;
  if (names.empty() && a.commands.empty()) names.emplace_back("glr");
  for (const auto& name : names) {
    auto detector = detector_by_name(name);
    if (!detector) return refuse(detector.error().message);
    lent.push_back(detector->get());
    detectors.push_back(std::move(*detector));
  }
  std::vector<RemoteHearing> all;
  for (const auto& run : a.runs) {
    if (!lent.empty()) {
      auto heard = protocols::hear_run(run, lent);
      if (!heard) return refuse(heard.error().message);
      all.push_back({std::move(*heard), {}});
    }
    for (const auto& command : a.commands) {
      auto remote = a.remote;
      remote.command = command;
      auto heard = hear_run_remotely(run, remote);
      if (!heard) return refuse(heard.error().message);
      all.push_back(std::move(*heard));
    }
  }
  const auto judged = judged_text(all, a.reaction_deadline_s);
  if (!judged) return refuse(judged.error().message);
  fmt::print("{}", judged->text);
  if (!a.json.empty()) {
    std::ofstream out(a.json, std::ios::binary | std::ios::trunc);
    out << judged->json << '\n';
    if (!out.flush()) return refuse(fmt::format("'{}' cannot be written", a.json));
  }
  return judged->clean ? kPass : kFail;
}

}  // namespace strigil::apps
