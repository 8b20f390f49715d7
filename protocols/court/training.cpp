#include "protocols/court/training.hpp"

#include <fmt/format.h>

#include "protocols/court/run_strokes.hpp"

namespace strigil::protocols {
namespace {

/// Keeps all it is fed with. Answers once a stroke: the score is the number under which it was kept.
class Keeper final : public Detector {
 public:
  [[nodiscard]] std::string name() const override { return "keeper"; }
  void begin(const StrokeStart& start, std::vector<Detection>&) override {
    kept.emplace_back();
    kept.back().direction = start.direction;
  }
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>&) override {
    auto& k = kept.back();
    k.contact.insert(k.contact.end(), contact.begin(), contact.end());
    k.vibration.insert(k.vibration.end(), vibration.begin(), vibration.end());
  }
  void end(std::vector<Detection>& out) override {
    Detection number;
    number.score = static_cast<double>(kept.size() - 1);
    out.push_back(number);
  }
  std::vector<TrainingStroke> kept;
};

}  // namespace

daq::Result<std::vector<TrainingStroke>> training_strokes(const std::string& run_file) {
  Keeper keeper;
  auto run = hear_run(run_file, {&keeper});
  if (!run) return run.error();
  if (!run->has_truth) return daq::Error{fmt::format("'{}' has no ground truth to learn from", run_file)};
  std::vector<TrainingStroke> out;
  for (const auto& s : run->strokes) {
    auto stroke = std::move(keeper.kept[static_cast<std::size_t>(s.hearing.detections.front().score)]);
    for (const auto& t : s.targets) {
      if (t.differs) stroke.targets.push_back(t.where);
    }
    out.push_back(std::move(stroke));
  }
  return out;
}

}  // namespace strigil::protocols
