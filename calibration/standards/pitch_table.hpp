// PitchTable: where an axis really goes when it is told to go somewhere, for each direction, and what to tell it so
// that it goes where it should. Pitch error and backlash of one axis, from an ISO 230-2 test (metrology.md 3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "calibration/standards/iso230_2.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// The way an axis comes to a position: with rising or with falling coordinate.
enum class Approach : std::uint8_t { rising, falling };

/// One node: deviation (real position minus command) at a command, by direction of approach.
struct PitchNode {
  double command_m = 0;
  double rising_m = 0;
  double falling_m = 0;
};

/// Piecewise linear between nodes; nothing beyond the first and the last, where nobody measured. Real position rises
/// strictly with the command, so that it can be undone exactly. Trivially copyable, fixed size, noexcept: fit for the
/// tick of any thread.
class PitchTable {
 public:
  static constexpr std::size_t kMaxNodes = 256;  // as many as LinuxCNC takes

  /// An empty table: knows no position.
  PitchTable() = default;
  /// Refuses fewer than 2 or more than 256 nodes, NaN, commands that do not rise, and deviations so steep that the axis
  /// would turn back (|difference of deviations| >= difference of commands).
  [[nodiscard]] static daq::Result<PitchTable> make(std::span<const PitchNode> nodes);
  /// From a test in both directions; every target is a node. Refuses a test in one direction.
  [[nodiscard]] static daq::Result<PitchTable> from(const StageAssessment& stage);

  /// Where the axis goes when told `command_m`; nothing outside the commands that were measured, or when NaN.
  [[nodiscard]] std::optional<double> position(double command_m, Approach approach) const noexcept;
  /// What to tell the axis so that it goes to `position_m`; nothing outside what was reached in the test. Exactly
  /// undoes position().
  [[nodiscard]] std::optional<double> command(double position_m, Approach approach) const noexcept;
  /// Positions that command() knows.
  [[nodiscard]] double lowest_m(Approach approach) const noexcept;
  [[nodiscard]] double highest_m(Approach approach) const noexcept;
  [[nodiscard]] std::span<const PitchNode> nodes() const noexcept { return {nodes_.data(), count_}; }

 private:
  /// The end of the segment: the first inner node that does not lie below, by bisection; the last where all do.
  template <typename Below>
  [[nodiscard]] std::size_t segment(const Below& below) const noexcept {
    std::size_t low = 1;
    std::size_t high = count_ - 1;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (below(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  [[nodiscard]] double reached(std::size_t i, Approach approach) const noexcept {
    return nodes_[i].command_m + (approach == Approach::rising ? nodes_[i].rising_m : nodes_[i].falling_m);
  }
  std::array<PitchNode, kMaxNodes> nodes_{};
  std::size_t count_ = 0;
};

/// The table as a LinuxCNC COMP_FILE of type 0 (nominal, forward, reverse in millimetres; LinuxCNC then ignores its
/// BACKLASH setting).
[[nodiscard]] std::string linuxcnc_file(const PitchTable& table);

}  // namespace strigil::calibration
