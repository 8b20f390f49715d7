// Cheats: detectors that no court may be fooled by, for its tests. Each is the plainest of its kind.
#pragma once

#include "protocols/court/roc.hpp"
#include "protocols/detectors/detector.hpp"
#include "protocols/detectors/spatial_cells.hpp"

namespace strigil::protocols {

/// Says the same of every stroke: a detection at each multiple of `every_mm` that it passes, all with one score.
class ConstantAnswer final : public Detector {
 public:
  explicit ConstantAnswer(double every_mm = 10) : every_mm_(every_mm), cells_(every_mm, 0) {}
  [[nodiscard]] std::string name() const override { return "constant answer"; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  double every_mm_;
  SpatialCells cells_;
};

/// Answers before the data: at the stroke's beginning, with times yet to come.
class Clairvoyant final : public Detector {
 public:
  explicit Clairvoyant(std::vector<double> places_mm) : places_mm_(std::move(places_mm)) {}
  [[nodiscard]] std::string name() const override { return "clairvoyant"; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  std::vector<double> places_mm_;
};

/// Knocks at the truth's door and answers what it is told.
class TruthPeeker final : public Detector {
 public:
  [[nodiscard]] std::string name() const override { return "truth peeker"; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  std::vector<TruthTarget> told_;
};

/// Has learned where on the stage targets lay, and answers there if the machine sounds as it did: never mind the
/// tissue.
class StageNoiseLearner final : public Detector {
 public:
  explicit StageNoiseLearner(std::vector<double> places_mm) : places_mm_(std::move(places_mm)) {}
  [[nodiscard]] std::string name() const override { return "stage-noise learner"; }
  void begin(const StrokeStart& start, std::vector<Detection>& out) override;
  void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
            std::vector<Detection>& out) override;
  void end(std::vector<Detection>& out) override;

 private:
  std::vector<double> places_mm_;
  std::size_t next_ = 0;
  int direction_ = 1;
  double loudness_ = 0;
};

/// The door that the court puts up: tells nothing, and remembers who asked.
class TruthTrap final : public TruthDoor {
 public:
  std::vector<TruthTarget> ask(const std::string& who) override {
    asked_.push_back(who);
    return {};
  }
  [[nodiscard]] const std::vector<std::string>& asked() const noexcept { return asked_; }

 private:
  std::vector<std::string> asked_;
};

/// Strokes in the air, or over contrast 1.0: `scores` of places where a target would have been against places where
/// none would. A detector whose AUC there is shown to exceed one half works on something that is not the tissue.
struct BlankCheck {
  RocArea area;
  bool works_on_nothing = false;  ///< lower bound above 0.5
};
daq::Result<BlankCheck> check_on_blanks(const LabelledScores& scores, double level = 0.99);

}  // namespace strigil::protocols
