// Spatial cells: a stream over time becomes means over equal steps of millimetres, one after the other along the
// stroke.
//
// Detection is done in space, since an inclusion has a width and no duration (science.md 3.2). One cell is open at a
// time; cells that the motion jumped are bridged in line. Plain value, one thread at a time.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>

namespace strigil::protocols {

struct Cell {
  std::int64_t index = 0;  ///< rises along the stroke by 1, whichever way it goes
  double centre_mm = 0;    ///< x
  double at_s = 0;         ///< mean time of its samples
  double closed_s = 0;     ///< time of the sample that ended it: nothing of it is known earlier
  double value = 0;        ///< mean
  double speed_mm_s = 0;   ///< mean, either sign; 0 where none was given
  bool after_gap = false;  ///< too many cells are missing before it to be bridged: start anew
};
using CellSink = std::function<void(const Cell&)>;

class SpatialCells {
 public:
  /// `cell_mm` > 0; up to `most_bridged` missing cells are interpolated.
  explicit SpatialCells(double cell_mm, std::int64_t most_bridged = 10)
      : cell_mm_(cell_mm), most_bridged_(most_bridged) {}

  /// Forgets all; `direction` +1 or -1.
  void begin(int direction);
  /// Values that are not finite are left out. A sample behind the open cell counts to it: jitter of a slow stage.
  void add(double x_mm, double at_s, double value, const CellSink& sink, double speed_mm_s = 0);
  /// Closes the open cell.
  void finish(const CellSink& sink);

 private:
  void close(double closed_s, const CellSink& sink);
  double cell_mm_;
  std::int64_t most_bridged_;
  int direction_ = 1;
  bool open_ = false;
  bool has_last_ = false;
  std::int64_t index_ = 0;
  double sum_ = 0;
  double time_ = 0;
  double count_ = 0;
  double speed_ = 0;
  double newest_s_ = 0;
  Cell last_;
};

/// Below this share of the fastest speed around it a cell is left out: where the stage speeds up or slows down, noise
/// over speed squared is great, and says nothing of the tissue. [A]
inline constexpr double kSteadyShare = 0.8;

}  // namespace strigil::protocols
