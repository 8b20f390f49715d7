// Detector: what is fed with a stroke and answers where it felt something. The in-process form of the contract that a
// detector in another process has over ZeroMQ.
//
// Streaming: memory is bounded, whatever the stroke's length, and the answers do not depend on how the samples were cut
// into chunks or how the two streams were interleaved. Deterministic. One thread at a time.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "protocols/court/matching.hpp"

namespace strigil::protocols {

/// One sample of the force stream with the place it was taken at. Stage frame; z up, away from the phantom.
struct ContactSample {
  double at_s = 0;
  double x_mm = 0;
  double y_mm = 0;
  double z_mm = 0;
  double speed_mm_s = 0;      ///< along the stroke, either sign
  double force_normal_N = 0;  ///< pressed: positive
  double force_tangential_N = 0;
};

/// One sample of the accelerometer at its own rate, likewise.
struct VibrationSample {
  double at_s = 0;
  double x_mm = 0;
  double y_mm = 0;
  double speed_mm_s = 0;
  double acceleration_m_s2 = 0;
};

/// Where the truth is kept. It is never handed out: whoever asks is named in the report and gets nothing.
class TruthDoor {
 public:
  virtual ~TruthDoor() = default;
  virtual std::vector<TruthTarget> ask(const std::string& who) = 0;
};

/// What a detector may know of a stroke before it begins.
struct StrokeStart {
  std::size_t number = 0;      ///< of this stroke within its lane, from 0: repeats and ways back
  std::size_t of = 1;          ///< strokes in this lane
  int direction = 1;           ///< +1: x grows; -1: it falls
  TruthDoor* truth = nullptr;  ///< a trap; may be null
};

class Detector {
 public:
  virtual ~Detector() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  /// True: answers at the end of a lane's last stroke (`StrokeStart::of`), for all of them together.
  [[nodiscard]] virtual bool answers_per_lane() const { return false; }
  virtual void begin(const StrokeStart& start, std::vector<Detection>& out) = 0;
  /// Samples of each stream in the order of time; either may be empty. `out` is appended to.
  virtual void feed(std::span<const ContactSample> contact, std::span<const VibrationSample> vibration,
                    std::vector<Detection>& out) = 0;
  virtual void end(std::vector<Detection>& out) = 0;
};

/// F + k z: what stays of an inclusion whatever the controller does. With the position held it shows in F, with the
/// force held in z, with neither quite in both (science.md 4.2). `stiffness_N_mm` is the phantom's, near enough.
inline double stiffness_signal(const ContactSample& s, double stiffness_N_mm) noexcept {
  return s.force_normal_N + stiffness_N_mm * s.z_mm;
}

}  // namespace strigil::protocols
