// Told detections: what detectors have answered in a run that goes on, for a screen, and in its file's end.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/remote_detector.hpp"
#include "protocols/plan.hpp"

namespace strigil::apps {

/// One answer of one detector.
struct ToldDetection {
  std::size_t detector = 0;  ///< of the seats
  std::size_t step = 0;      ///< of the plan: a stroke
  double x_mm = 0;
  double y_mm = 0;     ///< of the stroke, by the plan
  double at_s = 0;     ///< host time, s
  double known_s = 0;  ///< host time of the newest data that it rests on
  double score = 0;
};

struct ToldDetector {
  std::string name;
  std::string version;
  bool listening = false;
};

/// Collects while the run goes on. With several detectors an answer is told once all the others that listen have said
/// that they are done with that stroke: none can copy. One thread.
class ToldDetections {
 public:
  static constexpr std::size_t kMost = 100'000;
  ToldDetections(std::vector<const DetectorSeat*> seats, const protocols::Plan& plan);
  /// What has become tellable since the last look, in the order of the seats and strokes.
  std::vector<ToldDetection> look();
  [[nodiscard]] std::vector<ToldDetector> detectors() const;
  /// Those beyond kMost, which are not told.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  [[nodiscard]] bool others_are_done(std::size_t seat, const protocols::StrokeId& stroke) const;
  std::vector<const DetectorSeat*> seats_;
  std::vector<double> y_mm_;                                      // of each step
  std::vector<std::map<protocols::StrokeId, std::size_t>> seen_;  // of each seat and stroke so many
  std::size_t told_ = 0;
  std::size_t left_out_ = 0;
};

/// `detectors` of a run file's end (docs/run_file.md): all that they have answered, before finish() of the seats.
nlohmann::ordered_json detectors_json(std::span<DetectorSeat* const> seats);
/// The answer to `detections` of the control channel (docs/control.md), from the `from`th on, as many as one message
/// holds.
nlohmann::ordered_json detections_json(const std::vector<ToldDetector>& detectors,
                                       const std::vector<ToldDetection>& told, std::size_t from, std::size_t left_out);

}  // namespace strigil::apps
